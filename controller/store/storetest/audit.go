package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func audit() map[string]func(*testing.T, *store.DB) {
	return map[string]func(*testing.T, *store.DB){
		"every deed follows the one before it":          deedsFollow,
		"a deed that failed leaves no row":              noRowWithoutDeed,
		"deeds of many at once make one chain":          oneChain,
		"a row too large is refused":                    largeRow,
		"a page holds what was asked for, newest first": auditPages,
		"an empty log is whole, and short of any head":  emptyLog,
	}
}

func deedsFollow(t *testing.T, db *store.DB) {
	ctx := context.Background()
	for i := range 3 {
		update(t, db, func(tx store.Tx) error {
			return tx.Audit(ctx, store.Deed{At: broadcast.Instant(i + 1), Person: "lan", Act: "test", Subject: fmt.Sprint(i),
				Detail: map[string]string{"text": "bản tin <1>"}})
		})
	}
	rows := need[[]store.AuditRow](t)(db.AuditRows(ctx, 0, 10))
	if len(rows) != 3 || rows[0].Prev != "" || rows[1].Prev != rows[0].Hash || rows[2].Seq != 3 {
		t.Fatalf("%+v", rows)
	}
	if rows[0].Detail != `{"text":"bản tin <1>"}` {
		t.Errorf("detail %s", rows[0].Detail)
	}
	head := need[broadcast.AuditHead](t)(db.AuditHead(ctx))
	if head.Length != 3 || head.Head != rows[2].Hash {
		t.Errorf("head %+v", head)
	}
	if err := db.VerifyAudit(ctx, head, broadcast.AuditHead{Length: 1, Head: rows[0].Hash}); err != nil {
		t.Error(err)
	}
	if page := need[[]store.AuditRow](t)(db.AuditRows(ctx, 1, 1)); len(page) != 1 || page[0].Seq != 2 {
		t.Errorf("a page: %+v", page)
	}
}

func auditPages(t *testing.T, db *store.DB) {
	ctx := context.Background()
	for i, d := range []store.Deed{
		{Person: "lan", Act: "node.confirm", Subject: "n1"}, {Person: "lan", Act: "node.revoke", Subject: "n1"},
		{Person: "an", Act: "node.revoke", Subject: "n2"}, {Act: "nodes", Subject: "n2"}, {Person: "an", Act: "session.begin", Subject: "an"},
	} {
		d.At = broadcast.Instant(i + 1)
		update(t, db, func(tx store.Tx) error { return tx.Audit(ctx, d) })
	}
	for name, c := range map[string]struct {
		q    store.AuditQuery
		want []int64
	}{
		"everything":          {store.AuditQuery{Limit: 9}, []int64{5, 4, 3, 2, 1}},
		"the first two":       {store.AuditQuery{Limit: 2}, []int64{5, 4}},
		"the page after":      {store.AuditQuery{Limit: 2, Before: 4}, []int64{3, 2}},
		"of one person":       {store.AuditQuery{Limit: 9, Persons: []broadcast.ID{"lan"}}, []int64{2, 1}},
		"of nobody":           {store.AuditQuery{Limit: 9, Persons: []broadcast.ID{}}, nil},
		"of the controller":   {store.AuditQuery{Limit: 9, Persons: []broadcast.ID{""}}, []int64{4}},
		"one act":             {store.AuditQuery{Limit: 9, Act: "node.revoke"}, []int64{3, 2}},
		"a group of acts":     {store.AuditQuery{Limit: 9, Act: "node."}, []int64{3, 2, 1}},
		"about one thing":     {store.AuditQuery{Limit: 9, Subject: "n2"}, []int64{4, 3}},
		"between two moments": {store.AuditQuery{Limit: 9, From: 2, To: 4}, []int64{3, 2}},
	} {
		var got []int64
		for _, row := range need[[]store.AuditRow](t)(db.AuditPage(ctx, c.q)) {
			got = append(got, row.Seq)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func noRowWithoutDeed(t *testing.T, db *store.DB) {
	ctx, broken := context.Background(), errors.New("broken off")
	refused(t, db, broken, func(tx store.Tx) error { return errors.Join(tx.Audit(ctx, store.Deed{At: 1, Act: "test"}), broken) })
	if head := need[broadcast.AuditHead](t)(db.AuditHead(ctx)); head.Length != 0 {
		t.Errorf("%+v", head)
	}
}

func oneChain(t *testing.T, db *store.DB) {
	ctx := context.Background()
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			err := db.Update(ctx, func(tx store.Tx) error { return tx.Audit(ctx, store.Deed{At: 1, Act: "test", Subject: fmt.Sprint(i)}) })
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	head := need[broadcast.AuditHead](t)(db.AuditHead(ctx))
	if err := db.VerifyAudit(ctx, head); err != nil || head.Length != 20 {
		t.Errorf("%d rows: %v", head.Length, err)
	}
}

func largeRow(t *testing.T, db *store.DB) {
	ctx := context.Background()
	err := db.Update(ctx, func(tx store.Tx) error {
		return tx.Audit(ctx, store.Deed{At: 1, Act: "test", Detail: strings.Repeat("x", 16<<10)})
	})
	if err == nil {
		t.Error("kept")
	}
}

func emptyLog(t *testing.T, db *store.DB) {
	ctx := context.Background()
	if err := db.VerifyAudit(ctx); err != nil {
		t.Error(err)
	}
	var breach *store.AuditBreach
	err := db.VerifyAudit(ctx, broadcast.AuditHead{Length: 2, Head: broadcast.Sum(nil)})
	if !errors.As(err, &breach) || breach.Seq != 1 || breach.Last != 2 {
		t.Errorf("%v", err)
	}
}
