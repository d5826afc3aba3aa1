package node_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

// onCard says which documents of a kind are on the node's card.
func onCard(r *nodetest.Rig, kind string) (out []string) {
	for _, path := range r.Disk.Files() {
		if _, name, found := strings.Cut(path, "doc,"+kind); found {
			out = append(out, name)
		}
	}
	return out
}

// TestFormerPlaceLeavesTheCardOnceTheMoveIsProved moves a node to the next
// commune and back.
func TestFormerPlaceLeavesTheCardOnceTheMoveIsProved(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		here := func(id broadcast.ID, areas ...broadcast.ID) []byte {
			a := r.Announcement(id, broadcast.Emergency, 6*time.Hour, time.Second)
			a.Areas = areas
			raw := r.Centre.Sealed(broadcast.KindAnnouncement, a, areas[0], r.Centre.Editor, r.Centre.Approver)
			r.Send(wire.Area(areas[0], "announcement"), raw)
			return raw
		}
		old := here("old", nodetest.Area)
		here("both", nodetest.Area, "viet-quang")
		here("district", nodetest.Top)
		lists := func(area broadcast.ID) { r.Send(wire.Area(area, "manifest"), r.Centre.Manifest(area)) }
		lists(nodetest.Area)
		pass(2 * time.Hour)
		if got := onCard(r, "announcement"); len(got) != 3 || len(onCard(r, "manifest")) != 2 {
			t.Fatalf("before the move: %q %q", got, onCard(r, "manifest"))
		}
		r.Send(wire.Node(nodetest.NodeID, "assignment"), r.Centre.Assignment("other", r.Public(), "viet-quang"))
		pass(90 * time.Minute)
		if got := onCard(r, "announcement"); len(got) != 3 {
			t.Errorf("a move that is not this node's took documents: %q", got)
		}
		move := func(to broadcast.ID) {
			r.Send(wire.Node(nodetest.NodeID, "assignment"), r.Centre.Assignment(nodetest.NodeID, r.Public(), to))
			pass(61 * time.Minute)
		}
		move("viet-quang")
		got := onCard(r, "announcement")
		if len(got) != 2 || slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "old") }) {
			t.Errorf("after the move: %q", got)
		}
		move(nodetest.Area)
		r.Send(wire.Area(nodetest.Area, "announcement"), old)
		pass(time.Hour)
		sounded(t, r, 3)
	})
}

// TestFormerPlaceStaysOnTheCardWhileTheMoveIsInDoubt revokes whoever moved the
// node before anything was taken off its card.
func TestFormerPlaceStaysOnTheCardWhileTheMoveIsInDoubt(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		a := r.Announcement("old", broadcast.Emergency, 6*time.Hour, time.Second)
		a.Areas = []broadcast.ID{nodetest.Area}
		r.Send(wire.Area(nodetest.Area, "announcement"), r.Centre.Sealed(broadcast.KindAnnouncement, a, nodetest.Area, r.Centre.Approver, r.Centre.Editor))
		pass(10 * time.Minute)
		r.Send(wire.Node(nodetest.NodeID, "assignment"), r.Centre.Assignment(nodetest.NodeID, r.Public(), "viet-quang"))
		pass(time.Minute)
		gone := broadcast.Revocation{KID: r.Centre.Editor.KID, Mode: broadcast.Compromised, At: r.Centre.House.From}
		r.Send(wire.Area(nodetest.Top, "authority"), r.Centre.Authority(gone))
		pass(3 * time.Hour)
		if got := onCard(r, "announcement"); len(got) != 1 {
			t.Errorf("on the card: %q", got)
		}
	})
}

// TestRunningOrdersLeaveTheCardWithWhatNamesThem has a programme sound and be
// forgotten.
func TestRunningOrdersLeaveTheCardWithWhatNamesThem(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		a := r.Announcement("programme", broadcast.Priority, time.Hour, 5*time.Second)
		content := *a.Versions[0].Content
		raw, err := broadcast.Encode(broadcast.RunningOrder{Segments: []broadcast.Segment{{Title: "Mục 1", Content: &content}}})
		if err != nil {
			t.Fatal(err)
		}
		a.Versions[0].Content = nil
		a.Versions[0].Programme = &broadcast.Programme{SHA256: r.Centre.PutContent(raw), Millis: content.Millis, Bytes: content.Bytes}
		r.Announce(a)
		orders := func() int {
			return len(slices.DeleteFunc(r.Disk.Files(), func(path string) bool { return !strings.Contains(path, "order,") }))
		}
		pass(3 * time.Hour)
		sounded(t, r, 1)
		if orders() != 1 {
			t.Fatalf("%d running orders on the card: %q", orders(), r.Disk.Files())
		}
		r.Centre.Delist(nodetest.Top, broadcast.KindAnnouncement, a.ID)
		r.List()
		pass(48 * time.Hour)
		if orders() != 0 {
			t.Errorf("%d running orders on the card", orders())
		}
	})
}
