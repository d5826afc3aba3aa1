package broadcast

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
)

var (
	errFiringPlace  = errors.New("a firing is told with the rung received of the whole document")
	errFiringDigest = errors.New("the payload of its receipt is the digest of another firing")
)

// OnSite lets people at the box of a node fire a template there, without any
// line. The two officers who seal the template decide it in advance.
type OnSite struct {
	// Keys are the names of the key switches, as the board's profile has them,
	// each of which fires it alone.
	Keys []Switch `json:"keys,omitempty"`
	// Codes are the people who may fire it at a keypad.
	Codes []Code `json:"codes,omitempty"`
	// Hourly is how often an hour a node lets itself be told so, 1 to 60.
	Hourly int64 `json:"hourly"`
	// Speech lets people speak into the node's own microphone: each of them needs
	// a PIN, and one of the keys turned for as long as he speaks.
	Speech *Speech `json:"speech,omitempty"`
}

// Speech is what two officers allow those who speak at a box. How long is in
// the template's version, how loud and when else in policies as for any sound.
type Speech struct {
	// Hours are when, in local time; empty for always.
	Hours []Span `json:"hours,omitempty"`
	// KeepDays is how long the node keeps the recording of it at least, 1 to 30 days.
	KeepDays int64 `json:"keep_days"`
}

// At says whether somebody may begin to speak at that moment.
func (s Speech) At(i Instant) bool {
	return len(s.Hours) == 0 || slices.ContainsFunc(s.Hours, func(span Span) bool { return span.Holds(i) })
}

func (s *Speech) validate(l *OnSite) error {
	if s == nil {
		return nil
	}
	if len(l.Keys) == 0 || len(l.Codes) == 0 {
		return errors.New("whoever speaks needs a key and a PIN: name both")
	}
	if len(s.Hours) > maxHours {
		return fmt.Errorf("hours: %d entries, allowed are 0 to %d", len(s.Hours), maxHours)
	}
	for _, h := range s.Hours {
		if err := h.Validate(); err != nil {
			return fmt.Errorf("hours: %w", err)
		}
	}
	return firstOf(check{"keep_days", within(s.KeepDays, 1, 30)})
}

// maxHours is how many stretches of a week one template may name.
const maxHours = 14

// Switch is the name of a key switch or keypad in the box of a node, one word as
// in the profile of its board.
type Switch string

var switchPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$`)

// Validate refuses what no board calls an input.
func (s Switch) Validate() error {
	if !switchPattern.MatchString(string(s)) {
		return fmt.Errorf("key switch %q: one word, as the board's profile names it", string(s))
	}
	return nil
}

// maxKeys is how many key switches one template may name.
const maxKeys = 8

// Allows says whether the key switch of that name may fire, or the PIN of that
// person if one is named; who speaks needs both. Nil allows nothing.
func (l *OnSite) Allows(key Switch, person ID) bool {
	switch {
	case l == nil:
		return false
	case l.Speech != nil:
		return slices.Contains(l.Keys, key) && slices.ContainsFunc(l.Codes, func(c Code) bool { return c.Person == person })
	case person != "":
		return slices.ContainsFunc(l.Codes, func(c Code) bool { return c.Person == person })
	}
	return slices.Contains(l.Keys, key)
}

// People are those who may fire it at a keypad; nobody for nil.
func (l *OnSite) People() []Code {
	if l == nil {
		return nil
	}
	return l.Codes
}

func (l *OnSite) validate() error {
	if l == nil {
		return nil
	}
	if len(l.Keys) == 0 && len(l.Codes) == 0 {
		return errors.New("name a key switch or somebody with a PIN")
	}
	return firstOf(check{"keys", distinct(l.Keys, 0, maxKeys)}, check{"codes", validateCodes(l.Codes)}, check{"hourly", within(l.Hourly, 1, 60)},
		check{"speech", l.Speech.validate(l)})
}

// Firing is one turn of a key switch, or one PIN, that fired a template. It is no document:
// it stands in the receipt with which the node says so, and nobody acts on it
// but the node whose box was opened. In receipts its digest takes the place of
// what officers would have signed.
type Firing struct {
	Template TemplateRef `json:"template"`
	// Payload is the digest of what the template's officers signed.
	Payload Digest `json:"payload"`
	// Key is the key switch, or the keypad.
	Key Switch `json:"key"`
	// Person is whose PIN was typed; empty for a key switch.
	Person ID `json:"person,omitempty"`
	// Start is when the node meant it to sound: a moment after the key turned.
	Start Instant `json:"start"`
}

// Digest names the firing.
func (f Firing) Digest() (Digest, error) {
	b, err := Encode(f)
	return Sum(b), err
}

// Announcement is what the firing makes of its template: its words in its areas
// and class, once, now. An emergency lives for the usual window.
func (f Firing) Announcement(id ID, revision Revision, t Template) Announcement {
	return Announcement{ID: id, Revision: revision, Class: t.Class, Title: t.Title, Areas: t.Areas, Versions: t.Versions,
		Timing: Timing{Mode: ModeNow, Start: f.Start}, Meta: Sum(nil), Template: &f.Template}
}

// validateIn says whether the firing may stand in a receipt: it is told with
// the first rung, and the receipt names its digest.
func (f *Firing) validateIn(r Receipt) error {
	if f == nil {
		return nil
	}
	if err := firstOf(check{"template", maybeRef(&f.Template)}, check{"payload", f.Payload.Validate()},
		check{"key", f.Key.Validate()}, check{"person", maybe(f.Person)}, check{"start", within(int64(f.Start), 1, int64(maxInstant))}); err != nil {
		return err
	}
	if r.Rung != Received || r.Start != 0 {
		return errFiringPlace
	}
	if digest, err := f.Digest(); err != nil || digest != r.Payload {
		return errFiringDigest
	}
	return nil
}
