package fleet

import (
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/broker"
	"github.com/loaxa/loaxa/controller/store"
)

// nodeRights gives a pending node its own topics only: it has no place yet.
func (f *Fleet) nodeRights(n store.Node) broker.Rights {
	chain, err := f.Chain(n.Area)
	if err != nil || n.Status != store.Confirmed {
		chain = nil
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
