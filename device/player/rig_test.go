package player_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/player/playertest"
	"github.com/loaxa/loaxa/device/player/sink"
)

const (
	rate   = media.SampleRate
	warmUp = 1500 * time.Millisecond
)

// rig is a player between stand-ins and a recording card.
type rig struct {
	t       *testing.T
	amp     *playertest.Amplifier
	decoder *playertest.Decoder
	journal *playertest.Journal
	player  *player.Player
	dir     string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{
		t:       t,
		amp:     &playertest.Amplifier{},
		decoder: &playertest.Decoder{Samples: 2 * rate, Value: contentValue},
		journal: &playertest.Journal{},
		dir:     t.TempDir(),
	}
	card, err := sink.Open("wav", sink.Config{Dir: r.dir})
	if err != nil {
		t.Fatal(err)
	}
	r.use(card)
	return r
}

func (r *rig) use(card player.Opener) {
	r.player = player.New(player.Config{Amplifier: r.amp, Decoder: r.decoder, Sinks: card, WarmUp: warmUp})
}

// Every sample of chime and content has a value of its own neighbourhood, so
// that a recording shows where each part of it came from.
func contentValue(n int64) int16 { return int16(2000 + n*7%9973) }

func chime(n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(-2000 - i*3%9967)
	}
	return pcm
}

// in returns a sounding that starts after d.
func in(d time.Duration) player.Sounding {
	return player.Sounding{
		Name:    "tin-1",
		Start:   time.Now().Add(d),
		Chime:   chime(rate / 2),
		Content: player.Content{Path: "content", Duration: 2 * time.Second},
	}
}

func (r *rig) play(ctx context.Context, s player.Sounding) (player.Evidence, error) {
	return r.player.Play(ctx, s, r.journal)
}

// recorded reads the one recording that there must be.
func (r *rig) recorded() (time.Time, []int16) {
	r.t.Helper()
	first, pcm, err := playertest.ReadWAV(filepath.Join(r.dir, "tin-1.wav"))
	if err != nil {
		r.t.Fatal(err)
	}
	return first, pcm
}

// silent fails when anything was recorded or is left running.
func (r *rig) silent() {
	r.t.Helper()
	if found, _ := filepath.Glob(filepath.Join(r.dir, "*")); len(found) > 0 {
		r.t.Errorf("recorded %q; want silence", found)
	}
	r.settled()
}

// settled fails when a decoder is left open or a relay was not let go.
func (r *rig) settled() {
	r.t.Helper()
	opened, closed := r.decoder.Of("open"), r.decoder.Of("close")
	if len(opened) != len(closed) && r.decoder.OpenErr == nil {
		r.t.Errorf("%d decoders opened, %d closed", len(opened), len(closed))
	}
	if len(r.amp.Of("on")) > 0 && len(r.amp.Of("rest")) == 0 {
		r.t.Error("the relay was not let go")
	}
}

// line is the whole sounding as it would be heard without fades.
func line(s player.Sounding, content int64) []int16 {
	pcm := append([]int16(nil), s.Chime...)
	for n := range content {
		pcm = append(pcm, contentValue(n))
	}
	return pcm
}

// within fails unless got lies in [want, want+slack].
func within(t *testing.T, what string, got, want time.Time, slack time.Duration) {
	t.Helper()
	if d := got.Sub(want); d < 0 || d > slack {
		t.Errorf("%s at %v after the instant wanted; want 0 to %v", what, d, slack)
	}
}

// same fails unless the samples are equal, the fades at both ends left out.
func same(t *testing.T, got, want []int16) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d samples recorded; want %d", len(got), len(want))
	}
	for i := rate / 10; i < len(got)-rate/5; i++ {
		if got[i] != want[i] {
			t.Fatalf("sample %d is %d; want %d", i, got[i], want[i])
		}
	}
}
