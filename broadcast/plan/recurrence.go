package plan

import (
	"errors"
	"slices"
	"time"

	"github.com/teambition/rrule-go"

	"github.com/loaxa/loaxa/broadcast"
)

var errNoRule = errors.New("the recurrence cannot be read")

// readable says whether the node understands when the announcement recurs.
func readable(t broadcast.Timing) bool {
	if t.Recurrence == nil {
		return true
	}
	_, err := ruleOf(t)
	return err == nil
}

// expand returns the starts of a recurrence in from..to, both inclusive, in
// order: at most one a day, none after Until, none on an excepted date. A rule
// that the library breaks down on costs itself its starts, and nobody else a plan.
func expand(t broadcast.Timing, from, to broadcast.Instant) (starts []broadcast.Instant) {
	defer func() {
		if recover() != nil {
			starts = nil
		}
	}()
	return expansion(t, from, to)
}

func expansion(t broadcast.Timing, from, to broadcast.Instant) []broadcast.Instant {
	from, to = max(from, t.Start), min(to, t.Until)
	option, err := ruleOf(t)
	if err != nil || from > to {
		return nil
	}
	advance(&option, from.Time())
	shift := lastCycle(to.Time().Year())
	option.Dtstart = option.Dtstart.AddDate(shift, 0, 0)
	rule, err := rrule.NewRRule(option)
	if err != nil {
		return nil
	}
	fraction := t.Start % 1000
	var out []broadcast.Instant
	next := rule.Iterator()
	for at, ok := next(); ok; at, ok = next() {
		start := broadcast.InstantOf(at.AddDate(-shift, 0, 0)) + fraction
		if start > to {
			break
		}
		if start >= from && !excepted(t.Recurrence, start) {
			out = append(out, start)
		}
	}
	return out
}

// ruleOf reads a rule that broadcast.Recurrence allows and anchors it at the
// local start. What the rule leaves to its anchor is spelled out, so that the
// anchor can be moved.
func ruleOf(t broadcast.Timing) (rrule.ROption, error) {
	if t.Recurrence.Validate() != nil {
		return rrule.ROption{}, errNoRule
	}
	parsed, err := rrule.StrToROptionInLocation(t.Recurrence.Rule, broadcast.Local())
	if err != nil {
		return rrule.ROption{}, errNoRule
	}
	option := *parsed
	option.Dtstart = t.Start.Time().In(broadcast.Local()).Truncate(time.Second)
	if _, err := rrule.NewRRule(option); err != nil {
		return rrule.ROption{}, errNoRule
	}
	spellOut(&option)
	return option, nil
}

func spellOut(o *rrule.ROption) {
	o.Interval = max(1, o.Interval)
	if len(o.Bymonthday) > 0 || len(o.Byweekday) > 0 {
		return
	}
	switch o.Freq {
	case rrule.YEARLY:
		if len(o.Bymonth) == 0 {
			o.Bymonth = []int{int(o.Dtstart.Month())}
		}
		o.Bymonthday = []int{o.Dtstart.Day()}
	case rrule.MONTHLY:
		o.Bymonthday = []int{o.Dtstart.Day()}
	case rrule.WEEKLY:
		week := []rrule.Weekday{rrule.SU, rrule.MO, rrule.TU, rrule.WE, rrule.TH, rrule.FR, rrule.SA}
		o.Byweekday = []rrule.Weekday{week[o.Dtstart.Weekday()]}
	}
}

// advance moves the anchor by whole intervals to two of them before from, so
// that an old rule costs no more than a new one. Two, because the interval of
// the anchor may be cut short and must lie before what is asked for.
func advance(o *rrule.ROption, from time.Time) {
	start := o.Dtstart
	days := int(from.Sub(start).Hours() / 24)
	switch o.Freq {
	case rrule.DAILY:
		o.Dtstart = start.AddDate(0, 0, steps(days, o.Interval)*o.Interval)
	case rrule.WEEKLY:
		o.Dtstart = start.AddDate(0, 0, 7*steps(days/7, o.Interval)*o.Interval)
	case rrule.MONTHLY:
		if n := steps(days/31, o.Interval); n > 0 {
			o.Dtstart = start.AddDate(0, n*o.Interval, 1-start.Day())
		}
	case rrule.YEARLY:
		if n := steps(days/366, o.Interval); n > 0 {
			o.Dtstart = time.Date(start.Year()+n*o.Interval, 1, 1, start.Hour(), start.Minute(), start.Second(), 0, start.Location())
		}
	}
}

func steps(periods, interval int) int { return max(0, periods/interval-2) }

// lastCycle is by how many years a calendar can be moved so that it stays the
// same, as late as possible: the Gregorian one repeats every 400 years. The
// library looks for the next day of a rule until the end of the year 9999; a
// rule that never comes true, such as every seventh day from a Monday on if it
// is a Tuesday, would take it 130 ms, and takes it 5 ms in the last cycle.
func lastCycle(year int) int { return max(0, (9998-year)/400*400) }

func excepted(r *broadcast.Recurrence, start broadcast.Instant) bool {
	return len(r.Except) > 0 && slices.Contains(r.Except, start.Time().In(broadcast.Local()).Format(time.DateOnly))
}
