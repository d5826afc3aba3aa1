package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// NewAnnouncement is the body of a create. Left out: class normal, language vi,
// and mode now, or start if a start is given.
type NewAnnouncement struct {
	Title    string       `json:"title" maxLength:"400" doc:"In a few words, what it is about"`
	Class    string       `json:"class,omitempty" enum:"normal,priority,emergency" doc:"Left out: normal"`
	Areas    []string     `json:"areas" nullable:"false" minItems:"1" maxItems:"24" doc:"Where it is to be heard, with everything below"`
	Versions []NewVersion `json:"versions" nullable:"false" minItems:"1" maxItems:"6"`
	Timing   NewTiming    `json:"timing,omitempty"`
	Volume   int64        `json:"volume,omitempty" minimum:"0" maximum:"100" doc:"Percent of the ceiling; left out: 100"`
	Reason   string       `json:"reason,omitempty" maxLength:"300" doc:"Why one officer speaks alone; it is signed"`
	Meta     Meta         `json:"meta,omitempty"`
}

// NewVersion names what sounds in one language: content or a programme.
type NewVersion struct {
	Language  string        `json:"language,omitempty" pattern:"^[a-z]{2,3}$" doc:"ISO 639; left out: vi"`
	Content   string        `json:"content,omitempty" pattern:"^[0-9a-f]{64}$" doc:"SHA-256 of uploaded content"`
	Programme *NewProgramme `json:"programme,omitempty"`
}

// NewProgramme is a running order that sounds as one.
type NewProgramme struct {
	Station  string       `json:"station,omitempty" maxLength:"200"`
	Segments []NewSegment `json:"segments" nullable:"false" minItems:"1" maxItems:"64"`
}

// NewSegment is one part of a programme.
type NewSegment struct {
	Title   string `json:"title" maxLength:"200"`
	Content string `json:"content,omitempty" pattern:"^[0-9a-f]{64}$"`
	// Relay is a station instead of a content.
	Relay *NewRelay `json:"relay,omitempty"`
	Hard  int64     `json:"hard_ms,omitempty" minimum:"0" doc:"Latest start after that of the programme"`
}

// NewRelay is a station that is relayed for a while.
type NewRelay struct {
	Station string `json:"station" pattern:"^[a-z0-9-]{1,40}$"`
	Millis  int64  `json:"ms" minimum:"1000" maximum:"3600000"`
}

// NewTiming says when it may sound. Moments are RFC 3339 in any zone.
type NewTiming struct {
	Mode       string   `json:"mode,omitempty" enum:"now,start"`
	Start      string   `json:"start,omitempty" format:"date-time"`
	Recurrence string   `json:"recurrence,omitempty" maxLength:"160" doc:"RFC 5545 rule in local time: DAILY, WEEKLY, MONTHLY or YEARLY; needs until"`
	Except     []string `json:"except,omitempty" nullable:"false" maxItems:"24" doc:"Local dates without it, such as 2026-11-22"`
	Until      string   `json:"until,omitempty" format:"date-time"`
	LateLimit  int64    `json:"late_limit_s,omitempty" minimum:"0" doc:"Seconds after its start at which it may still begin"`
	Window     int64    `json:"window_s,omitempty" minimum:"0" doc:"Emergencies: how long it lives; left out: 30 minutes"`
	Repeat     int64    `json:"repeat_s,omitempty" minimum:"0" doc:"Emergencies: sounds again every so many seconds inside its window"`
}

// idPath names one announcement or node.
type idPath struct {
	ID string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
}

type announcementAnswer struct{ Body Announcement }

type createInput struct {
	Key  string `header:"Idempotency-Key" maxLength:"100" doc:"The same key and body give the same answer, also after a restart"`
	Body NewAnnouncement
}

// createAnswer carries the bytes as they were kept, so that a repeated create
// is answered with the same.
type createAnswer struct {
	Status int
	Body   Announcement
}

type reviseInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$" doc:"What the editor read: the published announcement, or the draft that waits to take its place"`
	Key  string `header:"Idempotency-Key" maxLength:"100" doc:"The same key and body give the same answer, also after a restart"`
	Body NewAnnouncement
}

