package historytest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
)

// A history of one morning: a normal item at 8:00, an emergency that cuts a
// priority item, which sounds again. All of it keeps the laws.
const (
	area  broadcast.ID = "tan-lap"
	other broadcast.ID = "viet-quang"
	chain broadcast.ID = "chain-1"
)

var board = plan.Board{WarmUp: 1500 * time.Millisecond, Hold: 2 * time.Second, MinOff: 500 * time.Millisecond, MaxOn: time.Hour}

// at is a time of the day of the tests, 22/11/2026, in Vietnam.
func at(clock string) broadcast.Instant {
	t, err := time.ParseInLocation("2006-01-02 15:04:05.000", "2026-11-22 "+clock, broadcast.Local())
	if err != nil {
		panic(err)
	}
	return broadcast.InstantOf(t)
}

// issue is the revision of what the tests announce.
var issue = broadcast.Revision(at("05:00:00.000"))

// tale is a history in the making.
type tale struct {
	events []Event
	own    []broadcast.Receipt
}

func (t *tale) add(when broadcast.Instant, f Fact) { t.events = append(t.events, Event{when, f}) }

func (t *tale) prove(when broadcast.Instant, s Sounding, rung broadcast.Rung, reason broadcast.Reason, samples int64) {
	prev := broadcast.Sum(nil)
	if n := len(t.own); n > 0 {
		prev, _ = t.own[n-1].Digest()
	}
	r := broadcast.Receipt{Seq: int64(len(t.own)) + 1, Prev: prev, At: when, Clock: broadcast.ClockProved, Boot: "boot-1", Announcement: s.Announcement,
		Of: issue, Start: s.Start, Attempt: s.Attempt, Rung: rung, Reason: reason}
	if samples > 0 {
		r.Evidence = &broadcast.Evidence{Samples: samples, Of: samples}
	}
	t.own = append(t.own, r)
	t.add(when, Proved{chain, r})
}

// sound tells one sounding from relay to receipts.
func (t *tale) sound(s Sounding, why broadcast.Reason, length time.Duration, end broadcast.Rung, reason broadcast.Reason) {
	first := s.Start
	if s.Attempt > 1 {
		first = t.events[len(t.events)-1].At.Add(5 * time.Second)
	}
	over := first.Add(length)
	samples := int64(length.Seconds() * 48000)
	t.add(first.Add(-board.WarmUp), Relay{true})
	t.add(first, Began{s})
	t.add(over, Over{s, samples, end == broadcast.Ended})
	t.prove(over, s, broadcast.Playing, why, 0)
	if end == broadcast.Ended {
		t.prove(over, s, broadcast.Sounded, why, samples)
		t.prove(over, s, end, why, 0)
	} else {
		t.prove(over, s, end, reason, samples)
	}
	t.add(over.Add(board.Hold), Relay{false})
}

func announcement(id broadcast.ID, class broadcast.Class, start broadcast.Instant, length time.Duration) broadcast.Announcement {
	return broadcast.Announcement{ID: id, Revision: issue, Class: class, Areas: []broadcast.ID{area},
		Versions: []broadcast.Version{{Language: "vi", Content: &broadcast.Content{Millis: length.Milliseconds()}}},
		Timing:   broadcast.Timing{Mode: broadcast.ModeStart, Start: start}}
}

func policy(change func(*broadcast.Policy)) broadcast.Policy {
	p := broadcast.Policy{Area: area, Revision: broadcast.Revision(at("04:00:00.000"))}
	for _, c := range broadcast.Classes() {
		p.Thresholds = append(p.Thresholds, broadcast.Threshold{Class: c, Officers: 2})
	}
	if change != nil {
		change(&p)
	}
	return p
}

// settled begins a tale with place, policy and state.
func settled(p broadcast.Policy) *tale {
	t := &tale{}
	place := broadcast.Assignment{Node: "n", Revision: 1, Chain: []broadcast.Place{{Area: area, Level: broadcast.Commune}}}
	t.add(at("05:00:00.000"), Given{Document: place})
	t.add(at("05:00:00.000"), Given{Document: p, Officers: 2})
	t.add(at("05:00:00.000"), Given{Document: broadcast.Manifest{Area: area, Revision: broadcast.Revision(at("04:59:00.000"))}})
	t.add(at("05:00:00.000"), State{Runs: true, Linked: true, Timed: true})
	return t
}

func (t *tale) give(when broadcast.Instant, a broadcast.Announcement) {
	t.add(when, Given{a, 2, broadcast.Commune})
}

