package decode

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
)

// packetsOf are the Opus packets of a recording.
func packetsOf(t *testing.T, name string) [][]byte {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := openPackets(f)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for {
		packet, _, err := r.next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, bytes.Clone(packet))
	}
}

var live = map[string]interface{ Packets() (Packets, error) }{"in process": InProcess{}, "contained": Contained{}}

func TestLivePacketsGiveTheSameSamplesAsTheirRecording(t *testing.T) {
	file, err := InProcess{}.Open(t.Context(), "testdata/sweep.opus", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	want := readAll(t, file)
	for name, d := range live {
		t.Run(name, func(t *testing.T) {
			p, err := d.Packets()
			if err != nil {
				t.Fatal(err)
			}
			var got []int16
			for _, packet := range packetsOf(t, "sweep.opus") {
				pcm := make([]int16, PacketSamples)
				if err := p.Decode(packet, pcm); err != nil {
					t.Fatal(err)
				}
				got = append(got, pcm...)
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
			alike, lag := media.Correlate(want, got[:len(want)])
			if alike < 0.99 || lag < 0 || lag > 500 { // live sound has no pre-skip
				t.Errorf("correlation %.3f at %d", alike, lag)
			}
		})
	}
}

func TestAPacketThatIsNoneEndsOneDecoderAndNothingElse(t *testing.T) {
	for name, d := range live {
		t.Run(name, func(t *testing.T) {
			p, err := d.Packets()
			if err != nil {
				t.Fatal(err)
			}
			defer p.Close()
			pcm := make([]int16, PacketSamples)
			if err := p.Decode([]byte{3, 0}, pcm); !errors.Is(err, ErrRefused) && !errors.Is(err, ErrCrashed) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestALiveDecoderThatHangsIsLeftInTime(t *testing.T) {
	for _, work := range []string{"hang", "panic"} {
		p, err := itself(work).Packets()
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := p.Decode([]byte{1}, make([]int16, PacketSamples)); !errors.Is(err, ErrStalled) && !errors.Is(err, ErrCrashed) {
			t.Errorf("%s: %v", work, err)
		}
		if took := time.Since(began); took > 3*time.Second {
			t.Errorf("%s: held the caller up for %v", work, took)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}
