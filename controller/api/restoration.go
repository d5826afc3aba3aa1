package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/dispatch"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Returner is a controller that came back out of a backup; see dispatch.Dispatch.
type Returner interface {
	Restored(ctx context.Context) (dispatch.Difference, error)
	Accept(ctx context.Context, by broadcast.ID, shown broadcast.Digest) error
}

// Restoration is what the nodes hold other than the backup that was restored.
type Restoration struct {
	Waiting bool `json:"waiting" doc:"The controller was restored, and gives out nothing of the backup until this is accepted"`
	// Made and At are empty unless it waits.
	Made   string   `json:"made,omitempty" format:"date-time" doc:"When the backup was made"`
	At     string   `json:"at,omitempty" format:"date-time" doc:"When it was restored"`
	Until  string   `json:"until,omitempty" format:"date-time" doc:"Nodes that say nothing are waited for until then; only afterwards can it be accepted"`
	Digest string   `json:"digest,omitempty" doc:"What is accepted"`
	Nodes  []Holder `json:"nodes" nullable:"false"`
	Ended  []Ended  `json:"ended" nullable:"false" doc:"Published in the backup; nodes say that it was withdrawn or replaced since. Accepting takes it out of the lists"`
}

// Holder is one confirmed node beside the backup.
type Holder struct {
	Node  string   `json:"node"`
	Area  string   `json:"area"`
	Heard bool     `json:"heard" doc:"It gave a state since the restore"`
	Same  bool     `json:"same" doc:"It holds exactly what the backup says"`
	Newer []string `json:"newer,omitempty" nullable:"false" doc:"Areas whose lists it has newer than the backup: what was done there after the backup is lost here"`
}

// Ended is an announcement that ended after the backup was made.
type Ended struct {
	Announcement string `json:"announcement"`
	Title        string `json:"title,omitempty"`
	Rung         string `json:"rung" enum:"withdrawn,superseded"`
	Node         string `json:"node" doc:"The first node that said so"`
}

type restorationAnswer struct{ Body Restoration }

type acceptInput struct {
	Body struct {
		Digest string `json:"digest" pattern:"^[0-9a-f]{64}$" doc:"Of the difference that was shown"`
	}
}

func (s *server) restorations(r *registry) {
	on(r, "get-restoration", s.getRestoration)
	on(r, "accept-restoration", s.acceptRestoration)
}

// getRestoration shows the whole difference to whoever may accept it.
func (s *server) getRestoration(ctx context.Context, _ *struct{}) (*restorationAnswer, error) {
	out := &restorationAnswer{Body: Restoration{Nodes: []Holder{}, Ended: []Ended{}}}
	d, err := s.cfg.Returner.Restored(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return out, nil
	}
	if err == nil {
		err = s.overAll(ctx, d)
	}
	if err != nil {
		return nil, err
	}
	out.Body.Waiting, out.Body.Digest = true, string(d.Digest)
	out.Body.Made, out.Body.At = moment(d.Made), moment(d.At)
	if d.Until != 0 {
		out.Body.Until = moment(d.Until)
	}
	for _, n := range d.Nodes {
		h := Holder{Node: string(n.Node), Area: string(n.Area), Heard: n.Heard, Same: n.Same}
		for _, area := range n.Newer {
			h.Newer = append(h.Newer, string(area))
		}
		out.Body.Nodes = append(out.Body.Nodes, h)
	}
	for _, t := range d.Ended {
		e := Ended{Announcement: string(t.Announcement), Rung: string(t.Rung), Node: string(t.Node)}
		if a, err := s.cfg.Desk.Announcement(ctx, t.Announcement); err == nil {
			e.Title = a.Document.Title
		}
		out.Body.Ended = append(out.Body.Ended, e)
	}
	return out, nil
}

// acceptRestoration lets the controller speak again.
func (s *server) acceptRestoration(ctx context.Context, in *acceptInput) (*struct{}, error) {
	d, err := s.cfg.Returner.Restored(ctx)
	if errors.Is(err, store.ErrNotFound) {
		return nil, problem(http.StatusConflict, "not-restored", "no restored backup waits to be accepted", "Không có bản khôi phục nào chờ xác nhận.")
	}
	if err == nil {
		err = s.overAll(ctx, d)
	}
	if err != nil {
		return nil, err
	}
	return nil, s.cfg.Returner.Accept(ctx, callerOf(ctx).Person.ID, broadcast.Digest(in.Body.Digest))
}

// overAll refuses whoever does not answer for every node: a restored house speaks
// again as a whole.
func (s *server) overAll(ctx context.Context, d dispatch.Difference) error {
	var areas []broadcast.ID
	for _, n := range d.Nodes {
		areas = append(areas, n.Area)
	}
	return s.cfg.Office.Authorise(callerOf(ctx).Person, people.HouseRestore, areas...)
}
