package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"golang.org/x/sys/unix"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/accounts"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/broker"
	"github.com/loaxa/loaxa/controller/calendar"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/dispatch"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/feedback"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/intake"
	"github.com/loaxa/loaxa/controller/notify"
	"github.com/loaxa/loaxa/controller/organisation"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/programme"
	"github.com/loaxa/loaxa/controller/recording"
	"github.com/loaxa/loaxa/controller/records"
	"github.com/loaxa/loaxa/controller/relay"
	"github.com/loaxa/loaxa/controller/speech"
	"github.com/loaxa/loaxa/controller/store"
)

// Options is what an operator says.
type Options struct {
	// Data is the data folder, set up by init or demo.
	Data string
	// HTTP and MQTT are the addresses to listen on; port 0 picks a free one.
	HTTP, MQTT string
	// Broker is the address of an external MQTT broker, with the controller's
	// own name and password in it; empty for the embedded one.
	Broker string
	// PublicHTTP and PublicMQTT are what nodes are told, where the listening
	// addresses are not the ones to dial.
	PublicHTTP, PublicMQTT string
	// Demo sets the house up first if there is none, and confirms every node.
	Demo bool
	// Notify is the file with the notification settings; empty for none.
	Notify string
	// Version is what the program calls itself.
	Version string
	Log     *slog.Logger
	// Ready, if not nil, is called once with where the controller is reachable.
	Ready func(broadcast.Controller)
}

// controller is everything that runs, in the order in which it is made.
type controller struct {
	opt        Options
	chart      *organisation.Chart
	db         *store.DB
	office     *people.Office
	hub        *events.Hub
	listener   net.Listener
	at         broadcast.Controller
	secret     string
	fleet      *fleet.Fleet
	embedded   *broker.Embedded
	client     *broker.Client
	dispatch   *dispatch.Dispatch
	intake     *intake.Intake
	speech     *speech.Studio
	relays     *relay.Stations
	desk       *desk.Desk
	programmes *programme.Programmes
	post       *notify.Post
	archive    *recording.Archive
	feedback   *feedback.Register
	records    *records.Records
	handler    http.Handler
}

// Serve runs a controller until ctx ends. Errors name what to correct.
func Serve(ctx context.Context, opt Options) (err error) {
	c := &controller{opt: opt, hub: &events.Hub{}}
	seed, err := broadcast.BacQuangTree()
	if err != nil {
		return err
	}
	if opt.Demo {
		if _, err := people.InitDemo(ctx, opt.Data, people.Config{Tree: organisation.Fixed(seed), Now: time.Now}); err != nil {
			return err
		}
	}
	if err := people.HasHouse(opt.Data); err != nil {
		return err
	}
	unlock, err := store.Lock(opt.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if c.db, err = store.Open(ctx, opt.Data); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.db.Close()) }()
	defer c.leave()
	if c.chart, err = organisation.Open(ctx, c.db, seed, time.Now); err != nil {
		return err
	}
	if err := c.build(ctx); err != nil {
		return err
	}
	return supervise(ctx, opt.Log, c.parts())
}

// leave gives up the address, if the part that listens never did.
func (c *controller) leave() {
	if c.listener != nil {
		_ = c.listener.Close() // closed already, as a rule
	}
}

func (c *controller) peopleConfig() people.Config {
	return people.Config{Tree: c.chart.Tree, Now: time.Now}
}

