package desk_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/store"
)

func (r *rig) deliveries(a desk.Announcement) desk.Deliveries {
	r.t.Helper()
	d, err := r.Desk.Deliveries(r.t.Context(), a.Document.ID)
	if err != nil {
		r.t.Fatal(err)
	}
	return d
}

func TestEveryExpectedNodeIsListedWithWhatItProved(t *testing.T) {
	r := newRig(t)
	for _, n := range []struct{ id, area broadcast.ID }{{"dong-tam-1", "dong-tam"}, {"tan-lap-1", "tan-lap"}, {"tan-quang-1", "tan-quang"}} {
		r.Node(n.id, n.area)
	}
	if d := r.deliveries(r.create(r.first, r.flood())); len(d.Nodes) != 0 {
		t.Errorf("a draft has deliveries: %+v", d.Nodes)
	}
	a := r.published(r.flood())
	if err := r.Fleet.Presence(t.Context(), "tan-quang-1", wire.Presence{State: wire.Ready, Connection: "c", Boot: "b"}, true); err != nil {
		t.Fatal(err)
	}
	seen := r.Now()
	r.Clock.Add(20 * time.Second)
	r.Prove("dong-tam-1", desktest.Sounded(a.Document)...)
	r.Prove("tan-lap-1", desktest.Of(a.Document, broadcast.Receipt{At: r.Now(), Rung: broadcast.Refused, Reason: broadcast.WhyThreshold}))
	d := r.deliveries(a)
	if len(d.Nodes) != 3 || d.Open() != 1 {
		t.Fatalf("%d nodes, %d open", len(d.Nodes), d.Open())
	}
	ended, refused, waiting := d.Nodes[0], d.Nodes[1], d.Nodes[2]
	if ended.End != broadcast.Ended || ended.Evidence.Samples != 480000 || len(ended.Times) != 7 || ended.Silent() {
		t.Errorf("%+v", ended)
	}
	if refused.End != broadcast.Refused || refused.Reason != broadcast.WhyThreshold || refused.Rung != "" || !refused.Silent() {
		t.Errorf("%+v", refused)
	}
	if waiting.Rung != "" || waiting.End != "" || waiting.Last != seen || !waiting.Expected || d.At.Sub(waiting.Last) != 20*time.Second {
		t.Errorf("%+v", waiting)
	}
}

func TestReceiptsOfAnotherRevisionOrNodeProveNothingHere(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	a := r.published(r.flood())
	old := a.Document
	old.Revision--
	r.Prove("tan-lap-1", desktest.Sounded(old)...)
	r.Node("tan-quang-1", "tan-quang") // came after the publishing
	r.Prove("tan-quang-1", desktest.Sounded(a.Document)...)
	d := r.deliveries(a)
	if len(d.Nodes) != 2 || d.Nodes[0].Rung != "" || d.Open() != 1 {
		t.Errorf("%+v", d.Nodes)
	}
	if late := d.Nodes[1]; late.Expected || late.End != broadcast.Ended {
		t.Errorf("a node that came later is shown with its proof: %+v", late)
	}
}

// TestPreBurnedNameProvesNothingOfTheWarning has nodes prove that another body
// sounded under the warning's name, revision and start.
func TestPreBurnedNameProvesNothingOfTheWarning(t *testing.T) {
	r := newRig(t)
	for _, n := range []struct{ id, area broadcast.ID }{{"dong-tam-1", "dong-tam"}, {"tan-lap-1", "tan-lap"}, {"tan-quang-1", "tan-quang"}} {
		r.Node(n.id, n.area)
	}
	a := r.published(r.flood())
	forged := a.Document
	forged.Title = "Chuyện phiếm"
	for _, node := range []broadcast.ID{"dong-tam-1", "tan-lap-1", "tan-quang-1"} {
		r.Prove(node, desktest.Sounded(forged)...)
	}
	r.Prove("tan-lap-1", desktest.Of(a.Document, broadcast.Receipt{At: r.Now(), Rung: broadcast.Refused, Reason: broadcast.WhyOtherBody}))
	r.Prove("tan-quang-1", desktest.Sounded(a.Document)...)
	d := r.deliveries(a)
	burned, refused, both := d.Nodes[0], d.Nodes[1], d.Nodes[2]
	if burned.End != "" || burned.Rung != "" || burned.Evidence != nil || len(burned.Occurrences)+len(burned.Times) != 0 {
		t.Errorf("another body proved something of the warning: %+v", burned)
	}
	if burned.Reason != broadcast.WhyOtherBody || !burned.Other || d.Open() != 1 {
		t.Errorf("nobody is told of the other body: %+v", burned)
	}
	if refused.End != broadcast.Refused || refused.Reason != broadcast.WhyOtherBody || !refused.Other || !refused.Silent() {
		t.Errorf("%+v", refused)
	}
	if both.End != broadcast.Ended || both.Reason != "" || !both.Other || len(both.Occurrences) != 1 {
		t.Errorf("%+v", both)
	}
	if _, err := r.Desk.Withdraw(t.Context(), r.first.Person, r.first.Credential, a.Document.ID, "báo nhầm"); err != nil {
		t.Fatal(err)
	}
	r.closes(a, store.Withdrawn) // dong-tam-1 has said nothing of it
}

