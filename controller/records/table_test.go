package records_test

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"unicode"

	"github.com/xuri/excelize/v2"

	"github.com/loaxa/loaxa/controller/records"
)

// hostile are texts that a spreadsheet or a browser could take for something else.
func hostile() []string {
	return []string{"=1+1", "=cmd|' /C calc'!A0", "+84", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", "\u00a0=1", "\u200b=1", "＝1+1", "＠x", "%0A=1", "|x",
		"\ufeff=1", "\x00=1", `"=1"`, `",=1`, "a\r\n=1", `=HYPERLINK("http://x")`, "<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "{{.Title}}", "\xff=1"}
}

// everywhere is a diary and a report with one text in every field that people,
// nodes or files can fill.
func everywhere(text string) ([]records.Table, records.Diary, records.Report) {
	who := records.Who{ID: "x", Name: text}
	line := records.Line{Title: text, Class: text, Author: who, Approvers: []records.Who{who}, Writer: text, Reason: text, Key: text, Withdrawn: text, From: text, To: text,
		Parts: []records.Part{{Title: text}}, Missing: []records.Absent{{Node: text, VI: text, EN: text}}}
	entry := records.Entry{Who: who, At: text, Text: text}
	d := records.Diary{Day: records.Day{Area: text, AreaName: text, Day: text, Lines: []records.Line{line}, Entries: []records.Entry{entry},
		Incidents: []records.Incident{{Node: text, VI: text, EN: text, Since: text, Cleared: text}}},
		Addenda: []records.Addendum{{At: text, Hash: text, Lines: []records.Line{line}, Entries: []records.Entry{entry}}}}
	r := records.Report{Area: text, AreaName: text, Month: "2026-11", Made: text, Classes: []records.ClassReport{{Class: text}}, Days: []records.DayReport{{Day: text}},
		Nodes: []records.NodeReport{{Node: text, AreaName: text}}, Faults: []records.FaultReport{{VI: text, EN: text}},
		Refusals: []records.Refused{{VI: text, EN: text}}, People: []records.Work{{Who: who}},
		Chapters: []records.Table{{VI: text, EN: text, Head: []string{text}, Rows: [][]string{{text}}}}}
	return append(d.Tables(), r.Tables()...), d, r
}

func TestNoCSVFieldIsTakenForAFormula(t *testing.T) {
	for _, text := range hostile() {
		tables, _, _ := everywhere(text)
		raw, err := records.CSV(tables)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(raw, []byte("\xef\xbb\xbf")) || bytes.Count(raw, []byte("\r")) != bytes.Count(raw, []byte("\r\n")) {
			t.Fatalf("%q: no byte order mark, or bare carriage returns", text)
		}
		rows, err := csv.NewReader(bytes.NewReader(raw[3:])).ReadAll() // refuses records of different lengths
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		for _, row := range rows {
			for _, field := range row {
				trimmed := strings.TrimLeftFunc(field, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) })
				if strings.IndexAny(trimmed, "=+-@|%＝＋－＠｜％") == 0 || strings.ContainsAny(field, "\t\x00") {
					t.Errorf("%q became %q", text, field)
				}
			}
		}
	}
}

func TestNumbersStayNumbersInCSV(t *testing.T) {
	raw, err := records.CSV([]records.Table{{VI: "a", EN: "b", Head: []string{"x"}, Rows: [][]string{{"-12"}, {"99,5"}, {"-1+1"}}}})
	if err != nil {
		t.Fatal(err)
	}
	if want := "\ufeffa / b,x\r\na / b,-12\r\na / b,\"99,5\"\r\na / b,'-1+1\r\n"; string(raw) != want {
		t.Errorf("%q, want %q", raw, want)
	}
}

func TestNoCellOfAWorkbookIsAFormula(t *testing.T) {
	for _, text := range []string{hostile()[1], hostile()[5], hostile()[16], hostile()[20], hostile()[24], "+1", "@A1"} {
		tables, _, _ := everywhere(text)
		raw, err := records.Workbook(tables)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		f, err := excelize.OpenReader(bytes.NewReader(raw))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		sheets := f.GetSheetList()
		if len(sheets) != len(tables) {
			t.Errorf("%q: %d sheets for %d tables", text, len(sheets), len(tables))
		}
		for _, sheet := range sheets {
			rows, err := f.GetRows(sheet)
			if err != nil {
				t.Fatal(err)
			}
			for i, row := range rows {
				for j := range row {
					cell, _ := excelize.CoordinatesToCellName(j+1, i+1)
					formula, err := f.GetCellFormula(sheet, cell)
					link, _, linkErr := f.GetCellHyperLink(sheet, cell)
					if err != nil || linkErr != nil || formula != "" || link {
						t.Errorf("%q: %s!%s is the formula %q (%v, %v)", text, sheet, cell, formula, err, linkErr)
					}
				}
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestAWorkbookKeepsWordsAndNumbers(t *testing.T) {
	raw, err := records.Workbook([]records.Table{{VI: "Số phút/ngày", EN: "Minutes", Head: []string{"Ngày", "Phút"}, Rows: [][]string{{"22/11/2026", "60"}, {"=1+1", "Đồng Tâm"}}}})
	if err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	const sheet = "1 Số phút ngày"
	for cell, want := range map[string]string{"A1": "Số phút/ngày / Minutes", "B2": "Phút", "A3": "22/11/2026", "B3": "60", "A4": "=1+1", "B4": "Đồng Tâm"} {
		if got, err := f.GetCellValue(sheet, cell); got != want || err != nil {
			t.Errorf("%s: %q (%v), want %q", cell, got, err, want)
		}
	}
	if kind, err := f.GetCellType(sheet, "B3"); err != nil || kind == excelize.CellTypeSharedString || kind == excelize.CellTypeInlineString {
		t.Errorf("a number is a text: %v %v", kind, err)
	}
}

func TestPrintedPagesEscapeWhatPeopleWrote(t *testing.T) {
	for _, text := range hostile() {
		_, d, r := everywhere(text)
		for name, print := range map[string]func() ([]byte, error){"diary": d.Page, "report": r.Page} {
			page, err := print()
			if err != nil {
				t.Fatalf("%s with %q: %v", name, text, err)
			}
			if s := string(page); strings.Contains(s, "<script") || strings.Contains(s, "<img") || strings.Contains(s, "http://") && strings.Contains(s, "href") {
				t.Errorf("%s with %q:\n%s", name, text, s)
			}
		}
	}
}

func TestThePrintedDiaryHasItsSignatureBlockAndItsDigest(t *testing.T) {
	_, d, _ := everywhere("x")
	d.Day.Day, d.Closed = "2026-11-22", "2026-11-22T17:30:00.000Z"
	page, err := d.Page()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Nhật ký phát thanh ngày 22/11/2026", "Người lập", "Lãnh đạo UBND", "SHA-256: x", "@page", `lang="vi"`} {
		if !strings.Contains(string(page), want) {
			t.Errorf("%q is missing", want)
		}
	}
}
