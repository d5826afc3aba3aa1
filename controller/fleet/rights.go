package fleet

import (
	"context"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/broker"
	"github.com/loaxa/loaxa/controller/store"
)

// nodeRights gives a pending node its own topics only: it has no place yet. One
// that has not followed a change of the tree goes on hearing where it stood, for
// it would otherwise hear alarms in neither place.
func (f *Fleet) nodeRights(ctx context.Context, n store.Node) broker.Rights {
	var chain []broadcast.Place
	if n.Status == store.Confirmed {
		chain, _ = f.Chain(n.Area) // an area that is gone leaves what was signed
		if at, err := f.placed(ctx, n); err == nil {
			chain = append(chain, slices.DeleteFunc(at.Chain, func(p broadcast.Place) bool {
				return slices.ContainsFunc(chain, func(now broadcast.Place) bool { return now.Area == p.Area })
			})...)
		}
	}
	publish, read := wire.NodeRights(n.ID, chain)
	return broker.Rights{Publish: publish, Read: read}
}

// controllerRights is the controller's side of the table of topics.
func controllerRights() broker.Rights {
	r := broker.Rights{Read: wire.ControllerReads(), Publish: []string{wire.ControllerTopic}}
	for _, c := range wire.Channels() {
		if c.From == wire.FromController && c.Scope != "controller" {
			r.Publish = append(r.Publish, wire.Prefix+"/"+c.Scope+"/+/"+c.Name)
		}
	}
	return r
}
