package node_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/link"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/speech"
)

// tapes are recordings and the centre that is to have them.
type tapes struct {
	mu   sync.Mutex
	held map[string][]byte // nil: gone
	came []string          // names of what was brought, as digests
	at   []time.Time
	try  int
	// send decides instead of the centre; nil takes everything.
	send func(ctx context.Context, p link.Parcel) error
}

// withTapes gives the boxes of a rig some recordings.
func withTapes(r *nodetest.Rig, change func(*node.Config), names ...string) *tapes {
	k := &tapes{held: map[string][]byte{}}
	for _, name := range names {
		k.held[name] = []byte("spoken as " + name)
	}
	before := r.Change
	r.Change = func(c *node.Config) {
		if before != nil {
			before(c)
		}
		if c.Tapes, c.Sender = k, k; change != nil {
			change(c)
		}
	}
	return k
}

func (k *tapes) Waiting() ([]string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var out []string
	for name := range k.held {
		out = append(out, name)
	}
	slices.Sort(out)
	return out, nil
}

func (k *tapes) Take(name string) (speech.Recording, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	raw, found := k.held[name]
	switch {
	case !found:
		return speech.Recording{}, os.ErrNotExist
	case raw == nil:
		return speech.Recording{Content: broadcast.Content{SHA256: broadcast.Sum([]byte("spoken as " + name))}}, nil
	}
	return speech.Recording{Content: broadcast.Content{SHA256: broadcast.Sum(raw), Bytes: int64(len(raw))}, File: file{bytes.NewReader(raw)}}, nil
}

type file struct{ *bytes.Reader }

func (file) Close() error { return nil }

func (k *tapes) Sent(name string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.held, name)
	return nil
}

func (k *tapes) Send(ctx context.Context, p link.Parcel) error {
	k.mu.Lock()
	send := k.send
	k.try++
	k.mu.Unlock()
	if send != nil {
		if err := send(ctx, p); err != nil {
			return err
		}
	}
	text := fmt.Sprintf("%x", p.Sum)
	if p.Open == nil {
		text += " gone"
	} else {
		f, err := p.Open()
		if err != nil {
			return err
		}
		raw, err := io.ReadAll(f)
		if err = errors.Join(err, p.Spend(int64(len(raw)))); err != nil {
			return err
		}
		if text = string(raw); broadcast.Sum(raw) != broadcast.Digest(fmt.Sprintf("%x", p.Sum)) || p.Size != int64(len(raw)) {
			text = "other bytes"
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.came, k.at = append(k.came, text), append(k.at, time.Now())
	return nil
}

// centre is what came there, and how often something was tried.
func (k *tapes) centre() (came []string, tries int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return slices.Clone(k.came), k.try
}

func (k *tapes) decide(send func(context.Context, link.Parcel) error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.send = send
}

func TestWhatWasSpokenComesToTheCentreAfterItsReceipt(t *testing.T) {
	speechWorld(t, func(t *testing.T, r *nodetest.Rig, _ *booth) {
		r.Stop()
		k := withTapes(r, nil)
		r.Boot()
		pass(time.Minute)
		lan := talker(t, r, nil)
		cutOff(r)
		r.Node.OnTalk("talk", true)
		dial(r, lan.Number, lan.digits)
		pass(20 * time.Second)
		r.Node.OnTalk("talk", false)
		pass(10 * time.Second)
		k.mu.Lock()
		k.held["a-speech"] = []byte("spoken as a-speech")
		k.mu.Unlock()
		if _, tries := k.centre(); tries != 0 {
			t.Errorf("without a line it was tried %d times", tries)
		}
		k.decide(func(context.Context, link.Parcel) error {
			if proof, _ := last(t, r); proof.Evidence == nil || proof.Evidence.Recording == nil {
				t.Error("it was sent before the receipt that names it")
			}
			return nil
		})
		r.Fetcher.Refuse(nil)
		r.Wire.Up()
		pass(time.Minute)
		if came, _ := k.centre(); !slices.Equal(came, []string{"spoken as a-speech"}) {
			t.Errorf("%q", came)
		}
		_, before := k.centre()
		pass(24 * time.Hour)
		if _, tries := k.centre(); tries != before {
			t.Errorf("it was sent %d times more", tries-before)
		}
	})
}

func TestWhatIsGoneIsToldAndOneFailureKeepsNoOther(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Stop()
		k := withTapes(r, nil, "a1", "a2", "a3")
		k.held["a2"] = nil
		k.decide(func(_ context.Context, p link.Parcel) error {
			if p.Sum == sha256.Sum256([]byte("spoken as a1")) {
				return link.ErrNotFound
			}
			return nil
		})
		r.Boot()
		pass(time.Minute)
		if came, _ := k.centre(); !slices.Equal(came, []string{string(broadcast.Sum([]byte("spoken as a2"))) + " gone", "spoken as a3"}) {
			t.Errorf("%q", came)
		}
		pass(24 * time.Hour)
		if _, tries := k.centre(); tries > 60 || tries < 20 {
			t.Errorf("a1 was tried %d times in a day", tries)
		}
		k.decide(nil)
		pass(time.Hour)
		if came, _ := k.centre(); !slices.Contains(came, "spoken as a1") {
			t.Errorf("%q", came)
		}
	})
}

func TestSendingIsBrokenOffByADownloadAndComesBack(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Stop()
		k := withTapes(r, nil, "a1")
		broken := 0
		k.decide(func(ctx context.Context, _ link.Parcel) error {
			select {
			case <-ctx.Done():
				broken++
				return context.Cause(ctx)
			case <-time.After(10 * time.Minute):
				return nil
			}
		})
		r.Boot()
		pass(time.Minute)
		a := r.Announcement("flood", broadcast.Emergency, 20*time.Second, 3*time.Second)
		r.Announce(a)
		pass(time.Minute)
		if sounded := len(r.Player.Sounded()); broken == 0 || sounded != 1 {
			t.Errorf("broken off %d times, %d soundings", broken, sounded)
		}
		pass(15 * time.Minute)
		if came, _ := k.centre(); len(came) != 1 {
			t.Errorf("afterwards: %q", came)
		}
	})
}

// TestWhereDataIsShortWhatWasSpokenWaitsForTheNight has so little allowed in a day
// that half of it is one recording; of ten times as much one goes at once.
func TestWhereDataIsShortWhatWasSpokenWaitsForTheNight(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Stop()
		k := withTapes(r, func(c *node.Config) { c.Daily = 2*int64(len("spoken as a1")) + 2 }, "a1", "a2")
		r.Boot()
		for range 3 * 24 * 6 {
			pass(10 * time.Minute)
		}
		came, _ := k.centre()
		if !slices.Equal(came, []string{"spoken as a1", "spoken as a2"}) {
			t.Fatalf("in three days: %q", came)
		}
		for _, at := range k.at {
			if here := at.UTC().Add(7 * time.Hour); here.Hour() > 4 {
				t.Errorf("sent at %s", here)
			}
		}
		if first, final := k.at[0], k.at[len(k.at)-1]; final.Sub(first) < 12*time.Hour {
			t.Errorf("both in one night: %s, %s", first, final)
		}
	})
}

func TestWhereDataIsNotShortWhatWasSpokenGoesAtOnce(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Stop()
		k := withTapes(r, func(c *node.Config) { c.Daily = 300 << 20 }, "a1")
		r.Boot()
		pass(time.Minute)
		if came, _ := k.centre(); len(came) != 1 {
			t.Errorf("%q", came)
		}
	})
}
