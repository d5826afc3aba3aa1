package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

func TestThe0315MistakeStaysSilent(t *testing.T) {
	// A technician typed 03:15 for 15:15. The node refuses, whoever signed it.
	expect(t, monday(normal("tiep-am", "03:15", 1800), priority("khan", "03:15", 60)),
		"khan of 03:15 refused quiet", "tiep-am of 03:15 refused quiet")
}

func TestNothingSoundsThatWouldReachQuietHours(t *testing.T) {
	expect(t, monday(normal("a", "20:59", 60), normal("b", "20:59:30", 31).late(600), normal("c", "04:59:59", 5), normal("d", "05:00", 5)),
		"c of 04:59:59 refused quiet", "d 05:00-05:00:05 ended", "a 20:59-21:00 ended", "b of 20:59:30 refused quiet")
}

func TestAnItemDueInQuietHoursDoesNotSlipOutOfThemInTheQueue(t *testing.T) {
	expect(t, monday(emergency("lu", "04:58", 130), normal("a", "04:59:50", 10).late(600)),
		"lu 04:58-05:00:10 ended", "a of 04:59:50 refused quiet")
}

func TestEmergencyPassesQuietHoursBudgetAndCeiling(t *testing.T) {
	pol := policy()
	pol.Ceiling, pol.Minutes = 40, []broadcast.Budget{{Class: broadcast.Normal, Minutes: 0}, {Class: broadcast.Priority, Minutes: 0}}
	in := monday(emergency("lu", "03:15", 60), normal("a", "06:00", 60))
	in.Law, in.Board.Ceiling, in.Assignment.Ceiling = broadcast.LawOf(pol), 90, 30
	p := expect(t, in, "lu 03:15-03:16 ended", "a of 06:00 refused budget")
	if got := p.Entries[0].Soundings[0].Volume; got != 90 {
		t.Errorf("the emergency sounds at %d percent; only the hardware's 90 may bind it", got)
	}
}

func TestVolumeIsThePercentageOfTheLowestCeiling(t *testing.T) {
	pol := policy()
	pol.Ceiling = 60
	a := normal("a", "06:00", 60)
	a.Announcement.Volume = 50
	for _, c := range []struct{ site, hardware, want int64 }{{0, 0, 30}, {40, 0, 20}, {0, 20, 10}, {1, 1, 1}} {
		in := monday(a)
		in.Law, in.Assignment.Ceiling, in.Board.Ceiling = broadcast.LawOf(pol), c.site, c.hardware
		if got := compute(t, in).Entries[0].Soundings[0].Volume; got != c.want {
			t.Errorf("site %d, hardware %d: volume %d, not %d", c.site, c.hardware, got, c.want)
		}
	}
}

func TestWindowsBindNormalItemsAndDrillsOnly(t *testing.T) {
	pol := policy()
	pol.Windows = []broadcast.Span{{From: 6 * 60, To: 7 * 60}}
	in := monday(normal("a", "06:59", 60), normal("b", "06:59:30", 60).late(600), normal("c", "08:00", 60), priority("d", "09:00", 60), normal("e", "10:00", 60).drill())
	in.Law = broadcast.LawOf(pol)
	expect(t, in, "a 06:59-07:00 ended", "b of 06:59:30 refused window", "c of 08:00 refused window", "d 09:00-09:01 ended", "e of 10:00 refused window")
}

func TestTheDaysMinutesCountWhatAlreadySounded(t *testing.T) {
	pol := policy()
	pol.Minutes = []broadcast.Budget{{Class: broadcast.Normal, Minutes: 10}}
	gone := normal("gone", "05:30", 300)
	yesterday := normal("gone", "2026-11-22 20:00", 600)
	in := monday(normal("a", "06:00", 240), normal("b", "07:00", 61), normal("c", "08:00", 60), normal("d", "2026-11-24 06:00", 600))
	in.Window.To, in.Now, in.Law = at("2026-11-25 00:00"), at("05:50"), broadcast.LawOf(pol)
	in.Past = []Past{gone.past(1, "05:30", 300, broadcast.Ended, ""), yesterday.past(1, "2026-11-22 20:00", 600, broadcast.Ended, "")}
	expect(t, in, "gone 05:30-05:35 ended", "a 06:00-06:04 ended", "b of 07:00 refused budget", "c 08:00-08:01 ended", "d 06:00-06:10 ended")
}

