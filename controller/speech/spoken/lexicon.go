package spoken

import (
	_ "embed" // the base of every lexicon is part of the program
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Bounds of an entry, in bytes, and of a lexicon.
const (
	MaxWritten = 120
	MaxSpoken  = 240
	MaxEntries = 5000
)

// Entry says how something written is said.
type Entry struct {
	Written string
	Spoken  string
	// Exact entries are found only in this spelling of capitals; the others in any.
	Exact bool
	// Check entries are always shown to be checked.
	Check bool
}

// ErrEntry is an entry that no lexicon takes; the error says why.
var ErrEntry = errors.New("this cannot stand in a lexicon")

// Verify returns the entry in the form in which it is kept, or ErrEntry.
func (e Entry) Verify() (Entry, error) {
	e.Written, e.Spoken = tidy(e.Written), tidy(e.Spoken)
	switch {
	case e.Written == "" || len(e.Written) > MaxWritten:
		return e, fmt.Errorf("%w: what is written must have 1 to %d bytes", ErrEntry, MaxWritten)
	case e.Spoken == "" || len(e.Spoken) > MaxSpoken:
		return e, fmt.Errorf("%w: what is said must have 1 to %d bytes", ErrEntry, MaxSpoken)
	case strings.ContainsFunc(e.Spoken, func(r rune) bool { return !sayable(r) }):
		return e, fmt.Errorf("%w: write how %q is said with letters, spaces, commas and hyphens alone", ErrEntry, e.Written)
	case !strings.ContainsFunc(e.Written, unicode.IsLetter):
		return e, fmt.Errorf("%w: %q has no letter; numbers and marks are read by rules", ErrEntry, e.Written)
	case strings.ContainsFunc(e.Written, unicode.IsControl):
		return e, fmt.Errorf("%w: what is written holds control characters", ErrEntry)
	}
	return e, nil
}

// sayable are the runes that an engine may be given.
func sayable(r rune) bool {
	return r == ' ' || r == ',' || r == '-' || unicode.Is(unicode.Latin, r)
}

func tidy(s string) string {
	return strings.Join(strings.Fields(norm.NFC.String(strings.ToValidUTF8(s, ""))), " ")
}

//go:embed data/base.tsv
var baseTable string

// base are the abbreviations and loan words that every office uses.
var base = sync.OnceValue(func() []Entry {
	var entries []Entry
	for line := range strings.Lines(baseTable) {
		if cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); len(cells) >= 3 && !strings.HasPrefix(line, "#") {
			entries = append(entries, Entry{Written: cells[0], Spoken: cells[1],
				Exact: strings.Contains(cells[2], "exact"), Check: strings.Contains(cells[2], "check")})
		}
	}
	return entries
})

// Lexicon finds the longest entry at a place of a text. It never changes and may
// be used at the same time.
type Lexicon struct{ root *node }

// node is a place in the tree of what entries are written with, atom by atom.
type node struct {
	next    map[string]*node
	entries []Entry // the last wins
}

// NewLexicon makes the lexicon of these entries over the base that every office
// shares. A later entry wins over an earlier one that is written the same way; what
// Verify refuses, and what passes MaxEntries, is left out.
func NewLexicon(layers ...[]Entry) *Lexicon {
	l := &Lexicon{root: &node{}}
	for _, e := range base() {
		l.add(e)
	}
	n := 0
	for _, e := range slices.Concat(layers...) {
		if e, err := e.Verify(); err == nil && n < MaxEntries {
			l.add(e)
			n++
		}
	}
	return l
}

func (l *Lexicon) add(e Entry) {
	at := l.root
	for _, a := range atomsOf(e.Written) {
		key := folded(e.Written[a.from:a.to], a.kind)
		if at.next == nil {
			at.next = map[string]*node{}
		}
		if at.next[key] == nil {
			at.next[key] = &node{}
		}
		at = at.next[key]
	}
	at.entries = append(at.entries, e)
}

// folded is what atoms are compared by: without capitals, and with the tone at
// the end, so that hoá is hóa.
func folded(s string, kind atomKind) string {
	if kind != letterAtom {
		if kind == spaceAtom {
			return " "
		}
		return s
	}
	plain, t := untoned(strings.ToLower(s))
	if t == level {
		return plain
	}
	return plain + string(rune('0'+t))
}

// find returns the longest entry that begins with the atom i, and the atom
// behind it; nil for none. An entry never ends inside of a word or number.
func (l *Lexicon) find(text string, atoms []atom, i int) (*Entry, int) {
	const deepest = 64
	var found *Entry
	end := i
	at := l.root
	for n := i; n < len(atoms) && n-i < deepest && at.next != nil; n++ {
		at = at.next[folded(text[atoms[n].from:atoms[n].to], atoms[n].kind)]
		if at == nil {
			break
		}
		if len(at.entries) == 0 || runsOn(atoms, n) {
			continue
		}
		if e := at.match(text[atoms[i].from:atoms[n].to]); e != nil {
			found, end = e, n+1
		}
	}
	return found, end
}

func (n *node) match(written string) *Entry {
	for i := len(n.entries) - 1; i >= 0; i-- {
		if e := &n.entries[i]; !e.Exact || tidyEqual(e.Written, written) {
			return e
		}
	}
	return nil
}

func tidyEqual(tidied, written string) bool {
	return tidied == written || tidied == strings.Join(strings.Fields(written), " ")
}

// runsOn reports whether letters or digits stand directly on both sides of an
// atom's end.
func runsOn(atoms []atom, n int) bool {
	return n+1 < len(atoms) && atoms[n].kind <= digitAtom && atoms[n+1].kind <= digitAtom
}

// levels are what names of areas begin with, and how that is shortened.
var levels = []struct {
	name   string
	shorts []string
}{
	{"Thị trấn ", []string{"TT", "TT."}}, {"Thị xã ", []string{"TX", "TX."}}, {"Thành phố ", []string{"TP", "TP.", "Tp."}},
	{"Phường ", []string{"P.", "Ph."}}, {"Quận ", []string{"Q."}}, {"Huyện ", []string{"H."}}, {"Tỉnh ", []string{"T."}},
	{"Xã ", []string{"X."}}, {"Thôn ", []string{"Th."}},
}

// Places are the entries of the names of areas, such as "Thị trấn Việt Quang":
// the name, and the name behind its shortened level.
func Places(names []string) []Entry {
	var entries []Entry
	for _, name := range names {
		name = tidy(name)
		for _, l := range levels {
			place, ok := strings.CutPrefix(name, l.name)
			if !ok || utf8.RuneCountInString(place) < 2 || strings.ContainsFunc(place, unicode.IsDigit) {
				continue
			}
			entries = append(entries, Entry{Written: place, Spoken: place})
			for _, short := range l.shorts {
				full := strings.ToLower(l.name) + place
				entries = append(entries, Entry{Written: short + " " + place, Spoken: full},
					Entry{Written: short + place, Spoken: full})
			}
		}
	}
	return entries
}
