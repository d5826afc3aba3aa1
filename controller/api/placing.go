package api

import (
	"context"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/programme"
)

// OfferView is an announcement of a higher level that a commune may place.
type OfferView struct {
	ID      string    `json:"id"`
	Title   string    `json:"title"`
	Level   string    `json:"level" doc:"Of whoever signed it"`
	Signers []string  `json:"signers" nullable:"false"`
	Text    string    `json:"text,omitempty" doc:"The words, or a summary"`
	Start   string    `json:"start" format:"date-time"`
	Until   string    `json:"until" format:"date-time" doc:"The last moment at which it may begin"`
	Timing  Timing    `json:"timing"`
	Sound   []Version `json:"versions" nullable:"false"`
	Answers []Reply   `json:"answers" nullable:"false" doc:"Of the communes in the caller's areas"`
}

// Reply is what a commune did with an offer.
type Reply struct {
	Area   string `json:"area"`
	Name   string `json:"name"`
	Answer string `json:"answer" enum:"unanswered,placed,slotted,programme,declined"`
	Start  string `json:"start,omitempty" format:"date-time" doc:"Where it was placed; left out: at its own start"`
	Reason string `json:"reason,omitempty" doc:"Why it was declined"`
	In     string `json:"in,omitempty" doc:"The announcement of the programme, or the slot, that has it"`
}

// CollisionView is a moment at which priority items meet.
type CollisionView struct {
	Start   string     `json:"start" format:"date-time"`
	Decided bool       `json:"decided" doc:"The commune ordered all of them"`
	Items   []Prospect `json:"items" nullable:"false" doc:"In the order in which they sound; what stays silent is last"`
}

// Choices are what a commune says of some announcements.
type Choices struct {
	Items []struct {
		Announcement string `json:"announcement" pattern:"^[a-z0-9-]{1,40}$"`
		Start        string `json:"start,omitempty" format:"date-time" doc:"Offers only: where it is placed; left out: at its own start"`
		Decline      bool   `json:"decline,omitempty" doc:"Offers only: it is not taken"`
		Reason       string `json:"reason,omitempty" maxLength:"300" doc:"Why it is declined"`
	} `json:"items" nullable:"false" minItems:"1" maxItems:"100" doc:"In the order in which they come first; what is not named stays as it was decided"`
}

type offersAnswer struct {
	Body struct {
		Offers []OfferView `json:"offers" nullable:"false"`
	}
}

type offerAnswer struct{ Body OfferView }

type collisionsInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Days int    `query:"days" minimum:"1" maximum:"35" default:"7"`
}

type collisionsAnswer struct {
	Body struct {
		Collisions []CollisionView `json:"collisions" nullable:"false"`
		Nodes      int             `json:"nodes"`
		Unseen     int             `json:"nodes_unseen,omitempty"`
		Trouble    string          `json:"trouble,omitempty" doc:"Why something was not looked at"`
	}
}

type weighInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body Choices
}

type decideInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body struct {
		Choices
		SeenDifference
	}
}

// SeenDifference is what somebody who signs was shown.
type SeenDifference struct {
	Difference string `json:"difference,omitempty" pattern:"^[0-9a-f]{64}$" doc:"The digest of the difference that was shown; without it what spoils other soundings is refused"`
	Accept     bool   `json:"accept_difference,omitempty" doc:"Go on whatever it changes of other soundings"`
}

func (d SeenDifference) seen() programme.Seen {
	return programme.Seen{Difference: broadcast.Digest(d.Difference), Anything: d.Accept}
}

func (s *server) placing(r *registry) {
	on(r, "list-offers", s.offers)
	on(r, "get-answers", s.answers)
	on(r, "list-collisions", s.collisions)
	on(r, "weigh-placement", func(ctx context.Context, in *weighInput) (*differenceAnswer, error) {
		d, err := decisionOf(in.Body)
		if err != nil {
			return nil, err
		}
		diff, err := s.cfg.Programmes.Weigh(ctx, callerOf(ctx).Person, broadcast.ID(in.ID), d)
		if err != nil {
			return nil, err
		}
		return &differenceAnswer{Body: s.differenceOf(diff)}, nil
	})
	on(r, "sign-placement", func(ctx context.Context, in *decideInput) (*offersAnswer, error) {
		d, err := decisionOf(in.Body.Choices)
		if err != nil {
			return nil, err
		}
		c := callerOf(ctx)
		if err := s.cfg.Programmes.Decide(ctx, c.Person, c.credential(), broadcast.ID(in.ID), d, in.Body.seen()); err != nil {
			return nil, err
		}
		return s.offers(ctx, &idPath{ID: in.ID})
	})
}

