package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/calendar"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/preview"
	"github.com/loaxa/loaxa/controller/store"
)

// Ahead is what nodes will sound and, for what they will not, why. It assumes
// contact with the controller, a proved clock, power, and nodes that were on duty
// all day.
type Ahead struct {
	From      string     `json:"from" format:"date-time"`
	To        string     `json:"to" format:"date-time"`
	Nodes     int        `json:"nodes" doc:"Confirmed nodes that were looked at"`
	Unseen    int        `json:"nodes_unseen,omitempty" doc:"Nodes that were not"`
	Trouble   string     `json:"trouble,omitempty" doc:"Why something was not looked at"`
	More      int        `json:"more,omitempty" doc:"Occurrences that are left out: ask for fewer days"`
	Prospects []Prospect `json:"prospects" nullable:"false" doc:"In the order in which they are due; nodes that meet one alike share a line"`
}

// Prospect is one occurrence that some nodes meet alike.
type Prospect struct {
	Announcement string     `json:"announcement"`
	Title        string     `json:"title"`
	Class        string     `json:"class"`
	Drill        bool       `json:"drill,omitempty"`
	Start        string     `json:"start" format:"date-time"`
	Fate         Fate       `json:"fate"`
	Before       *Fate      `json:"before,omitempty" doc:"In a difference: how it would have ended; planned is false for what comes in anew"`
	Other        *OtherItem `json:"other,omitempty" doc:"What sounds at that time"`
	Text         Words      `json:"text" doc:"All this in one line"`
	Nodes        int        `json:"nodes"`
	Areas        []Share    `json:"areas" nullable:"false" doc:"Where the nodes stand; at most 200 areas"`
}

// Fate is how an occurrence ends.
type Fate struct {
	Planned bool    `json:"planned"`
	Sounds  bool    `json:"sounds"`
	Reason  *Reason `json:"reason,omitempty" doc:"Why it is silent, late, cut or not whole; none if all is well"`
	From    string  `json:"from,omitempty" format:"date-time"`
	To      string  `json:"to,omitempty" format:"date-time"`
	Inside  string  `json:"inside,omitempty" doc:"The programme in which an offer sounds"`
	Limit   string  `json:"limit,omitempty" doc:"What the rule allows, such as its hours"`
}

// Difference is what publishing something would change of everything else.
type Difference struct {
	From    string     `json:"from,omitempty" format:"date-time"`
	To      string     `json:"to,omitempty" format:"date-time"`
	Digest  string     `json:"digest,omitempty" doc:"Name it as difference when you sign"`
	Nodes   int        `json:"nodes"`
	Unseen  int        `json:"nodes_unseen,omitempty"`
	Trouble string     `json:"trouble,omitempty" doc:"Why something was not looked at"`
	Others  int        `json:"others" doc:"How many occurrences of other announcements end otherwise; if any, a signature has to name the digest"`
	More    int        `json:"more,omitempty" doc:"Changes that are left out"`
	Shifts  []Prospect `json:"shifts" nullable:"false" doc:"What falls silent first"`
}

// maxProspects bounds an answer.
const maxProspects = 1000

type aheadInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	From string `query:"from" format:"date-time" doc:"Left out: now"`
	Days int    `query:"days" minimum:"1" maximum:"35" default:"7"`
}

type aheadAnswer struct{ Body Ahead }

type differenceAnswer struct{ Body Difference }

