package broadcast_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
)

// on returns a moment of a date.
func on(date broadcast.Date, hour, min int) broadcast.Instant {
	return date.Begins().Add(time.Duration(hour)*time.Hour + time.Duration(min)*time.Minute)
}

func TestASeasonHoldsItsFirstAndItsLastDayOfEveryYear(t *testing.T) {
	for _, c := range []struct {
		season broadcast.Season
		date   broadcast.Date
		holds  bool
	}{
		{broadcast.Season{From: "04-16", To: "10-15"}, "2026-04-15", false},
		{broadcast.Season{From: "04-16", To: "10-15"}, "2026-04-16", true},
		{broadcast.Season{From: "04-16", To: "10-15"}, "2031-10-15", true},
		{broadcast.Season{From: "04-16", To: "10-15"}, "2031-10-16", false},
		{broadcast.Season{From: "10-16", To: "04-15"}, "2026-12-31", true},
		{broadcast.Season{From: "10-16", To: "04-15"}, "2027-01-01", true},
		{broadcast.Season{From: "10-16", To: "04-15"}, "2027-04-16", false},
		{broadcast.Season{From: "02-29", To: "02-29"}, "2028-02-29", true},
		{broadcast.Season{From: "02-29", To: "02-29"}, "2027-02-28", false},
	} {
		span := broadcast.Span{Season: &c.season, From: 0, To: 24 * 60}
		first, last := span.Holds(c.date.Begins()), span.Holds(c.date.Begins().Add(24*time.Hour)-1)
		if first != c.holds || last != c.holds {
			t.Errorf("%s to %s on %s: first moment %v, last %v", c.season.From, c.season.To, c.date, first, last)
		}
	}
	night := broadcast.Span{Season: &broadcast.Season{From: "12-31", To: "12-31"}, From: 22 * 60, To: 5 * 60}
	if !night.Holds(on("2027-01-01", 4, 59)) || night.Holds(on("2026-12-31", 4, 59)) {
		t.Error("a night belongs to the season in which it begins")
	}
}

func TestASpecialDayNarrowsTheWindowsOnItsDatesOnly(t *testing.T) {
	exams := broadcast.SpecialDay{Name: "Thi", From: "2027-02-05", To: "2027-02-06", Windows: []broadcast.Span{{From: 480, To: 540}, {From: 660, To: 720}}}
	mourning := broadcast.SpecialDay{Name: "Quốc tang", From: "2027-02-06", To: "2027-02-07", Windows: []broadcast.Span{{From: 500, To: 540}}}
	windows := []broadcast.Span{{From: 300, To: 420}, {From: 480, To: 600}}
	law := broadcast.LawOf(broadcast.Policy{Windows: windows, Special: []broadcast.SpecialDay{exams, mourning}})
	always := broadcast.LawOf(broadcast.Policy{Special: []broadcast.SpecialDay{exams}})
	for _, c := range []struct {
		date         broadcast.Date
		hour, min    int
		law, without bool
	}{
		{"2027-02-04", 5, 10, true, true}, {"2027-02-04", 8, 10, true, true}, {"2027-02-04", 11, 10, false, true},
		{"2027-02-05", 5, 10, false, false}, {"2027-02-05", 8, 10, true, true}, {"2027-02-05", 9, 10, false, false}, {"2027-02-05", 11, 10, false, true},
		{"2027-02-06", 8, 10, false, true}, {"2027-02-06", 8, 30, true, true},
		{"2027-02-07", 5, 10, false, true}, {"2027-02-07", 8, 30, true, true}, {"2027-02-08", 5, 10, true, true},
	} {
		from := on(c.date, c.hour, c.min)
		if got, without := law.InWindow(from, from.Add(time.Minute)), always.InWindow(from, from.Add(time.Minute)); got != c.law || without != c.without {
			t.Errorf("%s %d:%d: %v with windows, %v without", c.date, c.hour, c.min, got, without)
		}
	}
	if always.InWindow(on("2027-02-04", 23, 59), on("2027-02-05", 0, 1)) || !always.InWindow(on("2027-02-04", 23, 0), on("2027-02-05", 0, 0)) {
		t.Error("what begins the evening before must end at midnight")
	}
}