func (s *server) offers(ctx context.Context, in *idPath) (*offersAnswer, error) {
	if err := s.mayRead(ctx, broadcast.ID(in.ID)); err != nil {
		return nil, err
	}
	list, err := s.cfg.Programmes.Offers(ctx, broadcast.ID(in.ID))
	if err != nil {
		return nil, err
	}
	out := &offersAnswer{}
	out.Body.Offers = []OfferView{}
	for _, o := range list {
		view, err := s.offerOf(ctx, o)
		if err != nil {
			return nil, err
		}
		out.Body.Offers = append(out.Body.Offers, view)
	}
	return out, nil
}

func (s *server) answers(ctx context.Context, in *idPath) (*offerAnswer, error) {
	a, err := s.readable(ctx, broadcast.ID(in.ID))
	if err != nil {
		return nil, err
	}
	o, err := s.cfg.Programmes.Answers(ctx, a.Document.ID, a.Document.Areas)
	if err != nil {
		return nil, err
	}
	view, err := s.offerOf(ctx, o)
	return &offerAnswer{Body: view}, err
}

func (s *server) collisions(ctx context.Context, in *collisionsInput) (*collisionsAnswer, error) {
	if err := s.mayRead(ctx, broadcast.ID(in.ID)); err != nil {
		return nil, err
	}
	found, err := s.cfg.Programmes.Collisions(ctx, broadcast.ID(in.ID), in.Days)
	if err != nil {
		return nil, err
	}
	out := &collisionsAnswer{}
	out.Body.Collisions, out.Body.Nodes, out.Body.Unseen, out.Body.Trouble = []CollisionView{}, found.Nodes, found.Unseen, found.Trouble
	for _, c := range found.Collisions {
		view := CollisionView{Start: moment(c.Start), Decided: c.Decided, Items: []Prospect{}}
		for _, p := range c.Items {
			view.Items = append(view.Items, s.prospectOf(p))
		}
		out.Body.Collisions = append(out.Body.Collisions, view)
	}
	return out, nil
}

// mayRead says whether whoever asks may read what a place decides.
func (s *server) mayRead(ctx context.Context, area broadcast.ID) error {
	if err := s.knownArea(area); err != nil {
		return err
	}
	return s.cfg.Office.Authorise(callerOf(ctx).Person, people.AnnouncementRead, area)
}

func (s *server) offerOf(ctx context.Context, o programme.Offer) (OfferView, error) {
	a, err := s.cfg.Desk.Announcement(ctx, o.Announcement.ID)
	if err != nil {
		return OfferView{}, err
	}
	out := OfferView{ID: string(o.Announcement.ID), Title: o.Announcement.Title, Level: string(o.Level), Signers: texts(o.Signers), Text: a.Meta.Text,
		Start: moment(o.Announcement.Timing.Start), Until: moment(o.Until), Timing: timingOf(o.Announcement.Timing), Sound: []Version{}, Answers: []Reply{}}
	for _, v := range o.Announcement.Versions {
		out.Sound = append(out.Sound, versionOf(v))
	}
	for _, r := range o.Answers {
		if s.sees(ctx, people.AnnouncementRead, r.Area) {
			out.Answers = append(out.Answers, Reply{Area: string(r.Area), Name: s.nameOf(r.Area), Answer: string(r.Answer), Start: moment(r.Start), Reason: r.Reason, In: string(r.In)})
		}
	}
	return out, nil
}

func decisionOf(c Choices) (programme.Decision, error) {
	var out programme.Decision
	for _, i := range c.Items {
		start, err := instant("items", i.Start)
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, programme.Choice{Announcement: broadcast.ID(i.Announcement), Start: start, Decline: i.Decline, Reason: i.Reason})
	}
	return out, nil
}
