package desk

import (
	"slices"

	"github.com/loaxa/loaxa/broadcast"
)

// loosening names the field by which a policy would allow what one above it
// forbids; empty if it only tightens. Nodes hold the stricter rule all the same;
// a person who signs must not believe otherwise. What a policy leaves out it
// takes from above.
func loosening(lower, upper broadcast.Policy) string {
	for _, rule := range []struct {
		field  string
		looser func(lower, upper broadcast.Policy) bool
	}{
		{"windows", outsideWindows},
		{"minutes", func(l, u broadcast.Policy) bool { return moreMinutes(l.Minutes, u.Minutes) }},
		{"sessions", func(l, u broadcast.Policy) bool { return moreMinutes(l.Sessions, u.Sessions) }},
		{"ceiling", func(l, u broadcast.Policy) bool { return u.Ceiling > 0 && l.Ceiling > u.Ceiling }},
		{"speakers", moreSpeakers},
		{"thresholds", fewerOfficers},
		{"one_officer", func(l, u broadcast.Policy) bool {
			return slices.ContainsFunc(l.OneOfficer, func(c broadcast.Class) bool { return !slices.Contains(u.OneOfficer, c) })
		}},
		{"custodies", weakerCustody},
		{"offline_days", func(l, u broadcast.Policy) bool {
			return l.OfflineDays > 0 && broadcast.LawOf(l).OfflineLimit() > broadcast.LawOf(u).OfflineLimit()
		}},
		{"corrections", func(l, u broadcast.Policy) bool {
			return slices.ContainsFunc(l.Corrections, func(c broadcast.Digest) bool { return !slices.Contains(u.Corrections, c) })
		}},
		{"minimum", func(l, u broadcast.Policy) bool { return l.Minimum > 0 && l.Minimum < u.Minimum }},
		{"retention", func(l, u broadcast.Policy) bool { return l.Retention > 0 && l.Retention < u.Retention }},
	} {
		if rule.looser(lower, upper) {
			return rule.field
		}
	}
	return ""
}

// aYearOfDays is how far windows are compared: every season and weekday comes.
const aYearOfDays = 366

// outsideWindows asks for every window of a year from the revision on, or from
// the beginning of time, which has the same seasons.
func outsideWindows(lower, upper broadcast.Policy) bool {
	law := broadcast.LawOf(upper)
	day := lower.Revision.IssuedAt()
	for range aYearOfDays {
		for _, span := range slices.Concat(lower.WindowsOn(day)...) {
			if from, to, ok := span.On(day); ok && !law.InWindow(from, to) {
				return true
			}
		}
		day = day.Add(localDay)
	}
	return false
}

func moreMinutes(lower, upper []broadcast.Budget) bool {
	return slices.ContainsFunc(lower, func(l broadcast.Budget) bool {
		return slices.ContainsFunc(upper, func(u broadcast.Budget) bool { return u.Class == l.Class && l.Minutes > u.Minutes })
	})
}

func moreSpeakers(lower, upper broadcast.Policy) bool {
	law := broadcast.LawOf(upper)
	return slices.ContainsFunc(lower.Speakers, func(s broadcast.Speaker) bool {
		return slices.ContainsFunc(s.Levels, func(level broadcast.Level) bool { return !law.MaySpeak(s.Class, level) })
	})
}

func fewerOfficers(lower, upper broadcast.Policy) bool {
	return slices.ContainsFunc(lower.Thresholds, func(t broadcast.Threshold) bool {
		need, _ := broadcast.LawOf(upper).Threshold(t.Class, "")
		return int(t.Officers) < need
	})
}

func weakerCustody(lower, upper broadcast.Policy) bool {
	return slices.ContainsFunc(lower.Custodies, func(c broadcast.LeastCustody) bool {
		return c.Custody.Rank() < broadcast.LawOf(upper).Custody(c.Class).Rank()
	})
}

// widened names the first special day with windows outside those that the policy
// has itself; empty if there is none. Nodes hold both, so such a window would
// promise hours in which nothing sounds.
func widened(p broadcast.Policy) string {
	if len(p.Windows) == 0 {
		return ""
	}
	own := broadcast.LawOf(broadcast.Policy{Windows: p.Windows})
	for _, d := range p.Special {
		for day := d.From.Begins(); day <= d.To.Begins(); day = day.Add(localDay) {
			if slices.ContainsFunc(d.Windows, func(s broadcast.Span) bool {
				from, to, ok := s.On(day)
				return ok && !own.InWindow(from, to)
			}) {
				return d.Name
			}
		}
	}
	return ""
}
