package api

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/accounts"
	"github.com/loaxa/loaxa/controller/calendar"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/feedback"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/handover"
	"github.com/loaxa/loaxa/controller/intake"
	"github.com/loaxa/loaxa/controller/organisation"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/programme"
	"github.com/loaxa/loaxa/controller/recording"
	"github.com/loaxa/loaxa/controller/speech"
	"github.com/loaxa/loaxa/controller/store"
)

// Contents takes uploads in and gives canonical files out.
type Contents interface {
	Take(ctx context.Context, name string, r io.Reader, progress func(intake.Progress)) (intake.Content, error)
	Open(sha256 string) (*os.File, error)
}

// Holdings knows what a node ought to hold, by the digest that nodes give.
type Holdings interface {
	Holding(ctx context.Context, id broadcast.ID) (broadcast.Digest, error)
}

// Config is what the interface works with. Every field but Holdings is needed.
type Config struct {
	DB         *store.DB
	Desk       *desk.Desk
	Calendar   *calendar.Calendar
	Programmes *programme.Programmes
	Office     *people.Office
	Accounts   *accounts.Accounts
	Fleet      *fleet.Fleet
	Contents   Contents
	Speech     *speech.Studio
	Carrier    Carrier
	Returner   Returner
	// Recordings are what was spoken at boxes.
	Recordings   *recording.Archive
	Events       *events.Hub
	Post         Post
	Records      Records
	Feedback     *feedback.Register
	Organisation *organisation.Chart
	// Tree is the organisation tree as it is known now.
	Tree func() broadcast.Tree
	// Relays may be nil: there are no stations then.
	Relays Relays
	// Holdings may be nil; drift is then not shown.
	Holdings Holdings
	// Version is that of the program.
	Version string
	Now     func() time.Time
	Log     *slog.Logger
}

// server answers the routes.
type server struct {
	cfg Config
	// book knows what depends on whom.
	book *handover.Book
	// origin refuses what another site has a browser ask.
	origin *http.CrossOriginProtection
	// watchers holds a place for every open event stream.
	watchers chan struct{}
	// carries holds a place for everything that is carried.
	carries chan struct{}
	// state and last are what anybody may ask for.
	state fresh[Status]
	last  fresh[[]pageLine]
	// verdict is what the whole audit log came to: reading it all takes a while.
	verdict fresh[AuditVerdict]
}

// New returns the handler of every route.
func New(cfg Config) (http.Handler, error) {
	mux, _, err := build(cfg)
	if err != nil {
		return nil, err
	}
	return outer{mux: mux, log: cfg.Log}, nil
}

// build registers every row of the table of routes with its handler.
func build(cfg Config) (*http.ServeMux, huma.API, error) {
	s := &server{cfg: cfg, origin: http.NewCrossOriginProtection(), watchers: make(chan struct{}, maxWatchers), carries: make(chan struct{}, maxCarriers),
		book: handover.New(handover.Config{DB: cfg.DB, Office: cfg.Office, Keys: cfg.Office, Desk: cfg.Desk, Now: cfg.Now})}
	mux := http.NewServeMux()
	api := humago.New(mux, contract())
	api.UseMiddleware(s.admit)
	r := &registry{server: s, api: api, rows: map[string]route{}, done: map[string]bool{}}
	for _, row := range routes() {
		r.rows[row.id] = row
	}
	for _, register := range []func(*registry){
		s.contents,
		s.speeches,
		s.papers,
		s.announcements,
		s.templates,
		s.policies,
		s.deliveries,
		s.calendars,
		s.placing,
		s.slots,
		s.programmes,
		s.areas,
		s.organisation,
		s.nodes,
		s.carriers,
		s.recordings,
		s.faults,
		s.firings,
		s.records,
		s.feedback,
		s.trims,
		s.enrolments,
		s.persons,
		s.handovers,
		s.sessions,
		s.passkeys,
		s.phones,
		s.audits,
		s.restorations,
		s.notices,
		s.objects,
		s.relays,
		s.stream,
		s.about,
	} {
		register(r)
	}
	for id := range r.rows {
		if !r.done[id] {
			return nil, nil, fmt.Errorf("route %s has no handler", id)
		}
	}
	return mux, api, nil
}

func (s *server) now() broadcast.Instant { return broadcast.InstantOf(s.cfg.Now()) }

// contract is the head of the OpenAPI document. Interactive documentation would
// load scripts from elsewhere, so there is none.
func contract() huma.Config {
	c := huma.DefaultConfig("Loaxa controller", "1")
	c.DocsPath, c.SchemasPath, c.OpenAPIPath = "", "", ""
	c.CreateHooks, c.Formats = nil, formats()
	c.Transformers = []huma.Transformer{plainProblem}
	c.RejectUnknownQueryParameters = true
	c.Info.Description = "What should be heard, who approved it, and what every loudspeaker proved."
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		"session": {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "A session in a browser. It opens no key: what is signed needs the passphrase each time."},
		"person":  {Type: "http", Scheme: "bearer", Description: "A personal token: lx_ and 43 characters."},
		"node":    {Type: "http", Scheme: "basic", Description: "A node's id and secret, for documents, content and its own recordings."},
	}
	return c
}
