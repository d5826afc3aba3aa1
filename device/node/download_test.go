package node_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/link"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// office is a web server in front of a centre. The first answer for a recording
// may stop in the middle or be spoiled.
type office struct {
	centre *nodetest.Centre
	pieces func(r *http.Request, raw []byte) []byte // gives what comes of a recording in pieces; nil for all of it at once
	held   chan struct{}                            // an answer stands still in the middle

	mu     sync.Mutex
	stall  int                           // bytes of the first answer before it stands still
	spoil  bool                          // the first answer has one wrong byte
	ranges map[broadcast.Digest][]string // as asked for
}

func (o *office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	sum := broadcast.Digest(path.Base(r.URL.Path))
	raw := o.centre.Document(sum)
	if raw == nil {
		http.NotFound(w, r)
		return
	}
	if path.Dir(r.URL.Path) != "/content" {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(raw))
		return
	}
	o.mu.Lock()
	first := len(o.ranges[sum]) == 0
	o.ranges[sum] = append(o.ranges[sum], r.Header.Get("Range"))
	stall, spoil := o.stall, o.spoil
	o.mu.Unlock()
	var body io.ReadSeeker = bytes.NewReader(raw)
	switch {
	case o.pieces != nil:
		body = bytes.NewReader(o.pieces(r, raw))
	case first && spoil:
		wrong := slices.Clone(raw)
		wrong[len(wrong)/2] ^= 1
		body = bytes.NewReader(wrong)
	case first && stall > 0:
		body = &stuck{Reader: bytes.NewReader(raw), left: stall, ctx: r.Context(), held: o.held}
	}
	http.ServeContent(w, r, "", time.Time{}, body)
}

// asked are the ranges that were asked for, empty for the whole.
func (o *office) asked(sum broadcast.Digest) []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.ranges[sum])
}

// stuck gives some bytes and then nothing until whoever reads goes away.
type stuck struct {
	*bytes.Reader
	left int
	ctx  context.Context
	held chan struct{}
}

func (s *stuck) Read(p []byte) (int, error) {
	if s.left == 0 {
		close(s.held)
		<-s.ctx.Done()
		return 0, s.ctx.Err()
	}
	n, err := s.Reader.Read(p[:min(len(p), s.left)])
	s.left -= n
	return n, err
}

// WriteTo is hidden, so that Read is used.
func (s *stuck) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, struct{ io.Reader }{s}) }

// downloading is a rig that fetches from a real web server, in real time.
func downloading(t *testing.T, o *office) *nodetest.Rig {
	t.Helper()
	r := nodetest.NewRig(t)
	o.centre, o.ranges, o.held = r.Centre, map[broadcast.Digest][]string{}, make(chan struct{})
	server := httptest.NewServer(o)
	t.Cleanup(server.Close)
	r.Change = func(c *node.Config) {
		f, err := link.NewFetcher(link.FetchConfig{Controllers: []string{server.URL}, Log: slog.New(slog.DiscardHandler), Rand: rand.New(rand.NewPCG(1, 2))})
		if err != nil {
			t.Fatal(err)
		}
		c.Fetcher = f
	}
	t.Cleanup(func() { r.Stop() })
	r.Boot()
	r.Settle()
	return r
}

// eventually waits for something that happens in real time.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not in time: %s", what)
		}
	}
}

// heardOnce waits for the one sounding of an item.
func heardOnce(t *testing.T, r *nodetest.Rig, a broadcast.Announcement) {
	t.Helper()
	eventually(t, "its end", func() bool { return slices.Contains(r.Centre.Rungs(nodetest.NodeID, a.ID), "ended") })
	sounded(t, r, 1)
}

// unfinished is how much of a download lies on the card.
func unfinished(r *nodetest.Rig) int64 {
	entries, err := r.Disk.FS().ReadDir("contents")
	for _, e := range entries {
		if err == nil && strings.HasSuffix(e.Name, ".part") {
			return e.Size
		}
	}
	return 0
}

// checkEverySounding refuses to play anything but the recordings of a centre.
func checkEverySounding(t *testing.T, r *nodetest.Rig) {
	r.Player.RefusePrepare(func(s player.Sounding) error {
		f, err := r.Disk.FS().OpenFile(path.Join("contents", s.Content.Path), os.O_RDONLY)
		if err != nil {
			t.Errorf("to be played without being there: %v", err)
			return err
		}
		defer func() { _ = f.Close() }()
		raw, err := io.ReadAll(io.NewSectionReader(f, 0, 4<<20))
		if sum := sha256.Sum256(raw); err != nil || hex.EncodeToString(sum[:]) != s.Content.Path {
			t.Errorf("%d wrong bytes were to be played, %v", len(raw), err)
		}
		return nil
	})
}

// soon is urgent enough for pieces, and far enough for a busy machine to have
// them in time: a recording of 300 ms is over before anybody joins it late.
const soon = 8 * time.Second

func TestADownloadGoesOnAfterTheNodeLostItsPower(t *testing.T) {
	t.Parallel()
	const stall = 400 << 10
	o := &office{stall: stall}
	r := downloading(t, o)
	checkEverySounding(t, r)
	a := large(r, "flood", broadcast.Priority, soon)
	a.Versions[0].Content.Millis = 300
	r.Announce(a)
	<-o.held
	eventually(t, "what the server sent", func() bool { return unfinished(r) >= stall-8<<10 }) // its last buffer stays with it
	r.Crash(storetest.KeepSynced)
	r.Boot()
	r.List()
	heardOnce(t, r, a)
	asked := o.asked(a.Versions[0].Content.SHA256)
	if len(asked) != 2 || asked[0] != "" {
		t.Fatalf("asked for %q, want the whole and then the rest", asked)
	}
	var from int
	if _, err := fmt.Sscanf(asked[1], "bytes=%d-", &from); err != nil || from < stall-192<<10 || from > stall {
		t.Errorf("after %d bytes and a power cut it went on with %q", stall, asked[1])
	}
}

func TestASpoiledDownloadIsNeverPlayedAndFetchedAgain(t *testing.T) {
	t.Parallel()
	o := &office{spoil: true}
	r := downloading(t, o)
	checkEverySounding(t, r)
	a := large(r, "flood", broadcast.Priority, soon)
	a.Versions[0].Content.Millis = 300
	r.Announce(a)
	heardOnce(t, r, a)
	if asked := o.asked(a.Versions[0].Content.SHA256); len(asked) != 2 || strings.Join(asked, "") != "" {
		t.Errorf("asked for %q, want the whole twice", asked)
	}
}
