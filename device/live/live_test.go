package live_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/live"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/player/decode"
	"github.com/loaxa/loaxa/device/player/playertest"
)

const rate = media.SampleRate

// air is a controller with one station, in virtual time: every packet holds one
// letter, which is the loudness of all its samples in hundreds.
type air struct {
	mu       sync.Mutex
	line     *io.PipeWriter
	refusal  error
	asked    []string
	signer   string
	first    int64
	decoders int
}

var errAway = errors.New("away")

func (a *air) Live(_ context.Context, path string) (io.ReadCloser, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked = append(a.asked, path)
	if a.refusal != nil {
		return nil, a.refusal
	}
	r, w := io.Pipe()
	a.line = w
	return r, nil
}

func (a *air) Session(_ context.Context, sealed []byte) (broadcast.Session, error) {
	if string(sealed) == "forged" {
		return broadcast.Session{}, errors.New("signed by a key that is not known here")
	}
	return broadcast.Decode[broadcast.Session](sealed)
}

// letters decode to themselves.
type letters struct{ air *air }

func (a *air) Packets() (decode.Packets, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.decoders++
	return letters{a}, nil
}

func (letters) Decode(packet []byte, pcm []int16) error {
	if packet[0] == '!' {
		return errors.New("not a packet")
	}
	for i := range decode.PacketSamples {
		pcm[i] = int16(packet[0]) * 100
	}
	return nil
}

func (l letters) Close() error {
	l.air.mu.Lock()
	defer l.air.mu.Unlock()
	l.air.decoders--
	return nil
}

// send writes one frame; a line that nobody reads any more takes nothing.
func (a *air) send(f wire.Frame, body []byte) {
	a.mu.Lock()
	line := a.line
	a.mu.Unlock()
	if line != nil {
		_, _ = line.Write(wire.AppendFrame(nil, f, body)) // it may be closed
	}
}

func (a *air) hang(err error) {
	synctest.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	_ = a.line.CloseWithError(err)
	a.line = nil
}

func (a *air) open(t *testing.T, s broadcast.Session) {
	t.Helper()
	synctest.Wait()
	raw, err := broadcast.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	a.send(wire.SessionFrame, raw)
}

// say sends a second of one letter that was on the air at an instant.
func (a *air) say(letter byte, at broadcast.Instant) {
	for i := range int64(10) {
		b := wire.Block{First: a.first, At: at + broadcast.Instant(100*i)}
		for range 5 {
			b.Packets = append(b.Packets, []byte{letter})
		}
		a.first += 5
		a.send(wire.BlockFrame, b.Sign(sealtest.Key(a.signer)))
	}
}

// onAir is a relay of a minute that is heard from a moment on.
type onAir struct {
	*air
	t      *testing.T
	start  broadcast.Instant
	stream player.Stream
}

func (o *onAir) session() broadcast.Session {
	return broadcast.Session{Key: sealtest.Public("session"), Station: "vov1", Signer: sealtest.Public(o.signer), At: o.start - 60000, Until: o.start + 120000}
}

func listening(t *testing.T, from time.Duration, f func(*onAir)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		a := &air{signer: "signer", first: 40}
		r := live.New(live.Config{Line: a, Session: a.Session, Codec: a, Each: &playertest.Decoder{}, Unreached: func(err error) bool { return errors.Is(err, errAway) }})
		o := &onAir{air: a, t: t, start: broadcast.InstantOf(time.Now().Add(live.Lead))}
		var err error
		if o.stream, err = r.Open(t.Context(), live.Path("vov1", sealtest.Public("session"), o.start, time.Minute), int64(from.Seconds()*rate)); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		f(o)
		if err := o.stream.Close(); err != nil {
			t.Error(err)
		}
		if a.decoders != 0 {
			t.Errorf("%d decoders are still open", a.decoders)
		}
	})
}

