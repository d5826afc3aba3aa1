package desk

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Choice is what somebody wants of a template that sounds already.
type Choice string

// The choices.
const (
	Add    Choice = "add"    // in the areas that do not have it yet
	Repeat Choice = "repeat" // everywhere once more
)

// Activation is where a template shall sound now.
type Activation struct {
	// Areas left out are all that the template was approved for.
	Areas []broadcast.ID
	// Languages left out are all that it has.
	Languages []broadcast.Language
	// Choice decides if it sounded lately in one of the areas; without one that is
	// a refusal with the choices there are.
	Choice Choice
}

// lately is for how long after its publication an activation is taken for the
// same alarm.
const lately = 10 * time.Minute

// maxLately bounds how many announcements of the last minutes are looked at.
const maxLately = 500

// Activate publishes what two officers approved in advance, by the signature of
// one officer over the areas, to begin at once. kept, if not nil, is called in
// the same transaction.
func (d *Desk) Activate(ctx context.Context, by people.Person, cred people.Credential, id broadcast.ID, want Activation,
	kept func(store.Tx, Announcement) error) (Announcement, error) {
	t, err := d.Template(ctx, id)
	if err != nil {
		return Announcement{}, err
	}
	if err := d.mayActivate(t, &want); err != nil {
		return Announcement{}, err
	}
	if err := d.cfg.Rights.Authorise(by, people.AnnouncementApprove, want.Areas...); err != nil {
		return Announcement{}, err
	}
	before, err := d.cfg.DB.PublishedSince(ctx, d.now().Add(-lately), maxLately)
	if err != nil {
		return Announcement{}, err
	}
	running, err := d.running(before, id, want.Areas)
	if err == nil {
		want.Areas, err = d.choose(ctx, running, want)
	}
	if err != nil {
		return Announcement{}, err
	}
	p, err := d.prepare(ctx, activated(*t.Standing, want, by))
	if err != nil {
		return Announcement{}, err
	}
	if err := d.activate(ctx, by, cred, t, p, running, kept); err != nil {
		return Announcement{}, err
	}
	d.changed(p.id)
	return d.Announcement(ctx, p.id)
}

// mayActivate asks the template, and fills in what was left out.
func (d *Desk) mayActivate(t Template, want *Activation) error {
	switch {
	case t.Standing == nil || t.Withdrawn != 0:
		return refuse(NoTemplate, "", string(t.ID))
	case t.Warning == Ended:
		return refuse(TemplateEnded, "", string(t.ID), local(t.Expires))
	case spoken(*t.Standing):
		return refuse(TemplateOnBox, "", string(t.ID))
	}
	if len(want.Areas) == 0 {
		want.Areas = t.Standing.Areas
	}
	places := d.places()
	for _, area := range want.Areas {
		if !places.Knows(area) {
			return refuse(AreaUnknown, "areas", string(area))
		}
		inside := func(up broadcast.ID) bool { return up == area || places.Covers(up, area) }
		if !slices.ContainsFunc(t.Standing.Areas, inside) {
			return refuse(TemplateArea, "areas", string(t.ID), string(area), joined(t.Standing.Areas))
		}
	}
	for _, l := range want.Languages {
		if !slices.ContainsFunc(t.Standing.Versions, func(v broadcast.Version) bool { return v.Language == l }) {
			return invalid("languages", "the template has no version in "+string(l))
		}
	}
	return nil
}

// activated is the draft of an activation.
func activated(t broadcast.Template, want Activation, by people.Person) Draft {
	out := Draft{Title: t.Title, Class: t.Class, Areas: want.Areas, Meta: broadcast.Metadata{Author: by.Name},
		template: &broadcast.TemplateRef{ID: t.ID, Revision: t.Revision}}
	for _, v := range t.Versions {
		if len(want.Languages) == 0 || slices.Contains(want.Languages, v.Language) {
			out.Versions = append(out.Versions, DraftVersion{Language: v.Language, Content: v.Content.SHA256})
		}
	}
	return out
}

// activate signs and publishes in one transaction. What began to sound since it
// was looked at is a conflict: somebody else was quicker.
func (d *Desk) activate(ctx context.Context, by people.Person, cred people.Credential, t Template, p prepared, seen []store.Announcement,
	kept func(store.Tx, Announcement) error) error {
	row, err := d.row(by, p)
	if err != nil {
		return err
	}
	row.State, row.Submitted, row.Officers = store.Submitted, d.now(), 1
	return d.cfg.Keys.With(ctx, cred, func(signer seal.Signer) error {
		s := signing{by: by, signer: signer, digest: row.Digest, template: t.Standing}
		if s.ring, err = d.cfg.Keys.Ring(ctx); err != nil {
			return err
		}
		if s.rule, err = d.rule(ctx, s.ring, p.doc); err != nil {
			return err
		}
		if err := d.checkRoom(ctx, p.doc); err != nil {
			return err
		}
		if s.nodes, err = d.cfg.Fleet.Within(ctx, p.doc.Areas); err != nil {
			return err
		}
		return d.cfg.DB.Update(ctx, func(tx store.Tx) error {
			if err := d.stillSo(ctx, tx, t, p.doc.Areas, seen); err != nil {
				return err
			}
			if err := tx.AddAnnouncement(ctx, row); err != nil {
				return err
			}
			if err := d.audit(ctx, tx, by.ID, "template.activate", row); err != nil {
				return err
			}
			if err := d.signIn(ctx, tx, s, row.ID); err != nil {
				return err
			}
			return d.tellKept(ctx, tx, row.ID, kept)
		})
	})
}

