package plan

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
)

func TestAnAttemptMayBeFollowedByAnotherUntilItsTimeIsOver(t *testing.T) {
	lu, warning, market := emergency("lu", "06:00", 60), priority("bao", "06:00", 60).late(120), normal("cho", "06:00", 60)
	grid := emergency("lu", "06:00", 60).repeat(600, 3600)
	show := normal("buoi", "06:00", 0).versions(broadcast.Version{Language: "vi", Programme: &broadcast.Programme{Millis: 600_000}})
	lost := broadcast.Interrupted
	for name, c := range map[string]struct {
		item  Item
		told  []Past
		until string
	}{
		"nothing was told":                    {lu, nil, ""},
		"an emergency ended":                  {lu, []Past{lu.past(1, "06:00", 60, broadcast.Ended, "")}, ""},
		"an emergency was lost":               {lu, []Past{lu.past(1, "06:00", 5, lost, broadcast.WhyCrash)}, "06:30"},
		"an emergency has no end":             {lu, []Past{lu.past(1, "06:00", 5, broadcast.Playing, "")}, "06:30"},
		"an emergency could not be decoded":   {lu, []Past{lu.past(1, "06:00", 0, broadcast.Failed, broadcast.WhyDecoder)}, "06:30"},
		"and not twice":                       {lu, []Past{lu.past(1, "06:00", 0, broadcast.Failed, broadcast.WhyDecoder), lu.past(2, "06:01", 0, broadcast.Failed, broadcast.WhyDecoder)}, ""},
		"an emergency was withdrawn":          {lu, []Past{lu.past(1, "06:00", 5, broadcast.Withdrawn, broadcast.WhyWithdrawn)}, ""},
		"somebody pressed the button":         {lu, []Past{lu.past(1, "06:00", 5, lost, broadcast.WhyPressed)}, ""},
		"an emergency was skipped":            {lu, []Past{lu.past(0, "06:00", 0, broadcast.Expired, broadcast.WhyExpired)}, ""},
		"a drill was lost":                    {lu.drill(), []Past{lu.drill().past(1, "06:00", 5, lost, broadcast.WhyCrash)}, ""},
		"a repeat follows in ten minutes":     {grid, []Past{lu.past(1, "06:00", 5, lost, broadcast.WhyCrash)}, "06:09:59.999"},
		"two soundings were lost":             {lu, []Past{lu.past(2, "06:05", 5, lost, broadcast.WhyCrash), lu.past(1, "06:00", 5, lost, broadcast.WhyCrash)}, "06:30"},
		"three soundings were lost":           {lu, []Past{lu.past(1, "06:00", 5, lost, broadcast.WhyCrash), lu.past(2, "06:05", 5, lost, broadcast.WhyCrash), lu.past(3, "06:09", 5, lost, broadcast.WhyCrash)}, ""},
		"a priority item gave way":            {warning, []Past{warning.past(1, "06:00", 5, lost, broadcast.WhyPreempted)}, "06:02"},
		"a priority item gave way twice":      {warning, []Past{warning.past(1, "06:00", 5, lost, broadcast.WhyPreempted), warning.past(2, "06:01", 5, lost, broadcast.WhyPreempted)}, ""},
		"a priority item was lost":            {warning, []Past{warning.past(1, "06:00", 5, lost, broadcast.WhyCrash)}, ""},
		"a normal item gave way":              {market, []Past{market.past(1, "06:00", 5, lost, broadcast.WhyPreempted)}, ""},
		"a programme gave way, and once more": {show, []Past{show.past(1, "06:00:01", 5, lost, broadcast.WhyPreempted), show.past(2, "06:04", 5, lost, broadcast.WhyPreempted)}, "06:10:30.999"},
	} {
		t.Run(name, func(t *testing.T) {
			want := broadcast.Instant(0)
			if c.until != "" {
				want = at(c.until)
			}
			if got := Again(c.item.Announcement, c.told); got != want {
				t.Errorf("until %s, want %q", text(got), c.until)
			}
		})
	}
}

// TestAgainBoundsEveryLaterAttempt cuts the power at drawn moments of drawn
// worlds: whatever is planned after an attempt begins while the rule allows it.
func TestAgainBoundsEveryLaterAttempt(t *testing.T) {
	followed := 0
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t)
		in.Board.MaxOn = 4 * time.Hour
		p := must(t, in)
		if list := soundings(p); len(list) > 0 {
			s := rapid.SampledFrom(list).Draw(t, "cut")
			now := s.From.Add(time.Duration(rapid.Int64Range(0, int64(s.To-s.From)).Draw(t, "after")) * time.Millisecond)
			in = later(in, p, max(now, in.Now))
			for i := range in.Past {
				in.Past[i].Running = false
			}
			in.Now, in.Closed = in.Now.Add(time.Minute), 0
			in.Since, in.Window = in.Now, Window{in.Now, max(in.Window.To, in.Now.Add(time.Hour))}
			p = must(t, in)
		}
		for _, e := range p.Entries {
			told := slices.DeleteFunc(slices.Clone(in.Past), func(x Past) bool { return x.of() != e.name() })
			for _, s := range e.Soundings {
				if slices.ContainsFunc(told, func(x Past) bool { return x.Attempt >= s.Attempt }) {
					continue
				}
				if until := Again(in.find(e).Announcement, told); s.Attempt > 1 && s.From > until {
					t.Fatalf("attempt %d of %s begins at %s, and may until %s", s.Attempt, e.Announcement, text(s.From), text(until))
				}
				if s.Attempt > 1 {
					followed++
				}
				told = append(told, Past{Drill: e.Drill, Start: e.Start, Attempt: s.Attempt, At: s.From, Millis: int64(s.To - s.From),
					Offset: s.Offset, Rung: broadcast.Interrupted, Reason: broadcast.WhyPreempted})
			}
		}
	})
	if followed == 0 {
		t.Error("no world had a later attempt: nothing was proved")
	}
}

