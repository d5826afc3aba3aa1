package node

import (
	"crypto/sha256"
	"encoding/binary"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

const day = 24 * time.Hour

// usualNight is when lines are idle and data is cheap.
var usualNight = broadcast.Span{From: 0, To: 4*60 + 30}

// midnight is the beginning of the local day of a moment.
func midnight(at broadcast.Instant) broadcast.Instant {
	from, _, _ := broadcast.Span{To: 24 * 60}.On(at)
	return from
}

// night is when this node may begin with what waits for the night: 0 for now,
// otherwise its own moment of the next night. Nodes spread over the first three
// quarters of the night, each night in another order, so that those who share a
// mast do not begin together; a restart changes nothing about it.
func (n *Node) night(now broadcast.Instant) broadcast.Instant {
	for back := -day; back <= 8*day; back += day { // a span may name one day of the week
		begin, end, ok := n.cfg.Night.On(now.Add(back))
		if !ok || end <= now {
			continue
		}
		mine := begin.Add(share(n.cfg.Node, begin, end.Sub(begin)*3/4))
		if mine <= now {
			return 0
		}
		return mine
	}
	return 0
}

// share is a node's own part of a span, evenly spread over nodes and nights.
func share(id broadcast.ID, night broadcast.Instant, span time.Duration) time.Duration {
	sum := sha256.Sum256([]byte(string(id) + " " + night.String()))
	return time.Duration(binary.BigEndian.Uint64(sum[:]) >> 1 % uint64(max(1, span)))
}
