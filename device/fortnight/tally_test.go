package fortnight

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
)

// tally counts how attempts ended, for the log: a fortnight in which nothing is
// cut, refused or late proves little.
func tally(receipts []broadcast.Receipt, into map[string]int) {
	for _, r := range receipts {
		if r.Start != 0 && r.Rung.Terminal() {
			into[strings.TrimSpace(string(r.Rung)+" "+string(r.Reason))]++
		}
		if r.Rung == broadcast.Sounded {
			into["sounded"]++
		}
	}
}

func told(count map[string]int) string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(count)) {
		out = append(out, fmt.Sprintf("%s %d", name, count[name]))
	}
	return strings.Join(out, ", ")
}
