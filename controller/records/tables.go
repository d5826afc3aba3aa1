package records

import (
	"fmt"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// Tables are the report as people read it, chapters last.
func (r Report) Tables() []Table {
	out := []Table{r.summary(), r.classTable(), r.dayTable(), r.nodeTable(), r.faultTable(), r.refusalTable(), r.peopleTable()}
	return append(out, r.Chapters...)
}

func (r Report) summary() Table {
	p := r.Proof
	rows := [][]string{
		{"Địa bàn / Area", r.AreaName}, {"Tháng / Month", r.Month[5:] + "/" + r.Month[:4]}, {"Lập lúc / Made", shown(r.Made)},
		{"Số bản tin / Announcements", text(r.Announcements)}, {"Số lượt phát / Soundings", text(r.Soundings)},
		{"Lượt phát tại cụm loa / Soundings at nodes", text(p.Expected)},
		{"Có bằng chứng đã phát hết / Proved to the end", text(p.Sounded)}, {"Không phát hết, có lý do / Not to the end, with a reason", text(p.Silent)},
		{"Không chắc chắn / Doubtful", text(p.Doubtful)}, {"Không có bằng chứng / Not proved", text(p.Unproved)},
		{"Ngoài dự kiến, đã phát / Not expected, sounded", text(p.Others)},
	}
	if !r.Over {
		rows = append(rows, []string{"Lưu ý / Note", "Tháng chưa kết thúc / The month is not over"})
	}
	return Table{VI: "Tổng hợp", EN: "Summary", Head: []string{"Nội dung / Item", "Giá trị / Value"}, Rows: rows}
}

func text(n int) string { return fmt.Sprint(n) }

// maybe is a number, or a dash for none.
func maybe(n *int64) string {
	if n == nil {
		return "–"
	}
	return fmt.Sprint(*n)
}

// shown is a moment as people read it: local, day before month, 24 hours.
func shown(moment string) string {
	t, err := time.Parse(time.RFC3339, moment)
	if err != nil {
		return moment
	}
	return t.In(broadcast.Local()).Format("15:04 02/01/2006")
}

// date is a local day as people read it.
func date(day string) string {
	t, err := time.Parse(dateLayout, day)
	if err != nil {
		return day
	}
	return t.Format("02/01/2006")
}

var classWords = map[string]string{"normal": "thông thường / normal", "priority": "ưu tiên / priority", "emergency": "khẩn cấp / emergency"}

func classWord(class string) string {
	if word, known := classWords[class]; known {
		return word
	}
	return class
}

func (r Report) classTable() Table {
	t := Table{VI: "Theo loại tin", EN: "By class", Head: []string{"Loại / Class", "Bản tin / Announcements", "Lượt / Soundings",
		"Dự kiến / Expected", "Đã phát / Sounded", "Không phát hết / Silent", "Không chắc / Doubtful", "Không bằng chứng / Unproved"}}
	for _, c := range r.Classes {
		t.Rows = append(t.Rows, []string{classWord(c.Class), text(c.Announcements), text(c.Soundings), text(c.Proof.Expected), text(c.Proof.Sounded),
			text(c.Proof.Silent), text(c.Proof.Doubtful), text(c.Proof.Unproved)})
	}
	return t
}

func (r Report) dayTable() Table {
	t := Table{VI: "Số phút mỗi ngày", EN: "Minutes a day", Head: []string{"Ngày / Day", "Thông thường / Normal", "Ưu tiên / Priority", "Khẩn cấp / Emergency",
		"Tổng / All", "Tối thiểu / Minimum", "Tối đa thông thường / Maximum normal", "Tối đa ưu tiên / Maximum priority", "Thiếu / Short"}}
	for _, d := range r.Days {
		short := ""
		if d.Short {
			short = "thiếu / short"
		}
		t.Rows = append(t.Rows, []string{date(d.Day), fmt.Sprint(d.Normal), fmt.Sprint(d.Priority), fmt.Sprint(d.Emergency), fmt.Sprint(d.All),
			maybe(d.Minimum), maybe(d.MaxNormal), maybe(d.MaxPriority), short})
	}
	return t
}

func (r Report) nodeTable() Table {
	t := Table{VI: "Cụm loa", EN: "Nodes", Head: []string{"Cụm loa / Node", "Địa bàn / Area", "Dự kiến / Expected", "Đã phát / Sounded", "Không phát hết / Silent",
		"Không chắc / Doubtful", "Không bằng chứng / Unproved", "Sẵn sàng % / Available %", "Mất liên lạc, phút / Gone, minutes"}}
	for _, n := range r.Nodes {
		share := "–"
		if n.Available != nil {
			share = fmt.Sprintf("%d,%d", *n.Available/10, *n.Available%10)
		}
		t.Rows = append(t.Rows, []string{n.Node, n.AreaName, text(n.Proof.Expected), text(n.Proof.Sounded), text(n.Proof.Silent), text(n.Proof.Doubtful),
			text(n.Proof.Unproved), share, fmt.Sprint(n.Gone)})
	}
	return t
}

func (r Report) faultTable() Table {
	t := Table{VI: "Sự cố", EN: "Faults", Head: []string{"Sự cố / Fault", "Số lần / Count", "Chưa hết / Open", "Khắc phục trung bình, phút / Mean repair, minutes", "Lâu nhất, phút / Longest, minutes"}}
	for _, f := range r.Faults {
		t.Rows = append(t.Rows, []string{f.VI + " / " + f.EN, text(f.Count), text(f.Open), fmt.Sprint(f.Mean), fmt.Sprint(f.Longest)})
	}
	return t
}

func (r Report) refusalTable() Table {
	t := Table{VI: "Lý do không phát hết", EN: "Why it did not sound to the end", Head: []string{"Lý do / Reason", "Số lượt / Count"}}
	for _, f := range r.Refusals {
		t.Rows = append(t.Rows, []string{f.VI + " / " + f.EN, text(f.Count)})
	}
	return t
}

func (r Report) peopleTable() Table {
	t := Table{VI: "Người soạn và ký", EN: "Authors and signers", Head: []string{"Người / Person", "Đã soạn / Written", "Đã ký / Signed"}}
	for _, w := range r.People {
		t.Rows = append(t.Rows, []string{w.Who.shown(), text(w.Written), text(w.Signed)})
	}
	return t
}

// shown is the name of somebody, or the id of one without a name.
func (w Who) shown() string {
	if w.Name == "" {
		return w.ID
	}
	return w.Name
}

// Tables are the diary as people read it: the day, then every addendum.
func (d Diary) Tables() []Table {
	lines := lineTable("Nhật ký phát thanh", "Diary", d.Lines)
	incidents := Table{VI: "Sự cố", EN: "Incidents", Head: []string{"Từ / Since", "Đến / Until", "Cụm loa / Node", "Sự cố / Fault"}}
	for _, i := range d.Incidents {
		incidents.Rows = append(incidents.Rows, []string{shown(i.Since), shown(i.Cleared), i.Node, i.VI + " / " + i.EN})
	}
	out := []Table{lines, incidents, entryTable("Ghi thêm", "Entries", d.Entries)}
	for _, a := range d.Addenda {
		at := shown(a.At)
		if len(a.Lines) > 0 {
			out = append(out, lineTable("Bổ sung "+at, "Addendum", a.Lines))
		}
		if len(a.Entries) > 0 {
			out = append(out, entryTable("Bổ sung "+at, "Addendum", a.Entries))
		}
	}
	return out
}

func lineTable(vi, en string, lines []Line) Table {
	t := Table{VI: vi, EN: en, Head: []string{"Từ / From", "Đến / To", "Nội dung / Content", "Loại / Class", "Soạn / Author", "Duyệt / Approved",
		"Đã phát / Sounded", "Không phát hết / Silent", "Không chắc / Doubtful", "Không bằng chứng / Unproved", "Lý do / Why"}}
	for _, l := range lines {
		content := []string{l.Title}
		for _, p := range l.Parts {
			if p.Title != "" {
				content = append(content, p.Title)
			}
		}
		var signed, why []string
		for _, w := range l.Approvers {
			signed = append(signed, w.shown())
		}
		for _, m := range l.Missing {
			why = append(why, strings.TrimSuffix(m.Node+": "+m.VI, ": "))
		}
		if l.Withdrawn != "" {
			why = append(why, "thu hồi / withdrawn: "+l.Withdrawn)
		}
		author := l.Author.shown()
		if l.Key != "" {
			author = strings.TrimSpace(author + " (" + l.Key + ")")
		}
		t.Rows = append(t.Rows, []string{shown(l.From), shown(l.To), strings.Join(content, "\n"), classWord(l.Class), author, strings.Join(signed, ", "),
			fmt.Sprintf("%d trên / of %d", l.Proof.Sounded, l.Proof.Expected), text(l.Proof.Silent), text(l.Proof.Doubtful), text(l.Proof.Unproved), strings.Join(why, "; ")})
	}
	return t
}

func entryTable(vi, en string, entries []Entry) Table {
	t := Table{VI: vi, EN: en, Head: []string{"Lúc / At", "Người ghi / Who", "Nội dung / Text"}}
	for _, e := range entries {
		t.Rows = append(t.Rows, []string{shown(e.At), e.Who.shown(), e.Text})
	}
	return t
}
