package node_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

func TestNoAlteredByteIsBelievedOrSpoilsTheTrueDocument(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		whole := r.Sealed(r.Announcement("flood", broadcast.Emergency, 20*time.Second, time.Second))
		for i := range whole {
			altered := bytes.Clone(whole)
			altered[i] ^= 1
			push(r, altered)
		}
		pass(time.Second)
		if got := r.Centre.Receipts(nodetest.NodeID); len(got) > 0 {
			t.Fatalf("receipts of altered documents: %+v", got)
		}
		push(r, whole)
		pass(time.Minute)
		sounded(t, r, 1)
		rungs(t, r, "flood", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
	})
}

// orders are all orders of n things.
func orders(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var out [][]int
	for _, shorter := range orders(n - 1) {
		for i := range n {
			out = append(out, slices.Insert(slices.Clone(shorter), i, n-1))
		}
	}
	return out
}

func TestEveryOrderOfFiveMessagesComesToTheSame(t *testing.T) {
	for _, order := range orders(5) {
		synctest.Test(t, func(t *testing.T) {
			r := nodetest.NewRig(t)
			r.Boot()
			defer r.Stop()
			r.Settle()
			pass(100 * time.Millisecond)
			gone := r.Announcement("gone", broadcast.Emergency, time.Minute, time.Second)
			market := r.Announcement("market", broadcast.Priority, 2*time.Minute, time.Second)
			flood := r.Announcement("flood", broadcast.Emergency, 3*time.Minute, time.Second)
			messages := [][]byte{r.Sealed(gone), r.Sealed(market), r.Sealed(flood)}
			old := r.Centre.Manifest(nodetest.Top) // lists all three
			messages[1] = old
			pass(time.Millisecond)
			withdrawal := broadcast.Withdrawal{ID: "gone", Revision: r.Centre.Revision("w"), Announcement: "gone", Upto: gone.Revision,
				Class: gone.Class, Areas: gone.Areas}
			messages = append(messages, r.Centre.Sealed(broadcast.KindWithdrawal, withdrawal, nodetest.Top, r.Centre.Approver))
			r.Centre.Delist(nodetest.Top, broadcast.KindAnnouncement, "gone")
			r.Centre.Delist(nodetest.Top, broadcast.KindAnnouncement, "market")
			messages = append(messages, r.Centre.Manifest(nodetest.Top))
			for _, i := range order {
				push(r, messages[i])
				pass(100 * time.Millisecond)
			}
			pass(5 * time.Minute)
			if heard := sounded(t, r, 1); !strings.HasPrefix(heard[0].Sounding.Name, "flood") {
				t.Errorf("order %v: %s sounded", order, heard[0].Sounding.Name)
			}
		})
	}
}

func TestWithheldListShowsAsDriftAtOnce(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		pass(time.Minute)
		r.Sealed(r.Announcement("flood", broadcast.Emergency, time.Hour, time.Second)) // and the broker keeps all of it back
		want, err := wire.Holding(r.Centre.Listed(nodetest.Top))
		if err != nil {
			t.Fatal(err)
		}
		pass(time.Minute)
		if got := r.Centre.State(nodetest.NodeID).Holding; got == want {
			t.Error("the node says that it holds what it was never given")
		}
		r.List()
		pass(time.Minute)
		if got := r.Centre.State(nodetest.NodeID).Holding; got != want {
			t.Error("a minute after the list came the node still says that it lacks something")
		}
	})
}

func TestServiceKeySpeaksForNobody(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		now := r.Centre.Instant()
		market := r.Announcement("market", broadcast.Priority, 2*time.Minute, time.Second)
		r.Announce(market)
		pass(10 * time.Second)
		before := r.Centre.State(nodetest.NodeID)
		quiet := lax(r)
		quiet.Quiet = []broadcast.Span{{From: 0, To: 24 * 60}}
		away := broadcast.Assignment{Node: nodetest.NodeID, Revision: r.Centre.Revision("assignment tan-lap-1"),
			Chain:     []broadcast.Place{{Area: nodetest.Top, Level: broadcast.District}, {Area: "viet-quang", Level: broadcast.Commune}},
			Languages: []broadcast.Language{"vi"}, Controllers: []broadcast.Controller{{HTTP: "http://c", MQTT: "mqtt://c"}}, Key: r.Public()}
		rev := broadcast.Revision(now) + 100
		for kind, doc := range map[broadcast.Kind]broadcast.Validator{
			broadcast.KindAnnouncement: r.Announcement("forged", broadcast.Emergency, 10*time.Second, time.Second),
			broadcast.KindDrill:        r.Announcement("drill", broadcast.Normal, 10*time.Second, time.Second),
			broadcast.KindPolicy:       quiet,
			broadcast.KindWithdrawal: broadcast.Withdrawal{ID: "market", Revision: rev, Announcement: "market", Upto: market.Revision,
				Class: market.Class, Areas: market.Areas},
			broadcast.KindSilence: broadcast.Silence{ID: "s-1", Revision: rev, Areas: market.Areas, Classes: broadcast.Classes(),
				Until: now.Add(30 * time.Minute)},
			broadcast.KindAssignment: away,
			broadcast.KindAuthority: broadcast.Authority{Area: nodetest.Top, Revision: rev, Roots: []broadcast.Envelope{r.Centre.House.Root},
				Revocations: []broadcast.Revocation{{KID: r.Centre.Editor.KID, Mode: broadcast.Compromised, At: r.Centre.House.From}}},
			broadcast.KindRebase: broadcast.Rebase{Node: nodetest.NodeID, Revision: rev, Floor: 1},
		} {
			push(r, sealtest.Sealed(kind, doc, r.Centre.House.Service))
			push(r, sealtest.Sealed(kind, doc, r.Centre.House.Service, r.Centre.Editor))
		}
		pass(time.Hour)
		sounded(t, r, 1)
		if after := r.Centre.State(nodetest.NodeID); after.Holding != before.Holding {
			t.Errorf("holding %s became %s", before.Holding.Short(), after.Holding.Short())
		}
		rungs(t, r, "market", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
	})
}

