package storetest

import (
	"context"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func recordings() map[string]func(*testing.T, *store.DB) {
	return map[string]func(*testing.T, *store.DB){
		"what a receipt named of a recording stays, and what became of it": recordingKept,
		"recordings that are here come the oldest first":                   recordingsHere,
	}
}

func aRecording(node broadcast.ID, sha broadcast.Digest) store.Recording {
	return store.Recording{Node: node, SHA256: sha, Area: "tan-lap", Announcement: "f1", Bytes: 32044, Millis: 1000, Told: 5}
}

func recordingKept(t *testing.T, db *store.DB) {
	ctx := context.Background()
	first := aRecording("n1", "aa")
	update(t, db, func(tx store.Tx) error { return tx.AddRecordings(ctx, nil) })
	missing[store.Recording](t)(db.Recording(ctx, "n1", "aa"))
	refused(t, db, store.ErrNotFound, func(tx store.Tx) error { return tx.SaveRecording(ctx, first) })
	update(t, db, func(tx store.Tx) error { return tx.AddRecordings(ctx, []store.Recording{first}) })
	same(t, first.Where(), store.RecordingOnCard)
	first.Here = 9
	update(t, db, func(tx store.Tx) error { return tx.SaveRecording(ctx, first) })
	later := aRecording("n1", "aa")
	later.Told, later.Area = 77, "dong-tam"
	second := aRecording("n2", "aa")
	update(t, db, func(tx store.Tx) error { return tx.AddRecordings(ctx, []store.Recording{later, second}) })
	same(t, need[store.Recording](t)(db.Recording(ctx, "n1", "aa")), first)
	same(t, need[[]store.Recording](t)(db.RecordingsOf(ctx, "f1", "f2")), []store.Recording{first, second})
	same(t, need[[]store.Recording](t)(db.RecordingsOf(ctx)), nil)
	missing[store.Recording](t)(db.Recording(ctx, "n3", "aa"))
}

func recordingsHere(t *testing.T, db *store.DB) {
	ctx := context.Background()
	card, gone, late, here, dropped := aRecording("n1", "a"), aRecording("n1", "b"), aRecording("n1", "c"), aRecording("n1", "d"), aRecording("n1", "e")
	gone.Gone, late.Here, here.Here, here.Gone, dropped.Here, dropped.Dropped = 8, 7, 6, 8, 3, 4
	update(t, db, func(tx store.Tx) error {
		return tx.AddRecordings(ctx, []store.Recording{card, gone, late, here, dropped})
	})
	same(t, need[[]store.Recording](t)(db.RecordingsHere(ctx, 100, 5)), []store.Recording{here, late})
	same(t, need[[]store.Recording](t)(db.RecordingsHere(ctx, 7, 5)), []store.Recording{here})
	same(t, need[[]store.Recording](t)(db.RecordingsHere(ctx, 100, 1)), []store.Recording{here})
	for r, want := range map[store.Recording]store.Whereabouts{card: store.RecordingOnCard, gone: store.RecordingGone, here: store.RecordingHere, dropped: store.RecordingGone} {
		same(t, r.Where(), want)
	}
}
