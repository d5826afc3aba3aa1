package plan

import (
	"cmp"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
)

// voiced is a sounding with the entry it belongs to.
type voiced struct {
	Sounding
	entry Entry
}

// soundings are all of a plan in the order of time.
func soundings(p Plan) []voiced {
	var out []voiced
	for _, e := range p.Entries {
		for _, s := range e.Soundings {
			out = append(out, voiced{s, e})
		}
	}
	slices.SortFunc(out, func(a, b voiced) int { return cmp.Compare(a.From, b.From) })
	return out
}

func must(t *rapid.T, in Input) Plan {
	p, err := Compute(in)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (in Input) find(e Entry) Item {
	for _, i := range in.Items {
		if i.Announcement.ID == e.Announcement && i.Announcement.Revision == e.Revision && i.Drill == e.Drill {
			return i
		}
	}
	return Item{}
}

func (e Entry) isEmergency() bool { return e.Class == broadcast.Emergency && !e.Drill }

func TestNoTwoSoundingsOverlap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t)
		var last, since broadcast.Instant
		for _, s := range soundings(must(t, in)) {
			if s.From < last || s.To <= s.From || s.On > s.From {
				t.Fatalf("%s sounds %s to %s, relay %s; the one before ends %s", s.entry.Announcement, text(s.From), text(s.To), text(s.On), text(last))
			}
			if s.On < in.Now || s.From < in.Now {
				t.Fatalf("%s is to be switched on %s, before now", s.entry.Announcement, text(s.On))
			}
			if since == 0 || s.On >= last.Add(in.Board.Tail+in.Board.MinOff) && s.On == s.From.Add(-in.Board.WarmUp) {
				since = s.On
			}
			last = s.To
			if on := last.Add(in.Board.Tail).Sub(since); in.Board.MaxOn > 0 && on > in.Board.MaxOn {
				t.Fatalf("%s ends %s: the amplifier would be on for %s", s.entry.Announcement, text(s.To), on)
			}
		}
	})
}

func TestNothingButEmergenciesTouchesQuietHoursOrLeavesItsWindows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t)
		for _, s := range soundings(must(t, in)) {
			if s.entry.isEmergency() {
				continue
			}
			if _, touched := in.Law.Quiet(s.From, s.To); touched {
				t.Fatalf("%s sounds %s to %s in quiet hours", s.entry.Announcement, text(s.From), text(s.To))
			}
			if (s.entry.Class == broadcast.Normal || s.entry.Drill) && !in.Law.InWindow(s.From, s.To) {
				t.Fatalf("%s sounds %s to %s outside the windows", s.entry.Announcement, text(s.From), text(s.To))
			}
		}
	})
}

func TestTheMinutesOfADayAreNeverExceeded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t)
		in.Window.To = in.Window.To.Add(2 * day)
		spent := map[string]time.Duration{}
		for _, s := range soundings(must(t, in)) {
			class := s.entry.Class
			if s.entry.Drill {
				class = broadcast.Normal
			}
			key := text(s.From)[:10] + string(class)
			spent[key] += s.To.Sub(s.From)
			if limit, bound := in.Law.Budget(class, s.From); bound && spent[key] > limit {
				t.Fatalf("%s: %s of %s sounded", key, spent[key], limit)
			}
		}
	})
}

func TestNothingBeginsAfterItsDeadline(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t)
		for _, s := range soundings(must(t, in)) {
			i := in.find(s.entry)
			limit := s.entry.Start.Add(i.Announcement.Timing.Late(i.Announcement.Class))
			if s.entry.Class == broadcast.Emergency {
				limit = i.Announcement.Timing.Deadline(broadcast.Emergency)
			}
			if v := i.Announcement.Versions[0]; v.Programme != nil && s.Attempt > 1 {
				limit = s.entry.Soundings[0].From.Add(v.Duration() + 10*time.Second) // goes on until its scheduled end
			}
			if s.From > limit {
				t.Fatalf("%s of %s begins %s", s.entry.Announcement, text(s.entry.Start), text(s.From))
			}
		}
	})
}

func TestNothingBarredSounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t)
		in.Barred = in.Now.Add(10 * time.Minute)
		for _, s := range soundings(must(t, in)) {
			i := in.find(s.entry)
			a := i.Announcement
			level := issuing(i.Signers)
			for _, w := range in.Withdrawals {
				if w.Announcement == a.ID && w.Upto >= a.Revision && (!s.entry.isEmergency() || w.Level.Rank() <= level.Rank()) {
					t.Fatalf("%s sounds although it was withdrawn", a.ID)
				}
			}
			for _, x := range in.Silences {
				named := slices.Contains(x.Classes, a.Class) || s.entry.Drill
				force := !s.entry.isEmergency() || x.Emergency && a.Revision <= x.Revision
				if named && force && level.Rank() >= x.Level.Rank() && s.From >= x.Revision.IssuedAt() && s.From < x.Until {
					t.Fatalf("%s sounds %s in a silence", a.ID, text(s.From))
				}
			}
			if !s.entry.isEmergency() && (i.Delisted || s.From < in.Barred) {
				t.Fatalf("%s sounds %s although it is delisted or barred by the button", a.ID, text(s.From))
			}
			if len(i.Signers) < 2 && s.entry.Class == broadcast.Emergency {
				t.Fatalf("%s sounds with one signature", a.ID)
			}
		}
	})
}

func TestTheOrderOfDocumentsChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t)
		want := must(t, in)
		in.Items = rapid.Permutation(in.Items).Draw(t, "items again")
		in.Withdrawals = rapid.Permutation(in.Withdrawals).Draw(t, "withdrawals again")
		half := must(t, in)
		again := later(in, half, at("05:15"))
		first := must(t, again)
		again.Past = rapid.Permutation(again.Past).Draw(t, "journal again")
		if digest(t, half) != digest(t, want) || digest(t, must(t, again)) != digest(t, first) {
			t.Fatalf("two plans from the same documents:\n%v\n%v", lines(want), lines(half))
		}
	})
}

func TestEveryOccurrenceHasExactlyOneVerdict(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t)
		entries := map[occurrence]int{}
		for _, e := range must(t, in).Entries {
			entries[e.name()]++
			if !e.Rung.Terminal() || (e.Rung == broadcast.Ended) != (e.Reason == "") || e.Reason != "" && e.Reason.Validate() != nil {
				t.Fatalf("%s ends on %q for %q", e.Announcement, e.Rung, e.Reason)
			}
			if e.Rung == broadcast.Ended && len(e.Soundings) == 0 || e.At == 0 {
				t.Fatalf("%s ends without having sounded, or never", e.Announcement)
			}
			for n, s := range e.Soundings {
				if s.Attempt != int64(n+1) || (s.Attempt > 1) != (s.Why != "") {
					t.Fatalf("%s: attempt %d for %q", e.Announcement, s.Attempt, s.Why)
				}
			}
		}
		for _, i := range in.Items {
			for _, start := range startsOf(in, i) {
				key := occurrence{document{i.Drill, i.Announcement.ID, i.Announcement.Revision, i.Payload}, start}
				if entries[key] != 1 {
					t.Fatalf("%s of %s has %d entries", i.Announcement.ID, text(start), entries[key])
				}
				delete(entries, key)
			}
		}
		for key, n := range entries { // what began before the window
			if n != 1 {
				t.Fatalf("%v has %d entries", key, n)
			}
		}
	})
}

// startsOf counts the starts of an item in the window by its words alone.
func startsOf(in Input, i Item) []broadcast.Instant {
	timing := i.Announcement.Timing
	step, until := 24*time.Hour, timing.Until
	switch {
	case timing.Repeat > 0:
		step, until = time.Duration(timing.Repeat)*time.Second, timing.Start.Add(timing.WindowLength())
	case timing.Recurrence == nil:
		until = timing.Start
	}
	offered := i.Announcement.Class == broadcast.Normal && !i.Drill && issuing(i.Signers).Rank() < broadcast.Commune.Rank()
	if offered && i.Announcement.ID == "tin-1" && i.Announcement.Revision == issued {
		until += max(0, at("05:10")-timing.Start)
		timing.Start = at("05:10")
		if timing.Recurrence == nil {
			until = timing.Start
		}
	}
	var out []broadcast.Instant
	for s := timing.Start; s <= until && s < in.Window.To; s = s.Add(step) {
		if s >= in.Window.From {
			out = append(out, s)
		}
	}
	return out
}

func TestAddingAnEmergencyNeverRemovesAnother(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t)
		in.Now, in.Window.From = at("00:00"), at("00:00")
		calm := func(i Item) Item { // windows that hold all of them, one after the other
			a := &i.Announcement
			if a.Class == broadcast.Emergency {
				a.Versions = []broadcast.Version{version("vi", a.Versions[0].Content.Millis%60000/1000+1)}
				a.Timing.Window = 3600
				i.FirstHeld = min(i.FirstHeld, a.Timing.Start.Add(10*time.Minute))
			}
			return i
		}
		for n := range in.Items {
			in.Items[n] = calm(in.Items[n])
		}
		heard := func(p Plan) map[broadcast.ID]bool {
			out := map[broadcast.ID]bool{}
			for _, s := range soundings(p) {
				if s.entry.isEmergency() {
					out[s.entry.Announcement] = true
				}
			}
			return out
		}
		before := heard(must(t, in))
		more := drawItem(t, 99)
		more.Announcement.Class = broadcast.Emergency
		more.Announcement.Timing = broadcast.Timing{Mode: broadcast.ModeStart, Start: more.Announcement.Timing.Start}
		in.Items = append(in.Items, calm(more))
		after := heard(must(t, in))
		for id := range before {
			if !after[id] {
				t.Fatalf("%s is no longer heard", id)
			}
		}
	})
}

