package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func diary() map[string]func(*testing.T, *store.DB) {
	return map[string]func(*testing.T, *store.DB){
		"pages of a diary are a chain for each area":         diaryChained,
		"a day is closed once":                               diaryClosedOnce,
		"entries are kept in their order":                    diaryEntriesKept,
		"marks and blind spells are kept":                    diaryWatched,
		"what may have sounded in a time is found":           airedFound,
		"what receipts of late speak of is found, each once": talkedFound,
		"faults are found by when they were":                 faultsByTime,
	}
}

func page(area broadcast.ID, day, kind, body string) store.DiaryPage {
	return store.DiaryPage{Area: area, Day: day, Kind: kind, At: 7, Body: []byte(body)}
}

// addPages adds pages in one transaction and returns them as they were stored.
func addPages(t *testing.T, db *store.DB, list ...store.DiaryPage) []store.DiaryPage {
	t.Helper()
	update(t, db, func(tx store.Tx) (err error) {
		for i, p := range list {
			if list[i], err = tx.AddDiaryPage(context.Background(), p); err != nil {
				return err
			}
		}
		return nil
	})
	return list
}

func diaryChained(t *testing.T, db *store.DB) {
	ctx := context.Background()
	got := addPages(t, db, page("a", "2026-11-22", store.ClosedDay, "1"), page("b", "2026-11-22", store.ClosedDay, "1"),
		page("a", "2026-11-23", store.ClosedDay, "2"), page("a", "2026-11-22", store.Addendum, "3"))
	if got[2].Seq != 2 || got[2].Prev != got[0].Hash || got[1].Seq != 1 || got[1].Hash == got[0].Hash || got[3].Prev != got[2].Hash {
		t.Errorf("%+v", got)
	}
	same(t, need[[]store.DiaryPage](t)(db.DiaryOf(ctx, "a", "2026-11-22")), []store.DiaryPage{got[0], got[3]})
	same(t, need[store.DiaryPage](t)(db.VerifyDiary(ctx, "a")), got[3])
	same(t, need[store.DiaryPage](t)(db.VerifyDiary(ctx, "nowhere")), store.DiaryPage{})
	update(t, db, func(tx store.Tx) error {
		pages, err := tx.DiaryOf(ctx, "a", "2026-11-23")
		same(t, pages, []store.DiaryPage{got[2]})
		return err
	})
	for i := range 120 { // more than one query takes
		addPages(t, db, page("a", "2026-11-22", store.Addendum, string(rune('a'+i%26))))
	}
	if last, err := db.VerifyDiary(ctx, "a"); err != nil || last.Seq != 123 {
		t.Errorf("%d %v", last.Seq, err)
	}
	var breach *store.DiaryBreach
	if errors.As(error(&store.DiaryBreach{Area: "a", Seq: 3}), &breach); breach.Error() != "diary of a: page 3 was changed or is missing" {
		t.Error(breach)
	}
}

func diaryClosedOnce(t *testing.T, db *store.DB) {
	addPages(t, db, page("a", "2026-11-22", store.ClosedDay, "1"))
	refused(t, db, store.ErrConflict, func(tx store.Tx) error {
		_, err := tx.AddDiaryPage(context.Background(), page("a", "2026-11-22", store.ClosedDay, "2"))
		return err
	})
	addPages(t, db, page("a", "2026-11-22", store.Addendum, "2"), page("a", "2026-11-22", store.Addendum, "2"))
}

func diaryEntriesKept(t *testing.T, db *store.DB) {
	ctx := context.Background()
	list := []store.DiaryEntry{{ID: "e1", Area: "a", Day: "2026-11-22", Person: "an", At: 1, Text: "x"}, {ID: "e2", Area: "a", Day: "2026-11-22", Person: "an", At: 2, Text: "y"},
		{ID: "e3", Area: "b", Day: "2026-11-22"}, {ID: "e4", Area: "a", Day: "2026-11-23"}}
	for _, i := range []int{1, 3, 2, 0} {
		update(t, db, func(tx store.Tx) error { return tx.AddDiaryEntry(ctx, list[i]) })
	}
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.AddDiaryEntry(ctx, list[0]) })
	same(t, need[[]store.DiaryEntry](t)(db.DiaryEntries(ctx, "a", "2026-11-22")), list[:2])
	update(t, db, func(tx store.Tx) error {
		got, err := tx.DiaryEntries(ctx, "b", "2026-11-22")
		same(t, got, list[2:3])
		return err
	})
}

