package relay_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/relay"
)

// keys hold the service key of a house.
type keys struct{ house *sealtest.House }

func (k keys) Service(context.Context) (seal.Signer, error) { return k.house.Service, nil }

// tone is a minute of one as MP3.
var tone = sync.OnceValues(func() ([]byte, error) {
	return exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=frequency=700:duration=60", "-b:a", "64k", "-f", "mp3", "pipe:1").Output()
})

// radio is a station that sends a tone faster than time goes.
func radio(t *testing.T) (*httptest.Server, *int) {
	t.Helper()
	sound, err := tone()
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		sends(sound)(w, r)
	}))
	t.Cleanup(server.Close)
	return server, &asked
}

// sends gives all of a sound at once and then nothing more.
func sends(sound []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "audio/mpeg")
		_, _ = w.Write(sound)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
}

func stations(t *testing.T, list ...relay.Station) (*relay.Stations, *sealtest.House) {
	t.Helper()
	house := sealtest.NewHouse("tuyen-quang", broadcast.InstantOf(time.Now()).Add(-time.Hour), true)
	s, err := relay.New(relay.Config{Stations: list, Keys: keys{house}, Covers: func(upper, area broadcast.ID) bool { return upper == area },
		Homes: t.TempDir(), Now: time.Now, Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	return s, house
}

func vov(url string) relay.Station {
	return relay.Station{ID: "vov1", Name: "VOV1", URL: url, Areas: []broadcast.ID{"bac-quang"}, Private: true}
}

// frames reads an answer into its session and n blocks.
func frames(t *testing.T, house *sealtest.House, s *relay.Stations, session string, n int) (broadcast.Session, []wire.Block) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	r, w := io.Pipe()
	go func() { _ = w.CloseWithError(s.Listen(ctx, "vov1", sealtest.Public(session), w)) }()
	defer r.Close()
	f, raw, err := wire.ReadFrame(r)
	if err != nil || f != wire.SessionFrame {
		t.Fatalf("%q: %v", f, err)
	}
	doc, _, err := seal.Open[broadcast.Session](house.Keyring(broadcast.Assignment{Chain: []broadcast.Place{{Area: "tuyen-quang", Level: broadcast.Province}}}),
		broadcast.KindSession, raw, seal.Context{Places: broadcast.Assignment{Chain: []broadcast.Place{{Area: "tuyen-quang", Level: broadcast.Province}}}, Here: "tuyen-quang"})
	if err != nil {
		t.Fatal(err)
	}
	var out []wire.Block
	for range n {
		f, raw, err := wire.ReadFrame(r)
		if err != nil || f != wire.BlockFrame {
			t.Fatalf("%q: %v", f, err)
		}
		b, err := wire.OpenBlock(raw, doc.Signer)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b)
	}
	return doc, out
}

func TestAStationIsFetchedOnceForAllWhoListen(t *testing.T) {
	server, asked := radio(t)
	s, house := stations(t, vov(server.URL))
	var wait sync.WaitGroup
	first := make([]wire.Block, 2)
	for i, name := range []string{"one", "two"} {
		wait.Go(func() {
			doc, blocks := frames(t, house, s, name, 30)
			if doc.Key != sealtest.Public(name) || doc.Station != "vov1" {
				t.Errorf("%+v", doc)
			}
			for i, b := range blocks[1:] {
				if b.First != blocks[i].First+5 || b.At != blocks[i].At.Add(wire.BlockLength) {
					t.Fatalf("block %d: %d at %d after %d at %d", i, b.First, b.At, blocks[i].First, blocks[i].At)
				}
			}
			if early := blocks[29].At.Sub(broadcast.InstantOf(time.Now())); early > 15*time.Second || early < -15*time.Second {
				t.Errorf("its moments are %v off", early)
			}
			first[i] = blocks[0]
		})
	}
	wait.Wait()
	if *asked != 1 {
		t.Errorf("the station was asked %d times", *asked)
	}
	if got := s.Standings()[0]; got.State != relay.OnAir {
		t.Errorf("%+v", got)
	}
}

