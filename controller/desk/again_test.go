package desk

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
)

// eight is eight in the morning of 22/11/2026, when everything here starts.
const eight broadcast.Instant = 1795309200000

func starting(class broadcast.Class) broadcast.Announcement {
	return broadcast.Announcement{ID: "tin", Revision: broadcast.Revision(eight - 60_000), Class: class, Areas: []broadcast.ID{"tan-lap"},
		Versions: []broadcast.Version{{Language: "vi", Content: &broadcast.Content{SHA256: broadcast.Sum(nil), Millis: 20_000, Bytes: 1}}},
		Timing:   broadcast.Timing{Mode: broadcast.ModeStart, Start: eight}}
}

// tried are the receipts of one attempt that sounded for some seconds; an end
// that is empty never came.
func tried(number int64, at broadcast.Instant, seconds int64, end broadcast.Rung, why broadcast.Reason) []entry {
	again := broadcast.Reason("")
	if number > 1 {
		again = broadcast.WhyRepeat
	}
	r := broadcast.Receipt{Start: eight, Attempt: number, Clock: broadcast.ClockProved, Reason: again, Rung: broadcast.Powered, At: at - 1500}
	out := []entry{{Receipt: r}}
	r.Rung, r.At, r.Evidence = broadcast.Playing, at, &broadcast.Evidence{First: at}
	out = append(out, entry{Receipt: r})
	if end == "" {
		return out
	}
	r.At = at.Add(time.Duration(seconds) * time.Second)
	r.Evidence = &broadcast.Evidence{First: at, Samples: 48000 * seconds, Of: 960_000}
	if end == broadcast.Ended {
		r.Rung = broadcast.Sounded
		out = append(out, entry{Receipt: r})
		r.Evidence = nil
	} else {
		r.Reason = why
	}
	r.Rung = end
	return append(out, entry{Receipt: r})
}

