package node_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// keyed publishes a template that the key switch "flood" may fire, as changed.
func keyed(r *nodetest.Rig, change func(*broadcast.Template)) broadcast.Template {
	a := r.Announcement("words", broadcast.Emergency, time.Hour, 4*time.Second)
	m := broadcast.Template{ID: "mau-lu", Revision: r.Centre.Revision("mau-lu"), Class: broadcast.Emergency, Title: "Lũ quét", Areas: a.Areas,
		Versions: a.Versions, Expires: r.Centre.Instant().Add(300 * day), Local: &broadcast.OnSite{Keys: []broadcast.Switch{"flood"}, Hourly: 3}}
	if change != nil {
		change(&m)
	}
	r.Centre.Sealed(broadcast.KindTemplate, m, nodetest.Top, r.Centre.Editor, r.Centre.Approver)
	r.List()
	pass(time.Minute) // its recording comes
	return m
}

// firings are the receipts with which the node told of key switches.
func firings(r *nodetest.Rig) []broadcast.Receipt {
	var out []broadcast.Receipt
	for _, one := range r.Centre.Receipts(nodetest.NodeID) {
		if one.Firing != nil {
			out = append(out, one)
		}
	}
	return out
}

// The line is gone since before the boot, and the machine's own clock may be
// anything: whoever has the key stands at the box, and the time is no question.
func TestAKeySwitchSoundsATemplateWithoutAnyLine(t *testing.T) {
	for name, c := range map[string]struct {
		off     time.Duration
		dark    time.Duration
		quality broadcast.Quality
	}{
		"a plausible clock":               {0, day, broadcast.ClockPlausible},
		"no clock at all":                 {-56 * 365 * day, day, broadcast.ClockUnset},
		"no clock, after weeks in a shed": {-56 * 365 * day, 60 * day, broadcast.ClockUnset},
		"a clock of years ahead":          {3650 * day, day, broadcast.ClockUnset},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := nodetest.NewRig(t)
				r.Boot()
				defer func() { r.Stop() }()
				r.Settle()
				pass(2 * time.Second)
				m := keyed(r, nil)
				cutOff(r)
				r.Stop()
				pass(c.dark)
				r.Ticks = nodetest.NewTicks()
				r.Ticks.Set(c.off, false)
				r.BootAlone() // no line since the boot
				pass(time.Minute)
				r.Node.OnKey("flood")
				pass(time.Minute)
				heard := sounded(t, r, 1)[0]
				r.Fetcher.Refuse(nil)
				r.Wire.Up()
				pass(time.Minute)
				told := firings(r)
				if len(told) != 1 || told[0].Clock != c.quality || told[0].Firing.Key != "flood" || told[0].Firing.Template.ID != m.ID {
					t.Fatalf("told of %+v", told)
				}
				if lag := heard.Powered.Sub(told[0].At.Time()); lag > 3*time.Second { // both by the node's clock
					t.Errorf("the relay closed %v after the turn", lag)
				}
				rungs(t, r, told[0].Announcement, "received", "verified", "cached", "powered", "playing", "sounded", "ended")
				if err := r.Centre.Err(); err != nil {
					t.Errorf("the node said what no controller accepts: %v", err)
				}
			})
		})
	}
}

func TestTheRelayClosesWithinSecondsOfTheKey(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		keyed(r, nil)
		cutOff(r)
		turned := time.Now()
		r.Node.OnKey("flood")
		pass(time.Minute)
		if heard := sounded(t, r, 1)[0]; heard.Powered.Sub(turned) > 3*time.Second {
			t.Errorf("the relay closed %v after the key was turned", heard.Powered.Sub(turned))
		}
	})
}

