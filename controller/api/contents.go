package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/intake"
	"github.com/loaxa/loaxa/controller/store"
)

// Bounds of an upload.
const (
	// uploadStall is how long an upload may stand still.
	uploadStall = 30 * time.Second
	// maxUpload is what one request may carry, the form around the file
	// included. The file itself is bounded by intake.
	maxUpload = 200_000_000 + 1<<20
)

// Content is what was measured of canonical content.
type Content struct {
	SHA256   string   `json:"sha256" doc:"Its name: the SHA-256 of the canonical bytes"`
	Bytes    int64    `json:"bytes"`
	Millis   int64    `json:"ms" doc:"Length of the sound in milliseconds"`
	Name     string   `json:"name" doc:"What the person called the file"`
	LUFS     float64  `json:"lufs" doc:"Integrated loudness (EBU R 128)"`
	TruePeak float64  `json:"true_peak_dbtp"`
	Silence  float64  `json:"silence" doc:"Share of the time that is silent, 0 to 1"`
	Gain     float64  `json:"gain_db" doc:"By how much the upload was raised"`
	Limited  bool     `json:"limited" doc:"Whether a limiter held its peaks"`
	Source   Source   `json:"source"`
	Remarks  []Remark `json:"remarks" nullable:"false" doc:"What a person should know before approving"`
}

// Source is what was uploaded.
type Source struct {
	SHA256     string `json:"sha256"`
	Bytes      int64  `json:"bytes"`
	Container  string `json:"container"`
	Codec      string `json:"codec"`
	SampleRate int    `json:"sample_rate"`
	Channels   int    `json:"channels"`
}

// Remark is something true about accepted content.
type Remark struct {
	Code     string `json:"code"`
	Detail   string `json:"detail"`
	DetailVI string `json:"detail_vi"`
}

func contentOf(c intake.Content) Content {
	out := Content{SHA256: c.SHA256, Bytes: c.Bytes, Millis: millis(c.Duration), Name: c.Source.Name,
		LUFS: float64(c.Loudness) / 100, TruePeak: float64(c.TruePeak) / 100, Silence: c.SilenceRatio,
		Gain: float64(c.Gain) / 100, Limited: c.Limited, Remarks: []Remark{},
		Source: Source{SHA256: c.Source.SHA256, Bytes: c.Source.Bytes, Container: string(c.Source.Container),
			Codec: c.Source.Codec, SampleRate: c.Source.SampleRate, Channels: c.Source.Channels}}
	for _, r := range c.Remarks {
		out.Remarks = append(out.Remarks, Remark{Code: string(r.Code), Detail: r.English, DetailVI: r.Vietnamese})
	}
	return out
}

// millis rounds up: a plan that is a moment too long is right, one that is too
// short cuts.
func millis(d time.Duration) int64 {
	return int64((d + time.Millisecond - 1) / time.Millisecond)
}

type contentPath struct {
	SHA256 string `path:"sha256" pattern:"^[0-9a-f]{64}$" doc:"64 lower-case hexadecimal digits"`
}

type contentAnswer struct{ Body Content }

func (s *server) contents(r *registry) {
	on(r, "get-content", s.content)
	op := r.operation("upload-content")
	op.MaxBodyBytes, op.BodyReadTimeout = maxUpload, -1
	schema := r.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Content](), true, "Content")
	op.Responses["201"] = &huma.Response{Description: "Accepted", Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
	huma.Register(r.api, op, func(_ context.Context, in *struct {
		Key string `header:"Idempotency-Key" maxLength:"100" doc:"The same key and file give the same answer"`
	}) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(ctx huma.Context) { s.upload(ctx, in.Key) }}, nil
	})
	// Named in the contract only after registering, or the body would be read
	// whole before it reaches the handler.
	r.api.OpenAPI().Paths[op.Path].Post.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"multipart/form-data": {
		Schema: &huma.Schema{Type: "object", Required: []string{"file"}, Properties: map[string]*huma.Schema{
			"file": {Type: "string", Format: "binary", Description: "Any audio file that people have, at most 200 MB and 60 minutes"}}}}}}
}

func (s *server) content(ctx context.Context, in *contentPath) (*contentAnswer, error) {
	row, err := s.cfg.DB.Content(ctx, broadcast.Digest(in.SHA256))
	if err != nil {
		return nil, err
	}
	var c Content
	if err := json.Unmarshal([]byte(row.Measured), &c); err != nil {
		return nil, err
	}
	return &contentAnswer{Body: c}, nil
}