func TestWhatWasToldOfAnAttemptDependsOnNoOrder(t *testing.T) {
	end := broadcast.Receipt{Start: 5, Attempt: 2, Rung: broadcast.Interrupted, Reason: broadcast.WhyCrash, Evidence: &broadcast.Evidence{Samples: 4800}}
	all := []broadcast.Receipt{{Start: 5, Attempt: 2, Rung: broadcast.Playing, Reason: broadcast.WhyRepeat, Evidence: &broadcast.Evidence{First: 7}}, end, end}
	want := Past{At: 7, Millis: 100, Rung: broadcast.Interrupted, Reason: broadcast.WhyCrash, Why: broadcast.WhyRepeat}
	for range 10 {
		rand.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		var got Past
		for _, r := range all {
			got.tell(r)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
	if len(Tell(nil, broadcast.Receipt{Rung: broadcast.Received})) != 0 || len(Tell(nil, broadcast.Receipt{Start: 5, Rung: broadcast.Powered})) != 0 || len(Tell(nil, end)) != 1 {
		t.Error("a plan is told of what nobody heard")
	}
}

func TestAVerdictThatWasTakenBackWasNeverTold(t *testing.T) {
	says := func(attempt int64, at broadcast.Instant, rung broadcast.Rung, why broadcast.Reason) broadcast.Receipt {
		return broadcast.Receipt{Start: 5, Attempt: attempt, At: at, Rung: rung, Reason: why}
	}
	late, back := says(0, 900, broadcast.Skipped, broadcast.WhyLate), says(0, 2, broadcast.Verified, broadcast.WhyAhead)
	refused, ended := says(0, 5, broadcast.Refused, broadcast.WhySilence), says(1, 6, broadcast.Ended, "")
	for name, c := range map[string]struct {
		in   []broadcast.Receipt
		want []Past
	}{
		"nothing else was said":  {[]broadcast.Receipt{late, back}, nil},
		"there was none":         {[]broadcast.Receipt{back}, nil},
		"another verdict":        {[]broadcast.Receipt{late, back, refused}, []Past{{Start: 5, At: 5, Rung: broadcast.Refused, Reason: broadcast.WhySilence}}},
		"it sounded":             {[]broadcast.Receipt{late, back, ended}, []Past{{Start: 5, Attempt: 1, At: 6, Rung: broadcast.Ended}}},
		"what sounded stands":    {[]broadcast.Receipt{ended, back}, []Past{{Start: 5, Attempt: 1, At: 6, Rung: broadcast.Ended}}},
		"given up once more":     {[]broadcast.Receipt{late, back, late}, []Past{{Start: 5, At: 900, Rung: broadcast.Skipped, Reason: broadcast.WhyLate}}},
		"and taken back as well": {[]broadcast.Receipt{late, back, late, back}, nil},
	} {
		var got []Past
		for _, r := range c.in {
			got = Tell(got, r)
		}
		if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestAnotherBodyUnderTheNameIsAnotherOccurrence plans a warning under whose
// name something else was heard, or is being heard.
func TestAnotherBodyUnderTheNameIsAnotherOccurrence(t *testing.T) {
	lu := emergency("lu", "06:00", 60)
	lu.Payload = broadcast.Sum([]byte("warning"))
	other := lu.past(1, "06:00", 30, broadcast.Ended, "")
	other.Payload = broadcast.Sum([]byte("chatter"))
	in := monday(lu.held("06:05"))
	in.Now, in.Past = at("06:05"), []Past{other}
	expect(t, in, "lu 06:00-06:00:30 ended", "lu of 06:00 06:05:10-06:06:10 ended")

	in.Past[0].Rung, in.Past[0].At, in.Past[0].Running, in.Past[0].Ends = broadcast.Playing, at("06:04:30"), true, at("07:00")
	in.Closed = at("06:04:28.500")
	p := expect(t, in, "lu of 06:00 06:04:30-06:05 interrupted other-body", "lu of 06:00 06:05:10-06:06:10 ended")
	if p.Entries[0].Payload != other.Payload || p.Entries[1].Payload != lu.Payload {
		t.Errorf("%+v", p.Entries)
	}
}
