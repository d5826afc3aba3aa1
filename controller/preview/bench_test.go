package preview_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/preview"
)

// BenchmarkForecastOfADistrict foresees an announcement of two officers on 23
// communes of 15 nodes that hold fifty others.
func BenchmarkForecastOfADistrict(b *testing.B) {
	h := desktest.New(b)
	for _, commune := range h.Tree().Children(broadcast.BacQuang, h.Now()) {
		for _, area := range h.Tree().Children(commune, h.Now()) {
			for i := range 15 {
				h.Node(broadcast.ID(fmt.Sprintf("%s-%d", area, i)), area)
			}
		}
	}
	ctx, by := context.Background(), h.Named("duyet-1")
	draft := func(in time.Duration) desk.Announcement {
		a, err := h.Desk.Create(ctx, by.Person, desk.Draft{Title: "Bản tin", Class: broadcast.Priority, Areas: []broadcast.ID{broadcast.BacQuang}, Reason: "thử",
			Versions: []desk.DraftVersion{{Content: h.Content(10 * time.Second)}},
			Timing:   broadcast.Timing{Start: h.Now().Add(in), Recurrence: &broadcast.Recurrence{Rule: "FREQ=DAILY"}, Until: h.Now().Add(90 * 24 * time.Hour)}}, nil)
		if err != nil {
			b.Fatal(err)
		}
		return a
	}
	for i := range 50 {
		a := draft(time.Duration(i+1) * 10 * time.Minute)
		_, err := h.Desk.Submit(ctx, by.Person, by.Credential, a.Document.ID, "")
		if err == nil {
			_, err = h.Desk.Approve(ctx, by.Person, by.Credential, a.Document.ID, a.Digest)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	a := draft(19*time.Hour + 15*time.Minute)
	nodes, err := h.DB.Nodes(ctx)
	if err != nil {
		b.Fatal(err)
	}
	ring, err := h.Office.Ring(ctx)
	if err != nil {
		b.Fatal(err)
	}
	var f preview.Forecast
	b.ResetTimer()
	for b.Loop() {
		f = preview.Foresee(ctx, preview.Source{DB: h.DB, Ring: ring, Now: h.Now(), Places: todays{h.Tree(), h.Now()}}, preview.Subject{Announcement: a.Document}, nodes)
	}
	if f.Nodes != 345 || !f.Nowhere() || len(f.Outcomes) != 1 {
		b.Errorf("%+v", f)
	}
}

// todays is the organisation tree as it is at a moment.
type todays struct {
	tree broadcast.Tree
	at   broadcast.Instant
}

// Knows says whether there is such an area.
func (p todays) Knows(area broadcast.ID) bool { return p.Covers(area, area) }

// Covers says whether area is upper or lies below it.
func (p todays) Covers(upper, area broadcast.ID) bool { return p.tree.Covers(upper, area, p.at) }
