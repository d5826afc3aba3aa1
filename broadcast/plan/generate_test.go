package plan

import (
	"fmt"
	"time"

	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
)

// drawn worlds stay inside the Monday, crowded enough for everything to meet.

func drawMoment(t *rapid.T, name string) broadcast.Instant {
	// Mostly a busy hour around the end of quiet hours, at whole tens of seconds so that starts coincide.
	if rapid.Bool().Draw(t, name+" busy") {
		return at("04:50").Add(time.Duration(rapid.IntRange(0, 360).Draw(t, name)) * 10 * time.Second)
	}
	return at("00:00").Add(time.Duration(rapid.IntRange(0, 24*60*60-1).Draw(t, name)) * time.Second)
}

func drawItem(t *rapid.T, n int) Item {
	class := rapid.SampledFrom(broadcast.Classes()).Draw(t, "class")
	i := item(class, fmt.Sprintf("tin-%d", n), "00:00", rapid.Int64Range(1, 400).Draw(t, "seconds"))
	i.Announcement.Timing.Start = drawMoment(t, "start")
	i = i.level(rapid.SampledFrom([]broadcast.Level{broadcast.Commune, broadcast.Commune, broadcast.District, broadcast.Province}).Draw(t, "level"))
	i.Drill = rapid.IntRange(0, 9).Draw(t, "drill") == 0
	i.Delisted = rapid.IntRange(0, 9).Draw(t, "delisted") == 0
	if rapid.IntRange(0, 9).Draw(t, "alone") == 0 {
		i.Signers = i.Signers[:1]
	}
	if rapid.IntRange(0, 4).Draw(t, "held late") == 0 {
		i.FirstHeld = i.Announcement.Timing.Start.Add(time.Duration(rapid.IntRange(-5, 400).Draw(t, "held")) * time.Second)
	}
	switch {
	case class == broadcast.Emergency && rapid.Bool().Draw(t, "repeats"):
		i = i.repeat(60*rapid.Int64Range(1, 20).Draw(t, "repeat"), 60*rapid.Int64Range(1, 60).Draw(t, "window"))
	case class != broadcast.Emergency:
		i = i.late(rapid.SampledFrom([]int64{0, 10, 600}).Draw(t, "late"))
		if rapid.IntRange(0, 3).Draw(t, "recurs") == 0 {
			i.Announcement.Timing.Until = i.Announcement.Timing.Start.Add(30 * day)
			i.Announcement.Timing.Recurrence = &broadcast.Recurrence{Rule: "FREQ=DAILY"}
		}
	}
	return i
}

func drawItems(t *rapid.T) []Item {
	var items []Item
	for n := range rapid.IntRange(1, 14).Draw(t, "items") {
		i := drawItem(t, n)
		items = append(items, i)
		if rapid.IntRange(0, 7).Draw(t, "revised") == 0 {
			newer := drawItem(t, n)
			items = append(items, newer.revised(time.Hour))
		}
	}
	return items
}

func drawLaw(t *rapid.T) []broadcast.Policy {
	pol := policy()
	if rapid.Bool().Draw(t, "minutes") {
		pol.Minutes = []broadcast.Budget{{Class: broadcast.Normal, Minutes: rapid.Int64Range(0, 15).Draw(t, "normal minutes")},
			{Class: broadcast.Priority, Minutes: rapid.Int64Range(0, 15).Draw(t, "priority minutes")}}
	}
	if rapid.IntRange(0, 3).Draw(t, "windows") == 0 {
		pol.Windows = []broadcast.Span{{From: 5 * 60, To: 5*60 + 30}, {From: 16 * 60, To: 19 * 60}}
	}
	pol.Chimes = rapid.SampledFrom([][]broadcast.Class{nil, broadcast.Classes()}).Draw(t, "chimes")
	return []broadcast.Policy{pol}
}

