package api

import (
	"context"
	"net/http"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/people"
)

// Person is somebody in a role over one or more subtrees.
type Person struct {
	ID    string   `json:"id"`
	Name  string   `json:"name"`
	Role  string   `json:"role" enum:"administrator,editor,approver,commune-official,village-head,technician,auditor"`
	Level string   `json:"level" enum:"province,district,commune,village"`
	Areas []string `json:"areas" nullable:"false"`
	// Signs until is empty for a role without a key, and for one that ended.
	SignsUntil string `json:"signs_until,omitempty" format:"date-time" doc:"When the person's certificate ends; none if the person cannot sign now"`
	Left       string `json:"left,omitempty" format:"date-time"`
}

// NewPerson is somebody to be taken in.
type NewPerson struct {
	ID    string   `json:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Name  string   `json:"name" minLength:"1" maxLength:"200"`
	Role  string   `json:"role" enum:"administrator,editor,approver,commune-official,village-head,technician,auditor"`
	Areas []string `json:"areas" nullable:"false" minItems:"1" maxItems:"24"`
	// Passphrase is never stored and never logged.
	Passphrase string `json:"passphrase,omitempty" maxLength:"1000" doc:"Wraps the new key; at least 10 characters, and none for a role without a key. Left out: the answer has a one-time code, with which the person chooses it"`
}

// Taken is somebody who was taken in.
type Taken struct {
	Person
	Code *Code `json:"code,omitempty" doc:"Where no passphrase was given"`
}

// Code is a one-time code that lets somebody choose a password.
type Code struct {
	Code    string `json:"code" doc:"Shown once. Give it to the person, and to nobody else"`
	Expires string `json:"expires" format:"date-time"`
	NewKey  bool   `json:"new_key" doc:"It also opens a new key: the person chooses its passphrase, too"`
}

// CodeRequest asks for a one-time code.
type CodeRequest struct {
	NewKey bool `json:"new_key,omitempty" doc:"The passphrase was lost, too: make a new key and retire the old one"`
}

// Dismissal is how somebody's rights end.
type Dismissal struct {
	Mode  string `json:"mode" enum:"retired,compromised" doc:"retired: what was signed before stays good; compromised: everything signed since that moment is void"`
	Since string `json:"since,omitempty" format:"date-time" doc:"For compromised: since when the key may have been in other hands; left out: now"`
}

type personsAnswer struct {
	Body struct {
		Persons []Person `json:"persons" nullable:"false"`
	}
}

type personInput struct{ Body NewPerson }

type takenAnswer struct{ Body Taken }

type codeInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body CodeRequest
}

type codeAnswer struct{ Body Code }

type dismissInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body Dismissal
}

func (s *server) persons(r *registry) {
	on(r, "list-persons", s.listPersons)
	on(r, "create-person", s.createPerson)
	on(r, "issue-code", s.issueCode)
	on(r, "dismiss-person", s.dismiss)
}

func (s *server) listPersons(ctx context.Context, _ *struct{}) (*personsAnswer, error) {
	all, err := s.cfg.Office.Persons(ctx)
	if err != nil {
		return nil, err
	}
	out := &personsAnswer{}
	out.Body.Persons = []Person{}
	for _, p := range all {
		if !slices.ContainsFunc(p.Areas, func(area broadcast.ID) bool { return s.sees(ctx, people.PersonManage, area) }) {
			continue
		}
		one, err := s.personOf(ctx, p)
		if err != nil {
			return nil, err
		}
		out.Body.Persons = append(out.Body.Persons, one)
	}
	return out, nil
}

func (s *server) personOf(ctx context.Context, p people.Person) (Person, error) {
	until, err := s.cfg.Office.SignsUntil(ctx, p)
	return Person{ID: string(p.ID), Name: p.Name, Role: string(p.Role), Level: string(p.Level), Areas: texts(p.Areas),
		SignsUntil: moment(until), Left: moment(p.Left)}, err
}

// createPerson takes somebody in, certified with the caller's key. A create that
// is sent again finds its id taken, so it needs no key of its own.
func (s *server) createPerson(ctx context.Context, in *personInput) (*takenAnswer, error) {
	c := callerOf(ctx)
	n := people.NewPerson{ID: broadcast.ID(in.Body.ID), Name: broadcast.NormalText(in.Body.Name), Role: people.Role(in.Body.Role), Passphrase: in.Body.Passphrase}
	for _, area := range in.Body.Areas {
		n.Areas = append(n.Areas, broadcast.ID(area))
	}
	if err := s.cfg.Office.Authorise(c.Person, people.PersonManage, n.Areas...); err != nil {
		return nil, err
	}
	if n.Passphrase == "" {
		n.Code = people.NewCode()
	}
	p, err := s.cfg.Office.AddPerson(ctx, c.credential(), n)
	if err != nil {
		return nil, err
	}
	s.cfg.Events.Publish(events.Event{Kind: events.Person, ID: p.ID})
	out := &takenAnswer{}
	if n.Code != "" {
		out.Body.Code = &Code{Code: n.Code, Expires: moment(s.now().Add(people.CodeLife)), NewKey: len(p.Role.Acts()) > 0}
	}
	out.Body.Person, err = s.personOf(ctx, p)
	return out, err
}

// issueCode lets somebody choose a password anew.
func (s *server) issueCode(ctx context.Context, in *codeInput) (*codeAnswer, error) {
	c, err := s.cfg.Office.IssueCode(ctx, callerOf(ctx).credential(), broadcast.ID(in.ID), in.Body.NewKey)
	if err != nil {
		return nil, err
	}
	s.cfg.Events.Publish(events.Event{Kind: events.Session, ID: broadcast.ID(in.ID)})
	return &codeAnswer{Body: Code{Code: c.Text, Expires: moment(c.Expires), NewKey: c.NewKey}}, nil
}

// dismiss ends somebody's rights with the caller's key. What depended on the person
// is looked up before.
func (s *server) dismiss(ctx context.Context, in *dismissInput) (*dismissedAnswer, error) {
	p, err := s.managed(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if p.Left != 0 {
		return nil, problem(http.StatusConflict, "person-left", "person "+in.ID+" left already", "Người này đã thôi nhiệm vụ.")
	}
	since, err := instant("since", in.Body.Since)
	if err != nil {
		return nil, err
	}
	list, err := s.book.Of(ctx, p.ID, since)
	if err != nil {
		s.cfg.Log.Error("what depends on somebody cannot be told", "person", p.ID, "error", err)
	}
	if err := s.cfg.Office.Dismiss(ctx, callerOf(ctx).credential(), p.ID, broadcast.RevocationMode(in.Body.Mode), since); err != nil {
		return nil, err
	}
	s.cfg.Events.Publish(events.Event{Kind: events.Person, ID: p.ID})
	if p, err = s.cfg.Office.Person(ctx, p.ID); err != nil {
		return nil, err
	}
	out, err := s.personOf(ctx, p)
	return &dismissedAnswer{Body: Dismissed{Person: out, Depends: dependencesOf(list)}}, err
}
