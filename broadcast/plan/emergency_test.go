package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

func TestAnEmergencyRepeatsOnItsGridInsideItsWindow(t *testing.T) {
	expect(t, monday(emergency("lu", "06:00", 60).repeat(600, 1500)),
		"lu 06:00-06:01 ended", "lu 06:10-06:11 ended", "lu 06:20-06:21 ended")
	expect(t, monday(emergency("lu", "06:00", 60)), "lu 06:00-06:01 ended")
}

func TestALateNodeJoinsAnEmergencyOnTheCommonGrid(t *testing.T) {
	for _, c := range []struct {
		held string
		want []string
	}{
		{"05:59:58.500", []string{"lu 06:00-06:01 ended", "lu 06:10-06:11 ended"}},
		{"05:59:58.501", []string{"lu of 06:00 06:00:10-06:01:10 ended", "lu 06:10-06:11 ended"}},
		{"06:00:07.500", []string{"lu of 06:00 06:00:10-06:01:10 ended", "lu 06:10-06:11 ended"}},
		{"06:00:07.501", []string{"lu of 06:00 06:00:20-06:01:20 ended", "lu 06:10-06:11 ended"}},
		{"06:08:57", []string{"lu of 06:00 06:09-06:10 ended", "lu 06:10-06:11 ended"}},
		{"06:08:58", []string{"lu of 06:00 skipped late", "lu 06:10-06:11 ended"}},
		{"06:19:57", []string{"lu of 06:00 skipped late", "lu of 06:10 expired expired"}},
	} {
		expect(t, monday(emergency("lu", "06:00", 60).repeat(600, 1199).held(c.held)), c.want...)
	}
}

func TestAnEmergencyWithoutRepeatsIsJoinedWhileItsWindowIsOpen(t *testing.T) {
	expect(t, monday(emergency("lu", "06:00", 600).held("06:20")), "lu of 06:00 06:20:10-06:30:10 ended")
	expect(t, monday(emergency("lu", "06:00", 600).held("06:29:57")), "lu of 06:00 06:30-06:40 ended")
	expect(t, monday(emergency("lu", "06:00", 600).held("06:29:58")), "lu of 06:00 expired expired")
}

func TestANewEmergencyCutsWhatRunsAtItsStart(t *testing.T) {
	a := normal("a", "06:00", 600)
	in := monday(a, emergency("lu", "06:01:03", 30).held("06:01:00.100"))
	in.Now, in.Closed = at("06:01:00.200"), at("05:59:58.500")
	in.Past = []Past{a.past(1, "06:00", 60, broadcast.Playing, "")}
	in.Past[0].Running = true
	p := expect(t, in, "a 06:00-06:01:03 interrupted pre-empted", "lu 06:01:03-06:01:33 ended")
	if on := p.Entries[1].Soundings[0].On; on > at("06:01:03") {
		t.Errorf("relay kept from %s only", text(on))
	}
}

func TestAnEmergencyNotYetHeardGoesBeforeTheRepeatOfAnother(t *testing.T) {
	expect(t, monday(emergency("a", "06:00", 70).repeat(60, 120), emergency("b", "06:01:05", 30)),
		"a 06:00-06:01:10 ended", "b of 06:01:05 06:01:10-06:01:40 ended", "a of 06:01 06:01:40-06:02:50 ended", "a of 06:02 expired expired")
}

func TestAnUpdateCutsTheRunningEmergencyOnlyWhenItBegins(t *testing.T) {
	old := emergency("lu", "06:00", 120)
	in := monday(old, emergency("lu", "06:01", 30).revised(time.Hour))
	in.Now, in.Closed = at("06:00:30"), at("05:59:58.500")
	in.Past = []Past{old.past(1, "06:00", 30, broadcast.Playing, "")}
	in.Past[0].Running = true
	expect(t, in, "lu 06:00-06:01 superseded superseded", "lu 06:01-06:01:30 ended")
}

func TestASilenceStopsTheRunningEmergencyThatAnUpdateReplaces(t *testing.T) {
	first := emergency("lu", "06:00", 90)
	update := emergency("lu", "06:01", 30).with(func(i *Item) { i.Announcement.Revision = broadcast.Revision(at("05:58")) })
	in := monday(first, update)
	in.Now = at("06:00:20")
	in.Past = []Past{first.past(1, "06:00", 20, broadcast.Playing, "")}
	in.Past[0].Running = true
	order := silence("06:00:20", "06:30", broadcast.Commune, broadcast.Emergency)
	order.Emergency = true
	in.Silences = []Silence{order}
	expect(t, in, "lu 06:00-06:00:20 interrupted silence", "lu of 06:01 refused silence")
}