func diaryWatched(t *testing.T, db *store.DB) {
	ctx := context.Background()
	same(t, need[broadcast.Instant](t)(db.DiaryMark(ctx, "seen")), 0)
	for _, at := range []broadcast.Instant{5, 9} {
		update(t, db, func(tx store.Tx) error { return tx.MarkDiary(ctx, "seen", at) })
	}
	same(t, need[broadcast.Instant](t)(db.DiaryMark(ctx, "seen")), 9)
	same(t, need[broadcast.Instant](t)(db.DiaryMark(ctx, "closed")), 0)
	for _, b := range []store.BlindSpell{{From: 30, To: 40}, {From: 10, To: 15}, {From: 10, To: 20}} {
		update(t, db, func(tx store.Tx) error { return tx.AddBlindSpell(ctx, b) })
	}
	same(t, need[[]store.BlindSpell](t)(db.BlindSpells(ctx, 0, 99)), []store.BlindSpell{{From: 10, To: 20}, {From: 30, To: 40}})
	same(t, need[[]store.BlindSpell](t)(db.BlindSpells(ctx, 21, 30)), nil)
	same(t, need[[]store.BlindSpell](t)(db.BlindSpells(ctx, 20, 31)), []store.BlindSpell{{From: 10, To: 20}, {From: 30, To: 40}})
}

func airedFound(t *testing.T, db *store.DB) {
	ctx := context.Background()
	for _, a := range []store.Announcement{{ID: "draft", Until: 50}, {ID: "over", SHA256: "x", Published: 1, Until: 9}, {ID: "long", SHA256: "x", Published: 1, Until: 50},
		{ID: "later", SHA256: "x", Published: 20, Until: 50}, {ID: "within", SHA256: "x", Published: 12, Until: 13, State: store.Closed}} {
		update(t, db, func(tx store.Tx) error { return tx.AddAnnouncement(ctx, a) })
	}
	var got []broadcast.ID
	for _, a := range need[[]store.Announcement](t)(db.AiredBetween(ctx, 10, 20)) {
		got = append(got, a.ID)
	}
	same(t, got, []broadcast.ID{"long", "within"})
}

func talkedFound(t *testing.T, db *store.DB) {
	nodesOf(t, db, "n")
	ctx := context.Background()
	update(t, db, func(tx store.Tx) error {
		return tx.AddReceipts(ctx, []store.Chain{{Node: "n", Chain: "c", Seq: 4}}, []store.ReceiptRow{{Node: "n", Chain: "c", Seq: 1, Announcement: "old", Stored: 5, Raw: []byte("{}")},
			{Node: "n", Chain: "c", Seq: 2, Announcement: "b", Stored: 10, Raw: []byte("{}")}, {Node: "n", Chain: "c", Seq: 3, Announcement: "a", Stored: 11, Raw: []byte("{}")}, {Node: "n", Chain: "c", Seq: 4, Announcement: "b", Stored: 12, Raw: []byte("{}")}})
	})
	same(t, need[[]broadcast.ID](t)(db.TalkedOf(ctx, 10)), []broadcast.ID{"a", "b"})
	same(t, need[[]broadcast.ID](t)(db.TalkedOf(ctx, 13)), nil)
}

func faultsByTime(t *testing.T, db *store.DB) {
	ctx := context.Background()
	list := []store.Fault{{ID: "a", Node: "n", Shown: 10, Cleared: 20}, {ID: "b", Node: "n", Shown: 15}, {ID: "c", Node: "n", Shown: 30, Cleared: 40}}
	update(t, db, func(tx store.Tx) error { return tx.SaveFaults(ctx, list) })
	for _, c := range []struct {
		from, to broadcast.Instant
		want     []store.Fault
	}{
		{21, 30, []store.Fault{list[1]}}, {20, 31, []store.Fault{list[2], list[1], list[0]}}, {0, 15, []store.Fault{list[0]}}, {41, 0, []store.Fault{list[1]}},
	} {
		same(t, need[[]store.Fault](t)(db.Faults(ctx, store.FaultQuery{From: c.from, To: c.to, Limit: 9})), c.want)
	}
}
