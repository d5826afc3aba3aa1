package broadcast

import (
	"errors"
	"fmt"
	"time"
)

// Silence (im lặng) stops and bars classes of sound in an area for a while.
type Silence struct {
	ID       ID       `json:"id"`
	Revision Revision `json:"revision"`
	Areas    []ID     `json:"areas"`
	// Classes that are barred; empty in a revision that lifts the silence.
	Classes []Class `json:"classes,omitempty"`
	Until   Instant `json:"until"`
	Reason  string  `json:"reason,omitempty"`
}

// Limits of a silence.
const (
	MaxSilence          = 24 * time.Hour
	MaxEmergencySilence = time.Hour
)

// Validate bounds the silence: 24 h, and 60 min if it names emergencies.
func (s Silence) Validate() error {
	if err := firstOf(check{"id", s.ID.Validate()}, check{"revision", s.Revision.Validate()},
		check{"areas", distinct(s.Areas, 1, MaxAreas)}, check{"classes", distinct(s.Classes, 0, 3)},
		check{"reason", checkText(s.Reason, maxReason)}); err != nil {
		return err
	}
	length := s.Until.Sub(s.Revision.IssuedAt())
	if length < 0 || length > MaxSilence {
		return errors.New("until: a silence ends at most 24 hours after its issue")
	}
	for _, c := range s.Classes {
		if c == Emergency && length > MaxEmergencySilence {
			return errors.New("until: a silence of emergencies ends at most 60 minutes after its issue")
		}
	}
	return nil
}

// Withdrawal takes one announcement back, up to and including a revision.
type Withdrawal struct {
	ID           ID       `json:"id"`
	Revision     Revision `json:"revision"`
	Announcement ID       `json:"announcement"`
	// Upto is the newest revision of the announcement that is withdrawn.
	Upto   Revision `json:"upto"`
	Class  Class    `json:"class"`
	Areas  []ID     `json:"areas"`
	Reason string   `json:"reason,omitempty"`
}

// Validate says whether the withdrawal is complete.
func (w Withdrawal) Validate() error {
	return firstOf(check{"id", w.ID.Validate()}, check{"revision", w.Revision.Validate()},
		check{"announcement", w.Announcement.Validate()}, check{"upto", w.Upto.Validate()},
		check{"class", w.Class.Validate()}, check{"areas", distinct(w.Areas, 1, MaxAreas)},
		check{"reason", checkText(w.Reason, maxReason)})
}

// Placement is the explicit order of a commune for its own loudspeakers: which
// offers of higher levels sound and when, and which item comes first.
type Placement struct {
	ID       ID       `json:"id"`
	Revision Revision `json:"revision"`
	Areas    []ID     `json:"areas"`
	Items    []Placed `json:"items"`
	Until    Instant  `json:"until"`
}

// Placed is one item of a placement. Items earlier in the list come first.
type Placed struct {
	Announcement ID       `json:"announcement"`
	Revision     Revision `json:"revision"`
	// Start replaces the announcement's own start; zero keeps it.
	Start Instant `json:"start,omitzero"`
	// Decline says that the commune does not take the offer; Reason says why.
	Decline bool   `json:"decline,omitempty"`
	Reason  string `json:"reason,omitempty"`
}

// Validate says whether the placement is complete and bounded.
func (p Placement) Validate() error {
	if len(p.Items) == 0 || len(p.Items) > 100 {
		return fmt.Errorf("items: %d, allowed are 1 to 100", len(p.Items))
	}
	seen := map[ID]bool{}
	for _, it := range p.Items {
		if err := firstOf(check{"items", it.Announcement.Validate()}, check{"items", it.Revision.Validate()},
			check{"items: reason", checkText(it.Reason, maxReason)}); err != nil {
			return err
		}
		if seen[it.Announcement] {
			return fmt.Errorf("items: %s is placed twice", it.Announcement)
		}
		seen[it.Announcement] = true
	}
	if p.Until <= p.Revision.IssuedAt() || p.Until.Sub(p.Revision.IssuedAt()) > MaxUntil {
		return errors.New("until: must lie after the issue and at most a year later")
	}
	return firstOf(check{"id", p.ID.Validate()}, check{"revision", p.Revision.Validate()},
		check{"areas", distinct(p.Areas, 1, MaxAreas)})
}

// Slot is a dated standing slot that a commune gives to a higher level: normal
// items of that level sound inside it without being placed one by one.
type Slot struct {
	ID       ID       `json:"id"`
	Revision Revision `json:"revision"`
	Areas    []ID     `json:"areas"`
	// Level is the highest level that may use the slot; lower ones may too.
	Level Level   `json:"level"`
	Spans []Span  `json:"spans"`
	From  Instant `json:"from"`
	Until Instant `json:"until"`
}

// Validate says whether the slot is complete, dated and at most 13 months long.
func (s Slot) Validate() error {
	if len(s.Spans) == 0 {
		return errors.New("spans: a slot needs at least one")
	}
	if s.Until <= s.From || s.Until.Sub(s.From) > MaxCertificateLife {
		return errors.New("until: must lie after from and at most 13 months later")
	}
	return firstOf(check{"id", s.ID.Validate()}, check{"revision", s.Revision.Validate()},
		check{"areas", distinct(s.Areas, 1, MaxAreas)}, check{"level", s.Level.Validate()},
		check{"spans", spans(s.Spans)})
}
