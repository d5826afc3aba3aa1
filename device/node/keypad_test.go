package node_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pin"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// officer is somebody with a PIN.
type officer struct {
	broadcast.Code
	digits string
}

// officers draws PINs for Lan, number 11, and Minh, number 12.
func officers(t *testing.T) (lan, minh officer) {
	t.Helper()
	entropy := rand.NewChaCha8([32]byte{7})
	draw := func(number broadcast.Number, person broadcast.ID) officer {
		digits, lock, err := pin.New(entropy)
		if err != nil {
			t.Fatal(err)
		}
		return officer{broadcast.Code{Number: number, Person: person, Lock: lock}, digits}
	}
	return draw("11", "lan"), draw("12", "minh")
}

// tried are the faults that tell of wrong PINs.
func tried(r *nodetest.Rig) []wire.Fault {
	return slices.DeleteFunc(r.Centre.Unwell(nodetest.NodeID), func(f wire.Fault) bool { return f.Code != broadcast.FaultPINs })
}

// dial types a code, and waits until it was compared.
func dial(r *nodetest.Rig, number broadcast.Number, digits string) {
	r.Node.OnCode("pad", string(number), digits)
	pass(time.Second)
}

func TestAPINSoundsATemplateAndTheReceiptNamesWhoseItWas(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		lan, minh := officers(t)
		keyed(r, func(m *broadcast.Template) {
			m.Local = &broadcast.OnSite{Codes: []broadcast.Code{lan.Code, minh.Code}, Hourly: 3}
		})
		cutOff(r)
		typed := time.Now()
		dial(r, minh.Number, minh.digits)
		pass(time.Minute)
		if heard := sounded(t, r, 1)[0]; heard.Powered.Sub(typed) > 4*time.Second {
			t.Errorf("the relay closed %v after the PIN", heard.Powered.Sub(typed))
		}
		r.Fetcher.Refuse(nil)
		r.Wire.Up()
		pass(time.Minute)
		told := firings(r)
		if len(told) != 1 || told[0].Firing.Person != "minh" || told[0].Firing.Key != "pad" {
			t.Fatalf("told of %+v", told)
		}
		rungs(t, r, told[0].Announcement, "received", "verified", "cached", "powered", "playing", "sounded", "ended")
		if err := r.Centre.Err(); err != nil {
			t.Errorf("the node said what no controller accepts: %v", err)
		}
	})
}

func TestAKeypadFiresNothingButForTheRightPINOfTheNumber(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		lan, minh := officers(t)
		m := keyed(r, func(m *broadcast.Template) {
			m.Local = &broadcast.OnSite{Codes: []broadcast.Code{lan.Code, minh.Code}, Hourly: 3}
		})
		for _, try := range []struct {
			number broadcast.Number
			digits string
		}{{"11", minh.digits}, {"12", lan.digits}, {"13", lan.digits}, {"11", ""}, {"11", lan.digits[:7]}, {"", lan.digits}, {broadcast.Number(lan.digits), "11"}} {
			dial(r, try.number, try.digits)
		}
		r.Node.OnKey("pad") // a keypad is no key switch
		pass(time.Hour)
		sounded(t, r, 0)
		for name, change := range map[string]func(*broadcast.Template){
			"expired":   func(m *broadcast.Template) { m.Expires = m.Revision.IssuedAt().Add(time.Second) },
			"elsewhere": func(m *broadcast.Template) { m.Areas = []broadcast.ID{"viet-quang"} },
			"recalled":  func(m *broadcast.Template) { m.Local.Codes = m.Local.Codes[1:] },
		} {
			changed := m
			changed.Local = &broadcast.OnSite{Codes: []broadcast.Code{lan.Code, minh.Code}, Hourly: 3}
			changed.Revision = r.Centre.Revision(string(m.ID))
			change(&changed)
			r.Centre.Sealed(broadcast.KindTemplate, changed, nodetest.Top, r.Centre.Editor, r.Centre.Approver)
			r.List()
			pass(time.Minute)
			dial(r, lan.Number, lan.digits)
			pass(time.Hour)
			if got := len(r.Player.Sounded()); got != 0 {
				t.Fatalf("%s: it sounded", name)
			}
		}
		keyed(r, func(m *broadcast.Template) { m.Local = &broadcast.OnSite{Codes: []broadcast.Code{lan.Code}, Hourly: 3} })
		dial(r, lan.Number, lan.digits)
		pass(time.Minute)
		sounded(t, r, 1) // or this test proves nothing
	})
}

func TestWrongPINsWaitLongerAndLongerAndTakeNothingFromOthers(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		lan, minh := officers(t)
		keyed(r, func(m *broadcast.Template) {
			m.Local = &broadcast.OnSite{Codes: []broadcast.Code{lan.Code, minh.Code}, Hourly: 60}
		})
		for range 5 {
			dial(r, lan.Number, "00000000")
		}
		pass(10 * time.Second)
		if shown := tried(r); len(shown) != 1 || shown[0].Part != "11" || strings.Contains(shown[0].Cause, "00000000") {
			t.Errorf("the controller shows %+v", shown)
		}
		dial(r, lan.Number, lan.digits) // she waits
		sounded(t, r, 0)
		dial(r, minh.Number, minh.digits) // he does not
		pass(time.Minute)
		sounded(t, r, 1)
		for range 60 { // hours of trying
			dial(r, lan.Number, "00000000")
			pass(5 * time.Minute)
		}
		dial(r, lan.Number, lan.digits)
		pass(time.Minute)
		sounded(t, r, 1)
		pass(15 * time.Minute) // and no longer, whatever was tried
		dial(r, lan.Number, lan.digits)
		pass(time.Minute)
		sounded(t, r, 2)
		if shown := tried(r); len(shown) != 0 {
			t.Errorf("after the right PIN the controller shows %+v", shown)
		}
	})
}

func TestWhoTakesThePlugOutTriesOnWhereHeWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := nodetest.NewRig(t)
		r.Boot()
		defer func() { r.Stop() }()
		r.Settle()
		pass(2 * time.Second)
		lan, _ := officers(t)
		keyed(r, func(m *broadcast.Template) {
			m.Local = &broadcast.OnSite{Codes: []broadcast.Code{lan.Code}, Hourly: 60}
		})
		for range 8 {
			dial(r, lan.Number, "00000000")
			r.Crash(storetest.KeepSynced)
			r.Ticks = nodetest.NewTicks()
			r.Boot()
			pass(10 * time.Second)
		}
		dial(r, lan.Number, lan.digits)
		pass(30 * time.Second)
		sounded(t, r, 0)
		if len(tried(r)) == 0 {
			t.Error("the controller shows nothing of it")
		}
		pass(time.Minute)
		dial(r, lan.Number, lan.digits)
		pass(time.Minute)
		sounded(t, r, 1)
	})
}
