package node_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/board"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/power"
)

// plant is a battery as nature has it, under the rig's amplifier: the node sees
// nothing of it but what its sensors show.
type plant struct {
	r *nodetest.Rig
	p board.Profile

	mu     sync.Mutex
	held   float64 // Wh
	mains  bool
	volts  float64 // shown instead of the battery's own; 0 for that
	told   []power.State
	lowest map[broadcast.Class]float64 // Wh held while it drew
}

// village is a board of a poor village: 240 Wh for the 144 that three days need
// at rest.
func village() board.Profile {
	return board.Profile{
		Relay: board.Relay{WarmUp: nodetest.WarmUp, Hold: 2 * time.Second},
		Sensors: []board.Sensor{{Name: "battery", Kind: board.Voltage, Scale: 1, Least: 10.8, Most: 15},
			{Name: "mains", Kind: board.Mains, Scale: 1}},
		Power: board.Power{Battery: true, CapacityWh: 240, IdleWatts: 2, SoundingWatts: 40, ChargeWatts: 40, VoltageSensor: "battery", MainsSensor: "mains",
			Curve:      []board.Point{{Volts: 11.6, Charge: 0}, {Volts: 12.2, Charge: 50}, {Volts: 12.8, Charge: 100}},
			FirstLevel: 50, SecondLevel: 25, ReserveSounding: 10},
	}
}

// Closed says whether the amplifier draws.
func (x *plant) Closed() bool { return time.Now().Before(x.r.Player.Opens()) }

// Off opens the relay.
func (x *plant) Off() error { return x.r.Player.Rest() }

func (x *plant) read(s board.Sensor) (float64, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if s.Kind == board.Mains {
		if x.mains {
			return 1, nil
		}
		return 0, nil
	}
	switch rest := 11.6 + 1.2*x.held/x.p.Power.CapacityWh; {
	case x.volts != 0:
		return x.volts, nil
	case x.mains:
		return 13.6, nil
	case x.Closed():
		return rest - 0.4, nil // it sags under load
	default:
		return rest, nil
	}
}

// nature is how finely nature runs.
const nature = 5 * time.Second

// live lets a moment of nature pass.
func (x *plant) live() {
	class := x.speaking()
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.mains:
		x.held += x.p.Power.ChargeWatts * nature.Hours()
	case x.Closed():
		x.held -= x.p.Power.SoundingWatts * nature.Hours()
		x.lowest[class] = min(x.held, x.lowest[class])
	default:
		x.held -= x.p.Power.IdleWatts * nature.Hours()
	}
	x.held = min(max(0, x.held), x.p.Power.CapacityWh)
}

// speaking is the class of what was heard last; ids begin with it.
func (x *plant) speaking() broadcast.Class {
	all := x.r.Player.Played()
	if len(all) == 0 {
		return ""
	}
	class, _, _ := strings.Cut(all[len(all)-1].Sounding.Name, "-")
	return broadcast.Class(class)
}

func (x *plant) set(change func(*plant)) {
	x.mu.Lock()
	defer x.mu.Unlock()
	change(x)
}

func (x *plant) left() float64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.held
}

func (x *plant) low(c broadcast.Class) float64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.lowest[c]
}

func (x *plant) last() power.State {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.told[len(x.told)-1]
}

// powered has a gauge tell the rig's node of a plant, on mains at first, and
// lets nature run.
func powered(t *testing.T, r *nodetest.Rig, p board.Profile, noted float64) *plant {
	x := &plant{r: r, p: p, mains: true, held: noted / 100 * p.Power.CapacityWh, lowest: map[broadcast.Class]float64{}}
	for _, c := range broadcast.Classes() {
		x.lowest[c] = p.Power.CapacityWh
	}
	g := power.New(power.Config{Profile: p, Read: x.read, Amplifier: x, Noted: noted, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Keep: func(float64) error { return nil },
		Tell: func(s power.State) {
			x.set(func(x *plant) { x.told = append(x.told, s) })
			r.Node.OnPower(s)
		}})
	ctx, cancel := context.WithCancel(t.Context())
	var work sync.WaitGroup
	work.Go(func() { _ = g.Serve(ctx) })
	work.Go(func() {
		tick := time.NewTicker(nature)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				x.live()
			case <-ctx.Done():
				return
			}
		}
	})
	t.Cleanup(work.Wait)
	t.Cleanup(cancel)
	pass(2 * time.Second)
	return x
}

