package node_test

import (
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

// TestANodeRemembersTheLongestAuditLog: a controller that lost the end of its log
// cannot have the node forget it with the next manifest.
func TestANodeRemembersTheLongestAuditLog(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		long := broadcast.AuditHead{Length: 12, Head: broadcast.Sum([]byte("12"))}
		tell := func(head broadcast.AuditHead) {
			m := broadcast.Manifest{Area: nodetest.Top, Revision: r.Centre.Revision("manifest " + string(nodetest.Top)), Documents: r.Centre.Listed(nodetest.Top), Audit: head}
			r.Send(wire.Area(nodetest.Top, "manifest"), sealtest.Sealed(broadcast.KindManifest, m, r.Centre.House.Service))
			pass(time.Hour)
		}
		pass(time.Minute)
		if got := r.Centre.State(nodetest.NodeID).Audit; got != nil {
			t.Errorf("before any: %+v", got)
		}
		tell(long)
		if got := r.Centre.State(nodetest.NodeID).Audit; got == nil || *got != long {
			t.Fatalf("told of %+v, says %+v", long, got)
		}
		r.Stop()
		r.Boot()
		pass(time.Hour)
		if got := r.Centre.State(nodetest.NodeID).Audit; got == nil || *got != long {
			t.Errorf("after a boot: %+v", got)
		}
		tell(broadcast.AuditHead{Length: 3, Head: broadcast.Sum([]byte("3"))})
		if got := r.Centre.State(nodetest.NodeID).Audit; got == nil || *got != long {
			t.Errorf("after a shorter one: %+v", got)
		}
	})
}
