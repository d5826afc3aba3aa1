package broadcast

import (
	"cmp"
	"errors"
	"fmt"
)

// Custody says who holds a signing key.
type Custody string

// The custodies, from the weakest to the strongest.
const (
	CustodyController Custody = "controller" // wrapped by the officer's passphrase on the controller
	CustodyBrowser    Custody = "browser"    // not extractable from the officer's browser
	CustodyToken      Custody = "token"      // in a hardware token or phone
)

// Rank orders custodies from 1, the weakest, to 3; 0 is no custody.
func (c Custody) Rank() int {
	switch c {
	case CustodyController:
		return 1
	case CustodyBrowser:
		return 2
	case CustodyToken:
		return 3
	}
	return 0
}

// Validate refuses unknown custodies.
func (c Custody) Validate() error {
	if c.Rank() == 0 {
		return fmt.Errorf("custody %q: use controller, browser or token", string(c))
	}
	return nil
}

// MaxOfflineDays bounds how long a node may act on an old manifest.
const (
	MaxOfflineDays     = 35
	DefaultOfflineDays = 14
)

// Policy is the regulation (quy chế) of one area, signed by two officers and
// enforced on every node below it. A lower area can only tighten.
type Policy struct {
	Area     ID       `json:"area"`
	Revision Revision `json:"revision"`
	// Quiet bars normal and priority sound.
	Quiet []Span `json:"quiet,omitempty"`
	// Windows, if any, are the only spans in which normal items may sound.
	Windows []Span `json:"windows,omitempty"`
	// Special lays other rules over some dates.
	Special []SpecialDay `json:"special,omitempty"`
	// Minutes bounds the minutes of sound per local day and class, Sessions those
	// of one sounding.
	Minutes  []Budget `json:"minutes,omitempty"`
	Sessions []Budget `json:"sessions,omitempty"`
	// Ceiling is the loudest allowed volume in percent, 1 to 100; 0 means 100.
	Ceiling int64 `json:"ceiling,omitempty"`
	// Ceilings bound the volume in some hours of the day, besides Ceiling.
	Ceilings []HourCeiling `json:"ceilings,omitempty"`
	// Speakers names the levels that may speak in a class; a class that is not
	// named is open to every level.
	Speakers   []Speaker   `json:"speakers,omitempty"`
	Thresholds []Threshold `json:"thresholds"`
	// OneOfficer lists the classes that one officer may publish alone with a
	// reason inside the signed bytes.
	OneOfficer []Class `json:"one_officer,omitempty"`
	// Custodies lists the least custody of the keys that may sign a class.
	Custodies []LeastCustody `json:"custodies,omitempty"`
	// OfflineDays is how long normal and priority items go on without a fresh
	// manifest; 0 stands for DefaultOfflineDays.
	OfflineDays int64 `json:"offline_days,omitempty"`
	// Chimes lists the classes that begin with their chime.
	Chimes []Class `json:"chimes,omitempty"`
	// Corrections lists content that a correction may play at once.
	Corrections []Digest `json:"corrections,omitempty"`
	// Minimum is how many minutes a day the area ought to speak. No node enforces
	// it; reports count it.
	Minimum int64 `json:"minimum,omitempty"`
	// Retention is for how many months the office keeps what sounded; 0 leaves it
	// to the office. Nodes keep what fits.
	Retention int64 `json:"retention,omitempty"`
}

// HourCeiling is the loudest allowed volume in percent in a span of the day.
type HourCeiling struct {
	Hours   Span  `json:"hours"`
	Percent int64 `json:"percent"`
}

// Speaker names the levels whose officers may speak in a class. Who may warn of
// danger is decided by certificates and thresholds alone.
type Speaker struct {
	Class  Class   `json:"class"`
	Levels []Level `json:"levels"`
}

// Budget is how many minutes of one class may sound in a local day.
type Budget struct {
	Class   Class `json:"class"`
	Minutes int64 `json:"minutes"`
}

