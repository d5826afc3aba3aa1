package announce

import (
	"fmt"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// moments are the ways to write one moment, without a zone that of Vietnam:
// RFC 3339 with less and less of it, and the day first, as people here write it.
var moments = []string{
	time.RFC3339,
	"2006-1-2T15:04:05", "2006-1-2T15:04", "2006-1-2 15:04:05", "2006-1-2 15:04",
	"2/1/2006 15:04", "2/1/2006 15:04:05", "15:04 2/1/2006", "15:04:05 2/1/2006",
}

// timesOfDay are the ways to write a time of day.
var timesOfDay = []string{"15:04", "15:04:05"}

// start reads a moment, or a time of day for the next such moment after now.
// The h of 17h30 and 17h is read as a colon.
func start(text string, now time.Time) (time.Time, error) {
	plain := colons(strings.Join(strings.Fields(text), " "))
	for _, layout := range moments {
		if at, err := time.ParseInLocation(layout, plain, broadcast.Local()); err == nil {
			return at, nil
		}
	}
	for _, layout := range timesOfDay {
		if at, err := time.ParseInLocation(layout, plain, broadcast.Local()); err == nil {
			return next(at, now.In(broadcast.Local())), nil
		}
	}
	return time.Time{}, fmt.Errorf("--start %q: write HH:MM such as 05:30 or 17h30 for the next such time, dd/MM/yyyy HH:MM such as \"22/11/2026 17:30\", or RFC 3339 such as 2026-11-22T17:30:00+07:00", text)
}

// next is the first moment after now that shows the time of day on a clock.
func next(clock, now time.Time) time.Time {
	at := time.Date(now.Year(), now.Month(), now.Day(), clock.Hour(), clock.Minute(), clock.Second(), 0, now.Location())
	if !at.After(now) {
		at = at.AddDate(0, 0, 1)
	}
	return at
}

// colons writes 17h30 as 17:30 and 17h as 17:00, wherever it stands.
func colons(text string) string {
	words := strings.Split(text, " ")
	for i, w := range words {
		hour, minute, found := strings.Cut(strings.ToLower(w), "h")
		if !found {
			continue
		}
		if minute == "" {
			minute = "00"
		}
		words[i] = hour + ":" + minute
	}
	return strings.Join(words, " ")
}
