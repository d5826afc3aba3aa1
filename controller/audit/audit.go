// Package audit looks for what is missing from the audit log, or was changed.
//
// It promises: the hash chain is walked from its first row, and held against
// every head of it that is known elsewhere, which is in the newest manifest of
// every area and in what nodes say that manifests told them. Rows that were cut
// off together with the newest backup are named, as long as one node was told of
// them. What nodes say is a hint and proves nothing: it names who to ask.
package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/store"
)

// Witness is somebody who knows how long the log was once.
type Witness struct {
	// Who is a node, or an area whose manifest it is.
	Who  broadcast.ID
	Node bool
	Head broadcast.AuditHead
}

// Report is the outcome of a look at the whole log.
type Report struct {
	Head      broadcast.AuditHead
	Witnesses []Witness
}

// Breach is a log that is not what was written.
type Breach struct {
	// Row names the first row that is missing or was changed.
	Row *store.AuditBreach
	// Witnesses are those who know of that row; none if the chain itself is broken.
	Witnesses []Witness
}

// Error says which rows, and who knows better.
func (b *Breach) Error() string {
	if len(b.Witnesses) == 0 {
		return b.Row.Error()
	}
	var who []string
	for _, w := range b.Witnesses[:min(len(b.Witnesses), 5)] {
		kind := "the manifest of"
		if w.Node {
			kind = "node"
		}
		who = append(who, fmt.Sprintf("%s %s of %d rows", kind, w.Who, w.Head.Length))
	}
	return fmt.Sprintf("%s; known to %s", b.Row.Error(), strings.Join(who, ", "))
}

// Unwrap returns the row.
func (b *Breach) Unwrap() error { return b.Row }

// Verify walks the log and returns a *Breach for the first row that is missing or
// was changed. It writes nothing.
func Verify(ctx context.Context, db *store.DB, areas []broadcast.ID) (Report, error) {
	var out Report
	var err error
	if out.Witnesses, err = witnesses(ctx, db, areas); err != nil {
		return out, fmt.Errorf("audit: %w", err)
	}
	// The head is read last: a log that grows meanwhile is no breach.
	if out.Head, err = db.AuditHead(ctx); err != nil {
		return out, err
	}
	kept := []broadcast.AuditHead{out.Head}
	for _, w := range out.Witnesses {
		kept = append(kept, w.Head)
	}
	err = db.VerifyAudit(ctx, kept...)
	var row *store.AuditBreach
	if !errors.As(err, &row) {
		return out, err
	}
	found := &Breach{Row: row}
	for _, w := range out.Witnesses {
		if w.Head.Length >= row.Seq && w.Head.Length > 0 {
			found.Witnesses = append(found.Witnesses, w)
		}
	}
	slices.SortFunc(found.Witnesses, func(a, b Witness) int { return int(b.Head.Length - a.Head.Length) })
	return out, found
}

// witnesses are those who were told how long the log was.
func witnesses(ctx context.Context, db *store.DB, areas []broadcast.ID) ([]Witness, error) {
	var out []Witness
	for _, area := range areas {
		doc, err := db.NewestDocument(ctx, broadcast.KindManifest, area)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		m, err := manifest(doc.Raw)
		if err != nil {
			return nil, fmt.Errorf("manifest of %s: %w", area, err)
		}
		out = append(out, Witness{Who: area, Head: m.Audit})
	}
	hints, err := db.Hints(ctx)
	if err != nil {
		return nil, err
	}
	for node, h := range hints {
		if h.AuditLength > 0 {
			out = append(out, Witness{Who: node, Node: true, Head: broadcast.AuditHead{Length: h.AuditLength, Head: h.AuditHead}})
		}
	}
	return out, nil
}

// manifest reads one that this house sealed itself.
func manifest(raw []byte) (broadcast.Manifest, error) {
	env, err := seal.Parse(broadcast.KindManifest, raw)
	if err != nil {
		return broadcast.Manifest{}, err
	}
	payload, err := env.PayloadBytes()
	if err != nil {
		return broadcast.Manifest{}, err
	}
	return broadcast.Decode[broadcast.Manifest](payload)
}
