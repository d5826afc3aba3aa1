package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/feedback"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// NewFeedback is what somebody has to say of a loudspeaker.
type NewFeedback struct {
	Area    string `json:"area" pattern:"^[a-z0-9-]{1,40}$" doc:"The commune or village in which it was heard, or was not"`
	Kind    string `json:"kind" enum:"too-loud,not-heard,broken,other"`
	Text    string `json:"text,omitempty" maxLength:"1000"`
	Contact string `json:"contact,omitempty" maxLength:"100" doc:"How to reach whoever says so; shown to those who work on it"`
}

// Feedback is one report, and what was done about it.
type Feedback struct {
	ID      string `json:"id"`
	Version int64  `json:"version" doc:"Name it when you change the entry"`
	NewFeedback
	AreaName string `json:"area_name"`
	TakenBy  string `json:"taken_by,omitempty" doc:"Who wrote it down; none: somebody sent it without a login"`
	Created  string `json:"created" format:"date-time"`
	Node     string `json:"node,omitempty" doc:"The node that it is about"`
	Assigned string `json:"assigned,omitempty" format:"date-time"`
	// AssignedBy and the rest say who did what.
	AssignedBy string `json:"assigned_by,omitempty"`
	TrimBefore *int64 `json:"trim_before_cdb,omitempty" doc:"How the node was set when it was assigned, in hundredths of a decibel"`
	TrimAfter  *int64 `json:"trim_after_cdb,omitempty" doc:"How it was set when this was answered"`
	Answer     string `json:"answer,omitempty"`
	Closed     string `json:"closed,omitempty" format:"date-time" doc:"None: it is still open"`
	ClosedBy   string `json:"closed_by,omitempty"`
}

type sendFeedbackInput struct{ Body NewFeedback }

type sentFeedback struct {
	Body struct {
		ID string `json:"id" doc:"To be named when one asks the office about it"`
	}
}

type createFeedbackInput struct {
	Key  string `header:"Idempotency-Key" maxLength:"100" doc:"The same key and body give the same answer, also after a restart"`
	Body NewFeedback
}

// createdFeedback carries the bytes as they were kept.
type createdFeedback struct {
	Status int
	Body   Feedback
}