func TestARunningSoundingStopsWhenItMayNotGoOn(t *testing.T) {
	a := normal("a", "06:00", 120)
	lu := emergency("a", "06:00", 120)
	for name, c := range map[string]struct {
		item   Item
		change func(*Input)
		want   string
	}{
		"withdrawn": {a, func(in *Input) {
			in.Withdrawals = []Withdrawal{withdrawal("a", issued, broadcast.Normal, broadcast.Commune)}
		}, "a 06:00-06:00:30 withdrawn withdrawn"},
		"silenced": {a, func(in *Input) {
			in.Silences = []Silence{silence("06:00:20", "07:00", broadcast.Commune, broadcast.Normal)}
		}, "a 06:00-06:00:30 interrupted silence"},
		"delisted": {a, func(in *Input) { in.Items[0].Delisted = true }, "a 06:00-06:00:30 withdrawn delisted"},
		"button":   {a, func(in *Input) { in.Barred = at("06:30:30") }, "a 06:00-06:00:30 interrupted button"},
		"new quiet hours": {a, func(in *Input) {
			pol := policy()
			pol.Quiet = []broadcast.Span{{From: 6*60 + 1, To: 7 * 60}}
			in.Law = broadcast.LawOf(pol)
		}, "a 06:00-06:00:30 interrupted quiet"},
		"document gone": {a, func(in *Input) { in.Items = nil }, "a 06:00-06:00:30 withdrawn delisted"},
		"emergency whose document is gone": {lu, func(in *Input) {
			in.Items, in.Past[0].Ends = []Item{normal("b", "06:00:40", 30).late(600)}, at("06:02")
		}, "a 06:00-06:02 ended|b of 06:00:40 06:02-06:02:30 ended"},
		"false alarm withdrawn": {lu, func(in *Input) {
			in.Withdrawals = []Withdrawal{withdrawal("a", issued, broadcast.Emergency, broadcast.Commune)}
		}, "a 06:00-06:00:30 withdrawn withdrawn"},
		"emergency delisted": {lu, func(in *Input) { in.Items[0].Delisted = true }, "a 06:00-06:02 ended"},
		"emergency, button":  {lu, func(in *Input) { in.Barred = at("06:30:30") }, "a 06:00-06:02 ended"},
	} {
		t.Run(name, func(t *testing.T) {
			in := monday(c.item)
			in.Now, in.Closed = at("06:00:30"), at("05:59:58.500")
			in.Past = []Past{c.item.past(1, "06:00", 30, broadcast.Playing, "")}
			in.Past[0].Running = true
			c.change(&in)
			expect(t, in, strings.Split(c.want, "|")...)
		})
	}
}

func TestAfterACrashOnlyAnEmergencySoundsAgainAndThriceInAll(t *testing.T) {
	a, b, lu := normal("a", "06:00", 60), priority("b", "06:00", 60), emergency("lu", "06:00", 60)
	in := monday(a, b, lu)
	in.Now, in.Since = at("06:02"), at("06:01:30")
	in.Past = []Past{a.past(1, "06:00", 5, broadcast.Playing, ""), b.past(1, "06:00", 5, broadcast.Sounded, ""), lu.past(1, "06:00", 5, broadcast.Playing, "")}
	expect(t, in, "lu 06:00-06:00:05 06:02:01.500-06:03:01.500 (2 repeat) ended", "b 06:00-06:00:05 interrupted crash", "a 06:00-06:00:05 interrupted crash")
	in.Now = at("06:01:33")
	expect(t, in, "lu 06:00-06:00:05 06:01:40-06:02:40 (2 repeat) ended", "b 06:00-06:00:05 interrupted crash", "a 06:00-06:00:05 interrupted crash")

	in = monday(lu)
	in.Now, in.Since = at("06:05"), at("06:05")
	in.Past = []Past{lu.past(1, "06:00", 5, broadcast.Interrupted, broadcast.WhyCrash), lu.past(2, "06:02", 5, broadcast.Playing, broadcast.WhyRepeat)}
	expect(t, in, "lu 06:00-06:00:05 06:02-06:02:05 (2 repeat) 06:05:10-06:06:10 (3 repeat) ended")
	in.Past = append(in.Past, lu.past(3, "06:04", 5, broadcast.Playing, broadcast.WhyRepeat))
	expect(t, in, "lu 06:00-06:00:05 06:02-06:02:05 (2 repeat) 06:04-06:04:05 (3 repeat) interrupted crash")
	in.Past, in.Now, in.Since = in.Past[:1], at("06:29:58"), at("06:29:58")
	expect(t, in, "lu 06:00-06:00:05 interrupted crash")
}