// hear reads so many seconds and writes each as the letter that it holds, a dot
// for silence and a ? for anything mixed.
func (o *onAir) hear(seconds int) (string, error) {
	var out strings.Builder
	pcm := make([]int16, rate)
	for range seconds {
		synctest.Wait()
		for at := 0; at < rate; at += rate / 50 {
			if _, err := o.stream.Read(o.t.Context(), pcm[at:at+rate/50]); err != nil {
				return out.String(), err
			}
		}
		letter := pcm[rate/2] / 100
		for _, v := range pcm[rate/50 : rate-rate/50] {
			if v != pcm[rate/2] {
				letter = '?'
			}
		}
		if letter == 0 {
			letter = '.'
		}
		out.WriteByte(byte(letter))
	}
	return out.String(), nil
}

// due is what is heard so many seconds into the relay.
func (o *onAir) due(seconds int64) broadcast.Instant {
	return o.start.Add(-live.Delay) + broadcast.Instant(seconds*1000)
}

func TestARelayIsHeardADelayAfterTheAir(t *testing.T) {
	listening(t, 0, func(o *onAir) {
		o.open(t, o.session())
		for i, letter := range "zABC" { // the first was on the air before
			o.say(byte(letter), o.due(int64(i)-1))
		}
		o.say('E', o.due(4))
		if got, err := o.hear(6); got != "ABC.E." || err != nil {
			t.Errorf("heard %q: %v", got, err)
		}
		if o.asked[0] != "live/vov1/"+string(sealtest.Public("session")) {
			t.Errorf("asked for %s", o.asked[0])
		}
	})
}

func TestWhoComesLateHearsWhatNeighboursHear(t *testing.T) {
	listening(t, 2*time.Second, func(o *onAir) {
		o.open(t, o.session())
		for i, letter := range "ABCD" {
			o.say(byte(letter), o.due(int64(i)))
		}
		if got, err := o.hear(2); got != "CD" || err != nil {
			t.Errorf("heard %q: %v", got, err)
		}
		if o.stream.Samples() != 58*rate {
			t.Errorf("%d samples", o.stream.Samples())
		}
	})
}

func TestSoundOfAnotherDayIsSilence(t *testing.T) {
	listening(t, 0, func(o *onAir) {
		o.open(t, o.session())
		o.say('Y', o.due(-86400))
		o.say('A', o.due(0))
		if got, _ := o.hear(2); got != "A." {
			t.Errorf("heard %q", got)
		}
	})
}

func TestAnAnswerThatBreaksOffGoesOnWithoutSayingAnythingTwice(t *testing.T) {
	listening(t, 0, func(o *onAir) {
		o.open(t, o.session())
		o.say('A', o.due(0))
		o.hang(io.ErrUnexpectedEOF)
		<-time.After(2 * time.Second)
		o.open(t, o.session())
		o.first -= 50
		o.say('X', o.due(1)) // these numbers were heard already
		o.say('B', o.due(1))
		if got, err := o.hear(3); got != "AB." || err != nil {
			t.Errorf("heard %q: %v", got, err)
		}
		if len(o.asked) != 2 {
			t.Errorf("asked %d times", len(o.asked))
		}
	})
}

func TestSoundThatNobodyVouchesForEndsTheRelayAtOnce(t *testing.T) {
	for name, attack := range map[string]func(*onAir){
		"another key":        func(o *onAir) { o.signer = "thief"; o.say('X', o.due(2)) },
		"a forged session":   func(o *onAir) { o.send(wire.SessionFrame, []byte("forged")) },
		"another station":    func(o *onAir) { s := o.session(); s.Station = "radio-x"; o.open(o.t, s) },
		"another live body":  func(o *onAir) { s := o.session(); s.Key = sealtest.Public("other"); o.open(o.t, s) },
		"an ended session":   func(o *onAir) { o.say('X', o.session().Until+1) },
		"no block at all":    func(o *onAir) { o.send(wire.BlockFrame, []byte("noise")) },
		"a changed loudness": func(o *onAir) { o.send(wire.BlockFrame, tampered(o)) },
	} {
		t.Run(name, func(t *testing.T) {
			listening(t, 0, func(o *onAir) {
				o.open(t, o.session())
				o.say('A', o.due(0))
				o.say('B', o.due(1))
				if got, err := o.hear(1); got != "A" || err != nil {
					t.Fatalf("heard %q: %v", got, err)
				}
				attack(o)
				if got, err := o.hear(1); got != "" || !errors.Is(err, live.ErrUnauthenticated) {
					t.Errorf("went on with %q: %v", got, err)
				}
			})
		})
	}
}