// speak announces for the commune, with its own officers.
func speak(r *nodetest.Rig, id broadcast.ID, class broadcast.Class, in, length time.Duration, change func(*broadcast.Announcement)) broadcast.Announcement {
	a := r.Announcement(id, class, in, length)
	a.Areas = []broadcast.ID{nodetest.Area}
	if change != nil {
		change(&a)
	}
	raw := r.Centre.Sealed(broadcast.KindAnnouncement, a, nodetest.Area, r.Centre.House.Officer("xa-1", broadcast.Commune, nodetest.Area), r.Centre.House.Officer("xa-2", broadcast.Commune, nodetest.Area))
	r.Send(wire.Area(nodetest.Top, "authority"), r.Centre.Authority())
	r.Send(wire.Area(nodetest.Area, "announcement"), raw)
	r.List()
	return a
}

// everyDay makes an announcement recur.
func everyDay(a *broadcast.Announcement) {
	a.Timing.Recurrence = &broadcast.Recurrence{Rule: "FREQ=DAILY"}
	a.Timing.Until = a.Timing.Start.Add(4 * 24 * time.Hour)
}

// count says how many receipts of a document begin with a text.
func count(r *nodetest.Rig, id broadcast.ID, text string) int {
	return len(slices.DeleteFunc(r.Centre.Rungs(nodetest.NodeID, id), func(s string) bool { return s != text }))
}

// TestThreeDaysWithoutMainsLeaveTenSoundingsForEmergencies is the storm: the
// mains are gone for 72 hours over a full day's programme. Normal items stop at
// the first level, priority items at the second, an emergency of every day
// sounds, and at the end ten more of a minute do.
func TestThreeDaysWithoutMainsLeaveTenSoundingsForEmergencies(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		x := powered(t, r, village(), 100)
		for i, hour := range []time.Duration{2, 8, 14} {
			speak(r, broadcast.ID(fmt.Sprintf("normal-%d", i)), broadcast.Normal, hour*time.Hour, 20*time.Minute, everyDay)
		}
		for i, hour := range []time.Duration{4, 16} {
			speak(r, broadcast.ID(fmt.Sprintf("priority-%d", i)), broadcast.Priority, hour*time.Hour, 10*time.Minute, everyDay)
		}
		pass(time.Hour)
		x.set(func(x *plant) { x.mains = false })
		for day := range 3 {
			pass(20 * time.Hour)
			id := broadcast.ID(fmt.Sprintf("emergency-%d", day))
			r.Announce(r.Announcement(id, broadcast.Emergency, 3*time.Second, time.Minute))
			pass(4 * time.Hour)
			rungs(t, r, id, "received", "verified", "cached", "powered", "playing", "sounded", "ended")
			t.Logf("day %d: %.1f Wh, %+v", day+1, x.left(), x.last())
		}
		var heard, refused = map[broadcast.Class]int{}, map[broadcast.Class]int{}
		for class, n := range map[broadcast.Class]int{broadcast.Normal: 3, broadcast.Priority: 2} {
			for i := range n {
				heard[class] += count(r, broadcast.ID(fmt.Sprintf("%s-%d", class, i)), "ended")
				refused[class] += count(r, broadcast.ID(fmt.Sprintf("%s-%d", class, i)), "refused power")
			}
		}
		if heard[broadcast.Normal] < 3 || refused[broadcast.Normal] < 3 || heard[broadcast.Priority] < 3 || refused[broadcast.Priority] < 1 {
			t.Errorf("soundings heard %v, refused %v", heard, refused)
		}
		p := x.p
		if low := x.low(broadcast.Normal); low < 60 {
			t.Errorf("normal items took the battery down to %.1f Wh; they begin above 120 and end at 60 at the latest", low)
		}
		if low := x.low(broadcast.Priority); low < p.Reserve() {
			t.Errorf("priority items took the battery down to %.1f Wh, the reserve is %.1f", low, p.Reserve())
		}
		if s := r.Centre.State(nodetest.NodeID).Supply; s == nil || s.Mains || s.Battery == nil || s.Battery.Charge > 25 || s.Battery.Hours < 1 {
			t.Errorf("the office is told %+v", s)
		}
		if got := r.Centre.Faults(nodetest.NodeID); !slices.Contains(got, "battery") || !slices.Contains(got, "mains") {
			t.Errorf("faults %q", got)
		}
		before := len(r.Player.Sounded())
		for i := range 10 {
			r.Announce(r.Announcement(broadcast.ID(fmt.Sprintf("emergency-last-%d", i)), broadcast.Emergency, 3*time.Second, time.Minute))
			pass(5 * time.Minute)
		}
		whole := slices.DeleteFunc(r.Player.Sounded()[before:], func(one nodetest.Played) bool { return one.Evidence.Samples != 60*48000 })
		if len(whole) != 10 || x.left() <= 0 {
			t.Errorf("%d of 10 emergencies sounded for a minute, %.1f Wh are left", len(whole), x.left())
		}
	})
}