func TestAnEndIsFinalWhenNothingMoreMaySound(t *testing.T) {
	lost, minute := broadcast.Interrupted, broadcast.Instant(60_000)
	first := tried(1, eight, 5, lost, broadcast.WhyCrash)
	cut := tried(1, eight, 5, lost, broadcast.WhyPreempted)
	whole := func(number int64, at broadcast.Instant) []entry { return tried(number, at, 20, broadcast.Ended, "") }
	thrice := slices.Concat(first, tried(2, eight+minute, 5, lost, broadcast.WhyCrash), tried(3, eight+2*minute, 5, lost, broadcast.WhyCrash))
	closed := tried(2, eight+minute, 0, "", "")[:1]
	expired := []entry{{Receipt: broadcast.Receipt{Start: eight, At: eight + 30*minute, Rung: broadcast.Expired, Reason: broadcast.WhyExpired}}}
	for name, c := range map[string]struct {
		class    broadcast.Class
		in       []entry
		now      broadcast.Instant
		end      broadcast.Rung
		why      broadcast.Reason
		until    broadcast.Instant
		attempts int64
		played   broadcast.Instant
	}{
		"an emergency is interrupted":     {broadcast.Emergency, first, eight + minute, "", broadcast.WhyCrash, eight + 30*minute, 1, eight},
		"and sounds again":                {broadcast.Emergency, slices.Concat(first, tried(2, eight+minute, 0, "", "")), eight + 2*minute, "", "", 0, 2, eight + minute},
		"and has ended":                   {broadcast.Emergency, slices.Concat(first, whole(2, eight+minute)), eight + 2*minute, broadcast.Ended, broadcast.WhyRepeat, 0, 2, eight + minute},
		"and ended after its window":      {broadcast.Emergency, slices.Concat(first, whole(2, eight+30*minute)), eight + 60*minute, broadcast.Ended, broadcast.WhyRepeat, 0, 2, eight + 30*minute},
		"its window passes without":       {broadcast.Emergency, first, eight + 30*minute + 15_001, lost, broadcast.WhyCrash, 0, 1, eight},
		"word of the last may be on way":  {broadcast.Emergency, first, eight + 30*minute + 15_000, "", broadcast.WhyCrash, eight + 30*minute, 1, eight},
		"the relay closed once more":      {broadcast.Emergency, slices.Concat(first, closed), eight + 2*minute, "", broadcast.WhyRepeat, 0, 2, 0},
		"and power was lost for good":     {broadcast.Emergency, slices.Concat(first, closed), eight + 31*minute, lost, broadcast.WhyCrash, 0, 2, eight},
		"three soundings are used up":     {broadcast.Emergency, thrice, eight + 3*minute, lost, broadcast.WhyCrash, 0, 3, eight + 2*minute},
		"somebody pressed the button":     {broadcast.Emergency, tried(1, eight, 5, lost, broadcast.WhyPressed), eight + minute, lost, broadcast.WhyPressed, 0, 1, eight},
		"power was lost before any sound": {broadcast.Emergency, slices.Concat(first[:1], expired), eight + 31*minute, broadcast.Expired, broadcast.WhyExpired, 0, 1, 0},
		"a priority item gave way":        {broadcast.Priority, cut, eight + minute, "", broadcast.WhyPreempted, eight + 5*minute, 1, eight},
		"and was resumed":                 {broadcast.Priority, slices.Concat(cut, whole(2, eight+minute)), eight + 2*minute, broadcast.Ended, broadcast.WhyRepeat, 0, 2, eight + minute},
		"and gave way again":              {broadcast.Priority, slices.Concat(cut, tried(2, eight+minute, 5, lost, broadcast.WhyPreempted)), eight + 2*minute, lost, broadcast.WhyPreempted, 0, 2, eight + minute},
		"and its deadline passed":         {broadcast.Priority, cut, eight + 6*minute, lost, broadcast.WhyPreempted, 0, 1, eight},
		"a priority item was lost":        {broadcast.Priority, first, eight + minute, lost, broadcast.WhyCrash, 0, 1, eight},
		"a normal item gave way":          {broadcast.Normal, cut, eight + minute, lost, broadcast.WhyPreempted, 0, 1, eight},
	} {
		t.Run(name, func(t *testing.T) {
			got := judge{announcement: starting(c.class), now: c.now}.fold(c.in)
			o := got.Occurrences[0]
			if got.End != c.end || got.Until != c.until || o.End != c.end || o.Until != c.until || got.Attempts != c.attempts || got.Times[broadcast.Playing] != c.played {
				t.Errorf("end %q, until %s, %d attempts, played %s; occurrence %q", got.End, got.Until, got.Attempts, got.Times[broadcast.Playing], o.End)
			}
			if c.end != "" && got.Reason != c.why || c.until != 0 && got.Reason != c.why {
				t.Errorf("because of %q, want %q", got.Reason, c.why)
			}
		})
	}
	got := judge{announcement: starting(broadcast.Emergency), now: eight + 2*minute}.fold(slices.Concat(first, whole(2, eight+minute)))
	want := []Attempt{{Number: 1, Rung: broadcast.Playing, End: lost, Reason: broadcast.WhyCrash, Evidence: first[2].Evidence,
		Times: map[broadcast.Rung]broadcast.Instant{broadcast.Powered: eight - 1500, broadcast.Playing: eight, lost: eight + 5000}}, got.Occurrences[0].Attempt}
	if diff := cmp.Diff(want, got.Occurrences[0].Each); diff != "" {
		t.Errorf("the attempts (-want +got):\n%s", diff)
	}
	if got.Evidence.Samples != 960_000 || got.Occurrences[0].Number != 2 {
		t.Errorf("%+v", got)
	}
}

