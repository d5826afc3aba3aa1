package node_test

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// keepBack has the card give no register whose name begins so.
func keepBack(r *nodetest.Rig, name string) {
	r.Disk.Fail(func(op storetest.Op) error {
		if op.Kind == storetest.Read && strings.HasPrefix(op.Path, "registers/"+name) {
			return syscall.EIO
		}
		return nil
	})
}

// register is the value of a register on the card, "" if there is none.
func register(t *testing.T, r *nodetest.Rig, name string) string {
	t.Helper()
	registers, err := store.OpenRegisters(r.Disk.FS(), "registers", store.RegisterLimits{Value: 260 << 10, Count: 4000, Total: 32 << 20})
	if err != nil {
		t.Fatal(err)
	}
	value, _ := registers.Get(name)
	return string(value)
}

// What the card does not give at a boot is not written over, and is known again
// as soon as the card gives it.
func TestRegistersThatTheCardDoesNotGiveAtABootAreNotLost(t *testing.T) {
	for _, back := range []string{"revoked", "clock", "settled", "chain", "doc,", ""} {
		t.Run("registers "+back, func(t *testing.T) {
			world(t, func(t *testing.T, r *nodetest.Rig) {
				old := r.Announcement("market", broadcast.Priority, time.Minute, time.Second)
				r.Announce(old)
				pass(5 * time.Minute)
				revoked := broadcast.Revocation{KID: r.Centre.Editor.KID, Mode: broadcast.Compromised, At: r.Centre.House.From}
				r.Send(wire.Area(nodetest.Top, "authority"), r.Centre.Authority(revoked))
				r.Send(wire.Area(nodetest.Top, "authority"), r.Centre.Authority()) // says no more of it
				pass(3 * time.Hour)
				other := broadcast.Revocation{KID: r.Centre.House.Officer("xa-nha", broadcast.Commune, nodetest.Area).KID,
					Mode: broadcast.Compromised, At: r.Centre.House.From}
				before := register(t, r, "revoked")
				receipts := len(r.Centre.Receipts(nodetest.NodeID))
				if !strings.Contains(before, string(r.Centre.Editor.KID)) || receipts < 7 {
					t.Fatalf("the card has revocations %q, the centre %d receipts", before, receipts)
				}
				r.Stop()
				keepBack(r, back)
				r.Boot()
				pass(30 * time.Second)
				if shown := r.Centre.Faults(nodetest.NodeID); !slices.Contains(shown, broadcast.FaultStoreFailing) {
					t.Errorf("shown is %q, want %s", shown, broadcast.FaultStoreFailing)
				}
				r.Send(wire.Area(nodetest.Top, "authority"), r.Centre.Authority(other))
				pass(2 * time.Minute)
				r.Disk.Fail(nil)
				pass(2 * time.Minute)
				for _, one := range []broadcast.Revocation{revoked, other} {
					if after := register(t, r, "revoked"); !strings.Contains(after, string(one.KID)) {
						t.Errorf("revocations were %q and are %q, without %s", before, after, one.KID)
					}
				}
				r.Announce(r.Announcement("again", broadcast.Emergency, time.Minute, time.Second))
				pass(time.Hour)
				for _, p := range r.Player.Sounded() {
					if strings.HasPrefix(p.Sounding.Name, "again") {
						t.Error("a revoked officer is heard")
					}
				}
				// The one who signed the node's place was revoked.
				if shown := r.Centre.Faults(nodetest.NodeID); !slices.Equal(shown, []broadcast.FaultCode{broadcast.FaultPlace}) {
					t.Errorf("still shown: %q", shown)
				}
				if now := len(r.Centre.Receipts(nodetest.NodeID)); now < receipts {
					t.Errorf("the chain had %d receipts and begins anew with %d", receipts, now)
				}
			})
		})
	}
}

// A register that never comes back is given up in the end, so that it can be
// written again.
func TestARegisterThatTheCardNeverGivesIsGivenUp(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		pass(2 * time.Hour)
		r.Stop()
		keepBack(r, "clock")
		r.Boot()
		pass(50 * time.Minute)
		if shown := r.Centre.Faults(nodetest.NodeID); !slices.Contains(shown, broadcast.FaultStoreFailing) {
			t.Errorf("shown is %q, want %s", shown, broadcast.FaultStoreFailing)
		}
		pass(20 * time.Minute)
		if shown := r.Centre.Faults(nodetest.NodeID); !slices.Equal(shown, []broadcast.FaultCode{broadcast.FaultStoreCorrupt}) {
			t.Errorf("shown is %q, want %s alone", shown, broadcast.FaultStoreCorrupt)
		}
	})
}
