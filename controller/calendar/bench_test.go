package calendar_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/calendar"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/store"
)

// BenchmarkTenThousand reads a page of a week, and a page of the list, out of ten
// thousand announcements of a year in all communes, one in ten of which recurs.
func BenchmarkTenThousand(b *testing.B) {
	h := desktest.New(b)
	communes := h.Tree().Children(broadcast.BacQuang, h.Now())
	h.Update(func(tx store.Tx) error {
		for i := range 10_000 {
			a := broadcast.Announcement{ID: broadcast.ID(fmt.Sprintf("a%05d", i)), Class: broadcast.Normal, Title: "Bản tin", Areas: communes[i%len(communes) : i%len(communes)+1],
				Timing: broadcast.Timing{Mode: broadcast.ModeStart, Start: h.Now().Add(time.Duration(i) * 50 * time.Minute)}}
			if i%10 == 0 {
				a.Timing.Recurrence, a.Timing.Until = &broadcast.Recurrence{Rule: "FREQ=WEEKLY;BYDAY=MO,WE,FR"}, a.Timing.Start.Add(300*24*time.Hour)
			}
			body, err := broadcast.Encode(a)
			if err != nil {
				return err
			}
			row := store.Announcement{ID: a.ID, State: store.Published, Body: string(body), Meta: "{}", Created: h.Now()}
			if err := tx.AddAnnouncement(context.Background(), row); err != nil {
				return err
			}
		}
		return nil
	})
	c := calendar.New(calendar.Config{DB: h.DB, Keys: h.Office, Fleet: h.Fleet, Tree: h.Tree, Now: h.Clock.Now})
	from := h.Now().Add(200 * 24 * time.Hour)
	b.Run("week", func(b *testing.B) {
		for b.Loop() {
			page, err := c.Days(context.Background(), calendar.Query{Area: broadcast.BacQuang, From: from, To: from.Add(7 * 24 * time.Hour), Limit: 100})
			if err != nil || len(page.Items) != 100 {
				b.Fatal(err, len(page.Items))
			}
		}
	})
	b.Run("list", func(b *testing.B) {
		for b.Loop() {
			if page, err := h.Desk.Announcements(context.Background(), "a05000", store.Published, 100); err != nil || len(page) != 100 {
				b.Fatal(err, len(page))
			}
		}
	})
}
