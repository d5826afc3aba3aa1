package playertest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/device/player"
)

// The stand-ins are what the player asks for.
var (
	_ player.Amplifier = (*Amplifier)(nil)
	_ player.Decoder   = (*Decoder)(nil)
	_ player.Events    = (*Journal)(nil)
)

func TestCallsAreKeptInOrderWithTheirInstants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &Amplifier{Delay: time.Second}
		begin := time.Now()
		closed, err := a.On(t.Context())
		if err != nil || closed.Sub(begin) != time.Second {
			t.Errorf("On = %v, %v; want a second later", closed, err)
		}
		for _, frames := range []uint64{10, 20} {
			if err := a.Moving(frames); err != nil {
				t.Error(err)
			}
		}
		if err := a.Rest(); err != nil {
			t.Error(err)
		}
		var order []string
		for _, call := range a.Of("") {
			order = append(order, call.What)
		}
		if got := strings.Join(order, " "); got != "on moving moving rest" {
			t.Errorf("calls %q", got)
		}
		if moving := a.Of("moving"); len(moving) != 2 || moving[1].Frames != 20 || !moving[0].At.Equal(closed) {
			t.Errorf("moving %+v", moving)
		}
	})
}

func TestAmplifierFailsWhenTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		held := time.Now().Add(-time.Hour)
		a := &Amplifier{OnErr: broken, MovingErr: broken, Held: held}
		if closed, err := a.On(t.Context()); !errors.Is(err, broken) || !closed.Equal(held) {
			t.Errorf("On = %v, %v", closed, err)
		}
		if err := a.Moving(1); !errors.Is(err, broken) {
			t.Errorf("Moving = %v", err)
		}
		withdrawn := errors.New("withdrawn")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(withdrawn)
		if _, err := (&Amplifier{Delay: time.Hour}).On(ctx); !errors.Is(err, withdrawn) {
			t.Errorf("On = %v; want the cause", err)
		}
	})
}

// drain reads a stream to its end or its error.
func drain(ctx context.Context, s player.Stream) (pcm []int16, err error) {
	block := make([]int16, 700)
	for {
		n, err := s.Read(ctx, block)
		pcm = append(pcm, block[:n]...)
		if errors.Is(err, io.EOF) {
			return pcm, nil
		}
		if err != nil {
			return pcm, err
		}
	}
}

func TestDecoderGivesEverySampleOnce(t *testing.T) {
	d := &Decoder{Samples: 5000, Value: func(n int64) int16 { return int16(n) }}
	s, err := d.Open(t.Context(), "x", 1234)
	if err != nil {
		t.Fatal(err)
	}
	pcm, err := drain(t.Context(), s)
	if err != nil || len(pcm) != 5000-1234 || s.Samples() != 5000-1234 {
		t.Fatalf("%d samples of %d, %v", len(pcm), s.Samples(), err)
	}
	for i, v := range pcm {
		if int(v) != i+1234 {
			t.Fatalf("sample %d is %d", i+1234, v)
		}
	}
	if err := s.Close(); err != nil || len(d.Of("open")) != 1 || len(d.Of("close")) != 1 || d.Of("open")[0].Frames != 1234 {
		t.Errorf("calls %+v, %v", d.Of(""), err)
	}
}

func TestDecoderIsLoudUnlessToldOtherwise(t *testing.T) {
	d := &Decoder{Samples: 480}
	s, err := d.Open(t.Context(), "x", 0)
	if err != nil {
		t.Fatal(err)
	}
	pcm, err := drain(t.Context(), s)
	if err != nil || pcm[0] != 10000 || pcm[479] != -10000 {
		t.Errorf("from %d to %d, %v", pcm[0], pcm[479], err)
	}
}