func tampered(o *onAir) []byte {
	raw := wire.Block{First: o.first, At: o.due(2), Packets: [][]byte{[]byte("C")}}.Sign(sealtest.Key(o.signer))
	return bytes.Replace(raw, []byte("C"), []byte("X"), 1)
}

func TestABlockBeforeItsSessionIsNotHeard(t *testing.T) {
	listening(t, 0, func(o *onAir) {
		o.say('A', o.due(0))
		if got, err := o.hear(1); got != "" || !errors.Is(err, live.ErrUnauthenticated) {
			t.Errorf("heard %q: %v", got, err)
		}
	})
}

func TestASilentLineEndsTheRelayWithItsReason(t *testing.T) {
	for name, c := range map[string]struct {
		refusal, want error
	}{
		"nobody answers":           {errAway, live.ErrLine},
		"the controller refuses":   {errors.New("404"), live.ErrStation},
		"nothing is on the air":    {nil, live.ErrStation},
		"a station that went away": {io.EOF, live.ErrStation},
	} {
		t.Run(name, func(t *testing.T) {
			listening(t, 0, func(o *onAir) {
				o.hang(nil)
				o.mu.Lock()
				o.refusal = c.refusal
				o.mu.Unlock()
				<-time.After(3 * time.Second)
				if got, err := o.hear(15); got != "............" || !errors.Is(err, c.want) {
					t.Errorf("heard %q: %v", got, err)
				}
			})
		})
	}
}

func TestAGapHasSoftEdges(t *testing.T) {
	listening(t, 0, func(o *onAir) {
		o.open(t, o.session())
		o.say('A', o.due(0))
		o.say('B', o.due(2))
		synctest.Wait()
		pcm := make([]int16, 3*rate)
		if _, err := o.stream.Read(t.Context(), pcm); err != nil {
			t.Fatal(err)
		}
		for i := 1; i < len(pcm); i++ {
			if step := int(pcm[i]) - int(pcm[i-1]); step > 50 || step < -50 {
				t.Fatalf("a step of %d at sample %d", step, i)
			}
		}
	})
}

func TestADecoderThatFailsCostsOneBlock(t *testing.T) {
	listening(t, 0, func(o *onAir) {
		o.open(t, o.session())
		o.say('A', o.due(0))
		o.say('!', o.due(1))
		o.say('C', o.due(2))
		if got, err := o.hear(3); got != "A.C" || err != nil {
			t.Errorf("heard %q: %v", got, err)
		}
	})
}

func TestWhatIsNotDueYetIsBounded(t *testing.T) {
	listening(t, 0, func(o *onAir) {
		o.open(t, o.session())
		sent := make(chan int, 1)
		go func() {
			n := 0
			for ; n < 50; n++ {
				o.say('A'+byte(n%26), o.due(int64(n)))
			}
			sent <- n
		}()
		synctest.Wait()
		select {
		case n := <-sent:
			t.Errorf("%d seconds were taken at once", n)
		default:
		}
		if got, err := o.hear(50); got[:26] != "ABCDEFGHIJKLMNOPQRSTUVWXYZ" || err != nil {
			t.Errorf("heard %q: %v", got, err)
		}
		<-sent
	})
}

func TestOnlyRelaysThatMakeSenseAreOpened(t *testing.T) {
	r := live.New(live.Config{Each: &playertest.Decoder{Samples: 5}})
	for name, path := range map[string]string{
		"no station": live.Path("", sealtest.Public("session"), 1, time.Minute),
		"no session": live.Path("vov1", "", 1, time.Minute),
		"no length":  live.Path("vov1", sealtest.Public("session"), 1, 0),
		"no order":   "live:x",
	} {
		if _, err := r.Open(t.Context(), path, 0); err == nil {
			t.Errorf("%s was opened", name)
		}
	}
	if _, err := r.Open(t.Context(), live.Path("vov1", sealtest.Public("session"), 1, time.Second), rate); err == nil {
		t.Error("opened at its end")
	}
	s, err := r.Open(t.Context(), "a recording", 0)
	if err != nil || s.Samples() != 5 {
		t.Errorf("a recording: %v", err)
	}
}
