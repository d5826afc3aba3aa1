package sim

import (
	"strings"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
)

// FuzzPlaces: a list that is read names valid nodes, each once, and not too many.
func FuzzPlaces(f *testing.F) {
	f.Add("tan-lap\n# none\n\nbac-quang 3\n")
	f.Add("tan-lap 1000\ntan-lap 2\n")
	f.Add("tan-lap-1 1\ntan-lap 2\ntan-lap-1")
	f.Fuzz(func(t *testing.T, text string) {
		places, err := ReadPlaces(strings.NewReader(text))
		if err != nil {
			return
		}
		seen := map[broadcast.ID]bool{}
		for _, p := range places {
			if p.Node.Validate() != nil || p.Area.Validate() != nil || seen[p.Node] {
				t.Errorf("%q: node %q of area %q", text, p.Node, p.Area)
			}
			seen[p.Node] = true
		}
		if len(places) == 0 || len(places) > maxNodes {
			t.Errorf("%d nodes", len(places))
		}
	})
}
