package desk_test

import (
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/desk/desktest"
)

// BenchmarkLastSignature is the transaction that publishes: everything between
// the officer's click and "accepted".
func BenchmarkLastSignature(b *testing.B) {
	h := desktest.New(b)
	officer, sound := h.Named("duyet-1"), h.Content(10*time.Second)
	for b.Loop() {
		b.StopTimer()
		a, err := h.Desk.Create(b.Context(), officer.Person, desk.Draft{Title: "Lũ quét", Class: broadcast.Emergency, Reason: "lũ lên nhanh",
			Areas: []broadcast.ID{broadcast.BacQuang}, Versions: []desk.DraftVersion{{Content: sound}}}, nil)
		if err == nil {
			_, err = h.Desk.Submit(b.Context(), officer.Person, officer.Credential, a.Document.ID, "")
		}
		if err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		if _, err := h.Desk.Approve(b.Context(), officer.Person, officer.Credential, a.Document.ID, a.Digest); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDeliveries is one look at 345 nodes that sounded to the end.
func BenchmarkDeliveries(b *testing.B) {
	h := desktest.New(b)
	officer, sound := h.Named("duyet-1"), h.Content(10*time.Second)
	var nodes []broadcast.ID
	for i, area := range broadcast.FormerCommunes(h.Tree()) {
		for j := range 15 {
			id := broadcast.ID("n" + string(rune('a'+i)) + string(rune('a'+j)))
			h.Node(id, area)
			nodes = append(nodes, id)
		}
	}
	a, err := h.Desk.Create(b.Context(), officer.Person, desk.Draft{Title: "Lũ quét", Class: broadcast.Emergency, Reason: "lũ lên nhanh",
		Areas: []broadcast.ID{broadcast.BacQuang}, Versions: []desk.DraftVersion{{Content: sound}}}, nil)
	if err == nil {
		_, err = h.Desk.Submit(b.Context(), officer.Person, officer.Credential, a.Document.ID, "")
	}
	if err == nil {
		a, err = h.Desk.Approve(b.Context(), officer.Person, officer.Credential, a.Document.ID, a.Digest)
	}
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range nodes {
		h.Prove(n, desktest.Sounded(a.Document)...)
	}
	for b.Loop() {
		d, err := h.Desk.Deliveries(b.Context(), a.Document.ID)
		if err != nil || len(d.Nodes) != len(nodes) || d.Open() != 0 {
			b.Fatalf("%v %d nodes, %d open", err, len(d.Nodes), d.Open())
		}
	}
}
