package broadcast_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
)

func officers(normal, priority, emergency int64) []broadcast.Threshold {
	return []broadcast.Threshold{{Class: broadcast.Normal, Officers: normal}, {Class: broadcast.Priority, Officers: priority},
		{Class: broadcast.Emergency, Officers: emergency}}
}

// policies draws complete policies, with every rule at its own whim.
func policies() *rapid.Generator[broadcast.Policy] {
	some := func(t *rapid.T, name string) []broadcast.Class {
		var out []broadcast.Class
		for _, c := range broadcast.Classes() {
			if rapid.Bool().Draw(t, name+" "+string(c)) {
				out = append(out, c)
			}
		}
		return out
	}
	number := func(t *rapid.T, name string, from, to int64) int64 { return rapid.Int64Range(from, to).Draw(t, name) }
	return rapid.Custom(func(t *rapid.T) broadcast.Policy {
		p := broadcast.Policy{Area: "bac-quang", Revision: broadcast.Revision(at), Quiet: few(t, "quiet", spans()),
			Windows: few(t, "windows", spans()), Ceiling: number(t, "ceiling", 0, 100),
			Thresholds: officers(number(t, "normal", 1, 4), number(t, "priority", 1, 4), number(t, "emergency", 1, 4)),
			OneOfficer: some(t, "alone"), OfflineDays: number(t, "offline", 0, broadcast.MaxOfflineDays), Chimes: some(t, "chime")}
		for _, c := range some(t, "budget") {
			if c != broadcast.Emergency {
				p.Minutes = append(p.Minutes, broadcast.Budget{Class: c, Minutes: number(t, "minutes", 0, 1440)})
			}
		}
		for _, c := range some(t, "custody") {
			p.Custodies = append(p.Custodies, broadcast.LeastCustody{Class: c,
				Custody: rapid.SampledFrom([]broadcast.Custody{broadcast.CustodyController, broadcast.CustodyBrowser, broadcast.CustodyToken}).Draw(t, "least")})
		}
		for _, c := range []broadcast.Class{broadcast.Normal, broadcast.Priority} {
			if rapid.Bool().Draw(t, "session "+string(c)) {
				p.Sessions = append(p.Sessions, broadcast.Budget{Class: c, Minutes: number(t, "session", 0, 60)})
			}
			if rapid.IntRange(0, 3).Draw(t, "speakers "+string(c)) == 0 {
				p.Speakers = append(p.Speakers, broadcast.Speaker{Class: c, Levels: []broadcast.Level{rapid.SampledFrom(levels()).Draw(t, "level")}})
			}
		}
		p.Ceilings = few(t, "ceilings", rapid.Custom(func(t *rapid.T) broadcast.HourCeiling {
			return broadcast.HourCeiling{Hours: spans().Draw(t, "hours"), Percent: number(t, "percent", 1, 100)}
		}))
		p.Special = few(t, "special", specialDays())
		return p
	})
}

// few draws up to two values; none are nil, as they come out of an encoding.
func few[T any](t *rapid.T, name string, values *rapid.Generator[T]) []T {
	if out := rapid.SliceOfN(values, 0, 2).Draw(t, name); len(out) > 0 {
		return out
	}
	return nil
}

func levels() []broadcast.Level {
	return []broadcast.Level{broadcast.Province, broadcast.District, broadcast.Commune, broadcast.Village}
}

// specialDays draws days of the week from 22/11/2026 on.
func specialDays() *rapid.Generator[broadcast.SpecialDay] {
	return rapid.Custom(func(t *rapid.T) broadcast.SpecialDay {
		first := rapid.IntRange(20, 30).Draw(t, "first day")
		return broadcast.SpecialDay{Name: "Quốc tang", From: broadcast.DateOf(local(first, 0, 0)),
			To:    broadcast.DateOf(local(first+rapid.IntRange(0, 3).Draw(t, "more days"), 0, 0)),
			Quiet: few(t, "quiet", spans()), Windows: few(t, "windows", spans()),
			Minutes: []broadcast.Budget{{Class: broadcast.Normal, Minutes: rapid.Int64Range(0, 60).Draw(t, "minutes")}},
			Ceiling: rapid.Int64Range(0, 100).Draw(t, "ceiling")}
	})
}

