package app

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/broker"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/people"
)

// contract returns what the controller reads at the broker, and its last will.
func contract(run broadcast.ID) ([]string, *broker.Message, error) {
	gone, err := broadcast.Encode(wire.ControllerState{Online: false, Run: run})
	if err != nil {
		return nil, nil, err
	}
	return wire.ControllerReads(), &broker.Message{Topic: wire.ControllerTopic, Payload: gone, Retained: true}, nil
}

// parts lists what runs, for the one supervisor.
func (c *controller) parts() []part {
	list := []part{
		{"bus", c.serveBus},
		{"dispatch", c.dispatch.Serve},
		{"vigil", fleet.NewVigil(fleet.VigilConfig{Fleet: c.fleet, Line: c.client, Holdings: c.dispatch, Stations: c.relays}).Serve},
		{"desk", c.desk.Serve},
		{"post", c.post.Serve},
		{"records", c.records.Serve},
		{"speech", c.speech.Serve},
		{"relay", c.relays.Serve},
		{"archive", c.archive.Serve},
		{"http", c.serveHTTP},
	}
	if c.embedded != nil {
		list = append(list, part{"broker", c.embedded.Serve})
	}
	if c.opt.Demo {
		list = append(list, part{"welcome", c.serveWelcome})
	}
	return list
}

// serveBus connects once the embedded broker listens.
func (c *controller) serveBus(ctx context.Context) error {
	if c.embedded != nil {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.embedded.Ready():
		}
	}
	return c.client.Serve(ctx)
}

func (c *controller) serveWelcome(ctx context.Context) error {
	token, err := people.AdminToken(ctx, c.opt.Data, people.TokenRequest{Role: string(people.Technician), Life: 7 * 24 * time.Hour}, c.peopleConfig())
	if err != nil {
		return err
	}
	w := &welcome{fleet: c.fleet, office: c.office, events: c.hub, dispatch: c.dispatch, technician: token, log: c.opt.Log}
	return w.Serve(ctx)
}

// farewell is how long requests that were running may take to end.
const farewell = 4 * time.Second

// serveHTTP answers people and nodes. When ctx ends, so do the contexts of
// running requests: what they had not committed is not done, and they have a
// moment to say so. Who does not take the answer is cut off.
func (c *controller) serveHTTP(ctx context.Context) error {
	srv := api.NewServer(c.listener.Addr().String(), c.handler, c.opt.Log)
	srv.BaseContext = func(net.Listener) context.Context { return ctx }
	done := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		err := srv.Shutdown(last)
		if errors.Is(err, context.DeadlineExceeded) {
			err = srv.Close()
		}
		done <- err
	})
	defer stop()
	if err := writeListening(c.opt.Data, c.at); err != nil {
		return err
	}
	c.opt.Log.InfoContext(ctx, "the controller is reachable", "http", c.at.HTTP, "mqtt", c.at.MQTT)
	if c.opt.Ready != nil {
		c.opt.Ready(c.at)
	}
	if err := srv.Serve(c.listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-done
}
