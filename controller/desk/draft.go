package desk

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

// Draft is what somebody wants to be broadcast.
type Draft struct {
	Title    string
	Class    broadcast.Class
	Areas    []broadcast.ID
	Versions []DraftVersion
	Timing   broadcast.Timing
	Volume   int64
	Reason   string
	Meta     broadcast.Metadata
	// template is what it activates, if anything; only Activate sets it.
	template *broadcast.TemplateRef
	// corrects is what it corrects; only Correct sets it.
	corrects *broadcast.AnnouncementRef
	// document is what nodes know already by that name; only Revise sets it.
	document broadcast.ID
}

// DraftVersion names what sounds in one language: uploaded content, or a
// programme of uploaded contents.
type DraftVersion struct {
	Language  broadcast.Language
	Content   broadcast.Digest
	Programme *DraftProgramme
}

// DraftProgramme is a running order by the names of its contents.
type DraftProgramme struct {
	Station  string
	Segments []DraftSegment
}

// DraftSegment is one part of a programme: a content, or a published announcement
// of a higher level that is offered. Hard is its latest start after that of the
// programme, 0 for right after the part before.
type DraftSegment struct {
	Title   string
	Content broadcast.Digest
	Offer   broadcast.ID
	Hard    time.Duration
	// Relay is a station that is relayed for a Length; both or neither.
	Relay  broadcast.ID
	Length time.Duration
}

// prepared is a draft as it will be kept.
type prepared struct {
	// id is its name at the desk.
	id     broadcast.ID
	doc    broadcast.Announcement
	meta   broadcast.Metadata
	orders []store.RunningOrder
}

// prepare turns a draft into the announcement that people will be shown.
// Texts are put into the one Unicode form that documents accept.
func (d *Desk) prepare(ctx context.Context, draft Draft) (prepared, error) {
	id, err := d.newID()
	if err != nil {
		return prepared{}, err
	}
	if draft.Meta.Text, err = d.words(ctx, draft); err != nil {
		return prepared{}, err
	}
	p := prepared{id: id, meta: normal(draft.Meta)}
	p.doc = broadcast.Announcement{ID: cmp.Or(draft.document, id), Class: draft.Class, Title: text(draft.Title), Areas: draft.Areas,
		Timing: draft.Timing, Volume: draft.Volume, Reason: text(draft.Reason), Template: draft.template, Corrects: draft.corrects}
	if p.doc.Class == "" {
		p.doc.Class = broadcast.Normal
	}
	if p.doc.Timing.Mode == "" {
		p.doc.Timing.Mode = broadcast.ModeNow
		if p.doc.Timing.Start != 0 {
			p.doc.Timing.Mode = broadcast.ModeStart
		}
	}
	if err := d.checkDraft(p.doc); err != nil {
		return p, err
	}
	for _, v := range draft.Versions {
		if err := d.addVersion(ctx, &p, v); err != nil {
			return p, err
		}
	}
	if err := p.meta.Validate(); err != nil {
		return p, invalid("meta", err.Error())
	}
	if p.doc.Meta, err = p.meta.Digest(); err != nil {
		return p, err
	}
	return p, d.checkWhole(p.doc)
}

// checkDraft gives the commonest mistakes an answer of their own.
func (d *Desk) checkDraft(a broadcast.Announcement) error {
	if a.Title == "" {
		return refuse(TitleEmpty, "title")
	}
	places := d.places()
	for _, area := range a.Areas {
		if !places.Knows(area) {
			return refuse(AreaUnknown, "areas", string(area))
		}
	}
	switch start := a.Timing.Start; {
	case a.Timing.Mode == broadcast.ModeNow && start != 0:
		return invalid("timing.start", "mode now sets the start itself; leave it out, or use mode start")
	case a.Timing.Mode == broadcast.ModeStart && start == 0:
		return invalid("timing.start", "mode start needs a start")
	case start != 0 && start < d.now():
		return refuse(StartPast, "timing.start", local(start))
	case start > d.now().Add(broadcast.MaxUntil):
		return refuse(StartFar, "timing.start", local(start))
	}
	return nil
}

// checkWhole validates the announcement as it would be sealed now.
func (d *Desk) checkWhole(a broadcast.Announcement) error {
	a = d.dated(a)
	if a.Timing.Recurrence != nil {
		if err := a.Timing.ValidateFor(a.Class); err != nil {
			return refuse(BadRecurrence, "timing", err)
		}
	}
	err := a.Validate()
	if err == nil {
		return nil
	}
	field, _, _ := strings.Cut(err.Error(), ":")
	return invalid(field, err.Error())
}

// dated gives an announcement the revision, and in mode now the start, that it
// gets if it is signed at this moment.
func (d *Desk) dated(a broadcast.Announcement) broadcast.Announcement {
	now := d.now()
	a.Revision = broadcast.Revision(now)
	if a.Timing.Mode == broadcast.ModeNow {
		lead := otherLead
		if a.Class == broadcast.Emergency {
			lead = emergencyLead
		}
		a.Timing.Start = now.Add(lead)
	}
	return a
}

