package node_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/speech"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// booth is a microphone whose speeches end when the node says so.
type booth struct {
	*nodetest.Player
	mu    sync.Mutex
	over  map[string]chan struct{}
	spoke map[string]bool
	tidy  func(string) bool
}

// withMicrophone gives the boxes of a rig one.
func withMicrophone(r *nodetest.Rig) *booth {
	b := &booth{Player: r.Player, over: map[string]chan struct{}{}, spoke: map[string]bool{}}
	r.Change = func(c *node.Config) { c.Microphone, c.Player = b, b }
	return b
}

func (b *booth) channel(name string) chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over[name] == nil {
		b.over[name] = make(chan struct{})
	}
	return b.over[name]
}

func (b *booth) End(name string) { close(b.channel(name)) }

func (b *booth) Kept(name string) (broadcast.Content, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.spoke[name] {
		return broadcast.Content{}, os.ErrNotExist
	}
	return broadcast.Content{SHA256: broadcast.Sum([]byte(name)), Millis: 1000, Bytes: 32044}, nil
}

func (b *booth) Tidy(keep func(string) bool, _ bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tidy = keep
	return nil
}

func (b *booth) Prepare(ctx context.Context, s player.Sounding) (node.Performance, error) {
	p, err := b.Player.Prepare(ctx, s)
	name, is := strings.CutPrefix(s.Content.Path, `speech:{"name":"`)
	if err != nil || !is {
		return p, err
	}
	return &speaker{p, b, name[:26]}, nil
}

type speaker struct {
	node.Performance
	booth *booth
	name  string
}

func (s *speaker) Play(ctx context.Context, events player.Events) (player.Evidence, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.booth.mu.Lock()
	s.booth.spoke[s.name] = true
	s.booth.mu.Unlock()
	go func() {
		select {
		case <-s.booth.channel(s.name):
			cancel(player.ErrSpoken)
		case <-ctx.Done():
		}
	}()
	e, err := s.Performance.Play(ctx, events)
	if errors.Is(err, player.ErrSpoken) {
		e.Expected, err = e.Samples, nil
	}
	return e, err
}

// talker publishes a template with which Lan may speak.
func talker(t *testing.T, r *nodetest.Rig, change func(*broadcast.Template)) officer {
	t.Helper()
	lan, minh := officers(t)
	keyed(r, func(m *broadcast.Template) {
		m.Class = broadcast.Priority
		m.Versions = []broadcast.Version{{Language: "vi", Live: &broadcast.Live{Source: broadcast.Box, Millis: 60000}}}
		m.Local = &broadcast.OnSite{Keys: []broadcast.Switch{"talk"}, Codes: []broadcast.Code{lan.Code, minh.Code}, Hourly: 10,
			Speech: &broadcast.Speech{KeepDays: 30}}
		if change != nil {
			change(m)
		}
	})
	return lan
}

// speech world is world with a microphone.
func speechWorld(t *testing.T, test func(t *testing.T, r *nodetest.Rig, b *booth)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := nodetest.NewRig(t)
		b := withMicrophone(r)
		r.Boot()
		defer func() { r.Stop() }()
		r.Settle()
		pass(2 * time.Second)
		test(t, r, b)
		if err := r.Centre.Err(); err != nil {
			t.Errorf("the node said what no controller accepts: %v", err)
		}
	})
}

// last is what the node told last of a firing.
func last(t *testing.T, r *nodetest.Rig) (told broadcast.Receipt, of broadcast.Receipt) {
	t.Helper()
	list := firings(r)
	if len(list) == 0 {
		t.Fatal("nothing was told")
	}
	of = list[len(list)-1]
	for _, one := range r.Centre.Receipts(nodetest.NodeID) {
		if one.Announcement == of.Announcement && one.Evidence != nil {
			told = one
		}
	}
	return told, of
}

func TestWhoHasTheKeyAndAPINSpeaksUntilTheKeyIsBack(t *testing.T) {
	speechWorld(t, func(t *testing.T, r *nodetest.Rig, b *booth) {
		lan := talker(t, r, nil)
		cutOff(r)
		r.Node.OnTalk("talk", true)
		dial(r, lan.Number, lan.digits)
		pass(20 * time.Second)
		sounded(t, r, 1)
		r.Node.OnTalk("talk", false)
		pass(10 * time.Second)
		r.Fetcher.Refuse(nil)
		r.Wire.Up()
		pass(time.Minute)
		proof, of := last(t, r)
		if of.Firing.Person != "lan" || of.Firing.Key != "talk" || proof.Rung != broadcast.Sounded || proof.Evidence.Recording == nil ||
			proof.Evidence.Samples < 15*48000 || proof.Evidence.Samples > 21*48000 {
			t.Errorf("told %+v, proved %+v", of.Firing, proof.Evidence)
		}
		rungs(t, r, of.Announcement, "received", "verified", "cached", "powered", "playing", "sounded", "ended")
		if b.tidy != nil && !b.tidy(string(of.Announcement)) {
			t.Error("its recording is not kept")
		}
	})
}

