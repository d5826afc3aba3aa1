package line

import (
	"errors"
	"reflect"
	"testing"

	"github.com/warthog618/go-gpiocdev"
)

func TestAnInputIsOnlyWatchedAndTellsEveryEdge(t *testing.T) {
	for _, low := range []bool{false, true} {
		sys, edges := newFakeSystem(), 0
		in, err := openInput(sys, sys.watch, Place{Chip: "pinctrl-bcm2711", Offset: 22, ActiveLow: low}, func() { edges++ })
		if err != nil {
			t.Fatal(err)
		}
		level := gpiocdev.LineReqOption(gpiocdev.AsActiveHigh)
		if low {
			level = gpiocdev.AsActiveLow
		}
		want := []gpiocdev.LineReqOption{gpiocdev.WithABIVersion(2), gpiocdev.WithConsumer("loaxa-panel"), level, gpiocdev.AsInput, gpiocdev.WithBothEdges}
		if last := len(sys.options) - 1; !reflect.DeepEqual(sys.options[:last], want) {
			t.Errorf("options %#v, want %#v", sys.options[:last], want)
		} else if tell, ok := sys.options[last].(gpiocdev.EventHandler); !ok {
			t.Errorf("nobody is told of edges: %#v", sys.options[last])
		} else {
			tell(gpiocdev.LineEvent{})
		}
		sys.contact.value = 1
		if on, err := in.Active(); err != nil || !on || edges != 1 || sys.offset != 22 {
			t.Errorf("line %d stands %v, %v after %d edges", sys.offset, on, err, edges)
		}
		if err := in.Close(); err != nil || !sys.contact.closed {
			t.Errorf("the line was kept: %v", err)
		}
	}
}

func TestAnInputThatFailsSaysSo(t *testing.T) {
	sys := newFakeSystem()
	if _, err := openInput(sys, sys.watch, Place{Chip: "none"}, nil); !errors.Is(err, ErrNoChip) {
		t.Errorf("a chip that is not there: %v", err)
	}
	sys.failure = errors.New("busy")
	if _, err := openInput(sys, sys.watch, Place{Chip: "pinctrl-bcm2711"}, nil); !errors.Is(err, sys.failure) {
		t.Errorf("a line that is taken: %v", err)
	}
	broken := Input{&fakeInput{failure: sys.failure}}
	if _, err := broken.Active(); !errors.Is(err, sys.failure) {
		t.Errorf("a line that cannot be read: %v", err)
	}
}
