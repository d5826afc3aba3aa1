package node_test

import (
	"slices"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

func TestAProgrammeThatCameAfterItsTimeIsLateAndNotWithoutItsRunningOrder(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Wire.Down()
		a := r.Announcement("morning", broadcast.Priority, time.Minute, 5*time.Second)
		content := *a.Versions[0].Content
		raw, err := broadcast.Encode(broadcast.RunningOrder{Segments: []broadcast.Segment{{Title: "Mục 1", Content: &content}}})
		if err != nil {
			t.Fatal(err)
		}
		a.Versions[0].Content = nil
		a.Versions[0].Programme = &broadcast.Programme{SHA256: r.Centre.PutContent(raw), Millis: content.Millis, Bytes: content.Bytes}
		r.Sealed(a)
		pass(24 * time.Hour)
		r.Wire.Up()
		r.List()
		pass(time.Hour)
		sounded(t, r, 0)
		if got := r.Centre.Rungs(nodetest.NodeID, "morning"); !slices.Contains(got, "skipped late") || slices.Contains(got, "failed content") {
			t.Errorf("receipts %q", got)
		}
	})
}
