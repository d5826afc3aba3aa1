package board

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// cardLine is the first line of a card in /proc/asound/cards:
// " 1 [Device         ]: USB-Audio - USB Audio Device".
var cardLine = regexp.MustCompile(`(?m)^\s*(\d+) \[(\S+)\s*\]:`)

// cardIDs maps the ids of the sound cards to their numbers. No sound system at
// all is an empty map.
func cardIDs(proc string) map[string]string {
	b, err := os.ReadFile(filepath.Join(proc, "asound/cards"))
	if err != nil {
		return nil
	}
	ids := map[string]string{}
	for _, m := range cardLine.FindAllStringSubmatch(string(b), -1) {
		ids[m[2]] = m[1]
	}
	return ids
}

func sorted(words []string) []string {
	slices.Sort(words)
	return words
}