func TestTheDaysMinutesCountWhatWasLostWithThePowerAsHeardToItsEnd(t *testing.T) {
	pol := policy()
	pol.Minutes = []broadcast.Budget{{Class: broadcast.Normal, Minutes: 10}}
	lost := normal("lost", "05:30", 300)
	in := monday(lost, normal("a", "06:00", 240), normal("b", "07:00", 61), normal("c", "08:00", 60))
	in.Now, in.Law = at("05:50"), broadcast.LawOf(pol)
	in.Past = []Past{lost.past(1, "05:30", 0, broadcast.Interrupted, broadcast.WhyCrash)}
	expect(t, in, "lost of 05:30 interrupted crash", "a 06:00-06:04 ended", "b of 07:00 refused budget", "c 08:00-08:01 ended")
	in.Past = []Past{lost.past(1, "05:30", 0, broadcast.Playing, "")}
	expect(t, in, "lost of 05:30 interrupted crash", "a 06:00-06:04 ended", "b of 07:00 refused budget", "c 08:00-08:01 ended")
}

func TestWithoutAPolicyOnlyEmergenciesOfTwoSound(t *testing.T) {
	one := emergency("mot", "07:00", 30).with(func(i *Item) { i.Signers = i.Signers[:1]; i.Announcement.Reason = "lũ" })
	twice := emergency("hai-khoa", "08:00", 30).with(func(i *Item) { i.Signers = []Signer{i.Signers[0], i.Signers[0]} })
	in := monday(normal("a", "06:00", 30), priority("b", "06:00", 30), emergency("lu", "06:00", 30), one, twice, emergency("thu", "09:00", 30).drill())
	in.Law = broadcast.Law{}
	expect(t, in, "lu 06:00-06:00:32.900 ended", "b of 06:00 refused no-policy", "a of 06:00 refused no-policy",
		"mot of 07:00 refused threshold", "hai-khoa of 08:00 refused threshold", "thu of 09:00 refused no-policy")
}

func TestThresholdAsksForDifferentPeopleWithKeysKeptWellEnough(t *testing.T) {
	pol := policy()
	pol.Thresholds[1].Officers = 2
	pol.OneOfficer = []broadcast.Class{broadcast.Priority}
	pol.Custodies = []broadcast.LeastCustody{{Class: broadcast.Emergency, Custody: broadcast.CustodyBrowser}}
	alone := func(i *Item) { i.Signers = i.Signers[:1] }
	token := func(i *Item) {
		i.Signers = slices.Clone(i.Signers)
		i.Signers[0].Custody, i.Signers[1].Custody = broadcast.CustodyBrowser, broadcast.CustodyToken
	}
	in := monday(priority("a", "06:00", 30).with(alone),
		priority("b", "07:00", 30).with(alone).with(func(i *Item) { i.Announcement.Reason = "vỡ đập" }),
		emergency("c", "08:00", 30), emergency("d", "09:00", 30).with(token), normal("e", "10:00", 30).with(func(i *Item) { i.Signers = nil }))
	in.Law = broadcast.LawOf(pol)
	expect(t, in, "a of 06:00 refused threshold", "b 07:00-07:00:30 ended", "c of 08:00 refused threshold",
		"d 09:00-09:00:30 ended", "e of 10:00 refused threshold")
}

func TestATemplateOfTwoNeedsOneWhoActivatesIt(t *testing.T) {
	ref := func(approved ...Signer) func(*Item) {
		return func(i *Item) {
			i.Announcement.Template = &broadcast.TemplateRef{ID: "lu-quet", Revision: issued}
			i.Signers, i.Approved = i.Signers[:1], approved
		}
	}
	two := []Signer{signer("hung", broadcast.Province), signer("yen", broadcast.Province)}
	nobody := func(i *Item) { i.Signers = nil }
	expect(t, monday(emergency("a", "06:00", 30).with(ref(two...)), emergency("b", "07:00", 30).with(ref(two[0])),
		emergency("c", "08:00", 30).with(ref(two...)).with(nobody)),
		"a 06:00-06:00:30 ended", "b of 07:00 refused threshold", "c of 08:00 refused threshold")
}

