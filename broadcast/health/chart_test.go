package health_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/health"
	"github.com/loaxa/loaxa/broadcast/wire"
)

const began = broadcast.Instant(1795248000000)

// clock is the time of a test.
type clock struct{ mono time.Duration }

func (c *clock) now() health.Moment {
	return health.Moment{Mono: c.mono, At: began.Add(c.mono)}
}

// codes are what a chart shows now.
func codes(c *health.Chart, at *clock) []broadcast.FaultCode {
	list, _ := c.Shown(at.now())
	var out []broadcast.FaultCode
	for _, f := range list {
		out = append(out, f.Code)
	}
	return out
}

// shows fails unless the chart shows exactly these.
func shows(t *testing.T, c *health.Chart, at *clock, want ...broadcast.FaultCode) {
	t.Helper()
	if got := codes(c, at); !slices.Equal(got, want) {
		t.Errorf("after %v it shows %q, want %q", at.mono, got, want)
	}
}

func row(t *testing.T, code broadcast.FaultCode) broadcast.Fault {
	t.Helper()
	f, known := broadcast.FaultOf(code)
	if !known {
		t.Fatalf("no row of %s", code)
	}
	return f
}

func TestFaultIsDeclaredWhenItLastedAndClearedWhenItIsCalm(t *testing.T) {
	for _, f := range broadcast.Faults() {
		var c health.Chart
		at := &clock{mono: time.Hour}
		c.Raise(f.Code, "left", "it broke", at.now())
		if f.Lasts > 0 {
			at.mono += f.Lasts - time.Millisecond
			shows(t, &c, at)
			at.mono += time.Millisecond
		}
		list, next := c.Shown(at.now())
		want := wire.Fault{Code: f.Code, Part: "left", Since: began.Add(time.Hour), Cause: "it broke"}
		if len(list) != 1 || list[0] != want || next != 0 {
			t.Errorf("%s: shows %+v, next at %v; want %+v", f.Code, list, next, want)
		}
		c.Clear(f.Code, "right", at.now()) // another part
		c.Clear(f.Code, "left", at.now())
		left := at.mono
		at.mono += f.Calm - time.Millisecond
		if list, next := c.Shown(at.now()); len(list) != 1 || next != left+f.Calm {
			t.Errorf("%s: shows %+v before it is calm, next at %v", f.Code, list, next)
		}
		at.mono += time.Millisecond
		shows(t, &c, at)
	}
}

func TestWhatComesAndGoesIsShownAndChangesEverMoreSeldom(t *testing.T) {
	for _, f := range broadcast.Faults() {
		for _, period := range []time.Duration{2 * time.Second, 20 * time.Second, 3 * time.Minute, 20 * time.Minute} {
			var c health.Chart
			step := period / 20
			at := &clock{mono: step}
			changes, declared := 0, time.Duration(0)
			var before []wire.Fault
			for range 5 * time.Hour / max(step, time.Second) {
				at.mono += step
				switch at.mono % period {
				case 0:
					c.Raise(f.Code, "", "", at.now())
				case period / 2:
					c.Clear(f.Code, "", at.now())
				}
				list, _ := c.Shown(at.now())
				if len(list) > 0 && declared == 0 {
					declared = at.mono
				}
				if !slices.Equal(list, before) {
					before = list
					changes++
				}
			}
			if declared == 0 || period <= 20*time.Second && declared > 2*broadcast.MaxFaultDelay {
				t.Errorf("%s, every %v: declared after %v", f.Code, period, declared)
			}
			if changes > 40 {
				t.Errorf("%s, every %v: %d changes in %v", f.Code, period, changes, at.mono)
			}
		}
	}
}

func TestCauseSilencesItsConsequencesUntilTheyOutlastIt(t *testing.T) {
	for _, f := range broadcast.Faults() {
		for _, cause := range f.Behind {
			why := row(t, cause)
			var c health.Chart
			at := &clock{mono: time.Hour}
			c.Raise(f.Code, "", "", at.now())
			at.mono += f.Lasts
			shows(t, &c, at, f.Code)
			c.Raise(cause, "", "", at.now())
			if why.Lasts > 0 {
				shows(t, &c, at) // it is on its way
			}
			at.mono += why.Lasts
			shows(t, &c, at, cause)
			c.Clear(cause, "", at.now())
			at.mono += why.Calm
			shows(t, &c, at, f.Code)
		}
	}
}

