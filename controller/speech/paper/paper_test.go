package paper

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

func newReader(t *testing.T) *Reader {
	t.Helper()
	r, err := NewReader(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// docx packs parts of a document.
func docx(t testing.TB, parts map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for name, text := range parts {
		w, err := z.Create(name)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// document is the main part with these paragraphs.
func document(lines ...string) string {
	body := ""
	for _, l := range lines {
		body += "<w:p><w:r><w:t>" + l + "</w:t></w:r></w:p>"
	}
	return `<?xml version="1.0"?><w:document xmlns:w="x"><w:body>` + body + `</w:body></w:document>`
}

var notice = []string{"ỦY BAN NHÂN DÂN XÃ HÙNG AN", "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM", "Độc lập - Tự do - Hạnh phúc", "THÔNG BÁO", "Điều 1. Thời gian họp",
	"Họp lúc 7h30.", "Điều 2. Địa điểm", "Nhà văn hóa.", "Nơi nhận:", "- Như trên;", "TM. UBND XÃ", "KT. CHỦ TỊCH", "Nguyễn Văn A"}

func TestADocumentIsReadWithoutWhatIsNotSaid(t *testing.T) {
	file := docx(t, map[string]string{"word/document.xml": document(notice...), "word/header1.xml": document("Công báo"), "word/footer1.xml": document("Trang 1"), "word/media/x.bin": "x"})
	p, err := newReader(t).Read(t.Context(), bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	want := "ỦY BAN NHÂN DÂN XÃ HÙNG AN\nTHÔNG BÁO\nĐiều 1. Thời gian họp\nHọp lúc 7h30.\nĐiều 2. Địa điểm\nNhà văn hóa."
	if p.Text != want {
		t.Errorf("got %q", p.Text)
	}
	why := map[Why]int{}
	for _, d := range p.Dropped {
		why[d.Why]++
	}
	if why[Signature] != 5 || why[StateHead] != 2 || why[RunningHead] != 2 {
		t.Errorf("dropped %+v", p.Dropped)
	}
}

// pdf is a document with a page of ASCII lines for each argument.
func pdf(pages ...[]string) []byte {
	objects := []string{"<</Type/Catalog/Pages 2 0 R>>", "", "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"}
	kids := ""
	for _, lines := range pages {
		stream := "BT /F1 12 Tf 72 720 Td 16 TL "
		for _, l := range lines {
			stream += "(" + l + ") Tj T* "
		}
		stream += "ET"
		n := len(objects) + 1
		objects = append(objects, fmt.Sprintf("<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>/Contents %d 0 R>>", n+1),
			fmt.Sprintf("<</Length %d>>stream\n%s\nendstream", len(stream), stream))
		kids += fmt.Sprintf("%d 0 R ", n)
	}
	objects[1] = fmt.Sprintf("<</Type/Pages/Kids[%s]/Count %d>>", kids, len(pages))
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	var at []int
	for i, o := range objects {
		at = append(at, b.Len())
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	table := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, a := range at {
		fmt.Fprintf(&b, "%010d 00000 n \n", a)
	}
	fmt.Fprintf(&b, "trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table)
	return b.Bytes()
}

func TestAPDFIsReadWithoutHeadsFeetAndNumbers(t *testing.T) {
	file := pdf([]string{"Cong bao", "Hop thon vao", "sang mai.", "1"}, []string{"Cong bao", "Mang theo giay to.", "2/3"}, []string{"Cong bao", "Xin cam on.", "Trang 3"})
	p, err := newReader(t).Read(t.Context(), bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	if want := "Hop thon vao sang mai.\nMang theo giay to.\nXin cam on."; p.Text != want {
		t.Errorf("got %q", p.Text)
	}
	if len(p.Dropped) != 6 {
		t.Errorf("dropped %+v", p.Dropped)
	}
}

func TestWhatIsNoPaperIsRefused(t *testing.T) {
	if _, err := exec.LookPath("pdftotext"); err != nil {
		t.Fatal("install poppler-utils (scripts/setup): ", err)
	}
	laughs := `<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><w:document><w:p><w:t>&b;</w:t></w:p></w:document>`
	many := map[string]string{"word/document.xml": document("a")}
	for i := range mostEntries {
		many[fmt.Sprintf("x%d", i)] = ""
	}
	for name, file := range map[string][]byte{
		"nothing": nil, "text": []byte("Họp thôn"), "an old .doc": []byte("\xd0\xcf\x11\xe0 and more"), "a broken zip": []byte("PK\x03\x04 and no more"),
		"a zip of another kind": docx(t, map[string]string{"a.txt": "x"}), "a billion laughs": docx(t, map[string]string{"word/document.xml": laughs}),
		"an entity":          docx(t, map[string]string{"word/document.xml": `<w:p><w:t>&x;</w:t></w:p>`}),
		"deep":               docx(t, map[string]string{"word/document.xml": strings.Repeat("<a>", deepest+1)}),
		"a zip bomb":         docx(t, map[string]string{"word/document.xml": "<a>" + strings.Repeat(" ", mostXML+1)}),
		"a bomb in a header": docx(t, map[string]string{"word/document.xml": document("a"), "word/header1.xml": "<a>" + strings.Repeat(" ", mostXML+1)}),
		"many files":         docx(t, many), "endless words": docx(t, map[string]string{"word/document.xml": document(strings.Repeat("họp ", mostText/4))}),
		"only a signature": docx(t, map[string]string{"word/document.xml": document("1", "2")}), "a broken PDF": []byte("%PDF-1.4 and no more"),
		"a PDF of pictures": pdf(nil), "too large": append([]byte("PK\x03\x04"), make([]byte, mostFile)...),
	} {
		if _, err := newReader(t).Read(t.Context(), bytes.NewReader(file)); !errors.Is(err, ErrPaper) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestABombCostsLittleMemory(t *testing.T) {
	bomb := docx(t, map[string]string{"word/document.xml": "<w:p><w:t>" + strings.Repeat("ha", 100<<20)})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := newReader(t).Read(t.Context(), bytes.NewReader(bomb)); !errors.Is(err, ErrPaper) {
		t.Errorf("got %v", err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 150<<20 {
		t.Errorf("%d MB for a bomb of %d kB", used>>20, len(bomb)>>10)
	}
}

func TestATextIsPartedAtItsArticles(t *testing.T) {
	text := "Mở đầu\nĐiều 1. Một\nhai ba\nĐiều 2. Bốn\nChương II\nnăm sáu bảy tám chín mười\nĐiều kiện chung"
	words := func(s string) time.Duration { return time.Duration(len(strings.Fields(s))) * time.Second }
	var got []string
	for _, e := range Episodes(text, 9*time.Second, words) {
		got = append(got, fmt.Sprintf("%s/%v/%v", e.Title, e.Length, e.Long))
	}
	if want := []string{"Mở đầu/7s/false", "Điều 2. Bốn/3s/false", "Chương II/11s/true"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func FuzzDocx(f *testing.F) {
	f.Add(docx(f, map[string]string{"word/document.xml": document(notice...)}))
	f.Add([]byte(document("a")))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, _, err := readDocx(b); err != nil && !errors.Is(err, ErrPaper) {
			t.Fatal(err)
		}
		if lines, err := paragraphs(bytes.NewReader(b)); err != nil && !errors.Is(err, ErrPaper) || len(lines) > mostLines {
			t.Fatal(len(lines), err)
		}
	})
}
