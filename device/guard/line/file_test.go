package line

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// steps is a clock that moves one second and one nanosecond at every look.
func steps() func() time.Time {
	at := time.Date(2026, 1, 2, 10, 4, 5, 0, time.FixedZone("", 7*3600))
	return func() time.Time {
		now := at
		at = at.Add(time.Second + 1)
		return now
	}
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

func TestEveryEdgeIsOneLineAndNothingElseIs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.jsonl")
	f, err := OpenFile(path, steps())
	if err != nil {
		t.Fatal(err)
	}
	for _, closed := range []bool{false, true, true, false, false, true} {
		if err := f.Set(closed); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`{"at":"2026-01-02T03:04:05.000000000Z","closed":false}`,
		`{"at":"2026-01-02T03:04:06.000000001Z","closed":true}`,
		`{"at":"2026-01-02T03:04:07.000000002Z","closed":false}`,
		`{"at":"2026-01-02T03:04:08.000000003Z","closed":true}`,
		`{"at":"2026-01-02T03:04:09.000000004Z","closed":false}`,
	}
	got := lines(t, path)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestANewOwnerFirstOpensWhatTheLastLeftClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.jsonl")
	first, err := OpenFile(path, steps())
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Set(true); err != nil {
		t.Fatal(err)
	}
	first.file.Close() // killed: nothing opened the relay
	second, err := OpenFile(path, steps())
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	got := lines(t, path)
	if len(got) != 3 || !strings.Contains(got[1], "true") || !strings.Contains(got[2], "false") {
		t.Errorf("got %q", got)
	}
}

func TestAnEdgeThatCannotBeWrittenIsAnErrorAndDidNotHappen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.jsonl")
	f, err := OpenFile(path, steps())
	if err != nil {
		t.Fatal(err)
	}
	f.file.Close()
	for range 2 { // the second try is not taken for "already closed"
		if err := f.Set(true); err == nil {
			t.Error("Set claims success")
		}
	}
	if err := f.Close(); err == nil {
		t.Error("Close claims success")
	}
}

func TestASimulatedRelayInAMissingFolderIsRefused(t *testing.T) {
	if _, err := OpenFile(filepath.Join(t.TempDir(), "no", "relay.jsonl"), time.Now); err == nil || !strings.Contains(err.Error(), "simulated relay") {
		t.Errorf("error %v", err)
	}
}
