package node

import (
	"cmp"
	"maps"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
)

// The faults that a node declares by itself.
const (
	faultJournal     = "journal"         // receipts cannot be written
	faultStore       = "store"           // documents or contents cannot be written
	faultDamage      = "store-damaged"   // the card spoiled records
	faultClock       = "clock"           // no proved time
	faultStale       = "manifest-stale"  // no manifest for too long
	faultContent     = "content-missing" // an item is due and its audio is not here
	faultDecoder     = "decoder"         // audio could not be decoded
	faultSound       = "sound"           // the sound card failed
	faultRelay       = "relay"           // the relay did not obey
	faultEquivocal   = "equivocation"    // two documents under one revision
	faultRolledBack  = "rolled-back"     // the controller has more receipts than this card
	faultPlace       = "place-doubtful"  // who signed the place was revoked
	faultTooMany     = "too-many"        // more documents than a node may hold
	faultWithoutPlan = "plan"            // no plan could be made
)

// maxFaults is what one health message may list.
const maxFaults = 64

// faults are the failures that are present now.
type faults struct {
	present map[string]wire.Fault
	changed bool
}

// raise declares a failure; one that is present keeps its beginning.
func (f *faults) raise(code, part, cause string, now broadcast.Instant) {
	if f.present == nil {
		f.present = map[string]wire.Fault{}
	}
	key := code + "/" + part
	if _, there := f.present[key]; there || len(f.present) >= maxFaults {
		return
	}
	f.present[key] = wire.Fault{Code: code, Part: cut(part, 64), Since: max(0, now), Cause: cut(cause, 200)}
	f.changed = true
}

// clear takes a failure back.
func (f *faults) clear(code, part string) {
	key := code + "/" + part
	if _, there := f.present[key]; there {
		delete(f.present, key)
		f.changed = true
	}
}

// set raises or clears.
func (f *faults) set(present bool, code, cause string, now broadcast.Instant) {
	if present {
		f.raise(code, "", cause, now)
		return
	}
	f.clear(code, "")
}

// list returns the failures in a fixed order.
func (f *faults) list() []wire.Fault {
	return slices.SortedFunc(maps.Values(f.present), func(a, b wire.Fault) int {
		return cmp.Or(cmp.Compare(a.Code, b.Code), cmp.Compare(a.Part, b.Part))
	})
}

// cut shortens text to n bytes without splitting a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xc0 == 0x80 {
		n--
	}
	return s[:n]
}
