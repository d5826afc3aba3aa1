package line

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/warthog618/go-gpiocdev"
)

// fakeInput is a pin that somebody else drives.
type fakeInput struct {
	value   int
	closed  bool
	failure error
}

func (i *fakeInput) Value() (int, error) { return i.value, i.failure }

func (i *fakeInput) Close() error {
	i.closed = true
	return nil
}

func TestTheAmplifierIsSeenByAnInputOfItsOwn(t *testing.T) {
	for name, low := range map[string]bool{"active high": false, "active low": true} {
		t.Run(name, func(t *testing.T) {
			sys, in := newFakeSystem(), &fakeInput{value: 1}
			var chip string
			var offset int
			var options []gpiocdev.LineReqOption
			s, err := openSensed(sys, func(c string, o int, with ...gpiocdev.LineReqOption) (input, error) {
				chip, offset, options = c, o, with
				return in, nil
			}, Place{Chip: "pinctrl-bcm2711", Offset: 17}, Sense{Offset: 27, ActiveLow: low})
			if err != nil {
				t.Fatal(err)
			}
			level := gpiocdev.LineReqOption(gpiocdev.AsActiveHigh)
			if low {
				level = gpiocdev.AsActiveLow
			}
			want := []gpiocdev.LineReqOption{gpiocdev.WithABIVersion(2), gpiocdev.WithConsumer("loaxa-guard"), level, gpiocdev.AsInput}
			if chip != "gpiochip4" || offset != 27 || sys.offset != 17 || !reflect.DeepEqual(options, want) {
				t.Errorf("asked %s for line %d with %#v, and for the relay on %d", chip, offset, options, sys.offset)
			}
			if on, err := s.Powered(); err != nil || !on {
				t.Errorf("powered %v, %v", on, err)
			}
			in.value = 0
			if on, err := s.Powered(); err != nil || on {
				t.Errorf("powered %v, %v without power", on, err)
			}
			in.failure = errors.New("bus stuck")
			if _, err := s.Powered(); !errors.Is(err, in.failure) {
				t.Errorf("a pin that cannot be read: %v", err)
			}
			if err := s.Close(); err != nil || !in.closed || !sys.granted.closed {
				t.Errorf("close: %v; input given back %v, relay %v", err, in.closed, sys.granted.closed)
			}
		})
	}
}

func TestWithoutItsInputTheRelayIsGivenBackOpen(t *testing.T) {
	sys, taken := newFakeSystem(), errors.New("device or resource busy")
	_, err := openSensed(sys, func(string, int, ...gpiocdev.LineReqOption) (input, error) { return nil, taken },
		Place{Chip: "pinctrl-bcm2711", Offset: 17}, Sense{Offset: 27})
	if !errors.Is(err, taken) || !sys.granted.closed || !reflect.DeepEqual(sys.granted.values, []int{0}) {
		t.Errorf("error %v, given back %v after %v", err, sys.granted.closed, sys.granted.values)
	}
	if _, err := OpenSensed(Place{Chip: "no-such-chip"}, Sense{}); !errors.Is(err, ErrNoChip) {
		t.Errorf("a board without the chip: %v", err)
	}
}

func TestSimulatedContactsObeyUntilAFileSaysOtherwise(t *testing.T) {
	dir := t.TempDir()
	relay, err := OpenFile(filepath.Join(dir, "relay.jsonl"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	contacts := filepath.Join(dir, "contacts")
	f := NewSensedFile(relay, contacts)
	defer f.Close()
	for _, c := range []struct {
		says string
		told bool
		want bool
	}{
		{"", false, false}, {"", true, true}, {"closed\n", false, true}, {"open", true, false}, {"rusty", true, true},
	} {
		if c.says != "" {
			if err := os.WriteFile(contacts, []byte(c.says), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Set(c.told); err != nil {
			t.Fatal(err)
		}
		if on, err := f.Powered(); err != nil || on != c.want {
			t.Errorf("told %v, file %q: powered %v, %v", c.told, c.says, on, err)
		}
	}
	if _, err := NewSensedFile(relay, dir).Powered(); err == nil {
		t.Error("a folder is taken for contacts")
	}
}
