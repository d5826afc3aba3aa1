package loaxa

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/controller/api/apitest"
	"github.com/loaxa/loaxa/controller/store"
	"github.com/loaxa/loaxa/device/link"
)

// errCut is what a node sees of a power cut, which is nothing.
var errCut = errors.New("the line is cut")

// scissors let some bytes of requests through, and then cut line and power.
type scissors struct {
	left int64
	cut  context.CancelFunc
}

// RoundTrip passes a request on as far as it may go.
func (s *scissors) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(io.TeeReader(r.Body, s))
	return http.DefaultTransport.RoundTrip(r)
}

// Write counts what goes.
func (s *scissors) Write(b []byte) (int, error) {
	if s.left -= int64(len(b)); s.left < 0 {
		s.cut()
		return 0, errCut
	}
	return len(b), nil
}

// TestARecordingWhoseWayIsCutGoesOnFromThere sends what was spoken at a box with the
// node's own sender to the controller's own interface. Line and power of both are cut in
// the middle of a piece, again and again.
func TestARecordingWhoseWayIsCutGoesOnFromThere(t *testing.T) {
	office := apitest.New(t)
	secret := office.Node("tan-lap-1", "tan-lap")
	const length, piece, between = 12 * media.VoiceRate * 2, 64 << 10, 150_000
	wave := media.VoiceHead(length)
	for i := range length {
		wave = append(wave, byte(i*i>>7))
	}
	sum := broadcast.Sum(wave)
	office.Update(func(tx store.Tx) error {
		return tx.AddRecordings(t.Context(), []store.Recording{{Node: "tan-lap-1", SHA256: sum, Area: "tan-lap", Announcement: "f1",
			Bytes: int64(len(wave)), Millis: 12_000, Told: office.Now()}})
	})
	var err error
	cuts, sent := 0, int64(0)
	for err = errCut; err != nil && cuts < 20; cuts++ {
		ctx, cancel := context.WithCancel(t.Context())
		f, made := link.NewFetcher(link.FetchConfig{Controllers: []string{office.Server.URL}, Transport: &scissors{between, cancel},
			Credentials: func() (string, string, bool) { return "tan-lap-1", secret, true },
			Log:         slog.New(slog.DiscardHandler), Rand: rand.New(rand.NewPCG(7, 8))})
		if made != nil {
			t.Fatal(made)
		}
		err = f.Send(ctx, link.Parcel{Sum: sha256.Sum256(wave), Size: int64(len(wave)), Spend: func(int64) error { return nil },
			Open: func() (io.ReadSeekCloser, error) { return onCard{bytes.NewReader(wave)}, nil }})
		sent += f.Sent()
		cancel()
		office.Serve() // a controller that was cut off as well
	}
	if err != nil {
		t.Fatalf("after %d cuts: %v", cuts, err)
	}
	got := office.Do(apitest.Call{Method: "GET", Path: "/api/v1/nodes/tan-lap-1/recordings/" + string(sum), Token: office.Named("ky-thuat").Token})
	if got.Status != http.StatusOK || !bytes.Equal(got.Body, wave) {
		t.Errorf("heard at the centre: %d, %d bytes for %d", got.Status, len(got.Body), len(wave))
	}
	if most := int64(len(wave)) + int64(cuts)*piece; cuts < 3 || sent > most {
		t.Errorf("%d cuts cost %d bytes for %d, want at most a piece for each", cuts, sent, len(wave))
	}
	t.Logf("%d bytes in %d goes cost %d", len(wave), cuts, sent)
}

// onCard is a file on a card.
type onCard struct{ *bytes.Reader }

// Close does nothing.
func (onCard) Close() error { return nil }
