package broadcast

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Mode says how an announcement got its start.
type Mode string

// The two modes: a start that people chose, and a start at publishing plus a
// short lead, so that every node starts together.
const (
	ModeStart Mode = "start"
	ModeNow   Mode = "now"
)

// Limits of timing.
const (
	MaxUntil       = 366 * 24 * time.Hour
	MaxWindow      = 6 * time.Hour
	DefaultWindow  = 30 * time.Minute
	MinRepeat      = time.Minute
	MaxLateLimit   = 12 * time.Hour
	normalLate     = 60 * time.Second
	priorityLate   = 5 * time.Minute
	maxExceptions  = 24
	maxRuleLength  = 160
	exceptionDates = "2006-01-02"
)

// Timing says when an announcement may sound. Start is always signed; late is
// skipped: no occurrence begins after its start plus the late limit.
type Timing struct {
	Mode       Mode        `json:"mode"`
	Start      Instant     `json:"start,omitzero"`
	Recurrence *Recurrence `json:"recurrence,omitempty"`
	// Until is the last moment at which an occurrence may start; required with
	// a recurrence, at most MaxUntil after Start.
	Until Instant `json:"until,omitzero"`
	// LateLimit is in seconds; 0 stands for the default of the class.
	LateLimit int64 `json:"late_limit_s,omitempty"`
	// Window is in seconds and only for emergencies: how long the emergency
	// lives from Start; 0 stands for DefaultWindow.
	Window int64 `json:"window_s,omitempty"`
	// Repeat is in seconds and only for emergencies: the grid from Start on
	// which it sounds again inside its window; 0 means that it sounds once.
	Repeat int64 `json:"repeat_s,omitempty"`
}

// Recurrence is an RFC 5545 rule in local time, anchored at Timing.Start.
type Recurrence struct {
	// Rule is the RRULE value with FREQ DAILY, WEEKLY, MONTHLY or YEARLY and
	// nothing that subdivides a day; its end is Timing.Until.
	Rule string `json:"rule"`
	// Except lists local dates, yyyy-mm-dd, on which nothing sounds.
	Except []string `json:"except,omitempty"`
}

// rulePart is one part of a rule with every number inside the calendar: the
// library that expands rules walks out of its tables for a fifty-fourth week.
var rulePart = regexp.MustCompile(`^(FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)|INTERVAL=[1-9][0-9]{0,2}|WKST=` + weekday +
	`|BYDAY=` + listOf(`([+-]?([1-9]|[1-4][0-9]|5[0-3]))?`+weekday) + `|BYMONTHDAY=` + listOf(`-?([1-9]|[12][0-9]|3[01])`) +
	`|BYMONTH=` + listOf(`([1-9]|1[0-2])`) + `|BYSETPOS=` + listOf(`-?([1-9]|[1-9][0-9]|[12][0-9]{2}|3[0-5][0-9]|36[0-6])`) + `)$`)

// lateInMonth is a BYDAY that asks for a sixth or later weekday, which a month
// does not have, and ordinal one that counts weekdays at all.
var (
	lateInMonth = regexp.MustCompile(`BYDAY=(.*,)?[+-]?([6-9]|[1-9][0-9])[A-Z]`)
	ordinal     = regexp.MustCompile(`BYDAY=[^;]*[0-9]`)
)

const weekday = `(MO|TU|WE|TH|FR|SA|SU)`

func listOf(one string) string { return one + `(,` + one + `)*` }