func TestAKeySwitchFiresNothingButWhatTwoOfficersAllowed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*broadcast.Template)
		then   func(*nodetest.Rig, broadcast.Template)
		key    string
	}{
		"a template that names no key": {change: func(m *broadcast.Template) { m.Local = nil }},
		"another key":                  {key: "fire"},
		"no name at all":               {key: "../flood"},
		"another area's template":      {change: func(m *broadcast.Template) { m.Areas = []broadcast.ID{"viet-quang"} }},
		"one that has expired":         {change: func(m *broadcast.Template) { m.Expires = m.Revision.IssuedAt().Add(30 * time.Second) }},
		"one that is listed no more": {then: func(r *nodetest.Rig, m broadcast.Template) {
			r.Centre.Delist(nodetest.Top, broadcast.KindTemplate, m.ID)
			r.List()
		}},
		"one that was withdrawn": {then: func(r *nodetest.Rig, m broadcast.Template) {
			r.Withdraw(broadcast.Announcement{ID: m.ID, Revision: m.Revision, Class: m.Class, Areas: m.Areas})
		}},
		"one whose newer revision names no key": {then: func(r *nodetest.Rig, m broadcast.Template) {
			m.Revision, m.Local = r.Centre.Revision("mau-lu"), nil
			r.Centre.Sealed(broadcast.KindTemplate, m, nodetest.Top, r.Centre.Editor, r.Centre.Approver)
			r.List()
		}},
		"one that one officer sealed": {then: func(r *nodetest.Rig, m broadcast.Template) {
			r.Centre.Delist(nodetest.Top, broadcast.KindTemplate, m.ID)
			r.List()
			m.ID = "mau-mot"
			r.Centre.Sealed(broadcast.KindTemplate, m, nodetest.Top, r.Centre.Approver)
			r.List()
		}},
		"nothing at all": {change: nil, then: func(r *nodetest.Rig, _ broadcast.Template) {
			r.Node.OnKey("flood")
			pass(time.Minute)
			if got := len(r.Player.Sounded()); got != 1 {
				panic(fmt.Sprintf("the true key sounded %d times: this test proves nothing", got))
			}
		}, key: "fire"},
	} {
		t.Run(name, func(t *testing.T) {
			world(t, func(t *testing.T, r *nodetest.Rig) {
				m := keyed(r, c.change)
				if c.then != nil {
					c.then(r, m)
				}
				pass(time.Minute)
				before := len(r.Player.Sounded())
				key := c.key
				if key == "" {
					key = "flood"
				}
				r.Node.OnKey(key)
				pass(time.Hour)
				if got := len(r.Player.Sounded()) - before; got != 0 || len(firings(r)) != before {
					t.Errorf("it was heard %d times and told %d times", got, len(firings(r)))
				}
			})
		})
	}
}

func TestAKeySwitchFiresNoMoreOftenThanItMayAndOnceAtATime(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		keyed(r, nil)
		for range 6 { // in haste
			r.Node.OnKey("flood")
			pass(time.Second)
		}
		pass(time.Minute)
		sounded(t, r, 1)
		for range 6 {
			r.Node.OnKey("flood")
			pass(2 * time.Minute)
		}
		sounded(t, r, 3)
		pass(time.Hour)
		r.Node.OnKey("flood")
		pass(time.Minute)
		sounded(t, r, 4)
	})
}

func TestWhatAKeySwitchFiredObeysTheRulesOfItsClass(t *testing.T) {
	t.Run("a priority template in the quiet hours", func(t *testing.T) {
		world(t, func(t *testing.T, r *nodetest.Rig) {
			r.Send(wire.Area(nodetest.Top, "policy"), r.Centre.Policy(func(p *broadcast.Policy) { p.Quiet = []broadcast.Span{{From: 0, To: 24 * 60}} }))
			keyed(r, func(m *broadcast.Template) { m.Class = broadcast.Priority })
			r.Node.OnKey("flood")
			pass(time.Hour)
			sounded(t, r, 0)
			rungs(t, r, firings(r)[0].Announcement, "received", "verified", "cached", "refused quiet")
		})
	})
	t.Run("the office withdraws it in mid-word", func(t *testing.T) {
		world(t, func(t *testing.T, r *nodetest.Rig) {
			m := keyed(r, func(m *broadcast.Template) { m.Versions[0].Content.Millis = 60000 })
			r.Node.OnKey("flood")
			pass(10 * time.Second)
			told := firings(r)[0]
			r.Withdraw(broadcast.Announcement{ID: told.Announcement, Revision: told.Of, Class: m.Class, Areas: m.Areas})
			pass(5 * time.Second)
			rungs(t, r, told.Announcement, "received", "verified", "cached", "powered", "playing", "withdrawn withdrawn")
		})
	})
	t.Run("an ordinary template that is listed no more while it waits", func(t *testing.T) {
		world(t, func(t *testing.T, r *nodetest.Rig) {
			m := keyed(r, func(m *broadcast.Template) { m.Class = broadcast.Priority })
			r.Node.OnKey("flood")
			synctest.Wait()
			r.Centre.Delist(nodetest.Top, broadcast.KindTemplate, m.ID)
			r.List()
			pass(time.Hour)
			sounded(t, r, 0)
		})
	})
}

