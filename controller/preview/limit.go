package preview

import (
	"fmt"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
)

// limit is what the rule that speaks against an entry allows, in figures that
// need no language: hours, or until when.
func (p *planned) limit(why broadcast.Reason, e plan.Entry) string {
	switch why {
	case broadcast.WhyQuiet:
		if s, ok := p.in.Law.Quiet(e.Start, e.Start.Add(p.reader.length(e.Announcement))); ok {
			return hours(s)
		}
	case broadcast.WhyWindow:
		return windows(p.reader.policiesOf(p.in.Assignment), e.Start)
	case broadcast.WhySession:
		if longest, bound := p.in.Law.Session(e.Class); bound {
			return fmt.Sprintf("≤ %d min", longest/time.Minute)
		}
	case broadcast.WhySilence:
		var last broadcast.Instant
		for _, s := range p.in.Silences {
			if s.Revision.IssuedAt() <= e.Start && e.Start < s.Until {
				last = max(last, s.Until)
			}
		}
		if last != 0 {
			return "→ " + moment(last)
		}
	}
	return ""
}

// windows are the hours that every policy of the place leaves open on a day.
func windows(policies []broadcast.Policy, day broadcast.Instant) string {
	var all []string
	for _, p := range policies {
		for _, spans := range p.WindowsOn(day) {
			var set []string
			for _, s := range spans {
				set = append(set, hours(s))
			}
			all = append(all, strings.Join(set, ", "))
		}
	}
	return strings.Join(all, " & ")
}

// hours are a span as people write it, with its days if it has any.
func hours(s broadcast.Span) string {
	text := s.From.String() + "–" + s.To.String()
	for _, d := range s.Days {
		text += " " + string(d)
	}
	if s.Season != nil {
		text += " (" + dayMonth(s.Season.From) + "–" + dayMonth(s.Season.To) + ")"
	}
	return text
}

// dayMonth is a day of the year as people here read it.
func dayMonth(d broadcast.MonthDay) string {
	month, day, _ := strings.Cut(string(d), "-")
	return day + "/" + month
}

// moment is a moment as people here read it.
func moment(i broadcast.Instant) string {
	return i.Time().In(broadcast.Local()).Format("15:04 02/01/2006")
}
