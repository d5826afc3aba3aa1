package site

import (
	"context"
	"net"
	"time"

	"github.com/loaxa/loaxa/device/link/doorstep"
	"github.com/loaxa/loaxa/device/node"
)

// doorEvery is how long an address that cannot be had is left alone: a Wi-Fi
// may come up after the daemon.
const doorEvery = 30 * time.Second

// open has the node answer on its own LAN until ctx ends. Without the address
// the loudspeaker works all the same.
func (s *Site) open(ctx context.Context, n *node.Node) {
	door := doorstep.New(doorstep.Config{Name: s.cfg.Node, Node: n, Log: s.cfg.Log})
	tick := time.NewTicker(doorEvery)
	defer tick.Stop()
	for {
		l, err := net.Listen("tcp", s.cfg.LAN)
		if err == nil {
			s.cfg.Log.Info("documents may be handed over", "address", l.Addr().String())
			err = door.Serve(ctx, l)
		}
		if ctx.Err() != nil {
			return
		}
		s.cfg.Log.Warn("documents cannot be handed over on the LAN", "address", s.cfg.LAN, "err", err)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