func TestAnEmergencyThatWasStoppedByHandDoesNotComeBackBeforeItsNextRepeat(t *testing.T) {
	lu := emergency("lu", "06:00", 60).repeat(600, 600)
	in := monday(lu)
	in.Now = at("06:01")
	in.Past = []Past{lu.past(1, "06:00", 5, broadcast.Interrupted, broadcast.WhyPressed)}
	expect(t, in, "lu 06:00-06:00:05 interrupted button", "lu 06:10-06:11 ended")
}

func TestAnEmergencyThatFailedBeforeAnySoundIsTriedUntilItsWindowEnds(t *testing.T) {
	lu := emergency("lu", "06:00", 60)
	in := monday(lu)
	in.Now = at("06:05")
	for n := int64(1); n <= 5; n++ {
		in.Past = append(in.Past, lu.past(n, "06:04", 0, broadcast.Failed, broadcast.WhySound))
	}
	expect(t, in, "lu of 06:00 06:05:01.500-06:06:01.500 (6 repeat) ended")
}

func TestARecordingThatEndedTwoAttemptsGetsNoThird(t *testing.T) {
	lu := emergency("lu", "06:00", 60)
	failed := func(n int64, why broadcast.Reason, heard int64) Past {
		return lu.past(n, "06:04", heard, broadcast.Failed, why)
	}
	for name, c := range map[string]struct {
		past []Past
		next int64 // the attempt that follows; 0: none
	}{
		"once":                    {[]Past{failed(1, broadcast.WhyDecoder, 0)}, 2},
		"twice":                   {[]Past{failed(1, broadcast.WhyDecoder, 0), failed(2, broadcast.WhyDecoder, 0)}, 0},
		"twice in mid-word":       {[]Past{failed(1, broadcast.WhyDecoder, 5), failed(2, broadcast.WhyDecoder, 5)}, 0},
		"once so and once so":     {[]Past{failed(1, broadcast.WhyContent, 0), failed(2, broadcast.WhyDecoder, 0)}, 0},
		"with a card in between":  {[]Past{failed(1, broadcast.WhyDecoder, 0), failed(2, broadcast.WhySound, 0), failed(3, broadcast.WhyDecoder, 0)}, 0},
		"once, and then the card": {[]Past{failed(1, broadcast.WhyDecoder, 0), failed(2, broadcast.WhySound, 0), failed(3, broadcast.WhyRelay, 0)}, 4},
	} {
		t.Run(name, func(t *testing.T) {
			in := monday(lu)
			in.Now, in.Past = at("06:05"), c.past
			e := compute(t, in).Entries[0]
			var last int64
			if n := len(e.Soundings); n > 0 && e.Soundings[n-1].To > in.Now {
				last = e.Soundings[n-1].Attempt
			}
			if last != c.next {
				t.Errorf("attempt %d follows, want %d: %+v", last, c.next, e)
			}
			if c.next == 0 && (e.Rung != broadcast.Failed || e.Reason != broadcast.WhyDecoder) {
				t.Errorf("it ends as %s %s", e.Rung, e.Reason)
			}
		})
	}
}

func TestARepeatThatCannotBeginBeforeTheNextLeavesItsPlaceToIt(t *testing.T) {
	expect(t, monday(emergency("lu", "06:00", 120).repeat(60, 120)),
		"lu 06:00-06:02 ended", "lu of 06:01 skipped overlap", "lu 06:02-06:04 ended")
}

func TestASilenceIssuedAheadOfTheClockCutsAtItsIssue(t *testing.T) {
	in := monday(normal("a", "06:00", 120), priority("b", "06:10", 60))
	in.Silences = []Silence{silence("06:01", "07:00", broadcast.Commune, broadcast.Normal)}
	expect(t, in, "a 06:00-06:01 interrupted silence", "b 06:10-06:11 ended")
}

func TestWhatWasAskedForButHasNotBegunStillYields(t *testing.T) {
	a := priority("a", "06:00", 60)
	in := monday(a, emergency("lu", "05:59:59.500", 30))
	in.Now, in.Closed = at("05:59:59"), at("05:59:58.500")
	in.Past = []Past{a.past(1, "06:00", 0, broadcast.Powered, "")}
	in.Past[0].Running = true
	expect(t, in, "lu of 05:59:59.500 06:00-06:00:30 ended", "a of 06:00 06:00:30-06:01:30 ended")
	in.Items[0].Delisted = true
	expect(t, in, "lu of 05:59:59.500 06:00-06:00:30 ended", "a of 06:00 withdrawn delisted")
}

func TestAPastThatLiesAheadKeepsNoEmergencyWaiting(t *testing.T) {
	later := priority("a", "2026-11-24 06:00", 300)
	in := monday(emergency("lu", "06:00", 30))
	in.Now = at("05:59")
	in.Past = []Past{later.past(1, "2026-11-24 06:00", 300, broadcast.Ended, "")}
	expect(t, in, "lu 06:00-06:00:30 ended")
}
