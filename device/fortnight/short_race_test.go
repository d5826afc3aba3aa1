//go:build race

package fortnight

// Under the race detector a fortnight takes ten times as long.
const (
	shortSeeds = 1
	shortSites = 2
)
