package api

import (
	"context"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Fault is one failure, with the words of the one table of faults. A code that
// this version does not know stands for itself.
type Fault struct {
	ID       string `json:"id"`
	Node     string `json:"node,omitempty" doc:"None: the controller itself"`
	Area     string `json:"area,omitempty"`
	AreaName string `json:"area_name,omitempty"`
	Code     string `json:"code"`
	Gravity  string `json:"gravity" enum:"grave,trouble,notice"`
	Part     string `json:"part" doc:"What a technician goes to"`
	PartVI   string `json:"part_vi"`
	PartEN   string `json:"part_en"`
	Which    string `json:"which,omitempty" doc:"Which one, where there are several: a kind of record, an announcement, an officer"`
	Since    string `json:"since" format:"date-time" doc:"By the clock of whoever declared it"`
	Shown    string `json:"shown" format:"date-time" doc:"Since when the controller knows"`
	Cleared  string `json:"cleared,omitempty" format:"date-time"`
	// LastKnown is told of what a node said before it was lost.
	LastKnown bool   `json:"last_known,omitempty" doc:"The node is gone: this was so when it was last heard of"`
	Cause     string `json:"cause,omitempty" doc:"What the machine said, for whoever mends it"`
	VI        string `json:"vi"`
	EN        string `json:"en"`
	DoVI      string `json:"do_vi" doc:"What to do about it"`
	DoEN      string `json:"do_en"`
}

type faultsInput struct {
	Node   string `query:"node" pattern:"^[a-z0-9-]{1,40}$" doc:"Of this node alone"`
	Area   string `query:"area" pattern:"^[a-z0-9-]{1,40}$" doc:"Of nodes in this area and below"`
	Code   string `query:"code" pattern:"^[a-z0-9-]{1,40}$" doc:"Of this code alone"`
	State  string `query:"state" enum:"open,all" default:"open" doc:"Open ones, or those that are over as well"`
	Cursor string `query:"cursor" pattern:"^[a-z0-9-]{1,40}$" doc:"next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"100"`
}

type faultsAnswer struct {
	Body struct {
		Faults []Fault `json:"faults" nullable:"false"`
		Next   string  `json:"next,omitempty" doc:"Cursor of the next page, if there is one"`
	}
}

func (s *server) faults(r *registry) { on(r, "list-faults", s.listFaults) }

func (s *server) listFaults(ctx context.Context, in *faultsInput) (*faultsAnswer, error) {
	nodes, err := s.cfg.DB.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	areas := map[broadcast.ID]broadcast.ID{}
	for _, n := range nodes {
		areas[n.ID] = n.Area
	}
	rows, err := s.cfg.DB.Faults(ctx, store.FaultQuery{Nodes: s.asked(ctx, in, nodes), Code: broadcast.FaultCode(in.Code),
		Open: in.State == "open", Before: broadcast.ID(in.Cursor), Limit: in.Limit + 1})
	if err != nil {
		return nil, err
	}
	out := &faultsAnswer{}
	out.Body.Faults = []Fault{}
	for i, f := range rows {
		if i == in.Limit {
			out.Body.Next = out.Body.Faults[i-1].ID
			break
		}
		out.Body.Faults = append(out.Body.Faults, s.faultOf(f, areas[f.Node]))
	}
	return out, nil
}

// asked are the nodes that a question means and whoever asks may see; nil for
// all of them and the controller itself, which is everybody's.
func (s *server) asked(ctx context.Context, in *faultsInput, nodes []store.Node) []broadcast.ID {
	out := []broadcast.ID{}
	for _, n := range nodes {
		meant := (in.Node == "" || string(n.ID) == in.Node) && (in.Area == "" || s.inside(n.Area, broadcast.ID(in.Area)))
		if meant && s.sees(ctx, people.NodeRead, n.Area) {
			out = append(out, n.ID)
		}
	}
	if in.Node != "" || in.Area != "" {
		return out
	}
	if len(out) == len(nodes) {
		return nil
	}
	return append(out, "")
}

// inside says whether one area is another or lies in it today.
func (s *server) inside(area, upper broadcast.ID) bool {
	chain, err := s.cfg.Fleet.Chain(area)
	return err == nil && slices.ContainsFunc(chain, func(p broadcast.Place) bool { return p.Area == upper })
}

func (s *server) faultOf(f store.Fault, area broadcast.ID) Fault {
	row, known := broadcast.FaultOf(f.Code)
	if !known {
		row = broadcast.Fault{Gravity: broadcast.Trouble, VI: string(f.Code), EN: string(f.Code)}
	}
	out := Fault{ID: string(f.ID), Node: string(f.Node), Area: string(area), Code: string(f.Code), Gravity: string(row.Gravity),
		Part: string(row.Part), Which: f.Part, Since: moment(f.Since), Shown: moment(f.Shown), Cleared: moment(f.Cleared),
		LastKnown: f.LastKnown, Cause: f.Cause, VI: row.VI, EN: row.EN, DoVI: row.DoVI, DoEN: row.DoEN}
	if area != "" {
		out.AreaName = s.nameOf(area)
	}
	for _, p := range broadcast.Parts() {
		if p.Part == row.Part {
			out.PartVI, out.PartEN = p.VI, p.EN
		}
	}
	return out
}
