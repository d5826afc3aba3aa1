package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func speech() map[string]func(*testing.T, *store.DB) {
	return map[string]func(*testing.T, *store.DB){
		"a text is queued, spoken and done":                   speechGoesOn,
		"a stale writer of a text is refused":                 speechConflict,
		"what was being spoken is queued after a crash":       speechRequeued,
		"the oldest text that is due comes first":             speechDue,
		"texts come in pages, the newest first":               speechPaged,
		"the first text beside a recording stays":             spokenContent,
		"the first listening stays":                           listening,
		"entries of a lexicon are added, changed and dropped": lexemes,
	}
}

func aSpeech(id broadcast.ID, next broadcast.Instant) store.Speech {
	return store.Speech{ID: id, State: store.SpeechQueued, Person: "lan", Area: "tan-lap", Title: "Họp", Written: "Họp thôn", Manner: "{}", Accepted: "[]", Next: next, Total: 2}
}

func speechGoesOn(t *testing.T, db *store.DB) {
	ctx := context.Background()
	update(t, db, func(tx store.Tx) error { return tx.AddSpeech(ctx, aSpeech("s1", 5)) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.AddSpeech(ctx, aSpeech("s1", 5)) })
	s := need[store.Speech](t)(db.Speech(ctx, "s1"))
	s.State, s.Content, s.Done = store.SpeechDone, "abc", 2
	update(t, db, func(tx store.Tx) error { return tx.SaveSpeech(ctx, s) })
	s.Version++
	same(t, need[store.Speech](t)(db.Speech(ctx, "s1")), s)
	missing[store.Speech](t)(db.Speech(ctx, "s2"))
	missing[store.Speech](t)(db.SpeechDue(ctx, 100))
}

func speechConflict(t *testing.T, db *store.DB) {
	ctx := context.Background()
	update(t, db, func(tx store.Tx) error { return tx.AddSpeech(ctx, aSpeech("s1", 5)) })
	s := need[store.Speech](t)(db.Speech(ctx, "s1"))
	update(t, db, func(tx store.Tx) error { return tx.SaveSpeech(ctx, s) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.SaveSpeech(ctx, s) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.SaveSpeech(ctx, aSpeech("s2", 0)) })
}

func speechRequeued(t *testing.T, db *store.DB) {
	ctx := context.Background()
	speaking, done := aSpeech("s1", 0), aSpeech("s2", 0)
	speaking.State, done.State = store.SpeechSpeaking, store.SpeechDone
	update(t, db, func(tx store.Tx) error {
		if err := tx.AddSpeech(ctx, speaking); err != nil {
			return err
		}
		return tx.AddSpeech(ctx, done)
	})
	update(t, db, func(tx store.Tx) error { return tx.RequeueSpeeches(ctx) })
	if s := need[store.Speech](t)(db.Speech(ctx, "s1")); s.State != store.SpeechQueued || s.Version != 2 {
		t.Errorf("%+v", s)
	}
	if s := need[store.Speech](t)(db.Speech(ctx, "s2")); s.State != store.SpeechDone || s.Version != 1 {
		t.Errorf("%+v", s)
	}
}

func speechDue(t *testing.T, db *store.DB) {
	ctx := context.Background()
	for id, next := range map[broadcast.ID]broadcast.Instant{"s1": 30, "s2": 10, "s3": 10} {
		update(t, db, func(tx store.Tx) error { return tx.AddSpeech(ctx, aSpeech(id, next)) })
	}
	missing[store.Speech](t)(db.SpeechDue(ctx, 9))
	if s := need[store.Speech](t)(db.SpeechDue(ctx, 50)); s.ID != "s2" {
		t.Errorf("%s is due first", s.ID)
	}
	same(t, need[int](t)(db.SpeechesWaiting(ctx, "lan")), 3)
	same(t, need[int](t)(db.SpeechesWaiting(ctx, "minh")), 0)
}

