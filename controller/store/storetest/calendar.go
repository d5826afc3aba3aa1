package storetest

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func calendar() map[string]func(*testing.T, *store.DB) {
	return map[string]func(*testing.T, *store.DB){
		"a calendar is read by area, day, class and state": readDays,
		"a calendar follows its announcements":             daysFollow,
	}
}

// on is an announcement that starts at a minute of 1970 and lives for minutes.
func on(id broadcast.ID, class broadcast.Class, minute, late int64, areas ...broadcast.ID) store.Announcement {
	list := ""
	for i, a := range areas {
		list += fmt.Sprintf("%s%q", map[bool]string{true: ","}[i > 0], a)
	}
	body := fmt.Sprintf(`{"class":%q,"areas":[%s],"timing":{"mode":"start","start":%q,"late_limit_s":%d}}`, class, list,
		broadcast.Instant(minute*60_000), late*60)
	return store.Announcement{ID: id, State: store.Draft, Body: body, Created: 1}
}

func readDays(t *testing.T, db *store.DB) {
	ctx := context.Background()
	for _, a := range []store.Announcement{on("a", "normal", 10, 1, "x"), on("b", "priority", 20, 1, "x", "y"), on("c", "normal", 30, 1, "y"), on("d", "normal", 20, 50, "x"),
		{ID: "e", State: store.Draft, Created: 1}} {
		update(t, db, func(tx store.Tx) error { return tx.AddAnnouncement(ctx, a) })
	}
	minutes := func(n int64) broadcast.Instant { return broadcast.Instant(n * 60_000) }
	for name, c := range map[string]struct {
		days store.Days
		want []broadcast.ID
	}{
		"everything":       {store.Days{To: minutes(99), Limit: 9}, []broadcast.ID{"a", "b", "d", "c"}},
		"one area":         {store.Days{Areas: []broadcast.ID{"y"}, To: minutes(99), Limit: 9}, []broadcast.ID{"b", "c"}},
		"what still lives": {store.Days{From: minutes(25), To: minutes(30), Limit: 9}, []broadcast.ID{"d"}},
		"its last moment":  {store.Days{From: minutes(11), To: minutes(20), Limit: 9}, []broadcast.ID{"a"}},
		"a class":          {store.Days{To: minutes(99), Class: broadcast.Priority, Limit: 9}, []broadcast.ID{"b"}},
		"a state":          {store.Days{To: minutes(99), State: store.Published, Limit: 9}, nil},
		"a page":           {store.Days{To: minutes(99), Limit: 2}, []broadcast.ID{"a", "b"}},
		"the next page":    {store.Days{To: minutes(99), Limit: 2, After: store.Day{Start: minutes(20), Announcement: "b"}}, []broadcast.ID{"d", "c"}},
	} {
		if c.days.Areas == nil {
			c.days.Areas = []broadcast.ID{"x", "y"}
		}
		var got []broadcast.ID
		for _, d := range need[[]store.Day](t)(db.AnnouncementsOn(ctx, c.days)) {
			got = append(got, d.Announcement)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	if got := need[map[broadcast.ID]store.Announcement](t)(db.AnnouncementsNamed(ctx, []broadcast.ID{"a", "x", "e"})); len(got) != 2 || got["a"].ID != "a" {
		t.Errorf("%+v", got)
	}
}

func daysFollow(t *testing.T, db *store.DB) {
	ctx := context.Background()
	update(t, db, func(tx store.Tx) error { return tx.AddAnnouncement(ctx, on("a", "normal", 10, 1, "x")) })
	a := need[store.Announcement](t)(db.Announcement(ctx, "a"))
	a.Body, a.State, a.Until = on("a", "normal", 50, 1, "y").Body, store.Published, 99*60_000
	update(t, db, func(tx store.Tx) error { return tx.SaveAnnouncement(ctx, a) })
	days := store.Days{Areas: []broadcast.ID{"x", "y"}, From: 98 * 60_000, To: 99 * 60_000, State: store.Published, Limit: 9}
	if got := need[[]store.Day](t)(db.AnnouncementsOn(ctx, days)); len(got) != 1 || got[0].Start != 50*60_000 {
		t.Errorf("%+v", got)
	}
	days.Areas = []broadcast.ID{"x"}
	if got := need[[]store.Day](t)(db.AnnouncementsOn(ctx, days)); len(got) != 0 {
		t.Errorf("where it was: %+v", got)
	}
}
