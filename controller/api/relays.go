package api

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/relay"
)

// Relays knows the stations that may be relayed.
type Relays interface {
	Standings() []relay.Standing
	Listen(ctx context.Context, station broadcast.ID, session broadcast.Key, w io.Writer) error
}

// liveWrite is how long a node may take nothing of what it asked for.
const liveWrite = 10 * time.Second

// Station is one that may be relayed.
type Station struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Areas     []string `json:"areas" nullable:"false" doc:"Those that may relay it, with all below"`
	State     string   `json:"state" enum:"at rest,connecting,on air,silent,gone" doc:"at rest: nobody listens, so nobody knows"`
	Since     string   `json:"since,omitempty" format:"date-time"`
	Why       string   `json:"why,omitempty"`
	Listeners int      `json:"listeners" doc:"Nodes that relay it now"`
}

type (
	stationsAnswer struct {
		Body struct {
			Stations []Station `json:"stations" nullable:"false"`
		}
	}
	livePath struct {
		Station string `path:"station" pattern:"^[a-z0-9-]{1,40}$"`
		Session string `path:"session" pattern:"^[A-Za-z0-9_-]{43}$"`
	}
)

func (s *server) relays(r *registry) {
	on(r, "list-stations", s.listStations)
	op := r.operation("get-live")
	op.Responses["200"] = &huma.Response{Description: "A sealed session and signed blocks of Opus, for as long as the station sounds",
		Content: map[string]*huma.MediaType{"application/octet-stream": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}
	huma.Register(r.api, op, func(_ context.Context, in *livePath) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			req, w := humago.Unwrap(ctx)
			s.onAir(ctx.Context(), w, req, in)
		}}, nil
	})
}

func (s *server) listStations(context.Context, *struct{}) (*stationsAnswer, error) {
	out := &stationsAnswer{}
	out.Body.Stations = []Station{}
	if s.cfg.Relays == nil {
		return out, nil
	}
	for _, one := range s.cfg.Relays.Standings() {
		st := Station{ID: string(one.ID), Name: one.Name, Areas: []string{}, State: string(one.State), Why: one.Why, Listeners: one.Listeners}
		for _, a := range one.Areas {
			st.Areas = append(st.Areas, string(a))
		}
		if !one.Since.IsZero() {
			st.Since = one.Since.UTC().Format(time.RFC3339)
		}
		out.Body.Stations = append(out.Body.Stations, st)
	}
	return out, nil
}

// onAir lets a node hear a station until either has enough.
func (s *server) onAir(ctx context.Context, w http.ResponseWriter, r *http.Request, in *livePath) {
	out := &liveWriter{w: w, control: http.NewResponseController(w)}
	err := relay.ErrUnknown
	if s.cfg.Relays != nil {
		err = s.cfg.Relays.Listen(ctx, broadcast.ID(in.Station), broadcast.Key(in.Session), out)
	}
	if out.begun {
		return // it is over, and the node asks again if it wants more
	}
	status := http.StatusServiceUnavailable
	if errors.Is(err, relay.ErrUnknown) {
		status = http.StatusNotFound
	}
	s.refuseError(w, r, problem(status, "station", err.Error(), "Không tiếp âm được đài này."))
}

// liveWriter hands on what comes at once, and gives up a node that takes nothing.
type liveWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	begun   bool
}

// Write begins the answer with the first bytes.
func (l *liveWriter) Write(p []byte) (int, error) {
	if !l.begun {
		l.begun = true
		l.w.Header().Set("Content-Type", "application/octet-stream")
		l.w.Header().Set("Cache-Control", "no-store")
		l.w.WriteHeader(http.StatusOK)
	}
	if err := l.control.SetWriteDeadline(time.Now().Add(liveWrite)); err != nil {
		return 0, err
	}
	n, err := l.w.Write(p)
	if err != nil {
		return n, err
	}
	return n, l.control.Flush()
}
