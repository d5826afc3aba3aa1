package broadcast

import (
	"encoding/json"
	"fmt"
	"time"
)

// LocalTime is a time of day in minutes since local midnight, 0 to 1440. Its
// text is HH:MM; 24:00 is the end of a day.
type LocalTime int

// MarshalJSON writes the text in quotes.
func (l LocalTime) MarshalJSON() ([]byte, error) {
	if l < 0 || l > 24*60 {
		return nil, fmt.Errorf("local time %d is outside 0 to 1440 minutes", int(l))
	}
	return []byte(`"` + l.String() + `"`), nil
}

// String returns the text of the time of day.
func (l LocalTime) String() string { return fmt.Sprintf("%02d:%02d", int(l)/60, int(l)%60) }

// UnmarshalJSON reads exactly the text that MarshalJSON writes.
func (l *LocalTime) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("local time: %w", err)
	}
	got, err := ParseLocalTime(s)
	if err != nil {
		return err
	}
	*l = got
	return nil
}

// ParseLocalTime reads HH:MM from 00:00 to 24:00.
func ParseLocalTime(s string) (LocalTime, error) {
	var h, m int
	if n, err := fmt.Sscanf(s, "%02d:%02d", &h, &m); err != nil || n != 2 || m > 59 || h*60+m > 24*60 || h < 0 || m < 0 {
		return 0, fmt.Errorf("time of day %q: use HH:MM from 00:00 to 24:00", s)
	}
	l := LocalTime(h*60 + m)
	if l.String() != s {
		return 0, fmt.Errorf("time of day %q: use HH:MM from 00:00 to 24:00", s)
	}
	return l, nil
}

// Weekday is a day of the week by its RFC 5545 name.
type Weekday string

// Weekdays returns MO to SU in order.
func Weekdays() []Weekday { return []Weekday{"MO", "TU", "WE", "TH", "FR", "SA", "SU"} }

// WeekdayOf returns the local day of the week of a moment.
func WeekdayOf(i Instant) Weekday {
	return Weekdays()[(int(i.Time().In(Local()).Weekday())+6)%7]
}

// Validate refuses anything but the seven names.
func (w Weekday) Validate() error {
	for _, d := range Weekdays() {
		if w == d {
			return nil
		}
	}
	return fmt.Errorf("weekday %q: use MO, TU, WE, TH, FR, SA or SU", string(w))
}

// Span is a stretch of each listed day in local time. A span whose end is not
// after its beginning runs over midnight into the next day.
type Span struct {
	// Days is empty for every day.
	Days []Weekday `json:"days,omitempty"`
	// Season is the part of the year in which the span begins; nil for all of it.
	Season *Season   `json:"season,omitempty"`
	From   LocalTime `json:"from"`
	To     LocalTime `json:"to"`
}

// Validate refuses repeated days and empty spans; 00:00 to 24:00 is the whole day.
func (s Span) Validate() error {
	if s.From == s.To || s.From == 24*60 {
		return fmt.Errorf("from %s to %s is empty; a whole day is 00:00 to 24:00", s.From, s.To)
	}
	if s.Season != nil {
		if err := s.Season.Validate(); err != nil {
			return fmt.Errorf("season: %w", err)
		}
	}
	return firstOf(check{"days", distinct(s.Days, 0, 7)}, check{"from", within(int64(s.From), 0, 24*60)},
		check{"to", within(int64(s.To), 0, 24*60)})
}

// On returns the moments between which the span lies when it begins on the
// local day that holds i, and whether it begins on that day at all.
func (s Span) On(i Instant) (from, to Instant, ok bool) {
	t := i.Time().In(Local())
	midnight := InstantOf(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, Local()))
	if len(s.Days) > 0 {
		day := WeekdayOf(i)
		found := false
		for _, d := range s.Days {
			found = found || d == day
		}
		if !found {
			return 0, 0, false
		}
	}
	if !s.Season.holds(i) {
		return 0, 0, false
	}
	from = midnight.Add(time.Duration(s.From) * time.Minute)
	to = midnight.Add(time.Duration(s.To) * time.Minute)
	if s.To <= s.From {
		to = to.Add(24 * time.Hour)
	}
	return from, to, true
}

// Holds says whether the moment lies in the span, which may have begun the day before.
func (s Span) Holds(i Instant) bool {
	for _, day := range []Instant{i, i.Add(-24 * time.Hour)} {
		if from, to, ok := s.On(day); ok && from <= i && i < to {
			return true
		}
	}
	return false
}
