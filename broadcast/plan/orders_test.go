package plan

import (
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

func silence(from, until string, level broadcast.Level, classes ...broadcast.Class) Silence {
	return Silence{Silence: broadcast.Silence{ID: "im-lang", Revision: broadcast.Revision(at(from)), Areas: here, Until: at(until), Classes: classes},
		Level: level, Emergency: true}
}

func TestSilenceBarsItsClassesAtItsLevelAndBelow(t *testing.T) {
	all := []Item{normal("a", "06:00", 30), priority("b", "06:10", 30), priority("tinh", "06:20", 30).level(broadcast.Province),
		normal("thu", "06:30", 30).drill(), normal("c", "07:00", 30)}
	in := monday(all...)
	in.Silences = []Silence{silence("05:30", "07:00", broadcast.Commune, broadcast.Priority)}
	expect(t, in, "a 06:00-06:00:30 ended", "b of 06:10 refused silence", "tinh 06:20-06:20:30 ended",
		"thu of 06:30 refused silence", "c 07:00-07:00:30 ended")
	in.Silences[0].Areas = []broadcast.ID{"xa-khac"}
	if p := compute(t, in); p.Entries[1].Rung != broadcast.Ended {
		t.Error("a silence of another area reached this node")
	}
}

func TestSilenceCannotStopTheFlood(t *testing.T) {
	before := emergency("gia", "06:00", 30)
	after := emergency("lu", "06:10", 30).with(func(i *Item) { i.Announcement.Revision = broadcast.Revision(at("05:45")) })
	for name, c := range map[string]struct {
		silence Silence
		barred  bool
	}{
		"names emergencies, signed like one, an hour": {silence("05:30", "06:30", broadcast.Commune, broadcast.Emergency), true},
		"names other classes":                         {silence("05:30", "06:30", broadcast.Commune, broadcast.Normal, broadcast.Priority), false},
		"longer than an hour":                         {silence("05:30", "06:30:01", broadcast.Commune, broadcast.Emergency), false},
		"from a lower level":                          {silence("05:30", "06:30", broadcast.Village, broadcast.Emergency), false},
		"one officer": {func() Silence {
			s := silence("05:30", "06:30", broadcast.Province, broadcast.Emergency)
			s.Emergency = false
			return s
		}(), false},
	} {
		in := monday(before, after)
		in.Silences = []Silence{c.silence}
		p := compute(t, in)
		if barred := p.Entries[0].Reason == broadcast.WhySilence; barred != c.barred {
			t.Errorf("%s: false alarm barred: %v", name, barred)
		}
		if p.Entries[1].Rung != broadcast.Ended {
			t.Errorf("%s: the flood issued after the silence was stopped: %s", name, p.Entries[1].Reason)
		}
	}
}

func TestASilenceIsLiftedByItsOwnLevelOrAHigherOne(t *testing.T) {
	for level, want := range map[broadcast.Level]string{broadcast.Province: "a 06:00-06:00:30 ended",
		broadcast.District: "a 06:00-06:00:30 ended", broadcast.Commune: "a of 06:00 refused silence"} {
		lift := silence("05:40", "07:00", level)
		in := monday(normal("a", "06:00", 30))
		in.Silences = []Silence{lift, silence("05:30", "07:00", broadcast.District, broadcast.Normal)}
		expect(t, in, want)
	}
}

func withdrawal(id string, upto broadcast.Revision, class broadcast.Class, level broadcast.Level) Withdrawal {
	return Withdrawal{Withdrawal: broadcast.Withdrawal{ID: "thu-hoi", Revision: upto + 1, Announcement: broadcast.ID(id), Upto: upto, Class: class, Areas: here}, Level: level}
}

func TestWithdrawalTakesTheNamedRevisionsBack(t *testing.T) {
	newer := normal("b", "07:00", 30).revised(time.Hour)
	in := monday(normal("a", "06:00", 30), normal("b", "07:00", 30), newer)
	in.Withdrawals = []Withdrawal{withdrawal("a", issued, broadcast.Normal, broadcast.Commune), withdrawal("b", issued, broadcast.Normal, broadcast.Commune)}
	expect(t, in, "a of 06:00 withdrawn withdrawn", "b of 07:00 withdrawn withdrawn", "b 07:00-07:00:30 ended")
}

func TestAnEmergencyIsWithdrawnOnlyByItsLevelOrAHigherOneWithTheRight(t *testing.T) {
	for name, c := range map[string]struct {
		w    Withdrawal
		gone bool
	}{
		"own level":    {withdrawal("lu", issued, broadcast.Emergency, broadcast.District), true},
		"higher":       {withdrawal("lu", issued, broadcast.Emergency, broadcast.Province), true},
		"lower":        {withdrawal("lu", issued, broadcast.Emergency, broadcast.Commune), false},
		"no level":     {withdrawal("lu", issued, broadcast.Emergency, ""), false},
		"lesser right": {withdrawal("lu", issued, broadcast.Priority, broadcast.Province), false},
		"older only":   {withdrawal("lu", issued-1, broadcast.Emergency, broadcast.Province), false},
		"another place": {func() Withdrawal {
			w := withdrawal("lu", issued, broadcast.Emergency, broadcast.Province)
			w.Areas = []broadcast.ID{"x"}
			return w
		}(), false},
	} {
		in := monday(emergency("lu", "06:00", 30).level(broadcast.District))
		in.Withdrawals = []Withdrawal{c.w}
		if gone := compute(t, in).Entries[0].Rung == broadcast.Withdrawn; gone != c.gone {
			t.Errorf("%s: withdrawn: %v", name, gone)
		}
	}
}

func TestADelistedItemLeavesButAnEmergencyStays(t *testing.T) {
	off := func(i *Item) { i.Delisted = true }
	expect(t, monday(normal("a", "06:00", 30).with(off), priority("b", "06:10", 30).with(off), emergency("lu", "06:20", 30).with(off)),
		"a of 06:00 withdrawn delisted", "b of 06:10 withdrawn delisted", "lu 06:20-06:20:30 ended")
}

func TestANewerRevisionTakesThePlaceOfTheOlder(t *testing.T) {
	expect(t, monday(normal("a", "06:00", 30), normal("a", "06:10", 30).revised(time.Hour)),
		"a of 06:00 superseded superseded", "a 06:10-06:10:30 ended")
}

func TestAnEmergencyIsNotRevisedAwayByAWeakerDocument(t *testing.T) {
	old := emergency("lu", "06:00", 30).level(broadcast.Province)
	for name, newer := range map[string]Item{
		"lower class":   normal("lu", "20:00", 30).level(broadcast.Province).revised(time.Hour),
		"lower level":   emergency("lu", "20:00", 30).revised(time.Hour),
		"one signature": emergency("lu", "20:00", 30).level(broadcast.Province).revised(time.Hour).with(func(i *Item) { i.Signers = i.Signers[:1] }),
		"a drill":       emergency("lu", "20:00", 30).level(broadcast.Province).revised(time.Hour).drill(),
	} {
		if e := compute(t, monday(old, newer)).Entries[0]; e.Rung != broadcast.Ended {
			t.Errorf("%s: the warning became %s %s", name, e.Rung, e.Reason)
		}
	}
	expect(t, monday(old, emergency("lu", "06:05", 30).level(broadcast.Province).revised(time.Hour)),
		"lu of 06:00 superseded superseded", "lu 06:05-06:05:30 ended")
}

func TestAnItemForAnotherPlaceHasNoEntry(t *testing.T) {
	expect(t, monday(normal("a", "06:00", 30).with(func(i *Item) { i.Announcement.Areas = []broadcast.ID{"xa-khac"} })))
}

func TestAnOfferSoundsOnlyWhereTheCommunePlacedIt(t *testing.T) {
	in := monday(normal("tinh", "06:00", 30).level(broadcast.Province), normal("huyen", "06:10", 30).level(broadcast.District),
		normal("chen", "06:20", 30).level(broadcast.Province), priority("uu", "06:30", 30).level(broadcast.Province),
		normal("sua", "06:40", 30).level(broadcast.Province).revised(time.Hour), normal("chung", "06:50", 30).with(func(i *Item) {
			i.Signers = []Signer{signer("hoa", broadcast.Province), signer("lan", broadcast.Commune)}
		}))
	in.Placements = []broadcast.Placement{{ID: "xep", Revision: issued, Areas: here, Until: at("2026-12-01 00:00"), Items: []broadcast.Placed{
		{Announcement: "huyen", Revision: issued, Start: at("17:00")}, {Announcement: "chen", Revision: issued, Decline: true},
		{Announcement: "sua", Revision: issued}, {Announcement: "uu", Revision: issued, Decline: true, Start: at("03:00")}}}}
	expect(t, in, "tinh of 06:00 skipped offer", "chen of 06:20 refused declined", "uu 06:30-06:30:30 ended",
		"sua of 06:40 skipped offer", "chung 06:50-06:50:30 ended", "huyen 17:00-17:00:30 ended")
}

func TestAPlacementThatRanOutPlacesNothing(t *testing.T) {
	in := monday(normal("tinh", "06:00", 30).level(broadcast.Province))
	in.Placements = []broadcast.Placement{{ID: "xep", Revision: issued, Areas: here, Until: at("06:00"), Items: []broadcast.Placed{{Announcement: "tinh", Revision: issued}}}}
	expect(t, in, "tinh of 06:00 skipped offer")
}

func TestAStandingSlotTakesOffersThatFitIntoIt(t *testing.T) {
	in := monday(normal("a", "05:30", 60).level(broadcast.District), normal("b", "05:45", 60).level(broadcast.Province),
		normal("c", "05:59", 61).level(broadcast.District), normal("d", "06:00", 60).level(broadcast.District))
	in.Slots = []broadcast.Slot{{ID: "khung", Revision: issued, Areas: here, Level: broadcast.District,
		Spans: []broadcast.Span{{From: 5*60 + 30, To: 6 * 60}}, From: at("2026-11-01 00:00"), Until: at("2026-12-01 00:00")}}
	expect(t, in, "a 05:30-05:31 ended", "b of 05:45 skipped offer", "c of 05:59 skipped offer", "d of 06:00 skipped offer")
	in.Slots[0].Until = at("05:30")
	if e := compute(t, in).Entries[0]; e.Reason != broadcast.WhyOffer {
		t.Error("a slot that ended was used")
	}
}
