package broadcast

import (
	"errors"
	"fmt"
)

// How many special days one policy may have, and how long one may last.
const (
	MaxSpecialDays = 32
	maxSpecialLife = 31
	maxSpecialName = 200
)

// SpecialDay lays other rules over a policy for some dates: national mourning,
// exams, Tết. It only tightens. Nodes know no lunar calendar, so the dates are
// solar ones. What a special day says of hours holds for spans that begin on its
// dates.
type SpecialDay struct {
	Name string `json:"name"`
	// From and To are the first and the last day.
	From Date `json:"from"`
	To   Date `json:"to"`
	// Quiet is added to the quiet hours of the policy.
	Quiet []Span `json:"quiet,omitempty"`
	// Windows, if any, narrow the policy's own: what sounds on these dates lies
	// inside one of each.
	Windows []Span `json:"windows,omitempty"`
	// Minutes and Ceiling bind together with those of the policy, the lower wins.
	Minutes []Budget `json:"minutes,omitempty"`
	Ceiling int64    `json:"ceiling,omitempty"`
}

// Validate refuses days without a name, without end or without any rule.
func (d SpecialDay) Validate() error {
	if err := firstOf(check{"name", named(d.Name)}, check{"from", d.From.Validate()}, check{"to", d.To.Validate()},
		check{"quiet", spans(d.Quiet)}, check{"windows", spans(d.Windows)}, check{"minutes", budgets(d.Minutes)},
		check{"ceiling", within(d.Ceiling, 0, 100)}); err != nil {
		return err
	}
	if length := d.To.Begins().Sub(d.From.Begins()); length < 0 || length >= maxSpecialLife*localDay {
		return fmt.Errorf("to: %s to %s is not 1 to %d days", d.From, d.To, maxSpecialLife)
	}
	if len(d.Quiet)+len(d.Windows)+len(d.Minutes) == 0 && d.Ceiling == 0 {
		return errors.New("quiet: the day changes nothing; give it hours, minutes or a ceiling")
	}
	return nil
}

// holds says whether a moment lies on one of the dates.
func (d SpecialDay) holds(i Instant) bool {
	day := DateOf(i)
	return d.From <= day && day <= d.To
}

func named(name string) error {
	if name == "" {
		return errors.New("empty; say what the days are")
	}
	return checkText(name, maxSpecialName)
}

func specialDays(list []SpecialDay) error {
	if len(list) > MaxSpecialDays {
		return fmt.Errorf("%d days, at most %d", len(list), MaxSpecialDays)
	}
	for _, d := range list {
		if err := d.Validate(); err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
	}
	return nil
}
