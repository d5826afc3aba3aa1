package dispatch

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/broker"
	"github.com/loaxa/loaxa/controller/store"
)

// branched is a history that leaves another after its first n receipts.
func branched(t *testing.T, of []broadcast.Receipt, n, length int, salt broadcast.ID) []broadcast.Receipt {
	t.Helper()
	out := append([]broadcast.Receipt{}, of[:n]...)
	for i := n; i < length; i++ {
		r := of[0]
		r.Seq, r.Boot, r.Prev = int64(i+1), "b"+salt, broadcast.Sum(nil)
		if i > 0 {
			var err error
			if r.Prev, err = out[i-1].Digest(); err != nil {
				t.Fatal(err)
			}
		}
		out = append(out, r)
	}
	return out
}

// doubt is what is stored of the node's doubt; its zero value if there is none.
func (r *rig) doubt() store.Doubt {
	r.t.Helper()
	all, err := r.db.Doubts(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return all[node]
}

// kept counts the stored receipts, all and doubtful ones, by boot.
func (r *rig) kept() (all, doubtful map[broadcast.ID]int) {
	r.t.Helper()
	rows, err := r.db.ReceiptsOf(r.t.Context(), "a1", 1)
	if err != nil {
		r.t.Fatal(err)
	}
	all, doubtful = map[broadcast.ID]int{}, map[broadcast.ID]int{}
	for _, row := range rows {
		receipt, err := broadcast.Decode[broadcast.Receipt](row.Raw)
		if err != nil {
			r.t.Fatal(err)
		}
		all[receipt.Boot]++
		if row.Doubtful {
			doubtful[receipt.Boot]++
		}
	}
	return all, doubtful
}

func TestOldCardIsSeenAndItsReceiptsAreKept(t *testing.T) {
	for name, c := range map[string]struct{ from, to int }{
		"it wrote less than was stored": {3, 5},
		"as much":                       {3, 6},
		"more":                          {3, 9},
		"it tells all it has":           {0, 5},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			honest := receipts(t, 6, "")
			r.send(node, node, string(node), honest)
			old := branched(t, honest, 3, 9, "old")
			for range 2 { // the first answer was lost
				acks := r.send(node, node, string(node), old[c.from:c.to])
				want, _ := honest[5].Digest()
				if len(acks) != 1 || acks[0].Chain != "c1" || acks[0].Seq != 6 || acks[0].Hash != want {
					t.Fatalf("the node is not told that its chain is another one: %+v", acks)
				}
			}
			all, doubtful := r.kept()
			if all["b"] != 6 || all["bold"] != c.to-3 {
				t.Errorf("kept %v", all)
			}
			if doubtful["b"] != 3 || doubtful["bold"] != c.to-3 {
				t.Errorf("doubtful %v, want all that came after the fork", doubtful)
			}
			want := store.Doubt{Node: node, Code: broadcast.FaultRolledBack, Since: r.now(), Chain: "c1", Seq: 4, Ended: 6, Forks: 1}
			if diff := cmp.Diff(want, r.doubt()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTwoBoxesWithOneKeyAreSeen(t *testing.T) {
	r := newRig(t)
	honest := receipts(t, 9, "")
	r.send(node, node, string(node), honest[:5])
	clone := branched(t, honest, 4, 7, "clone")
	r.send(node, node, string(node), clone[4:])
	if d := r.doubt(); d.Code != broadcast.FaultRolledBack {
		t.Fatalf("%+v", d)
	}
	since := r.now()
	r.clock = r.clock.Add(time.Hour)
	if acks := r.send(node, node, string(node), honest[5:]); len(acks) != 1 || acks[0].Seq != 9 {
		t.Fatalf("the chain that was first does not go on: %+v", acks)
	}
	if d := r.doubt(); d.Code != broadcast.FaultDuplicate || d.Since != since {
		t.Errorf("%+v", d)
	}
	all, doubtful := r.kept()
	if all["b"] != 9 || all["bclone"] != 3 || doubtful["bclone"] != 3 || doubtful["b"] != 5 {
		t.Errorf("kept %v, doubtful %v", all, doubtful)
	}
	standings, err := r.cfg.Fleet.Overview(t.Context())
	if err != nil || standings[0].Doubt == nil || standings[0].Doubt.Code != broadcast.FaultDuplicate {
		t.Errorf("the fleet does not show it: %+v %v", standings, err)
	}
}

func TestHonestNodeIsNeverInDoubt(t *testing.T) {
	r := newRig(t)
	all := receipts(t, 12, "")
	for _, cut := range [][2]int{{0, 4}, {0, 4}, {2, 8}, {9, 12}, {0, 12}, {11, 12}, {3, 5}} {
		r.send(node, node, string(node), all[cut[0]:cut[1]])
	}
	if d := r.doubt(); d != (store.Doubt{}) {
		t.Errorf("%+v", d)
	}
	if _, doubtful := r.kept(); r.stored() != 12 || len(doubtful) != 0 {
		t.Errorf("%d stored, doubtful %v", r.stored(), doubtful)
	}
}

func TestForksOfForksAreKeptUpToALimit(t *testing.T) {
	r := newRig(t)
	honest := receipts(t, 3, "")
	r.send(node, node, string(node), honest)
	one := branched(t, honest, 1, 4, "one")
	r.send(node, node, string(node), one[1:])
	r.send(node, node, string(node), branched(t, one, 2, 4, "two")[1:])
	if all, _ := r.kept(); all["b"] != 3 || all["bone"] != 3 || all["btwo"] != 2 {
		t.Fatalf("%v", all)
	}
	for i := range mostForks + 10 {
		acks := r.send(node, node, string(node), branched(t, honest, 2, 3, broadcast.ID(fmt.Sprint(i)))[2:])
		if len(acks) != 1 || acks[0].Seq != 3 {
			t.Fatalf("fork %d: %+v", i, acks)
		}
	}
	if d := r.doubt(); d.Forks != mostForks {
		t.Errorf("%d forks are noted", d.Forks)
	}
	if all, _ := r.kept(); len(all) > mostForks+1 {
		t.Errorf("%d histories are kept", len(all))
	}
}

func TestNewKeyEndsTheDoubt(t *testing.T) {
	r := newRig(t)
	honest := receipts(t, 3, "")
	r.send(node, node, string(node), honest)
	r.send(node, node, string(node), branched(t, honest, 1, 3, "old")[1:])
	if r.doubt().Code == "" {
		t.Fatal("no doubt")
	}
	r.revoke()
	if r.doubt().Code == "" {
		t.Error("revoking alone ends it")
	}
	r.enrol()
	if d := r.doubt(); d != (store.Doubt{}) {
		t.Errorf("%+v", d)
	}
	if _, doubtful := r.kept(); len(doubtful) == 0 {
		t.Error("what was doubtful is not any more")
	}
}

func TestForksInOneTransactionAreSeen(t *testing.T) {
	r := newRig(t)
	honest := receipts(t, 5, "")
	batch := func(list []broadcast.Receipt) incoming {
		return incoming{node: node, raw: sealtest.Sealed(broadcast.KindReceipts, broadcast.ReceiptBatch{Node: node, Chain: "c1", Receipts: list}, sealtest.Bare(string(node)))}
	}
	r.take(t.Context(), []incoming{batch(honest[:3]), batch(branched(t, honest, 1, 3, "old")[1:]), batch(honest[3:])})
	if d := r.doubt(); d.Code != broadcast.FaultDuplicate || d.Seq != 2 {
		t.Errorf("%+v", d)
	}
	if all, _ := r.kept(); all["b"] != 5 || all["bold"] != 2 {
		t.Errorf("%v", all)
	}
}

// tells has the node state how long its chain is.
func (r *rig) tells(boot, chain broadcast.ID, seq, acked int64, retained bool) {
	r.t.Helper()
	raw, err := broadcast.Encode(wire.State{Boot: boot, Version: "1", Board: "simulated", Clock: broadcast.ClockProved,
		Holding: broadcast.Sum(nil), Chain: chain, Seq: seq, Acked: acked})
	if err != nil {
		r.t.Fatal(err)
	}
	r.Message(broker.Message{Topic: wire.Node(node, "state"), Payload: raw, Retained: retained})
}

func TestOldCardIsSeenBeforeItWritesAnything(t *testing.T) {
	for name, c := range map[string]struct {
		say    func(r *rig)
		doubts bool
	}{
		"shorter":                   {func(r *rig) { r.tells("b9", "c1", 4, 0, false) }, true},
		"nothing at all":            {func(r *rig) { r.tells("b9", "c1", 0, 0, false) }, true},
		"shorter, but delayed":      {func(r *rig) { r.tells("b", "c1", 4, 0, false) }, false},
		"shorter, from the broker":  {func(r *rig) { r.tells("b9", "c1", 4, 0, true) }, false},
		"as long":                   {func(r *rig) { r.tells("b9", "c1", 6, 0, false) }, false},
		"longer":                    {func(r *rig) { r.tells("b9", "c1", 8, 0, false) }, false},
		"a new journal, a new name": {func(r *rig) { r.tells("b9", "c2", 0, 0, false) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.send(node, node, string(node), receipts(t, 6, ""))
			c.say(r)
			d := r.doubt()
			if (d.Code == broadcast.FaultRolledBack) != c.doubts {
				t.Fatalf("%+v", d)
			}
			c.say(r)
			if again := r.doubt(); again != d {
				t.Errorf("%+v then %+v", d, again)
			}
			if head, err := r.db.AuditHead(t.Context()); err != nil || (head.Length == 4) != c.doubts {
				t.Errorf("%d rows of audit: %v", head.Length, err)
			}
		})
	}
}

func TestReceiptsThatARestoredControllerLacksAreAskedForAgain(t *testing.T) {
	for name, c := range map[string]struct {
		say  func(r *rig)
		asks bool
	}{
		"more than is here, all acknowledged": {func(r *rig) { r.tells("b", "c1", 9, 9, false) }, true},
		"more, on its way":                    {func(r *rig) { r.tells("b", "c1", 9, 6, false) }, false},
		"as many":                             {func(r *rig) { r.tells("b", "c1", 6, 6, false) }, false},
		"a chain of another database":         {func(r *rig) { r.tells("b", "c2", 9, 9, false) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			stored := r.send(node, node, string(node), receipts(t, 6, ""))
			c.say(r)
			got := r.acks(node)
			if !c.asks && len(got) > 0 {
				t.Errorf("%+v", got)
			}
			if c.asks && (len(got) != 1 || got[0].Seq != 6 || got[0].Hash != stored[0].Hash) {
				t.Errorf("%+v, stored %+v", got, stored)
			}
		})
	}
}
