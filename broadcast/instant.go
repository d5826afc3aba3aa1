package broadcast

import (
	"encoding/json"
	"fmt"
	"time"
)

// Instant is a moment as Unix milliseconds. Its text is RFC 3339 in UTC with
// exactly three decimals, such as 2026-11-22T08:00:00.000Z. The zero Instant
// means "not given".
type Instant int64

const instantLayout = "2006-01-02T15:04:05.000Z"

// maxInstant is the last millisecond of the year 9999, beyond which RFC 3339
// has no text.
const maxInstant = Instant(253402300799999)

// InstantOf returns t cut to whole milliseconds.
func InstantOf(t time.Time) Instant { return Instant(t.UnixMilli()) }

// Time returns the moment in UTC.
func (i Instant) Time() time.Time { return time.UnixMilli(int64(i)).UTC() }

// Add returns the moment d later, cut to whole milliseconds.
func (i Instant) Add(d time.Duration) Instant { return i + Instant(d.Milliseconds()) }

// Sub returns how long after j the moment i is. More than a Duration can hold,
// some 292 years, becomes the longest Duration: a limit must not wrap around.
func (i Instant) Sub(j Instant) time.Duration { return i.Time().Sub(j.Time()) }

// String returns the text of the moment.
func (i Instant) String() string { return i.Time().Format(instantLayout) }

// MarshalJSON writes the text in quotes. It fails outside the years 1970–9999.
func (i Instant) MarshalJSON() ([]byte, error) {
	if i < 0 || i > maxInstant {
		return nil, fmt.Errorf("instant %d ms is outside the years 1970 to 9999", int64(i))
	}
	return []byte(`"` + i.String() + `"`), nil
}

// UnmarshalJSON reads exactly the text that MarshalJSON writes.
func (i *Instant) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("instant: %w", err)
	}
	got, err := ParseInstant(s)
	if err != nil {
		return err
	}
	*i = got
	return nil
}

// ParseInstant reads the text of a moment and accepts that one form only.
func ParseInstant(s string) (Instant, error) {
	t, err := time.Parse(instantLayout, s)
	if err != nil || t.Format(instantLayout) != s || t.UnixMilli() < 0 {
		return 0, fmt.Errorf("instant %q is not UTC text like 2026-11-22T08:00:00.000Z", s)
	}
	return InstantOf(t), nil
}

// Revision numbers the states of one document: Unix milliseconds at issue,
// strictly increasing per document.
type Revision int64

// IssuedAt returns the moment that the revision stands for.
func (r Revision) IssuedAt() Instant { return Instant(r) }

// Validate refuses revisions outside the years 1970 to 9999.
func (r Revision) Validate() error {
	if r <= 0 || Instant(r) > maxInstant {
		return fmt.Errorf("revision %d is not Unix milliseconds at issue", int64(r))
	}
	return nil
}

// Local is the time zone of policies and screens: Asia/Ho_Chi_Minh, UTC+7
// without daylight saving, fixed so that no time-zone database is needed.
func Local() *time.Location { return local }

var local = time.FixedZone("+07", 7*60*60)
