package broadcast

import (
	"slices"
	"time"
)

// Law is what several policies allow together: for each rule the most
// restrictive one wins. The zero Law stands for "no verified policy": only
// emergencies of two officers sound.
type Law struct {
	known      bool
	quiet      []Span
	windows    [][]Span
	minutes    map[Class]time.Duration
	ceiling    int64
	thresholds map[Class]int
	alone      []Class
	custody    map[Class]Custody
	offline    time.Duration
	chimes     []Class
}

// LawOf merges the policies of all ancestors of a place.
func LawOf(policies ...Policy) Law {
	l := Law{minutes: map[Class]time.Duration{}, ceiling: 100, thresholds: map[Class]int{},
		custody: map[Class]Custody{}, offline: MaxOfflineDays * 24 * time.Hour, alone: Classes()}
	for _, p := range policies {
		l.add(p)
	}
	if !l.known {
		return Law{}
	}
	return l
}

func (l *Law) add(p Policy) {
	l.known = true
	l.quiet = append(l.quiet, p.Quiet...)
	if len(p.Windows) > 0 {
		l.windows = append(l.windows, p.Windows)
	}
	for _, b := range p.Minutes {
		d := time.Duration(b.Minutes) * time.Minute
		if have, ok := l.minutes[b.Class]; !ok || d < have {
			l.minutes[b.Class] = d
		}
	}
	if p.Ceiling > 0 {
		l.ceiling = min(l.ceiling, p.Ceiling)
	}
	for _, t := range p.Thresholds {
		l.thresholds[t.Class] = max(l.thresholds[t.Class], int(t.Officers))
	}
	for _, c := range p.Custodies {
		if c.Custody.Rank() > l.custody[c.Class].Rank() {
			l.custody[c.Class] = c.Custody
		}
	}
	l.alone = slices.DeleteFunc(slices.Clone(l.alone), func(c Class) bool { return !slices.Contains(p.OneOfficer, c) })
	days := p.OfflineDays
	if days == 0 {
		days = DefaultOfflineDays
	}
	l.offline = min(l.offline, time.Duration(days)*24*time.Hour)
	for _, c := range p.Chimes {
		if !slices.Contains(l.chimes, c) {
			l.chimes = append(l.chimes, c)
		}
	}
}

// Known says whether any verified policy stands behind the law.
func (l Law) Known() bool { return l.known }

// Quiet returns the quiet span that touches from..to, if any; emergencies are
// not asked.
func (l Law) Quiet(from, to Instant) (Span, bool) {
	for _, s := range l.quiet {
		if touches(s, from, to) {
			return s, true
		}
	}
	return Span{}, false
}

// touches looks at every local day whose span could reach into from..to.
func touches(s Span, from, to Instant) bool {
	for day := from.Add(-24 * time.Hour); day < to.Add(24*time.Hour); day = day.Add(24 * time.Hour) {
		if a, b, ok := s.On(day); ok && a < to && from < b {
			return true
		}
	}
	return false
}

// InWindow says whether from..to lies inside one window of every policy that
// has windows.
func (l Law) InWindow(from, to Instant) bool {
	for _, set := range l.windows {
		if !slices.ContainsFunc(set, func(s Span) bool { return holds(s, from, to) }) {
			return false
		}
	}
	return true
}

func holds(s Span, from, to Instant) bool {
	for _, day := range []Instant{from.Add(-24 * time.Hour), from} {
		if a, b, ok := s.On(day); ok && a <= from && to <= b {
			return true
		}
	}
	return false
}

// Budget returns how long class c may sound in a local day, and whether there
// is a bound at all.
func (l Law) Budget(c Class) (time.Duration, bool) {
	d, ok := l.minutes[c]
	return d, ok
}

// Ceiling returns the loudest allowed volume in percent. Without a policy it is
// that of the board alone, 100.
func (l Law) Ceiling() int64 {
	if !l.known {
		return 100
	}
	return l.ceiling
}

// Threshold returns how many different people must have signed an announcement
// of class c, given its signed reason, and whether the class may sound at all.
func (l Law) Threshold(c Class, reason string) (officers int, may bool) {
	if !l.known {
		return 2, c == Emergency
	}
	if reason != "" && slices.Contains(l.alone, c) {
		return 1, true
	}
	return max(1, l.thresholds[c]), true
}

// Custody returns the weakest custody whose signature counts for class c.
func (l Law) Custody(c Class) Custody {
	if have, ok := l.custody[c]; ok {
		return have
	}
	return CustodyController
}

// OfflineLimit is how long normal and priority items go on without a fresh manifest.
func (l Law) OfflineLimit() time.Duration {
	if !l.known {
		return DefaultOfflineDays * 24 * time.Hour
	}
	return l.offline
}

// Chime says whether items of class c begin with their chime. An emergency
// without any policy does: people must know what they hear.
func (l Law) Chime(c Class) bool {
	if !l.known {
		return true
	}
	return slices.Contains(l.chimes, c)
}
