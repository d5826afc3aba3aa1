package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/preview"
	"github.com/loaxa/loaxa/controller/store"
)

// Node is one speaker site. What is not its place or status is a hint that it
// gave of itself, and proves nothing.
type Node struct {
	ID        string  `json:"id"`
	Area      string  `json:"area"`
	AreaName  string  `json:"area_name"`
	Status    string  `json:"status" enum:"invited,pending,confirmed,revoked"`
	Board     string  `json:"board,omitempty"`
	ShortCode string  `json:"short_code,omitempty" doc:"Of a pending node: compare it with the device on site"`
	Present   bool    `json:"present"`
	LastSign  string  `json:"last_sign,omitempty" format:"date-time"`
	Version   string  `json:"version,omitempty"`
	Clock     string  `json:"clock,omitempty"`
	Holding   string  `json:"holding,omitempty" doc:"Digest of the documents that it holds"`
	Drift     bool    `json:"drift,omitempty" doc:"It said that it holds something else than it ought to"`
	Missing   int64   `json:"missing_bytes,omitempty" doc:"Sound wanted but not yet on board"`
	Free      int64   `json:"free_bytes,omitempty"`
	Supply    *Supply `json:"supply,omitempty" doc:"What feeds it, where its board can tell"`
	Faults    []Fault `json:"faults" nullable:"false" doc:"What is wrong now: what the node says, and what the controller finds out"`
	Doubt     *Doubt  `json:"doubt,omitempty" doc:"There is one if the node may not be the one box that was confirmed"`
}

// Supply is what a node last said of its power and its heat.
type Supply struct {
	Mains   bool     `json:"mains"`
	Celsius *int64   `json:"celsius,omitempty" doc:"The hottest temperature in the box"`
	Charge  *int64   `json:"charge_percent,omitempty" doc:"Of its battery, as it estimates"`
	Hours   *int64   `json:"hours_left,omitempty" doc:"Without mains and without sounding, until only the reserve of emergencies is left"`
	Volts   *float64 `json:"volts,omitempty" doc:"At the battery"`
}

func supplyOf(s *wire.Supply) *Supply {
	if s == nil {
		return nil
	}
	out := &Supply{Mains: s.Mains, Celsius: s.Celsius}
	if b := s.Battery; b != nil {
		out.Charge, out.Hours = &b.Charge, &b.Hours
		if b.Millivolts != nil {
			out.Volts = new(float64(*b.Millivolts) / 1000)
		}
	}
	return out
}

// Doubt is why a node may not be the one box that was confirmed: its receipts
// have two continuations. They are all kept and marked doubtful.
type Doubt struct {
	Code  string `json:"code" enum:"rolled-back,duplicate" doc:"A card was put back to an earlier state, or two boxes use one key"`
	Since string `json:"since" format:"date-time"`
	VI    string `json:"vi"`
	EN    string `json:"en"`
	DoVI  string `json:"do_vi" doc:"What to do about it"`
	DoEN  string `json:"do_en"`
}

type nodesAnswer struct {
	Body struct {
		Nodes []Node `json:"nodes" nullable:"false"`
	}
}

type confirmInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body struct {
		ShortCode string `json:"short_code" pattern:"^[0-9a-f]{4}-[0-9a-f]{4}$" doc:"As the device shows it"`
	}
}

type planInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	From string `query:"from" format:"date-time" doc:"Left out: now"`
	To   string `query:"to" format:"date-time" doc:"Left out: 24 hours after from; at most 35 days"`
}

func (s *server) nodes(r *registry) {
	on(r, "list-nodes", s.listNodes)
	on(r, "confirm-node", s.confirm)
	on(r, "revoke-node", s.revoke)
	on(r, "get-plan", s.plan)
}

func confirmed(n fleet.Standing) bool { return n.Node.Status == store.Confirmed }

func (s *server) listNodes(ctx context.Context, _ *struct{}) (*nodesAnswer, error) {
	standings, err := s.cfg.Fleet.Overview(ctx)
	if err != nil {
		return nil, err
	}
	out := &nodesAnswer{}
	out.Body.Nodes = []Node{}
	for _, n := range standings {
		if !s.sees(ctx, people.NodeRead, n.Node.Area) {
			continue
		}
		node := s.nodeOf(n)
		if node.Drift, err = s.drifts(ctx, n); err != nil {
			return nil, err
		}
		out.Body.Nodes = append(out.Body.Nodes, node)
	}
	return out, nil
}

// drifts compares what a confirmed node said that it holds with what it ought
// to hold.
func (s *server) drifts(ctx context.Context, n fleet.Standing) (bool, error) {
	if s.cfg.Holdings == nil || n.State == nil || !confirmed(n) {
		return false, nil
	}
	for _, p := range n.Chain { // every area of its place gives a node a list
		if _, has := n.State.Manifests[p.Area]; !has && len(n.State.Manifests) > 0 {
			return true, nil
		}
	}
	want, err := s.cfg.Holdings.Holding(ctx, n.Node.ID)
	return err == nil && want != n.State.Holding, err
}

