package node

import (
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
)

// How a node answers a controller that came anew: not in step with all others,
// and seldom, since anybody at the broker can call.
const (
	callSpread = 15 * time.Second
	callsApart = time.Minute
)

// call is a controller's word that it is there.
type call struct {
	run broadcast.ID
	// due is when it is answered, 0 for not; next is when another one may be.
	due, next time.Duration
}

// called takes a controller's word that it is there. One that came anew may have
// heard nothing of what was said before. It is a hint: all that follows from it
// is that the node speaks.
func (n *Node) called(payload []byte) {
	s, err := wire.DecodeControllerState(payload)
	if err != nil {
		n.noise++
		return
	}
	if !s.Online || s.Run == n.call.run {
		return
	}
	n.call.run = s.Run
	if n.call.due == 0 {
		n.call.due = max(n.mono()+n.jitter(callSpread), n.call.next)
	}
}

// answerCall says what the node holds and what it proved, and returns when it
// will; 0 for nobody called.
func (n *Node) answerCall() time.Duration {
	if n.call.due == 0 || n.mono() < n.call.due {
		return n.call.due
	}
	n.call.due, n.call.next = 0, n.mono()+callsApart
	n.presence.stated = 0
	n.delivery.soon()
	return max(1, n.mono()) // the next step sends what was proved
}