// A station that sends nothing but zeros costs few bytes and no sound.
func TestDigitalSilenceOfAStationIsToldFromItsTone(t *testing.T) {
	zeros := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "anullsrc=r=44100:cl=stereo:d=40", "-b:a", "64k", "-f", "mp3", "pipe:1")
	sound, err := zeros.Output()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sends(sound))
	defer server.Close()
	s, _ := stations(t, vov(server.URL))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	go func() { _ = s.Listen(ctx, "vov1", sealtest.Public("one"), io.Discard) }()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for s.Lost()["vov1"] == "" {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%+v", s.Standings()[0])
		}
	}
	if got := s.Standings()[0]; got.State != relay.Silent || got.Listeners != 1 {
		t.Errorf("%+v", got)
	}
}

func TestWhatIsWrongWithAStationIsSaid(t *testing.T) {
	silent := httptest.NewServer(http.NotFoundHandler())
	defer silent.Close()
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }))
	defer page.Close()
	list := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "audio/mpeg")
		_, _ = io.WriteString(w, "ffconcat version 1.0\nfile /etc/passwd\n")
	}))
	defer list.Close()
	away := vov("http://127.0.0.1:1/")
	inside := vov(page.URL)
	inside.Private = false
	for name, c := range map[string]struct {
		station relay.Station
		why     string
	}{
		"not there":         {vov(silent.URL), "404"},
		"no sound":          {vov(page.URL), "MP3, AAC and Ogg"},
		"nobody answers":    {away, "refused"},
		"a private address": {inside, "private address"},
		"a playlist":        {vov(list.URL), "station vov1"},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := stations(t, c.station)
			err := s.Listen(t.Context(), "vov1", sealtest.Public("one"), io.Discard)
			if err == nil || !strings.Contains(err.Error(), c.why) {
				t.Errorf("%v", err)
			}
			if got := s.Standings()[0]; got.State != relay.Gone || !strings.Contains(got.Why, c.why) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestOnlyKnownStationsAndTheirAreasMayBeRelayed(t *testing.T) {
	s, _ := stations(t, vov("http://127.0.0.1:1/"))
	if err := s.May("vov1", "bac-quang"); err != nil {
		t.Error(err)
	}
	if err := s.May("vov1", "bac-quang", "vi-xuyen"); !errors.Is(err, relay.ErrElsewhere) {
		t.Error(err)
	}
	if err := s.May("radio-x", "bac-quang"); !errors.Is(err, relay.ErrUnknown) {
		t.Error(err)
	}
	if err := s.Listen(t.Context(), "radio-x", sealtest.Public("one"), io.Discard); !errors.Is(err, relay.ErrUnknown) {
		t.Error(err)
	}
	if got := s.Standings()[0]; got.State != relay.AtRest || !got.Since.IsZero() {
		t.Errorf("%+v", got)
	}
}

func TestStationsAreReadOrRefusedWithTheirReason(t *testing.T) {
	dir := t.TempDir()
	if list, err := relay.ReadStations(dir); list != nil || err != nil {
		t.Errorf("no file: %v %v", list, err)
	}
	good := "[[station]]\nid = \"vov1\"\nname = \"VOV1\"\nurl = \"https://example.vn/vov1\"\nareas = [\"bac-quang\"]\n"
	for text, want := range map[string]string{
		good:        "",
		good + good: "stands twice",
		strings.Replace(good, "https", "file", 1):       "url",
		strings.Replace(good, `"vov1"`, `"VOV 1"`, 1):   "id",
		strings.Replace(good, `"VOV1"`, `""`, 1):        "name",
		strings.Replace(good, `["bac-quang"]`, `[]`, 1): "areas",
		good + "volume = 3\n":                           "not known",
		good + strings.Repeat("#", 1<<16):               "bytes",
		"[[station":                                     "toml",
	} {
		if err := os.WriteFile(filepath.Join(dir, "relays.toml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		list, err := relay.ReadStations(dir)
		switch {
		case want == "" && (err != nil || len(list) != 1 || list[0].Name != "VOV1"):
			t.Errorf("%v %v", list, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: %v", want, err)
		}
	}
}

func FuzzStations(f *testing.F) {
	f.Add([]byte("[[station]]\nid = \"vov1\"\nname = \"VOV1\"\nurl = \"https://example.vn/vov1\"\nareas = [\"bac-quang\"]\n"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, "relays.toml"), b, 0o600); err != nil {
			t.Fatal(err)
		}
		list, err := relay.ReadStations(dir)
		for _, s := range list {
			if err != nil || s.ID.Validate() != nil || !strings.HasPrefix(strings.ToLower(s.URL), "http") || bytes.ContainsRune([]byte(s.ID), '/') {
				t.Fatalf("%+v %v", s, err)
			}
		}
	})
}