type listInput struct {
	Cursor string `query:"cursor" pattern:"^[a-z0-9-]{1,40}$" doc:"next of the page before"`
	State  string `query:"state" enum:"draft,submitted,published,withdrawn,closed"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

type listAnswer struct {
	Body struct {
		Announcements []Announcement `json:"announcements" nullable:"false"`
		Next          string         `json:"next,omitempty" doc:"Cursor of the next page, if there is one"`
	}
}

type submitInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body *struct {
		Digest string   `json:"digest,omitempty" pattern:"^[0-9a-f]{64}$" doc:"Named: whoever submits also signs, if more than one has to"`
		Accept []string `json:"accept_silence,omitempty" nullable:"false" maxItems:"16" doc:"It may stay silent on every node for these reasons, such as quiet; without it what would sound nowhere is refused"`
	}
}

type approveInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body struct {
		Digest string `json:"digest" pattern:"^[0-9a-f]{64}$" doc:"The digest that was shown"`
	}
}

type publishInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body struct {
		Digest     string `json:"digest" pattern:"^[0-9a-f]{64}$" doc:"The digest that was shown"`
		Difference string `json:"difference,omitempty" pattern:"^[0-9a-f]{64}$" doc:"The digest of the difference that was shown; without it what changes other soundings is refused, unless it is an emergency"`
		Accept     bool   `json:"accept_difference,omitempty" doc:"Go on whatever it changes of other soundings"`
	}
}

// Approvals are several announcements that one officer read.
type Approvals struct {
	Items []Shown `json:"items" nullable:"false" minItems:"1" maxItems:"100"`
}

// Shown is an announcement under the digest that was shown.
type Shown struct {
	ID     string `json:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Digest string `json:"digest" pattern:"^[0-9a-f]{64}$"`
	// Difference and Accept are as for a single one.
	Difference string `json:"difference,omitempty" pattern:"^[0-9a-f]{64}$" doc:"The digest of the difference that was shown"`
	Accept     bool   `json:"accept_difference,omitempty" doc:"Go on whatever it changes of other soundings"`
}

// Verdict is what came of one of them.
type Verdict struct {
	ID           string        `json:"id"`
	Announcement *Announcement `json:"announcement,omitempty" doc:"Signed, and published if that was the last signature needed"`
	Problem      *Problem      `json:"problem,omitempty" doc:"Not signed, and why"`
}

type approvalsInput struct{ Body Approvals }

type verdictsAnswer struct {
	Body struct {
		Verdicts []Verdict `json:"verdicts" nullable:"false" doc:"In the order of the request"`
	}
}

// NewCorrection is what is said in place of what is withdrawn.
type NewCorrection struct {
	Digest   string       `json:"digest" pattern:"^[0-9a-f]{64}$" doc:"The digest under which the announcement to be withdrawn was shown"`
	Title    string       `json:"title,omitempty" maxLength:"400" doc:"Left out: a correction of its title"`
	Versions []NewVersion `json:"versions" nullable:"false" minItems:"1" maxItems:"6"`
}

type withdrawInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body struct {
		Reason     string         `json:"reason" maxLength:"300"`
		Correction *NewCorrection `json:"correction,omitempty" doc:"What is said in its place at once, in the same areas and class; recordings that the policy lists as corrections"`
	}
}

func (s *server) announcements(r *registry) {
	on(r, "create-announcement", s.create)
	on(r, "revise-announcement", s.revise)
	on(r, "list-announcements", s.list)
	on(r, "get-announcement", s.announcement)
	on(r, "submit-announcement", s.submit)
	on(r, "approve-announcement", s.approve)
	on(r, "approve-announcements", s.approveAll)
	on(r, "withdraw-announcement", s.withdraw)
	on(r, "get-forecast", s.forecast)
}

func (s *server) create(ctx context.Context, in *createInput) (*createAnswer, error) {
	return s.draft(ctx, "announcement", in.Key, in.Body, s.cfg.Desk.Create)
}

func (s *server) revise(ctx context.Context, in *reviseInput) (*createAnswer, error) {
	if _, err := s.readable(ctx, broadcast.ID(in.ID)); err != nil {
		return nil, err
	}
	return s.draft(ctx, "revision of "+in.ID, in.Key, in.Body,
		func(ctx context.Context, by people.Person, d desk.Draft, kept func(store.Tx, desk.Announcement) error) (desk.Announcement, error) {
			return s.cfg.Desk.Revise(ctx, by, broadcast.ID(in.ID), d, kept)
		})
}

// keeping is how the desk keeps a draft.
type keeping func(ctx context.Context, by people.Person, d desk.Draft, kept func(store.Tx, desk.Announcement) error) (desk.Announcement, error)

