package records

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/xuri/excelize/v2"
)

// Table is a part of a report as people read it: texts in rows.
type Table struct {
	VI   string     `json:"vi"`
	EN   string     `json:"en"`
	Head []string   `json:"head" nullable:"false"`
	Rows [][]string `json:"rows" nullable:"false"`
}

// title is in both languages.
func (t Table) title() string { return t.VI + " / " + t.EN }

// CSV writes tables as one file (RFC 4180, UTF-8 with a byte order mark, as
// spreadsheets want it): each record begins with the name of its table, and all
// have the same number of fields. No field can be taken for a formula.
func CSV(tables []Table) ([]byte, error) {
	width := 0
	for _, t := range tables {
		width = max(width, len(t.Head))
		for _, row := range t.Rows {
			width = max(width, len(row))
		}
	}
	out := bytes.NewBufferString("\ufeff")
	w := csv.NewWriter(out)
	w.UseCRLF = true
	for _, t := range tables {
		for _, row := range append([][]string{t.Head}, t.Rows...) {
			record := make([]string, width+1)
			record[0] = harmless(t.title())
			for i, field := range row {
				record[i+1] = harmless(field)
			}
			if err := w.Write(record); err != nil {
				return nil, err
			}
		}
	}
	w.Flush()
	return out.Bytes(), w.Error()
}

// number is what a spreadsheet may read as one.
var number = regexp.MustCompile(`^-?[0-9]+([.,][0-9]+)?$`)

// harmless keeps a spreadsheet from calculating a text: one that begins, after
// any white space or invisible sign, with a character that begins a formula gets
// an apostrophe before it (OWASP, CSV injection). Wide forms count, because
// spreadsheets fold them.
func harmless(text string) string {
	text = strings.Map(func(r rune) rune {
		if r == '\r' || r == '\t' || r != '\n' && unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	if number.MatchString(text) {
		return text
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(text, blank))
	if strings.ContainsRune("=+-@|%＝＋－＠｜％", first) {
		return "'" + text
	}
	return text
}

// blank is what a spreadsheet may drop at the beginning of a cell.
func blank(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
}

// maxSheetName is how many characters the name of a sheet may have.
const maxSheetName = 31

// Workbook writes tables as sheets of an XLSX file. Every cell is a text or a
// number, never a formula.
func Workbook(tables []Table) ([]byte, error) {
	f := excelize.NewFile()
	defer func() { _ = f.Close() }()
	bold, err := f.NewStyle(&excelize.Style{Font: &excelize.Font{Bold: true}})
	if err != nil {
		return nil, err
	}
	for i, t := range tables {
		name := sheetName(i, t.VI)
		if i == 0 {
			err = f.SetSheetName("Sheet1", name)
		} else {
			_, err = f.NewSheet(name)
		}
		if err != nil {
			return nil, fmt.Errorf("sheet %s: %w", name, err)
		}
		if err := fill(f, name, t, bold); err != nil {
			return nil, fmt.Errorf("sheet %s: %w", name, err)
		}
	}
	out, err := f.WriteToBuffer()
	if err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// sheetName is one that every spreadsheet takes, and that no other sheet has.
func sheetName(i int, title string) string {
	clean := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`:\/?*[]'`, r) || unicode.IsControl(r) {
			return ' '
		}
		return r
	}, fmt.Sprintf("%d %s", i+1, title))
	return strings.TrimSpace(string([]rune(clean)[:min(utf8.RuneCountInString(clean), maxSheetName)]))
}

func fill(f *excelize.File, sheet string, t Table, bold int) error {
	for i, row := range append([][]string{{t.title()}, t.Head}, t.Rows...) {
		for j, text := range row {
			cell, err := excelize.CoordinatesToCellName(j+1, i+1)
			if err == nil {
				err = set(f, sheet, cell, text)
			}
			if err != nil {
				return err
			}
		}
	}
	if err := f.SetRowStyle(sheet, 1, 2, bold); err != nil {
		return err
	}
	return f.SetColWidth(sheet, "A", "H", 22)
}

// set writes a number as a number, and anything else as a text.
func set(f *excelize.File, sheet, cell, text string) error {
	var n int64
	if _, err := fmt.Sscanf(text, "%d", &n); err == nil && fmt.Sprint(n) == text {
		return f.SetCellInt(sheet, cell, n)
	}
	return f.SetCellStr(sheet, cell, strings.ToValidUTF8(text, "\ufffd"))
}
