package dispatch

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/broker"
	"github.com/loaxa/loaxa/controller/store"
)

// receipts returns a chain of n receipts; salt makes another history.
func receipts(t *testing.T, n int, salt broadcast.ID) []broadcast.Receipt {
	t.Helper()
	prev := broadcast.Sum(nil)
	var out []broadcast.Receipt
	for i := range n {
		r := broadcast.Receipt{Seq: int64(i + 1), Prev: prev, At: 1000, Clock: broadcast.ClockProved, Boot: "b" + salt,
			Announcement: "a1", Of: 1, Payload: broadcast.Sum(nil), Rung: broadcast.Verified}
		var err error
		if prev, err = r.Digest(); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// send has a node's message arrive, signed by somebody.
func (r *rig) send(on broadcast.ID, in broadcast.ID, by string, list []broadcast.Receipt) []broadcast.ReceiptAck {
	r.t.Helper()
	raw := sealtest.Sealed(broadcast.KindReceipts, broadcast.ReceiptBatch{Node: in, Chain: "c1", Receipts: list}, sealtest.Bare(by))
	r.take(r.t.Context(), []incoming{{node: on, raw: raw}})
	return r.acks(on)
}

// acks are the acknowledgements to a node since they were looked at last.
func (r *rig) acks(on broadcast.ID) (acks []broadcast.ReceiptAck) {
	r.t.Helper()
	for _, m := range r.bus.on(wire.Node(on, "receipt/ack")) {
		ack, _, err := seal.Open[broadcast.ReceiptAck](r.house.Keyring(places()), broadcast.KindAck, m.Payload, seal.Context{Places: places()})
		if err != nil {
			r.t.Fatal(err)
		}
		acks = append(acks, ack)
	}
	return acks
}

func (r *rig) stored() int {
	r.t.Helper()
	rows, err := r.db.ReceiptsOf(r.t.Context(), "a1", 1)
	if err != nil {
		r.t.Fatal(err)
	}
	return len(rows)
}

func TestReceiptsAreAcknowledgedByTheHashOfWhatWasStored(t *testing.T) {
	r := newRig(t)
	all := receipts(t, 6, "")
	for i, c := range []struct {
		from, to int
		seq      int64
		stored   int
	}{
		{0, 3, 3, 3}, // new
		{0, 3, 3, 3}, // repeated, because an acknowledgement was lost
		{5, 6, 3, 3}, // a gap stores nothing and says where to go on
		{1, 5, 5, 5}, // overlap
		{5, 6, 6, 6},
		{2, 4, 6, 6}, // replayed
	} {
		acks := r.send(node, node, string(node), all[c.from:c.to])
		if len(acks) != 1 || acks[0].Seq != c.seq || r.stored() != c.stored {
			t.Fatalf("step %d: acknowledged %+v, stored %d", i, acks, r.stored())
		}
		if want, _ := all[c.seq-1].Digest(); acks[0].Hash != want || acks[0].Chain != "c1" {
			t.Errorf("step %d: acknowledged another chain", i)
		}
	}
}

func TestReceiptsOfOthersAreNotBelieved(t *testing.T) {
	r := newRig(t)
	all := receipts(t, 2, "")
	for name, send := range map[string]func() []broadcast.ReceiptAck{
		"another key":      func() []broadcast.ReceiptAck { return r.send(node, node, "thief", all) },
		"another node's":   func() []broadcast.ReceiptAck { return r.send(node, "tan-lap-2", string(node), all) },
		"an unknown node":  func() []broadcast.ReceiptAck { return r.send("nobody", "nobody", "nobody", all) },
		"the service key":  func() []broadcast.ReceiptAck { return r.send(node, node, "service", all) },
		"nothing enrolled": func() []broadcast.ReceiptAck { return r.send("tan-lap-9", "tan-lap-9", string(node), all) },
	} {
		if acks := send(); len(acks) != 0 || r.stored() != 0 {
			t.Errorf("%s: acknowledged %v, stored %d", name, acks, r.stored())
		}
	}
}

func TestReceiptsOfPendingAndRevokedNodesDoNotCount(t *testing.T) {
	r := newRig(t)
	if err := r.cfg.Fleet.Revoke(t.Context(), "ky-thuat", node); err != nil {
		t.Fatal(err)
	}
	if acks := r.send(node, node, string(node), receipts(t, 1, "")); len(acks) != 0 || r.stored() != 0 {
		t.Errorf("a revoked node was believed: %v", acks)
	}
}

func TestOneBadMessageCostsTheOthersNothing(t *testing.T) {
	r := newRig(t)
	good := sealtest.Sealed(broadcast.KindReceipts, broadcast.ReceiptBatch{Node: node, Chain: "c1", Receipts: receipts(t, 2, "")}, sealtest.Bare(string(node)))
	forked := sealtest.Sealed(broadcast.KindReceipts, broadcast.ReceiptBatch{Node: node, Chain: "c1", Receipts: receipts(t, 2, "x")}, sealtest.Bare(string(node)))
	r.take(t.Context(), []incoming{{node: node, raw: []byte("{}")}, {node: node, raw: good}, {node: node, raw: forked}})
	if r.stored() != 4 {
		t.Errorf("%d stored, want both histories", r.stored())
	}
}

func TestUnknownChainIsTakenUpWhereItBegins(t *testing.T) {
	r := newRig(t)
	all := receipts(t, 8, "")
	// What came before was acknowledged from a database that is lost.
	for i, c := range []struct {
		from, to int
		seq      int64
		stored   int
	}{{3, 5, 5, 2}, {3, 5, 5, 2}, {0, 4, 5, 2}, {6, 8, 5, 2}, {5, 8, 8, 5}} {
		acks := r.send(node, node, string(node), all[c.from:c.to])
		if len(acks) != 1 || acks[0].Seq != c.seq || r.stored() != c.stored {
			t.Fatalf("step %d: acknowledged %+v, stored %d", i, acks, r.stored())
		}
		if want, _ := all[c.seq-1].Digest(); acks[0].Hash != want {
			t.Errorf("step %d: acknowledged another chain", i)
		}
	}
	if acks := r.send(node, node, string(node), receipts(t, 9, "x")[8:]); len(acks) != 1 || acks[0].Seq != 8 {
		t.Errorf("another history went on from there: %+v", acks)
	}
}

func TestARecordingIsKnownFromTheReceiptThatNamesItOn(t *testing.T) {
	r := newRig(t)
	all := receipts(t, 3, "")
	all[2].Evidence = &broadcast.Evidence{Recording: &broadcast.Content{SHA256: broadcast.Sum([]byte("spoken")), Bytes: 32044, Millis: 1000}}
	named := func() (store.Recording, error) {
		return r.db.Recording(t.Context(), node, all[2].Evidence.Recording.SHA256)
	}
	r.send(node, node, "thief", all)
	r.send(node, node, string(node), all[:2])
	if _, err := named(); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("before it was told: %v", err)
	}
	for range 2 { // told twice, it is one
		r.send(node, node, string(node), all)
		got, err := named()
		if err != nil || got.Bytes != 32044 || got.Millis != 1000 || got.Announcement != "a1" || got.Area == "" || got.Where() != store.RecordingOnCard {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func TestComplaintsDoNotFillTheDisk(t *testing.T) {
	r := newRig(t)
	var lines counter
	r.cfg.Log = slog.New(slog.NewTextHandler(&lines, nil))
	garbage := broker.Message{Topic: wire.Node(node, "state"), Payload: []byte("{")}
	for range 10 * rationLines {
		r.Message(garbage)
		r.take(t.Context(), []incoming{{node: node, raw: []byte("{}")}})
	}
	if lines != rationLines {
		t.Errorf("%d lines, want %d", lines, rationLines)
	}
	r.clock = r.clock.Add(rationPeriod)
	r.Message(garbage)
	if lines != rationLines+1 {
		t.Errorf("nothing is said any more: %d lines", lines)
	}
}

// counter counts what is written.
type counter int

func (c *counter) Write(b []byte) (int, error) {
	*c++
	return len(b), nil
}

func TestBatchOfGarbageTakesNoTransaction(t *testing.T) {
	r := newRig(t)
	if err := r.db.Close(); err != nil {
		t.Fatal(err)
	}
	var lines diary
	r.cfg.Log = slog.New(slog.NewTextHandler(&lines, nil))
	r.take(t.Context(), []incoming{{node: node, raw: []byte("{}")}})
	if strings.Contains(string(lines), "not stored") {
		t.Errorf("%s", lines)
	}
}

// diary keeps what is written.
type diary []byte

func (d *diary) Write(b []byte) (int, error) {
	*d = append(*d, b...)
	return len(b), nil
}
