package api

import (
	"context"
	"net/http"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
)

// Person is somebody in a role over one or more subtrees.
type Person struct {
	ID    string   `json:"id"`
	Name  string   `json:"name"`
	Role  string   `json:"role" enum:"administrator,editor,approver,commune-official,technician,auditor"`
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
	Role  string   `json:"role" enum:"administrator,editor,approver,commune-official,technician,auditor"`
	Areas []string `json:"areas" nullable:"false" minItems:"1" maxItems:"24"`
	// Passphrase is never stored and never logged.
	Passphrase string `json:"passphrase,omitempty" maxLength:"1000" doc:"Wraps the new key; at least 10 characters, and none for a role without a key. It cannot be reset"`
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

type personAnswer struct{ Body Person }

type dismissInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body Dismissal
}

func (s *server) persons(r *registry) {
	on(r, "list-persons", s.listPersons)
	on(r, "create-person", s.createPerson)
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
func (s *server) createPerson(ctx context.Context, in *personInput) (*personAnswer, error) {
	c := callerOf(ctx)
	n := people.NewPerson{ID: broadcast.ID(in.Body.ID), Name: broadcast.NormalText(in.Body.Name), Role: people.Role(in.Body.Role), Passphrase: in.Body.Passphrase}
	for _, area := range in.Body.Areas {
		n.Areas = append(n.Areas, broadcast.ID(area))
	}
	if err := s.cfg.Office.Authorise(c.Person, people.PersonManage, n.Areas...); err != nil {
		return nil, err
	}
	p, err := s.cfg.Office.AddPerson(ctx, c.credential(), n)
	if err != nil {
		return nil, err
	}
	out, err := s.personOf(ctx, p)
	return &personAnswer{Body: out}, err
}

// dismiss ends somebody's rights with the caller's key.
func (s *server) dismiss(ctx context.Context, in *dismissInput) (*personAnswer, error) {
	c := callerOf(ctx)
	p, err := s.cfg.Office.Person(ctx, broadcast.ID(in.ID))
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Office.Authorise(c.Person, people.PersonManage, p.Areas...); err != nil {
		return nil, err
	}
	if p.Left != 0 {
		return nil, problem(http.StatusConflict, "person-left", "person "+in.ID+" left already", "Người này đã thôi nhiệm vụ.")
	}
	since, err := instant("since", in.Body.Since)
	if err != nil {
		return nil, err
	}
	if err := s.cfg.Office.Dismiss(ctx, c.credential(), p.ID, broadcast.RevocationMode(in.Body.Mode), since); err != nil {
		return nil, err
	}
	if p, err = s.cfg.Office.Person(ctx, p.ID); err != nil {
		return nil, err
	}
	out, err := s.personOf(ctx, p)
	return &personAnswer{Body: out}, err
}
