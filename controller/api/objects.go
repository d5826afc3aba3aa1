package api

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func (s *server) objects(r *registry) {
	stream(r, "get-document", "application/json", s.document)
	stream(r, "get-sound", "audio/ogg", s.sound)
}

// stream registers a handler that writes bytes which a digest names.
func stream(r *registry, id, media string, serve func(http.ResponseWriter, *http.Request, string) error) {
	op := r.operation(id)
	op.Responses["200"] = &huma.Response{Description: "The bytes", Content: map[string]*huma.MediaType{
		media: {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}
	huma.Register(r.api, op, func(_ context.Context, in *contentPath) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(ctx huma.Context) {
			req, w := humago.Unwrap(ctx)
			req = req.WithContext(ctx.Context())
			if err := serve(w, req, in.SHA256); err != nil {
				r.server.refuseError(w, req, err)
			}
		}}, nil
	})
}

func (s *server) document(w http.ResponseWriter, r *http.Request, sha string) error {
	doc, err := s.cfg.DB.Document(r.Context(), broadcast.Digest(sha))
	if err != nil {
		return err
	}
	immutable(w, sha, "application/json")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(doc.Raw))
	return nil
}

func (s *server) sound(w http.ResponseWriter, r *http.Request, sha string) error {
	file, err := s.cfg.Contents.Open(sha)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.Join(store.ErrNotFound, err)
	}
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	immutable(w, sha, "audio/ogg")
	http.ServeContent(w, r, "", time.Time{}, file)
	return nil
}

// immutable lets every cache keep what its digest names for good.
func immutable(w http.ResponseWriter, sha, media string) {
	h := w.Header()
	h.Set("Content-Type", media)
	h.Set("Cache-Control", "private, max-age=31536000, immutable")
	h.Set("ETag", `"`+sha+`"`)
}
