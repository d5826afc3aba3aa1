package api

import (
	"context"
	_ "embed" // the page is part of the program
	"encoding/json"
	"html/template"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
)

// Me is whose token this is.
type Me struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Role        string   `json:"role"`
	Level       string   `json:"level"`
	Areas       []string `json:"areas" nullable:"false"`
	Permissions []string `json:"permissions" nullable:"false"`
	Signs       bool     `json:"signs" doc:"Whether the token opens the person's key, or in a session the passphrase would"`
	Expires     string   `json:"expires" format:"date-time" doc:"When the token or the session ends"`
	Session     string   `json:"session,omitempty" doc:"The session that asks; none for a token"`
}

// Status is whether the controller is well.
type Status struct {
	Version string `json:"version"`
	Demo    bool   `json:"demo" doc:"A demo's root is obeyed by no real node"`
	Time    string `json:"time" format:"date-time" doc:"The controller's clock"`
	Healthy bool   `json:"healthy" doc:"The database answers"`
	Nodes   int    `json:"nodes" doc:"Confirmed nodes"`
	Present int    `json:"present" doc:"Of those, connected now by their own word"`
}

type meAnswer struct{ Body Me }

type statusAnswer struct{ Body Status }

func (s *server) about(r *registry) {
	on(r, "get-me", s.me)
	on(r, "get-status", s.status)
	raw(r, "get-contract", "application/json", func(w http.ResponseWriter, _ *http.Request) error {
		b, err := json.Marshal(r.api.OpenAPI())
		if err == nil {
			writeJSON(w, http.StatusOK, b)
		}
		return err
	})
	raw(r, "get-page", "text/html", s.page)
}

// raw registers a handler that writes its own answer.
func raw(r *registry, id, media string, serve func(http.ResponseWriter, *http.Request) error) {
	op := r.operation(id)
	op.Responses["200"] = &huma.Response{Description: "Done", Content: map[string]*huma.MediaType{media: {Schema: &huma.Schema{}}}}
	huma.Register(r.api, op, func(_ context.Context, _ *struct{}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			req, w := humago.Unwrap(ctx)
			if err := serve(w, req); err != nil {
				r.server.refuseError(w, req, err)
			}
		}}, nil
	})
}

func (s *server) me(ctx context.Context, _ *struct{}) (*meAnswer, error) {
	c := callerOf(ctx)
	me, err := s.meOf(ctx, c)
	return &meAnswer{Body: me}, err
}

// meOf is what somebody is told of himself.
func (s *server) meOf(ctx context.Context, c caller) (Me, error) {
	p := c.Person
	out := Me{ID: string(p.ID), Name: p.Name, Role: string(p.Role), Level: string(p.Level), Areas: texts(p.Areas),
		Permissions: texts(p.Role.Permissions()), Signs: c.Signs, Expires: moment(c.Expires), Session: string(c.session.ID)}
	if c.session.ID == "" {
		return out, nil
	}
	until, err := s.cfg.Office.SignsUntil(ctx, p)
	out.Signs = until != 0
	return out, err
}

func (s *server) status(ctx context.Context, _ *struct{}) (*statusAnswer, error) {
	out, err := s.state.get(s.cfg.Now(), func() (Status, error) { return s.counted(ctx) })
	if err != nil {
		return nil, err
	}
	out.Time = moment(s.now())
	return &statusAnswer{Body: out}, nil
}

// counted reads every node.
func (s *server) counted(ctx context.Context) (Status, error) {
	out := Status{Version: s.cfg.Version}
	demo, err := s.cfg.Office.Demo(ctx)
	if err != nil {
		return out, err
	}
	standings, err := s.cfg.Fleet.Overview(ctx)
	if err != nil {
		return out, err
	}
	out.Demo, out.Healthy = demo, true
	for _, n := range standings {
		if confirmed(n) {
			out.Nodes++
			if n.Present {
				out.Present++
			}
		}
	}
	return out, nil
}

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// pageLine is one announcement of the page.
type pageLine struct{ Title, At, State string }

// pageStates are the states that anybody may see, in words.
var pageStates = map[string]string{
	"published": "đã công bố / published", "withdrawn": "đã thu hồi / withdrawn", "closed": "đã xong / closed",
}

func (s *server) page(w http.ResponseWriter, r *http.Request) error {
	status, err := s.status(r.Context(), nil)
	if err != nil {
		return err
	}
	lines, err := s.last.get(s.cfg.Now(), func() ([]pageLine, error) { return s.latest(r.Context()) })
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	return pageTemplate.Execute(w, struct {
		Status Status
		Lines  []pageLine
	}{status.Body, lines})
}

// latest are the last announcements that were published.
func (s *server) latest(ctx context.Context) ([]pageLine, error) {
	last, err := s.cfg.Desk.Announcements(ctx, "", "", desk.MaxPage)
	if err != nil {
		return nil, err
	}
	last = slices.DeleteFunc(last, func(a desk.Announcement) bool { return a.SHA256 == "" })
	var lines []pageLine
	for _, a := range last[:min(len(last), 10)] {
		lines = append(lines, pageLine{Title: a.Document.Title, State: pageStates[string(a.State)],
			At: a.Published.Time().In(broadcast.Local()).Format("15:04 02/01/2006")})
	}
	return lines, nil
}
