package desk

import (
	"context"
	"fmt"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

// MaxTemplates is how many templates a house has at most.
const MaxTemplates = 1000

// Template is one set of words that is approved in advance: what stands, and what
// waits for signatures to take its place.
type Template struct {
	ID broadcast.ID
	// Version counts the changes; whoever edits names the one that was read.
	Version int64
	Author  broadcast.ID
	// Draft waits for signatures; nil if nothing does. Digest is what people sign,
	// Officers how many of them it takes, and Signatures who did.
	Draft      *broadcast.Template
	Digest     broadcast.Digest
	Officers   int
	Signatures []store.TemplateSignature
	// Standing is what nodes hold; nil if nothing ever stood. Approved is who signed it.
	Standing           *broadcast.Template
	Approved           []store.TemplateSignature
	SHA256             broadcast.Digest
	Published, Expires broadcast.Instant
	Withdrawn          broadcast.Instant
	WithdrawnBy        broadcast.ID
	WithdrawnWhy       string
	// Warning says that what stands ends soon or has ended; empty if not.
	Warning Warning
}

// Warning is how near the end of what stands is.
type Warning string

// The warnings.
const (
	InAMonth Warning = "30-days"
	InAWeek  Warning = "7-days"
	Ended    Warning = "ended"
)

// warning asks what stands; what was withdrawn warns of nothing.
func warning(row store.Template, now broadcast.Instant) Warning {
	left := row.Expires.Sub(now)
	switch {
	case row.SHA256 == "" || row.Withdrawn != 0:
		return ""
	case left <= 0:
		return Ended
	case left <= 7*24*time.Hour:
		return InAWeek
	case left <= 30*24*time.Hour:
		return InAMonth
	}
	return ""
}

// Activatable says that it stands, has not ended, and was not withdrawn.
func (t Template) Activatable() bool {
	return t.Standing != nil && t.Withdrawn == 0 && t.Warning != Ended && !spoken(*t.Standing)
}

// spoken says that the words come from whoever stands at the box.
func spoken(t broadcast.Template) bool {
	return broadcast.Announcement{Versions: t.Versions}.Spoken()
}

// waiting is the encoding of a template that may still lack its revision.
type waiting struct{ broadcast.Template }

// Validate lets everything through: a draft was checked before it was kept.
func (waiting) Validate() error { return nil }

// Template returns one template, or store.ErrNotFound.
func (d *Desk) Template(ctx context.Context, id broadcast.ID) (Template, error) {
	row, err := d.cfg.DB.Template(ctx, id)
	if err != nil {
		return Template{}, err
	}
	signed, err := d.cfg.DB.TemplateSignatures(ctx, id)
	if err != nil {
		return Template{}, err
	}
	return d.readTemplate(ctx, row, signed)
}

// Templates returns all of them, in order of id.
func (d *Desk) Templates(ctx context.Context) ([]Template, error) {
	rows, err := d.cfg.DB.Templates(ctx, MaxTemplates)
	if err != nil {
		return nil, err
	}
	ids := make([]broadcast.ID, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	signed, err := d.cfg.DB.TemplateSignatures(ctx, ids...)
	if err != nil {
		return nil, err
	}
	out := make([]Template, 0, len(rows))
	for _, row := range rows {
		t, err := d.readTemplate(ctx, row, signed)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// readTemplate turns a row into a template; signed may hold those of others too.
func (d *Desk) readTemplate(ctx context.Context, row store.Template, signed []store.TemplateSignature) (Template, error) {
	out := Template{ID: row.ID, Version: row.Version, Author: row.Author, Digest: row.Digest, SHA256: row.SHA256, Published: row.Published,
		Expires: row.Expires, Withdrawn: row.Withdrawn, WithdrawnBy: row.WithdrawnBy, WithdrawnWhy: row.WithdrawnWhy, Warning: warning(row, d.now())}
	standing := broadcast.Digest("")
	if row.Standing != "" {
		t, err := broadcast.Decode[broadcast.Template]([]byte(row.Standing))
		if err != nil {
			return out, fmt.Errorf("template %s: %w", row.ID, err)
		}
		out.Standing = &t
		if standing, err = t.Digest(); err != nil {
			return out, err
		}
	}
	if row.Draft != "" {
		t, err := drafted(row)
		if err != nil {
			return out, err
		}
		out.Draft = &t
		if out.Officers, err = d.officersOf(ctx, t); err != nil {
			return out, err
		}
	}
	for _, s := range signed {
		switch {
		case s.Template != row.ID:
		case row.Draft != "" && s.Digest == row.Digest:
			out.Signatures = append(out.Signatures, s)
		case s.Digest == standing:
			out.Approved = append(out.Approved, s)
		}
	}
	return out, nil
}

func drafted(row store.Template) (broadcast.Template, error) {
	w, err := broadcast.Decode[waiting]([]byte(row.Draft))
	if err != nil {
		return broadcast.Template{}, fmt.Errorf("template %s: %w", row.ID, err)
	}
	return w.Template, nil
}

// approvedOf is a template as an announcement of its class and areas, of which
// law and rights are asked.
func approvedOf(t broadcast.Template) broadcast.Announcement {
	return broadcast.Announcement{ID: t.ID, Class: t.Class, Areas: t.Areas, Versions: t.Versions}
}

// officersOf is how many people have to sign a template: what the class asks for,
// and never fewer than two. Nodes count the same.
func (d *Desk) officersOf(ctx context.Context, t broadcast.Template) (int, error) {
	ring, err := d.cfg.Keys.Ring(ctx)
	if err != nil {
		return 0, err
	}
	r, err := d.rule(ctx, ring, approvedOf(t))
	return max(2, r.officers), err
}