func TestFaultOfAnotherVersionIsShownAsItIs(t *testing.T) {
	var c health.Chart
	at := &clock{mono: time.Hour}
	c.Raise("flux-capacitor", "left", "", at.now())
	c.Raise(broadcast.FaultData, "", "", at.now())
	c.Raise(broadcast.FaultRelayStuck, "", "", at.now())
	shows(t, &c, at, broadcast.FaultRelayStuck, "flux-capacitor", broadcast.FaultData)
}

func TestWhateverFailsTheMessageIsValidAndTheWorstIsInIt(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var c health.Chart
	at := &clock{mono: time.Hour}
	all := broadcast.Faults()
	for range 5000 {
		f := all[random.IntN(len(all))]
		c.Raise(f.Code, fmt.Sprintf("%d %s", random.IntN(30), strings.Repeat("ố", 40)), strings.Repeat("ệ", 300), at.now())
		if random.IntN(3) == 0 {
			c.Clear(f.Code, fmt.Sprint(random.IntN(30)), at.now())
		}
		at.mono += time.Duration(random.IntN(1000)) * time.Millisecond
	}
	at.mono += time.Minute
	list, _ := c.Shown(at.now())
	if err := (wire.Health{Boot: "b1", Faults: list}).Validate(); err != nil {
		t.Errorf("seed %d: %v", seed, err)
	}
	if len(list) == 0 || len(list) > 64 || row(t, list[0].Code).Gravity != broadcast.Grave {
		t.Fatalf("seed %d: %d shown, first %+v", seed, len(list), list)
	}
	for _, f := range list {
		if !utf8.ValidString(f.Part) || !utf8.ValidString(f.Cause) {
			t.Errorf("a character was split: %q", f.Part)
		}
	}
}

func TestOneCodeDoesNotCrowdOutTheOthers(t *testing.T) {
	var c health.Chart
	at := &clock{mono: time.Hour}
	for i := range 500 {
		c.Raise(broadcast.FaultDecoder, fmt.Sprint(i), "", at.now())
	}
	if n := len(c.Parts(broadcast.FaultDecoder)); n != 8 {
		t.Errorf("%d parts of one code", n)
	}
	c.Clear(broadcast.FaultDecoder, "3", at.now())
	c.Raise(broadcast.FaultDecoder, "another", "", at.now())
	if parts := c.Parts(broadcast.FaultDecoder); !slices.Contains(parts, "another") {
		t.Errorf("what is over kept its place: %q", parts)
	}
}

func TestWhatWasSeenOnceStaysForItsCalm(t *testing.T) {
	var c health.Chart
	at := &clock{mono: time.Hour}
	f := row(t, broadcast.FaultEquivocation)
	c.Note(f.Code, "policy", "", at.now())
	at.mono += f.Calm - time.Second
	shows(t, &c, at, f.Code)
	at.mono += time.Second
	shows(t, &c, at)
	c.Note(f.Code, "policy", "", at.now())
	shows(t, &c, at, f.Code)
}

func TestChartForgetsWhatIsLongOver(t *testing.T) {
	var c health.Chart
	at := &clock{mono: time.Hour}
	c.Raise(broadcast.FaultMains, "", "first", at.now())
	at.mono += time.Minute
	c.Clear(broadcast.FaultMains, "", at.now())
	at.mono += 3 * time.Hour
	if list, next := c.Shown(at.now()); len(list) != 0 || next != 0 {
		t.Errorf("%+v, next at %v", list, next)
	}
	c.Raise(broadcast.FaultMains, "", "second", at.now())
	at.mono += time.Minute
	if list, _ := c.Shown(at.now()); len(list) != 1 || list[0].Cause != "second" || list[0].Since != began.Add(at.mono-time.Minute) {
		t.Errorf("%+v", list)
	}
}
