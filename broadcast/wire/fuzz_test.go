package wire_test

import (
	"testing"

	"github.com/loaxa/loaxa/broadcast/wire"
)

// FuzzTopic: a topic that is taken apart can be put together again in one way.
func FuzzTopic(f *testing.F) {
	for _, c := range wire.Channels() {
		switch c.Scope {
		case "area":
			f.Add(wire.Area("tan-lap", c.Name))
		case "node":
			f.Add(wire.Node("tan-lap-1", c.Name))
		default:
			f.Add(wire.ControllerTopic)
		}
	}
	f.Fuzz(func(t *testing.T, topic string) {
		got, err := wire.ParseTopic(topic)
		if err != nil {
			return
		}
		again := map[string]string{"area": wire.Area(got.ID, got.Channel.Name), "node": wire.Node(got.ID, got.Channel.Name),
			"controller": wire.ControllerTopic}[got.Channel.Scope]
		if again != topic {
			t.Errorf("%q is taken for %q", topic, again)
		}
	})
}
