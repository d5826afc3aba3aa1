package node

import (
	"context"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/link"
)

// How often a node speaks of itself.
const (
	stateEvery = 5 * time.Minute
	stateApart = 2 * time.Second  // between two states, however much changes
	askEvery   = 6 * time.Hour    // for the time, while it is proved
	askAgain   = 10 * time.Second // while it is not
	askLost    = 3 * time.Second  // without a place or an authority, at first
	outboxSize = 64
)

// Link carries messages to the controllers.
type Link interface {
	// Publish hands a message over; nil proves nothing.
	Publish(ctx context.Context, m link.Message) error
	// SetTopics replaces what is listened to.
	SetTopics(topics []string)
}

// presence is what the node told of itself, and when.
type presence struct {
	up         bool
	connection broadcast.ID
	asked      time.Duration // when presence with a question went out; 0 for never
	stated     time.Duration
	state      wire.State
	holding    broadcast.Digest // names the holdings; empty when they changed
}

// OnUp is told by the link that a broker took the node.
func (n *Node) OnUp(connection string) {
	n.post(func() {
		n.presence = presence{up: true, connection: broadcast.ID(connection)}
		n.call.due = 0 // everything is told now
		n.voice.Anew()
		n.connected()
		n.delivery = delivery{last: n.delivery.last}
		n.fetches.online()
		n.sending.again()
		n.docDirty = true
	})
}

// OnDown is told by the link that the connection is gone.
func (n *Node) OnDown(connection string, _ error) {
	n.post(func() {
		if n.presence.connection == broadcast.ID(connection) {
			n.presence.up = false
		}
	})
}

// OnMessage is told by the link what came.
func (n *Node) OnMessage(topic string, payload []byte) {
	n.post(func() { n.message(topic, payload) })
}

// Will is what the broker shall say when a connection is lost.
func (n *Node) Will(connection string) link.Message {
	return n.presenceMessage(wire.Presence{State: wire.Gone, Connection: broadcast.ID(connection), Boot: n.boot})
}

func (n *Node) presenceMessage(p wire.Presence) link.Message {
	raw, err := broadcast.Encode(p)
	if err != nil {
		return link.Message{}
	}
	return link.Message{Topic: wire.Node(n.cfg.Node, "presence"), Payload: raw, Retained: true}
}

// Topics are what this node listens to: its own, and those of its areas.
func (n *Node) topics() []string {
	chain := n.holdings.place().Chain
	if len(chain) == 0 {
		chain = nil
	}
	_, read := wire.NodeRights(n.cfg.Node, chain)
	return read
}

// announce says what is due to be said and returns when more is; 0 while the
// link is down.
func (n *Node) announce() time.Duration {
	if !n.presence.up {
		return 0
	}
	return sooner(sooner(n.answerCall(), n.askTime()), sooner(n.tellState(), n.tellHealth()))
}

// askTime says that the node is there, with a question for the time.
func (n *Node) askTime() time.Duration {
	p := &n.presence
	every := n.patient(askAgain)
	if n.clock.answered {
		every = askEvery
	}
	if p.asked != 0 && n.mono() < p.asked+every && !n.wonder {
		return p.asked + every
	}
	n.wonder = false
	text, err := n.clock.ask(n.cfg.Entropy, n.reading)
	if err != nil {
		n.log.Error("no question for the time", "err", err)
	}
	p.asked = max(1, n.mono())
	n.publish(n.presenceMessage(wire.Presence{State: wire.Ready, Connection: p.connection, Boot: n.boot, Nonce: text}))
	return p.asked + every
}

