package node

import (
	"context"
	"errors"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/device/live"
)

// Session believes what the service key says of a relay that is on the air, as
// things stand at this moment, or says why not. Nothing of it is kept.
func (n *Node) Session(ctx context.Context, sealed []byte) (broadcast.Session, error) {
	type answer struct {
		session broadcast.Session
		err     error
	}
	answers := make(chan answer, 1)
	if !n.post(func() {
		s, _, err := seal.Open[broadcast.Session](n.keyring, broadcast.KindSession, sealed, n.context(broadcast.KindSession, broadcast.Sum(sealed)))
		answers <- answer{s, err}
	}) {
		return broadcast.Session{}, errStopped
	}
	select {
	case a := <-answers:
		return a.session, a.err
	case <-n.over:
		return broadcast.Session{}, errStopped
	case <-ctx.Done():
		return broadcast.Session{}, context.Cause(ctx)
	}
}

// relayed is why a relay ended a sounding; empty if none did.
func relayed(err error) broadcast.Reason {
	switch {
	case errors.Is(err, live.ErrUnauthenticated):
		return broadcast.WhyUnauthentic
	case errors.Is(err, live.ErrStation):
		return broadcast.WhyStation
	case errors.Is(err, live.ErrLine):
		return broadcast.WhyLine
	}
	return ""
}

// relaying says that a part is a relay.
func relaying(p plan.Part) bool { return p.Station != "" }

// relays says whether a sample of a sounding lies in a relay: how loud a station
// speaks, and whether it does, says nothing of this site.
func relays(s plan.Sounding, played int64) bool {
	at := s.Offset + played*1000/sampleRate
	for _, p := range s.Parts {
		if relaying(p) && at >= p.At && at <= p.At+p.Millis+1000 {
			return true
		}
	}
	return false
}
