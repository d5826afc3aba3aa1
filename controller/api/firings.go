package api

import (
	"context"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/people"
)

// Firing is a template that somebody at a node's box fired with a key or a PIN,
// without any line. The node's own key tells of it.
type Firing struct {
	Announcement string    `json:"announcement" doc:"What the node calls it; its receipts have this id, and a withdrawal may name it"`
	Revision     int64     `json:"revision"`
	Node         string    `json:"node"`
	Area         string    `json:"area,omitempty"`
	AreaName     string    `json:"area_name,omitempty"`
	Key          string    `json:"key" doc:"The key switch or keypad, as the board's profile names it"`
	Person       string    `json:"person,omitempty" doc:"Whose PIN was typed; none: a key switch"`
	Template     string    `json:"template"`
	Title        string    `json:"title,omitempty" doc:"None: the house has no such template"`
	Class        string    `json:"class,omitempty"`
	At           string    `json:"at" format:"date-time" doc:"When the key was turned or the PIN typed, by the node's clock"`
	Clock        string    `json:"clock" doc:"What that rests on; with unset, only told counts"`
	Told         string    `json:"told" format:"date-time" doc:"When the controller learned of it"`
	Allowed      bool      `json:"allowed" doc:"The house has the very template, which names this key switch or person and this place"`
	Doubtful     bool      `json:"doubtful,omitempty" doc:"It was told while two boxes, or an old card, may have used the node's key"`
	Rung         string    `json:"rung,omitempty" doc:"The highest proved rung"`
	End          string    `json:"end,omitempty" doc:"The terminal rung, once there is one and nothing more is to come"`
	Reason       *Reason   `json:"reason,omitempty"`
	Evidence     *Evidence `json:"evidence,omitempty"`
	Attempts     int64     `json:"attempts"`
	Claimed      *Claimed  `json:"claimed,omitempty" doc:"What the node says beside that in receipts that came while two boxes, or an old card, may have used its key; it proves nothing"`
}

type firingsInput struct {
	Node  string `query:"node" pattern:"^[a-z0-9-]{1,40}$" doc:"Of this node alone"`
	Limit int64  `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type firingsAnswer struct {
	Body struct {
		Firings []Firing `json:"firings" nullable:"false"`
	}
}

func (s *server) firings(r *registry) { on(r, "list-firings", s.listFirings) }

func (s *server) listFirings(ctx context.Context, in *firingsInput) (*firingsAnswer, error) {
	list, err := s.cfg.Desk.Firings(ctx, broadcast.ID(in.Node), in.Limit)
	if err != nil {
		return nil, err
	}
	out := &firingsAnswer{}
	out.Body.Firings = []Firing{}
	for _, f := range list {
		if !s.sees(ctx, people.DeliveryRead, f.Area) {
			continue
		}
		out.Body.Firings = append(out.Body.Firings, s.firingOf(f))
	}
	return out, s.find(ctx, out.Body.Firings)
}

func (s *server) firingOf(f desk.Firing) Firing {
	out := Firing{Announcement: string(f.Announcement), Revision: int64(f.Of), Node: string(f.Node), Area: string(f.Area), Key: string(f.Key), Person: string(f.Person),
		Template: string(f.Template.ID), Title: f.Title, Class: string(f.Class), At: moment(f.At), Clock: string(f.Clock), Told: moment(f.Told),
		Allowed: f.Allowed, Doubtful: f.Doubtful, Rung: string(f.Rung), End: string(f.End), Reason: reasonOf(f.Reason),
		Evidence: evidenceOf(f.Evidence), Attempts: f.Attempts, Claimed: claimedOf(f.Claimed)}
	if f.Area != "" {
		out.AreaName = s.nameOf(f.Area)
	}
	return out
}
