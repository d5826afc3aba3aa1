package node

import (
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/loaxa/loaxa/device/live"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/player/playertest"
)

const ms = sampleRate / 1000

// value makes every sample of a recording its own.
func value(n int64) int16 { return int16(n%9000 + 1000) }

func order(pieces ...Piece) string { return Splice([]int16{1, 2, 3}, pieces) }

func drain(t *testing.T, path string, from int64, d *playertest.Decoder) []int16 {
	t.Helper()
	s, err := Splicer{Each: d}.Open(t.Context(), path, from)
	if err != nil {
		t.Fatal(err)
	}
	var out []int16
	block := make([]int16, 700)
	for {
		n, err := s.Read(t.Context(), block)
		out = append(out, block[:n]...)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if int64(len(out)) != s.Samples() {
		t.Errorf("%d samples read, %d promised", len(out), s.Samples())
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if opened, closed := len(d.Of("open")), len(d.Of("close")); opened != closed {
		t.Errorf("%d recordings opened, %d closed", opened, closed)
	}
	return out
}

// line is what the pieces of the test should sound.
func line100() []int16 {
	out := make([]int16, 100*ms)
	copy(out, []int16{1, 2, 3})
	for i := range 20 * ms {
		out[10*ms+i] = value(int64(i)) // the first piece, cut at its length
	}
	for i := range 50 * ms {
		out[40*ms+i] = value(int64(i)) // the second, shorter than announced
	}
	return out
}

func TestPiecesSoundInTheirPlacesWithSilenceBetween(t *testing.T) {
	path := order(Piece{Path: "a", At: 10, Millis: 20}, Piece{Path: "b", At: 40, Millis: 60})
	want := line100()
	for _, from := range []int64{0, 2, 5 * ms, 15 * ms, 35 * ms, 41 * ms, 85 * ms} {
		d := &playertest.Decoder{Samples: 50 * ms, Value: value}
		got := drain(t, path, from, d)
		if !slices.Equal(got, want[from:]) {
			i := 0
			for i < len(got) && got[i] == want[int(from)+i] {
				i++
			}
			t.Errorf("from %d: differs at sample %d of %d", from, i, len(got))
		}
	}
}

func TestPieceEndsWhereTheNextBegins(t *testing.T) {
	d := &playertest.Decoder{Samples: 50 * ms, Value: value}
	got := drain(t, order(Piece{Path: "a", At: 0, Millis: 50}, Piece{Path: "b", At: 20, Millis: 30}), 0, d)
	if len(got) != 50*ms || got[20*ms] != value(0) {
		t.Errorf("%d samples, the second piece begins with %d", len(got), got[20*ms])
	}
}

func TestOneRecordingGoesThroughUnchanged(t *testing.T) {
	d := &playertest.Decoder{Samples: 3 * ms, Value: value}
	if got := drain(t, "/contents/abc", 1*ms, d); len(got) != 2*ms || got[0] != value(ms) {
		t.Errorf("%d samples from %d", len(got), got[0])
	}
}

func TestPieceThatCannotBeOpenedEndsTheStream(t *testing.T) {
	broken := errors.New("damaged")
	d := &playertest.Decoder{Samples: 5 * ms, Value: value, OpenErr: broken}
	if _, err := (Splicer{Each: d}).Open(t.Context(), order(Piece{Path: "a", At: 0, Millis: 5}), 0); !errors.Is(err, broken) {
		t.Errorf("open: %v", err)
	}
	s, err := Splicer{Each: d}.Open(t.Context(), order(Piece{Path: "a", At: 1, Millis: 5}), 0)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]int16, 10*ms)
	if n, err := s.Read(t.Context(), block); n != ms || err != nil {
		t.Errorf("%d samples before the piece, %v", n, err)
	}
	if _, err := s.Read(t.Context(), block); !errors.Is(err, broken) {
		t.Errorf("read: %v", err)
	}
	for _, path := range []string{splicePrefix, splicePrefix + "{}", splicePrefix + "[1"} {
		if _, err := (Splicer{Each: d}).Open(t.Context(), path, 0); err == nil {
			t.Errorf("%q is opened", path)
		}
	}
	if _, err := (Splicer{Each: d}).Open(t.Context(), order(Piece{Path: "a", At: 0, Millis: 5}), 5*ms); err == nil {
		t.Error("it begins behind its end")
	}
}

func TestARelayIsOpenedBeforeItsTurnAndGivenBackWhateverHappens(t *testing.T) {
	lead := live.Lead.Milliseconds()
	d := &playertest.Decoder{Samples: 100 * ms, Value: value}
	path := order(Piece{Path: "a", At: 0, Millis: 50}, Piece{Path: "far", At: lead + 100, Millis: 20, Live: true}, Piece{Path: "b", At: lead + 200, Millis: 10})
	s, err := Splicer{Each: d}.Open(t.Context(), path, 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Of("open"); len(got) != 1 {
		t.Errorf("at first %d pieces are open", len(got))
	}
	block := make([]int16, 90*ms)
	for range 3 {
		fillAll(t, s, block)
	}
	if got := d.Of("open"); len(got) != 2 {
		t.Errorf("%d pieces were opened when the relay is near", len(got))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if opened, closed := len(d.Of("open")), len(d.Of("close")); opened != closed {
		t.Errorf("%d opened, %d closed", opened, closed)
	}
}

func fillAll(t *testing.T, s player.Stream, pcm []int16) {
	t.Helper()
	for len(pcm) > 0 {
		n, err := s.Read(t.Context(), pcm)
		if err != nil {
			t.Fatal(err)
		}
		pcm = pcm[n:]
	}
}