func speechPaged(t *testing.T, db *store.DB) {
	ctx := context.Background()
	for _, id := range []broadcast.ID{"s1", "s2", "s3"} {
		update(t, db, func(tx store.Tx) error { return tx.AddSpeech(ctx, aSpeech(id, 0)) })
	}
	first := need[[]store.Speech](t)(db.SpeechesBefore(ctx, "", 2))
	rest := need[[]store.Speech](t)(db.SpeechesBefore(ctx, first[1].ID, 2))
	if len(first) != 2 || len(rest) != 1 || first[0].ID != "s3" || rest[0].ID != "s1" {
		t.Errorf("%v then %v", first, rest)
	}
}

func withContent(t *testing.T, db *store.DB, sha broadcast.Digest) {
	t.Helper()
	update(t, db, func(tx store.Tx) error {
		return tx.AddContent(context.Background(), store.Content{SHA256: sha, Bytes: 1, Millis: 1, Name: "n", Person: "lan", Measured: "{}"})
	})
}

func spokenContent(t *testing.T, db *store.DB) {
	ctx := context.Background()
	withContent(t, db, "c1")
	first := store.SpokenContent{SHA256: "c1", Speech: "s1", Person: "lan", Area: "tan-lap", Written: "5 hộ", Spoken: "năm hộ", Accepted: "[]", Created: 7}
	second := first
	second.Written = "khác"
	for _, s := range []store.SpokenContent{first, second} {
		update(t, db, func(tx store.Tx) error { return tx.AddSpokenContent(ctx, s) })
	}
	same(t, need[[]store.SpokenContent](t)(db.SpokenContents(ctx, "c1", "c2")), []store.SpokenContent{first})
	same(t, need[[]store.SpokenContent](t)(db.SpokenContents(ctx)), nil)
}

func listening(t *testing.T, db *store.DB) {
	ctx := context.Background()
	withContent(t, db, "c1")
	for i, want := range []bool{true, false} {
		update(t, db, func(tx store.Tx) error {
			fresh, err := tx.AddListening(ctx, store.Listening{SHA256: "c1", Person: "lan", At: broadcast.Instant(i + 5)})
			if fresh != want {
				t.Errorf("listening %d is new: %v", i, fresh)
			}
			return err
		})
	}
	same(t, need[[]store.Listening](t)(db.Listened(ctx, "lan", "c1", "c2")), []store.Listening{{SHA256: "c1", Person: "lan", At: 5}})
	same(t, need[[]store.Listening](t)(db.Listened(ctx, "minh", "c1")), nil)
}

func lexemes(t *testing.T, db *store.DB) {
	ctx := context.Background()
	l := store.Lexeme{Area: "tan-lap", Written: "GRDP", Spoken: "tổng sản phẩm", Exact: true, Doubtful: true, Person: "lan", Changed: 3}
	update(t, db, func(tx store.Tx) error { return tx.AddLexeme(ctx, l) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.AddLexeme(ctx, l) })
	l.Version = 1
	same(t, need[[]store.Lexeme](t)(db.Lexemes(ctx, "tan-lap", "hung-an")), []store.Lexeme{l})
	l.Spoken = "khác"
	update(t, db, func(tx store.Tx) error { return tx.SaveLexeme(ctx, l) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.SaveLexeme(ctx, l) })
	update(t, db, func(tx store.Tx) error { return tx.DropLexeme(ctx, "tan-lap", "GRDP") })
	refused(t, db, store.ErrNotFound, func(tx store.Tx) error { return tx.DropLexeme(ctx, "tan-lap", "GRDP") })
	same(t, need[[]store.Lexeme](t)(db.Lexemes(ctx, "tan-lap")), nil)
}

// missing fails the test unless what was asked for is not there.
func missing[T any](t *testing.T) func(T, error) {
	return func(_ T, err error) {
		t.Helper()
		if !errors.Is(err, store.ErrNotFound) {
			t.Errorf("got %v, want ErrNotFound", err)
		}
	}
}
