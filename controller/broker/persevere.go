package broker

import "time"

// TCP repeats what was lost, but waits twice as long after each loss, for minutes
// in the end. An announcement that was lost five times shall not come a minute
// late.
const (
	// longestPause lies between two repetitions, above what a slow line takes
	// there and back.
	longestPause = 3 * time.Second
	// silentLimit is when TCP gives a connection up whose other side confirms
	// nothing.
	silentLimit = 40 * time.Second
)
