package fortnight

import (
	"os"
	"runtime/debug"
	"testing"
)

// TestMain lets the memory of a fortnight grow: collecting it again and again
// would take a fifth of the time.
func TestMain(m *testing.M) {
	debug.SetGCPercent(400)
	os.Exit(m.Run())
}