// Validate refuses rules that could sound more than once a day, that carry
// their own end, or that are not in upper case.
func (r Recurrence) Validate() error {
	if len(r.Rule) > maxRuleLength {
		return fmt.Errorf("rule: longer than %d characters", maxRuleLength)
	}
	parts := strings.Split(r.Rule, ";")
	if !strings.HasPrefix(parts[0], "FREQ=") {
		return errors.New("rule: must begin with FREQ=DAILY, WEEKLY, MONTHLY or YEARLY")
	}
	seen := map[string]bool{}
	for _, p := range parts {
		name, _, _ := strings.Cut(p, "=")
		if !rulePart.MatchString(p) || seen[name] {
			return fmt.Errorf("rule: %q is not allowed; use FREQ (DAILY, WEEKLY, MONTHLY, YEARLY), INTERVAL, BYDAY, BYMONTHDAY, BYMONTH, BYSETPOS and give the end as until", p)
		}
		seen[name] = true
	}
	monthly := parts[0] == "FREQ=MONTHLY" || seen["BYMONTH"]
	if monthly && lateInMonth.MatchString(r.Rule) {
		return errors.New("rule: BYDAY asks for a weekday that comes more than five times in a month")
	}
	if ordinal.MatchString(r.Rule) && parts[0] != "FREQ=MONTHLY" && parts[0] != "FREQ=YEARLY" {
		return errors.New("rule: BYDAY counts weekdays, such as 2MO, only with FREQ=MONTHLY or YEARLY")
	}
	if len(r.Except) > maxExceptions {
		return fmt.Errorf("except: %d dates, at most %d", len(r.Except), maxExceptions)
	}
	for i, d := range r.Except {
		if t, err := time.Parse(exceptionDates, d); err != nil || t.Format(exceptionDates) != d {
			return fmt.Errorf("except: %q is not a date like 2026-11-22", d)
		}
		if i > 0 && r.Except[i-1] >= d {
			return errors.New("except: dates must be in order and different")
		}
	}
	return nil
}

// ValidateFor checks the timing of an announcement of class c. A draft in mode
// now has no start yet; it gets one when it is sealed.
func (t Timing) ValidateFor(c Class) error {
	if t.Mode != ModeStart && t.Mode != ModeNow {
		return fmt.Errorf("mode %q: use start or now", string(t.Mode))
	}
	if t.Start <= 0 {
		return errors.New("start: missing")
	}
	if err := within(t.LateLimit, 0, int64(MaxLateLimit/time.Second)); err != nil {
		return fmt.Errorf("late_limit_s: %w", err)
	}
	if c == Emergency {
		return t.validateEmergency()
	}
	if t.Window != 0 || t.Repeat != 0 {
		return errors.New("window_s and repeat_s belong to emergencies only")
	}
	return t.validateRecurrence()
}

func (t Timing) validateEmergency() error {
	if t.Recurrence != nil || t.Until != 0 {
		return errors.New("an emergency has a window, no recurrence and no until; renew it when the window ends")
	}
	if err := within(t.Window, 0, int64(MaxWindow/time.Second)); err != nil {
		return fmt.Errorf("window_s: %w", err)
	}
	if t.Repeat != 0 {
		return firstOf(check{"repeat_s", within(t.Repeat, int64(MinRepeat/time.Second), int64(MaxWindow/time.Second))})
	}
	return nil
}

func (t Timing) validateRecurrence() error {
	if t.Recurrence == nil {
		if t.Until != 0 {
			return errors.New("until: only a recurrence has one")
		}
		return nil
	}
	if t.Mode == ModeNow {
		return errors.New("recurrence: a recurring announcement needs a chosen start")
	}
	if t.Until == 0 {
		return errors.New("until: a recurrence needs its last day")
	}
	if t.Until <= t.Start || t.Until.Sub(t.Start) > MaxUntil {
		return errors.New("until: must lie after the start and at most a year later")
	}
	return t.Recurrence.Validate()
}

// Late is how long after its start an occurrence of class c may still begin.
// For an emergency it is the whole window.
func (t Timing) Late(c Class) time.Duration {
	switch {
	case c == Emergency:
		return t.WindowLength()
	case t.LateLimit > 0:
		return time.Duration(t.LateLimit) * time.Second
	case c == Priority:
		return priorityLate
	}
	return normalLate
}

// WindowLength is how long an emergency lives from its start.
func (t Timing) WindowLength() time.Duration {
	if t.Window == 0 {
		return DefaultWindow
	}
	return time.Duration(t.Window) * time.Second
}

// Deadline is the moment after which nothing of the announcement may begin.
func (t Timing) Deadline(c Class) Instant {
	if t.Recurrence != nil {
		return t.Until.Add(t.Late(c))
	}
	return t.Start.Add(t.Late(c))
}