func TestWidenedCertificateGivesNothing(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		local := r.Centre.House.Officer("local", broadcast.Commune, nodetest.Area)
		wide := func(person broadcast.ID) seal.Signer {
			return r.Centre.House.CertifyBy(local, broadcast.Certificate{Person: person, Level: broadcast.District, Areas: []broadcast.ID{nodetest.Top},
				Classes: broadcast.Classes(), Acts: []broadcast.Act{broadcast.ActAnnounce, broadcast.ActApprove}})
		}
		one, two := wide("one"), wide("two")
		push(r, r.Centre.Authority())
		pass(time.Second)
		push(r, sealtest.Sealed(broadcast.KindAnnouncement, r.Announcement("forged", broadcast.Emergency, 10*time.Second, time.Second), one, two))
		pass(time.Hour)
		sounded(t, r, 0)
	})
}

// answer is the service's sealed word for what time it is.
func answer(r *nodetest.Rig, boot broadcast.ID, nonce string, at time.Time) []byte {
	return sealtest.Sealed(broadcast.KindTime, broadcast.TimeAnswer{Node: nodetest.NodeID, Boot: boot, Nonce: nonce,
		At: broadcast.InstantOf(at)}, r.Centre.House.Service)
}

func TestTimeHeldBackMovesTheClockByHalfItsWayAtMost(t *testing.T) {
	for _, c := range []struct {
		way   time.Duration
		clock broadcast.Quality
	}{{100 * time.Millisecond, broadcast.ClockProved}, {30 * time.Second, broadcast.ClockProved}, {time.Hour, broadcast.ClockUnset}} {
		synctest.Test(t, func(t *testing.T) {
			r := nodetest.NewRig(t)
			r.Ticks.Set(-365*24*time.Hour, false)
			r.Centre.Silence(false, true)
			r.Boot()
			defer r.Stop()
			r.Settle()
			synctest.Wait()
			nonce, boot := asked(t, r), r.Centre.State(nodetest.NodeID).Boot
			late := answer(r, boot, nonce, time.Now())
			push(r, answer(r, "another-boot", nonce, time.Now().Add(24*time.Hour)))
			pass(c.way)
			for range 3 { // and again: a question is answered once
				r.Send(wire.Node(nodetest.NodeID, "time"), late)
				pass(5 * time.Second)
			}
			pass(5 * time.Minute)
			got := r.Centre.State(nodetest.NodeID).Clock
			if c.clock == broadcast.ClockProved {
				got = c.clock // the board's own clock is a year off: unverified, which is trusted all the same
			}
			if got != c.clock {
				t.Errorf("held back %v: the clock is %s, want %s", c.way, got, c.clock)
			}
			if off := time.Until(r.Player.Now()).Abs(); c.clock == broadcast.ClockProved && off > c.way/2+2*time.Millisecond {
				t.Errorf("held back %v: the clock is %v off, want half of that at most", c.way, off)
			}
		})
	}
}

func TestForgedAndOldAcknowledgementsLoseNoReceipt(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Announce(r.Announcement("first", broadcast.Emergency, 10*time.Second, time.Second))
		pass(30 * time.Second)
		state, have := r.Centre.State(nodetest.NodeID), r.Centre.Receipts(nodetest.NodeID)
		hash, err := have[len(have)-1].Digest()
		if err != nil {
			t.Fatal(err)
		}
		old := broadcast.ReceiptAck{Node: nodetest.NodeID, Chain: state.Chain, Seq: int64(len(have)), Hash: hash, At: r.Centre.Instant()}
		r.Centre.Silence(true, false)
		r.Announce(r.Announcement("second", broadcast.Emergency, 10*time.Second, time.Second))
		pass(30 * time.Second)
		ack := func(change func(*broadcast.ReceiptAck), by seal.Signer) {
			a := old
			change(&a)
			r.Send(wire.Node(nodetest.NodeID, "receipt/ack"), sealtest.Sealed(broadcast.KindAck, a, by))
			pass(time.Second)
		}
		ack(func(a *broadcast.ReceiptAck) { a.Seq += 5 }, r.Centre.Editor)
		ack(func(a *broadcast.ReceiptAck) { a.Node = "tan-lap-2" }, r.Centre.House.Service)
		ack(func(a *broadcast.ReceiptAck) { a.Chain = "another" }, r.Centre.House.Service)
		for range 3 {
			ack(func(*broadcast.ReceiptAck) {}, r.Centre.House.Service)
		}
		pass(2 * time.Hour) // the card is tidied
		r.Stop()
		r.Boot()
		ack(func(*broadcast.ReceiptAck) {}, r.Centre.House.Service)
		r.Centre.Silence(false, false)
		pass(10 * time.Minute)
		if got := r.Centre.State(nodetest.NodeID); got.Chain != state.Chain {
			t.Errorf("a forged acknowledgement made the node give up its chain")
		}
		for _, id := range []broadcast.ID{"first", "second"} {
			rungs(t, r, id, "received", "verified", "cached", "powered", "playing", "sounded", "ended")
		}
	})
}