func (s *server) nodeOf(n fleet.Standing) Node {
	out := Node{ID: string(n.Node.ID), Area: string(n.Node.Area), AreaName: s.nameOf(n.Node.Area), Status: string(n.Node.Status),
		Board: n.Node.Board, Present: n.Present, Faults: []Fault{},
		LastSign: moment(n.LastSign), Doubt: doubtOf(n.Doubt)}
	if n.Node.Status == store.Pending {
		out.ShortCode, _ = wire.ShortCode(n.Node.Key) // a pending node has a key
	}
	if n.State != nil {
		out.Version, out.Clock, out.Holding = n.State.Version, string(n.State.Clock), string(n.State.Holding)
		out.Missing, out.Free = n.State.Missing, n.State.Free
		out.Supply = supplyOf(n.State.Supply)
	}
	for _, f := range n.Faults {
		out.Faults = append(out.Faults, s.faultOf(f, n.Node.Area))
	}
	return out
}

// doubtOf finds the words of a doubt in the one table of faults.
func doubtOf(d *store.Doubt) *Doubt {
	if d == nil {
		return nil
	}
	words, _ := broadcast.FaultOf(d.Code)
	return &Doubt{Code: string(d.Code), Since: moment(d.Since), VI: words.VI, EN: words.EN, DoVI: words.DoVI, DoEN: words.DoEN}
}

// confirm takes a node in with the caller's signature on its place.
func (s *server) confirm(ctx context.Context, in *confirmInput) (*nodesAnswer, error) {
	c := callerOf(ctx)
	n, err := s.cfg.DB.Node(ctx, broadcast.ID(in.ID))
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Office.Authorise(c.Person, people.NodeConfirm, n.Area); err != nil {
		return nil, err
	}
	err = s.cfg.Office.With(ctx, c.credential(), func(signer seal.Signer) error {
		return s.cfg.Fleet.Confirm(ctx, c.Person.ID, n.ID, in.Body.ShortCode, signer)
	})
	if err != nil {
		return nil, err
	}
	return s.listNodes(ctx, nil)
}

// revoke takes a node out again; dispatch ends its session.
func (s *server) revoke(ctx context.Context, in *idPath) (*nodesAnswer, error) {
	c := callerOf(ctx)
	n, err := s.cfg.DB.Node(ctx, broadcast.ID(in.ID))
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Office.Authorise(c.Person, people.NodeConfirm, n.Area); err != nil {
		return nil, err
	}
	if err := s.cfg.Fleet.Revoke(ctx, c.Person.ID, n.ID); err != nil {
		return nil, err
	}
	return s.listNodes(ctx, nil)
}

type planAnswer struct{ Body Plan }

func (s *server) plan(ctx context.Context, in *planInput) (*planAnswer, error) {
	window, err := s.window(in)
	if err != nil {
		return nil, err
	}
	n, err := s.cfg.DB.Node(ctx, broadcast.ID(in.ID))
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Office.Authorise(callerOf(ctx).Person, people.PlanRead, n.Area); err != nil {
		return nil, err
	}
	ring, err := s.cfg.Office.Ring(ctx)
	if err != nil {
		return nil, err
	}
	p, err := preview.Of(ctx, preview.Source{DB: s.cfg.DB, Ring: ring, Now: s.now()}, broadcast.ID(in.ID), window)
	switch {
	case errors.Is(err, preview.ErrNoPlace):
		return nil, problem(http.StatusConflict, "node-status", err.Error(), "Cụm loa chưa được xác nhận tại chỗ.")
	case errors.Is(err, preview.ErrCrowded):
		return nil, problem(http.StatusUnprocessableEntity, "crowded", err.Error(),
			"Quá nhiều lượt phát trong 24 giờ tới: cụm loa chỉ phát tin khẩn cấp cho đến khi một phần được thu hồi hoặc đã qua.")
	case errors.Is(err, plan.ErrTooMany):
		return nil, problem(http.StatusUnprocessableEntity, "window", err.Error(), "Quá nhiều lượt phát: hãy xem khoảng thời gian ngắn hơn.")
	case err != nil:
		return nil, err
	}
	return &planAnswer{Body: planOf(p)}, nil
}

func (s *server) window(in *planInput) (plan.Window, error) {
	from, err := instant("from", in.From)
	if err != nil {
		return plan.Window{}, err
	}
	to, err := instant("to", in.To)
	if err != nil {
		return plan.Window{}, err
	}
	if from == 0 {
		from = s.now()
	}
	if to == 0 {
		to = from.Add(24 * time.Hour)
	}
	if length := to.Sub(from); length <= 0 || length > plan.MaxWindow {
		return plan.Window{}, problem(http.StatusUnprocessableEntity, "window", "to must lie after from and at most 35 days later",
			"Thời điểm kết thúc phải sau thời điểm bắt đầu và không quá 35 ngày.")
	}
	return plan.Window{From: from, To: to}, nil
}
