package wire

import (
	"slices"

	"github.com/loaxa/loaxa/broadcast"
)

// sortEntries returns the entries in order of kind and id, each once. Of one
// document listed by several areas the newest revision stays.
func sortEntries(entries []broadcast.Entry) []broadcast.Entry {
	out := slices.Clone(entries)
	slices.SortFunc(out, func(a, b broadcast.Entry) int {
		if c := a.Compare(b); c != 0 {
			return c
		}
		return int(min(1, max(-1, b.Revision-a.Revision)))
	})
	out = slices.CompactFunc(out, func(a, b broadcast.Entry) bool { return a.Compare(b) == 0 })
	if out == nil {
		out = []broadcast.Entry{}
	}
	return out
}
