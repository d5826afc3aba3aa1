package desk

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/controller/preview"
	"github.com/loaxa/loaxa/controller/store"
)

// Regulation is the policy of one area: what nodes hold, and what waits for two
// signatures to take its place.
type Regulation struct {
	Area broadcast.ID
	// Version counts the changes of the draft; whoever edits names the one that
	// was read, 0 if there never was one.
	Version int64
	Author  broadcast.ID
	// Draft waits for signatures; nil if nothing does. Digest is what people sign,
	// Signer the one who did so far, if anybody did.
	Draft  *broadcast.Policy
	Digest broadcast.Digest
	Signer broadcast.ID
	Signed broadcast.Instant
	// Standing is what nodes hold; nil if the area has no policy of its own.
	Standing *broadcast.Policy
	// Changes are the fields in which the draft differs from what stands.
	Changes []FieldChange
}

// FieldChange is one field of a policy before and after, as the document writes
// them; empty for what is not there.
type FieldChange struct{ Field, Before, After string }

// proposed is the encoding of a policy that may still lack its revision.
type proposed struct{ broadcast.Policy }

// Validate lets everything through: a draft was checked before it was kept.
func (proposed) Validate() error { return nil }

// Regulation returns the policy of an area. An area that has neither a policy
// nor a draft has an empty one.
func (d *Desk) Regulation(ctx context.Context, area broadcast.ID) (Regulation, error) {
	out := Regulation{Area: area}
	if !d.places().Knows(area) {
		return out, refuse(AreaUnknown, "area", string(area))
	}
	ring, err := d.cfg.Keys.Ring(ctx)
	if err != nil {
		return out, err
	}
	held, err := d.policies(ctx, ring)
	if err != nil {
		return out, err
	}
	if p, ok := held[area]; ok {
		out.Standing = &p
	}
	row, err := d.cfg.DB.PolicyDraft(ctx, area)
	if errors.Is(err, store.ErrNotFound) {
		return out, nil
	}
	if err != nil {
		return out, err
	}
	return out.with(row)
}

// with adds the row of what waits.
func (r Regulation) with(row store.PolicyDraft) (Regulation, error) {
	r.Version, r.Author = row.Version, row.Author
	if row.Draft == "" {
		return r, nil
	}
	draft, err := broadcast.Decode[proposed]([]byte(row.Draft))
	if err != nil {
		return r, fmt.Errorf("policy of %s: %w", row.Area, err)
	}
	r.Draft, r.Digest, r.Signer, r.Signed = &draft.Policy, row.Digest, row.Signer, row.Signed
	r.Changes, err = changesOf(r.Standing, draft.Policy)
	return r, err
}

// policyFields are the fields of a policy that people decide about, in the
// order in which they are shown.
func policyFields() []string {
	return []string{"quiet", "windows", "special", "minutes", "sessions", "ceiling", "ceilings", "speakers", "thresholds", "one_officer",
		"custodies", "offline_days", "chimes", "corrections", "minimum", "retention"}
}

// changesOf compares field by field what two policies say.
func changesOf(before *broadcast.Policy, after broadcast.Policy) ([]FieldChange, error) {
	was, err := fieldsOf(before)
	if err != nil {
		return nil, err
	}
	is, err := fieldsOf(&after)
	if err != nil {
		return nil, err
	}
	out := []FieldChange{}
	for _, field := range policyFields() {
		if b, a := string(was[field]), string(is[field]); a != b {
			out = append(out, FieldChange{field, b, a})
		}
	}
	return out, nil
}

// fieldsOf are the fields of a policy as its document writes them.
func fieldsOf(p *broadcast.Policy) (map[string]json.RawMessage, error) {
	if p == nil {
		return nil, nil
	}
	raw, err := broadcast.Encode(proposed{*p})
	if err != nil {
		return nil, err
	}
	var out map[string]json.RawMessage
	return out, json.Unmarshal(raw, &out)
}

// PolicyDifference says what the draft of an area would change of everything that its
// nodes sound in the coming seven days, as far as that can be told in a second.
// Without a draft there is none.
func (d *Desk) PolicyDifference(ctx context.Context, area broadcast.ID) (preview.Difference, error) {
	r, err := d.Regulation(ctx, area)
	if err != nil || r.Draft == nil {
		return preview.Difference{}, err
	}
	ring, err := d.cfg.Keys.Ring(ctx)
	if err != nil {
		return preview.Difference{}, err
	}
	nodes, err := d.standing(ctx, []broadcast.ID{area})
	if err != nil {
		return preview.Difference{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	src := preview.Source{DB: d.cfg.DB, Ring: ring, Now: d.now(), Places: d.places()}
	window := plan.Window{From: d.now(), To: d.now().Add(lookAhead)}
	return preview.Differ(ctx, src, nodes, window, preview.Change{Policy: r.Draft}), nil
}
