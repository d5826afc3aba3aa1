package desk

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pin"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// TemplateDraft is what somebody wants to have approved in advance.
type TemplateDraft struct {
	Title    string
	Class    broadcast.Class
	Areas    []broadcast.ID
	Versions []DraftVersion
	// Speech, instead of versions, is how long somebody may speak at the box.
	Speech time.Duration
	// Expires is the last moment at which it may be activated; 0 stands for a year
	// from now.
	Expires broadcast.Instant
	// Local says who may fire it at a box; nil for nobody. Its codes have no
	// locks: whoever had a PIN for the same number keeps it, others get one.
	Local *broadcast.OnSite
}

// PIN is one person's secret for a keypad. It is kept nowhere.
type PIN struct {
	Number broadcast.Number
	Person broadcast.ID
	Digits string
}

// templateLife is how long a template stands if nobody says.
const templateLife = 365 * 24 * time.Hour

// PutTemplate keeps a draft under a name: a new one for version 0, or in place of
// the draft of the version that was read; what stands goes on until the draft is
// signed. It also returns the PINs of those who had none. Another version is
// refused with the one that is there, and the same draft again changes nothing.
func (d *Desk) PutTemplate(ctx context.Context, by people.Person, id broadcast.ID, version int64, draft TemplateDraft) (Template, []PIN, error) {
	was, err := d.Template(ctx, id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return was, nil, err
	}
	next, pins, err := d.templateOf(ctx, id, draft, was)
	if err != nil {
		return was, nil, err
	}
	// Whoever replaces what stands takes it from those who have it now.
	areas := slices.Clone(next.Areas)
	for _, held := range []*broadcast.Template{was.Draft, was.Standing} {
		if held != nil {
			areas = append(areas, held.Areas...)
		}
	}
	if err := d.cfg.Rights.Authorise(by, people.AnnouncementWrite, areas...); err != nil {
		return was, nil, err
	}
	if _, err := d.officersOf(ctx, next); err != nil { // the law refuses now, not at the first signature
		return was, nil, err
	}
	kept, err := d.keepTemplate(ctx, by, version, next)
	if err != nil || !kept {
		pins = nil
	}
	if err != nil {
		return was, nil, err
	}
	d.changed(id)
	out, err := d.Template(ctx, id)
	return out, pins, err
}

// RenewTemplate keeps a draft of what stands that ends a year from now; PINs stay.
func (d *Desk) RenewTemplate(ctx context.Context, by people.Person, id broadcast.ID, version int64) (Template, error) {
	was, err := d.Template(ctx, id)
	if err != nil {
		return was, err
	}
	if was.Standing == nil {
		return was, refuse(NoTemplate, "", string(id))
	}
	next := *was.Standing
	next.Revision, next.Expires = 0, d.now().Add(templateLife)
	if err := d.cfg.Rights.Authorise(by, people.AnnouncementWrite, next.Areas...); err != nil {
		return was, err
	}
	if _, err := d.keepTemplate(ctx, by, version, next); err != nil {
		return was, err
	}
	d.changed(id)
	return d.Template(ctx, id)
}

// keepTemplate keeps a draft unless it is there already, and says whether it did.
func (d *Desk) keepTemplate(ctx context.Context, by people.Person, version int64, next broadcast.Template) (bool, error) {
	raw, err := encode(next)
	if err != nil {
		return false, err
	}
	digest, err := next.Digest()
	if err != nil {
		return false, err
	}
	kept := false
	err = d.cfg.DB.Update(ctx, func(tx store.Tx) error {
		row, err := tx.Template(ctx, next.ID)
		fresh := errors.Is(err, store.ErrNotFound)
		switch {
		case err != nil && !fresh:
			return err
		case !fresh && row.Draft != "" && row.Digest == digest:
			return nil
		case row.Version != version:
			return d.edited(ctx, row, version)
		}
		kept = true
		if row.Draft != "" {
			if err := tx.DropTemplateSignatures(ctx, row.ID, row.Digest); err != nil {
				return err
			}
		}
		row.ID, row.Author, row.Draft, row.Digest, row.Envelope = next.ID, by.ID, raw, digest, ""
		save := tx.SaveTemplate
		if fresh {
			save = tx.AddTemplate
		}
		if err := save(ctx, row); err != nil {
			return err
		}
		return d.auditTemplate(ctx, tx, by.ID, "template.draft", row, "")
	})
	return kept, err
}

