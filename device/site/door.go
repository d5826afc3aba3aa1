package site

import (
	"context"
	"net"
	"time"

	"github.com/loaxa/loaxa/device/link/counter"
	"github.com/loaxa/loaxa/device/link/doorstep"
	"github.com/loaxa/loaxa/device/node"
)

// doorEvery is how long an address that cannot be had is left alone: a Wi-Fi
// may come up after the daemon.
const doorEvery = 30 * time.Second

// doors are where things may be handed over, by hand or by the node's own LAN.
func (s *Site) doors(n *node.Node) (all []func(context.Context)) {
	if s.cfg.LAN != "" {
		door := doorstep.New(doorstep.Config{Name: s.cfg.Node, Node: n, Log: s.cfg.Log})
		all = append(all, func(ctx context.Context) {
			s.open(ctx, s.cfg.LAN, func() error {
				l, err := net.Listen("tcp", s.cfg.LAN)
				if err != nil {
					return err
				}
				s.cfg.Log.Info("documents may be handed over", "address", l.Addr().String())
				return door.Serve(ctx, l)
			})
		})
	}
	if s.cfg.Counter != "" {
		desk := counter.New(counter.Config{Name: s.cfg.Node, Node: n, Log: s.cfg.Log})
		all = append(all, func(ctx context.Context) {
			s.open(ctx, s.cfg.Counter, func() error {
				l, err := counter.Listen(s.cfg.Counter)
				if err != nil {
					return err
				}
				return desk.Serve(ctx, l)
			})
		})
	}
	return all
}

// open serves a door until ctx ends. Without its address the loudspeaker works
// all the same.
func (s *Site) open(ctx context.Context, address string, serve func() error) {
	tick := time.NewTicker(doorEvery)
	defer tick.Stop()
	for {
		err := serve()
		if ctx.Err() != nil {
			return
		}
		s.cfg.Log.Warn("documents cannot be handed over", "address", address, "err", err)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
