package programme

import (
	"context"
	"errors"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Add keeps a new programme for an area. If kept is not nil it is called in the
// same transaction.
func (p *Programmes) Add(ctx context.Context, by people.Person, area broadcast.ID, b Body, kept func(tx store.Tx, id broadcast.ID) error) (Programme, error) {
	row, err := p.row(ctx, by, area, b)
	if err != nil {
		return Programme{}, err
	}
	err = p.cfg.DB.Update(ctx, func(tx store.Tx) error {
		err := p.add(ctx, tx, row)
		if err == nil && kept != nil {
			err = kept(tx, row.ID)
		}
		return err
	})
	if err != nil {
		return Programme{}, err
	}
	return p.Programme(ctx, row.ID)
}

func (p *Programmes) add(ctx context.Context, tx store.Tx, row store.Programme) error {
	if err := tx.AddProgramme(ctx, row); err != nil {
		return err
	}
	return p.audit(ctx, tx, row.ChangedBy, "programme.create", row)
}

// row checks a body and makes the row of a new programme.
func (p *Programmes) row(ctx context.Context, by people.Person, area broadcast.ID, b Body) (store.Programme, error) {
	if _, err := p.above(area); err != nil {
		return store.Programme{}, err
	}
	if err := p.cfg.Rights.Authorise(by, people.AnnouncementWrite, area); err != nil {
		return store.Programme{}, err
	}
	b, err := p.complete(ctx, area, b)
	if err != nil {
		return store.Programme{}, err
	}
	raw, err := broadcast.Encode(b)
	if err != nil {
		return store.Programme{}, err
	}
	id, err := p.newID()
	return store.Programme{ID: id, Version: 1, Area: area, Start: b.Start, Author: by.ID, Body: string(raw), Changed: p.now(), ChangedBy: by.ID}, err
}

// complete checks a body, and takes start and room from its slot.
func (p *Programmes) complete(ctx context.Context, area broadcast.ID, b Body) (Body, error) {
	b = b.normal()
	if b.Slot != "" {
		span, err := p.span(ctx, area, b.Slot, b.Start)
		if err != nil {
			return b, err
		}
		b.Start, b.Minutes = span.From, min(int64(span.To.Sub(span.From).Minutes()), maxMinutes)
	}
	if err := b.check(); err != nil {
		return b, err
	}
	for _, s := range b.Segments {
		if err := p.there(ctx, "segments", s.Content); err != nil {
			return b, err
		}
	}
	return b, nil
}

// span is where a standing slot lies on the local day of a moment; with several
// spans on that day, the first that ends after the moment.
func (p *Programmes) span(ctx context.Context, area, slot broadcast.ID, at broadcast.Instant) (plan.Window, error) {
	found, err := held[broadcast.Slot](ctx, p, broadcast.KindSlot, p.around(area))
	if err != nil {
		return plan.Window{}, err
	}
	for _, s := range found {
		if s.doc.ID != slot {
			continue
		}
		for _, span := range s.doc.Spans {
			if from, to, ok := span.On(at); ok && to > at && s.doc.From <= from && to <= s.doc.Until {
				return plan.Window{From: from, To: to}, nil
			}
		}
	}
	return plan.Window{}, refuse(Invalid, "slot", word{"slot " + string(slot) + " has no hours on that day", "khung giờ " + string(slot) + " không có vào ngày đó"})
}

// Put replaces a programme as it was read; whoever read an older version is
// refused and shown what is there.
func (p *Programmes) Put(ctx context.Context, by people.Person, id broadcast.ID, version int64, b Body) (Programme, error) {
	return p.change(ctx, by, id, version, "programme.edit", func(row *store.Programme) error {
		b, err := p.complete(ctx, row.Area, b)
		if err != nil {
			return err
		}
		raw, err := broadcast.Encode(b)
		row.Before, row.Body, row.Start = row.Body, string(raw), b.Start
		return err
	})
}

// Undo takes the last edit back, within an hour. What was undone can be undone in
// turn.
func (p *Programmes) Undo(ctx context.Context, by people.Person, id broadcast.ID, version int64) (Programme, error) {
	return p.change(ctx, by, id, version, "programme.undo", func(row *store.Programme) error {
		if row.Before == "" || p.now() > row.Changed.Add(undoableFor) {
			return refuse(NothingToUndo, "")
		}
		row.Before, row.Body = row.Body, row.Before
		b, err := bodyOf(*row)
		row.Start = b.Start
		return err
	})
}

// Drop forgets a programme that is no announcement.
func (p *Programmes) Drop(ctx context.Context, by people.Person, id broadcast.ID, version int64) error {
	row, err := p.editable(ctx, by, id, version)
	if err != nil {
		return err
	}
	return p.cfg.DB.Update(ctx, func(tx store.Tx) error {
		if err := tx.DropProgramme(ctx, id, version); err != nil {
			return err
		}
		return p.audit(ctx, tx, by.ID, "programme.drop", row)
	})
}

func (p *Programmes) change(ctx context.Context, by people.Person, id broadcast.ID, version int64, act string, edit func(*store.Programme) error) (Programme, error) {
	row, err := p.editable(ctx, by, id, version)
	if err != nil {
		return Programme{}, err
	}
	if err := edit(&row); err != nil {
		return Programme{}, err
	}
	row.Changed, row.ChangedBy = p.now(), by.ID
	err = p.cfg.DB.Update(ctx, func(tx store.Tx) error {
		if err := tx.SaveProgramme(ctx, row); err != nil {
			return err
		}
		return p.audit(ctx, tx, by.ID, act, row)
	})
	if errors.Is(err, store.ErrConflict) { // somebody was quicker by a moment
		err = p.stale(ctx, id, version)
	}
	if err != nil {
		return Programme{}, err
	}
	return p.Programme(ctx, id)
}

// editable returns the row of a programme that a person may change and has read.
func (p *Programmes) editable(ctx context.Context, by people.Person, id broadcast.ID, version int64) (store.Programme, error) {
	row, err := p.cfg.DB.Programme(ctx, id)
	if err != nil {
		return row, err
	}
	if err := p.cfg.Rights.Authorise(by, people.AnnouncementWrite, row.Area); err != nil {
		return row, err
	}
	if row.Version != version {
		return row, p.stale(ctx, id, version)
	}
	return row, p.free(ctx, row)
}

// free refuses to change what is an announcement now.
func (p *Programmes) free(ctx context.Context, row store.Programme) error {
	if row.Announcement == "" {
		return nil
	}
	a, err := p.cfg.Desk.Current(ctx, row.Announcement)
	if err != nil || a.State == store.Withdrawn || a.State == store.Closed {
		return err
	}
	r := refuse(DraftedBefore, "", string(row.Announcement), string(a.State))
	r.About = []broadcast.ID{row.Announcement}
	return r
}

// stale is the refusal of whoever read an older version.
func (p *Programmes) stale(ctx context.Context, id broadcast.ID, version int64) error {
	now, err := p.Programme(ctx, id)
	if err != nil {
		return err
	}
	r := refuse(Edited, "version", version, now.Version, string(now.ChangedBy))
	r.Current = &now
	return r
}

// trace is what the audit log keeps of a step.
type trace struct {
	Area         broadcast.ID     `json:"area"`
	Body         broadcast.Digest `json:"body"`
	Announcement broadcast.ID     `json:"announcement,omitempty"`
}

func (p *Programmes) audit(ctx context.Context, tx store.Tx, by broadcast.ID, act string, row store.Programme) error {
	return tx.Audit(ctx, store.Deed{At: p.now(), Person: by, Act: act, Subject: string(row.ID),
		Detail: trace{row.Area, broadcast.Sum([]byte(row.Body)), row.Announcement}})
}
