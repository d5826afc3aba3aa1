package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// PolicyDraft is what waits for two signatures to become the policy of an area.
type PolicyDraft struct {
	bun.BaseModel `bun:"table:policy_drafts"`

	Area broadcast.ID `bun:"area,pk"`
	// Version counts the changes of the row; a stale writer is refused.
	Version int64        `bun:"version"`
	Author  broadcast.ID `bun:"author"`
	// Draft is the canonical encoding of the policy, without a revision before the
	// first signature; empty for nothing. Digest is what people sign, and Envelope
	// has the signature of Signer, who was the first.
	Draft    string            `bun:"draft"`
	Digest   broadcast.Digest  `bun:"digest"`
	Envelope string            `bun:"envelope"`
	Signer   broadcast.ID      `bun:"signer"`
	Signed   broadcast.Instant `bun:"signed_ms"`
}

// SavePolicyDraft replaces a row as it was read, or adds one that was read with
// version 0; one that changed since is ErrConflict.
func (t Tx) SavePolicyDraft(ctx context.Context, m PolicyDraft) error {
	read := m.Version
	m.Version++
	res, err := t.tx.NewInsert().Model(&m).On("CONFLICT (area) DO UPDATE").
		Set("version = EXCLUDED.version, author = EXCLUDED.author, draft = EXCLUDED.draft, digest = EXCLUDED.digest").
		Set("envelope = EXCLUDED.envelope, signer = EXCLUDED.signer, signed_ms = EXCLUDED.signed_ms").
		Where("policy_draft.version = ?", read).Exec(ctx)
	return changed("policy of "+string(m.Area), ErrConflict, res, err)
}

// PolicyDraft returns the row of an area inside the transaction, or ErrNotFound.
func (t Tx) PolicyDraft(ctx context.Context, area broadcast.ID) (PolicyDraft, error) {
	return policyDraft(ctx, t.tx, area)
}

// PolicyDraft returns the row of an area, or ErrNotFound.
func (db *DB) PolicyDraft(ctx context.Context, area broadcast.ID) (PolicyDraft, error) {
	return policyDraft(ctx, db.read, area)
}

func policyDraft(ctx context.Context, from bun.IDB, area broadcast.ID) (PolicyDraft, error) {
	var m PolicyDraft
	if err := from.NewSelect().Model(&m).Where("area = ?", area).Scan(ctx); err != nil {
		return m, fmt.Errorf("policy of %s: %w", area, notFound(err))
	}
	return m, nil
}

// PolicyDrafts returns the rows in which something waits, in order of area.
func (db *DB) PolicyDrafts(ctx context.Context) ([]PolicyDraft, error) {
	var out []PolicyDraft
	if err := db.read.NewSelect().Model(&out).Where("draft <> ''").Order("area").Scan(ctx); err != nil {
		return nil, fmt.Errorf("policies that wait: %w", err)
	}
	return out, nil
}