// history draws what a node may have gone through with one occurrence.
func history(t *rapid.T) (in []entry, last broadcast.Instant) {
	last = eight
	for n := range rapid.Int64Range(1, 4).Draw(t, "attempts") {
		at := last.Add(time.Duration(rapid.Int64Range(0, 400).Draw(t, "pause")) * time.Second)
		seconds := rapid.Int64Range(0, 15).Draw(t, "seconds")
		end := rapid.SampledFrom([]broadcast.Rung{broadcast.Interrupted, broadcast.Interrupted, broadcast.Interrupted, broadcast.Failed, broadcast.Withdrawn, broadcast.Ended}).Draw(t, "end")
		why := rapid.SampledFrom([]broadcast.Reason{broadcast.WhyCrash, broadcast.WhyPreempted, broadcast.WhyDecoder, broadcast.WhyPressed}).Draw(t, "why")
		in = append(in, tried(n+1, at, seconds, end, why)...)
		last = at.Add(time.Duration(seconds) * time.Second)
	}
	return in, last
}

// planned asks the plan what the node does about the occurrence.
func planned(t rapid.TB, a broadcast.Announcement, in []entry, now broadcast.Instant) plan.Entry {
	told := past(in)
	for i := range told {
		told[i].Announcement, told[i].Revision, told[i].Class = a.ID, a.Revision, a.Class
	}
	law := broadcast.Policy{Area: "tan-lap", Revision: 1}
	for _, c := range broadcast.Classes() {
		law.Thresholds = append(law.Thresholds, broadcast.Threshold{Class: c, Officers: 2})
	}
	order := broadcast.RunningOrder{Segments: []broadcast.Segment{{Title: "một", Content: a.Versions[0].Content}, {Title: "hai", Content: a.Versions[0].Content}}}
	if p := a.Versions[0].Programme; p != nil {
		half := &broadcast.Content{SHA256: broadcast.Sum(nil), Millis: p.Millis / 2, Bytes: 1}
		order.Segments[0].Content, order.Segments[1].Content = half, half
	}
	p, err := plan.Compute(plan.Input{Now: now, Window: plan.Window{From: eight.Add(-time.Hour), To: now.Add(6 * time.Hour)}, Law: broadcast.LawOf(law), Fresh: now,
		Assignment: broadcast.Assignment{Node: "n", Chain: []broadcast.Place{{Area: "tan-lap", Level: broadcast.Commune}}, Languages: []broadcast.Language{"vi"}},
		Items:      []plan.Item{{Announcement: a, Signers: []plan.Signer{{Person: "lan", Level: broadcast.Commune, Custody: broadcast.CustodyToken}, {Person: "minh", Level: broadcast.Commune, Custody: broadcast.CustodyToken}}}},
		Orders:     map[broadcast.Digest]broadcast.RunningOrder{broadcast.Sum([]byte("order")): order}, Clock: broadcast.ClockProved,
		Board: plan.Board{WarmUp: 1500 * time.Millisecond}, Past: told})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(p.Entries, func(e plan.Entry) bool { return e.Start == eight })
	return p.Entries[i]
}

