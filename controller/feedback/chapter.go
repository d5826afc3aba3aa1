package feedback

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/records"
	"github.com/loaxa/loaxa/controller/store"
)

// inChapter bounds the entries of one report.
const inChapter = 1000

// Chapter lists what stood open at some time of a period in its area, oldest
// first. How people can be reached is not in it.
func (r *Register) Chapter(ctx context.Context, p records.Period) (records.Table, error) {
	t := records.Table{VI: "Phản ánh của người dân", EN: "Feedback", Head: []string{"Nhận lúc / Received", "Địa bàn / Area", "Loại / Kind", "Nội dung / Text",
		"Cụm loa / Node", "Chỉnh âm lượng / Trim", "Trả lời / Answer", "Trả lời lúc / Answered", "Người trả lời / By"}}
	rows, err := r.cfg.DB.Feedback(ctx, store.FeedbackQuery{Areas: r.within(p.Area), From: p.From, To: p.To, Limit: inChapter + 1})
	if err != nil {
		return t, err
	}
	persons, err := r.cfg.Persons.Persons(ctx)
	if err != nil {
		return t, err
	}
	names := map[broadcast.ID]string{}
	for _, one := range persons {
		names[one.ID] = one.Name
	}
	more := len(rows) > inChapter
	rows = rows[:min(len(rows), inChapter)]
	slices.Reverse(rows)
	for _, f := range rows {
		by := names[f.ClosedBy]
		if by == "" {
			by = string(f.ClosedBy)
		}
		t.Rows = append(t.Rows, []string{shown(f.Created), r.nameOf(f.Area), kinds[Kind(f.Kind)], f.Text, string(f.Node), trims(f), f.Answer, shown(f.Closed), by})
	}
	if more {
		t.Rows = append(t.Rows, []string{"…", "", "", fmt.Sprintf("chỉ in %d phản ánh mới nhất / only the last %d are printed", inChapter, inChapter), "", "", "", "", ""})
	}
	return t, nil
}

// within are an area and all that lie below it today.
func (r *Register) within(area broadcast.ID) []broadcast.ID {
	out := []broadcast.ID{area}
	for _, a := range r.cfg.Tree().Areas() {
		if a.ID != area && r.cfg.Tree().Covers(area, a.ID, r.now()) {
			out = append(out, a.ID)
		}
	}
	return out
}

func (r *Register) nameOf(area broadcast.ID) string {
	if a, known := r.cfg.Tree().Find(area); known {
		if f, is := a.At(r.now()); is {
			return f.Name
		}
	}
	return string(area)
}

// trims says how loud the node of an entry was set, before and after.
func trims(f store.Feedback) string {
	switch {
	case f.Node == "":
		return ""
	case f.Closed == 0:
		return decibel(f.TrimBefore)
	}
	return "từ / from " + decibel(f.TrimBefore) + " đến / to " + decibel(f.TrimAfter)
}

// decibel writes hundredths of a decibel as people here read them.
func decibel(hundredths int64) string {
	text := fmt.Sprintf("%.1f dB", float64(hundredths)/100)
	return strings.NewReplacer(".", ",", "-", "−").Replace(text)
}

// shown is a moment as people read it: local, 24 hours; empty for none.
func shown(i broadcast.Instant) string {
	if i == 0 {
		return ""
	}
	return i.Time().In(broadcast.Local()).Format("15:04 02/01/2006")
}
