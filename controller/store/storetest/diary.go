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
		"pages of a diary are a chain for each area":          diaryChained,
		"a day is closed once":                                diaryClosedOnce,
		"entries are kept in their order":                     diaryEntriesKept,
		"marks and blind spells are kept":                     diaryWatched,
		"what may have sounded in a time is found":            airedFound,
		"what receipts of late speak of is found, each once":  talkedFound,
		"receipts that only say that it arrived are left out": tellingFound,
		"what concerns some nodes is found":                   aboutFound,
		"all published revisions of documents are found":      revisionsFound,
		"faults are found by when they were":                  faultsByTime,
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

func tellingFound(t *testing.T, db *store.DB) {
	nodesOf(t, db, "n")
	payload := broadcast.Sum([]byte("a"))
	texts := []string{`{"rung":"received","payload":"` + string(payload) + `"}`, `{"rung":"received","payload":"other"}`, `{"rung":"refused","payload":"` + string(payload) + `","reason":"x"}`,
		`{"rung":"powered","payload":"` + string(payload) + `","start":5}`}
	var all []store.ReceiptRow
	for i, raw := range texts {
		all = append(all, store.ReceiptRow{Node: "n", Chain: "c", Seq: int64(i + 1), Announcement: "a", Of: 1, Stored: 5, Raw: []byte(raw), Doubtful: i == 1})
	}
	update(t, db, func(tx store.Tx) error {
		return tx.AddReceipts(context.Background(), []store.Chain{{Node: "n", Chain: "c", Seq: 4}}, all)
	})
	got := need[[]store.ReceiptRow](t)(db.TellingReceipts(context.Background(), "a", 1, payload))
	same(t, got, []store.ReceiptRow{{Node: "n", Chain: "c", Raw: []byte(texts[1]), Doubtful: got[0].Doubtful}, {Node: "n", Chain: "c", Raw: []byte(texts[2])}, {Node: "n", Chain: "c", Raw: []byte(texts[3])}})
	for i, row := range need[[]store.ReceiptRow](t)(db.ReceiptsOf(context.Background(), "a", 1))[1:] {
		same(t, got[i].Doubtful, row.Doubtful)
	}
	same(t, need[[]store.ReceiptRow](t)(db.TellingReceipts(context.Background(), "a", 2, payload)), nil)
}

func aboutFound(t *testing.T, db *store.DB) {
	nodesOf(t, db, "n", "m")
	ctx := context.Background()
	update(t, db, func(tx store.Tx) error {
		for _, id := range []broadcast.ID{"expected", "told", "neither", "draft", "over"} {
			row := store.Announcement{ID: id, SHA256: "x", Published: 1, Until: 50, Revision: 7}
			if id == "draft" {
				row.SHA256 = ""
			}
			if id == "over" {
				row.Until = 5
			}
			if err := tx.AddAnnouncement(ctx, row); err != nil {
				return err
			}
			if id == "neither" || id == "told" {
				continue
			}
			if err := tx.Expect(ctx, id, 7, []broadcast.ID{"n"}); err != nil {
				return err
			}
		}
		if err := tx.Expect(ctx, "neither", 7, []broadcast.ID{"m"}); err != nil {
			return err
		}
		if err := tx.Expect(ctx, "neither", 6, []broadcast.ID{"n"}); err != nil {
			return err
		}
		return tx.AddReceipts(ctx, []store.Chain{{Node: "n", Chain: "c", Seq: 1}}, []store.ReceiptRow{{Node: "n", Chain: "c", Seq: 1, Announcement: "told", Of: 7, Stored: 5, Raw: []byte("{}")}})
	})
	same(t, need[[]broadcast.ID](t)(db.AboutNodes(ctx, []broadcast.ID{"n", "x"}, 10, 20)), []broadcast.ID{"expected", "told"})
	same(t, need[[]broadcast.ID](t)(db.AboutNodes(ctx, nil, 10, 20)), nil)
}

func revisionsFound(t *testing.T, db *store.DB) {
	ctx := context.Background()
	for _, a := range []store.Announcement{{ID: "a", SHA256: "x"}, {ID: "a2", Document: "a", SHA256: "y"}, {ID: "a3", Document: "a"}, {ID: "b", SHA256: "z"}} {
		update(t, db, func(tx store.Tx) error { return tx.AddAnnouncement(ctx, a) })
	}
	var got []broadcast.ID
	for _, a := range need[[]store.Announcement](t)(db.RevisionsOf(ctx, []broadcast.ID{"a", "nothing"})) {
		got = append(got, a.ID)
	}
	same(t, got, []broadcast.ID{"a", "a2"})
	same(t, need[[]store.Announcement](t)(db.RevisionsOf(ctx, nil)), nil)
}
