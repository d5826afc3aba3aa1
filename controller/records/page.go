package records

import (
	"bytes"
	_ "embed" // the page
	"html/template"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("record").Parse(pageText))

// sheet is what is printed.
type sheet struct {
	Title, Subtitle, Hash string
	Tables                []Table
}

func (s sheet) page() ([]byte, error) {
	var out bytes.Buffer
	err := pageTemplate.Execute(&out, s)
	return out.Bytes(), err
}

// Page is the report as a page to be printed and signed.
func (r Report) Page() ([]byte, error) {
	return sheet{Title: "Báo cáo hoạt động truyền thanh tháng " + r.Month[5:] + "/" + r.Month[:4], Subtitle: r.AreaName, Tables: r.Tables()}.page()
}

// Page is the diary as a page to be printed and signed.
func (d Diary) Page() ([]byte, error) {
	s := sheet{Title: "Nhật ký phát thanh ngày " + date(d.Day.Day), Subtitle: d.AreaName, Hash: d.Hash, Tables: d.Tables()}
	if d.Closed == "" {
		s.Subtitle += " (chưa khoá sổ / not closed)"
	}
	for _, a := range d.Addenda { // the last hash covers all pages
		s.Hash = a.Hash
	}
	return s.page()
}