// upload streams one file into intake.
func (s *server) upload(hctx huma.Context, key string) {
	r, w := humago.Unwrap(hctx)
	body := http.MaxBytesReader(w, paced(w, r.Body), maxUpload)
	defer func() { _ = body.Close() }()
	r.Body = body
	status, answer, err := s.receive(hctx.Context(), r, key)
	if err != nil {
		s.refuseError(w, r, uploadError(err))
		return
	}
	writeJSON(w, status, answer)
}

func (s *server) receive(ctx context.Context, r *http.Request, key string) (int, []byte, error) {
	part, err := filePart(r)
	if err != nil {
		return 0, nil, err
	}
	name := once{person: callerOf(ctx).Person.ID, scope: "content", key: key}
	if old, found, err := s.answered(ctx, name); err != nil || found {
		if err != nil {
			return 0, nil, err
		}
		hash := sha256.New()
		if _, err := io.Copy(hash, part); err != nil {
			return 0, nil, err
		}
		return replay(old, broadcast.Digest(hex.EncodeToString(hash.Sum(nil))))
	}
	taken, err := s.cfg.Contents.Take(ctx, part.FileName(), part, nil)
	if err != nil {
		return 0, nil, err
	}
	answer, err := s.keepContent(ctx, name, contentOf(taken))
	return http.StatusCreated, answer, err
}

func (s *server) keepContent(ctx context.Context, name once, c Content) ([]byte, error) {
	answer, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	by := callerOf(ctx).Person.ID
	err = s.cfg.DB.Update(ctx, func(tx store.Tx) error {
		row := store.Content{SHA256: broadcast.Digest(c.SHA256), Bytes: c.Bytes, Millis: c.Millis, Name: c.Name, Person: by,
			Measured: string(answer), Created: s.now()}
		if err := tx.AddContent(ctx, row); err != nil {
			return err
		}
		if err := s.remember(ctx, tx, name, broadcast.Digest(c.Source.SHA256), http.StatusCreated, answer); err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: s.now(), Person: by, Act: "content.upload", Subject: c.SHA256,
			Detail: map[string]string{"name": c.Name, "source": c.Source.SHA256}})
	})
	if err == nil {
		s.cfg.Events.Publish(events.Event{Kind: events.Content, ID: broadcast.ID(c.SHA256)})
	}
	return answer, err
}

// filePart finds the file of a form.
func filePart(r *http.Request) (*multipart.Part, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return nil, problem(http.StatusUnsupportedMediaType, "media-type",
			"send the sound as multipart/form-data with a field named file", "Hãy gửi tệp âm thanh dạng multipart/form-data, trường tên là file.")
	}
	for range 16 {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if part.FormName() == "file" {
			return part, nil
		}
	}
	p := problem(http.StatusUnprocessableEntity, "file-missing", "the form has no field named file: send the sound in it",
		"Biểu mẫu không có trường file: hãy gửi tệp âm thanh trong trường đó.")
	p.Field = "file"
	return nil, p
}

// uploadError says what of an upload that broke off is for a person.
func uploadError(err error) error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return problem(http.StatusRequestEntityTooLarge, string(intake.TooLarge), "the upload is larger than 200 MB: export it as MP3 or M4A, which is much smaller",
			"Tệp lớn hơn 200 MB: hãy xuất ra MP3 hoặc M4A để nhỏ hơn nhiều.")
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return problem(http.StatusBadRequest, "upload-broken", "the upload broke off: send it again", "Tải lên bị gián đoạn: hãy gửi lại.")
	}
	return err
}

// pacedBody gives every read a deadline of its own.
type pacedBody struct {
	io.ReadCloser
	control *http.ResponseController
}

func paced(w http.ResponseWriter, body io.ReadCloser) io.ReadCloser {
	return pacedBody{ReadCloser: body, control: http.NewResponseController(w)}
}

// Read waits at most uploadStall for more. The deadline ends with the body: the
// server goes on reading to see whether the client is still there, and would
// take a deadline that passes while the sound is converted for its leaving.
func (p pacedBody) Read(b []byte) (int, error) {
	_ = p.control.SetReadDeadline(time.Now().Add(uploadStall)) // not every connection has deadlines
	n, err := p.ReadCloser.Read(b)
	if err != nil {
		_ = p.control.SetReadDeadline(time.Time{})
	}
	return n, err
}

func writeJSON(w http.ResponseWriter, status int, b []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n'))
}