// build makes every part, without starting any.
func (c *controller) build(ctx context.Context) error {
	steps := []func(context.Context) error{c.buildOffice, c.buildAddresses, c.buildFleet, c.buildBus, c.buildSpeech, c.buildRelays, c.buildArchive, c.buildDesk, c.buildPost, c.buildRecords, c.buildAPI}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (c *controller) buildOffice(ctx context.Context) (err error) {
	if c.office, err = people.Open(ctx, c.opt.Data, c.db, c.peopleConfig()); err != nil {
		return err
	}
	demo, err := c.office.Demo(ctx)
	if err != nil {
		return err
	}
	if demo != c.opt.Demo {
		return map[bool]error{
			true:  errors.New("this data folder holds a demo; start it with demo, or set up a real one with init"),
			false: errors.New("this data folder holds a real house; demo does not touch it"),
		}[demo]
	}
	_, err = c.office.Service(ctx)
	return err
}

func (c *controller) buildAddresses(ctx context.Context) (err error) {
	if err := removeListening(c.opt.Data); err != nil {
		return err
	}
	listen := net.ListenConfig{Control: broker.Persevere}
	listen.SetMultipathTCP(false)
	if c.listener, err = listen.Listen(ctx, "tcp", c.opt.HTTP); err != nil {
		return fmt.Errorf("listen for HTTP on %s: %w; choose another address with --http", c.opt.HTTP, err)
	}
	c.listener = bounded(c.listener, maxConnections)
	if c.opt.Broker == "" {
		if c.opt.MQTT, err = freeAddress(c.opt.MQTT, c.opt.Demo); err != nil {
			return err
		}
	}
	if c.opt.Demo {
		c.warnPublic()
	}
	c.at, err = reachable(c.opt, c.listener.Addr().String(), c.opt.MQTT)
	return err
}

// warnPublic warns of a demo that others can reach: it gives enrolment tokens
// to whoever asks, and people take what they hear from it for the real thing.
func (c *controller) warnPublic() {
	for what, addr := range map[string]string{"http": c.listener.Addr().String(), "mqtt": c.opt.MQTT} {
		if !loopback(addr) {
			c.opt.Log.Warn("this demo can be reached from other machines, and lets anybody enrol nodes; use 127.0.0.1, or init and serve for a real house", what, addr)
		}
	}
}

// freeAddress checks that the broker can listen, and picks a port where 0 was
// asked for. A demo gives way to whoever has the port already.
func freeAddress(addr string, giveWay bool) (string, error) {
	l, err := net.Listen("tcp", addr)
	if errors.Is(err, unix.EADDRINUSE) && giveWay {
		host, _, _ := net.SplitHostPort(addr)
		l, err = net.Listen("tcp", net.JoinHostPort(host, "0"))
	}
	if err != nil {
		return "", fmt.Errorf("listen for MQTT on %s: %w; choose another address with --mqtt", addr, err)
	}
	return l.Addr().String(), l.Close()
}

func (c *controller) buildFleet(context.Context) (err error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(rand.Reader, b); err != nil {
		return err
	}
	c.secret = string(broadcast.Sum(b))
	c.fleet = fleet.New(fleet.Config{DB: c.db, Tree: c.chart.Tree, Events: c.hub, Office: c.office, Now: time.Now, Log: c.opt.Log,
		Controllers: []broadcast.Controller{c.at}, ControllerSecret: c.secret})
	return nil
}

func (c *controller) buildBus(context.Context) (err error) {
	cfg := broker.ClientConfig{URL: c.opt.Broker, OnMessage: func(m broker.Message) { c.dispatch.Message(m) },
		OnUp: func(ctx context.Context) { c.dispatch.Up(ctx) }, Log: c.opt.Log.With("part", "bus")}
	run := newRun()
	if cfg.Subscriptions, cfg.Will, err = contract(run); err != nil {
		return err
	}
	disp := dispatch.Config{DB: c.db, Fleet: c.fleet, Events: c.hub, Office: c.office, Run: run, Now: time.Now, Log: c.opt.Log.With("part", "dispatch")}
	if c.opt.Broker == "" {
		c.embedded, err = broker.Embed(broker.EmbedConfig{Dir: filepath.Join(c.opt.Data, "broker"), Addr: c.opt.MQTT,
			Authorise: c.fleet, Log: c.opt.Log.With("part", "broker")})
		if err != nil {
			return err
		}
		cfg.URL, cfg.Username, cfg.Password = "mqtt://"+dialable(c.opt.MQTT), fleet.ControllerUser, c.secret
		disp.Broker = c.embedded
	}
	if c.client, err = broker.Connect(cfg); err != nil {
		return err
	}
	disp.Bus = c.client
	c.dispatch = dispatch.New(disp)
	return nil
}

// newRun names this start of the controller.
func newRun() broadcast.ID { return broadcast.ID(strings.ToLower(ulid.Make().String())) }

func (c *controller) buildSpeech(context.Context) (err error) {
	c.intake, err = intake.New(intake.Config{Dir: filepath.Join(c.opt.Data, "content"), Log: c.opt.Log.With("part", "intake")})
	if err != nil {
		return err
	}
	log := c.opt.Log.With("part", "speech")
	dir := filepath.Join(c.opt.Data, "speech")
	engines, err := speech.Open(c.opt.Data, filepath.Join(dir, "homes"), log)
	if err != nil {
		return err
	}
	c.speech, err = speech.New(speech.Config{Dir: dir, DB: c.db, Contents: c.intake, Rights: c.office, Tree: c.chart.Tree, Events: c.hub,
		Engines: engines, Row: api.ContentRow, Now: time.Now, Log: log})
	return err
}

func (c *controller) buildArchive(context.Context) (err error) {
	c.archive, err = recording.Open(recording.Config{DB: c.db, Dir: filepath.Join(c.opt.Data, recording.Folder), Events: c.hub, Now: time.Now,
		Log: c.opt.Log.With("part", "archive")})
	return err
}

func (c *controller) buildRelays(context.Context) error {
	stations, err := relay.ReadStations(c.opt.Data)
	if err != nil {
		return err
	}
	c.relays, err = relay.New(relay.Config{Stations: stations, Keys: c.office, Homes: filepath.Join(c.opt.Data, "relay"),
		Covers: func(upper, area broadcast.ID) bool {
			return c.chart.Tree().Covers(upper, area, broadcast.InstantOf(time.Now()))
		},
		Now: time.Now, Log: c.opt.Log.With("part", "relay")})
	return err
}

func (c *controller) buildDesk(context.Context) (err error) {
	c.desk = desk.New(desk.Config{Relays: c.relays, DB: c.db, Keys: c.office, Rights: c.office, Fleet: c.fleet, Tree: c.chart.Tree, Events: c.hub,
		Wake: c.dispatch, Now: time.Now, Log: c.opt.Log.With("part", "desk")})
	c.programmes = programme.New(programme.Config{DB: c.db, Keys: c.office, Rights: c.office, Fleet: c.fleet, Desk: c.desk, Tree: c.chart.Tree, Wake: c.dispatch, Now: time.Now})
	return nil
}

func (c *controller) buildPost(context.Context) (err error) {
	var settings notify.Settings
	if c.opt.Notify != "" {
		if settings, err = notify.ReadSettings(c.opt.Notify); err != nil {
			return err
		}
	}
	sources := []notify.Source{notify.FaultSource{DB: c.db}, notify.ApprovalSource{Desk: c.desk},
		&notify.MissedSource{DB: c.db, Desk: c.desk, Now: time.Now}, notify.EndingSource{DB: c.db, Office: c.office, Now: time.Now},
		&notify.EmptySource{DB: c.db, Slots: c.programmes, Now: time.Now}}
	c.post = notify.New(notify.Config{DB: c.db, Rights: c.office, Persons: c.office, Tree: c.chart.Tree, Sources: sources, Settings: settings,
		Now: time.Now, Log: c.opt.Log.With("part", "post")})
	return nil
}

func (c *controller) buildRecords(context.Context) error {
	c.feedback = feedback.New(feedback.Config{DB: c.db, Sites: c.fleet, Persons: c.office, Tree: c.chart.Tree, Now: time.Now})
	c.records = records.New(records.Config{DB: c.db, Desk: c.desk, Fleet: c.fleet, Persons: c.office, Tree: c.chart.Tree, Chapters: []records.Chapter{c.feedback},
		Now: time.Now, Log: c.opt.Log.With("part", "records")})
	return nil
}

func (c *controller) buildAPI(context.Context) (err error) {
	visitors, err := accounts.New(accounts.Config{DB: c.db, Office: c.office, Now: time.Now, Site: site(c.opt, c.listener.Addr().String()), Log: c.opt.Log.With("part", "accounts")})
	if err != nil {
		return err
	}
	c.handler, err = api.New(api.Config{
		Relays:       c.relays,
		DB:           c.db,
		Desk:         c.desk,
		Calendar:     calendar.New(calendar.Config{DB: c.db, Keys: c.office, Fleet: c.fleet, Tree: c.chart.Tree, Now: time.Now}),
		Programmes:   c.programmes,
		Office:       c.office,
		Accounts:     visitors,
		Fleet:        c.fleet,
		Contents:     c.intake,
		Speech:       c.speech,
		Carrier:      c.dispatch,
		Returner:     c.dispatch,
		Recordings:   c.archive,
		Records:      c.records,
		Feedback:     c.feedback,
		Organisation: c.chart,
		Post:         c.post,
		Events:       c.hub,
		Tree:         c.chart.Tree,
		Holdings:     c.dispatch,
		Version:      c.opt.Version,
		Now:          time.Now,
		Log:          c.opt.Log.With("part", "api"),
	})
	return err
}