// drawn is a random world; its programmes have three segments.
func drawn(t *rapid.T) Input {
	in := monday(drawItems(t)...)
	in.Law = broadcast.LawOf(drawLaw(t)...)
	in.Now = rapid.SampledFrom([]broadcast.Instant{at("00:00"), at("04:55"), at("05:20"), at("23:59")}).Draw(t, "now")
	in.Window.From = in.Now
	in.Board.MaxOn = rapid.SampledFrom([]time.Duration{0, 10 * time.Minute, 4 * time.Hour}).Draw(t, "max on")
	if rapid.IntRange(0, 3).Draw(t, "programme") == 0 {
		programme(&in, "buoi", "05:05", 600, segment("a", 100, 0), segment("b", 200, 150), segment("c", 400, 0))
	}
	if rapid.IntRange(0, 2).Draw(t, "silence") == 0 {
		from := in.Now.Add(-time.Duration(rapid.IntRange(0, 40).Draw(t, "silence since")) * time.Minute)
		in.Silences = []Silence{{Level: rapid.SampledFrom([]broadcast.Level{broadcast.Province, broadcast.Commune}).Draw(t, "silence level"), Emergency: rapid.Bool().Draw(t, "two"),
			Silence: broadcast.Silence{ID: "im", Revision: broadcast.Revision(from), Areas: here, Until: from.Add(time.Hour),
				Classes: rapid.SampledFrom([][]broadcast.Class{{broadcast.Normal}, {broadcast.Priority, broadcast.Emergency}, broadcast.Classes()}).Draw(t, "silenced")}}}
	}
	for n := range rapid.IntRange(0, 2).Draw(t, "withdrawals") {
		w := withdrawal(fmt.Sprintf("tin-%d", n), issued, broadcast.Emergency, rapid.SampledFrom([]broadcast.Level{broadcast.Province, broadcast.Commune}).Draw(t, "by"))
		w.ID = broadcast.ID(fmt.Sprintf("thu-hoi-%d", n))
		in.Withdrawals = append(in.Withdrawals, w)
	}
	in.Placements = []broadcast.Placement{{ID: "xep", Revision: issued, Areas: here, Until: at("2026-12-01 00:00"), Items: []broadcast.Placed{
		{Announcement: "tin-3", Revision: issued}, {Announcement: "tin-1", Revision: issued, Start: at("05:10")}, {Announcement: "tin-2", Revision: issued, Decline: true}}}}
	in.Slots = []broadcast.Slot{{ID: "khung", Revision: issued, Areas: here, Level: broadcast.District, Spans: []broadcast.Span{{From: 5*60 + 10, To: 5*60 + 40}}, From: issued.IssuedAt(), Until: at("2026-12-01 00:00")}}
	return in
}

// later is the same world at a moment of its plan: what the plan said until
// then has happened and stands in the journal.
func later(in Input, p Plan, now broadcast.Instant) Input {
	in.Now, in.Window.From, in.Past, in.Closed = now, now, append([]Past(nil), in.Past...), 0
	for _, e := range p.Entries {
		told := Past{Announcement: e.Announcement, Revision: e.Revision, Drill: e.Drill, Class: e.Class, Start: e.Start}
		if len(e.Soundings) == 0 && e.At <= now {
			told.At, told.Rung, told.Reason = e.At, e.Rung, e.Reason
			in.Past = append(in.Past, told)
		}
		for i, s := range e.Soundings {
			if s.On > now {
				continue
			}
			told.Attempt, told.Why, told.At, told.Offset = s.Attempt, s.Why, s.From, s.Offset
			told.Millis, told.Rung, told.Reason, told.Running, told.Ends = int64(s.To-s.From), e.Rung, e.Reason, false, s.To
			switch {
			case s.To > now:
				told.Millis, told.Rung, told.Reason, told.Running = max(0, int64(now-s.From)), broadcast.Playing, "", true
			case i < len(e.Soundings)-1:
				told.Rung, told.Reason = broadcast.Interrupted, broadcast.WhyPreempted
			}
			in.Past = append(in.Past, told)
		}
	}
	in.Closed = closedAt(in.Board, p, now)
	return in
}

// closedAt is since when the relay is closed at a moment of a plan, 0 if open.
func closedAt(b Board, p Plan, now broadcast.Instant) broadcast.Instant {
	var since, ends broadcast.Instant
	for _, s := range soundings(p) {
		if s.On > now {
			break
		}
		if since == 0 || s.On == s.From.Add(-b.WarmUp) && s.On >= ends.Add(b.Tail+b.MinOff) {
			since = s.On
		}
		ends = s.To
	}
	if now > ends.Add(b.Tail+b.Hold) {
		return 0
	}
	return since
}
