package broadcast

import (
	"slices"
	"time"
)

// Law is what several policies allow together: for each rule the most
// restrictive one wins. The zero Law stands for "no verified policy": only
// emergencies of two officers sound.
type Law struct {
	known bool
	// policies are asked one by one for what depends on the moment.
	policies   []Policy
	sessions   map[Class]time.Duration
	thresholds map[Class]int
	alone      []Class
	custody    map[Class]Custody
	offline    time.Duration
	chimes     []Class
	// corrections are those that every policy lists.
	corrections []Digest
}

// LawOf merges the policies of all ancestors of a place.
func LawOf(policies ...Policy) Law {
	l := Law{sessions: map[Class]time.Duration{}, thresholds: map[Class]int{},
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
	if !l.known {
		l.corrections = p.Corrections
	}
	l.corrections = slices.DeleteFunc(slices.Clone(l.corrections), func(c Digest) bool { return !slices.Contains(p.Corrections, c) })
	l.known = true
	l.policies = append(l.policies, p)
	for _, b := range p.Sessions {
		lower(l.sessions, b)
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

// lower lets the smaller of two budgets of a class stand.
func lower(bounds map[Class]time.Duration, b Budget) {
	d := time.Duration(b.Minutes) * time.Minute
	if have, bound := bounds[b.Class]; !bound || d < have {
		bounds[b.Class] = d
	}
}

// Known says whether any verified policy stands behind the law.
func (l Law) Known() bool { return l.known }

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

// Corrects says whether these are recordings that may correct what was withdrawn
// by one signature: every policy lists all of them.
func (l Law) Corrects(versions []Version) bool {
	return len(versions) > 0 && !slices.ContainsFunc(versions, func(v Version) bool {
		return v.Content == nil || !slices.Contains(l.corrections, v.Content.SHA256)
	})
}

// MaySpeak says whether officers of a level may speak in class c. Emergencies
// are not asked.
func (l Law) MaySpeak(c Class, level Level) bool {
	for _, p := range l.policies {
		for _, s := range p.Speakers {
			if s.Class == c && !slices.Contains(s.Levels, level) {
				return false
			}
		}
	}
	return true
}

// Session returns how long one sounding of class c may last, and whether there
// is a bound at all.
func (l Law) Session(c Class) (time.Duration, bool) {
	d, ok := l.sessions[c]
	return d, ok
}

// Minimum is for how long each day ought to sound, the most that any policy asks;
// 0 is no such duty. No node acts on it.
func (l Law) Minimum() time.Duration {
	var most int64
	for _, p := range l.policies {
		most = max(most, p.Minimum)
	}
	return time.Duration(most) * time.Minute
}

// Retention is for how many months what sounded is kept, the longest time that any
// policy asks; 0 leaves it open. No node acts on it.
func (l Law) Retention() int64 {
	var most int64
	for _, p := range l.policies {
		most = max(most, p.Retention)
	}
	return most
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
