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
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/recording"
)

// Arrived says how much of a recording is here.
type Arrived struct {
	Held  int64 `json:"held" doc:"Bytes that are here; sending goes on with the next. All of them: nothing is left to send"`
	Bytes int64 `json:"bytes"`
}

type arrivedAnswer struct{ Body Arrived }

type recordingPath struct {
	ID     string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	SHA256 string `path:"sha256" pattern:"^[0-9a-f]{64}$" doc:"64 lower-case hexadecimal digits"`
}

func (s *server) recordings(r *registry) {
	on(r, "ask-recording", s.askRecording)
	on(r, "lose-recording", func(ctx context.Context, in *contentPath) (*struct{}, error) {
		return nil, s.cfg.Recordings.Gone(ctx, callerOf(ctx).node, broadcast.Digest(in.SHA256))
	})
	op := r.operation("get-recording")
	op.Responses["200"] = &huma.Response{Description: "A wave: mono, 16 bit, 16 kHz", Content: map[string]*huma.MediaType{
		"audio/wav": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}
	huma.Register(r.api, op, func(_ context.Context, in *recordingPath) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(ctx huma.Context) { s.listen(ctx, *in) }}, nil
	})
	bytesOf(r, "send-recording", func(in *struct {
		SHA256 string `path:"sha256" pattern:"^[0-9a-f]{64}$" doc:"64 lower-case hexadecimal digits"`
		Offset int64  `header:"Upload-Offset" required:"true" minimum:"0" doc:"Where the bytes begin: as many as are here"`
	}) taking {
		return func(ctx context.Context, body io.Reader) error {
			_, err := s.cfg.Recordings.Append(ctx, callerOf(ctx).node, broadcast.Digest(in.SHA256), in.Offset, body)
			return err
		}
	})
	bytesOf(r, "carry-recording", func(in *recordingPath) taking {
		return func(ctx context.Context, body io.Reader) error {
			id := broadcast.ID(in.ID)
			return s.carrying(ctx, id, "node.import", func() (map[string]string, error) {
				return map[string]string{"recording": in.SHA256}, s.cfg.Recordings.Put(ctx, id, broadcast.Digest(in.SHA256), body)
			})
		}
	})
}

// taking reads the body of a request.
type taking func(ctx context.Context, body io.Reader) error

// bytesOf registers a handler that reads the bytes of a recording as they come.
func bytesOf[I any](r *registry, id string, take func(*I) taking) {
	op := r.operation(id)
	op.MaxBodyBytes, op.BodyReadTimeout = recording.Longest, -1
	op.Responses["200"] = &huma.Response{Description: "Taken; a whole one was found to be what its receipt names"}
	huma.Register(r.api, op, func(_ context.Context, in *I) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			req, w := humago.Unwrap(ctx)
			body := http.MaxBytesReader(w, paced(w, req.Body), recording.Longest)
			defer func() { _ = body.Close() }()
			if err := take(in)(ctx.Context(), body); err != nil {
				r.server.refuseError(w, req, bodyError(err))
				return
			}
			writeJSON(w, http.StatusOK, []byte("{}"))
		}}, nil
	})
	// After registering, as for uploads, or the body would be read whole.
	item := r.api.OpenAPI().Paths[op.Path]
	request := &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/octet-stream": {
		Schema: &huma.Schema{Type: "string", Format: "binary", Description: "A wave as the node recorded it, or what is left of it"}}}}
	for _, method := range []*huma.Operation{item.Patch, item.Post} {
		if method != nil {
			method.RequestBody = request
		}
	}
}

// bodyError says what of a body that broke off is for whoever sends it.
func bodyError(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return errors.Join(recording.ErrSize, err)
	}
	return uploadError(err)
}

func (s *server) askRecording(ctx context.Context, in *contentPath) (*arrivedAnswer, error) {
	held, of, err := s.cfg.Recordings.Held(ctx, callerOf(ctx).node, broadcast.Digest(in.SHA256))
	return &arrivedAnswer{Body: Arrived{Held: held, Bytes: of}}, err
}

// listen plays a recording to whoever may read what was proved where it was spoken.
func (s *server) listen(hctx huma.Context, in recordingPath) {
	r, w := humago.Unwrap(hctx)
	if err := s.play(hctx.Context(), w, r, broadcast.ID(in.ID), broadcast.Digest(in.SHA256)); err != nil {
		s.refuseError(w, r, err)
	}
}

func (s *server) play(ctx context.Context, w http.ResponseWriter, r *http.Request, node broadcast.ID, sha broadcast.Digest) error {
	row, err := s.cfg.DB.Recording(ctx, node, sha)
	if err == nil && !s.sees(ctx, people.DeliveryRead, row.Area) {
		err = s.cfg.Office.Authorise(callerOf(ctx).Person, people.DeliveryRead, row.Area)
	}
	if err != nil {
		return err
	}
	file, err := s.cfg.Recordings.Open(ctx, node, sha)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // opened for reading
	immutable(w, string(sha), "audio/wav")
	http.ServeContent(w, r, "", time.Time{}, file)
	return nil
}

// find says of every recording that firings name where it is.
func (s *server) find(ctx context.Context, firings []Firing) error {
	var ids []broadcast.ID
	named := map[string][]*Kept{}
	note := func(node string, list ...*Evidence) {
		for _, e := range list {
			if e != nil && e.Recording != nil {
				name := node + " " + e.Recording.SHA256
				named[name] = append(named[name], e.Recording)
			}
		}
	}
	for _, f := range firings {
		note(f.Node, f.Evidence)
		if f.Claimed != nil {
			note(f.Node, f.Claimed.Evidence)
		}
		ids = append(ids, broadcast.ID(f.Announcement))
	}
	if len(named) == 0 {
		return nil
	}
	rows, err := s.cfg.DB.RecordingsOf(ctx, ids...)
	for _, row := range rows {
		for _, k := range named[string(row.Node)+" "+string(row.SHA256)] {
			k.Where, k.Came = string(row.Where()), moment(row.Here)
		}
	}
	return err
}