func TestNobodySpeaksWithoutKeyAndPINAndLeave(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*broadcast.Template)
		does   func(r *nodetest.Rig, lan officer)
	}{
		"a key without a PIN": {nil, func(r *nodetest.Rig, _ officer) { r.Node.OnTalk("talk", true); r.Node.OnKey("talk") }},
		"a PIN without a key": {nil, func(r *nodetest.Rig, lan officer) { dial(r, lan.Number, lan.digits) }},
		"another key":         {nil, func(r *nodetest.Rig, lan officer) { r.Node.OnTalk("other", true); dial(r, lan.Number, lan.digits) }},
		"a key that is back": {nil, func(r *nodetest.Rig, lan officer) {
			r.Node.OnTalk("talk", true)
			r.Node.OnTalk("talk", false)
			dial(r, lan.Number, lan.digits)
		}},
		"the PIN and then the key": {nil, func(r *nodetest.Rig, lan officer) { dial(r, lan.Number, lan.digits); r.Node.OnTalk("talk", true) }},
		"a wrong PIN":              {nil, func(r *nodetest.Rig, lan officer) { r.Node.OnTalk("talk", true); dial(r, lan.Number, "00000000") }},
		"outside the hours": {func(m *broadcast.Template) { m.Local.Speech.Hours = []broadcast.Span{{From: 12 * 60, To: 13 * 60}} },
			func(r *nodetest.Rig, lan officer) { r.Node.OnTalk("talk", true); dial(r, lan.Number, lan.digits) }},
		"a box without a microphone": {nil, func(r *nodetest.Rig, lan officer) {
			r.Stop()
			r.Change = nil
			r.Boot()
			pass(time.Minute)
			r.Node.OnTalk("talk", true)
			dial(r, lan.Number, lan.digits)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			speechWorld(t, func(t *testing.T, r *nodetest.Rig, _ *booth) {
				lan := talker(t, r, c.change)
				c.does(r, lan)
				pass(time.Hour)
				if n := len(r.Player.Edges()); n != 0 || len(firings(r)) != 0 {
					t.Errorf("the relay moved %d times, %d firings were told", n, len(firings(r)))
				}
			})
		})
	}
}

func TestASpeechIsEndedByWhateverEndsASoundAndNeverBeginsAgain(t *testing.T) {
	for name, c := range map[string]struct {
		does func(r *nodetest.Rig)
		want string
	}{
		"the button": {func(r *nodetest.Rig) { r.Node.OnStop() }, "interrupted button"},
		"an emergency": {func(r *nodetest.Rig) {
			r.Announce(r.Announcement("flood", broadcast.Emergency, 3*time.Second, 4*time.Second))
		}, "interrupted pre-empted"},
		"the microphone fails": {func(r *nodetest.Rig) {}, "failed microphone"},
	} {
		t.Run(name, func(t *testing.T) {
			speechWorld(t, func(t *testing.T, r *nodetest.Rig, _ *booth) {
				lan := talker(t, r, nil)
				if c.want == "failed microphone" {
					r.Player.FailPlay(func(player.Sounding) error { return errors.Join(player.ErrContent, speech.ErrMicrophone) })
				}
				r.Node.OnTalk("talk", true)
				dial(r, lan.Number, lan.digits)
				pass(20 * time.Second)
				c.does(r)
				pass(10 * time.Minute) // the key is still turned
				_, of := last(t, r)
				list := r.Centre.Rungs(nodetest.NodeID, of.Announcement)
				if got := list[len(list)-1]; got != c.want {
					t.Errorf("it ended %q, want %q: %q", got, c.want, list)
				}
				if n := len(spoken(r)); n != 1 {
					t.Errorf("the microphone was open %d times", n)
				}
			})
		})
	}
}

// A power cut in mid-word leaves the recording; nobody speaks after it, not even
// in an emergency and with the key still turned.
func TestAfterAPowerCutTheMicrophoneStaysClosedAndTheRecordingIsTold(t *testing.T) {
	for _, c := range []struct {
		class broadcast.Class
		after time.Duration
		end   string
	}{{broadcast.Priority, 20 * time.Second, "interrupted crash"}, {broadcast.Emergency, 20 * time.Second, "interrupted crash"},
		{broadcast.Emergency, 300 * time.Millisecond, "failed microphone"}} {
		speechWorld(t, func(t *testing.T, r *nodetest.Rig, _ *booth) {
			lan := talker(t, r, func(m *broadcast.Template) { m.Class = c.class })
			r.Node.OnTalk("talk", true)
			r.Node.OnCode("pad", string(lan.Number), lan.digits)
			pass(c.after)
			before := len(r.Player.Sounded())
			r.Crash(storetest.KeepSynced)
			r.Ticks = nodetest.NewTicks()
			r.Boot()
			r.Node.OnTalk("talk", true)
			pass(2 * time.Hour)
			if n := len(r.Player.Sounded()); n != before {
				t.Errorf("%s: %d soundings after the cut", c.class, n-before)
			}
			proof, of := last(t, r)
			list := r.Centre.Rungs(nodetest.NodeID, of.Announcement)
			if got := list[len(list)-1]; got != c.end || before > 0 && (proof.Rung != broadcast.Interrupted || proof.Evidence.Recording == nil) {
				t.Errorf("%s: told %q, proved %+v", c.class, list, proof.Evidence)
			}
		})
	}
}