func TestPullingThePlugEndsWhatMayNotGoOn(t *testing.T) {
	for _, c := range []struct {
		charge float64
		class  broadcast.Class
		end    string
	}{
		{60, broadcast.Normal, "ended"}, {40, broadcast.Normal, "ended"}, {20, broadcast.Normal, "interrupted power"},
		{20, broadcast.Priority, "ended"}, {2, broadcast.Priority, "interrupted power"}, {2, broadcast.Emergency, "ended"},
	} {
		t.Run(fmt.Sprintf("%s at %v percent", c.class, c.charge), func(t *testing.T) {
			world(t, func(t *testing.T, r *nodetest.Rig) {
				x := powered(t, r, village(), c.charge)
				speak(r, "tin", c.class, 5*time.Second, time.Minute, nil)
				pass(25 * time.Second)
				x.set(func(x *plant) { x.mains = false })
				pulled := time.Now()
				pass(2 * time.Minute)
				heard := sounded(t, r, 1)[0]
				if got := r.Centre.Rungs(nodetest.NodeID, "tin"); got[len(got)-1] != c.end {
					t.Errorf("it ended as %q, want %q", got[len(got)-1], c.end)
				}
				if c.end != "ended" && heard.Evidence.Last.Sub(pulled) > 3*time.Second {
					t.Errorf("it sounded for %v after the plug was pulled", heard.Evidence.Last.Sub(pulled))
				}
			})
		})
	}
}

func TestAtABadVoltageNothingSoundsAndAnEmergencyIsCaughtUp(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		x := powered(t, r, village(), 100)
		flood := r.Announcement("flood", broadcast.Emergency, 5*time.Second, time.Minute)
		r.Announce(flood)
		r.Announce(r.Announcement("market", broadcast.Priority, 2*time.Minute, 20*time.Second))
		pass(20 * time.Second)
		x.set(func(x *plant) { x.volts = 16 })
		bad := time.Now()
		pass(20 * time.Second)
		if last := sounded(t, r, 1)[0]; !last.Over || last.Evidence.Last.Sub(bad) > 5*time.Second {
			t.Errorf("it sounds at 16 V: %+v", last)
		}
		r.Announce(r.Announcement("second", broadcast.Emergency, 5*time.Second, 10*time.Second))
		pass(5 * time.Minute)
		sounded(t, r, 1)
		rungs(t, r, "market", "received", "verified", "cached", "refused power")
		if got := r.Centre.Faults(nodetest.NodeID); !slices.Contains(got, "voltage") {
			t.Errorf("faults %q", got)
		}
		x.set(func(x *plant) { x.volts = 0 })
		good := r.Centre.Instant()
		pass(5 * time.Minute)
		for _, one := range sounded(t, r, 3)[1:] {
			if at := one.First.Sub(flood.Timing.Start.Time()); at%(10*time.Second) != 0 && one.First.Sub(good.Time()) < time.Minute {
				t.Errorf("%s is caught up %v after the start, not on the grid that neighbours share", one.Sounding.Name, at)
			}
		}
		rungs(t, r, "flood", "received", "verified", "cached", "powered", "playing", "interrupted power", "powered repeat 2", "playing repeat 2", "sounded repeat 2", "ended repeat 2")
		rungs(t, r, "second", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
		if got := r.Centre.Faults(nodetest.NodeID); len(got) > 0 {
			t.Errorf("faults %q", got)
		}
	})
}

func TestAnEmergencyThatNeverGotAFitVoltageIsRefusedWhenItsWindowCloses(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		x := powered(t, r, village(), 100)
		x.set(func(x *plant) { x.volts = 9 })
		pass(20 * time.Second)
		r.Announce(r.Announcement("flood", broadcast.Emergency, 5*time.Second, time.Minute))
		pass(29 * time.Minute)
		rungs(t, r, "flood", "received", "verified", "cached")
		pass(10 * time.Minute)
		sounded(t, r, 0)
		rungs(t, r, "flood", "received", "verified", "cached", "refused power")
	})
}

func TestAnAmplifierThatRefusesTheVoltageIsNoBrokenRelay(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Player.FailPlay(func(player.Sounding) error {
			return errors.Join(player.ErrPower, power.ErrVoltage)
		})
		r.Announce(r.Announcement("market", broadcast.Priority, 5*time.Second, 4*time.Second))
		pass(time.Minute)
		rungs(t, r, "market", "received", "verified", "cached", "powered", "playing", "failed power")
		if got := r.Centre.Faults(nodetest.NodeID); len(got) > 0 {
			t.Errorf("faults %q", got)
		}
	})
}
