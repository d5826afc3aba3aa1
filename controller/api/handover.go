package api

import (
	"context"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/handover"
	"github.com/loaxa/loaxa/controller/people"
)

// Dependence is one thing that depends on somebody's key.
type Dependence struct {
	Kind   string   `json:"kind" enum:"template,announcement,drill,withdrawal,silence,policy,slot,placement,assignment,rights,waiting,box-pin,phone"`
	ID     string   `json:"id"`
	Title  string   `json:"title,omitempty"`
	Class  string   `json:"class,omitempty"`
	Areas  []string `json:"areas" nullable:"false"`
	Until  string   `json:"until,omitempty" format:"date-time" doc:"When it ends by itself"`
	SHA256 string   `json:"sha256,omitempty"`
	// Signers and Officers say who signed, and how many have to.
	Signers     []string `json:"signers,omitempty" nullable:"false" doc:"Whose signatures it has"`
	Officers    int      `json:"officers,omitempty" doc:"How many people have to sign it anew"`
	Retired     string   `json:"retired" enum:"stays,falls,faulty" doc:"What becomes of it if the person retires; faulty: it stays, and nodes report a fault"`
	Compromised string   `json:"compromised" enum:"stays,falls,faulty" doc:"What becomes of it if the key was in other hands"`
	What        string   `json:"what"`
	WhatVI      string   `json:"what_vi"`
	Do          string   `json:"do" doc:"What to do about it"`
	DoVI        string   `json:"do_vi"`
}

// Handover is everything that depends on one person.
type Handover struct {
	Person string `json:"person"`
	// Since is from when on signatures of a compromised key are void.
	Since   string       `json:"since" format:"date-time"`
	Depends []Dependence `json:"depends" nullable:"false" doc:"Emergencies first"`
}

// Dismissed is somebody whose rights ended.
type Dismissed struct {
	Person
	Depends []Dependence `json:"depends" nullable:"false" doc:"What depended on the person, and what became of it: look at the field that the mode names"`
}

// Succession is what the caller signs anew in somebody's place.
type Succession struct {
	Since string       `json:"since,omitempty" format:"date-time" doc:"As for the list; left out: now"`
	Items []Succeeding `json:"items,omitempty" nullable:"false" maxItems:"1000" doc:"Left out: everything that can be"`
}

// Succeeding names one thing to be signed anew.
type Succeeding struct {
	Kind string `json:"kind" enum:"template,announcement,drill,withdrawal,silence,policy,slot,placement,assignment"`
	ID   string `json:"id" pattern:"^[a-z0-9-]{1,40}$"`
}

// Succeeded is what came of one thing.
type Succeeded struct {
	Kind    string   `json:"kind"`
	ID      string   `json:"id"`
	Title   string   `json:"title,omitempty"`
	Outcome string   `json:"outcome" enum:"signed,awaits,refused" doc:"awaits: a second person signs the draft of the template, or of the policy"`
	Problem *Problem `json:"problem,omitempty" doc:"Why it was refused; nothing was changed then"`
}

type successionInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body Succession
}

type successionAnswer struct {
	Body struct {
		Items []Succeeded `json:"items" nullable:"false"`
	}
}

type handoverInput struct {
	ID    string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Since string `query:"since" format:"date-time" doc:"Since when the key may have been in other hands; left out: now"`
}

type handoverAnswer struct{ Body Handover }

type dismissedAnswer struct{ Body Dismissed }

func (s *server) handovers(r *registry) {
	on(r, "get-handover", s.getHandover)
	on(r, "take-over", s.takeOver)
}

// getHandover says what dismissing somebody would do, before anybody does it.
func (s *server) getHandover(ctx context.Context, in *handoverInput) (*handoverAnswer, error) {
	p, err := s.managed(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	since, err := instant("since", in.Since)
	if err != nil {
		return nil, err
	}
	if since == 0 {
		since = s.now()
	}
	list, err := s.book.Of(ctx, p.ID, since)
	if err != nil {
		return nil, err
	}
	return &handoverAnswer{Body: Handover{Person: in.ID, Since: moment(since), Depends: dependencesOf(list)}}, nil
}

// managed is somebody of whom the caller manages the people.
func (s *server) managed(ctx context.Context, id string) (people.Person, error) {
	p, err := s.cfg.Office.Person(ctx, broadcast.ID(id))
	if err != nil {
		return p, err
	}
	return p, s.cfg.Office.Authorise(callerOf(ctx).Person, people.PersonManage, p.Areas...)
}

func dependencesOf(list []handover.Item) []Dependence {
	out := make([]Dependence, 0, len(list))
	for _, i := range list {
		w := i.Words()
		out = append(out, Dependence{Kind: string(i.Kind), ID: string(i.ID), Title: i.Title, Class: string(i.Class), Areas: texts(i.Areas), Until: moment(i.Until),
			SHA256: string(i.SHA256), Signers: texts(i.Signers), Officers: i.Officers, Retired: string(i.Retired), Compromised: string(i.Compromised),
			What: w.English, WhatVI: w.Vietnamese, Do: w.DoEnglish, DoVI: w.DoVietnamese})
	}
	return out
}

// takeOver signs with the caller's key what depends on somebody else's.
func (s *server) takeOver(ctx context.Context, in *successionInput) (*successionAnswer, error) {
	c := callerOf(ctx)
	p, err := s.cfg.Office.Person(ctx, broadcast.ID(in.ID))
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Office.Authorise(c.Person, people.AnnouncementApprove, p.Areas...); err != nil {
		return nil, err
	}
	since, err := instant("since", in.Body.Since)
	if err != nil {
		return nil, err
	}
	var only []handover.Ref
	for _, i := range in.Body.Items {
		only = append(only, handover.Ref{Kind: handover.Kind(i.Kind), ID: broadcast.ID(i.ID)})
	}
	list, err := s.book.Resign(ctx, c.Person, c.credential(), p.ID, since, only...)
	if err != nil {
		return nil, err
	}
	out := &successionAnswer{}
	out.Body.Items = []Succeeded{}
	for _, a := range list {
		one := Succeeded{Kind: string(a.Kind), ID: string(a.ID), Title: a.Title, Outcome: string(a.Outcome)}
		if a.Err != nil {
			one.Problem = s.problem("take-over", a.Err)
		}
		out.Body.Items = append(out.Body.Items, one)
	}
	return out, nil
}
