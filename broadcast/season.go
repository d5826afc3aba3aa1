package broadcast

import (
	"fmt"
	"time"
)

// MonthDay is a day of every year, written MM-DD. 02-29 exists in leap years
// only.
type MonthDay string

// Validate refuses days that no year has.
func (d MonthDay) Validate() error {
	if _, err := time.Parse("2006-01-02", "2024-"+string(d)); err != nil {
		return fmt.Errorf("day %q: use MM-DD, such as 10-16", string(d))
	}
	return nil
}

// Season is a stretch of every year, both days included. One whose end lies
// before its beginning runs over the new year.
type Season struct {
	From MonthDay `json:"from"`
	To   MonthDay `json:"to"`
}

// Validate refuses days that no year has.
func (s Season) Validate() error {
	return firstOf(check{"from", s.From.Validate()}, check{"to", s.To.Validate()})
}

// holds says whether the local day of a moment lies in the season.
func (s *Season) holds(i Instant) bool {
	if s == nil {
		return true
	}
	day := MonthDay(i.Time().In(Local()).Format("01-02"))
	if s.From <= s.To {
		return s.From <= day && day <= s.To
	}
	return day >= s.From || day <= s.To
}

// Date is a day of the local calendar, written YYYY-MM-DD.
type Date string

// DateOf returns the local day of a moment.
func DateOf(i Instant) Date { return Date(i.Time().In(Local()).Format(time.DateOnly)) }

// Validate refuses days that do not exist.
func (d Date) Validate() error {
	if _, err := time.Parse(time.DateOnly, string(d)); err != nil {
		return fmt.Errorf("date %q: use YYYY-MM-DD", string(d))
	}
	return nil
}

// Begins returns the first moment of the day; that of no day is 0.
func (d Date) Begins() Instant {
	t, err := time.ParseInLocation(time.DateOnly, string(d), Local())
	if err != nil {
		return 0
	}
	return InstantOf(t)
}
