package fleet

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/health"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/store"
)

// comesBack is when every node that lives has shown itself after the controller
// or the broker was away: it answers a new controller, or it tries to connect
// again, which takes a minute at most, and so does finding out that it must.
const comesBack = 85 * time.Second

// When a connected node ought to have spoken: as soon as it is connected, and
// every five minutes, of which one message may get lost.
const (
	firstWord  = 15 * time.Second
	secondWord = 10*time.Minute + 30*time.Second
)

// How long before its end a certificate is warned of.
const month, week = 30 * 24 * time.Hour, 7 * 24 * time.Hour

// Line says whether messages of nodes can come at all.
type Line interface {
	Up() bool
}

// Holdings knows what a node ought to hold, by the digest that nodes give.
type Holdings interface {
	Holding(ctx context.Context, id broadcast.ID) (broadcast.Digest, error)
}

// Stations knows what is relayed.
type Stations interface {
	// Lost says why, for each station that gives no sound.
	Lost() map[broadcast.ID]string
}

// watchStations looks at what others send.
func (v *Vigil) watchStations(now health.Moment) {
	lost := v.cfg.Stations.Lost()
	for _, id := range v.centre.Parts(broadcast.FaultStation) {
		if _, still := lost[broadcast.ID(id)]; !still {
			v.centre.Clear(broadcast.FaultStation, id, now)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(lost)) {
		v.centre.Raise(broadcast.FaultStation, string(id), lost[id], now)
	}
}

// watchCentre looks at the controller's own parts.
func (v *Vigil) watchCentre(ctx context.Context, now health.Moment) error {
	up := v.cfg.Line.Up()
	v.centre.Set(!up, broadcast.FaultBrokerGone, "", "no link to the message broker", now)
	switch {
	case !up:
		v.up = 0
	case v.up == 0:
		v.up = now.At
	}
	v.watchStations(now)
	ring, err := v.fleet.cfg.Office.Ring(ctx)
	if err != nil {
		return err
	}
	until := map[broadcast.ID]broadcast.Instant{}
	for _, c := range ring.InForce() {
		if !c.Service() {
			until[c.Person] = max(until[c.Person], c.Until)
		}
	}
	for person, at := range until {
		left := at.Sub(now.At)
		current := left > -month // after that they have left the office
		cause := "until " + at.String()
		v.centre.Set(current && left < week, broadcast.FaultOfficerWeek, string(person), cause, now)
		v.centre.Set(current && left >= week && left < month, broadcast.FaultOfficerMonth, string(person), cause, now)
	}
	for _, code := range []broadcast.FaultCode{broadcast.FaultOfficerWeek, broadcast.FaultOfficerMonth} {
		for _, person := range v.centre.Parts(code) {
			if until[broadcast.ID(person)] == 0 { // revoked
				v.centre.Clear(code, person, now)
			}
		}
	}
	return nil
}

// areaHoldings asks once for all nodes of an area: they ought to hold the same.
type areaHoldings struct {
	of Holdings
	by map[broadcast.ID]broadcast.Digest
}

func (h *areaHoldings) want(ctx context.Context, n store.Node) (broadcast.Digest, error) {
	if digest, known := h.by[n.Area]; known {
		return digest, nil
	}
	digest, err := h.of.Holding(ctx, n.ID)
	if err == nil {
		h.by[n.Area] = digest
	}
	return digest, err
}

// watchSite finds out what a node cannot say of itself. While the line is down
// nothing is learnt of any node.
func (v *Vigil) watchSite(ctx context.Context, s Standing, wanted *areaHoldings, now health.Moment) error {
	c := &v.site(s.Node.ID).chart
	for _, code := range []broadcast.FaultCode{broadcast.FaultRolledBack, broadcast.FaultDuplicate} {
		c.Set(s.Doubt != nil && s.Doubt.Code == code, code, "", "its receipts have two continuations", now)
	}
	if v.up == 0 {
		return nil
	}
	ours := s.Node.Status == store.Confirmed
	gone := ours && v.gone(s, now.At)
	c.Set(gone, broadcast.FaultNodeGone, "", lastSign(s), now)
	c.Set(ours && !gone && v.mute(s, now.At), broadcast.FaultNoAnswer, "", lastSign(s), now)
	if !ours || gone || s.State == nil {
		c.Clear(broadcast.FaultDrift, "", now)
		c.Clear(broadcast.FaultUnanswered, "", now)
		return nil
	}
	stored := v.site(s.Node.ID).stored
	c.Set(lacks(stored, *s.State), broadcast.FaultUnanswered, "", fmt.Sprintf("it has %d receipts, and %d came", s.State.Seq, stored.Seq), now)
	want, err := wanted.want(ctx, s.Node)
	if err != nil {
		return err
	}
	c.Set(want != s.State.Holding, broadcast.FaultDrift, "", fmt.Sprintf("holds %s, ought to hold %s", s.State.Holding.Short(), want.Short()), now)
	return nil
}

// learnStored asks, once for all nodes, how far the receipts of those came that
// say they have more than was known to be stored.
func (v *Vigil) learnStored(ctx context.Context, standings []Standing) error {
	var names []store.ChainName
	for _, s := range standings {
		if s.State == nil || s.Node.Status != store.Confirmed {
			continue
		}
		name := store.ChainName{Node: s.Node.ID, Chain: s.State.Chain}
		if had := v.site(s.Node.ID).stored; had.Name() != name || had.Seq < s.State.Seq {
			names = append(names, name)
		}
	}
	ends, err := v.fleet.cfg.DB.Chains(ctx, names)
	for name, end := range ends {
		v.site(name.Node).stored = end
	}
	return err
}

// lacks says that a node has receipts that did not come. What it gave to a
// database before this one it will not give again.
func lacks(stored store.Chain, s wire.State) bool {
	return stored.Seq < s.Seq && (stored.Seq > 0 || s.Acked < s.Seq)
}

func lastSign(s Standing) string {
	if s.LastSign == 0 {
		return "it never gave a sign"
	}
	return "last sign at " + s.LastSign.String()
}

// gone says that a node said goodbye, had it said by the broker, did not show
// itself since the controller's line is up, or was not heard of for too long.
// Silence counts only while anything could be heard.
func (v *Vigil) gone(s Standing, now broadcast.Instant) bool {
	if since := v.up.Add(-lookEvery); s.LastSign < since && now.Sub(v.up) > comesBack {
		return true // the line may have come up any time since the look before
	}
	return !s.Hints.Present || now.Sub(max(s.LastSign, v.up)) > silentAfter
}

// mute says that a node is connected and does not speak although it ought to.
func (v *Vigil) mute(s Standing, now broadcast.Instant) bool {
	// Both, for a broker that keeps one of them back hides what it would tell.
	spoke := min(s.Hints.StateAt, s.Hints.HealthAt)
	due := max(spoke, v.up).Add(secondWord)
	if s.Hints.PresenceAt > spoke {
		due = s.Hints.PresenceAt.Add(firstWord)
	}
	return now > due
}
