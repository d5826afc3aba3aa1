package broadcast_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
)

// wrapped is so long after a moment that the distance in nanoseconds, counted
// in 64 bits, has gone once around and is less than a millisecond.
func wrapped(i broadcast.Instant) broadcast.Instant { return i + 18446744073710 }

func moments() *rapid.Generator[broadcast.Instant] {
	return rapid.Map(rapid.Int64Range(0, int64(last)), func(n int64) broadcast.Instant { return broadcast.Instant(n) })
}

func TestInstantHasOneText(t *testing.T) {
	for _, bad := range []string{
		"", "null", "0", "1795248000000",
		"2026-11-21T16:00:00Z", "2026-11-21T16:00:00.0Z", "2026-11-21T16:00:00.00Z", "2026-11-21T16:00:00.0000Z",
		"2026-11-21T16:00:00,000Z", "2026-11-21T16:00:00.000", "2026-11-21T16:00:00.000z", "2026-11-21t16:00:00.000Z",
		"2026-11-21 16:00:00.000Z", "2026-11-21T23:00:00.000+07:00", "2026-11-21T16:00:00.000+00:00", "2026-11-21T16:00:00.000-00:00",
		" 2026-11-21T16:00:00.000Z", "2026-11-21T16:00:00.000Z\n", "2026-11-21T24:00:00.000Z", "2026-11-21T16:60:00.000Z",
		"2026-12-31T23:59:60.000Z", "2026-02-29T00:00:00.000Z", "2026-13-01T00:00:00.000Z", "2026-00-01T00:00:00.000Z",
		"26-11-21T16:00:00.000Z", "1969-12-31T23:59:59.999Z", "10000-01-01T00:00:00.000Z", "+2026-11-21T16:00:00.000Z", "２026-11-21T16:00:00.000Z",
	} {
		if got, err := broadcast.ParseInstant(bad); err == nil {
			t.Errorf("%q was read as %s", bad, got)
		}
	}
	for text, want := range map[string]broadcast.Instant{
		"1970-01-01T00:00:00.000Z": 0, "1970-01-01T00:00:00.001Z": 1, "2026-11-21T08:00:00.000Z": at,
		"2024-02-29T12:00:00.500Z": 1709208000500, "9999-12-31T23:59:59.999Z": last,
	} {
		if got, err := broadcast.ParseInstant(text); err != nil || got != want || got.String() != text {
			t.Errorf("%q was read as %d, %v", text, got, err)
		}
	}
}

func TestInstantSurvivesItsText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := moments().Draw(t, "moment")
		b, err := json.Marshal(i)
		if err != nil || len(b) != 26 {
			t.Fatalf("%s, %v", b, err)
		}
		var back broadcast.Instant
		if err := json.Unmarshal(b, &back); err != nil || back != i || broadcast.InstantOf(i.Time()) != i {
			t.Fatalf("%d came back as %d, %v", i, back, err)
		}
	})
}

func TestInstantOutsideFourDigitYearsCannotBeWritten(t *testing.T) {
	for _, i := range []broadcast.Instant{-1, last + 1, math.MaxInt64, math.MinInt64} {
		if b, err := json.Marshal(i); err == nil {
			t.Errorf("%d was written as %s", i, b)
		}
	}
	for _, bad := range []string{`null`, `0`, `"x"`, `{}`, `["1970-01-01T00:00:00.000Z"]`} {
		i := broadcast.Instant(7)
		if err := json.Unmarshal([]byte(bad), &i); err == nil || i != 7 {
			t.Errorf("%s was read as %d, %v", bad, i, err)
		}
	}
}

func TestInstantIsCutToMilliseconds(t *testing.T) {
	moment := time.Date(2026, 11, 21, 15, 0, 0, 1_999_999, broadcast.Local())
	if got := broadcast.InstantOf(moment); got != at+1 {
		t.Errorf("%s", got)
	}
	if got := at.Add(1999 * time.Microsecond); got != at+1 {
		t.Errorf("%s", got)
	}
	if got := at.Time(); got.Location() != time.UTC || !got.Equal(at.Time().In(broadcast.Local())) {
		t.Errorf("%s", got)
	}
}

func TestAddAndSubAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i := moments().Draw(t, "moment")
		d := time.Duration(rapid.Int64Range(-9e12, 9e12).Draw(t, "ms")) * time.Millisecond
		if got := i.Add(d).Sub(i); got != d {
			t.Fatalf("%v became %v", d, got)
		}
	})
}

// TestDistanceNeverWrapsAround is the ground under every "at most" of the
// sealed documents.
func TestDistanceNeverWrapsAround(t *testing.T) {
	for _, far := range []broadcast.Instant{last, wrapped(0), wrapped(1), 9223372036855} {
		if got := far.Sub(0); got != math.MaxInt64 {
			t.Errorf("%s is %v after 1970", far, got)
		}
		if got := broadcast.Instant(0).Sub(far); got != math.MinInt64 {
			t.Errorf("1970 is %v after %s", got, far)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		i, j := moments().Draw(t, "i"), moments().Draw(t, "j")
		if d := i.Sub(j); (d > 0) != (i > j) || (d == 0) != (i == j) {
			t.Fatalf("%s is %v after %s", i, d, j)
		}
	})
}

func TestRevisionIsTheMomentOfIssue(t *testing.T) {
	for r, ok := range map[broadcast.Revision]bool{-1: false, 0: false, 1: true, broadcast.Revision(at): true,
		broadcast.Revision(last): true, broadcast.Revision(last) + 1: false, math.MaxInt64: false} {
		if err := r.Validate(); (err == nil) != ok {
			t.Errorf("revision %d: %v", r, err)
		}
		if r.IssuedAt() != broadcast.Instant(r) {
			t.Errorf("revision %d was issued at %d", r, r.IssuedAt())
		}
	}
}

func TestLocalTimeIsSevenHoursAheadAllYear(t *testing.T) {
	for month := time.January; month <= time.December; month++ {
		name, offset := time.Date(2026, month, 1, 0, 0, 0, 0, broadcast.Local()).Zone()
		if name != "+07" || offset != 7*3600 {
			t.Errorf("%s: %s %d s", month, name, offset)
		}
	}
}