type daysInput struct {
	Area   string `query:"area" required:"true" pattern:"^[a-z0-9-]{1,40}$" doc:"What can be heard there, and below"`
	From   string `query:"from" required:"true" format:"date-time"`
	To     string `query:"to" required:"true" format:"date-time" doc:"Exclusive; at most 35 days after from"`
	Class  string `query:"class" enum:"normal,priority,emergency"`
	State  string `query:"state" enum:"draft,submitted,published,withdrawn,closed"`
	Cursor string `query:"cursor" maxLength:"60" doc:"next of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
}

type daysAnswer struct {
	Body struct {
		Items []DayItem `json:"items" nullable:"false" doc:"In order of the first start ever; a page may be short"`
		Next  string    `json:"next,omitempty" doc:"Cursor of the next page, if there is one"`
	}
}

// DayItem is one announcement of a calendar with its starts in the days asked
// for.
type DayItem struct {
	Announcement Announcement `json:"announcement"`
	Starts       []string     `json:"starts" nullable:"false" doc:"As signed or drafted; whether it sounds then is for the plan to say"`
	More         bool         `json:"more,omitempty" doc:"It has more starts than these"`
}

func (s *server) calendars(r *registry) {
	on(r, "get-area-ahead", func(ctx context.Context, in *aheadInput) (*aheadAnswer, error) {
		if err := s.knownArea(broadcast.ID(in.ID)); err != nil {
			return nil, err
		}
		if err := s.cfg.Office.Authorise(callerOf(ctx).Person, people.PlanRead, broadcast.ID(in.ID)); err != nil {
			return nil, err
		}
		return s.ahead(in, func(from broadcast.Instant) (preview.Ahead, error) {
			return s.cfg.Calendar.Ahead(ctx, broadcast.ID(in.ID), from, in.Days)
		})
	})
	on(r, "get-node-ahead", func(ctx context.Context, in *aheadInput) (*aheadAnswer, error) {
		node, err := s.cfg.DB.Node(ctx, broadcast.ID(in.ID))
		if err == nil && !s.sees(ctx, people.PlanRead, node.Area) {
			err = store.ErrNotFound
		}
		if err != nil {
			return nil, err
		}
		return s.ahead(in, func(from broadcast.Instant) (preview.Ahead, error) {
			return s.cfg.Calendar.AheadOf(ctx, node.ID, from, in.Days)
		})
	})
	on(r, "get-calendar", s.days)
	on(r, "get-difference", func(ctx context.Context, in *idPath) (*differenceAnswer, error) {
		a, err := s.readable(ctx, broadcast.ID(in.ID))
		if err != nil {
			return nil, err
		}
		d, err := s.cfg.Desk.Difference(ctx, a.ID)
		if err != nil {
			return nil, err
		}
		return &differenceAnswer{Body: s.differenceOf(d)}, nil
	})
}

func (s *server) ahead(in *aheadInput, look func(broadcast.Instant) (preview.Ahead, error)) (*aheadAnswer, error) {
	from, err := instant("from", in.From)
	if err != nil {
		return nil, err
	}
	a, err := look(from)
	if err != nil {
		return nil, asked(err)
	}
	out := Ahead{From: moment(a.Window.From), To: moment(a.Window.To), Nodes: a.Nodes, Unseen: a.Unseen, Trouble: a.Trouble,
		More: max(0, len(a.Prospects)-maxProspects), Prospects: []Prospect{}}
	for _, p := range a.Prospects[:min(len(a.Prospects), maxProspects)] {
		out.Prospects = append(out.Prospects, s.prospectOf(p))
	}
	return &aheadAnswer{Body: out}, nil
}

// asked turns a question that cannot be answered into a problem.
func asked(err error) error {
	if errors.Is(err, calendar.ErrQuestion) {
		return problem(http.StatusUnprocessableEntity, "question", err.Error(),
			"Không trả lời được câu hỏi này: hãy kiểm tra địa bàn, số ngày (tối đa 35) và trang.")
	}
	return err
}

func (s *server) days(ctx context.Context, in *daysInput) (*daysAnswer, error) {
	q := calendar.Query{Area: broadcast.ID(in.Area), Class: broadcast.Class(in.Class), State: store.AnnouncementState(in.State), Cursor: in.Cursor, Limit: in.Limit}
	var err, also error
	q.From, err = instant("from", in.From)
	q.To, also = instant("to", in.To)
	if err := errors.Join(err, also); err != nil {
		return nil, err
	}
	page, err := s.cfg.Calendar.Days(ctx, q)
	if err != nil {
		return nil, asked(err)
	}
	ids := make([]broadcast.ID, len(page.Items))
	for i, item := range page.Items {
		ids[i] = item.ID
	}
	list, err := s.cfg.Desk.Named(ctx, ids)
	if err != nil {
		return nil, err
	}
	out := &daysAnswer{}
	out.Body.Items, out.Body.Next = []DayItem{}, page.Next
	for i, a := range list {
		if !s.reads(ctx, a) {
			continue
		}
		item := DayItem{Announcement: announcementOf(a), Starts: []string{}, More: page.Items[i].More}
		for _, at := range page.Items[i].Starts {
			item.Starts = append(item.Starts, moment(at))
		}
		out.Body.Items = append(out.Body.Items, item)
	}
	return out, nil
}

func (s *server) prospectOf(p preview.Prospect) Prospect {
	text := p.Words()
	out := Prospect{Announcement: string(p.Announcement), Title: p.Title, Class: string(p.Class), Drill: p.Drill, Start: moment(p.Start), Fate: fateOf(p.Fate),
		Text: Words{VI: text.Vietnamese, EN: text.English}, Nodes: p.Nodes, Areas: []Share{}}
	if p.Fate.Other != "" {
		out.Other = &OtherItem{ID: string(p.Fate.Other), Title: p.OtherTitle}
	}
	for _, a := range p.Areas[:min(len(p.Areas), maxShares)] {
		out.Areas = append(out.Areas, Share{Area: string(a.Area), Name: s.nameOf(a.Area), Nodes: a.Nodes})
	}
	return out
}

func fateOf(f preview.Fate) Fate {
	return Fate{Planned: f.Planned, Sounds: f.Sounds, Reason: reasonOf(f.Reason), From: moment(f.From), To: moment(f.To), Inside: string(f.Inside), Limit: f.Limit}
}

func (s *server) differenceOf(d preview.Difference) Difference {
	out := Difference{From: moment(d.Window.From), To: moment(d.Window.To), Digest: string(d.Digest), Nodes: d.Nodes, Unseen: d.Unseen, Trouble: d.Trouble,
		Others: len(d.Others()), More: max(0, len(d.Shifts)-maxProspects), Shifts: []Prospect{}}
	for _, shift := range d.Shifts[:min(len(d.Shifts), maxProspects)] {
		p, before, text := s.prospectOf(shift.Prospect), fateOf(shift.Before), shift.Words()
		p.Before, p.Text = &before, Words{VI: text.Vietnamese, EN: text.English}
		out.Shifts = append(out.Shifts, p)
	}
	return out
}