// Threshold is how many different people must sign an announcement of a class.
type Threshold struct {
	Class    Class `json:"class"`
	Officers int64 `json:"officers"`
}

// LeastCustody is the weakest custody whose signature counts for a class.
type LeastCustody struct {
	Class   Class   `json:"class"`
	Custody Custody `json:"custody"`
}

// Validate says whether the policy is complete: a threshold for every class.
func (p Policy) Validate() error {
	if err := firstOf(check{"area", p.Area.Validate()}, check{"revision", p.Revision.Validate()},
		check{"quiet", spans(p.Quiet)}, check{"windows", spans(p.Windows)},
		check{"special", specialDays(p.Special)}, check{"minutes", budgets(p.Minutes)}, check{"sessions", budgets(p.Sessions)},
		check{"ceiling", within(p.Ceiling, 0, 100)}, check{"ceilings", ceilings(p.Ceilings)}, check{"speakers", speakers(p.Speakers)},
		check{"minimum", within(p.Minimum, 0, 1440)}, check{"retention", within(p.Retention, 0, 240)},
		check{"offline_days", within(p.OfflineDays, 0, MaxOfflineDays)},
		check{"one_officer", distinct(p.OneOfficer, 0, 3)}, check{"chimes", distinct(p.Chimes, 0, 3)},
		check{"corrections", distinct(p.Corrections, 0, 32)}); err != nil {
		return err
	}
	return p.validateTables()
}

func (p Policy) validateTables() error {
	if len(p.Thresholds) != len(Classes()) {
		return errors.New("thresholds: name normal, priority and emergency, in this order")
	}
	for i, c := range Classes() {
		if p.Thresholds[i].Class != c {
			return errors.New("thresholds: name normal, priority and emergency, in this order")
		}
		if err := within(p.Thresholds[i].Officers, 1, MaxSignatures); err != nil {
			return fmt.Errorf("thresholds: %s: %w", c, err)
		}
	}
	custodies := map[Class]bool{}
	for _, c := range p.Custodies {
		if custodies[c.Class] {
			return fmt.Errorf("custodies: %s is named twice", c.Class)
		}
		custodies[c.Class] = true
		if err := firstOf(check{"custodies", c.Class.Validate()}, check{"custodies", c.Custody.Validate()}); err != nil {
			return err
		}
	}
	return nil
}

// budgets refuses a bound for emergencies: nothing counts their minutes.
func budgets(list []Budget) error {
	seen := map[Class]bool{}
	for _, b := range list {
		if seen[b.Class] || b.Class == Emergency {
			return errors.New("normal and priority, each once; emergencies have no budget")
		}
		seen[b.Class] = true
		if err := cmp.Or(b.Class.Validate(), within(b.Minutes, 0, 1440)); err != nil {
			return err
		}
	}
	return nil
}

func ceilings(list []HourCeiling) error {
	if len(list) > 16 {
		return fmt.Errorf("%d hours with a ceiling, at most 16", len(list))
	}
	for _, c := range list {
		if err := firstOf(check{"hours", c.Hours.Validate()}, check{"percent", within(c.Percent, 1, 100)}); err != nil {
			return err
		}
	}
	return nil
}

func speakers(list []Speaker) error {
	seen := map[Class]bool{}
	for _, s := range list {
		if seen[s.Class] || s.Class == Emergency {
			return errors.New("normal and priority, each once; who may warn of danger is for certificates to say")
		}
		seen[s.Class] = true
		if err := firstOf(check{"class", s.Class.Validate()}, check{"levels", distinct(s.Levels, 1, 4)}); err != nil {
			return err
		}
	}
	return nil
}

func spans(list []Span) error {
	if len(list) > 32 {
		return fmt.Errorf("%d spans, at most 32", len(list))
	}
	for _, s := range list {
		if err := s.Validate(); err != nil {
			return err
		}
	}
	return nil
}