// policyReasons are the verdicts that a policy alone decides.
var policyReasons = []broadcast.Reason{broadcast.WhyQuiet, broadcast.WhyWindow, broadcast.WhyThreshold, broadcast.WhyNoPolicy, broadcast.WhyTooLong}

func TestTighteningAPolicyNeverAllowsMore(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t)
		base := drawLaw(t)
		tight := policy()
		tight.Quiet = []broadcast.Span{{From: 4 * 60, To: broadcast.LocalTime(rapid.IntRange(4*60+1, 7*60).Draw(t, "quiet until"))}}
		tight.Minutes = []broadcast.Budget{{Class: broadcast.Normal, Minutes: rapid.Int64Range(0, 20).Draw(t, "minutes")}}
		tight.Thresholds[0].Officers = rapid.Int64Range(1, 2).Draw(t, "officers")
		in.Law = broadcast.LawOf(base...)
		loose := map[occurrence]Entry{}
		for _, e := range must(t, in).Entries {
			loose[e.name()] = e
		}
		in.Law = broadcast.LawOf(append(base, tight)...)
		for _, s := range soundings(must(t, in)) {
			was := loose[s.entry.name()]
			if s.entry.isEmergency() || len(was.Soundings) > 0 {
				continue
			}
			// It may take a turn that another item no longer takes, never one that the wider law refused.
			if was.Reason != broadcast.WhyLate && was.Reason != broadcast.WhyBudget && !movedIntoTheLaw(was) {
				t.Fatalf("%s was %s (%s) and now sounds", s.entry.Announcement, was.Rung, was.Reason)
			}
		}
	})
}

// movedIntoTheLaw says that an item was refused for where the queue had moved
// it to, not for its own start.
func movedIntoTheLaw(e Entry) bool {
	return slices.Contains(policyReasons, e.Reason) && e.At > e.Start || e.Reason == broadcast.WhyOffer && e.At > e.Start
}

func TestAPlanAgreesWithThePlansOfItsHalves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t)
		in.Now, in.Window.From, in.Board.MaxOn = at("00:00"), at("00:00"), 0
		whole := must(t, in)
		verdicts := map[occurrence]Entry{}
		for _, e := range whole.Entries {
			verdicts[e.name()] = e
		}
		now := min(drawMoment(t, "half").Add(time.Second), in.Window.To-1)
		agree := func(half string, e Entry) {
			w := verdicts[e.name()]
			same := slices.EqualFunc(e.Soundings, w.Soundings, func(a, b Sounding) bool {
				return a.Attempt == b.Attempt && a.Why == b.Why && a.From == b.From && a.To == b.To && a.Offset == b.Offset
			})
			if !same || e.Rung != w.Rung || e.Reason != w.Reason || e.At != w.At {
				t.Fatalf("%s half, parted %s: %v, in the whole %v", half, text(now), lines(Plan{Entries: []Entry{e}}), lines(Plan{Entries: []Entry{w}}))
			}
		}
		first := in
		first.Window.To = now
		found := map[occurrence]bool{}
		for _, e := range must(t, first).Entries {
			if e.At < now {
				agree("first", e)
				found[e.name()] = true
			}
		}
		for _, e := range must(t, later(in, whole, now)).Entries {
			agree("second", e)
			found[e.name()] = true
		}
		if len(found) != len(whole.Entries) {
			t.Fatalf("the halves have %d entries, the whole %d", len(found), len(whole.Entries))
		}
	})
}

// A node asks again whenever a verdict is due: one that moved on with the clock
// would never fall.
func TestAVerdictFallsWhenItWasForetold(t *testing.T) {
	fell := 0
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t)
		p := must(t, in)
		for _, e := range p.Entries {
			if len(e.Soundings) > 0 || e.At <= in.Now {
				continue
			}
			fell++
			due := later(in, p, e.At-1)
			at := e.At
			for range 2 { // what was heard before may have ended a little later than was foretold
				due.Now, due.Window.To = at, max(due.Window.To, at.Add(time.Hour))
				at = must(t, due).verdictOf(e)
			}
			if at > due.Now {
				t.Fatalf("%s: %s %s falls %s; asked then and at %s, it falls %s", e.Announcement, e.Rung, e.Reason, text(e.At), text(due.Now), text(at))
			}
		}
	})
	if fell == 0 {
		t.Error("no verdict was still to come: nothing was proved")
	}
}

// verdictOf is when an occurrence stays silent, 0 if it does not any more.
func (p Plan) verdictOf(e Entry) broadcast.Instant {
	for _, x := range p.Entries {
		if x.name() == e.name() && len(x.Soundings) == 0 {
			return x.At
		}
	}
	return 0
}