// TestDeskAndNodeAgreeOnWhatAClockThatWasAheadGaveUp compares them after a
// verdict was taken back, whatever became of the occurrence then.
func TestDeskAndNodeAgreeOnWhatAClockThatWasAheadGaveUp(t *testing.T) {
	verdict := func(at broadcast.Instant, clock broadcast.Quality, rung broadcast.Rung, why broadcast.Reason) entry {
		return entry{Receipt: broadcast.Receipt{Start: eight, At: at, Clock: clock, Rung: rung, Reason: why}}
	}
	hour := broadcast.Instant(3_600_000)
	late := verdict(eight+15*hour, broadcast.ClockPlausible, broadcast.Skipped, broadcast.WhyLate)
	back := verdict(eight-2*hour, broadcast.ClockProved, broadcast.Verified, broadcast.WhyAhead)
	for name, c := range map[string]struct {
		then []entry
		now  broadcast.Instant
		end  broadcast.Rung
		why  broadcast.Reason
	}{
		"it is still to come": {nil, eight - hour, "", ""},
		"it sounds":           {tried(1, eight, 0, "", ""), eight + 5000, "", ""},
		"it has sounded":      {tried(1, eight, 20, broadcast.Ended, ""), eight + hour, broadcast.Ended, ""},
		"it was silenced":     {[]entry{verdict(eight, broadcast.ClockProved, broadcast.Refused, broadcast.WhySilence)}, eight + hour, broadcast.Refused, broadcast.WhySilence},
		"it was given up once more": {[]entry{verdict(eight+14*hour, broadcast.ClockPlausible, broadcast.Skipped, broadcast.WhyLate)}, eight - hour,
			broadcast.Skipped, broadcast.WhyLate},
		"and that was taken back": {[]entry{verdict(eight+14*hour, broadcast.ClockPlausible, broadcast.Skipped, broadcast.WhyLate),
			verdict(eight-2*hour+1, broadcast.ClockProved, broadcast.Verified, broadcast.WhyAhead)}, eight - hour, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := starting(broadcast.Priority)
			in := slices.Concat([]entry{late, back}, c.then)
			for i := range in {
				in[i].chain, in[i].Seq = "c", int64(i+1)
			}
			got := judge{announcement: a, now: c.now}.fold(in)
			if got.End != c.end || got.Reason != c.why {
				t.Errorf("the desk says %q because of %q", got.End, got.Reason)
			}
			if name == "it sounds" {
				return // what runs now is no matter of receipts
			}
			if node := planned(t, a, in, c.now); c.end == "" && len(node.Soundings) == 0 || c.end != "" && (node.Rung != c.end || node.Reason != c.why) {
				t.Errorf("the node says %q because of %q", node.Rung, node.Reason)
			}
		})
	}
}

// TestDeskAndNodeAgreeOnWhatIsOver compares, over drawn histories, what the desk
// shows of an occurrence with the plan of the node that it happened to.
func TestDeskAndNodeAgreeOnWhatIsOver(t *testing.T) {
	var again, over int
	rapid.Check(t, func(t *rapid.T) {
		a := starting(rapid.SampledFrom(broadcast.Classes()).Draw(t, "class"))
		switch {
		case a.Class == broadcast.Emergency:
			a.Timing.Repeat = rapid.SampledFrom([]int64{0, 600}).Draw(t, "repeat")
		case rapid.Bool().Draw(t, "programme"):
			a.Versions[0] = broadcast.Version{Language: "vi", Programme: &broadcast.Programme{SHA256: broadcast.Sum([]byte("order")), Millis: 300_000, Bytes: 1}}
		}
		in, last := history(t)
		now := last.Add(time.Duration(rapid.Int64Range(0, 2400).Draw(t, "later")) * time.Second)
		shown := judge{announcement: a, now: now}.fold(in).Occurrences[0]
		e := planned(t, a, in, now)
		i := slices.IndexFunc(e.Soundings, func(s plan.Sounding) bool { return s.Attempt > shown.Attempts })
		switch {
		case i >= 0:
			again++
			if shown.End != "" || e.Soundings[i].From > shown.Until {
				t.Fatalf("the node sounds again at %s; the desk says %q, until %s", e.Soundings[i].From, shown.End, shown.Until)
			}
		case shown.Until == 0:
			over++
			if shown.End != e.Rung || shown.Reason != e.Reason {
				t.Fatalf("the desk says %q for %q, the node %q for %q", shown.End, shown.Reason, e.Rung, e.Reason)
			}
		case a.Timing.Repeat == 0 && a.Versions[0].Programme == nil && now.Add(15*time.Second) < shown.Until:
			t.Fatalf("the desk waits until %s for what the node does not plan at %s", shown.Until, now)
		}
	})
	if again == 0 || over == 0 {
		t.Errorf("%d sounded again, %d were over: one side was never drawn", again, over)
	}
}
