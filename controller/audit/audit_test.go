package audit_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver named "sqlite"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/audit"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/store"
)

// told has a node say how long the log was when it was told last.
func told(t *testing.T, h *desktest.House, node broadcast.ID, head broadcast.AuditHead) {
	t.Helper()
	raw, err := broadcast.Encode(wire.State{Boot: "b", Clock: broadcast.ClockProved, Holding: broadcast.Sum(nil), Chain: "c", Audit: &head})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Fleet.State(t.Context(), node, raw, true); err != nil {
		t.Fatal(err)
	}
	if err := h.Fleet.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// published stores a manifest of the district with a head in it.
func published(t *testing.T, h *desktest.House, head broadcast.AuditHead) {
	t.Helper()
	s, err := h.Office.Service(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m := broadcast.Manifest{Area: broadcast.BacQuang, Revision: broadcast.Revision(h.Now()), Audit: head}
	env, err := seal.Seal(broadcast.KindManifest, m, s)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := seal.Bytes(broadcast.KindManifest, env)
	if err != nil {
		t.Fatal(err)
	}
	h.Update(func(tx store.Tx) error {
		_, err := tx.PutDocument(context.Background(), store.Document{Kind: broadcast.KindManifest, ID: m.Area, Revision: m.Revision, Raw: raw})
		return err
	})
}

func head(t *testing.T, h *desktest.House) broadcast.AuditHead {
	t.Helper()
	out, err := h.DB.AuditHead(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// deed does something that leaves a row.
func deed(h *desktest.House, what string) {
	h.Update(func(tx store.Tx) error {
		return tx.Audit(context.Background(), store.Deed{At: h.Now(), Act: what})
	})
}

// behind changes the database as somebody with the machine could.
func behind(t *testing.T, h *desktest.House, statement string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(h.Dir, "loaxa.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

func verify(t *testing.T, h *desktest.House) (audit.Report, error) {
	t.Helper()
	return audit.Verify(t.Context(), h.DB, []broadcast.ID{broadcast.BacQuang, "tan-lap"})
}

// TestTenRowsThatWentWithTheNewestBackupAreNamed: the last rows are deleted, and
// so is whatever on this machine knew of them; one node was told.
func TestTenRowsThatWentWithTheNewestBackupAreNamed(t *testing.T) {
	h := desktest.New(t)
	h.Node("tan-lap-1", "tan-lap")
	before := head(t, h)
	published(t, h, before)
	for range 10 {
		deed(h, "test")
	}
	told(t, h, "tan-lap-1", head(t, h))
	if r, err := verify(t, h); err != nil || len(r.Witnesses) != 2 || r.Head.Length != before.Length+10 {
		t.Fatalf("whole: %+v %v", r, err)
	}
	behind(t, h, "DELETE FROM audit WHERE seq > ?", before.Length)
	_, err := verify(t, h)
	var breach *audit.Breach
	if !errors.As(err, &breach) || breach.Row.Seq != before.Length+1 || breach.Row.Last != before.Length+10 {
		t.Fatalf("%v", err)
	}
	if len(breach.Witnesses) != 1 || breach.Witnesses[0].Who != "tan-lap-1" || !strings.Contains(err.Error(), "known to node tan-lap-1") {
		t.Errorf("%v", err)
	}
	// The log goes on, and reaches the old length with other rows; and the node
	// is told of a shorter one.
	for range 12 {
		deed(h, "another")
	}
	h.Clock.Add(time.Minute)
	told(t, h, "tan-lap-1", broadcast.AuditHead{Length: before.Length + 2, Head: broadcast.Sum(nil)})
	if _, err := verify(t, h); !errors.As(err, &breach) || breach.Row.Last != 0 || breach.Row.Seq != before.Length+10 {
		t.Errorf("once it has grown again: %v", err)
	}
}

func TestAManifestKnowsWhatWasCutOffAfterIt(t *testing.T) {
	h := desktest.New(t)
	deed(h, "test")
	published(t, h, head(t, h))
	behind(t, h, "DELETE FROM audit WHERE seq = ?", head(t, h).Length)
	_, err := verify(t, h)
	var breach *audit.Breach
	if !errors.As(err, &breach) || len(breach.Witnesses) != 1 || breach.Witnesses[0].Node || !strings.Contains(err.Error(), "the manifest of bac-quang") {
		t.Errorf("%v", err)
	}
}

func TestABrokenChainNeedsNoWitness(t *testing.T) {
	h := desktest.New(t)
	deed(h, "test")
	behind(t, h, "UPDATE audit SET person = 'binh' WHERE seq = 1")
	_, err := verify(t, h)
	var row *store.AuditBreach
	if !errors.As(err, &row) || row.Seq != 1 || strings.Contains(err.Error(), "known to") {
		t.Errorf("%v", err)
	}
}