type feedbackQuery struct {
	Area   string `query:"area" pattern:"^[a-z0-9-]{1,40}$" doc:"This one and those below; left out: all of the caller's"`
	State  string `query:"state" enum:"open,closed" doc:"Left out: both"`
	Cursor string `query:"cursor" pattern:"^[a-z0-9-]{1,40}$" doc:"next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

type feedbackList struct {
	Body struct {
		Feedback []Feedback `json:"feedback" nullable:"false"`
		Next     string     `json:"next,omitempty" doc:"Cursor of the next page, if there is one"`
	}
}

type feedbackAnswer struct{ Body Feedback }

type assignFeedbackInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body struct {
		Version int64  `json:"version" doc:"The one that was read"`
		Node    string `json:"node" pattern:"^[a-z0-9-]{1,40}$"`
	}
}

type closeFeedbackInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body struct {
		Version int64  `json:"version" doc:"The one that was read"`
		Answer  string `json:"answer" minLength:"1" maxLength:"1000" doc:"What was found and done"`
	}
}

func (s *server) feedback(r *registry) {
	on(r, "send-feedback", s.sendFeedback)
	on(r, "create-feedback", s.createFeedback)
	on(r, "list-feedback", s.listFeedback)
	on(r, "get-feedback", func(ctx context.Context, in *idPath) (*feedbackAnswer, error) {
		row, err := s.worked(ctx, in.ID, people.DeliveryRead)
		if err != nil {
			return nil, err
		}
		return s.feedbackAnswer(ctx, row), nil
	})
	on(r, "assign-feedback", s.assignFeedback)
	on(r, "close-feedback", s.closeFeedback)
}

// sendFeedback takes what a stranger says. The answer tells nothing but its name.
func (s *server) sendFeedback(ctx context.Context, in *sendFeedbackInput) (*sentFeedback, error) {
	row, err := s.cfg.Feedback.Hear(ctx, callerOf(ctx).visit.Address, reportOf(in.Body))
	if err != nil {
		return nil, err
	}
	out := &sentFeedback{}
	out.Body.ID = string(row.ID)
	return out, nil
}

func reportOf(n NewFeedback) feedback.Report {
	return feedback.Report{Area: broadcast.ID(n.Area), Kind: feedback.Kind(n.Kind), Text: n.Text, Contact: n.Contact}
}

func (s *server) createFeedback(ctx context.Context, in *createFeedbackInput) (*createdFeedback, error) {
	by := callerOf(ctx).Person
	if err := s.knownArea(broadcast.ID(in.Body.Area)); err != nil {
		return nil, err
	}
	if err := s.cfg.Office.Authorise(by, people.FeedbackWrite, broadcast.ID(in.Body.Area)); err != nil {
		return nil, err
	}
	request, err := broadcast.Encode(in.Body)
	if err != nil {
		return nil, err
	}
	name, digest := once{person: by.ID, scope: "feedback", key: in.Key}, broadcast.Sum(request)
	if old, found, err := s.answered(ctx, name); err != nil || found {
		return feedbackAgain(old, digest, err)
	}
	row, err := s.cfg.Feedback.Take(ctx, by.ID, reportOf(in.Body), func(tx store.Tx, row store.Feedback) error {
		body, err := json.Marshal(s.feedbackOf(row, true))
		if err != nil {
			return err
		}
		return s.remember(ctx, tx, name, digest, http.StatusCreated, body)
	})
	if errors.Is(err, store.ErrConflict) && in.Key != "" { // another request with this key was quicker
		old, _, err := s.answered(ctx, name)
		return feedbackAgain(old, digest, err)
	}
	if err != nil {
		return nil, err
	}
	return &createdFeedback{Status: http.StatusCreated, Body: s.feedbackOf(row, true)}, nil
}

// feedbackAgain answers a repeated create.
func feedbackAgain(old store.Answer, request broadcast.Digest, err error) (*createdFeedback, error) {
	if err != nil {
		return nil, err
	}
	status, body, err := replay(old, request)
	if err != nil {
		return nil, err
	}
	out := &createdFeedback{Status: status}
	return out, json.Unmarshal(body, &out.Body)
}

func (s *server) listFeedback(ctx context.Context, in *feedbackQuery) (*feedbackList, error) {
	upper := broadcast.ID(in.Area)
	if upper != "" {
		if err := s.mayRead(ctx, upper); err != nil {
			return nil, err
		}
	}
	q := feedback.Query{Open: in.State == "open", Closed: in.State == "closed", Before: broadcast.ID(in.Cursor), Limit: in.Limit + 1}
	for _, a := range s.cfg.Tree().Areas() {
		if (upper == "" || upper == a.ID || s.cfg.Tree().Covers(upper, a.ID, s.now())) && s.sees(ctx, people.DeliveryRead, a.ID) {
			q.Areas = append(q.Areas, a.ID)
		}
	}
	rows, err := s.cfg.Feedback.List(ctx, q)
	if err != nil {
		return nil, err
	}
	out := &feedbackList{}
	out.Body.Feedback = []Feedback{}
	for i, row := range rows {
		if i == in.Limit {
			out.Body.Next = string(rows[i-1].ID)
			break
		}
		out.Body.Feedback = append(out.Body.Feedback, s.feedbackAnswer(ctx, row).Body)
	}
	return out, nil
}

// worked returns an entry that the one who asks may read or work on.
func (s *server) worked(ctx context.Context, id string, need people.Permission) (store.Feedback, error) {
	row, err := s.cfg.Feedback.Entry(ctx, broadcast.ID(id))
	if err != nil {
		return row, err
	}
	if s.sees(ctx, need, row.Area) {
		return row, nil
	}
	return row, s.cfg.Office.Authorise(callerOf(ctx).Person, need, row.Area)
}

func (s *server) assignFeedback(ctx context.Context, in *assignFeedbackInput) (*feedbackAnswer, error) {
	row, err := s.worked(ctx, in.ID, people.FeedbackWrite)
	if err != nil {
		return nil, err
	}
	if n, err := s.cfg.DB.Node(ctx, broadcast.ID(in.Body.Node)); err == nil && !s.sees(ctx, people.FeedbackWrite, n.Area) {
		return nil, s.cfg.Office.Authorise(callerOf(ctx).Person, people.FeedbackWrite, n.Area)
	}
	row, err = s.cfg.Feedback.Assign(ctx, callerOf(ctx).Person.ID, row.ID, in.Body.Version, broadcast.ID(in.Body.Node))
	if err != nil {
		return nil, err
	}
	return s.feedbackAnswer(ctx, row), nil
}

func (s *server) closeFeedback(ctx context.Context, in *closeFeedbackInput) (*feedbackAnswer, error) {
	row, err := s.worked(ctx, in.ID, people.FeedbackWrite)
	if err != nil {
		return nil, err
	}
	row, err = s.cfg.Feedback.Close(ctx, callerOf(ctx).Person.ID, row.ID, in.Body.Version, in.Body.Answer)
	if err != nil {
		return nil, err
	}
	return s.feedbackAnswer(ctx, row), nil
}

// feedbackAnswer shows an entry, with the contact to those who work on it.
func (s *server) feedbackAnswer(ctx context.Context, row store.Feedback) *feedbackAnswer {
	return &feedbackAnswer{Body: s.feedbackOf(row, s.sees(ctx, people.FeedbackWrite, row.Area))}
}

func (s *server) feedbackOf(f store.Feedback, all bool) Feedback {
	out := Feedback{ID: string(f.ID), Version: f.Version, AreaName: s.nameOf(f.Area), TakenBy: string(f.TakenBy), Created: moment(f.Created),
		NewFeedback: NewFeedback{Area: string(f.Area), Kind: f.Kind, Text: f.Text},
		Node:        string(f.Node), Assigned: moment(f.Assigned), AssignedBy: string(f.AssignedBy), Answer: f.Answer, Closed: moment(f.Closed), ClosedBy: string(f.ClosedBy)}
	if all {
		out.Contact = f.Contact
	}
	if f.Node != "" {
		out.TrimBefore = &f.TrimBefore
	}
	if f.Node != "" && f.Closed != 0 {
		out.TrimAfter = &f.TrimAfter
	}
	return out
}
