package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/speech/paper"
)

// Paper is what an office file says, in parts that fit a programme.
type Paper struct {
	Episodes []Episode `json:"episodes" nullable:"false"`
	Dropped  []Dropped `json:"dropped" nullable:"false" doc:"Lines that are not said, such as signatures; look through them"`
}

// Episode is a part of a paper.
type Episode struct {
	Title  string `json:"title"`
	Text   string `json:"text"`
	Millis int64  `json:"ms" doc:"An estimate"`
	Long   bool   `json:"long,omitempty" doc:"A single article that passes what was asked"`
}

// Dropped is a line that was left out.
type Dropped struct {
	Text string `json:"text"`
	Why  string `json:"why" enum:"page-number,running-head,state-head,signature"`
}

// maxPaper is what one request may carry, the form included.
const maxPaper = 21 << 20

func (s *server) papers(r *registry) {
	op := r.operation("read-paper")
	op.MaxBodyBytes, op.BodyReadTimeout = maxPaper, -1
	schema := r.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Paper](), true, "Paper")
	op.Responses["200"] = &huma.Response{Description: "Done", Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
	huma.Register(r.api, op, func(_ context.Context, in *struct {
		Area    string `query:"area" required:"true" pattern:"^[a-z0-9-]{1,40}$"`
		Seconds int    `query:"seconds" minimum:"30" maximum:"3600" default:"900" doc:"How long an episode may be"`
	}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(ctx huma.Context) { s.readPaper(ctx, broadcast.ID(in.Area), time.Duration(in.Seconds)*time.Second) }}, nil
	})
	r.api.OpenAPI().Paths[op.Path].Post.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {
		Schema: &huma.Schema{Type: "object", Required: []string{"file"}, Properties: map[string]*huma.Schema{
			"file": {Type: "string", Format: "binary", Description: "A .docx or a PDF with text, at most " + strconv.Itoa(20) + " MB"}}}}}}
}

func (s *server) readPaper(hctx huma.Context, area broadcast.ID, most time.Duration) {
	r, w := humago.Unwrap(hctx)
	body := http.MaxBytesReader(w, paced(w, r.Body), maxPaper)
	defer func() { _ = body.Close() }()
	r.Body = body
	view, err := s.paperOf(hctx.Context(), r, area, most)
	if err != nil {
		s.refuseError(w, r, paperError(err))
		return
	}
	answer, err := json.Marshal(view)
	if err != nil {
		s.refuseError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

func (s *server) paperOf(ctx context.Context, r *http.Request, area broadcast.ID, most time.Duration) (Paper, error) {
	out := Paper{Episodes: []Episode{}, Dropped: []Dropped{}}
	part, err := filePart(r)
	if err != nil {
		return out, err
	}
	p, episodes, err := s.cfg.Speech.Paper(ctx, callerOf(ctx).Person, area, part, most)
	if err != nil {
		return out, err
	}
	for _, e := range episodes {
		out.Episodes = append(out.Episodes, Episode{Title: e.Title, Text: e.Text, Millis: e.Length.Milliseconds(), Long: e.Long})
	}
	for _, d := range p.Dropped {
		out.Dropped = append(out.Dropped, Dropped{Text: d.Text, Why: string(d.Why)})
	}
	return out, nil
}

// paperError says what of a paper is for a person.
func paperError(err error) error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return problem(http.StatusRequestEntityTooLarge, "too-large", "the file is larger than 20 MB: save it without pictures", "Tệp lớn hơn 20 MB: hãy bỏ bớt hình ảnh rồi lưu lại.")
	case errors.Is(err, paper.ErrPaper):
		return problem(http.StatusUnprocessableEntity, "paper", err.Error(), "Không đọc được văn bản này: hãy lưu lại dưới dạng .docx hoặc PDF có chữ (không phải ảnh quét).")
	}
	return uploadError(err)
}
