package node

import (
	"testing"

	"github.com/loaxa/loaxa/broadcast"
)

func told(start, attempt int64, rung broadcast.Rung, why broadcast.Reason, e *broadcast.Evidence) statement {
	return statement{document: document{name{id: "a", revision: 5}, broadcast.Sum(nil)}, class: broadcast.Emergency, start: broadcast.Instant(start), attempt: attempt,
		rung: rung, reason: why, evidence: e}
}

func TestHistoryTellsAPlanWhatTheJournalSays(t *testing.T) {
	h := newHistory()
	for _, s := range []statement{
		told(0, 0, broadcast.Received, "", nil), told(0, 0, broadcast.Cached, "", nil),
		told(1000, 1, broadcast.Powered, "", &broadcast.Evidence{Closed: 900}),
		told(1000, 1, broadcast.Playing, "", &broadcast.Evidence{First: 1001}),
		told(1000, 1, broadcast.Interrupted, broadcast.WhyCrash, nil),
		told(1000, 2, broadcast.Playing, broadcast.WhyRepeat, &broadcast.Evidence{First: 2002}),
		told(1000, 2, broadcast.Sounded, broadcast.WhyRepeat, &broadcast.Evidence{First: 2002, Samples: 48000}),
		told(1000, 2, broadcast.Ended, broadcast.WhyRepeat, nil),
		told(5000, 0, broadcast.Skipped, broadcast.WhyLate, nil),
		told(6000, 1, broadcast.Powered, "", nil), // and nothing more: power was lost before any sound
		told(7000, 1, broadcast.Playing, "", &broadcast.Evidence{First: 7000}),
	} {
		h.note(s, moment{at: 8000})
	}
	past := h.past(0)
	type brief struct {
		start, attempt, at, millis int64
		rung                       broadcast.Rung
		reason                     broadcast.Reason
	}
	want := []brief{
		{1000, 1, 1001, 0, broadcast.Interrupted, broadcast.WhyCrash},
		{1000, 2, 2002, 1000, broadcast.Ended, broadcast.WhyRepeat},
		{7000, 1, 7000, 0, broadcast.Playing, ""},
		{5000, 0, 8000, 0, broadcast.Skipped, broadcast.WhyLate},
	}
	if len(past) != len(want) {
		t.Fatalf("%d attempts: %+v", len(past), past)
	}
	for i, p := range past {
		if got := (brief{int64(p.Start), p.Attempt, int64(p.At), p.Millis, p.Rung, p.Reason}); got != want[i] {
			t.Errorf("attempt %d is %+v, want %+v", i+1, got, want[i])
		}
	}
	if open := h.open(); len(open) != 1 || open[0].Start != 7000 {
		t.Errorf("open attempts %+v", open)
	}
	if d := (document{name{id: "a", revision: 5}, broadcast.Sum(nil)}); !h.climbed[d][broadcast.Cached] || h.climbed[d][broadcast.Verified] {
		t.Errorf("climbed %+v", h.climbed)
	}
	h.forget(6000)
	if got := len(h.past(0)); got != 2 { // the verdict of 5000 fell at 8000
		t.Errorf("%d attempts are remembered after forgetting", got)
	}
}

func TestAPlanIsToldOnlyWhatItMayAskFor(t *testing.T) {
	h := newHistory()
	h.note(told(1000, 0, broadcast.Skipped, broadcast.WhyLate, nil), moment{at: 2000})
	h.note(told(3000, 1, broadcast.Ended, "", nil), moment{at: 3000})
	h.note(told(1500, 0, broadcast.Skipped, broadcast.WhyLate, nil), moment{at: 9000}) // its verdict fell late
	h.note(told(1600, 1, broadcast.Playing, "", nil), moment{at: 1600})                // it has no end yet
	for since, want := range map[broadcast.Instant]int{0: 4, 2001: 3, 3001: 2, 10_000: 1} {
		if got := len(h.past(since)); got != want {
			t.Errorf("%d attempts since %d, want %d", got, since, want)
		}
	}
}

func TestOnlyAVerdictOfAClockThatWasAheadIsInDoubt(t *testing.T) {
	late := told(5000, 0, broadcast.Skipped, broadcast.WhyLate, nil)
	plausible := moment{at: 9000, clock: broadcast.ClockPlausible}
	for _, c := range []struct {
		name    string
		verdict statement
		by      moment
		now     broadcast.Instant
		doubt   bool
	}{
		{"the clock was ahead", late, plausible, 8999, true},
		{"the clock was right", late, plausible, 9000, false},
		{"it was given by a proved clock", late, moment{at: 9000, clock: broadcast.ClockProved}, 4000, false},
		{"by one that NTP contradicts", late, moment{at: 9000, clock: broadcast.ClockUnverified}, 4000, false},
		{"it sounded", told(5000, 1, broadcast.Ended, "", nil), plausible, 4000, false},
		{"it is about the whole document", told(0, 0, broadcast.Refused, broadcast.WhyBody, nil), plausible, 4000, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHistory()
			h.note(c.verdict, c.by)
			name := occurrence{c.verdict.document, c.verdict.start}
			if got := h.doubtful(c.now)[name]; got != c.doubt {
				t.Fatalf("in doubt %v, want %v", got, c.doubt)
			}
			if !c.doubt {
				return
			}
			h.note(told(5000, 0, broadcast.Verified, broadcast.WhyAhead, nil), moment{at: c.now, clock: broadcast.ClockProved})
			if h.settled(name) || len(h.past(0)) != 0 || len(h.doubtful(c.now)) != 0 {
				t.Errorf("taken back, and still told: %+v", h.attempts)
			}
			h.note(told(5000, 0, broadcast.Refused, broadcast.WhySilence, nil), moment{at: 8999, clock: broadcast.ClockProved})
			if past := h.past(0); len(past) != 1 || past[0].Reason != broadcast.WhySilence {
				t.Errorf("the verdict after it is not told: %+v", past)
			}
		})
	}
}
