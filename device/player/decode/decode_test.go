package decode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/device/player"
)

// itself starts this test binary as a child with the given work.
func itself(work string) Contained {
	return Contained{Command: []string{os.Args[0], work}, StallLimit: 300 * time.Millisecond}
}

var decoders = map[string]player.Decoder{
	"in process": InProcess{},
	"contained":  Contained{}, // this executable, argument "decode"
}

// sweepSamples is the length of testdata/sweep.opus: 3.0005 s.
const sweepSamples = 144024

// sweep is what testdata/sweep.opus was made from.
func sweep(from, n int64) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		t := float64(from+int64(i)) / rate
		pcm[i] = int16(math.Round(16384 * math.Sin(2*math.Pi*(300*t+225*t*t))))
	}
	return pcm
}

func readAll(t *testing.T, s player.Stream) []int16 {
	t.Helper()
	var all []int16
	block := make([]int16, 700)
	for {
		n, err := s.Read(t.Context(), block)
		all = append(all, block[:n]...)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatalf("after %d samples: %v", len(all), err)
		}
		if n == 0 {
			t.Fatal("a read gave neither samples nor an error")
		}
	}
}

func TestSamplesLieExactlyWhereTheyWereRecorded(t *testing.T) {
	for name, d := range decoders {
		for _, from := range []int64{0, 1, 960, 48000, 100123, sweepSamples - 4000} {
			t.Run(fmt.Sprintf("%s from %d", name, from), func(t *testing.T) {
				s, err := d.Open(t.Context(), "testdata/sweep.opus", from)
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				got := readAll(t, s)
				if want := sweepSamples - from; s.Samples() != want || int64(len(got)) != want {
					t.Fatalf("promised %d and gave %d samples; want %d", s.Samples(), len(got), want)
				}
				alike, lag := media.Correlate(sweep(from, sweepSamples-from), got)
				if alike < 0.98 || lag != 0 {
					t.Errorf("correlation %.4f at a lag of %d samples; want at least 0.98 at 0", alike, lag)
				}
			})
		}
	}
}

func TestBothDecodersGiveTheSameSamples(t *testing.T) {
	var all [2][]int16
	for i, d := range []player.Decoder{InProcess{}, Contained{}} {
		s, err := d.Open(t.Context(), "testdata/speech.opus", 12345)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		all[i] = readAll(t, s)
	}
	if len(all[0]) != len(all[1]) {
		t.Fatalf("%d and %d samples", len(all[0]), len(all[1]))
	}
	for i := range all[0] {
		if all[0][i] != all[1][i] {
			t.Fatalf("sample %d: %d and %d", i, all[0][i], all[1][i])
		}
	}
	if rms := media.RMS(all[0]); rms < -4000 {
		t.Errorf("speech at %v: that is silence", rms)
	}
}

func TestWhatCannotBeContentIsRefusedBeforeADecoderRuns(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big")
	if err := os.WriteFile(big, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(big, maxFileBytes+1); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name, path string
		from       int64
		want       error
	}{
		{"absent", filepath.Join(dir, "absent"), 0, ErrUnreadable},
		{"a folder", dir, 0, ErrUnreadable},
		{"too large", big, 0, ErrRefused},
		{"text", "testdata/README.md", 0, ErrRefused},
		{"stereo", "testdata/stereo.opus", 0, ErrRefused},
		{"begins behind the end", "testdata/sweep.opus", sweepSamples, ErrRefused},
	}
	for name, d := range decoders {
		for _, c := range cases {
			t.Run(name+" "+c.name, func(t *testing.T) {
				s, err := d.Open(t.Context(), c.path, c.from)
				if !errors.Is(err, c.want) {
					t.Fatalf("Open = %v, %v; want %v", s, err, c.want)
				}
				if strings.Count(err.Error(), ErrRefused.Error()) > 1 {
					t.Errorf("the reason repeats itself: %v", err)
				}
			})
		}
	}
}

func TestHostileContentEndsItsOwnAttemptOnly(t *testing.T) {
	cases := []struct {
		work string
		want error
		says string
	}{
		{"panic", ErrCrashed, "corrupt table"},
		{"bomb", ErrExhausted, ""},
		{"spin", ErrExhausted, ""},
		{"babble", ErrCrashed, "decoder command"},
		{"endless", ErrCrashed, "decoder command"},
		{"escape", ErrRefused, "held"},
	}
	for _, c := range cases {
		t.Run(c.work, func(t *testing.T) {
			s, err := itself(c.work).Open(t.Context(), "testdata/sweep.opus", 0)
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("Open = %v, %v; want %v with %q", s, err, c.want, c.says)
			}
		})
	}
}

