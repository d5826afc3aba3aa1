package player_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
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

// sounded is what one of several players did.
type sounded struct {
	relay, first time.Time
	evidence     player.Evidence
	pcm          []int16
}

// together lets players sound the same at the same instant.
func together(t testing.TB, players int, decoder player.Decoder, s player.Sounding) []sounded {
	t.Helper()
	done := make([]sounded, players)
	var all sync.WaitGroup
	for i := range done {
		all.Go(func() {
			dir := filepath.Join(t.TempDir(), strconv.Itoa(i))
			card, err := sink.Open("wav", sink.Config{Dir: dir, Buffer: 1500 * time.Millisecond})
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

func TestPlayersToldTheSameInstantAreHeardTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := player.Sounding{Name: "tin", Start: time.Now().Add(10 * time.Second), Content: player.Content{Path: "decode/testdata/sweep.opus"}}
		all := together(t, 23, decode.InProcess{}, s)
		for i, one := range all {
			if !one.first.Equal(s.Start) || one.first.Sub(one.relay) != 500*time.Millisecond {
				t.Errorf("player %d: relay at %v, first sample at %v; want the latter at %v", i, one.relay, one.first, s.Start)
			}
			if !slices.Equal(one.pcm, all[0].pcm) {
				t.Errorf("player %d sounds different", i)
			}
		}
		if alike, lag := media.Correlate(sweep(0, 144024), all[0].pcm); alike < 0.98 || lag != 0 {
			t.Errorf("correlation %.3f at lag %d with what was recorded", alike, lag)
		}
	})
}

// The real clock and the real decoding process: whatever a crowded machine
// makes late is missing, nothing is out of step.
func TestContainedContentIsHeardOnTheTimeLine(t *testing.T) {
	const offset, length = 2 * rate, rate + 24
	s := player.Sounding{
		Name: "tin", Start: time.Now().Add(2 * time.Second), Offset: 2 * time.Second,
		Content: player.Content{Path: "decode/testdata/sweep.opus"},
	}
	one := together(t, 1, decode.Contained{}, s)[0]
	e := one.evidence
	if d := one.first.Sub(one.relay); d < 480*time.Millisecond {
		t.Errorf("warmed up for %v; want 500 ms", d)
	}
	if late := one.first.Sub(s.Start); late < 0 || late.Milliseconds() != e.Skipped*1000/rate {
		t.Errorf("began %v after the start and left out %d samples", late, e.Skipped)
	}
	if e.Samples == 0 || e.Samples+e.Lost+e.Skipped != length {
		t.Errorf("evidence %+v; want %d samples in all", e, length)
	}
	alike, lag := media.Correlate(sweep(offset+e.Skipped, length-e.Skipped), one.pcm)
	if lag != 0 || alike < 0.1 || (e.Lost == 0 && alike < 0.95) {
		t.Errorf("correlation %.3f at lag %d; evidence %+v", alike, lag, e)
	}
}

// sweep is what the content was made from.
func sweep(from, n int64) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		t := float64(from+int64(i)) / rate
		pcm[i] = int16(16384 * math.Sin(2*math.Pi*(300*t+225*t*t)))
	}
	return pcm
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
		for _, one := range together(b, 23, decode.Contained{}, s) {
			relay = max(relay, one.relay.Sub(s.Start.Add(-500*time.Millisecond)).Abs())
			first = max(first, one.first.Sub(s.Start).Abs())
			lost += one.evidence.Lost
		}
	}
	b.ReportMetric(float64(relay.Microseconds())/1e3, "ms-relay-worst")
	b.ReportMetric(float64(first.Microseconds())/1e3, "ms-first-sample-worst")
	b.ReportMetric(float64(lost), "samples-lost")
}
