package plan

import (
	"slices"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

func TestOnlyAHigherClassCuts(t *testing.T) {
	expect(t, monday(normal("a", "06:00", 60), normal("b", "06:00:30", 60).late(120), priority("c", "06:01:10", 60), emergency("d", "06:01:30", 60), emergency("e", "06:02", 60)),
		"a 06:00-06:01 ended", "b of 06:00:30 06:01-06:01:10 interrupted pre-empted",
		"c 06:01:10-06:01:30 06:03:30-06:04:30 (2 pre-empted) ended", "d 06:01:30-06:02:30 ended", "e of 06:02 06:02:30-06:03:30 ended")
}

func TestAQueuedItemStartsInsideItsLateLimitOrIsSkipped(t *testing.T) {
	expect(t, monday(normal("a", "06:00", 90), normal("b", "06:00:30", 30), normal("c", "06:00:29", 30), normal("d", "06:00:40", 30).late(81)),
		"a 06:00-06:01:30 ended", "c of 06:00:29 skipped late", "b of 06:00:30 06:01:30-06:02 ended", "d of 06:00:40 06:02-06:02:30 ended")
}

func TestThePrecedenceInsideAClass(t *testing.T) {
	// The commune's order, then the higher level, then the earlier start, then the id.
	in := monday(emergency("lu", "06:00", 60), priority("d", "06:00:10", 10), priority("c", "06:00:10", 10), priority("b", "06:00:05", 10),
		priority("tinh", "06:00:50", 10).level(broadcast.Province), priority("huyen", "06:00:40", 10).level(broadcast.District), priority("xep", "06:00:55", 10))
	in.Placements = []broadcast.Placement{{ID: "xep", Revision: issued, Areas: here, Until: at("2026-12-01 00:00"), Items: []broadcast.Placed{{Announcement: "xep", Revision: issued}}}}
	expect(t, in, "lu 06:00-06:01 ended", "xep of 06:00:55 06:01-06:01:10 ended", "tinh of 06:00:50 06:01:10-06:01:20 ended",
		"huyen of 06:00:40 06:01:20-06:01:30 ended", "b of 06:00:05 06:01:30-06:01:40 ended", "c of 06:00:10 06:01:40-06:01:50 ended", "d of 06:00:10 06:01:50-06:02 ended")
}

func TestAPriorityItemRestartsOnceWhileItsDeadlineAllows(t *testing.T) {
	expect(t, monday(priority("a", "06:00", 120), emergency("x", "06:01", 60), emergency("y", "06:02:30", 60)),
		"a 06:00-06:01 06:02-06:02:30 (2 pre-empted) interrupted pre-empted", "x 06:01-06:02 ended", "y 06:02:30-06:03:30 ended")
	expect(t, monday(priority("a", "06:00", 120), emergency("x", "06:01", 241)),
		"a 06:00-06:01 interrupted pre-empted", "x 06:01-06:05:01 ended")
}

func TestADrillYieldsToEverythingReal(t *testing.T) {
	p := expect(t, monday(emergency("thu", "06:00", 60).drill(), normal("a", "06:00:20", 10), emergency("thu-2", "20:59:30", 60).drill()),
		"thu 06:00-06:00:20 interrupted pre-empted", "a 06:00:20-06:00:30 ended", "thu-2 of 20:59:30 refused quiet")
	if s := p.Entries[0].Soundings[0]; s.Chime != "drill" || s.Parts[0].At != 7000 {
		t.Errorf("a drill begins with its own chime and preamble, not %+v", s)
	}
	expect(t, monday(normal("a", "06:00", 60), emergency("thu", "06:00:30", 60).drill()),
		"a 06:00-06:01 ended", "thu of 06:00:30 06:01-06:02:07 ended")
}

func TestTheChimeOfTheClassSoundsWherePolicySaysSo(t *testing.T) {
	pol := policy()
	pol.Chimes = []broadcast.Class{broadcast.Priority}
	in := monday(normal("a", "06:00", 10), priority("b", "07:00", 10))
	in.Law = broadcast.LawOf(pol)
	p := expect(t, in, "a 06:00-06:00:10 ended", "b 07:00-07:00:11.240 ended")
	if a, b := p.Entries[0].Soundings[0], p.Entries[1].Soundings[0]; a.Chime != "" || b.Chime != "priority" || b.Parts[0].At != 1240 {
		t.Errorf("chimes %q and %q, content at %d ms", a.Chime, b.Chime, b.Parts[0].At)
	}
}

func TestTheRelayClosesOneWarmUpBeforeTheFirstSample(t *testing.T) {
	p := compute(t, monday(normal("a", "06:00", 10)))
	if s := p.Entries[0].Soundings[0]; s.On != at("05:59:58.500") || s.From != at("06:00") {
		t.Errorf("relay %s, first sample %s", text(s.On), text(s.From))
	}
}

func TestItemsTooCloseForTheRelayShareOneClosing(t *testing.T) {
	// Tail 0.5 s, hold 3 s, minimum off 2 s and warm-up 1.5 s: below 7 s apart the relay stays closed.
	p := compute(t, monday(normal("a", "06:00", 10), normal("b", "06:00:16.900", 10), normal("c", "06:00:33.900", 10)))
	on := func(i int) string { return clock(p.Entries[i].Soundings[0].On) }
	if on(1) != "06:00:10.500" || on(2) != "06:00:32.400" {
		t.Errorf("relay kept from %s, closed anew at %s", on(1), on(2))
	}
}

func TestTheRelayOpensBeforeTheAmplifierHasBeenOnTooLong(t *testing.T) {
	in := monday(normal("a", "06:00", 400), normal("b", "06:05", 400).late(600), emergency("lu", "06:15", 300))
	in.Board.MaxOn = 10 * time.Minute
	// The queued item waits for the relay to reopen; it ends early, so that the emergency is on time.
	expect(t, in, "a 06:00-06:06:40 ended", "b of 06:05 06:06:44-06:13:24 ended", "lu 06:15-06:20 ended")
	in.Items[2] = emergency("lu", "06:10", 500)
	p := expect(t, in, "a 06:00-06:06:40 ended", "b of 06:05 06:06:44-06:09:56 interrupted pre-empted", "lu 06:10-06:18:20 ended")
	if s := p.Entries[2].Soundings[0]; s.On != at("06:09:58.500") {
		t.Errorf("relay %s", text(s.On))
	}
}

func TestTheAreasLanguagesSoundInItsOrder(t *testing.T) {
	in := monday(normal("a", "06:00", 0).versions(version("vi", 10), version("tyz", 20), version("hmn", 30)))
	in.Assignment.Languages = []broadcast.Language{"tyz", "ium", "vi"}
	p := expect(t, in, "a 06:00-06:00:31 ended")
	e := p.Entries[0]
	want := []Part{{Language: "tyz", SHA256: broadcast.Sum([]byte("tyz")), Millis: 20000}, {Language: "vi", SHA256: broadcast.Sum([]byte("vi")), At: 21000, Millis: 10000}}
	if !slices.Equal(e.Soundings[0].Parts, want) {
		t.Errorf("parts %+v", e.Soundings[0].Parts)
	}
	if !slices.Equal(e.Notes, []Note{{Reason: broadcast.WhyLanguage, Language: "ium"}}) {
		t.Errorf("the missing language is not noted: %+v", e.Notes)
	}
}

func TestAnEmergencySoundsInTheLanguageItHas(t *testing.T) {
	in := monday(normal("a", "06:00", 10), emergency("lu", "07:00", 0).versions(version("vi", 10), version("tyz", 20)))
	in.Assignment.Languages = []broadcast.Language{"hmn"}
	p := expect(t, in, "a of 06:00 skipped language", "lu 07:00-07:00:10 ended")
	if got := p.Entries[1].Soundings[0].Parts[0].Language; got != "vi" {
		t.Errorf("language %s", got)
	}
}

func TestALiveBodyNeedsANodeThatCanPlayIt(t *testing.T) {
	live := broadcast.Version{Language: "vi", Live: relaySegment(60, 0).Relay}
	spare := emergency("lu", "07:00", 0).versions(live, version("tyz", 20))
	in := monday(normal("a", "06:00", 0).versions(live), spare)
	expect(t, in, "a of 06:00 refused body", "lu 07:00-07:00:20 ended")
	in.Live = true
	expect(t, in, "a 06:00-06:01 ended", "lu 07:00-07:00:20 ended")
}

func TestALateNodeJoinsAlignedMidContent(t *testing.T) {
	in := monday(normal("a", "06:00", 120).held("06:00:20"), priority("b", "07:00", 400).held("07:04:57"), priority("c", "08:00", 400).held("08:04:58"),
		normal("d", "09:00", 10).held("09:00:20"), normal("e", "10:00", 60).held("09:59:58.500"), normal("f", "11:00", 60).held("13:00"))
	in.Now = at("05:00")
	expect(t, in, "a of 06:00 06:00:22.500-06:02 (+22.5s) ended", "b of 07:00 07:04:59.500-07:06:40 (+4m59.5s) ended",
		"c of 08:00 skipped late", "d of 09:00 skipped late", "e 10:00-10:01 ended", "f of 11:00 skipped late")
}

func TestWhatIsOverBeforeItCouldBeJoinedIsSaidAtOnce(t *testing.T) {
	for _, now := range []string{"06:00", "06:00:22.500", "06:03"} {
		in := monday(priority("a", "06:00", 10).held("06:00:20"))
		in.Now = at(now)
		if e := expect(t, in, "a of 06:00 skipped late").Entries[0]; e.At != at("06:00:22.500") {
			t.Errorf("asked at %s, it is said at %s", now, text(e.At))
		}
	}
}

func TestANodeBackFromAnOutageJoinsAligned(t *testing.T) {
	in := monday(normal("a", "06:00", 120))
	in.Now, in.Since = at("06:00:40"), at("06:00:30")
	expect(t, in, "a of 06:00 06:00:41.500-06:02 (+41.5s) ended")
}

func TestANodeOnDutyDoesNotAlignWhatMerelyWaited(t *testing.T) {
	a, b := normal("a", "06:00", 60), normal("b", "06:00:30", 60)
	in := monday(a, b)
	in.Now, in.Closed = at("06:00:50"), at("05:59:58.500")
	in.Past = []Past{a.past(1, "06:00", 50, broadcast.Playing, "")}
	in.Past[0].Running = true
	expect(t, in, "a 06:00-06:01 ended", "b of 06:00:30 06:01-06:02 ended")
}

func TestWhatBecomesDueWhileTheRelayReopensCompetes(t *testing.T) {
	in := monday(normal("a", "06:00", 400), normal("b", "06:05", 400).late(1200), priority("c", "06:06:42", 60))
	in.Board.MaxOn = 10 * time.Minute
	expect(t, in, "a 06:00-06:06:40 ended", "c 06:06:42-06:07:42 ended", "b of 06:05 06:07:46-06:14:26 ended")
	in.Items[2] = priority("c", "06:06:42", 300)
	expect(t, in, "a 06:00-06:06:40 ended", "c of 06:06:42 06:06:44-06:11:44 ended", "b of 06:05 06:11:48-06:18:28 ended")
	in.Items[2] = normal("xep", "06:06:42", 300)
	in.Placements = []broadcast.Placement{{ID: "xep", Revision: issued, Areas: here, Until: at("2026-12-01 00:00"), Items: []broadcast.Placed{{Announcement: "xep", Revision: issued}}}}
	expect(t, in, "a 06:00-06:06:40 ended", "xep of 06:06:42 06:06:44-06:11:44 ended", "b of 06:05 06:11:48-06:18:28 ended")
}

func TestTheRelayStaysOpenForItsLeastTimeAfterASoundingOfThePast(t *testing.T) {
	gone, next := normal("gone", "05:59", 60), normal("a", "06:00:05", 60)
	in := monday(next)
	in.Past = []Past{gone.past(1, "05:59", 60, broadcast.Ended, "")}
	in.Window.From, in.Now = at("06:00:01"), at("06:00:04")
	// Tail, hold, minimum off time and warm-up make 7 s after the last sample.
	expect(t, in, "a of 06:00:05 06:00:07-06:01:07 ended")
	in.Now, in.Closed = at("06:00:01"), at("05:58:58.500")
	p := expect(t, in, "a 06:00:05-06:01:05 ended")
	if on := p.Entries[0].Soundings[0].On; on != at("06:00:00.500") {
		t.Errorf("the relay is to be kept from %s", text(on))
	}
}