// tellState says what the node holds, every five minutes and when it changes.
func (n *Node) tellState() time.Duration {
	p := &n.presence
	if p.stated != 0 && n.mono() < p.stated+askLost {
		return p.stated + askLost // not before, whatever it would say
	}
	now := n.currentState()
	changed := p.stated == 0 || differs(now, p.state)
	every := stateEvery
	if now.Resync {
		every = n.patient(askLost)
	}
	due := p.stated + every
	if changed && p.stated != 0 {
		due = min(due, p.stated+stateApart)
	}
	if p.stated != 0 && n.mono() < due {
		return due
	}
	n.resync = false
	var err error
	if now.Plan, err = n.plan.Digest(); err != nil {
		n.log.Error("plan not named", "err", err)
	}
	raw, err := broadcast.Encode(now)
	if err != nil {
		n.log.Error("state not encoded", "err", err)
		return 0
	}
	p.state, p.stated = now, max(1, n.mono())
	n.send(wire.Node(n.cfg.Node, "state"), raw, true)
	return p.stated + every
}

// patient is how long a node waits before it asks again for what it never got:
// a card that nobody confirms for weeks must not use up its data.
func (n *Node) patient(first time.Duration) time.Duration {
	return min(max(first, n.mono()/20), stateEvery)
}

// differs leaves out what changes all the time.
func differs(a, b wire.State) bool {
	return a.Clock != b.Clock || a.Holding != b.Holding || a.Chain != b.Chain || a.Resync && !b.Resync ||
		(a.Missing == 0) != (b.Missing == 0) || suppliesDiffer(a.Supply, b.Supply)
}

func (n *Node) currentState() wire.State {
	s := wire.State{Boot: n.boot, Version: n.cfg.Version, Board: n.cfg.BoardName, Clock: n.clock.quality,
		Chain: n.ledger.chain, Seq: n.ledger.seq, Acked: n.ledger.acked, Missing: n.missingBytes(),
		Free: max(0, n.cfg.Quota-n.cfg.Contents.Used()), Resync: n.resync || n.lost()}
	if n.ledger.seq > 0 {
		s.Head = n.ledger.head
	}
	for _, m := range n.holdings.chained() {
		if s.Manifests == nil {
			s.Manifests = map[broadcast.ID]broadcast.Revision{}
		}
		s.Manifests[m.Area] = m.Revision
	}
	if n.presence.holding == "" {
		var err error
		if n.presence.holding, err = n.holdings.digest(); err != nil {
			n.log.Error("holdings not named", "err", err)
		}
	}
	s.Holding = n.presence.holding
	s.Supply = n.supply.wire()
	s.Audit = n.holdings.witnessed
	if n.cfg.Traffic != nil {
		s.Sent, s.Received = n.cfg.Traffic()
	}
	return s
}

// lost says that the node knows too little of its place to ask for more by name.
func (n *Node) lost() bool {
	return n.holdings.assignment == nil || len(n.holdings.authorities) == 0
}

// tellHealth says what is wrong, as often as the voice of its chart says.
func (n *Node) tellHealth() time.Duration {
	list, next := n.chart.Shown(n.instant())
	due, at := n.voice.Due(n.mono(), list)
	if !due {
		return sooner(next, at)
	}
	raw, err := broadcast.Encode(wire.Health{Boot: n.boot, Faults: list})
	if err != nil {
		n.log.Error("health not encoded", "err", err)
		return 0
	}
	n.voice.Said(n.mono(), list)
	n.send(wire.Node(n.cfg.Node, "health"), raw, false)
	_, at = n.voice.Due(n.mono(), list)
	return sooner(next, at)
}

// send puts a message into the outbox.
func (n *Node) send(topic string, payload []byte, retained bool) {
	n.publish(link.Message{Topic: topic, Payload: payload, Retained: retained})
}

// publish puts a message into the outbox, which never makes the node wait. What
// finds no room is lost, as anything on the way may be.
func (n *Node) publish(m link.Message) {
	select {
	case n.outbox <- m:
	default:
		n.noise++
		n.log.Warn("outbox full, message lost", "topic", m.Topic)
	}
}

// post hands the outbox to the link, one message after the other.
func (n *Node) carryOut(ctx context.Context) {
	for {
		select {
		case m := <-n.outbox:
			if err := n.cfg.Link.Publish(ctx, m); err != nil && ctx.Err() == nil {
				n.log.Debug("not published", "topic", m.Topic, "err", err)
			}
		case <-ctx.Done():
			return
		}
	}
}