func TestClockDecidesWhatMaySound(t *testing.T) {
	fresh := emergency("moi", "07:00", 30).with(func(i *Item) { i.Answered = true })
	for _, c := range []struct {
		clock broadcast.Quality
		want  []string
	}{
		{broadcast.ClockProved, []string{"a 06:00-06:00:30 ended", "cu 06:30-06:30:30 ended", "moi 07:00-07:00:30 ended"}},
		{broadcast.ClockPlausible, []string{"a 06:00-06:00:30 ended", "cu 06:30-06:30:30 ended", "moi 07:00-07:00:30 ended"}},
		{broadcast.ClockUnverified, []string{"a 06:00-06:00:30 ended", "cu 06:30-06:30:30 ended", "moi 07:00-07:00:30 ended"}},
		{broadcast.ClockUnset, []string{"a of 06:00 refused clock", "cu of 06:30 refused clock", "moi 07:00-07:00:30 ended"}},
	} {
		in := monday(normal("a", "06:00", 30), emergency("cu", "06:30", 30), fresh)
		in.Clock = c.clock
		expect(t, in, c.want...)
	}
}

func TestBeyondTheOfflineLimitOnlyNewlyVerifiedEmergenciesSound(t *testing.T) {
	in := monday(normal("a", "06:00", 30), priority("b", "07:00", 30), emergency("cu", "08:00", 30).held("2026-11-01 00:00"), emergency("moi", "09:00", 30).held("08:30"))
	in.Fresh = at("2026-11-09 07:30")
	in.Now = at("05:00")
	expect(t, in, "a 06:00-06:00:30 ended", "b 07:00-07:00:30 ended", "cu of 08:00 refused stale", "moi 09:00-09:00:30 ended")
}

func TestPowerIsKeptForEmergencies(t *testing.T) {
	in := monday(normal("a", "06:00", 30), priority("b", "07:00", 30), emergency("lu", "08:00", 30), emergency("tap", "09:00", 30).drill())
	for _, c := range []struct {
		power Power
		want  []string
	}{
		{Power{}, []string{"a 06:00-06:00:30 ended", "b 07:00-07:00:30 ended", "lu 08:00-08:00:30 ended", "tap 09:00-09:00:37 ended"}},
		{Power{Begins: broadcast.Priority}, []string{"a of 06:00 refused power", "b 07:00-07:00:30 ended", "lu 08:00-08:00:30 ended", "tap of 09:00 refused power"}},
		{Power{Begins: broadcast.Emergency, GoesOn: broadcast.Priority}, []string{"a of 06:00 refused power", "b of 07:00 refused power", "lu 08:00-08:00:30 ended", "tap of 09:00 refused power"}},
	} {
		in.Power = c.power
		expect(t, in, c.want...)
	}
	for _, wrong := range []Power{{Begins: "loud"}, {Begins: broadcast.Priority, GoesOn: broadcast.Emergency}} {
		in.Power = wrong
		if _, err := Compute(in); err == nil || !strings.Contains(err.Error(), "power") {
			t.Errorf("%+v was taken: %v", wrong, err)
		}
	}
}

func TestWhatBeganGoesOnDownToTheNextLevelOfPower(t *testing.T) {
	both := []broadcast.Class{broadcast.Normal, broadcast.Priority}
	for _, c := range []struct {
		power Power
		ends  []string
	}{
		{Power{Begins: broadcast.Priority}, []string{"06:02 ended", "06:02 ended"}},
		{Power{Begins: broadcast.Emergency, GoesOn: broadcast.Priority}, []string{"06:00:30 interrupted power", "06:02 ended"}},
		{Power{Begins: broadcast.Emergency, GoesOn: broadcast.Emergency}, []string{"06:00:30 interrupted power", "06:00:30 interrupted power"}},
	} {
		for n, class := range both {
			a := item(class, "a", "06:00", 120)
			in := running(a)
			in.Power = c.power
			expect(t, in, "a 06:00-"+c.ends[n])
		}
	}
}

