package desk_test

import (
	"testing"
	"time"

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
