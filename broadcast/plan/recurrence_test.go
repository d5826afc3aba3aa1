package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/teambition/rrule-go"
	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
)

func recurring(rule, start, until string, except ...string) broadcast.Timing {
	return broadcast.Timing{Mode: broadcast.ModeStart, Start: at(start), Until: at(until), Recurrence: &broadcast.Recurrence{Rule: rule, Except: except}}
}

func TestARecurrenceSoundsOnItsLocalDays(t *testing.T) {
	daily := normal("a", "06:00", 30)
	daily.Announcement.Timing = recurring("FREQ=WEEKLY;BYDAY=MO,WE,FR", "2026-11-20 05:30", "2026-12-01 05:30", "2026-11-25")
	in := monday(daily)
	in.Window.To = at("2026-12-20 00:00")
	in.Fresh = in.Window.To
	p := compute(t, in)
	var got []string
	for _, e := range p.Entries {
		got = append(got, text(e.Start)[:16])
	}
	if want := "2026-11-23 05:30,2026-11-27 05:30,2026-11-30 05:30"; strings.Join(got, ",") != want {
		t.Errorf("starts %v, not %s", got, want)
	}
}

func TestStartsBeforeTheIssueOfARevisionAreNotItsOwn(t *testing.T) {
	a := normal("a", "06:00", 30)
	a.Announcement.Timing = recurring("FREQ=DAILY", "2026-11-01 06:00", "2026-12-01 06:00")
	a.Announcement.Revision = broadcast.Revision(at("12:00"))
	in := monday(a)
	in.Window.To = at("2026-11-24 12:00")
	if p := compute(t, in); len(p.Entries) != 1 || p.Entries[0].Start != at("2026-11-24 06:00") {
		t.Errorf("plan %v", lines(p))
	}
}

func TestAPlacedRecurrenceKeepsItsRule(t *testing.T) {
	a := normal("a", "06:00", 30).level(broadcast.Province)
	a.Announcement.Timing = recurring("FREQ=DAILY", "2026-11-22 06:00", "2026-11-23 06:00")
	in := monday(a)
	in.Placements = []broadcast.Placement{{ID: "xep", Revision: issued, Areas: here, Until: at("2026-12-01 00:00"), Items: []broadcast.Placed{{Announcement: "a", Revision: issued, Start: at("2026-11-22 17:00")}}}}
	expect(t, in, "a 17:00-17:00:30 ended")
}

func TestARuleThatCannotBeReadIsRefusedOnce(t *testing.T) {
	a := normal("a", "06:00", 30)
	a.Announcement.Timing = recurring("FREQ=WEEKLY;BYDAY=XX", "2026-11-01 06:00", "2026-12-01 06:00")
	expect(t, monday(a), "a of 06:00 refused rule")
}

func TestARuleThatBreaksTheLibraryCostsNobodyElseAPlan(t *testing.T) {
	eighth := broadcast.Timing{Start: at("06:00"), Until: at("2027-11-01 06:00"), Recurrence: &broadcast.Recurrence{Rule: "FREQ=MONTHLY;BYDAY=8TH"}}
	if readable(eighth) {
		t.Error("a rule outside the calendar is believed")
	}
	if got := expand(broadcast.Timing{Until: eighth.Until}, at("00:00"), at("2026-12-23 00:00")); got != nil {
		t.Errorf("no rule at all has the starts %v", got)
	}
	b := normal("b", "06:00", 30)
	b.Announcement.Timing = eighth
	expect(t, monday(normal("a", "07:00", 30), b), "b of 06:00 refused rule", "a 07:00-07:00:30 ended")
}

func TestARuleThatNeverComesTrueEndsTheSearch(t *testing.T) {
	for _, rule := range []string{"FREQ=DAILY;INTERVAL=7;BYDAY=TU", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYDAY=+5MO;BYMONTHDAY=1", "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29"} {
		if got := expand(recurring(rule, "2026-11-02 06:00", "2027-11-01 06:00"), at("00:00"), at("2026-12-23 00:00")); len(got) > 0 {
			t.Errorf("%s: %v", rule, got)
		}
	}
}

func TestExpansionIsThatOfTheRuleFromItsFirstDay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pick := func(name string, options ...string) string { return rapid.SampledFrom(options).Draw(t, name) }
		rule := pick("freq", "FREQ=DAILY", "FREQ=WEEKLY", "FREQ=MONTHLY", "FREQ=YEARLY") +
			pick("interval", "", ";INTERVAL=2", ";INTERVAL=3", ";INTERVAL=5") + pick("wkst", "", ";WKST=SU") +
			pick("by", "", ";BYDAY=MO,TH", ";BYMONTHDAY=1,15,-1", ";BYMONTH=1,2,11", ";BYDAY=MO,TU,WE;BYSETPOS=-1,2", ";BYMONTHDAY=29,31;BYMONTH=2,11,12")
		start := at("2014-01-01 05:30:00.250").Add(time.Duration(rapid.Int64Range(0, 12*366*24*60).Draw(t, "start")) * time.Minute)
		from := start.Add(time.Duration(rapid.Int64Range(0, 11*366).Draw(t, "days")) * day)
		to := from.Add(35 * day)
		timing := broadcast.Timing{Start: start, Until: start.Add(12 * 366 * day), Recurrence: &broadcast.Recurrence{Rule: rule}}
		got := expand(timing, from, to)

		option, err := rrule.StrToROptionInLocation(rule, broadcast.Local())
		if err != nil {
			t.Fatal(err)
		}
		option.Dtstart = start.Time().In(broadcast.Local())
		option.Until = to.Time()
		plain, err := rrule.NewRRule(*option)
		if err != nil {
			t.Fatal(err)
		}
		var want []broadcast.Instant
		for _, w := range plain.All() {
			if i := broadcast.InstantOf(w) + start%1000; i >= from && i <= to && i <= timing.Until {
				want = append(want, i)
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%s from %s: %v, not %v", rule, start, got, want)
		}
	})
}

func TestATenYearOldRuleCostsNoMoreThanANewOne(t *testing.T) {
	steps := func(start string) int {
		o, err := ruleOf(recurring("FREQ=DAILY", start, "2027-01-01 06:00"))
		if err != nil {
			t.Fatal(err)
		}
		advance(&o, at("06:00").Time())
		return int(at("06:00").Time().Sub(o.Dtstart).Hours() / 24)
	}
	if old, fresh := steps("2016-11-01 06:00"), steps("2026-11-01 06:00"); old > 3 || fresh > 3 {
		t.Errorf("%d and %d days to walk through", old, fresh)
	}
}

func TestTheFirstWeekOfAMovedAnchorIsNotTakenForAWholeOne(t *testing.T) {
	timing := recurring("FREQ=WEEKLY;BYDAY=MO,TU,WE;BYSETPOS=1", "2016-11-02 06:00", "2027-01-01 06:00")
	got := expand(timing, at("2026-11-25 06:00"), at("2026-12-01 06:00"))
	if !slices.Equal(got, []broadcast.Instant{at("2026-11-30 06:00")}) {
		t.Errorf("starts %v", got)
	}
}
