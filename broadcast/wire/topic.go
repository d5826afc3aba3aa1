package wire

import (
	"fmt"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
)

// Prefix begins every topic; the number is the version of the layout.
const Prefix = "loaxa/1"

// MaxMessage is the largest message on any topic in bytes.
const MaxMessage = 256 << 10

// Side says who publishes on a topic.
type Side string

// The two sides.
const (
	FromController Side = "controller"
	FromNode       Side = "node"
)

// Channel is one row of the table of topics.
type Channel struct {
	// Scope is area, node or controller; Name is the rest of the topic.
	Scope, Name string
	From        Side
	// Retained by the broker, which nothing relies on.
	Retained bool
	// Kinds that may travel here; empty for hints.
	Kinds []broadcast.Kind
	// Limit is the largest message in bytes.
	Limit int
}

// Channels returns the one table of topics. It drives the rights of the
// broker, the subscriptions of both sides and the contract in asyncapi.yaml.
func Channels() []Channel {
	kinds := func(k ...broadcast.Kind) []broadcast.Kind { return k }
	areaDocs := kinds(broadcast.KindManifest, broadcast.KindPolicy, broadcast.KindAuthority, broadcast.KindSilence,
		broadcast.KindAnnouncement, broadcast.KindDrill, broadcast.KindTemplate, broadcast.KindWithdrawal,
		broadcast.KindPlacement, broadcast.KindSlot, broadcast.KindAssignment, broadcast.KindRebase)
	return []Channel{
		{"area", "manifest", FromController, true, kinds(broadcast.KindManifest), MaxMessage},
		{"area", "policy", FromController, true, kinds(broadcast.KindPolicy), MaxMessage},
		{"area", "authority", FromController, true, kinds(broadcast.KindAuthority), MaxMessage},
		{"area", "silence", FromController, true, kinds(broadcast.KindSilence), 4 << 10},
		{"area", "announcement", FromController, false, kinds(broadcast.KindAnnouncement, broadcast.KindDrill), 2 << 10},
		{"area", "withdrawal", FromController, false, kinds(broadcast.KindWithdrawal), 4 << 10},
		{"node", "assignment", FromController, true, kinds(broadcast.KindAssignment), 16 << 10},
		{"node", "document", FromController, false, areaDocs, MaxMessage},
		{"node", "command", FromController, false, kinds(broadcast.KindCommand), 4 << 10},
		{"node", "receipt/ack", FromController, false, kinds(broadcast.KindAck), 4 << 10},
		{"node", "time", FromController, false, kinds(broadcast.KindTime), 4 << 10},
		{"node", "presence", FromNode, true, nil, 1 << 10},
		{"node", "state", FromNode, true, nil, 8 << 10},
		{"node", "health", FromNode, false, nil, 16 << 10},
		{"node", "receipt", FromNode, false, kinds(broadcast.KindReceipts), 64 << 10},
		{"controller", "state", FromController, true, nil, 1 << 10},
	}
}

// Topic is one topic of the layout, taken apart.
type Topic struct {
	Channel Channel
	// ID is the area or node; empty for the controller's own.
	ID broadcast.ID
}

// Area returns a topic of an area, such as Area("tan-lap", "manifest").
func Area(id broadcast.ID, name string) string { return Prefix + "/area/" + string(id) + "/" + name }

// Node returns a topic of a node, such as Node("tan-lap-1", "presence").
func Node(id broadcast.ID, name string) string { return Prefix + "/node/" + string(id) + "/" + name }

// ControllerTopic is where the controller says that it is online.
const ControllerTopic = Prefix + "/controller/state"

// ParseTopic takes a topic apart. Topics that are not in the table, or whose
// id is malformed, are errors.
func ParseTopic(topic string) (Topic, error) {
	rest, ok := strings.CutPrefix(topic, Prefix+"/")
	if !ok {
		return Topic{}, fmt.Errorf("topic %q: does not begin with %s", topic, Prefix)
	}
	scope, rest, _ := strings.Cut(rest, "/")
	var id string
	if scope != "controller" {
		id, rest, _ = strings.Cut(rest, "/")
		if err := broadcast.ID(id).Validate(); err != nil {
			return Topic{}, fmt.Errorf("topic %q: %w", topic, err)
		}
	}
	for _, c := range Channels() {
		if c.Scope == scope && c.Name == rest {
			return Topic{Channel: c, ID: broadcast.ID(id)}, nil
		}
	}
	return Topic{}, fmt.Errorf("topic %q: not in the layout", topic)
}

// NodeRights returns the topics that one node may publish, and the filters that
// it may read, given the areas on its chain. Everything else is denied.
func NodeRights(node broadcast.ID, chain []broadcast.Place) (publish, read []string) {
	for _, c := range Channels() {
		switch {
		case c.Scope == "node" && c.From == FromNode:
			publish = append(publish, Node(node, c.Name))
		case c.Scope == "node":
			read = append(read, Node(node, c.Name))
		case c.Scope == "controller":
			read = append(read, ControllerTopic)
		}
	}
	for _, p := range chain {
		read = append(read, Area(p.Area, "+"))
	}
	return publish, read
}

// ControllerReads returns the filters that the controller subscribes to.
func ControllerReads() []string {
	var out []string
	for _, c := range Channels() {
		if c.From == FromNode {
			out = append(out, Prefix+"/node/+/"+c.Name)
		}
	}
	return out
}
