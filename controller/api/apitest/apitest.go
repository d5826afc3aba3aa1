// Package apitest serves the HTTP interface of a demo house, for tests.
//
// It promises the real interface over a real database and real people on a free
// port of this machine. Only the conversion of sound is a fake: Contents takes
// anything that begins with "sound", or like a wave, keeps it as it came, and refuses with
// whatever refusal a test sets.
package apitest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/accounts"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/calendar"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/dispatch"
	"github.com/loaxa/loaxa/controller/feedback"
	"github.com/loaxa/loaxa/controller/intake"
	"github.com/loaxa/loaxa/controller/notify"
	"github.com/loaxa/loaxa/controller/organisation"
	"github.com/loaxa/loaxa/controller/programme"
	"github.com/loaxa/loaxa/controller/recording"
	"github.com/loaxa/loaxa/controller/records"
	"github.com/loaxa/loaxa/controller/speech"
	"github.com/loaxa/loaxa/controller/speech/speechtest"
)

// Contents is intake without its conversion.
type Contents struct {
	dir string
	mu  sync.Mutex
	// refusal is given to every upload, if not nil.
	refusal error
	taken   int
}

// Refuse makes every upload fail; nil lets them through again.
func (c *Contents) Refuse(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refusal = err
}

// Taken says how many uploads were taken in.
func (c *Contents) Taken() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.taken
}

// Take reads everything and keeps it under its digest.
func (c *Contents) Take(_ context.Context, name string, r io.Reader, _ func(intake.Progress)) (intake.Content, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return intake.Content{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refusal != nil {
		return intake.Content{}, c.refusal
	}
	if !bytes.HasPrefix(b, []byte("sound")) && !bytes.HasPrefix(b, []byte("RIFF")) {
		return intake.Content{}, &intake.Refusal{Code: intake.NotAudio, English: "this is not audio", Vietnamese: "không phải âm thanh"}
	}
	c.taken++
	sha := string(broadcast.Sum(b))
	out := intake.Content{SHA256: sha, Bytes: int64(len(b)), Duration: 10*time.Second + time.Microsecond, Loudness: -1600, TruePeak: -120,
		Remarks: []intake.Remark{{Code: intake.MostlySilent, English: "mostly silent", Vietnamese: "phần lớn im lặng"}},
		Source:  intake.Source{Name: name, SHA256: sha, Bytes: int64(len(b)), Container: "mp3", Codec: "mp3", SampleRate: 44100, Channels: 2}}
	return out, os.WriteFile(filepath.Join(c.dir, sha), b, 0o600)
}

// Spoil puts other bytes of the same length in place of what was kept.
func (c *Contents) Spoil(sha256 string) error {
	path := filepath.Join(c.dir, filepath.Base(sha256))
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, make([]byte, info.Size()), 0o600)
}

// Open returns what was kept.
func (c *Contents) Open(sha256 string) (*os.File, error) {
	return os.Open(filepath.Join(c.dir, filepath.Base(sha256)))
}

// Holdings is what nodes ought to hold, as a test says.
type Holdings map[broadcast.ID]broadcast.Digest

// Holding returns what the test said.
func (h Holdings) Holding(_ context.Context, id broadcast.ID) (broadcast.Digest, error) {
	return h[id], nil
}

// Site is where people open the console of a House.
const Site = "http://localhost:8080"

// House is a desk behind the HTTP interface.
type House struct {
	*desktest.House
	Contents *Contents
	Holdings Holdings
	Server   *httptest.Server
	// Chart is the tree that can be changed; the house follows it once a test says so.
	Chart *organisation.Chart
	// Records looks for days to close when a test says so.
	Records *records.Records
	// Voice is the one engine, named nu; Speech speaks when a test says Work.
	Voice  *speechtest.Voice
	Speech *speech.Studio
}

// New serves a house until the test ends.
func New(t testing.TB) *House {
	t.Helper()
	h := &House{House: desktest.New(t), Contents: &Contents{dir: t.TempDir()}, Holdings: Holdings{}, Voice: &speechtest.Voice{}}
	h.Serve()
	return h
}

