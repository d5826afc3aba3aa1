package player_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/player/decode"
	"github.com/loaxa/loaxa/device/player/playertest"
	"github.com/loaxa/loaxa/device/player/sink"
)

// TestMain is also the decoding program of the contained decoders.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "decode" {
		os.Exit(decode.Child(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

const communes = 23

// sounded is what one of several players did.
type sounded struct {
	relay, first time.Time
	evidence     player.Evidence
	pcm          []int16
}

// together lets players sound the same at the same instant, in real time.
func together(t testing.TB, decoder player.Decoder, s player.Sounding) []sounded {
	t.Helper()
	done := make([]sounded, communes)
	var all sync.WaitGroup
	for i := range done {
		all.Go(func() {
			dir := filepath.Join(t.TempDir(), strconv.Itoa(i))
			card, err := sink.Open("wav", sink.Config{Dir: dir})
			if err != nil {
				t.Error(err)
				return
			}
			amp := &playertest.Amplifier{}
			p := player.New(player.Config{Amplifier: amp, Decoder: decoder, Sinks: card, WarmUp: 500 * time.Millisecond})
			e, err := p.Play(t.Context(), s, &playertest.Journal{})
			if err != nil {
				t.Error(err)
				return
			}
			first, pcm, err := playertest.ReadWAV(filepath.Join(dir, s.Name+".wav"))
			if err != nil {
				t.Error(err)
			}
			done[i] = sounded{relay: amp.Of("on")[0].At, first: first, evidence: e, pcm: pcm}
		})
	}
	all.Wait()
	return done
}

// One board, one process, the real clock and the real decoder: what is heard
// is what was recorded, when it was told to be heard. The bounds are those of
// a crowded test machine; the benchmark below measures.
func TestPlayersToldTheSameInstantAreHeardTogether(t *testing.T) {
	s := player.Sounding{
		Name: "tin", Start: time.Now().Add(2500 * time.Millisecond), Offset: 2 * time.Second,
		Content: player.Content{Path: "decode/testdata/sweep.opus"},
	}
	var reference []int16
	for i, one := range together(t, decode.Contained{}, s) {
		if d := one.first.Sub(s.Start); d < 0 || d > 500*time.Millisecond {
			t.Errorf("player %d began %v after the start", i, d)
		}
		if d := one.first.Sub(one.relay); d < 480*time.Millisecond {
			t.Errorf("player %d warmed up for %v; want 500 ms", i, d)
		}
		if one.evidence.RMS < -1400 || one.evidence.Samples+one.evidence.Lost+one.evidence.Skipped != 48024 {
			t.Errorf("player %d: evidence %+v", i, one.evidence)
		}
		if one.evidence.Lost > 0 || one.evidence.Skipped > 0 {
			continue // a busy machine; its time line is proved elsewhere
		}
		if reference == nil {
			reference = one.pcm
		}
		if alike, lag := media.Correlate(reference, one.pcm); alike < 0.999 || lag != 0 {
			t.Errorf("player %d: correlation %.3f at lag %d with its neighbours", i, alike, lag)
		}
	}
	if reference == nil {
		t.Error("not one player played without a loss")
	}
}

// BenchmarkStartTogether reports how far from the instant the relays closed
// and the first samples left of 23 players with a decoder process each.
func BenchmarkStartTogether(b *testing.B) {
	var relay, first time.Duration
	var lost int64
	for i := range b.N {
		s := player.Sounding{
			Name: fmt.Sprintf("tin-%d", i), Start: time.Now().Add(4 * time.Second),
			Content: player.Content{Path: "decode/testdata/sweep.opus"},
		}
		for _, one := range together(b, decode.Contained{}, s) {
			relay = max(relay, one.relay.Sub(s.Start.Add(-500*time.Millisecond)).Abs())
			first = max(first, one.first.Sub(s.Start).Abs())
			lost += one.evidence.Lost
		}
	}
	b.ReportMetric(float64(relay.Microseconds())/1e3, "ms-relay-worst")
	b.ReportMetric(float64(first.Microseconds())/1e3, "ms-first-sample-worst")
	b.ReportMetric(float64(lost), "samples-lost")
}
