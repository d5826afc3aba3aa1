package historytest

import (
	"slices"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// mutation is a history in which one law is broken. Also are laws that cannot
// but be broken with it.
type mutation struct {
	law, name string
	also      []string
	make      func(t *testing.T) ([]Event, []broadcast.Receipt)
}

// changed is the morning with a change.
func changed(change func(*tale)) func(*testing.T) ([]Event, []broadcast.Receipt) {
	return func(*testing.T) ([]Event, []broadcast.Receipt) {
		m := morning()
		change(m)
		return m.events, m.own
	}
}

// told is a tale of its own, sorted by time.
func told(p broadcast.Policy, tell func(*tale)) func(*testing.T) ([]Event, []broadcast.Receipt) {
	return func(*testing.T) ([]Event, []broadcast.Receipt) {
		t := settled(p)
		tell(t)
		t.add(at("23:59:00.000"), State{Runs: true, Linked: true, Timed: true})
		slices.SortStableFunc(t.events, func(a, b Event) int { return int(a.At - b.At) })
		return t.events, t.own
	}
}

// without leaves out the events that a function picks.
func (t *tale) without(pick func(Event) bool) { t.events = slices.DeleteFunc(t.events, pick) }

// replace changes the facts of one kind.
func replace[F Fact](t *tale, change func(F) F) {
	for i, e := range t.events {
		if f, ok := e.Fact.(F); ok {
			t.events[i].Fact = change(f)
		}
	}
}

func isFact[F Fact](pick func(F) bool) func(Event) bool {
	return func(e Event) bool {
		f, ok := e.Fact.(F)
		return ok && pick(f)
	}
}

// item tells of one item from its giving to its end.
func item(a broadcast.Announcement, length time.Duration) func(*tale) {
	return func(t *tale) {
		t.give(at("05:01:00.000"), a)
		t.sound(Sounding{a.ID, a.Timing.Start, 1, 0}, "", length, broadcast.Ended, "")
	}
}

// then follows one telling by more.
func then(first func(*tale), more func(*tale)) func(*tale) {
	return func(t *tale) { first(t); more(t) }
}

func normal(clock string, length time.Duration) broadcast.Announcement {
	return announcement("news", broadcast.Normal, at(clock), length)
}

// newer is an announcement as it was issued later.
func newer(a broadcast.Announcement, clock string) broadcast.Announcement {
	a.Revision = broadcast.Revision(at(clock))
	return a
}

var withdrawal = broadcast.Withdrawal{ID: "w", Revision: broadcast.Revision(at("06:00:00.000")), Announcement: "news",
	Upto: broadcast.Revision(at("05:00:00.000")), Class: broadcast.Normal, Areas: []broadcast.ID{area}}

var silence = broadcast.Silence{ID: "s", Revision: broadcast.Revision(at("07:30:00.000")), Areas: []broadcast.ID{area},
	Classes: []broadcast.Class{broadcast.Normal, broadcast.Priority}, Until: at("12:00:00.000")}

var mutations = []mutation{
	{lawRelay, "nothing is due", nil, changed(func(t *tale) {
		t.add(at("11:00:00.000"), Relay{true})
		t.add(at("11:00:02.000"), Relay{false})
	})},
	{lawMaxOn, "an hour and more", nil, told(policy(nil), item(normal("08:00:00.000", 61*time.Minute), 61*time.Minute))},
	{lawHold, "it is forgotten", nil, changed(func(t *tale) {
		t.without(isFact(func(r Relay) bool { return true }))
		t.events = slices.Insert(t.events, slices.IndexFunc(t.events, isFact(func(Began) bool { return true })), Event{news.Start.Add(-board.WarmUp), Relay{true}})
		t.own = nil
		t.events = t.events[:slices.IndexFunc(t.events, isFact(func(Over) bool { return true }))+1]
		t.add(news.Start.Add(6*time.Minute), Relay{false})
	})},
	{lawHold, "it closed for nothing", nil, told(policy(nil), func(t *tale) {
		t.give(at("05:01:00.000"), normal("08:00:00.000", time.Minute))
		t.add(at("07:59:58.500"), Relay{true})
		t.add(at("08:00:40.000"), Relay{false})
		t.prove(at("08:01:00.000"), news, broadcast.Skipped, broadcast.WhyLate, 0)
	})},
	{lawHold, "it waits a minute for the next", nil, told(policy(nil), func(t *tale) {
		item(normal("08:00:00.000", 10*time.Second), 10*time.Second)(t)
		t.give(at("05:01:00.000"), announcement("talk", broadcast.Priority, at("08:01:00.000"), 10*time.Second))
		t.sound(Sounding{"talk", at("08:01:00.000"), 1, 0}, "", 10*time.Second, broadcast.Ended, "")
		t.without(isFact(func(r Relay) bool { return true }))
		t.add(at("07:59:58.500"), Relay{true})
		t.add(at("08:01:12.000"), Relay{false})
	})},
	{lawWarm, "the relay is open", nil, changed(func(t *tale) {
		t.without(isFact(func(r Relay) bool { return true }))
	})},
	{lawWarm, "it closed late", nil, changed(func(t *tale) {
		i := slices.IndexFunc(t.events, isFact(func(r Relay) bool { return r.Closed }))
		t.events[i].At = t.events[i].At.Add(time.Second)
	})},
	{lawPublished, "unknown", []string{lawRelay, lawBoast, lawJournalled}, changed(func(t *tale) {
		t.without(isFact(func(g Given) bool { a, ok := g.Document.(broadcast.Announcement); return ok && a.ID == "news" }))
	})},
	{lawPublished, "for another place", []string{lawRelay}, told(policy(nil), item(func() broadcast.Announcement {
		a := normal("08:00:00.000", time.Minute)
		a.Areas = []broadcast.ID{other}
		return a
	}(), time.Minute))},
	{lawThreshold, "one signed", nil, changed(func(t *tale) {
		replace(t, func(g Given) Given { g.Officers = min(g.Officers, 1); return g })
	})},
	{lawQuiet, "at night", nil, told(policy(func(p *broadcast.Policy) { p.Quiet = []broadcast.Span{{From: 21 * 60, To: 5 * 60}} }),
		item(normal("21:30:00.000", time.Minute), time.Minute))},
	{lawQuiet, "into the night", nil, told(policy(func(p *broadcast.Policy) { p.Quiet = []broadcast.Span{{From: 21 * 60, To: 5 * 60}} }),
		item(normal("20:59:30.000", time.Minute), time.Minute))},
	{lawQuiet, "the policy changes while it sounds", nil, told(policy(nil), then(item(normal("20:30:00.000", 5*time.Minute), 5*time.Minute), func(t *tale) {
		late := policy(func(p *broadcast.Policy) {
			p.Revision, p.Quiet = broadcast.Revision(at("20:31:00.000")), []broadcast.Span{{From: 20 * 60, To: 5 * 60}}
		})
		t.add(at("20:31:00.000"), Given{late, 2, broadcast.Commune})
	}))},
	{lawWindow, "too early", nil, told(policy(func(p *broadcast.Policy) { p.Windows = []broadcast.Span{{From: 10 * 60, To: 20 * 60}} }),
		item(normal("08:00:00.000", time.Minute), time.Minute))},
	{lawBudget, "ten minutes of five", nil, told(policy(func(p *broadcast.Policy) { p.Minutes = []broadcast.Budget{{Class: broadcast.Normal, Minutes: 5}} }),
		item(normal("08:00:00.000", 10*time.Minute), 10*time.Minute))},
	{lawEarly, "a second", []string{lawRelay}, changed(func(t *tale) {
		for i := range t.events {
			if _, ok := t.events[i].Fact.(Proved); !ok && t.events[i].At > at("07:00:00.000") {
				t.events[i].At = t.events[i].At.Add(-time.Second)
			}
		}
	})},
	{lawLate, "two minutes", []string{lawRelay}, told(policy(nil), func(t *tale) {
		t.give(at("05:01:00.000"), normal("07:58:00.000", time.Minute))
		late := Sounding{"news", at("07:58:00.000"), 1, 0}
		t.add(at("07:59:58.500"), Relay{true})
		t.add(at("08:00:00.000"), Began{late})
		t.add(at("08:01:00.000"), Over{late, 48000 * 60, true})
		t.add(at("08:01:02.000"), Relay{false})
		t.prove(at("08:01:00.000"), late, broadcast.Playing, "", 0)
		t.prove(at("08:01:00.000"), late, broadcast.Ended, "", 48000*60)
	})},
	{lawTwice, "under the same number", []string{lawOften, lawOneEnd}, told(policy(nil), then(item(normal("08:00:00.000", 10*time.Second), 10*time.Second), func(t *tale) {
		t.add(at("08:00:30.000"), Relay{true})
		t.add(at("08:00:32.000"), Began{news})
		t.add(at("08:00:42.000"), Over{news, 480000, true})
		t.add(at("08:00:44.000"), Relay{false})
	}))},
	{lawTwice, "after it was heard to its end", nil, told(policy(nil), func(t *tale) {
		t.give(at("05:01:00.000"), announcement("flood", broadcast.Emergency, at("08:00:00.000"), 10*time.Second))
		t.sound(Sounding{"flood", at("08:00:00.000"), 1, 0}, "", 10*time.Second, broadcast.Ended, "")
		t.sound(Sounding{"flood", at("08:00:00.000"), 2, 0}, broadcast.WhyRepeat, 10*time.Second, broadcast.Ended, "")
	})},
	{lawOften, "an emergency four times", nil, told(policy(nil), func(t *tale) {
		t.give(at("05:01:00.000"), announcement("flood", broadcast.Emergency, at("08:00:00.000"), 10*time.Second))
		t.sound(Sounding{"flood", at("08:00:00.000"), 1, 0}, "", 5*time.Second, broadcast.Interrupted, broadcast.WhyCrash)
		for n := range int64(3) {
			t.sound(Sounding{"flood", at("08:00:00.000"), n + 2, 0}, broadcast.WhyRepeat, 5*time.Second, broadcast.Interrupted, broadcast.WhyCrash)
		}
	})},
	{lawOften, "a priority item that did not give way", nil, changed(func(t *tale) {
		t.again(func(r *broadcast.Receipt) {
			if r.Rung == broadcast.Interrupted {
				r.Reason = broadcast.WhyCrash
			}
		})
	})},
	{lawAtOnce, "two", []string{lawBoast, lawWarm, lawJournalled, lawVerdict}, told(policy(nil), then(item(normal("08:00:00.000", time.Minute), time.Minute), func(t *tale) {
		t.give(at("05:01:00.000"), announcement("talk", broadcast.Priority, at("08:00:10.000"), time.Minute))
		t.add(at("08:00:10.000"), Began{Sounding{"talk", at("08:00:10.000"), 1, 0}})
	}))},
	{lawWithdrawn, "it begins", nil, told(policy(nil), then(item(normal("08:00:00.000", time.Minute), time.Minute), func(t *tale) {
		t.add(at("06:00:00.000"), Given{withdrawal, 2, broadcast.Commune})
	}))},
	{lawSilence, "it begins", nil, told(policy(nil), then(item(normal("08:00:00.000", time.Minute), time.Minute), func(t *tale) {
		t.add(at("07:30:00.000"), Given{silence, 2, broadcast.Commune})
	}))},
	{lawDelisted, "it begins", nil, told(policy(nil), then(item(normal("08:00:00.000", time.Minute), time.Minute), func(t *tale) {
		t.add(at("07:30:00.000"), Given{Document: broadcast.Manifest{Area: area, Revision: broadcast.Revision(at("07:30:00.000"))}})
	}))},
	{lawReplaced, "it begins", []string{lawVerdict}, told(policy(nil), then(item(normal("08:00:00.000", time.Minute), time.Minute), func(t *tale) {
		t.give(at("07:30:00.000"), newer(normal("09:00:00.000", time.Minute), "07:30:00.000"))
	}))},
	{lawReplaced, "an emergency begins", []string{lawVerdict, lawEmergency}, told(policy(nil), func(t *tale) {
		warning := announcement("flood", broadcast.Emergency, at("08:00:00.000"), 10*time.Second)
		item(warning, 10*time.Second)(t)
		warning.Timing.Start = at("08:05:00.000")
		t.give(at("07:30:00.000"), newer(warning, "07:30:00.000"))
	})},
	{lawObey, "it goes on though it was replaced", []string{lawVerdict}, told(policy(nil), then(item(normal("08:00:00.000", time.Minute), time.Minute), func(t *tale) {
		t.give(at("08:00:10.000"), newer(normal("09:00:00.000", time.Minute), "08:00:10.000"))
	}))},
	{lawStale, "after the limit", nil, told(policy(func(p *broadcast.Policy) { p.OfflineDays = 1 }), func(t *tale) {
		a := normal("08:00:00.000", time.Minute)
		a.Timing.Start = a.Timing.Start.Add(48 * time.Hour)
		item(a, time.Minute)(t)
	})},
	{lawPower, "normal below the first level", nil, told(policy(nil), then(item(normal("08:00:00.000", time.Minute), time.Minute), func(t *tale) {
		t.add(at("07:00:00.000"), Spared{[]broadcast.Class{broadcast.Normal}})
	}))},
	{lawObey, "a withdrawal is not heard", nil, told(policy(nil), then(item(normal("08:00:00.000", time.Minute), time.Minute), func(t *tale) {
		t.add(at("08:00:10.000"), Given{withdrawal, 2, broadcast.Commune})
	}))},
	{lawObey, "it sounds without power", []string{lawWarm}, told(policy(nil), then(item(normal("08:00:00.000", time.Minute), time.Minute), func(t *tale) {
		t.add(at("08:00:10.000"), State{})
	}))},
	{lawEmergency, "it never sounds", []string{lawVerdict}, told(policy(nil), func(t *tale) {
		t.give(at("07:59:50.000"), announcement("flood", broadcast.Emergency, at("08:00:00.000"), time.Minute))
	})},
	{lawEmergency, "a repeat is left out", []string{lawVerdict}, told(policy(nil), func(t *tale) {
		a := announcement("flood", broadcast.Emergency, at("08:00:00.000"), 10*time.Second)
		a.Timing.Window, a.Timing.Repeat = 150, 60
		t.give(at("07:59:50.000"), a)
		t.sound(Sounding{"flood", at("08:00:00.000"), 1, 0}, "", 10*time.Second, broadcast.Ended, "")
		t.sound(Sounding{"flood", at("08:02:00.000"), 1, 0}, "", 10*time.Second, broadcast.Ended, "")
	})},
	{lawEmergency, "it breaks off and nobody asked for that", nil, told(policy(nil), func(t *tale) {
		t.give(at("07:59:50.000"), announcement("flood", broadcast.Emergency, at("08:00:00.000"), time.Minute))
		t.sound(Sounding{"flood", at("08:00:00.000"), 1, 0}, "", 5*time.Second, broadcast.Interrupted, broadcast.WhyStopped)
	})},
	{lawEmergency, "it waits for a talk", nil, told(policy(nil), func(t *tale) {
		t.give(at("07:59:50.000"), announcement("flood", broadcast.Emergency, at("08:00:00.000"), time.Minute))
		t.late(Sounding{"flood", at("08:00:00.000"), 1, 0}, 3*time.Second)
	})},
	{lawEmergency, "it is forgotten over a power cut", nil, told(policy(nil), func(t *tale) {
		t.give(at("07:59:50.000"), announcement("flood", broadcast.Emergency, at("08:00:00.000"), time.Minute))
		t.add(at("07:59:52.000"), State{})
		t.add(at("08:03:00.000"), State{Runs: true, Linked: true, Timed: true})
		t.prove(at("08:40:00.000"), Sounding{"flood", at("08:00:00.000"), 0, 0}, broadcast.Expired, broadcast.WhyExpired, 0)
	})},
	{lawChain, "a gap", []string{lawEnded, lawBothSides, lawJournalled, lawOften}, changed(func(t *tale) {
		t.without(isFact(func(p Proved) bool { return p.Receipt.Seq == 4 }))
	})},
	{lawChain, "another chain", nil, changed(func(t *tale) {
		replace(t, func(p Proved) Proved {
			if p.Receipt.Seq > 5 {
				p.Chain = "chain-2"
			}
			return p
		})
	})},
	{lawOneEnd, "ended and interrupted", nil, changed(func(t *tale) { t.prove(at("10:00:00.000"), news, broadcast.Interrupted, broadcast.WhyCrash, 0) })},
	{lawOneEnd, "a proved verdict is taken back", []string{lawVerdict}, told(policy(nil), func(t *tale) {
		t.give(at("05:01:00.000"), normal("08:00:00.000", time.Minute))
		t.prove(at("10:00:00.000"), Sounding{"news", at("08:00:00.000"), 0, 0}, broadcast.Skipped, broadcast.WhyLate, 0)
		t.prove(at("10:00:01.000"), Sounding{"news", at("08:00:00.000"), 0, 0}, broadcast.Verified, broadcast.WhyAhead, 0)
	})},
	{lawVerdict, "a verdict is taken back and none follows", nil, told(policy(nil), func(t *tale) { t.ahead("08:00:00.000") })},
	{lawReason, "of attempt 2", nil, changed(func(t *tale) {
		t.again(func(r *broadcast.Receipt) {
			if r.Attempt > 1 {
				r.Reason = ""
			}
		})
	})},
	{lawBoast, "nothing sounded", nil, told(policy(nil), func(t *tale) {
		t.give(at("05:01:00.000"), normal("08:00:00.000", time.Minute))
		t.prove(at("08:01:00.000"), news, broadcast.Playing, "", 0)
		t.prove(at("08:01:00.000"), news, broadcast.Ended, "", 48000*60)
	})},
	{lawBoast, "more than sounded", nil, changed(func(t *tale) {
		replace(t, func(o Over) Over { o.Samples /= 2; return o })
	})},
	{lawBoast, "not to its end", []string{lawOften, lawEmergency}, changed(func(t *tale) {
		replace(t, func(o Over) Over { o.Whole = false; return o })
	})},
	{lawEnded, "no end", nil, changed(func(t *tale) {
		t.own = t.own[:len(t.own)-1]
		t.without(isFact(func(p Proved) bool { return int(p.Receipt.Seq) > len(t.own) }))
	})},
	{lawJournalled, "no receipt", []string{lawVerdict}, changed(func(t *tale) {
		t.without(isFact(func(p Proved) bool { return true }))
		t.own = []broadcast.Receipt{}
	})},
	{lawVerdict, "nobody says what became of it", nil, told(policy(nil), func(t *tale) {
		t.give(at("05:01:00.000"), normal("08:00:00.000", time.Minute))
		t.own = []broadcast.Receipt{}
	})},
	{lawVerdict, "nor of what came late", nil, told(policy(nil), func(t *tale) {
		t.give(at("08:00:20.000"), normal("08:00:00.000", time.Minute))
		t.own = []broadcast.Receipt{}
	})},
	{lawBothSides, "the node has one more", nil, changed(func(t *tale) { t.own = append(t.own, t.own[0]) })},
	{lawBothSides, "one says otherwise", nil, changed(func(t *tale) {
		t.own = slices.Clone(t.own)
		t.own[2].Reason = broadcast.WhyCrash
	})},
	{lawEventsOrder, "one comes late", nil, changed(func(t *tale) { t.add(at("06:00:00.000"), State{Runs: true, Linked: true, Timed: true}) })},
}

// again writes the whole chain anew after a change.
func (t *tale) again(change func(*broadcast.Receipt)) {
	prev := broadcast.Sum(nil)
	n := 0
	for i, e := range t.events {
		p, ok := e.Fact.(Proved)
		if !ok {
			continue
		}
		change(&p.Receipt)
		p.Receipt.Prev = prev
		prev, _ = p.Receipt.Digest()
		t.events[i].Fact, t.own[n] = p, p.Receipt
		n++
	}
}

// late tells a sounding whose first sample leaves after its start.
func (t *tale) late(s Sounding, by time.Duration) {
	first := s.Start.Add(by)
	t.add(first.Add(-board.WarmUp), Relay{true})
	t.add(first, Began{s})
	t.add(first.Add(time.Minute), Over{s, 48000 * 60, true})
	t.add(first.Add(time.Minute+board.Hold), Relay{false})
	t.prove(first.Add(time.Minute), s, broadcast.Playing, "", 0)
	t.prove(first.Add(time.Minute), s, broadcast.Ended, "", 48000*60)
}