// TestASpecialDayNeverWidensItsOwnPolicy holds that what sounds under a policy
// with special days would sound under the same policy without them.
func TestASpecialDayNeverWidensItsOwnPolicy(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := broadcast.Policy{Quiet: few(t, "quiet", spans()), Windows: few(t, "windows", spans()),
			Minutes: []broadcast.Budget{{Class: broadcast.Normal, Minutes: rapid.Int64Range(0, 60).Draw(t, "minutes")}},
			Ceiling: rapid.Int64Range(0, 100).Draw(t, "ceiling")}
		plain := broadcast.LawOf(p)
		p.Special = few(t, "special", specialDays())
		law := broadcast.LawOf(p)
		from := local(19, 0, 0) + broadcast.Instant(rapid.Int64Range(0, 15*24*60).Draw(t, "minute"))*minute
		to := from + broadcast.Instant(rapid.Int64Range(1, 300).Draw(t, "minutes of it"))*minute
		for _, d := range p.Special {
			for _, s := range d.Windows {
				if begins, _, ok := s.On(d.From.Begins()); ok {
					from, to = begins, begins+minute
				}
			}
		}
		_, quiet := law.Quiet(from, to)
		if _, before := plain.Quiet(from, to); before && !quiet {
			t.Fatalf("%s is quiet no longer: %+v", from, p)
		}
		if law.InWindow(from, to) && !plain.InWindow(from, to) {
			t.Fatalf("%s to %s lies in a window by its special days alone: %+v", from, to, p)
		}
		less, _ := law.Budget(broadcast.Normal, from)
		if most, _ := plain.Budget(broadcast.Normal, from); less > most || law.Ceiling(from, to) > plain.Ceiling(from, to) {
			t.Fatalf("%s has %s of %s at %d percent: %+v", from, less, most, law.Ceiling(from, to), p)
		}
	})
}

func TestASpecialDayAddsQuietHoursLowersMinutesAndVolume(t *testing.T) {
	law := broadcast.LawOf(broadcast.Policy{Quiet: []broadcast.Span{{From: 21 * 60, To: 5 * 60}}, Minutes: []broadcast.Budget{{Class: broadcast.Normal, Minutes: 60}},
		Ceiling: 80, Ceilings: []broadcast.HourCeiling{{Hours: broadcast.Span{From: 300, To: 360}, Percent: 50}},
		Special: []broadcast.SpecialDay{{Name: "Quốc tang", From: "2027-02-05", To: "2027-02-05", Quiet: []broadcast.Span{{From: 9 * 60, To: 2 * 60}},
			Minutes: []broadcast.Budget{{Class: broadcast.Normal, Minutes: 10}, {Class: broadcast.Priority, Minutes: 5}}, Ceiling: 60}}})
	for _, c := range []struct {
		date             broadcast.Date
		hour             int
		quiet            bool
		normal, priority time.Duration
		ceiling          int64
	}{
		{"2027-02-04", 10, false, time.Hour, -1, 80}, {"2027-02-04", 22, true, time.Hour, -1, 80}, {"2027-02-04", 5, false, time.Hour, -1, 50},
		{"2027-02-05", 8, false, 10 * time.Minute, 5 * time.Minute, 60}, {"2027-02-05", 10, true, 10 * time.Minute, 5 * time.Minute, 60},
		{"2027-02-05", 5, false, 10 * time.Minute, 5 * time.Minute, 50}, {"2027-02-06", 1, true, time.Hour, -1, 80}, {"2027-02-06", 10, false, time.Hour, -1, 80},
	} {
		from := on(c.date, c.hour, 30)
		if _, quiet := law.Quiet(from, from+minute); quiet != c.quiet {
			t.Errorf("%s %d:30: quiet is %v", c.date, c.hour, quiet)
		}
		for class, want := range map[broadcast.Class]time.Duration{broadcast.Normal: c.normal, broadcast.Priority: c.priority} {
			if got, bound := law.Budget(class, from); bound != (want >= 0) || bound && got != want {
				t.Errorf("%s: %s has %s", c.date, class, got)
			}
		}
		if got := law.Ceiling(from, from+minute); got != c.ceiling {
			t.Errorf("%s %d:30: %d percent", c.date, c.hour, got)
		}
	}
	if got := law.Ceiling(on("2027-02-04", 4, 50), on("2027-02-04", 5, 0)+1); got != 50 {
		t.Errorf("a sounding that reaches into quieter hours: %d percent", got)
	}
}

// TestSpecialDaysAgreeWithTheMinutesOfTheirModel holds quiet hours of special
// days against single minutes.
func TestSpecialDaysAgreeWithTheMinutesOfTheirModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := specialDays().Draw(t, "day")
		law := broadcast.LawOf(broadcast.Policy{Special: []broadcast.SpecialDay{d}})
		from := local(19, 0, 0) + broadcast.Instant(rapid.Int64Range(0, 15*24*60).Draw(t, "minute"))*minute
		begun := func(day broadcast.Instant) bool {
			return d.From <= broadcast.DateOf(day) && broadcast.DateOf(day) <= d.To
		}
		want := false
		for _, s := range d.Quiet {
			for _, day := range []broadcast.Instant{from, from.Add(-24 * time.Hour)} {
				a, b, ok := s.On(day)
				want = want || ok && begun(day) && a <= from && from < b
			}
		}
		if _, got := law.Quiet(from, from+minute); got != want {
			t.Fatalf("quiet is %v at %s: %+v", got, from, d)
		}
	})
}