var (
	news  = Sounding{"news", at("08:00:00.000"), 1, 0}
	talk  = Sounding{"talk", at("09:00:00.000"), 1, 0}
	flood = Sounding{"flood", at("09:00:20.000"), 1, 0}
)

// morning is the history that keeps the laws.
func morning() *tale {
	t := settled(policy(func(p *broadcast.Policy) {
		p.Quiet = []broadcast.Span{{From: 22 * 60, To: 5 * 60}}
		p.Windows = []broadcast.Span{{From: 6 * 60, To: 20 * 60}}
		p.Minutes = []broadcast.Budget{{Class: broadcast.Normal, Minutes: 10}}
	}))
	t.give(at("05:01:00.000"), announcement("news", broadcast.Normal, news.Start, 5*time.Minute))
	t.give(at("05:01:00.000"), announcement("talk", broadcast.Priority, talk.Start, time.Minute))
	t.sound(news, "", 5*time.Minute, broadcast.Ended, "")
	t.give(at("08:59:00.000"), announcement("flood", broadcast.Emergency, flood.Start, 30*time.Second))
	t.cut()
	t.sound(Sounding{"talk", talk.Start, 2, 0}, broadcast.WhyPreempted, time.Minute, broadcast.Ended, "")
	t.add(at("10:00:00.000"), State{Runs: true, Linked: true, Timed: true})
	return t
}

// ahead gives an item that a clock which was ahead gave up as missed, and the
// taking back once the time was proved.
func (t *tale) ahead(start string) {
	name := Sounding{"news", at(start), 0, 0}
	t.give(at("05:01:00.000"), normal(start, time.Minute))
	t.prove(at("23:00:00.000"), name, broadcast.Skipped, broadcast.WhyLate, 0)
	n := len(t.own) - 1
	t.own[n].Clock = broadcast.ClockPlausible
	t.events[len(t.events)-1] = Event{at("06:00:00.000"), Proved{chain, t.own[n]}}
	t.prove(at("06:00:01.000"), name, broadcast.Verified, broadcast.WhyAhead, 0)
}

// cut is an emergency that cuts the priority item under one closing of the relay.
func (t *tale) cut() {
	t.add(talk.Start.Add(-board.WarmUp), Relay{true})
	t.add(talk.Start, Began{talk})
	t.add(flood.Start.Add(-time.Second), Over{talk, 48000 * 19, false})
	t.prove(flood.Start.Add(-time.Second), talk, broadcast.Playing, "", 0)
	t.prove(flood.Start.Add(-time.Second), talk, broadcast.Interrupted, broadcast.WhyPreempted, 48000*19)
	t.add(flood.Start, Began{flood})
	t.add(flood.Start.Add(30*time.Second), Over{flood, 48000 * 30, true})
	t.prove(flood.Start.Add(30*time.Second), flood, broadcast.Playing, "", 0)
	t.prove(flood.Start.Add(30*time.Second), flood, broadcast.Sounded, "", 48000*30)
	t.prove(flood.Start.Add(30*time.Second), flood, broadcast.Ended, "", 0)
	t.add(flood.Start.Add(32*time.Second), Relay{false})
}

func laws(list []Breach) []string {
	var out []string
	for _, b := range list {
		if !slices.Contains(out, b.Law) {
			out = append(out, b.Law)
		}
	}
	return out
}

func TestALawfulHistoryHasNoBreach(t *testing.T) {
	m := morning()
	for _, b := range Check(board, m.events, m.own) {
		t.Error(b)
	}
}

func TestWhatAClockThatWasAheadGaveUpHasAnotherVerdict(t *testing.T) {
	for name, then := range map[string]func(*tale){
		"it sounds": func(t *tale) { t.sound(news, "", time.Minute, broadcast.Ended, "") },
		"it stays silent": func(t *tale) {
			t.prove(news.Start, Sounding{"news", news.Start, 0, 0}, broadcast.Refused, broadcast.WhySilence, 0)
		},
	} {
		events, own := told(policy(nil), func(t *tale) { t.ahead("08:00:00.000"); then(t) })(t)
		if list := Check(board, events, own); len(list) > 0 {
			t.Errorf("%s: %v", name, list)
		}
	}
}

func TestAHistoryMayBeJudgedBeforeItsEnd(t *testing.T) {
	m := morning()
	for n := range m.events {
		for _, b := range Check(board, m.events[:n], nil) {
			t.Errorf("after %d events: %s", n, b)
		}
	}
}