func TestDecoderFailsWhenTold(t *testing.T) {
	broken := errors.New("broken")
	if _, err := (&Decoder{Samples: 1, OpenErr: broken}).Open(t.Context(), "x", 0); !errors.Is(err, broken) {
		t.Errorf("Open = %v", err)
	}
	if _, err := (&Decoder{Samples: 10}).Open(t.Context(), "x", 10); err == nil {
		t.Error("opened behind the end")
	}
	s, err := (&Decoder{Samples: 5000, FailAt: 3000, ReadErr: broken}).Open(t.Context(), "x", 0)
	if err != nil {
		t.Fatal(err)
	}
	if pcm, err := drain(t.Context(), s); len(pcm) != 3000 || !errors.Is(err, broken) {
		t.Errorf("%d samples, then %v", len(pcm), err)
	}
}

func TestHangingDecoderWaitsForItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := (&Decoder{Samples: 5000, HangAt: 2000}).Open(t.Context(), "x", 0)
		if err != nil {
			t.Fatal(err)
		}
		withdrawn := errors.New("withdrawn")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(withdrawn) })
		if pcm, err := drain(ctx, s); len(pcm) != 2000 || !errors.Is(err, withdrawn) {
			t.Errorf("%d samples, then %v", len(pcm), err)
		}
	})
}

func TestJournalRemembersWhatItWasTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := errors.New("full")
		j := &Journal{PlayingErr: full, Delay: time.Second}
		begin := time.Now()
		j.Powered(begin)
		if err := j.Playing(begin.Add(time.Hour)); !errors.Is(err, full) || time.Since(begin) != time.Second {
			t.Errorf("Playing = %v after %v", err, time.Since(begin))
		}
		j.Progress(player.Progress{Played: 5, Total: 9})
		if !j.First().Equal(begin.Add(time.Hour)) || j.Last() != (player.Progress{Played: 5, Total: 9}) || len(j.Of("")) != 3 {
			t.Errorf("first %v, last %+v, calls %+v", j.First(), j.Last(), j.Of(""))
		}
	})
}

// wav is a recording as the wav sink writes it.
func wav() []byte {
	var b bytes.Buffer
	b.WriteString("RIFF\x00\x00\x00\x00WAVE")
	b.WriteString("fmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\xbb\x00\x00\x00\x77\x01\x00\x02\x00\x10\x00")
	b.WriteString("LIST\x2c\x00\x00\x00INFOICRD\x20\x00\x00\x002026-11-22T05:00:00.123456789Z\x00\x00")
	b.WriteString("data\x06\x00\x00\x00\x01\x00\xff\xff\x00\x80")
	binary.LittleEndian.PutUint32(b.Bytes()[4:], uint32(b.Len()-8))
	return b.Bytes()
}

func TestRecordingIsReadAndDamageRefused(t *testing.T) {
	cases := []struct {
		name, says string
		change     func(b []byte) []byte
	}{
		{"whole", "", func(b []byte) []byte { return b }},
		{"tail of a killed process", "", func(b []byte) []byte { return append(b, 1, 2, 3) }},
		{"empty", "not a WAV", func([]byte) []byte { return nil }},
		{"other file", "not a WAV", func(b []byte) []byte { return append([]byte("OggS"), b...) }},
		{"cut short", "the header says", func(b []byte) []byte { return b[:len(b)-2] }},
		{"chunk too long", "cut short", func(b []byte) []byte { b[len(b)-10] = 99; return b }},
		{"other rate", "48 kHz", func(b []byte) []byte { b[24]++; return b }},
		{"no date", "date", func(b []byte) []byte { b[48] = 'X'; return b }},
		{"no samples", "no samples", func(b []byte) []byte { b[len(b)-14] = 'X'; return b }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.wav")
			if err := os.WriteFile(path, c.change(wav()), 0o600); err != nil {
				t.Fatal(err)
			}
			first, pcm, err := ReadWAV(path)
			if c.says != "" {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Fatalf("error %v; want words with %q", err, c.says)
				}
				return
			}
			want := time.Date(2026, 11, 22, 5, 0, 0, 123456789, time.UTC)
			if err != nil || !first.Equal(want) || len(pcm) != 3 || pcm[0] != 1 || pcm[1] != -1 || pcm[2] != -32768 {
				t.Errorf("read %v, %v, %v", first, pcm, err)
			}
		})
	}
}

func TestAbsentRecordingIsAnError(t *testing.T) {
	if _, _, err := ReadWAV(filepath.Join(t.TempDir(), "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}
