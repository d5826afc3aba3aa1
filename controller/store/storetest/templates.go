package storetest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func templates() map[string]func(*testing.T, *store.DB) {
	return map[string]func(*testing.T, *store.DB){
		"a template is changed only by who read it last":     staleTemplate,
		"one person signs the same words of a template once": templateSignedOnce,
		"what was published lately comes last first":         publishedLately,
	}
}

func staleTemplate(t *testing.T, db *store.DB) {
	ctx := context.Background()
	m := store.Template{ID: "lu", Author: "lan", Draft: "{}", Digest: broadcast.Sum(nil)}
	update(t, db, func(tx store.Tx) error {
		return errors.Join(tx.AddTemplate(ctx, m), tx.AddTemplate(ctx, store.Template{ID: "chay"}))
	})
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.AddTemplate(ctx, m) })
	first := need[store.Template](t)(db.Template(ctx, "lu"))
	second := first
	first.Standing, first.SHA256, first.Expires = "{}", broadcast.Sum([]byte("x")), 9
	update(t, db, func(tx store.Tx) error { return tx.SaveTemplate(ctx, first) })
	refused(t, db, store.ErrConflict, func(tx store.Tx) error { return tx.SaveTemplate(ctx, second) })
	all := need[[]store.Template](t)(db.Templates(ctx, 10))
	if len(all) != 2 || all[0].ID != "chay" || all[1].Version != 2 || all[1].Expires != 9 || all[1].Author != "lan" {
		t.Errorf("%+v", all)
	}
	if got := need[[]store.Template](t)(db.Templates(ctx, 1)); len(got) != 1 {
		t.Errorf("%d rows, asked for one", len(got))
	}
	if _, err := db.Template(ctx, "x"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
}

func templateSignedOnce(t *testing.T, db *store.DB) {
	ctx := context.Background()
	one, two := broadcast.Sum([]byte("1")), broadcast.Sum([]byte("2"))
	sign := func(digest broadcast.Digest, person broadcast.ID, place int64) func(store.Tx) error {
		return func(tx store.Tx) error {
			return tx.AddTemplateSignature(ctx, store.TemplateSignature{Template: "lu", Digest: digest, Person: person, Place: place, KID: one, At: 5})
		}
	}
	update(t, db, func(tx store.Tx) error { return tx.AddTemplate(ctx, store.Template{ID: "lu"}) })
	update(t, db, sign(one, "lan", 2))
	update(t, db, sign(one, "binh", 1))
	update(t, db, sign(two, "lan", 1))
	refused(t, db, store.ErrConflict, sign(one, "lan", 3))
	update(t, db, func(tx store.Tx) error { return tx.DropTemplateSignatures(ctx, "lu", two) })
	var people []broadcast.ID
	for _, s := range need[[]store.TemplateSignature](t)(db.TemplateSignatures(ctx, "lu", "x")) {
		people = append(people, s.Person)
	}
	if !slices.Equal(people, []broadcast.ID{"binh", "lan"}) {
		t.Errorf("%v", people)
	}
	if none := need[[]store.TemplateSignature](t)(db.TemplateSignatures(ctx)); len(none) != 0 {
		t.Errorf("of no template: %v", none)
	}
}

func publishedLately(t *testing.T, db *store.DB) {
	ctx := context.Background()
	update(t, db, func(tx store.Tx) error {
		var err error
		for id, a := range map[broadcast.ID]store.Announcement{"a": {Published: 10}, "b": {Published: 30}, "c": {Published: 20}, "d": {},
			"e": {Published: 40, Withdrawn: 41}} {
			a.ID = id
			err = errors.Join(err, tx.AddAnnouncement(ctx, a))
		}
		return err
	})
	for since, want := range map[broadcast.Instant][]broadcast.ID{0: {"b", "c"}, 20: {"b", "c"}, 21: {"b"}, 31: nil} {
		var got []broadcast.ID
		for _, a := range need[[]store.Announcement](t)(db.PublishedSince(ctx, since, 2)) {
			got = append(got, a.ID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("since %d: %v, want %v", since, got, want)
		}
	}
}