// tellKept calls kept, if there is one, with the announcement as it is now.
func (d *Desk) tellKept(ctx context.Context, tx store.Tx, id broadcast.ID, kept func(store.Tx, Announcement) error) error {
	if kept == nil {
		return nil
	}
	row, err := tx.Announcement(ctx, id)
	if err != nil {
		return err
	}
	signed, err := tx.Approvals(ctx, id)
	if err != nil {
		return err
	}
	a, err := read(row, signed)
	if err != nil {
		return err
	}
	return kept(tx, a)
}

// stillSo is a conflict if the template or what sounds by it is not what it was.
func (d *Desk) stillSo(ctx context.Context, tx store.Tx, t Template, areas []broadcast.ID, seen []store.Announcement) error {
	now, err := tx.Template(ctx, t.ID)
	if err != nil {
		return err
	}
	rows, err := tx.PublishedSince(ctx, d.now().Add(-lately), maxLately)
	if err != nil {
		return err
	}
	running, err := d.running(rows, t.ID, areas)
	if err != nil {
		return err
	}
	quicker := slices.ContainsFunc(running, func(r store.Announcement) bool {
		return !slices.ContainsFunc(seen, func(o store.Announcement) bool { return o.ID == r.ID })
	})
	if quicker || now.SHA256 != t.SHA256 || now.Withdrawn != 0 {
		return store.ErrConflict
	}
	return nil
}

// running are the activations of a template among announcements that overlap
// with areas.
func (d *Desk) running(rows []store.Announcement, id broadcast.ID, areas []broadcast.ID) ([]store.Announcement, error) {
	places := d.places()
	var out []store.Announcement
	for _, row := range rows {
		a, err := decodeBody(row)
		if err != nil {
			return nil, err
		}
		if a.Template == nil || a.Template.ID != id {
			continue
		}
		if slices.ContainsFunc(areas, func(x broadcast.ID) bool {
			return slices.ContainsFunc(a.Areas, func(y broadcast.ID) bool { return x == y || places.Covers(x, y) || places.Covers(y, x) })
		}) {
			out = append(out, row)
		}
	}
	return out, nil
}

// choose returns the areas in which it shall sound.
func (d *Desk) choose(ctx context.Context, running []store.Announcement, want Activation) ([]broadcast.ID, error) {
	if len(running) == 0 || want.Choice == Repeat {
		return want.Areas, nil
	}
	have, english, vietnamese, about := []broadcast.ID{}, []string{}, []string{}, []broadcast.ID{}
	for _, row := range running {
		a, err := decodeBody(row)
		if err != nil {
			return nil, err
		}
		name := string(row.Author)
		if p, err := d.cfg.DB.Person(ctx, row.Author); err == nil {
			name = p.Name
		}
		at := row.Published.Time().In(broadcast.Local()).Format("15:04 02/01/2006")
		have, about = append(have, a.Areas...), append(about, row.ID)
		english = append(english, "by "+name+" (from "+at+") in "+joined(a.Areas))
		vietnamese = append(vietnamese, "do "+name+" (từ "+at+") tại "+joined(a.Areas))
	}
	code, choices := Sounding, []string{string(Add), string(Repeat)}
	if want.Choice == Add {
		rest, err := d.without(ctx, want.Areas, have)
		if err != nil || len(rest) > 0 {
			return rest, err
		}
		code, choices = NothingToAdd, choices[1:]
	}
	r := refuse(code, "choice", word{strings.Join(english, "; "), strings.Join(vietnamese, "; ")})
	r.Errors, r.About, r.Choices = english, about, choices
	return nil, r
}

// without returns the areas less those that are had. An area of which a part is
// had becomes its other parts, unless a node stands in none of its parts or they
// are too many: rather twice than never.
func (d *Desk) without(ctx context.Context, areas, have []broadcast.ID) ([]broadcast.ID, error) {
	standings, err := d.cfg.Fleet.Overview(ctx)
	if err != nil {
		return nil, err
	}
	direct := map[broadcast.ID]bool{}
	for _, s := range standings {
		direct[s.Node.Area] = true
	}
	places := d.places()
	var out []broadcast.ID
	for open := slices.Clone(areas); len(open) > 0; open = open[1:] {
		area := open[0]
		parts := func(h broadcast.ID) bool { return h != area && places.Covers(area, h) }
		switch {
		case slices.ContainsFunc(have, func(h broadcast.ID) bool { return h == area || places.Covers(h, area) }):
		case slices.ContainsFunc(have, parts) && !direct[area]:
			open = append(open, d.cfg.Tree().Children(area, d.now())...)
		case !slices.Contains(out, area):
			out = append(out, area)
		}
	}
	if len(out) > broadcast.MaxAreas {
		return areas, nil
	}
	return out, nil
}

func joined(ids []broadcast.ID) string {
	out := make([]string, len(ids))
	for i, id := range ids {
		out[i] = string(id)
	}
	return strings.Join(out, ", ")
}
