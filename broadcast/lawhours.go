package broadcast

import (
	"slices"
	"time"
)

const localDay = 24 * time.Hour

// Quiet returns the quiet span that touches from..to, if any; emergencies are
// not asked.
func (l Law) Quiet(from, to Instant) (Span, bool) {
	for _, p := range l.policies {
		if i := slices.IndexFunc(p.Quiet, func(s Span) bool { return touches(s, from, to, nil) }); i >= 0 {
			return p.Quiet[i], true
		}
		for _, d := range p.Special {
			if i := slices.IndexFunc(d.Quiet, func(s Span) bool { return touches(s, from, to, d.holds) }); i >= 0 {
				return d.Quiet[i], true
			}
		}
	}
	return Span{}, false
}

// touches looks at every local day whose span could reach into from..to, of
// those that count.
func touches(s Span, from, to Instant, counts func(Instant) bool) bool {
	for day := from.Add(-localDay); day < to.Add(localDay); day = day.Add(localDay) {
		if a, b, ok := s.On(day); ok && a < to && from < b && (counts == nil || counts(day)) {
			return true
		}
	}
	return false
}

// InWindow says whether from..to lies inside one window of every set that binds
// it: the windows of each policy, and those of each special day that it touches.
func (l Law) InWindow(from, to Instant) bool {
	return !slices.ContainsFunc(l.policies, func(p Policy) bool { return !p.inWindow(from, to) })
}

func (p Policy) inWindow(from, to Instant) bool {
	if len(p.Windows) > 0 && !insideOne(p.Windows, from, to, nil) {
		return false
	}
	return !slices.ContainsFunc(p.Special, func(d SpecialDay) bool {
		return len(d.Windows) > 0 && touches(wholeDay, from, to, d.holds) && !insideOne(d.Windows, from, to, d.holds)
	})
}

// wholeDay is every moment of a local day.
var wholeDay = Span{From: 0, To: 24 * 60}

// insideOne says whether one span holds all of from..to, having begun on that
// local day or on the one before, if that day counts.
func insideOne(list []Span, from, to Instant, counts func(Instant) bool) bool {
	return slices.ContainsFunc([]Instant{from.Add(-localDay), from}, func(day Instant) bool {
		return (counts == nil || counts(day)) && slices.ContainsFunc(list, func(s Span) bool {
			a, b, ok := s.On(day)
			return ok && a <= from && to <= b
		})
	})
}

// WindowsOn returns the sets of windows that bind on the local day of a moment:
// normal items sound inside one window of every set, anywhere if there is none.
func (p Policy) WindowsOn(day Instant) [][]Span {
	var sets [][]Span
	if len(p.Windows) > 0 {
		sets = append(sets, p.Windows)
	}
	for _, d := range p.Special {
		if len(d.Windows) > 0 && d.holds(day) {
			sets = append(sets, d.Windows)
		}
	}
	return sets
}

// Budget returns how long class c may sound on the local day of a moment, and
// whether there is a bound at all.
func (l Law) Budget(c Class, at Instant) (time.Duration, bool) {
	bounds := map[Class]time.Duration{}
	for _, p := range l.policies {
		for _, b := range p.Minutes {
			lower(bounds, b)
		}
		for _, d := range p.Special {
			if d.holds(at) {
				for _, b := range d.Minutes {
					lower(bounds, b)
				}
			}
		}
	}
	d, ok := bounds[c]
	return d, ok
}

// Ceiling returns the loudest volume in percent that is allowed all the way from
// one moment to another. Without a policy it is that of the board alone, 100.
func (l Law) Ceiling(from, to Instant) int64 {
	lowest := int64(100)
	for _, p := range l.policies {
		if p.Ceiling > 0 {
			lowest = min(lowest, p.Ceiling)
		}
		for _, c := range p.Ceilings {
			if touches(c.Hours, from, to, nil) {
				lowest = min(lowest, c.Percent)
			}
		}
		for _, d := range p.Special {
			if d.Ceiling > 0 && touches(wholeDay, from, to, d.holds) {
				lowest = min(lowest, d.Ceiling)
			}
		}
	}
	return lowest
}
