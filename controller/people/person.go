package people

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/store"
)

// Person is somebody in a role over one or more subtrees.
type Person struct {
	ID   broadcast.ID
	Name string
	Role Role
	// Level is the level at which the person's documents are issued.
	Level broadcast.Level
	// Areas are the tops of the subtrees that the person acts in.
	Areas []broadcast.ID
	// Left is when the person left; 0 while they are here.
	Left broadcast.Instant
}

func personOf(row store.Person) Person {
	return Person{ID: row.ID, Name: row.Name, Role: Role(row.Role), Level: row.Level, Areas: row.Areas, Left: row.Left}
}

// covers says whether an area is one of the person's or lies below one.
func (p Person) covers(area broadcast.ID, places seal.Places) bool {
	return slices.ContainsFunc(p.Areas, func(up broadcast.ID) bool { return up == area || places.Covers(up, area) })
}

// NewPerson is somebody to be taken in.
type NewPerson struct {
	ID    broadcast.ID
	Name  string
	Role  Role
	Areas []broadcast.ID
	// Passphrase wraps the new key; a role without a key needs none.
	Passphrase string
	// Code, where there is no passphrase, wraps the new key until its owner has
	// chosen one with it.
	Code string
}

// ErrPerson means that somebody cannot be taken in as described.
var ErrPerson = errors.New("nobody can be taken in like this")

// MinPassphrase is how many characters a passphrase has at least.
const MinPassphrase = 10

// CheckPassphrase refuses one that is too short to wrap a key with.
func CheckPassphrase(whose, passphrase string) error {
	if utf8.RuneCountInString(passphrase) < MinPassphrase {
		return fmt.Errorf("the passphrase of %s needs at least %d characters and has %d", whose, MinPassphrase, utf8.RuneCountInString(passphrase))
	}
	return nil
}

// check refuses people who could not act, and says what to change.
func (n NewPerson) check(places treeAt) error {
	row := n.Role.rights()
	switch {
	case len(row.may) == 0:
		return fmt.Errorf("person %s: role %q does not exist", n.ID, string(n.Role))
	case n.Name == "" || len(n.Name) > 200 || broadcast.NormalText(n.Name) != n.Name:
		return fmt.Errorf("person %s: give a name of at most 200 bytes in Unicode NFC", n.ID)
	case len(n.Areas) == 0 || len(n.Areas) > broadcast.MaxAreas:
		return fmt.Errorf("person %s: %d areas, allowed are 1 to %d; name an area above them instead", n.ID, len(n.Areas), broadcast.MaxAreas)
	}
	if len(row.acts) > 0 && (n.Code == "" || n.Passphrase != "") {
		if err := CheckPassphrase(string(n.ID), n.Passphrase); err != nil {
			return err
		}
	}
	level, err := places.level(n.Areas)
	if err != nil {
		return fmt.Errorf("person %s: %w", n.ID, err)
	}
	if row.highest != "" && level.Rank() < row.highest.Rank() {
		return fmt.Errorf("person %s: %s is a role of the %s; name areas of that level or below", n.ID, n.Role, row.highest)
	}
	return n.ID.Validate()
}

// row returns the person as stored.
func (n NewPerson) row(places treeAt) (store.Person, error) {
	level, err := places.level(n.Areas)
	if err != nil {
		return store.Person{}, err
	}
	return store.Person{ID: n.ID, Name: n.Name, Role: string(n.Role), Level: level, Areas: n.Areas, Created: places.at}, nil
}

// treeAt is the organisation tree at one moment.
type treeAt struct {
	tree broadcast.Tree
	at   broadcast.Instant
}

// Knows says whether the area existed at the moment.
func (t treeAt) Knows(area broadcast.ID) bool {
	_, err := t.tree.Chain(area, t.at)
	return err == nil
}

// Covers says whether area is upper or lay below it at the moment.
func (t treeAt) Covers(upper, area broadcast.ID) bool { return t.tree.Covers(upper, area, t.at) }

// level returns the highest level among areas.
func (t treeAt) level(areas []broadcast.ID) (broadcast.Level, error) {
	var best broadcast.Level
	for _, id := range areas {
		chain, err := t.tree.Chain(id, t.at)
		if err != nil {
			return "", err
		}
		if own := chain[len(chain)-1].Level; best == "" || own.Rank() < best.Rank() {
			best = own
		}
	}
	if best == "" {
		return "", errors.New("no area")
	}
	return best, nil
}
