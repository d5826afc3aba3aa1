// Package health keeps what is wrong with one node, or with the controller.
//
// What always holds: a fault is declared once it has lasted as long as its row
// in the table of faults asks for, and cleared once it was gone as long as the
// row asks for; one that comes and goes is shown all along and changes ever more
// seldom, never left out. While a cause is there its consequences are silent,
// and they come to light if they outlast it. Whatever fails how often, a Chart
// is bounded, and what it shows begins with the worst.
//
// How: whoever finds a failure raises and clears it on the Chart, by its code
// and the part that it concerns. A Chart is told what time it is.
package health

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
)

// Bounds of a chart.
const (
	mostCodes = 8 // shown, times the parts of one code
	fewParts  = 8 // of one code; more say no more
	longestPart,
	longestCause = 64, 200 // bytes, as the message allows
	// remembered is how long a fault that was cleared counts as one that comes
	// and goes, longestCalm how long such a one must be gone at most.
	remembered  = time.Hour
	longestCalm = 30 * time.Minute
)

// Moment is when something happens: Mono never jumps and spans are counted in
// it, At is what people are told.
type Moment struct {
	Mono time.Duration
	At   broadcast.Instant
}

// Chart is what is wrong with one site. The zero value is a site in good
// health. It is not safe for several goroutines.
type Chart struct {
	// Most is how many parts of one code it keeps, 0 for eight; it shows eight
	// times as many faults.
	Most int

	list []*complaint // in the order of their coming
}

// complaint is one fault of one part.
type complaint struct {
	row         broadcast.Fault
	part, cause string
	since       broadcast.Instant
	came, left  time.Duration
	here        bool // the failure is there now
	declared    bool
	told        bool // it was declared at least once
	returns     int  // how often it came back before it was forgotten
}

// Raise says that a failure is there. One that is there already keeps its
// beginning and its cause.
func (c *Chart) Raise(code broadcast.FaultCode, part, cause string, now Moment) {
	part = cut(part, longestPart)
	one := c.find(code, part)
	switch {
	case one == nil:
		if one = c.add(code, part); one == nil {
			return
		}
	case one.here:
		return
	case one.declared:
		one.returns++
	case one.told:
		one.returns++
		one.since, one.came, one.cause = 0, 0, ""
	}
	if one.since == 0 {
		one.since, one.came, one.cause = max(1, now.At), now.Mono, cut(cause, longestCause)
	}
	one.here = true
	if one.row.Lasts == 0 {
		one.declared, one.told = true, true
	}
}

// Clear says that a failure is there no more.
func (c *Chart) Clear(code broadcast.FaultCode, part string, now Moment) {
	if one := c.find(code, cut(part, longestPart)); one != nil && one.here {
		one.here, one.left = false, now.Mono
	}
}

// Note says that a failure was seen which is over as soon as it is seen. It is
// shown for as long as its row asks for calm.
func (c *Chart) Note(code broadcast.FaultCode, part, cause string, now Moment) {
	c.Raise(code, part, cause, now)
	c.Clear(code, part, now)
}

// Set raises or clears.
func (c *Chart) Set(present bool, code broadcast.FaultCode, part, cause string, now Moment) {
	if present {
		c.Raise(code, part, cause, now)
		return
	}
	c.Clear(code, part, now)
}

// Parts are those of which a failure is there now.
func (c *Chart) Parts(code broadcast.FaultCode) []string {
	var out []string
	for _, one := range c.list {
		if one.row.Code == code && one.here {
			out = append(out, one.part)
		}
	}
	return out
}

// Shown brings the chart up to date and returns what is to be told, the worst
// first, and when that may change by itself; 0 for not.
func (c *Chart) Shown(now Moment) ([]wire.Fault, time.Duration) {
	var next time.Duration
	c.list = slices.DeleteFunc(c.list, func(one *complaint) bool {
		at := one.settle(now.Mono)
		if at != 0 && (next == 0 || at < next) {
			next = at
		}
		return at == 0 && !one.here && !one.declared
	})
	worst := slices.SortedFunc(slices.Values(c.list), func(a, b *complaint) int {
		return cmp.Or(cmp.Compare(rank(a.row), rank(b.row)), cmp.Compare(a.row.Code, b.row.Code), cmp.Compare(a.part, b.part))
	})
	var out []wire.Fault
	for _, one := range worst {
		if one.declared && !c.silenced(one) && len(out) < mostCodes*c.most() {
			out = append(out, wire.Fault{Code: one.row.Code, Part: one.part, Since: one.since, Cause: one.cause})
		}
	}
	return out, next
}

// settle declares, clears or forgets, and returns when the next of these is
// due; 0 for not by itself.
func (o *complaint) settle(now time.Duration) time.Duration {
	if o.here && !o.declared {
		if at := o.came + o.row.Lasts; now < at {
			return at
		}
		o.declared, o.told = true, true
	}
	if o.here {
		return 0
	}
	if o.declared {
		if at := o.left + o.calm(); now < at {
			return at
		}
		o.declared = false
	}
	if at := o.left + o.memory(); now < at {
		return at
	}
	return 0
}

// calm grows with every return.
func (o *complaint) calm() time.Duration {
	return min(o.row.Calm<<min(o.returns, 12), max(o.row.Calm, longestCalm))
}

// memory is how long a failure that is gone is held to be the same one when it
// comes back.
func (o *complaint) memory() time.Duration {
	if o.told {
		return o.calm() + remembered
	}
	return o.row.Lasts
}

// silenced says whether a cause of it is there.
func (c *Chart) silenced(one *complaint) bool {
	return slices.ContainsFunc(c.list, func(cause *complaint) bool {
		return (cause.here || cause.declared) && slices.Contains(one.row.Behind, cause.row.Code)
	})
}

func (c *Chart) find(code broadcast.FaultCode, part string) *complaint {
	i := slices.IndexFunc(c.list, func(o *complaint) bool { return o.row.Code == code && o.part == part })
	if i < 0 {
		return nil
	}
	return c.list[i]
}

func (c *Chart) most() int { return cmp.Or(c.Most, fewParts) }

// add makes room for another part of a code, at the cost of one that is over.
// A code without a row is shown as it is.
func (c *Chart) add(code broadcast.FaultCode, part string) *complaint {
	same := 0
	for _, o := range c.list {
		if o.row.Code == code {
			same++
		}
	}
	if same >= c.most() {
		i := slices.IndexFunc(c.list, func(o *complaint) bool { return o.row.Code == code && !o.here })
		if i < 0 {
			return nil
		}
		c.list = slices.Delete(c.list, i, i+1)
	}
	row, known := broadcast.FaultOf(code)
	if !known {
		row = broadcast.Fault{Code: code, Gravity: broadcast.Trouble}
	}
	one := &complaint{row: row, part: part}
	c.list = append(c.list, one)
	return one
}

// rank orders by gravity, the worst first.
func rank(f broadcast.Fault) int { return slices.Index(broadcast.Gravities(), f.Gravity) }

// cut shortens text to n bytes without splitting a character.
func cut(s string, n int) string { return strings.ToValidUTF8(s[:min(len(s), n)], "") }