func TestPolicyKeepsItsLimits(t *testing.T) {
	type p = broadcast.Policy
	type c = broadcast.Class
	span := func(string) broadcast.Span { return broadcast.Span{From: 0, To: 1440} }
	twice := []c{broadcast.Normal, broadcast.Normal}
	holdEdges(t, sample[p]("policy"), []edge[p]{
		{"area", nil, func(p *p) { p.Area = "" }},
		{"revision", nil, func(p *p) { p.Revision = 0 }},
		{"quiet", func(p *p) { p.Quiet = several(32, span) }, func(p *p) { p.Quiet = several(33, span) }},
		{"quiet", func(p *p) { p.Quiet = nil }, func(p *p) { p.Quiet = []broadcast.Span{{}} }},
		{"windows", func(p *p) { p.Windows = several(32, span) }, func(p *p) { p.Windows = several(33, span) }},
		{"windows", func(p *p) { p.Windows = nil }, func(p *p) { p.Windows[0].Days = []broadcast.Weekday{"T2"} }},
		{"minutes", func(p *p) { p.Minutes[0].Minutes = 1440 }, func(p *p) { p.Minutes[0].Minutes = 1441 }},
		{"minutes", func(p *p) { p.Minutes[0].Minutes = 0 }, func(p *p) { p.Minutes[0].Minutes = -1 }},
		{"minutes", nil, func(p *p) { p.Minutes[0].Class = "" }},
		{"minutes", nil, func(p *p) { p.Minutes = append(p.Minutes, p.Minutes[0]) }},
		{"minutes", nil, func(p *p) { p.Minutes[0].Class = broadcast.Emergency }},
		{"sessions", func(p *p) { p.Sessions[0].Minutes = 1440 }, func(p *p) { p.Sessions[0].Minutes = 1441 }},
		{"sessions", nil, func(p *p) { p.Sessions = append(p.Sessions, p.Sessions[0]) }},
		{"ceilings", func(p *p) { p.Ceilings[0].Percent = 1 }, func(p *p) { p.Ceilings[0].Percent = 0 }},
		{"ceilings", func(p *p) { p.Ceilings[0].Percent = 100 }, func(p *p) { p.Ceilings[0].Percent = 101 }},
		{"ceilings", nil, func(p *p) { p.Ceilings[0].Hours.To = p.Ceilings[0].Hours.From }},
		{"ceilings", nil, func(p *p) { p.Ceilings = several(17, func(string) broadcast.HourCeiling { return p.Ceilings[0] }) }},
		{"speakers", func(p *p) { p.Speakers[0].Levels = levels() }, func(p *p) { p.Speakers[0].Levels = nil }},
		{"speakers", nil, func(p *p) { p.Speakers[0].Class = broadcast.Emergency }},
		{"speakers", nil, func(p *p) { p.Speakers = append(p.Speakers, p.Speakers[0]) }},
		{"special", nil, func(p *p) { p.Special[0].Name = "" }},
		{"special", nil, func(p *p) { p.Special[0].Name = "Tết\u0000" }},
		{"special", func(p *p) { p.Special[0].To = "2027-02-05" }, func(p *p) { p.Special[0].To = "2027-02-04" }},
		{"special", func(p *p) { p.Special[0].To = "2027-03-07" }, func(p *p) { p.Special[0].To = "2027-03-08" }},
		{"special", nil, func(p *p) { p.Special[0].From = "2027-02-30" }},
		{"special", nil, func(p *p) { p.Special[0] = broadcast.SpecialDay{Name: "Tết", From: "2027-02-05", To: "2027-02-05"} }},
		{"special", nil, func(p *p) { p.Special[0].Minutes[0].Class = broadcast.Emergency }},
		{"special", nil, func(p *p) { p.Special = several(33, func(string) broadcast.SpecialDay { return p.Special[0] }) }},
		{"quiet", func(p *p) { p.Quiet[0].Season = &broadcast.Season{From: "02-29", To: "02-29"} }, func(p *p) { p.Quiet[0].Season = &broadcast.Season{From: "02-30", To: "03-01"} }},
		{"minimum", func(p *p) { p.Minimum = 1440 }, func(p *p) { p.Minimum = 1441 }},
		{"retention", func(p *p) { p.Retention = 240 }, func(p *p) { p.Retention = 241 }},
		{"ceiling", func(p *p) { p.Ceiling = 100 }, func(p *p) { p.Ceiling = 101 }},
		{"ceiling", func(p *p) { p.Ceiling = 0 }, func(p *p) { p.Ceiling = -1 }},
		{"thresholds", func(p *p) { p.Thresholds = officers(4, 4, 4) }, func(p *p) { p.Thresholds = officers(1, 1, 5) }},
		{"thresholds", func(p *p) { p.Thresholds = officers(1, 1, 1) }, func(p *p) { p.Thresholds = officers(0, 1, 1) }},
		{"thresholds", nil, func(p *p) { p.Thresholds = p.Thresholds[:2] }},
		{"thresholds", nil, func(p *p) { p.Thresholds = append(p.Thresholds, p.Thresholds[0]) }},
		{"thresholds", nil, func(p *p) { p.Thresholds[0], p.Thresholds[1] = p.Thresholds[1], p.Thresholds[0] }},
		{"one_officer", func(p *p) { p.OneOfficer = broadcast.Classes() }, func(p *p) { p.OneOfficer = twice }},
		{"custodies", func(p *p) { p.Custodies = nil }, func(p *p) { p.Custodies[0].Custody = "" }},
		{"custodies", nil, func(p *p) { p.Custodies[0].Class = "all" }},
		{"custodies", nil, func(p *p) { p.Custodies = append(p.Custodies, p.Custodies[0]) }},
		{"offline_days", func(p *p) { p.OfflineDays = 35 }, func(p *p) { p.OfflineDays = 36 }},
		{"offline_days", func(p *p) { p.OfflineDays = 0 }, func(p *p) { p.OfflineDays = -1 }},
		{"chimes", func(p *p) { p.Chimes = nil }, func(p *p) { p.Chimes = twice }},
		{"corrections", func(p *p) { p.Corrections = digests(32) }, func(p *p) { p.Corrections = digests(33) }},
		{"corrections", nil, func(p *p) { p.Corrections = []broadcast.Digest{"x"} }},
	})
}

func TestDrawnPoliciesAreComplete(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		if err := policies().Draw(t, "policy").Validate(); err != nil {
			t.Fatal(err)
		}
	})
}
