package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func audit() map[string]func(*testing.T, *store.DB) {
	return map[string]func(*testing.T, *store.DB){
		"every deed follows the one before it":         deedsFollow,
		"a deed that failed leaves no row":             noRowWithoutDeed,
		"deeds of many at once make one chain":         oneChain,
		"a row too large is refused":                   largeRow,
		"an empty log is whole, and short of any head": emptyLog,
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
