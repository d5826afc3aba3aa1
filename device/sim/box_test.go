package sim

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/loaxa/loaxa/device/board"
)

func TestASimulatedBoxIsInGoodHealthAndStaysAsSomebodyLeftIt(t *testing.T) {
	p, err := board.Named("simulated")
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "box")
	for round := range 2 {
		pipe, err := Box(dir, p)
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range p.Inputs {
			if i.Act == board.Keypad {
				if pipe.Struck(i.Name) == nil {
					t.Errorf("keypad %s: nothing to type on", i.Name)
				}
				continue
			}
			if pressed, err := pipe.Active(i.Name); err != nil || pressed {
				t.Errorf("input %s: pressed %v, %v", i.Name, pressed, err)
			}
		}
		for _, s := range p.Sensors {
			v, err := s.Read(dir)
			if err != nil || s.Outside(v, 0) != 0 {
				t.Errorf("sensor %s shows %v: %v", s.Name, v, err)
			}
			if fed := v != 0; s.Kind == board.Mains && fed != (round == 0) {
				t.Errorf("round %d: the mains are on: %v", round, fed)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, "mains"), []byte("0\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if p.Power.Charge(p.Power.Full()+0.8) != 100 {
		t.Error("the battery does not begin full")
	}
	if _, err := Box("/dev/null/box", p); err == nil {
		t.Error("a box where none can be")
	}
}
