package decode

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/player/playertest"
	"github.com/loaxa/loaxa/device/player/sink"
)

// mostGrowth is what a daemon's own memory may grow by, whatever its decoders
// do: a few pipes' worth of samples and a reason.
const mostGrowth = 16 << 10 // KiB

// poisonous decodes in a child that does hostile work, or decent work if none
// is named.
type poisonous struct{ work string }

func (p *poisonous) Open(ctx context.Context, path string, from int64) (player.Stream, error) {
	c := Contained{OpenLimit: time.Second, StallLimit: 300 * time.Millisecond}
	if p.work != "" {
		c.Command = []string{os.Args[0], p.work}
	}
	return c.Open(ctx, path, from)
}

// TestAPoisonousRecordingEndsItsOwnSoundingOnly plays recordings that take over
// a real child, and a decent one after each. What died is the sounding: the
// relay is let go, the daemon's memory stays as it was, and the next is heard.
func TestAPoisonousRecordingEndsItsOwnSoundingOnly(t *testing.T) {
	decoder, power := &poisonous{}, &playertest.Amplifier{}
	card, err := sink.Open("null", sink.Config{Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	p := player.New(player.Config{Amplifier: power, Decoder: decoder, Sinks: card, WarmUp: time.Millisecond})
	play := func(offset time.Duration) (player.Evidence, error) {
		s := player.Sounding{Name: "tin", Start: time.Now().Add(50 * time.Millisecond), Offset: offset,
			Whole: true, Late: time.Minute, Content: player.Content{Path: "testdata/sweep.opus"}}
		return p.Play(t.Context(), s, &playertest.Journal{})
	}
	if _, err := play(2800 * time.Millisecond); err != nil {
		t.Fatal(err) // the first takes what every later one uses again
	}
	before := peak(t)
	for _, c := range []struct {
		work string
		want error
		mid  bool // in mid-word
	}{
		{"panic", ErrCrashed, false}, {"bomb", ErrExhausted, false}, {"hang", ErrStalled, false},
		{"mute", ErrStalled, true}, {"burst", ErrExhausted, true},
	} {
		t.Run(c.work, func(t *testing.T) {
			decoder.work = c.work
			e, err := play(0)
			if !errors.Is(err, player.ErrContent) || !errors.Is(err, c.want) {
				t.Errorf("the sounding ended with %v, want %v and %v", err, player.ErrContent, c.want)
			}
			if (e.Samples > 0) != c.mid {
				t.Errorf("%d samples were heard", e.Samples)
			}
			if on, off := len(power.Of("on")), len(power.Of("rest")); on != off {
				t.Errorf("the relay was closed %d times and let go %d times", on, off)
			}
			decoder.work = ""
			if e, err := play(2800 * time.Millisecond); err != nil || e.Samples == 0 {
				t.Errorf("the next: %d samples, %v", e.Samples, err)
			}
		})
	}
	grown := peak(t) - before
	t.Logf("the daemon's own memory grew by %d KiB at most", grown)
	if grown > mostGrowth {
		t.Errorf("the daemon grew by %d KiB", grown)
	}
}

// peak is the greatest memory of this process so far, in KiB.
func peak(t *testing.T) (kib int) {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscan(after, &kib); err != nil {
		t.Fatal(err)
	}
	return kib
}

func TestTheKernelTakesADecoderBeforeTheDaemon(t *testing.T) {
	s, err := itself("mute").Open(t.Context(), "testdata/sweep.opus", 0)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", s.(*childStream).cmd.Process.Pid))
	if err != nil || strings.TrimSpace(string(raw)) != "1000" {
		t.Errorf("the decoder's place in the queue is %q, %v; want the first", raw, err)
	}
}

// TestACardThatDoesNotAnswerIsNoVerdictOnARecording: the reason of a child that
// could not read is told from that of one that could not decode.
func TestACardThatDoesNotAnswerIsNoVerdictOnARecording(t *testing.T) {
	for _, c := range []struct {
		work string
		open bool // it is found out when the recording is opened
	}{{"unread", true}, {"unread later", false}} {
		decoder := &poisonous{work: c.work}
		stream, err := decoder.Open(t.Context(), "testdata/sweep.opus", 0)
		if c.open != (err != nil) {
			t.Fatalf("%s: open: %v", c.work, err)
		}
		if stream != nil {
			for pcm := make([]int16, rate/10); err == nil; {
				_, err = stream.Read(t.Context(), pcm)
			}
			if cerr := stream.Close(); cerr != nil {
				t.Error(cerr)
			}
		}
		if !errors.Is(err, ErrUnreadable) || !errors.Is(err, syscall.EIO) {
			t.Errorf("%s: ended with %v, want %v and %v", c.work, err, ErrUnreadable, syscall.EIO)
		}
	}
}