// running is a world in which an item of 06:00 has sounded for half a minute.
func running(i Item) Input {
	in := monday(i)
	in.Now, in.Closed = at("06:00:30"), at("05:59:58.500")
	in.Past = []Past{i.past(1, "06:00", 30, broadcast.Playing, "")}
	in.Past[0].Running = true
	return in
}

func TestAtAVoltageThatNothingBearsAnEmergencyWaitsForABetterOne(t *testing.T) {
	lu := emergency("lu", "06:00", 60).repeat(600, 1200)
	in := monday(normal("a", "06:05", 30), lu)
	in.Power.Unfit = true
	expect(t, in, "lu of 06:00 refused power", "a of 06:05 refused power", "lu of 06:10 refused power", "lu of 06:20 refused power")
	for n, want := range []string{"06:09:59.999", "06:05", "06:19:59.999", "06:20"} {
		if e := compute(t, in).Entries[n]; clock(e.At) != want {
			t.Errorf("%s of %s is refused %s, want %s: before, the voltage may become good", e.Announcement, clock(e.Start), clock(e.At), want)
		}
	}
	in.Power.Unfit, in.Now, in.Since = false, at("06:03"), at("06:03")
	expect(t, in, "lu of 06:00 06:03:10-06:04:10 ended", "a 06:05-06:05:30 ended", "lu 06:10-06:11 ended", "lu 06:20-06:21 ended")
}

func TestAnEmergencyCutByABadVoltageSoundsAgainWhenItIsGood(t *testing.T) {
	lu := emergency("lu", "06:00", 120)
	in := running(lu)
	in.Power.Unfit = true
	expect(t, in, "lu 06:00-06:00:30 interrupted power")
	in.Now, in.Past[0].Millis, in.Past[0].Rung = at("05:59:59"), 0, broadcast.Powered
	expect(t, in, "lu of 06:00 failed power")
	in = monday(lu)
	in.Now, in.Since = at("06:04"), at("06:04")
	in.Past = []Past{lu.past(1, "06:00", 30, broadcast.Interrupted, broadcast.WhyPower)}
	expect(t, in, "lu 06:00-06:00:30 06:04:10-06:06:10 (2 repeat) ended")
	in.Power.Unfit = true
	expect(t, in, "lu 06:00-06:00:30 interrupted power")
}

func TestTheLocalButtonBarsAllButEmergencies(t *testing.T) {
	in := monday(normal("a", "06:00", 30), emergency("lu", "06:10", 30), priority("b", "06:20", 30), normal("c", "06:30", 30))
	in.Barred = at("06:30")
	expect(t, in, "a of 06:00 refused button", "lu 06:10-06:10:30 ended", "b of 06:20 refused button", "c 06:30-06:30:30 ended")
}

func TestWhatTheAmplifierCannotBearIsRefusedAndAnEmergencyCut(t *testing.T) {
	in := monday(normal("a", "06:00", 600), normal("b", "07:00", 598), emergency("lu", "08:00", 900))
	in.Board.MaxOn = 10 * time.Minute
	expect(t, in, "a of 06:00 refused too-long", "b 07:00-07:09:58 ended", "lu 08:00-08:09:58 interrupted too-long")
}

func TestEveryReasonOfAPlanIsInTheTable(t *testing.T) {
	for _, rule := range standing {
		if rule.why.Validate() != nil {
			t.Errorf("standing reason %q has no words", rule.why)
		}
	}
	for _, rule := range momentary {
		if rule.why.Validate() != nil {
			t.Errorf("momentary reason %q has no words", rule.why)
		}
	}
	for why, r := range ends {
		if why.Validate() != nil || !r.Terminal() {
			t.Errorf("reason %q ends on %q", why, r)
		}
	}
}
