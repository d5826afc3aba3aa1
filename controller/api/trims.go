package api

import (
	"context"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Trim is how a node is set beside others.
type Trim struct {
	Node string `json:"node"`
	Trim int64  `json:"trim_cdb" doc:"Added to every volume, emergencies too, in hundredths of a decibel: -300 is 3 dB softer"`
}

type trimAnswer struct{ Body Trim }

type trimInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body struct {
		Before int64 `json:"before_cdb" doc:"The trim that was shown"`
		Trim   int64 `json:"trim_cdb" minimum:"-2000" maximum:"0" doc:"The one that takes its place, in hundredths of a decibel"`
	}
}

func (s *server) trims(r *registry) {
	on(r, "get-trim", func(ctx context.Context, in *idPath) (*trimAnswer, error) {
		n, err := s.nodeFor(ctx, in.ID, people.NodeRead)
		if err != nil {
			return nil, err
		}
		trim, err := s.cfg.Fleet.TrimOf(ctx, n.ID)
		return &trimAnswer{Body: Trim{Node: in.ID, Trim: trim}}, err
	})
	on(r, "trim-node", func(ctx context.Context, in *trimInput) (*trimAnswer, error) {
		n, err := s.nodeFor(ctx, in.ID, people.NodeConfirm)
		if err != nil {
			return nil, err
		}
		c := callerOf(ctx)
		err = s.cfg.Office.With(ctx, c.credential(), func(signer seal.Signer) error {
			return s.cfg.Fleet.Trim(ctx, c.Person.ID, n.ID, in.Body.Before, in.Body.Trim, signer)
		})
		return &trimAnswer{Body: Trim{Node: in.ID, Trim: in.Body.Trim}}, err
	})
}

// nodeFor returns a node on which whoever asks may do something.
func (s *server) nodeFor(ctx context.Context, id string, need people.Permission) (store.Node, error) {
	n, err := s.cfg.DB.Node(ctx, broadcast.ID(id))
	if err != nil {
		return n, err
	}
	return n, s.cfg.Office.Authorise(callerOf(ctx).Person, need, n.Area)
}