func TestTheSameHistoryHasTheSameBreaches(t *testing.T) {
	for _, m := range mutations {
		one, own := m.make(t)
		first := Check(board, one, own)
		if second := Check(board, one, own); !slices.Equal(first, second) {
			t.Errorf("%s: %v, and again %v", m.law, first, second)
		}
	}
}

func TestEveryBrokenLawIsCaught(t *testing.T) {
	for _, m := range mutations {
		t.Run(m.law+"/"+m.name, func(t *testing.T) {
			events, own := m.make(t)
			found := laws(Check(board, events, own))
			if !slices.Contains(found, m.law) {
				t.Errorf("caught %q", found)
			}
			for _, law := range found {
				if law != m.law && !slices.Contains(m.also, law) {
					t.Errorf("also %q", law)
				}
			}
		})
	}
}

func TestEveryLawHasAMutationThatBreaksIt(t *testing.T) {
	for _, law := range []string{lawRelay, lawMaxOn, lawHold, lawWarm, lawPublished, lawThreshold, lawQuiet, lawWindow, lawBudget, lawEarly, lawLate,
		lawTwice, lawOften, lawAtOnce, lawWithdrawn, lawSilence, lawDelisted, lawReplaced, lawStale, lawPower, lawObey, lawEmergency, lawChain, lawOneEnd, lawReason,
		lawBoast, lawEnded, lawJournalled, lawVerdict, lawBothSides, lawEventsOrder} {
		if !slices.ContainsFunc(mutations, func(m mutation) bool { return m.law == law }) {
			t.Errorf("nothing shows that this is caught: %s", law)
		}
	}
}

func TestABreachSaysWhenAndWhat(t *testing.T) {
	for _, m := range mutations {
		events, own := m.make(t)
		for _, b := range Check(board, events, own) {
			if b.At == 0 || b.Law == "" || b.Text == "" || !strings.Contains(b.String(), b.Law) || !strings.Contains(b.String(), b.Text) {
				t.Errorf("%s: %+v", m.law, b)
			}
		}
	}
}

// A node that is reached while it sounds an emergency need not begin anew.
func TestWhatSoundsWhenTheNodeIsReachedCountsWhenItIsWhole(t *testing.T) {
	for _, whole := range []bool{true, false} {
		h := settled(policy(nil))
		h.give(at("08:59:00.000"), announcement("flood", broadcast.Emergency, flood.Start, time.Minute))
		h.add(flood.Start.Add(-board.WarmUp), Relay{true})
		h.add(flood.Start, Began{flood})
		h.add(flood.Start.Add(5*time.Second), State{Runs: true, Timed: true})
		h.add(flood.Start.Add(10*time.Second), State{Runs: true, Linked: true, Timed: true})
		h.add(flood.Start.Add(time.Minute), Over{flood, 60 * 48000, whole})
		h.add(flood.Start.Add(time.Minute+board.Hold), Relay{false})
		h.add(flood.Start.Add(5*time.Minute), State{Runs: true, Timed: true})
		if found := laws(Check(board, h.events, nil)); whole != (len(found) == 0) {
			t.Errorf("whole %v: %v", whole, found)
		}
	}
}

// An emergency that is joined late is barred by a silence issued since its start,
// and by none that was over before.
func TestASilenceOfTheMeantimeFreesFromALateEmergency(t *testing.T) {
	for _, c := range []struct {
		from, until string
		free        bool
	}{{"09:00:24.000", "09:30:00.000", true}, {"09:00:00.000", "09:00:10.000", false}} {
		h := settled(policy(nil))
		h.add(at("08:58:00.000"), State{Runs: true, Timed: true})
		h.add(at("09:05:00.000"), State{Runs: true, Linked: true, Timed: true})
		h.give(at("09:05:00.000"), announcement("flood", broadcast.Emergency, flood.Start, 30*time.Second))
		order := broadcast.Silence{ID: "s", Revision: broadcast.Revision(at(c.from)), Areas: []broadcast.ID{area},
			Classes: broadcast.Classes(), Until: at(c.until)}
		h.add(at("09:05:00.000"), Given{order, 2, broadcast.Commune})
		h.add(at("10:05:00.000"), State{Runs: true, Linked: true, Timed: true})
		if found := laws(Check(board, h.events, nil)); c.free != (len(found) == 0) {
			t.Errorf("a silence from %s to %s: %v", c.from, c.until, found)
		}
	}
}