// edited refuses an edit of what somebody else edited meanwhile.
func (d *Desk) edited(ctx context.Context, row store.Template, version int64) error {
	r := refuse(Edited, "version", version, row.Version, string(row.Author))
	current, err := d.readTemplate(ctx, row, nil)
	if err == nil && row.ID != "" {
		r.Current = current
	}
	return errors.Join(r, err)
}

// templateOf makes the template of a draft, as it would be signed.
func (d *Desk) templateOf(ctx context.Context, id broadcast.ID, draft TemplateDraft, was Template) (broadcast.Template, []PIN, error) {
	t := broadcast.Template{ID: id, Class: draft.Class, Title: text(draft.Title), Areas: draft.Areas, Expires: draft.Expires}
	if t.Class == "" {
		t.Class = broadcast.Emergency
	}
	if t.Expires == 0 {
		t.Expires = d.now().Add(templateLife)
	}
	if err := d.checkDraft(broadcast.Announcement{Title: t.Title, Areas: t.Areas}); err != nil {
		return t, nil, err
	}
	if draft.Speech != 0 {
		t.Versions = append(t.Versions, broadcast.Version{Language: "vi", Live: &broadcast.Live{Source: broadcast.Box, Millis: draft.Speech.Milliseconds()}})
	}
	for _, v := range draft.Versions {
		c, err := d.content(ctx, v.Content)
		if err != nil {
			return t, nil, err
		}
		if v.Language == "" {
			v.Language = "vi"
		}
		t.Versions = append(t.Versions, broadcast.Version{Language: v.Language, Content: &c})
	}
	var pins []PIN
	if draft.Local != nil {
		local := *draft.Local
		var err error
		if local.Codes, pins, err = d.locks(local.Codes, was); err != nil {
			return t, nil, err
		}
		t.Local = &local
	}
	asNow := t
	asNow.Revision = broadcast.Revision(d.now())
	if err := asNow.Validate(); err != nil {
		field, _, _ := strings.Cut(err.Error(), ":")
		return t, nil, invalid(field, err.Error())
	}
	return t, pins, nil
}

// locks gives every code the lock that the person has for the number, or a new
// one with its PIN.
func (d *Desk) locks(codes []broadcast.Code, was Template) ([]broadcast.Code, []PIN, error) {
	var known []broadcast.Code
	for _, t := range []*broadcast.Template{was.Draft, was.Standing} {
		if t != nil {
			known = append(known, t.Local.People()...)
		}
	}
	var out []broadcast.Code
	var pins []PIN
	for _, c := range codes {
		i := slices.IndexFunc(known, func(k broadcast.Code) bool { return k.Number == c.Number && k.Person == c.Person })
		if i >= 0 {
			out = append(out, known[i])
			continue
		}
		digits, lock, err := pin.New(d.cfg.Rand)
		if err != nil {
			return nil, nil, err
		}
		c.Lock = lock
		out, pins = append(out, c), append(pins, PIN{Number: c.Number, Person: c.Person, Digits: digits})
	}
	return out, pins, nil
}

// auditTemplate keeps a step of a template.
func (d *Desk) auditTemplate(ctx context.Context, tx store.Tx, by broadcast.ID, act string, row store.Template, why string) error {
	return tx.Audit(ctx, store.Deed{At: d.now(), Person: by, Act: act, Subject: string(row.ID),
		Detail: trace{Digest: row.Digest, SHA256: row.SHA256, Reason: why}})
}