func TestAFiringThatIsCutByACrashSoundsAgainAtMostTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := nodetest.NewRig(t)
		r.Boot()
		defer func() { r.Stop() }()
		r.Settle()
		pass(2 * time.Second)
		keyed(r, func(m *broadcast.Template) { m.Versions[0].Content.Millis = 60000 })
		cutOff(r)
		r.Node.OnKey("flood")
		for range 6 {
			pass(20 * time.Second)
			r.Crash(storetest.KeepSynced)
			r.Ticks = nodetest.NewTicks()
			r.BootAlone()
		}
		pass(time.Hour)
		r.Fetcher.Refuse(nil)
		r.Wire.Up()
		pass(time.Minute)
		told := firings(r)
		if len(told) != 1 {
			t.Fatalf("told of %d firings", len(told))
		}
		begun := 0
		for _, one := range r.Centre.Receipts(nodetest.NodeID) {
			if one.Announcement == told[0].Announcement && one.Rung == broadcast.Playing {
				begun++
			}
		}
		if begun != 3 {
			t.Errorf("it began to sound %d times, want 3: %q", begun, r.Centre.Rungs(nodetest.NodeID, told[0].Announcement))
		}
	})
}

// What a card tells of another boot is no longer surely new without a clock.
func TestAnOldFiringStaysSilentAfterABootWithoutAClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := nodetest.NewRig(t)
		r.Boot()
		defer func() { r.Stop() }()
		r.Settle()
		pass(2 * time.Second)
		keyed(r, func(m *broadcast.Template) { m.Versions[0].Content.Millis = 60000 })
		cutOff(r)
		r.Node.OnKey("flood")
		pass(20 * time.Second)
		r.Crash(storetest.KeepSynced)
		r.Ticks = nodetest.NewTicks()
		r.Ticks.Set(-56*365*day, false)
		r.BootAlone()
		pass(time.Hour)
		sounded(t, r, 1) // and was cut; nobody knows any more how long ago
		r.Node.OnKey("flood")
		pass(2 * time.Minute)
		sounded(t, r, 2)
	})
}

// A node's own key seals receipts and nothing that anybody sounds.
func TestANodesOwnKeySpeaksForNobody(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		m := keyed(r, nil)
		r.Node.OnKey("flood")
		pass(time.Minute)
		sounded(t, r, 1)
		told := firings(r)[0]
		id, err := r.Public().ID()
		if err != nil {
			t.Fatal(err)
		}
		own := seal.Signer{KID: id, Key: r.Key}
		again := *told.Firing
		again.Start = r.Centre.Instant().Add(5 * time.Second)
		a := again.Announcement("again", r.Centre.Revision("again"), m)
		batch := broadcast.ReceiptBatch{Node: nodetest.NodeID, Chain: "c-1", Receipts: []broadcast.Receipt{told}}
		for _, raw := range [][]byte{r.Centre.Sealed(broadcast.KindAnnouncement, a, nodetest.Top, own), sealtest.Sealed(broadcast.KindReceipts, batch, own)} {
			for _, topic := range []string{wire.Area(nodetest.Top, "announcement"), wire.Node(nodetest.NodeID, "document"), wire.Node(nodetest.NodeID, "receipt")} {
				r.Send(topic, raw)
			}
			r.List()
			pass(time.Hour)
		}
		sounded(t, r, 1)
	})
}
