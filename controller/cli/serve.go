package cli

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/app"
)

// listen are the addresses that every running controller has.
type listen struct {
	HTTP       string `help:"Where people and nodes reach the API (${default})." default:"127.0.0.1:8080" placeholder:"ADDR"`
	MQTT       string `help:"Where nodes reach the embedded broker (${default})." default:"127.0.0.1:1883" placeholder:"ADDR"`
	Broker     string `help:"Use this external MQTT 3.1.1 broker instead: mqtt://user:password@host:port or mqtts://…" placeholder:"URL"`
	PublicHTTP string `help:"The address that nodes are told, where it is not the listening one." placeholder:"URL"`
	Notify     string `help:"A file (TOML) that says how people are told of faults, missed announcements and approvals; docs/notifications.md." type:"existingfile" placeholder:"FILE"`
	PublicMQTT string `help:"The broker address that nodes are told, where it is not the listening one." placeholder:"URL"`
}

func (l listen) options(data string, s Streams, log *slog.Logger) app.Options {
	return app.Options{Data: data, HTTP: l.HTTP, MQTT: l.MQTT, Broker: l.Broker, PublicHTTP: l.PublicHTTP,
		PublicMQTT: l.PublicMQTT, Notify: l.Notify, Version: s.Version, Log: log}
}

type serveCmd struct {
	Data string `help:"The data folder that init made." required:"" type:"path" placeholder:"DIR"`
	listen
}

// Run runs the controller until it is told to stop.
func (c *serveCmd) Run(ctx context.Context, s Streams, log *slog.Logger) error {
	return app.Serve(ctx, c.options(c.Data, s, log))
}

type demoCmd struct {
	Data string `help:"Where the demo keeps its data; made if absent. Without it the demo is forgotten at its end." type:"path" placeholder:"DIR"`
	listen
}

// Run runs a demo until it is told to stop.
func (c *demoCmd) Run(ctx context.Context, s Streams, log *slog.Logger) error {
	dir := c.Data
	if dir == "" {
		tmp, err := os.MkdirTemp("", "loaxa-demo-")
		if err != nil {
			return err
		}
		defer func() { _ = os.RemoveAll(tmp) }()
		dir = filepath.Join(tmp, "data")
	}
	opt := c.options(dir, s, log)
	opt.Demo = true
	opt.Ready = func(at broadcast.Controller) {
		_, _ = fmt.Fprintf(s.Err, demoBanner, at.HTTP, at.MQTT, dir)
	}
	return app.Serve(ctx, opt)
}

const demoBanner = `
  ============================================================================
   DEMO – BẢN TẬP HUẤN. Loa thật không nghe lệnh của bản này.
   DEMO – FOR TRAINING. No real loudspeaker obeys this controller.
   HTTP %s   MQTT %s
   data %s
   Quiet hours of the demo's policy: 02:00–04:00 (Asia/Ho_Chi_Minh).
  ============================================================================

`
