package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
)

// logOf returns a database whose audit log has n rows, and its head.
func logOf(t *testing.T, n int) (*DB, broadcast.AuditHead) {
	t.Helper()
	db, ctx := open(t), context.Background()
	for i := range n {
		err := db.Update(ctx, func(tx Tx) error {
			return tx.Audit(ctx, Deed{At: broadcast.Instant(i + 1), Person: "lan", Act: "announcement.approve", Subject: fmt.Sprint("a", i)})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	head, err := db.AuditHead(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return db, head
}

func TestAuditNamesWhatWasTamperedWith(t *testing.T) {
	resum := func(db *DB, seq int64) error { // a forger who knows how hashes are made
		var row AuditRow
		ctx := context.Background()
		if err := db.write.NewSelect().Model(&row).Where("seq = ?", seq).Scan(ctx); err != nil {
			return err
		}
		sum, err := row.sum()
		if err != nil {
			return err
		}
		_, err = db.write.NewUpdate().Model((*AuditRow)(nil)).Set("hash = ?", sum).Where("seq = ?", seq).Exec(ctx)
		return err
	}
	for name, c := range map[string]struct {
		sql  string
		more func(*DB) error
		want AuditBreach
	}{
		"edit a row":                      {sql: "UPDATE audit SET person = 'binh' WHERE seq = 4", want: AuditBreach{Seq: 4}},
		"edit a detail":                   {sql: "UPDATE audit SET detail = '{}' WHERE seq = 1", want: AuditBreach{Seq: 1}},
		"delete the first":                {sql: "DELETE FROM audit WHERE seq = 1", want: AuditBreach{Seq: 1, Last: 1}},
		"delete one in the middle":        {sql: "DELETE FROM audit WHERE seq = 5", want: AuditBreach{Seq: 5, Last: 5}},
		"delete three in the middle":      {sql: "DELETE FROM audit WHERE seq BETWEEN 5 AND 7", want: AuditBreach{Seq: 5, Last: 7}},
		"delete the last":                 {sql: "DELETE FROM audit WHERE seq = 12", want: AuditBreach{Seq: 12, Last: 12}},
		"delete the last ten":             {sql: "DELETE FROM audit WHERE seq > 2", want: AuditBreach{Seq: 3, Last: 12}},
		"delete everything":               {sql: "DELETE FROM audit", want: AuditBreach{Seq: 1, Last: 12}},
		"delete one and close the gap":    {sql: "DELETE FROM audit WHERE seq = 5; UPDATE audit SET seq = seq - 1 WHERE seq > 5", want: AuditBreach{Seq: 5}},
		"edit a row and make its hash":    {sql: "UPDATE audit SET person = 'binh' WHERE seq = 4", more: func(db *DB) error { return resum(db, 4) }, want: AuditBreach{Seq: 5}},
		"edit the last and make its hash": {sql: "UPDATE audit SET person = 'binh' WHERE seq = 12", more: func(db *DB) error { return resum(db, 12) }, want: AuditBreach{Seq: 12}},
	} {
		t.Run(name, func(t *testing.T) {
			db, head := logOf(t, 12)
			ctx := context.Background()
			if err := db.VerifyAudit(ctx, head); err != nil {
				t.Fatal(err)
			}
			if _, err := db.write.ExecContext(ctx, c.sql); err != nil {
				t.Fatal(err)
			}
			if c.more != nil {
				if err := c.more(db); err != nil {
					t.Fatal(err)
				}
			}
			var breach *AuditBreach
			if err := db.VerifyAudit(ctx, head); !errors.As(err, &breach) || *breach != c.want {
				t.Errorf("got %v, want %v", err, &c.want)
			}
		})
	}
}

func TestAuditIsWalkedBeyondOnePage(t *testing.T) {
	db, ctx := open(t), context.Background()
	err := db.Update(ctx, func(tx Tx) error {
		for i := range 2*auditPage + 1 {
			if err := tx.Audit(ctx, Deed{At: broadcast.Instant(i + 1), Act: "test"}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.VerifyAudit(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := db.write.ExecContext(ctx, "UPDATE audit SET subject = 'x' WHERE seq = 1000"); err != nil {
		t.Fatal(err)
	}
	var breach *AuditBreach
	if err := db.VerifyAudit(ctx); !errors.As(err, &breach) || breach.Seq != 1000 {
		t.Errorf("%v", err)
	}
}

func TestTheDatabaseIsForItsOwnerOnly(t *testing.T) {
	dir := t.TempDir()
	db, err := Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.Update(context.Background(), func(tx Tx) error { return tx.Set(context.Background(), "a", "b") }); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) < 2 {
		t.Fatalf("%v %v", files, err)
	}
	for _, f := range files {
		if info, err := os.Stat(filepath.Join(dir, f.Name())); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", f.Name(), info.Mode(), err)
		}
	}
}

func TestABreachSaysWhatHappened(t *testing.T) {
	for want, breach := range map[string]AuditBreach{
		"audit log: row 4, or one before it, was changed": {Seq: 4},
		"audit log: row 4 is missing":                     {Seq: 4, Last: 4},
		"audit log: rows 4 to 13 are missing":             {Seq: 4, Last: 13},
	} {
		if got := breach.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
