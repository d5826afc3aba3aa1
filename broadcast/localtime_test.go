package broadcast_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
)

// local returns a moment of November 2026, whose 22nd is a Sunday.
func local(dayOfMonth, hour, min int) broadcast.Instant {
	return broadcast.InstantOf(time.Date(2026, 11, dayOfMonth, hour, min, 0, 0, broadcast.Local()))
}

func spans() *rapid.Generator[broadcast.Span] {
	return rapid.Custom(func(t *rapid.T) broadcast.Span {
		hours := rapid.SampledFrom([]int{0, 1, 300, 330, 390, 720, 1260, 1439, 1440, -1})
		draw := func(name string) broadcast.LocalTime {
			n := hours.Draw(t, name)
			if n < 0 {
				n = rapid.IntRange(0, 1440).Draw(t, name+" to the minute")
			}
			return broadcast.LocalTime(n)
		}
		s := broadcast.Span{From: draw("from"), To: draw("to")}
		for _, d := range broadcast.Weekdays() {
			if rapid.IntRange(0, 2).Draw(t, string(d)) == 0 {
				s.Days = append(s.Days, d)
			}
		}
		if s.Validate() != nil {
			s.From, s.To = 0, 1440
		}
		return s
	})
}

// sounds is the slow model of a span: whether the local minute that begins at i
// lies in it.
func sounds(s broadcast.Span, i broadcast.Instant) bool {
	t := i.Time().In(broadcast.Local())
	now := broadcast.LocalTime(t.Hour()*60 + t.Minute())
	begins := func(t time.Time) bool {
		names := []broadcast.Weekday{"SU", "MO", "TU", "WE", "TH", "FR", "SA"}
		return len(s.Days) == 0 || slices.Contains(s.Days, names[t.Weekday()])
	}
	if s.From < s.To {
		return begins(t) && s.From <= now && now < s.To
	}
	return begins(t) && now >= s.From || begins(t.AddDate(0, 0, -1)) && now < s.To
}

func TestTimeOfDayHasOneText(t *testing.T) {
	for _, bad := range []string{"", ":", "5:30", "05:3", "0530", "05:60", "24:01", "25:00", "-1:30", "-0:30", "05:-1", "+5:30", " 05:30", "05:30 ",
		"05:30:00", "05.30", "05:3O", "00:1440", "5h30", "０5:30", "05:30\n"} {
		if l, err := broadcast.ParseLocalTime(bad); err == nil {
			t.Errorf("%q was read as %s", bad, l)
		}
	}
	for want := range broadcast.LocalTime(24*60 + 1) {
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got broadcast.LocalTime
		if err := json.Unmarshal(b, &got); err != nil || got != want || len(b) != len(`"05:30"`) {
			t.Fatalf("%d was written as %s and read as %d, %v", want, b, got, err)
		}
	}
	for _, l := range []broadcast.LocalTime{-1, 24*60 + 1} {
		if b, err := json.Marshal(l); err == nil {
			t.Errorf("%d was written as %s", l, b)
		}
	}
	for _, bad := range []string{`null`, `330`, `"24:01"`, `{}`} {
		l := broadcast.LocalTime(7)
		if err := json.Unmarshal([]byte(bad), &l); err == nil || l != 7 {
			t.Errorf("%s was read as %s, %v", bad, l, err)
		}
	}
}

