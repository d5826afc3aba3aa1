package wire_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
)

func TestEveryTopicIsTakenApartAgain(t *testing.T) {
	for _, c := range wire.Channels() {
		topic := map[string]string{"area": wire.Area("tan-lap", c.Name), "node": wire.Node("tan-lap", c.Name), "controller": wire.ControllerTopic}[c.Scope]
		got, err := wire.ParseTopic(topic)
		if err != nil || got.Channel.Name != c.Name || got.Channel.Scope != c.Scope || c.Scope != "controller" && got.ID != "tan-lap" {
			t.Errorf("%s: %+v %v", topic, got, err)
		}
	}
	for _, bad := range []string{"", "loaxa/1", "loaxa/2/node/a/state", "loaxa/1/node/A/state", "loaxa/1/node/a b/state", "loaxa/1/node//state",
		"loaxa/1/node/a/state/x", "loaxa/1/node/a/unknown", "loaxa/1/area/+/manifest", "loaxa/1/area/#", "$SYS/x", "loaxa/1/controller/x"} {
		if _, err := wire.ParseTopic(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestLimitsOfTopicsHoldTheKindsThatTravelThere(t *testing.T) {
	for _, c := range wire.Channels() {
		for _, k := range c.Kinds {
			if c.Limit < k.Limit() {
				t.Errorf("%s/%s takes %d bytes, but a %s may have %d", c.Scope, c.Name, c.Limit, k, k.Limit())
			}
		}
		if c.Limit > wire.MaxMessage {
			t.Errorf("%s/%s is above the largest message", c.Scope, c.Name)
		}
	}
}

func TestNodesMayDoWhatTheTableSaysAndNothingElse(t *testing.T) {
	chain := []broadcast.Place{{Area: "bac-quang", Level: broadcast.District}, {Area: "tan-lap", Level: broadcast.Village}}
	publish, read := wire.NodeRights("n1", chain)
	for _, topic := range publish {
		parsed, err := wire.ParseTopic(topic)
		if err != nil || parsed.ID != "n1" || parsed.Channel.From != wire.FromNode {
			t.Errorf("publishes %s: %v", topic, err)
		}
	}
	if len(publish) != 4 || !slices.Contains(read, "loaxa/1/area/tan-lap/+") || !slices.Contains(read, wire.ControllerTopic) {
		t.Errorf("%v %v", publish, read)
	}
	for _, topic := range append(publish, read...) {
		if strings.Contains(topic, "$") || strings.Contains(topic, "#") || strings.HasPrefix(topic, "+") {
			t.Errorf("%s reaches further than it should", topic)
		}
	}
	if got := wire.ControllerReads(); len(got) != 4 {
		t.Errorf("the controller reads %v", got)
	}
}