// Serve starts the interface, in place of one that was served before.
func (h *House) Serve() {
	h.T.Helper()
	carrier := dispatch.New(dispatch.Config{DB: h.DB, Fleet: h.Fleet, Events: h.Hub, Office: h.Office, Now: h.Clock.Now, Log: slog.New(slog.DiscardHandler)})
	var err error
	h.Speech, err = speech.New(speech.Config{Dir: h.T.TempDir(), DB: h.DB, Contents: h.Contents, Rights: h.Office, Tree: h.Tree, Events: h.Hub,
		Engines: map[string]speech.Engine{"nu": h.Voice}, Row: api.ContentRow, Now: h.Clock.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		h.T.Fatal(err)
	}
	register := feedback.New(feedback.Config{DB: h.DB, Sites: h.Fleet, Persons: h.Office, Tree: h.Tree, Now: h.Clock.Now})
	h.Records = records.New(records.Config{DB: h.DB, Desk: h.Desk, Fleet: h.Fleet, Persons: h.Office, Tree: h.Tree, Chapters: []records.Chapter{register},
		Now: h.Clock.Now, Log: slog.New(slog.DiscardHandler)})
	post := notify.New(notify.Config{DB: h.DB, Rights: h.Office, Persons: h.Office, Tree: h.Tree, Now: h.Clock.Now, Log: slog.New(slog.DiscardHandler),
		Settings: notify.Settings{Mail: &notify.MailSettings{Server: "127.0.0.1:25", From: "loa@example.vn", Security: "none"}}})
	visitors, err := accounts.New(accounts.Config{DB: h.DB, Office: h.Office, Now: h.Clock.Now, Site: Site, Cost: h.Config.Cost, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		h.T.Fatal(err)
	}
	recordings, err := recording.Open(recording.Config{DB: h.DB, Dir: filepath.Join(h.Dir, recording.Folder), Events: h.Hub, Now: h.Clock.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		h.T.Fatal(err)
	}
	if h.Chart == nil {
		if h.Chart, err = organisation.Open(h.T.Context(), h.DB, h.Tree(), h.Clock.Now); err != nil {
			h.T.Fatal(err)
		}
	}
	handler, err := api.New(api.Config{
		DB:           h.DB,
		Desk:         h.Desk,
		Calendar:     calendar.New(calendar.Config{DB: h.DB, Keys: h.Office, Fleet: h.Fleet, Tree: h.Tree, Now: h.Clock.Now}),
		Programmes:   programme.New(programme.Config{DB: h.DB, Keys: h.Office, Rights: h.Office, Fleet: h.Fleet, Desk: h.Desk, Tree: h.Tree, Wake: h.Woken, Now: h.Clock.Now}),
		Office:       h.Office,
		Accounts:     visitors,
		Fleet:        h.Fleet,
		Contents:     h.Contents,
		Speech:       h.Speech,
		Carrier:      carrier,
		Returner:     carrier,
		Recordings:   recordings,
		Post:         post,
		Records:      h.Records,
		Feedback:     register,
		Organisation: h.Chart,
		Events:       h.Hub,
		Tree:         h.Tree,
		Holdings:     h.Holdings,
		Version:      "test",
		Now:          h.Clock.Now,
		Log:          slog.New(slog.DiscardHandler),
	})
	if err != nil {
		h.T.Fatal(err)
	}
	if h.Server != nil {
		h.Server.Close()
	}
	h.Server = httptest.NewServer(handler)
	h.T.Cleanup(h.Server.Close)
}

// Call is one request.
type Call struct {
	Method, Path string
	Token        string
	// Body is sent as JSON, unless it is bytes.
	Body any
	// Header has more headers; a Content-Type there replaces the usual one.
	Header map[string]string
}

// Answer is what came back.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Problem reads the body as a problem.
func (a Answer) Problem(t testing.TB) api.Problem {
	t.Helper()
	var p api.Problem
	a.Into(t, &p)
	return p
}

// Into reads the body as JSON.
func (a Answer) Into(t testing.TB, v any) {
	t.Helper()
	if err := json.Unmarshal(a.Body, v); err != nil {
		t.Fatalf("%d %s: %v", a.Status, a.Body, err)
	}
}

// Do sends a request and reads the whole answer.
func (h *House) Do(c Call) Answer {
	h.T.Helper()
	raw, is := c.Body.([]byte)
	if !is && c.Body != nil {
		var err error
		if raw, err = json.Marshal(c.Body); err != nil {
			h.T.Fatal(err)
		}
	}
	req, err := http.NewRequest(c.Method, h.Server.URL+c.Path, bytes.NewReader(raw))
	if err != nil {
		h.T.Fatal(err)
	}
	if c.Body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	for name, value := range c.Header {
		req.Header.Set(name, value)
	}
	got, err := http.DefaultClient.Do(req)
	if err != nil {
		h.T.Fatal(err)
	}
	body, err := io.ReadAll(got.Body)
	if err := errors.Join(err, got.Body.Close()); err != nil {
		h.T.Fatal(err)
	}
	return Answer{Status: got.StatusCode, Header: got.Header, Body: body}
}

// Upload sends a file under a name with an Idempotency-Key, which may be empty.
func (h *House) Upload(token, key, name string, file []byte) Answer {
	h.T.Helper()
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	part, err := w.CreateFormFile("file", name)
	if err == nil {
		_, err = part.Write(file)
	}
	if err := errors.Join(err, w.Close()); err != nil {
		h.T.Fatal(err)
	}
	header := map[string]string{"Content-Type": w.FormDataContentType()}
	if key != "" {
		header["Idempotency-Key"] = key
	}
	return h.Do(Call{Method: "POST", Path: "/api/v1/contents", Token: token, Body: form.Bytes(), Header: header})
}
