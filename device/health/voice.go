// Package health tells the controller what is wrong with a site.
//
// It promises that a change is told at once, and within fifteen seconds of those
// before it however many there are; that it is told again a few times, because
// messages get lost; and that a fault which stays costs no more data than good
// health. What is wrong stands in a chart of package broadcast/health.
package health

import (
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast/wire"
)

// How a chart is told. Messages get lost, so every change is told again a few
// times; after that a fault that stays costs no more data than good health.
const (
	apart       = 2 * time.Second  // between two messages, however much changes
	mostApart   = 15 * time.Second // the same, after many changes in a row
	quiet       = 2 * time.Minute  // without a change: the next one is told at once
	again       = 30 * time.Second // a change is told again so often ...
	repeats     = 4                // ... and so many times
	everSoOften = 5 * time.Minute
)

// Voice says when to tell what a chart shows. The zero value has told nothing.
type Voice struct {
	told    []wire.Fault
	spoke   bool
	at      time.Duration // of the last message
	changed time.Duration // of the last message that told something new
	gap     time.Duration
	left    int // repeats to come
}

// Due says whether the list is to be told now, and otherwise when to ask again.
func (v *Voice) Due(now time.Duration, list []wire.Fault) (bool, time.Duration) {
	at := v.at + everSoOften
	switch {
	case !v.spoke:
		return true, 0
	case !slices.Equal(list, v.told):
		at = v.at + max(apart, v.gap)
	case v.left > 0:
		at = v.at + again
	}
	return now >= at, at
}

// Said notes that the list was told.
func (v *Voice) Said(now time.Duration, list []wire.Fault) {
	switch {
	case v.spoke && slices.Equal(list, v.told):
		v.left = max(0, v.left-1)
	case !v.spoke || now >= v.changed+quiet:
		v.gap, v.changed, v.left = apart, now, repeats
	default:
		v.gap, v.changed, v.left = min(2*v.gap, mostApart), now, repeats
	}
	v.told, v.spoke, v.at = list, true, now
}

// Anew has everything told at once, as on a new connection.
func (v *Voice) Anew() { v.spoke = false }
