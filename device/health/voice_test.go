package health_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/health"
)

// talk runs a voice for a while over what a chart would show, and returns when
// it spoke.
func talk(v *health.Voice, from, span time.Duration, shown func(time.Duration) []wire.Fault) []time.Duration {
	var spoke []time.Duration
	for now := from; now < from+span; now += time.Second {
		if due, _ := v.Due(now, shown(now)); due {
			v.Said(now, shown(now))
			spoke = append(spoke, now)
		}
	}
	return spoke
}

func steady(codes ...wire.Fault) func(time.Duration) []wire.Fault {
	return func(time.Duration) []wire.Fault { return codes }
}

func TestChangeIsToldAtOnceAndAgain(t *testing.T) {
	var v health.Voice
	if got := talk(&v, time.Second, time.Hour, steady()); got[0] != time.Second {
		t.Errorf("a new connection was told at %v", got[0])
	}
	got := talk(&v, 2*time.Hour, 3*time.Minute, steady(wire.Fault{Code: "mains"}))
	want := []time.Duration{0, 30 * time.Second, time.Minute, 90 * time.Second, 2 * time.Minute}
	for i, w := range want {
		if len(got) != len(want) || got[i] != 2*time.Hour+w {
			t.Fatalf("told at %v, want %v after the change", got, want)
		}
	}
}

func TestFaultThatStaysCostsNoMoreThanGoodHealth(t *testing.T) {
	var well, ill health.Voice
	day := 24 * time.Hour
	healthy := len(talk(&well, time.Second, day, steady()))
	faulty := len(talk(&ill, time.Second, day, steady(wire.Fault{Code: "mains"})))
	if faulty != healthy || healthy > 24*12+5 {
		t.Errorf("%d messages a day in good health, %d with a fault", healthy, faulty)
	}
}

func TestManyChangesAreToldWithinFifteenSeconds(t *testing.T) {
	var v health.Voice
	changing := func(now time.Duration) []wire.Fault {
		return []wire.Fault{{Code: "mains", Cause: fmt.Sprint(now)}}
	}
	spoke := talk(&v, time.Second, time.Hour, changing)
	for i := 1; i < len(spoke); i++ {
		if gap := spoke[i] - spoke[i-1]; gap < 2*time.Second || gap > 15*time.Second {
			t.Fatalf("%v between two messages", gap)
		}
	}
	if len(spoke) > 250 {
		t.Errorf("%d messages in an hour", len(spoke))
	}
}

func TestNewConnectionIsToldEverything(t *testing.T) {
	var v health.Voice
	talk(&v, time.Second, time.Minute, steady())
	if due, _ := v.Due(50*time.Second, nil); due {
		t.Fatal("told without need")
	}
	v.Anew()
	if due, _ := v.Due(50*time.Second, nil); !due {
		t.Error("a new connection was told nothing")
	}
}