// TestDoubtfulReceiptsProveNothingAndAreShown has one node of two be in doubt
// about what it told.
func TestDoubtfulReceiptsProveNothingAndAreShown(t *testing.T) {
	r := newRig(t)
	r.Node("dong-tam-1", "dong-tam")
	r.Node("tan-lap-1", "tan-lap")
	a := r.published(r.flood())
	sounded := desktest.Sounded(a.Document)
	r.Prove("dong-tam-1", sounded...)
	r.Prove("tan-lap-1", sounded...)
	r.Doubt("tan-lap-1")
	d := r.deliveries(a)
	if sure := d.Nodes[0]; sure.End != broadcast.Ended || sure.Claimed != nil || sure.Doubted() {
		t.Errorf("%+v", sure)
	}
	doubted := d.Nodes[1]
	if doubted.Rung != "" || doubted.End != "" || doubted.Evidence != nil || len(doubted.Occurrences) != 0 || doubted.Silent() || d.Open() != 1 {
		t.Errorf("it is claimed as proved: %+v", doubted)
	}
	if c := doubted.Claimed; !doubted.Doubted() || c == nil || c.End != broadcast.Ended || c.Evidence.Samples != 480000 || len(c.Occurrences) != 1 {
		t.Errorf("it is lost: %+v", doubted)
	}
}

// TestTheProofsOfAMonthSayWhatDeliveriesSay has nodes end in every way, and holds
// both readings against each other but for what arrived when.
func TestTheProofsOfAMonthSayWhatDeliveriesSay(t *testing.T) {
	r := newRig(t)
	for _, id := range []broadcast.ID{"n1", "n2", "n3", "n4", "n5", "n6"} {
		r.Node(id, "tan-lap")
	}
	var ids []broadcast.ID
	for range 2 {
		r.Clock.Add(time.Minute)
		a := r.published(r.flood())
		ids = append(ids, a.ID)
		other := a.Document
		other.Title = "khác"
		full := desktest.Sounded(a.Document)
		r.Prove("n1", full...)
		r.Prove("n2", desktest.Of(a.Document, broadcast.Receipt{At: r.Now(), Rung: broadcast.Refused, Reason: broadcast.WhyThreshold}))
		r.Prove("n3", full[:3]...) // it arrived, and nothing more
		r.Prove("n4", full[:5]...)
		r.Prove("n5", desktest.Of(other, full[0]))
		r.Prove("n6", full...)
		r.Clock.Add(time.Minute)
	}
	r.Doubt("n6")
	draft := r.create(r.first, r.flood())
	var got []desk.Deliveries
	err := r.Desk.Proofs(t.Context(), append(ids, draft.ID, "nothing"), func(d desk.Deliveries) error { got = append(got, d); return nil })
	if err != nil || len(got) != 2 {
		t.Fatalf("%d %v", len(got), err)
	}
	type said struct {
		Node        broadcast.ID
		Expected    bool
		End         broadcast.Rung
		Reason      broadcast.Reason
		Occurrences []desk.Occurrence
		Claimed     bool
	}
	of := func(d desk.Deliveries) (out []said) {
		for _, n := range d.Nodes {
			out = append(out, said{n.Node, n.Expected, n.End, n.Reason, n.Occurrences, n.Claimed != nil})
		}
		return out
	}
	for i, d := range got {
		want, err := r.Desk.Deliveries(t.Context(), ids[i])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(of(want), of(d)); diff != "" || d.Announcement.ID != ids[i] || len(d.Nodes) != 6 {
			t.Errorf("%s", diff)
		}
	}
	stop := errors.New("enough")
	if err := r.Desk.Proofs(t.Context(), ids, func(desk.Deliveries) error { return stop }); !errors.Is(err, stop) {
		t.Error(err)
	}
}
