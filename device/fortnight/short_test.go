//go:build !race

package fortnight

// shortSeeds are played with shortSites each where nobody asks for more.
const (
	shortSeeds = 10
	shortSites = 4
)