func (d *Desk) addVersion(ctx context.Context, p *prepared, v DraftVersion) error {
	out := broadcast.Version{Language: v.Language}
	if out.Language == "" {
		out.Language = "vi"
	}
	switch {
	case v.Programme != nil && v.Content != "":
		return invalid("versions", "give a content or a programme, not both")
	case v.Programme != nil:
		if err := d.mayRelay(p.doc, *v.Programme); err != nil {
			return err
		}
		programme, order, err := d.programme(ctx, p.id, out.Language, *v.Programme)
		if err != nil {
			return err
		}
		out.Programme, p.orders = &programme, append(p.orders, order)
	default:
		c, err := d.content(ctx, v.Content)
		if err != nil {
			return err
		}
		out.Content = &c
	}
	p.doc.Versions = append(p.doc.Versions, out)
	return nil
}

func (d *Desk) content(ctx context.Context, sha broadcast.Digest) (broadcast.Content, error) {
	row, err := d.cfg.DB.Content(ctx, sha)
	if errors.Is(err, store.ErrNotFound) {
		return broadcast.Content{}, refuse(ContentUnknown, "versions", sha.Short())
	}
	return broadcast.Content{SHA256: row.SHA256, Millis: row.Millis, Bytes: row.Bytes}, err
}

// programme resolves a running order; its length is where its last segment ends.
func (d *Desk) programme(ctx context.Context, id broadcast.ID, language broadcast.Language, in DraftProgramme) (broadcast.Programme, store.RunningOrder, error) {
	order := broadcast.RunningOrder{Station: text(in.Station)}
	var out broadcast.Programme
	for _, s := range in.Segments {
		segment, err := d.segment(ctx, language, s)
		if err != nil {
			return out, store.RunningOrder{}, err
		}
		order.Segments = append(order.Segments, segment)
		out.Millis = max(out.Millis, s.Hard.Milliseconds()) + segment.Duration().Milliseconds()
	}
	if err := order.Validate(); err != nil {
		return out, store.RunningOrder{}, invalid("versions.programme", err.Error())
	}
	raw, err := broadcast.Encode(order)
	if err != nil {
		return out, store.RunningOrder{}, err
	}
	out.SHA256, out.Bytes = broadcast.Sum(raw), int64(len(raw))
	return out, store.RunningOrder{Announcement: id, SHA256: out.SHA256, Raw: raw}, nil
}

// segment resolves one part of a programme.
func (d *Desk) segment(ctx context.Context, language broadcast.Language, s DraftSegment) (broadcast.Segment, error) {
	out := broadcast.Segment{Title: text(s.Title), Hard: s.Hard.Milliseconds()}
	if s.Relay != "" {
		var err error
		out.Relay, err = d.relay(s)
		return out, err
	}
	if s.Offer == "" {
		c, err := d.content(ctx, s.Content)
		out.Content = &c
		return out, err
	}
	if s.Content != "" {
		return out, invalid("versions", "give a segment a content or an offer, not both")
	}
	ref, err := d.offer(ctx, language, s.Offer)
	out.Offer = &ref
	return out, err
}

// offer names what a higher level published, in the language of the programme or
// the first that it has.
func (d *Desk) offer(ctx context.Context, language broadcast.Language, id broadcast.ID) (broadcast.OfferRef, error) {
	a, err := d.Current(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && a.State != store.Published {
		return broadcast.OfferRef{}, refuse(OfferUnknown, "versions", string(id))
	}
	if err != nil {
		return broadcast.OfferRef{}, err
	}
	var found *broadcast.Content
	for _, v := range a.Document.Versions {
		if v.Content != nil && (found == nil || v.Language == language) {
			found = v.Content
		}
	}
	if found == nil || a.Document.Class != broadcast.Normal {
		return broadcast.OfferRef{}, refuse(OfferUnknown, "versions", string(id))
	}
	return broadcast.OfferRef{Announcement: a.Document.ID, Revision: a.Document.Revision, Content: *found}, nil
}

// text is a person's text in the form that documents accept: NFC, with line
// feeds as the only line ends, and no white space around it.
func text(s string) string {
	return strings.TrimSpace(broadcast.NormalText(strings.ReplaceAll(s, "\r\n", "\n")))
}

func normal(m broadcast.Metadata) broadcast.Metadata {
	return broadcast.Metadata{Field: text(m.Field), Genre: text(m.Genre), Author: text(m.Author), Source: text(m.Source),
		Text: text(m.Text), DocumentNumber: text(m.DocumentNumber), Rights: text(m.Rights)}
}

// local is a moment as people here read it.
func local(i broadcast.Instant) string {
	return i.Time().In(broadcast.Local()).Format("15:04:05 02/01/2006 -07:00")
}