func TestWeekdayIsThatOfTheLocalDay(t *testing.T) {
	accepts(t, func(s string) broadcast.Weekday { return broadcast.Weekday(s) },
		[]string{"", "mo", "Monday", "T2", "1MO"}, []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"})
	for offset, want := range []broadcast.Weekday{"SU", "MO", "TU", "WE", "TH", "FR", "SA", "SU"} {
		midnight := local(22+offset, 0, 0) // 17:00 UTC of the day before
		if first, end := broadcast.WeekdayOf(midnight), broadcast.WeekdayOf(midnight+day-1); first != want || end != want {
			t.Errorf("%s is %s to %s, want %s", midnight, first, end, want)
		}
	}
}

func TestSpanIsNeverEmptyNorOutsideTheDay(t *testing.T) {
	type s = broadcast.Span
	fresh := func() s { return s{From: 330, To: 390} }
	holdEdges(t, fresh, []edge[s]{
		{"days", func(s *s) { s.Days = broadcast.Weekdays() }, func(s *s) { s.Days = append(broadcast.Weekdays(), "MO") }},
		{"days", func(s *s) { s.Days = []broadcast.Weekday{"MO"} }, func(s *s) { s.Days = []broadcast.Weekday{"MO", "MO"} }},
		{"days", nil, func(s *s) { s.Days = []broadcast.Weekday{"T2"} }},
		{"season", func(s *s) { s.Season = &broadcast.Season{From: "10-16", To: "02-29"} }, func(s *s) { s.Season = &broadcast.Season{From: "10-16", To: "02-30"} }},
		{"season", nil, func(s *s) { s.Season = &broadcast.Season{From: "1-16", To: "02-28"} }},
		{"from", func(s *s) { s.From = 389 }, func(s *s) { s.From = 390 }},
		{"from", func(s *s) { s.From = 1439 }, func(s *s) { s.From = 1440 }},
		{"from", func(s *s) { s.From = 0 }, func(s *s) { s.From = -1 }},
		{"to", func(s *s) { s.To = 1440 }, func(s *s) { s.To = 1441 }},
		{"to", func(s *s) { s.To = 0 }, func(s *s) { s.To = -1 }},
		{"to/whole day is 00:00 to 24:00", func(s *s) { s.From, s.To = 0, 1440 }, func(s *s) { s.From, s.To = 0, 0 }},
	})
}

func TestSpanBeginsOnItsDaysAndRunsOverMidnight(t *testing.T) {
	for _, c := range []struct {
		name     string
		span     broadcast.Span
		on       broadcast.Instant
		from, to broadcast.Instant
	}{
		{"morning", broadcast.Span{From: 330, To: 390}, local(22, 12, 0), local(22, 5, 30), local(22, 6, 30)},
		{"asked at its first moment", broadcast.Span{From: 0, To: 1440}, local(22, 0, 0), local(22, 0, 0), local(23, 0, 0)},
		{"asked at the day's last moment", broadcast.Span{From: 330, To: 390}, local(23, 0, 0) - 1, local(22, 5, 30), local(22, 6, 30)},
		{"night", broadcast.Span{From: 1260, To: 300}, local(22, 3, 15), local(22, 21, 0), local(23, 5, 0)},
		{"until midnight", broadcast.Span{From: 1260, To: 0}, local(22, 3, 15), local(22, 21, 0), local(23, 0, 0)},
		{"until the end of the day", broadcast.Span{From: 1260, To: 1440}, local(22, 3, 15), local(22, 21, 0), local(23, 0, 0)},
		{"one minute short of a day", broadcast.Span{From: 1, To: 0}, local(22, 3, 15), local(22, 0, 1), local(23, 0, 0)},
		{"Sunday's night", broadcast.Span{Days: []broadcast.Weekday{"SU"}, From: 1260, To: 300}, local(22, 3, 15), local(22, 21, 0), local(23, 5, 0)},
	} {
		if from, to, ok := c.span.On(c.on); !ok || from != c.from || to != c.to {
			t.Errorf("%s: %s to %s, %v", c.name, from, to, ok)
		}
	}
	sunday := broadcast.Span{Days: []broadcast.Weekday{"SU"}, From: 1260, To: 300}
	if from, to, ok := sunday.On(local(23, 3, 15)); ok {
		t.Errorf("Sunday's night began on a Monday: %s to %s", from, to)
	}
}

// TestSpanHoldsTheMinutesOfItsModel compares On with the model for every minute
// of a week.
func TestSpanHoldsTheMinutesOfItsModel(t *testing.T) {
	first := local(9, 0, 0)
	rapid.Check(t, func(t *rapid.T) {
		s := spans().Draw(t, "span")
		held := map[broadcast.Instant]bool{}
		for d := first - day; d < first+7*day; d += day {
			from, to, ok := s.On(d + broadcast.Instant(rapid.Int64Range(0, int64(day)-1).Draw(t, "asked at")))
			for m := from; ok && m < to; m += minute {
				held[m] = true
			}
		}
		for m := first; m < first+7*day; m += minute {
			if held[m] != sounds(s, m) {
				t.Fatalf("%+v holds %s: %v, the model says %v", s, m.Time().In(broadcast.Local()), held[m], sounds(s, m))
			}
		}
	})
}