// draft has the desk keep a draft, once for each key.
func (s *server) draft(ctx context.Context, scope, key string, body NewAnnouncement, keep keeping) (*createAnswer, error) {
	request, err := broadcast.Encode(body)
	if err != nil {
		return nil, err
	}
	name := once{person: callerOf(ctx).Person.ID, scope: scope, key: key}
	digest := broadcast.Sum(request)
	if old, found, err := s.answered(ctx, name); err != nil || found {
		return again(old, digest, err)
	}
	draft, err := draftOf(body)
	if err != nil {
		return nil, err
	}
	made, err := keep(ctx, callerOf(ctx).Person, draft, func(tx store.Tx, a desk.Announcement) error {
		body, err := json.Marshal(s.viewOf(a))
		if err != nil {
			return err
		}
		return s.remember(ctx, tx, name, digest, http.StatusCreated, body)
	})
	if errors.Is(err, store.ErrConflict) && key != "" { // another request with this key was quicker
		old, _, err := s.answered(ctx, name)
		return again(old, digest, err)
	}
	if err != nil {
		return nil, err
	}
	return &createAnswer{Status: http.StatusCreated, Body: s.viewOf(made)}, nil
}

// again answers a repeated create.
func again(old store.Answer, request broadcast.Digest, err error) (*createAnswer, error) {
	if err != nil {
		return nil, err
	}
	status, body, err := replay(old, request)
	if err != nil {
		return nil, err
	}
	out := &createAnswer{Status: status}
	return out, json.Unmarshal(body, &out.Body)
}

func (s *server) list(ctx context.Context, in *listInput) (*listAnswer, error) {
	page, err := s.cfg.Desk.Announcements(ctx, broadcast.ID(in.Cursor), store.AnnouncementState(in.State), in.Limit)
	if err != nil {
		return nil, err
	}
	out := &listAnswer{}
	out.Body.Announcements = []Announcement{}
	for _, a := range page {
		if !s.reads(ctx, a) {
			continue
		}
		out.Body.Announcements = append(out.Body.Announcements, announcementOf(a))
	}
	if len(page) == in.Limit {
		out.Body.Next = string(page[len(page)-1].ID)
	}
	return out, nil
}

func (s *server) announcement(ctx context.Context, in *idPath) (*announcementAnswer, error) {
	return answer(s.readable(ctx, broadcast.ID(in.ID)))
}

func (s *server) submit(ctx context.Context, in *submitInput) (*announcementAnswer, error) {
	c := callerOf(ctx)
	var shown broadcast.Digest
	var accept []broadcast.Reason
	if in.Body != nil {
		shown = broadcast.Digest(in.Body.Digest)
		for _, why := range in.Body.Accept {
			accept = append(accept, broadcast.Reason(why))
		}
	}
	return s.foreseen(s.cfg.Desk.Submit(ctx, c.Person, c.credential(), broadcast.ID(in.ID), shown, accept...))
}

func (s *server) approve(ctx context.Context, in *publishInput) (*announcementAnswer, error) {
	c := callerOf(ctx)
	return s.foreseen(s.cfg.Desk.Approve(ctx, c.Person, c.credential(), broadcast.ID(in.ID), broadcast.Digest(in.Body.Digest),
		desk.Seen{Difference: broadcast.Digest(in.Body.Difference), Anything: in.Body.Accept}))
}

// approveAll signs each by itself: what cannot be signed says so in its place.
func (s *server) approveAll(ctx context.Context, in *approvalsInput) (*verdictsAnswer, error) {
	c := callerOf(ctx)
	var list []desk.Shown
	for _, item := range in.Body.Items {
		list = append(list, desk.Shown{ID: broadcast.ID(item.ID), Digest: broadcast.Digest(item.Digest),
			Seen: desk.Seen{Difference: broadcast.Digest(item.Difference), Anything: item.Accept}})
	}
	verdicts, err := s.cfg.Desk.ApproveAll(ctx, c.Person, c.credential(), list)
	if err != nil {
		return nil, err
	}
	out := &verdictsAnswer{}
	for _, v := range verdicts {
		row := Verdict{ID: string(v.ID)}
		if v.Err != nil {
			row.Problem = s.problem("approve "+string(v.ID), v.Err)
		} else {
			a := announcementOf(v.Announcement)
			row.Announcement = &a
		}
		out.Body.Verdicts = append(out.Body.Verdicts, row)
	}
	return out, nil
}

func (s *server) withdraw(ctx context.Context, in *withdrawInput) (*announcementAnswer, error) {
	c := callerOf(ctx)
	if n := in.Body.Correction; n != nil {
		correction := desk.Correction{Digest: broadcast.Digest(n.Digest), Title: n.Title, Versions: versionsOf(n.Versions)}
		return answer(s.cfg.Desk.Correct(ctx, c.Person, c.credential(), broadcast.ID(in.ID), in.Body.Reason, correction))
	}
	return answer(s.cfg.Desk.Withdraw(ctx, c.Person, c.credential(), broadcast.ID(in.ID), in.Body.Reason))
}

func answer(a desk.Announcement, err error) (*announcementAnswer, error) {
	if err != nil {
		return nil, err
	}
	return &announcementAnswer{Body: announcementOf(a)}, nil
}