func TestDecoderThatFallsSilentIsGivenUp(t *testing.T) {
	t.Run("before the first sample", func(t *testing.T) {
		c := itself("hang")
		c.OpenLimit = 200 * time.Millisecond
		if _, err := c.Open(t.Context(), "testdata/sweep.opus", 0); !errors.Is(err, ErrStalled) {
			t.Fatalf("Open = %v; want %v", err, ErrStalled)
		}
	})
	cases := []struct {
		work  string
		given int
		limit time.Duration
		want  error
	}{
		{"mute", 2 * rate, 200 * time.Millisecond, ErrStalled},
		{"short", 3 * rate, 10 * time.Second, ErrCrashed},
	}
	for _, c := range cases {
		t.Run(c.work, func(t *testing.T) {
			d := itself(c.work)
			d.StallLimit = c.limit
			s, err := d.Open(t.Context(), "testdata/sweep.opus", 0)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			got, block := 0, make([]int16, 960)
			for err == nil {
				var n int
				n, err = s.Read(t.Context(), block)
				got += n
			}
			if got != c.given || !errors.Is(err, c.want) {
				t.Fatalf("%d samples, then %v; want %d, then %v", got, err, c.given, c.want)
			}
		})
	}
}

func TestCancelledReadReturnsTheCauseAtOnce(t *testing.T) {
	c := itself("mute")
	c.StallLimit = time.Hour
	s, err := c.Open(t.Context(), "testdata/sweep.opus", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	block := make([]int16, 2*rate)
	for got := 0; got < 2*rate; {
		n, err := s.Read(t.Context(), block)
		if err != nil {
			t.Fatal(err)
		}
		got += n
	}
	withdrawn := errors.New("withdrawn")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(withdrawn) })
	if _, err := s.Read(ctx, block); !errors.Is(err, withdrawn) {
		t.Fatalf("Read = %v; want %v", err, withdrawn)
	}
}

func TestCancelledOpenReturnsTheCause(t *testing.T) {
	withdrawn := errors.New("withdrawn")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(withdrawn) })
	if _, err := itself("hang").Open(ctx, "testdata/sweep.opus", 0); !errors.Is(err, withdrawn) {
		t.Fatalf("Open = %v; want %v", err, withdrawn)
	}
}

func TestCloseLeavesNoProcess(t *testing.T) {
	s, err := itself("mute").Open(t.Context(), "testdata/sweep.opus", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if state := s.(*childStream).cmd.ProcessState; state == nil || state.Success() {
		t.Fatalf("the child's state is %v; want one that was killed and reaped", state)
	}
	if err := s.Close(); err != nil {
		t.Fatalf("second Close = %v", err)
	}
}

func TestUnknownDecoderProgramIsAnError(t *testing.T) {
	c := Contained{Command: []string{filepath.Join(t.TempDir(), "absent")}}
	if _, err := c.Open(t.Context(), "testdata/sweep.opus", 0); !errors.Is(err, ErrUnreadable) {
		t.Fatalf("Open = %v; want %v", err, ErrUnreadable)
	}
}

func TestChildRefusesArgumentsItDoesNotKnow(t *testing.T) {
	for _, args := range [][]string{{"-1"}, {"x"}, {"1", "2"}, {"99999999999"}} {
		if from, err := firstSample(args); err == nil {
			t.Errorf("firstSample(%q) = %d; want an error", args, from)
		}
	}
}

// longer is the content so many times over, one stream.
func longer(o ogg, times int) ogg {
	audio, end := o[2:], sampleCount(o)
	long := o[:2:2]
	for n := range times {
		for _, g := range audio {
			g.sequence = uint32(len(long))
			if g.flags&pageLast != 0 {
				g.granule = end
			}
			g.granule += int64(n) * end
			if n < times-1 {
				g.flags &^= pageLast
			}
			long = append(long, g)
		}
	}
	return long
}

// BenchmarkDecoder reports what a decoding process costs: its memory while it
// waits for the player, and processor seconds for each hour of sound.
func BenchmarkDecoder(b *testing.B) {
	for _, name := range []string{"speech.opus", "sweep.opus"} {
		b.Run(name, func(b *testing.B) {
			path := filepath.Join(b.TempDir(), name)
			if err := os.WriteFile(path, longer(readOgg(b, name), 100).bytes(), 0o600); err != nil {
				b.Fatal(err)
			}
			var used, heard time.Duration
			memory := 0
			for range b.N {
				s, err := Contained{}.Open(b.Context(), path, 0)
				if err != nil {
					b.Fatal(err)
				}
				child := s.(*childStream)
				memory = max(memory, resident(b, child.cmd.Process.Pid))
				block := make([]int16, 960)
				for err == nil {
					_, err = s.Read(b.Context(), block)
				}
				<-child.ended
				used += child.cmd.ProcessState.UserTime() + child.cmd.ProcessState.SystemTime()
				heard += length(s.Samples())
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(used.Seconds()/heard.Hours(), "cpu-s/audio-hour")
			b.ReportMetric(float64(memory)/1024, "MB-resident")
		})
	}
}

// resident is the greatest memory of a process so far, in KiB.
func resident(b *testing.B, pid int) (kib int) {
	b.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	fmt.Sscan(after, &kib)
	return kib
}
