package api

import (
	"context"

	"github.com/loaxa/loaxa/broadcast"
)

// Area is a place in today's organisation tree.
type Area struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Code   string `json:"code,omitempty"`
	Level  string `json:"level" enum:"province,district,commune,village"`
	Parent string `json:"parent,omitempty"`
	Nodes  int    `json:"nodes" doc:"Confirmed nodes here and below"`
}

type areasAnswer struct {
	Body struct {
		Areas []Area `json:"areas" nullable:"false" doc:"Parents before their children"`
	}
}

func (s *server) areas(r *registry) { on(r, "list-areas", s.listAreas) }

func (s *server) listAreas(ctx context.Context, _ *struct{}) (*areasAnswer, error) {
	standings, err := s.cfg.Fleet.Overview(ctx)
	if err != nil {
		return nil, err
	}
	nodes := map[broadcast.ID]int{}
	for _, n := range standings {
		if !confirmed(n) {
			continue
		}
		for _, p := range n.Chain {
			nodes[p.Area]++
		}
	}
	out := &areasAnswer{}
	out.Body.Areas = []Area{}
	for _, a := range s.cfg.Tree().Areas() {
		if f, ok := a.At(s.now()); ok {
			out.Body.Areas = append(out.Body.Areas, Area{ID: string(a.ID), Name: f.Name, Code: f.Code, Level: string(f.Level),
				Parent: string(f.Parent), Nodes: nodes[a.ID]})
		}
	}
	return out, nil
}

// nameOf is what an area is called today, or its id.
func (s *server) nameOf(id broadcast.ID) string {
	if a, ok := s.cfg.Tree().Find(id); ok {
		if f, ok := a.At(s.now()); ok {
			return f.Name
		}
	}
	return string(id)
}
