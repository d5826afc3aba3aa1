package board

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
)

// found are the faults that the looks find.
func found(p Profile, r Roots) []broadcast.FaultCode {
	var out []broadcast.FaultCode
	for _, l := range Looks(p, r) {
		if l.See() != nil {
			out = append(out, l.Code)
		}
	}
	return out
}

func TestLooksFindWhatNobodyUses(t *testing.T) {
	p, err := Named("raspberry-pi-4")
	if err != nil {
		t.Fatal(err)
	}
	p.Inputs = []Input{{Name: "pad", Act: Keypad, Device: "/dev/input/event3"}}
	for _, c := range []struct {
		name   string
		change func(*machine)
		want   []broadcast.FaultCode
	}{
		{"keypad unplugged", func(m *machine) { m.remove("dev/input") }, []broadcast.FaultCode{broadcast.FaultKeypad}},
		{"keypad that cannot be read", func(m *machine) {
			m.remove("dev/input/event3")
			if err := os.Symlink("event3", filepath.Join(m.Data, "dev/input/event3")); err != nil {
				m.t.Fatal(err)
			}
		}, []broadcast.FaultCode{broadcast.FaultKeypad}},
		{"nothing wrong", func(*machine) {}, nil},
		{"sound card unplugged", func(m *machine) { m.remove("proc/asound") }, []broadcast.FaultCode{broadcast.FaultSoundCard}},
		{"given up by the system", func(m *machine) { m.ReadOnly = func(string) (bool, error) { return true, nil } }, []broadcast.FaultCode{broadcast.FaultStoreReadOnly}},
		{"cannot be asked", func(m *machine) {
			m.ReadOnly = func(string) (bool, error) { return false, errors.New("input/output error") }
		}, []broadcast.FaultCode{broadcast.FaultStoreReadOnly}},
		{"full", func(m *machine) { m.Free = func(string) (uint64, error) { return cardFull - 1, nil } }, []broadcast.FaultCode{broadcast.FaultStoreFull}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := healthy(t)
			m.write("dev/input/event3", "")
			c.change(m)
			if got := found(p, m.Roots); !slices.Equal(got, c.want) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

func TestLooksOfThisMachineFindItWritable(t *testing.T) {
	simulated, err := Named("simulated")
	if err != nil {
		t.Fatal(err)
	}
	if got := found(simulated, System(t.TempDir(), "")); slices.Contains(got, broadcast.FaultStoreReadOnly) {
		t.Errorf("found %q", got)
	}
	if got := found(simulated, System(t.TempDir(), "")); slices.Contains(got, broadcast.FaultKeypad) {
		t.Error("a simulated keypad was looked for")
	}
	if locked, err := readOnly("/sys"); err != nil {
		t.Errorf("/sys: %v %v", locked, err)
	}
}
