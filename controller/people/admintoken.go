package people

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

// TokenRequest asks for a token from a shell on the controller's machine.
type TokenRequest struct {
	// Role is a role's name, or a short one that ParseRole knows.
	Role string
	// Area is where the person must act; empty stands for wherever they do.
	Area broadcast.ID
	// Person names one person; empty stands for the first that fits.
	Person broadcast.ID
	// New lets a demo house take in the named person, who is not there yet.
	New bool
	// Life is how long the token lasts; 0 stands for DefaultTokenLife.
	Life time.Duration
	// Passphrase asks for a person's passphrase; a demo house does not ask.
	Passphrase func(person broadcast.ID) (string, error)
}

// AdminToken makes a token for the house in a data folder, also while a
// controller serves it. A demo house takes the person in first if there is none
// with that role over that area, unless the request names somebody who is not New; a real one only
// serves people it knows, each with the own passphrase.
func AdminToken(ctx context.Context, dir string, req TokenRequest, cfg Config) (text string, err error) {
	role, err := ParseRole(req.Role)
	if err != nil {
		return "", err
	}
	if err := HasHouse(dir); err != nil {
		return "", err
	}
	db, err := store.OpenBeside(ctx, dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	o, err := Open(ctx, dir, db, cfg)
	if err != nil {
		return "", err
	}
	demo, err := o.Demo(ctx)
	if err != nil {
		return "", err
	}
	p, err := o.find(ctx, role, req)
	if demo && (req.New || req.Person == "") && errors.Is(err, errNobody) { // a name that nobody has is a slip
		p, err = o.hire(ctx, demoFilesOf(dir), role, req)
	}
	if err != nil {
		return "", err
	}
	if len(role.Acts()) == 0 { // a shell on this machine reads all that such a token shows
		return o.mint(ctx, p, nil, req.Life, "admin token")
	}
	pass, err := o.passphraseFor(ctx, dir, demo, p, req)
	if err != nil {
		return "", err
	}
	return o.Mint(ctx, Credential{Person: p.ID, Passphrase: pass}, req.Life, "admin token")
}

// errNobody: no person fits a request.
var errNobody = errors.New("nobody fits")

// find returns the first person who fits.
func (o *Office) find(ctx context.Context, role Role, req TokenRequest) (Person, error) {
	all, err := o.Persons(ctx)
	if err != nil {
		return Person{}, err
	}
	if _, known := o.tree().Find(req.Area); req.Area != "" && !known {
		return Person{}, fmt.Errorf("area %q is not in the organisation tree", string(req.Area))
	}
	places := o.placesAt(o.instant())
	for _, p := range all {
		fits := p.Role == role && p.Left == 0 && (req.Area == "" || p.covers(req.Area, places))
		if p.ID == req.Person && !fits {
			return p, fmt.Errorf("person %s is %s over %s, not %s %s, or has left; name another person or role", p.ID, p.Role, joined(p.Areas), role, req.where())
		}
		if fits && (req.Person == "" || p.ID == req.Person) {
			return p, nil
		}
	}
	if req.Person != "" {
		return Person{}, fmt.Errorf("%w: there is no person %s; name one of %s", errNobody, req.Person, present(all))
	}
	return Person{}, fmt.Errorf("%w: no %s acts %s; there are %s; take somebody in with admin person add, or name another role or area", errNobody, role, req.where(), present(all))
}

// present names those who have not left, with what they are.
func present(all []Person) string {
	var names []string
	for _, p := range all {
		if p.Left == 0 {
			names = append(names, fmt.Sprintf("%s (%s over %s)", p.ID, p.Role, joined(p.Areas)))
		}
	}
	if most := 12; len(names) > most {
		names = append(names[:most], fmt.Sprintf("and %d more: see admin person list", len(names)-most))
	}
	return strings.Join(names, ", ")
}

// where says in words where the person must act.
func (r TokenRequest) where() string {
	if r.Area == "" {
		return "in any area"
	}
	return "over " + string(r.Area)
}

// hire takes somebody into a demo house, certified by its root.
func (o *Office) hire(ctx context.Context, files demoFiles, role Role, req TokenRequest) (Person, error) {
	n := NewPerson{ID: req.Person, Name: "Demo " + string(role), Role: role, Areas: []broadcast.ID{req.Area}, Passphrase: newPassphrase()}
	if req.Area == "" {
		for _, d := range demoStaff(o.placesAt(o.instant())) {
			if d.Role == role {
				n.Areas = d.Areas
			}
		}
	}
	if n.ID == "" {
		n.ID = broadcast.ID(strings.TrimRight(fmt.Sprintf("%.40s", string(role)+"-"+string(n.Areas[0])), "-"))
	}
	if err := n.check(o.placesAt(o.instant())); err != nil {
		return Person{}, err
	}
	root, err := o.rootSigners(ctx, []string{files.root}, nil)
	if err != nil {
		return Person{}, err
	}
	defer clear(root[0].Key)
	var added Person
	err = o.db.Update(ctx, func(tx store.Tx) error { // also keeps others from writing the secrets
		if err := files.add(n.ID, n.Passphrase); err != nil {
			return err
		}
		e, err := o.enlist(ctx, tx, n, issuer{area: o.top, signers: root})
		defer clear(e.signer.Key)
		added = e.person
		if err != nil || len(e.certs) == 0 {
			return err
		}
		_, err = o.revise(ctx, tx, o.top, func(a *broadcast.Authority) { merge(a, e.certs...) }, root)
		return err
	})
	return added, err
}

// passphraseFor knows the passphrases of a demo's people and asks in a real house.
func (o *Office) passphraseFor(ctx context.Context, dir string, demo bool, p Person, req TokenRequest) (string, error) {
	if demo {
		files := demoFilesOf(dir)
		secrets, err := files.read()
		if err != nil {
			return "", err
		}
		if pass := secrets.Passphrases[p.ID]; pass != "" {
			return pass, o.refreshDemo(ctx, files, secrets)
		}
	}
	if req.Passphrase == nil {
		return "", fmt.Errorf("the passphrase of %s is needed to make a token that signs", p.ID)
	}
	return req.Passphrase(p.ID)
}
