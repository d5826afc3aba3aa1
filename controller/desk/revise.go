package desk

import (
	"context"
	"errors"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Revise keeps a draft that takes the place of a published announcement once it
// is submitted and has all its signatures; until then the old one holds, and it
// holds if the draft is dropped. id is what the editor read: the published one,
// or the draft that waits to take its place, which the new one then replaces.
// Whoever read something older is refused with what is there now.
//
// Emergencies and what a template activated are not edited, nor is a class: these
// are withdrawn. kept is as for Create.
func (d *Desk) Revise(ctx context.Context, by people.Person, id broadcast.ID, draft Draft, kept func(store.Tx, Announcement) error) (Announcement, error) {
	read, err := d.Announcement(ctx, id)
	if err != nil {
		return read, err
	}
	if err := d.cfg.Rights.Authorise(by, people.AnnouncementWrite, read.Document.Areas...); err != nil {
		return read, err
	}
	old, err := d.revisable(ctx, read)
	if err != nil {
		return read, err
	}
	if draft.Class == "" {
		draft.Class = old.Document.Class
	}
	if draft.Class != old.Document.Class {
		return read, invalid("class", "the class of what was published stays "+string(old.Document.Class)+"; withdraw it and make a new one")
	}
	draft.document = old.Document.ID
	// Whoever takes it away from some areas decides there too.
	if err := d.cfg.Rights.Authorise(by, people.AnnouncementWrite, old.Document.Areas...); err != nil {
		return read, err
	}
	made, err := d.make(ctx, by, draft, &revision{read: read, old: old}, kept)
	if errors.Is(err, store.ErrConflict) { // somebody was quicker: say who
		if read, also := d.Announcement(ctx, id); also == nil {
			if _, also = d.revisable(ctx, read); also != nil {
				err = also
			}
		}
	}
	return made, err
}

// revision is what a draft takes the place of.
type revision struct {
	// read is what its editor saw: old itself, or the draft that waits.
	read, old Announcement
}

// revisable returns the published announcement that a draft begun from read would
// replace, or why there is none.
func (d *Desk) revisable(ctx context.Context, read Announcement) (Announcement, error) {
	if read.ReplacedBy != "" {
		return read, d.overtaken(ctx, read)
	}
	old, open := read, read.State == store.Draft || read.State == store.Submitted
	if open && read.Replaces != "" {
		var err error
		if old, err = d.Announcement(ctx, read.Replaces); err != nil {
			return old, err
		}
	}
	switch waiting, err := d.cfg.DB.Revising(ctx, old.ID); {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return old, err
	case waiting.ID != read.ID:
		return old, d.overtakenBy(ctx, waiting.ID)
	}
	switch {
	case old.State != store.Published:
		return old, wrongState(store.Announcement{State: old.State}, "edit what was published", "sửa bản đã công bố")
	case old.Document.Class == broadcast.Emergency:
		return old, refuse(NotRevised, "", word{"an emergency", "Bản tin khẩn cấp"})
	case old.Document.Template != nil:
		return old, refuse(NotRevised, "", word{"what a template activated", "Bản tin phát theo mẫu"})
	}
	return old, nil
}

// Current returns an announcement as it was edited last: the newest revision that
// was published.
func (d *Desk) Current(ctx context.Context, id broadcast.ID) (Announcement, error) {
	a, err := d.Announcement(ctx, id)
	for range maxEdits {
		if err != nil || a.ReplacedBy == "" {
			break
		}
		a, err = d.Announcement(ctx, a.ReplacedBy)
	}
	return a, err
}

// maxEdits bounds how many revisions are followed.
const maxEdits = 100

// overtaken refuses a step on what was edited meanwhile, with its newest revision.
func (d *Desk) overtaken(ctx context.Context, a Announcement) error {
	now, err := d.Current(ctx, a.ID)
	if err != nil {
		return err
	}
	return d.overtakenBy(ctx, now.ID)
}

func (d *Desk) overtakenBy(ctx context.Context, id broadcast.ID) error {
	a, err := d.Announcement(ctx, id)
	if err != nil {
		return err
	}
	r := refuse(Revised, "", string(a.ID), string(a.Author))
	r.About, r.Current = []broadcast.ID{a.ID}, a
	return r
}

// begin is the part of keeping a revision that only the transaction can judge:
// nobody else was quicker. A draft that waited gives way.
func (d *Desk) begin(ctx context.Context, tx store.Tx, by broadcast.ID, r *revision) error {
	if r == nil {
		return nil
	}
	old, err := tx.Announcement(ctx, r.old.ID)
	if err != nil {
		return err
	}
	waiting, err := tx.Revising(ctx, old.ID)
	none := errors.Is(err, store.ErrNotFound)
	switch {
	case err != nil && !none:
		return err
	case old.State != store.Published, none && r.read.ID != old.ID, !none && waiting.ID != r.read.ID:
		return store.ErrConflict
	case none:
		return nil
	}
	return d.dropIn(ctx, tx, by, waiting, "Đã soạn lại / written anew.")
}

// mayApprove says whether a person has the right over every area that a signature
// decides about: also where a revision takes something away.
func (d *Desk) mayApprove(ctx context.Context, by people.Person, a Announcement) error {
	areas := slices.Clone(a.Document.Areas)
	if a.Replaces != "" {
		old, err := d.Announcement(ctx, a.Replaces)
		if err != nil {
			return err
		}
		areas = append(areas, old.Document.Areas...)
	}
	return d.cfg.Rights.Authorise(by, people.AnnouncementApprove, areas...)
}

// succeed has a revision take the place of what it revises, as the last signature
// is given. Nothing is cut while it sounds, and what began is not begun again.
func (d *Desk) succeed(ctx context.Context, tx store.Tx, s signing, row store.Announcement, a broadcast.Announcement, raw []byte) error {
	if row.Replaces == "" {
		return nil
	}
	old, err := tx.Announcement(ctx, row.Replaces)
	if err != nil {
		return err
	}
	if old.State != store.Published {
		return wrongState(old, "take its place", "thay thế")
	}
	was, err := decodeBody(old)
	if err != nil {
		return err
	}
	if a.Revision <= was.Revision {
		return refuse(Signatures, "", "the revision that stands is not older")
	}
	if err := d.between(was, a); err != nil {
		return err
	}
	doc, err := d.cfg.DB.Document(ctx, old.SHA256)
	if err != nil {
		return err
	}
	mine, _ := d.levelOf(s.ring, broadcast.KindAnnouncement, raw)
	if level, believed := d.levelOf(s.ring, broadcast.KindAnnouncement, doc.Raw); believed && mine.Rank() > level.Rank() {
		return refuse(HigherLevel, "", levelWord(level), s.by.ID)
	}
	if err := tx.Unlist(ctx, broadcast.KindAnnouncement, a.ID); err != nil {
		return err
	}
	old.State, old.Withdrawn, old.WithdrawnBy, old.ReplacedBy = store.Withdrawn, d.now(), s.by.ID, row.ID
	old.WithdrawnWhy = "Đã thay bằng bản sửa / replaced by its revision " + string(row.ID) + "."
	if err := tx.SaveAnnouncement(ctx, old); err != nil {
		return err
	}
	return d.audit(ctx, tx, s.by.ID, "announcement.replace", old)
}

// between refuses the moments at which one of the two sounds: nodes would stop in
// the middle of a word, or say the same thing twice.
func (d *Desk) between(was, is broadcast.Announcement) error {
	now := d.now()
	length := soundMargin
	for _, v := range was.Versions {
		length += v.Duration()
	}
	until := broadcast.Instant(0)
	if start, sounds := begun(was, now.Add(-length), now); sounds {
		until = start.Add(length)
	}
	if start, passed := begun(is, now.Add(-is.Timing.Late(is.Class)), now); passed {
		if is.Timing.Recurrence == nil {
			return refuse(StartPast, "timing.start", local(start))
		}
		until = max(until, start.Add(is.Timing.Late(is.Class)))
	}
	if until == 0 {
		return nil
	}
	return refuse(Underway, "", local(until))
}

// begun is the first start within a stretch of time.
func begun(a broadcast.Announcement, from, to broadcast.Instant) (broadcast.Instant, bool) {
	return plan.Next(a.Timing, a.Class, from.Add(a.Timing.Late(a.Class)), to)
}

// dropRevising closes what waits to take the place of something that was taken
// back: nothing is left to be edited.
func (d *Desk) dropRevising(ctx context.Context, tx store.Tx, by, id broadcast.ID, reason string) error {
	waiting, err := tx.Revising(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.dropIn(ctx, tx, by, waiting, reason)
}
