package broadcast_test

import (
	"testing"

	"github.com/loaxa/loaxa/broadcast"
)

const hour = 60 * minute

func TestSilenceEndsWithinADayAndOfEmergenciesWithinAnHour(t *testing.T) {
	type s = broadcast.Silence
	all := broadcast.Classes()
	holdEdges(t, sample[s]("silence"), []edge[s]{
		{"id", nil, func(s *s) { s.ID = "" }},
		{"revision", nil, func(s *s) { s.Revision = 0 }},
		{"areas", func(s *s) { s.Areas = ids(24) }, func(s *s) { s.Areas = ids(25) }},
		{"areas", func(s *s) { s.Areas = ids(1) }, func(s *s) { s.Areas = nil }},
		{"classes", func(s *s) { s.Classes = all }, func(s *s) { s.Classes = append(all, broadcast.Normal) }},
		{"classes", func(s *s) { s.Classes = nil }, func(s *s) { s.Classes = []broadcast.Class{"all"} }},
		{"until", func(s *s) { s.Until = at }, func(s *s) { s.Until = at - 1 }},
		{"until", func(s *s) { s.Until = at + 24*hour }, func(s *s) { s.Until = at + 24*hour + 1 }},
		{"until", nil, func(s *s) { s.Until = wrapped(at) }},
		{"until", func(s *s) { s.Classes, s.Until = all, at+hour }, func(s *s) { s.Classes, s.Until = all, at+hour+1 }},
		{"until", nil, func(s *s) { s.Classes, s.Until = all, wrapped(at) }},
		{"reason", func(s *s) { s.Reason = long(300) }, func(s *s) { s.Reason = long(301) }},
		{"reason", func(s *s) { s.Reason = "" }, func(s *s) { s.Reason = "a\tb" }},
	})
}

func TestWithdrawalSaysWhatItTakesBack(t *testing.T) {
	type w = broadcast.Withdrawal
	holdEdges(t, sample[w]("withdrawal"), []edge[w]{
		{"id", nil, func(w *w) { w.ID = "W1" }},
		{"revision", nil, func(w *w) { w.Revision = -1 }},
		{"announcement", nil, func(w *w) { w.Announcement = "" }},
		{"upto", func(w *w) { w.Upto = 1 }, func(w *w) { w.Upto = 0 }},
		{"upto", func(w *w) { w.Upto = broadcast.Revision(last) }, func(w *w) { w.Upto = broadcast.Revision(last) + 1 }},
		{"class", func(w *w) { w.Class = broadcast.Emergency }, func(w *w) { w.Class = "" }},
		{"areas", func(w *w) { w.Areas = ids(24) }, func(w *w) { w.Areas = ids(25) }},
		{"areas", nil, func(w *w) { w.Areas = nil }},
		{"reason", func(w *w) { w.Reason = "" }, func(w *w) { w.Reason = long(301) }},
	})
}

func TestPlacementOrdersAtMostAHundredItemsForAYear(t *testing.T) {
	type p = broadcast.Placement
	placed := func(id string) broadcast.Placed { return broadcast.Placed{Announcement: broadcast.ID(id), Revision: 1} }
	holdEdges(t, sample[p]("placement"), []edge[p]{
		{"id", nil, func(p *p) { p.ID = "" }},
		{"revision", nil, func(p *p) { p.Revision = 0; p.Until = 1 }},
		{"areas", func(p *p) { p.Areas = ids(24) }, func(p *p) { p.Areas = append(ids(1), ids(1)...) }},
		{"items", func(p *p) { p.Items = several(100, placed) }, func(p *p) { p.Items = several(101, placed) }},
		{"items", func(p *p) { p.Items = several(1, placed) }, func(p *p) { p.Items = nil }},
		{"items", nil, func(p *p) { p.Items = append(p.Items, p.Items[0]) }},
		{"items", nil, func(p *p) { p.Items[0].Announcement = "" }},
		{"items", nil, func(p *p) { p.Items[0].Revision = 0 }},
		{"items/reason", func(p *p) { p.Items[1].Reason = long(300) }, func(p *p) { p.Items[1].Reason = long(301) }},
		{"until", func(p *p) { p.Until = at + 1 }, func(p *p) { p.Until = at }},
		{"until", func(p *p) { p.Until = at + 366*day }, func(p *p) { p.Until = at + 366*day + 1 }},
		{"until", nil, func(p *p) { p.Until = wrapped(at) }},
	})
}

func TestSlotIsDatedAndAtMostThirteenMonthsLong(t *testing.T) {
	type s = broadcast.Slot
	span := func(string) broadcast.Span { return broadcast.Span{From: 330, To: 360} }
	holdEdges(t, sample[s]("slot"), []edge[s]{
		{"id", nil, func(s *s) { s.ID = "" }},
		{"revision", nil, func(s *s) { s.Revision = 0 }},
		{"areas", nil, func(s *s) { s.Areas = nil }},
		{"level", func(s *s) { s.Level = broadcast.Province }, func(s *s) { s.Level = "nation" }},
		{"spans", func(s *s) { s.Spans = several(1, span) }, func(s *s) { s.Spans = nil }},
		{"spans", func(s *s) { s.Spans = several(32, span) }, func(s *s) { s.Spans = several(33, span) }},
		{"spans", nil, func(s *s) { s.Spans[0].To = s.Spans[0].From }},
		{"from/until", func(s *s) { s.From = s.Until - 1 }, func(s *s) { s.From = s.Until }},
		{"until", func(s *s) { s.Until = at + 396*day }, func(s *s) { s.Until = at + 396*day + 1 }},
		{"until", nil, func(s *s) { s.Until = wrapped(at) }},
	})
}

func TestCommandIsForOneBootAndTenMinutes(t *testing.T) {
	type c = broadcast.Command
	verb := func(v broadcast.Verb) func(*c) { return func(c *c) { c.Verb = v } }
	holdEdges(t, sample[c]("command"), []edge[c]{
		{"id", nil, func(c *c) { c.ID = "" }},
		{"revision", nil, func(c *c) { c.Revision = 0; c.Expires = 1 }},
		{"node", nil, func(c *c) { c.Node = "" }},
		{"boot", nil, func(c *c) { c.Boot = "" }},
		{"verb", verb(broadcast.VerbReboot), verb("play")},
		{"verb", verb(broadcast.VerbLogTail), verb("")},
		{"verb", verb(broadcast.VerbUpdate), verb("Reboot")},
		{"verb", verb(broadcast.VerbResync), verb("test-tone ")},
		{"expires", func(c *c) { c.Expires = at + 1 }, func(c *c) { c.Expires = at }},
		{"expires", func(c *c) { c.Expires = at + 10*minute }, func(c *c) { c.Expires = at + 10*minute + 1 }},
		{"expires", nil, func(c *c) { c.Expires = wrapped(at) }},
	})
}
