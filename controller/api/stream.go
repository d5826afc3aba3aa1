package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/loaxa/loaxa/controller/events"
)

// Bounds of event streams.
const (
	maxWatchers = 200
	heartbeat   = 15 * time.Second
	// lookEvery bounds how long a stream outlives the right to it, which another
	// process may end.
	lookEvery = 3 * time.Second
)

func (s *server) stream(r *registry) {
	op := r.operation("watch-events")
	op.Responses["200"] = &huma.Response{Description: "event: announcement, delivery, node, content, fault, speech, person, session or missed; data: {kind, id}",
		Content: map[string]*huma.MediaType{"text/event-stream": {Schema: &huma.Schema{Type: "string"}}}}
	huma.Register(r.api, op, func(_ context.Context, _ *struct{}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			req, w := humago.Unwrap(ctx)
			s.watch(ctx.Context(), w, req)
		}}, nil
	})
}

// watch writes events until the watcher leaves or its token ends.
func (s *server) watch(ctx context.Context, w http.ResponseWriter, r *http.Request) {
	select {
	case s.watchers <- struct{}{}:
		defer func() { <-s.watchers }()
	default:
		refuse(w, problem(http.StatusServiceUnavailable, "too-many-watchers", "too many event streams are open: try again in a minute",
			"Đang có quá nhiều người theo dõi: hãy thử lại sau một phút."))
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	changes := s.cfg.Events.Watch(ctx)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	out := eventWriter{w: w, control: http.NewResponseController(w)}
	if out.write("retry: 3000\n\n") != nil {
		return
	}
	s.pump(ctx, out, changes, r)
}

// pump passes changes on until the reader is gone, or may not know them any more:
// that is asked every few seconds, and at once when people or sessions changed.
func (s *server) pump(ctx context.Context, out eventWriter, changes <-chan events.Event, r *http.Request) {
	beat, look := time.NewTicker(heartbeat), time.NewTicker(lookEvery)
	defer beat.Stop()
	defer look.Stop()
	row, _ := s.row("watch-events")
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			_, err = s.identify(r, row)
		case e, open := <-changes:
			if !open {
				return
			}
			if e.Kind == events.Person || e.Kind == events.Session || e.Kind == events.Missed {
				_, err = s.identify(r, row)
			}
			if err == nil {
				err = out.event(e)
			}
		case <-beat.C:
			err = out.write(": beat\n\n")
		}
		if err != nil {
			return
		}
	}
}

func (s *server) row(id string) (route, bool) {
	for _, row := range routes() {
		if row.id == id {
			return row, true
		}
	}
	return route{}, false
}

// eventWriter writes server-sent events, each at once.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func (o eventWriter) event(e events.Event) error {
	b, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return o.write(fmt.Sprintf("event: %s\ndata: %s\n\n", e.Kind, b))
}

func (o eventWriter) write(s string) error {
	if _, err := o.w.Write([]byte(s)); err != nil {
		return err
	}
	return o.control.Flush()
}
