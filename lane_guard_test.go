package loaxa

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// lawfulOff is how soon the relay is open whatever died.
	lawfulOff = 10 * time.Second
	// boxes run side by side in one round.
	boxes = 8
	// hangs is the daemon's watchdog here; its unit allows a minute.
	hangs = 6 * time.Second
	// firstNotes and secondNotes are the lengths of the two emergencies in half
	// seconds; the first is withdrawn in mid-word, and the second takes its place.
	firstNotes, secondNotes = 24, 8
	secondAfter             = 5 * time.Second
	// lastSecond is how long after its start the second has surely been heard.
	lastSecond = 7 * time.Second
)

// death is a way in which a program dies or stops being of use.
type death struct {
	who, name string
	strike    func(b *box) error
}

func signalled(who, name string, signal syscall.Signal) death {
	return death{who, name, func(b *box) error {
		pid, _, _ := map[string]*service{"daemon": b.daemon, "guard": b.guard}[who].at()
		return syscall.Kill(pid, signal)
	}}
}

// cardFull is no death: what is on board is heard to its end, and no longer.
const cardFull = "card full"

// deaths of a board. The kernel that is out of memory kills as kill -9 does; a
// program that panics ends as one that aborts, without a last word.
var deaths = []death{
	signalled("daemon", "kill -9", syscall.SIGKILL),
	signalled("daemon", "stopped", syscall.SIGSTOP),
	signalled("daemon", "terminated", syscall.SIGTERM),
	signalled("daemon", "abort", syscall.SIGABRT),
	{"daemon", cardFull, func(b *box) error {
		pid, _, _ := b.daemon.at()
		return unix.Prlimit(pid, unix.RLIMIT_FSIZE, &unix.Rlimit{}, nil)
	}},
	signalled("guard", "kill -9", syscall.SIGKILL),
	signalled("guard", "stopped", syscall.SIGSTOP),
	signalled("guard", "terminated", syscall.SIGTERM),
	signalled("guard", "abort", syscall.SIGABRT),
	{"decoder", "kill -9", func(b *box) error { return b.decoders(syscall.SIGKILL) }},
	{"decoder", "stopped", func(b *box) error { return b.decoders(syscall.SIGSTOP) }},
	{"decoder", "abort", func(b *box) error { return b.decoders(syscall.SIGABRT) }},
}

// state is what the player does when death comes, by what is seen from outside:
// the relay, and the starts that were signed.
type state struct {
	name string
	// after says since when it is there, 0 for not yet; width is how long it lasts.
	after func(b *box, s *signed) time.Time
	width time.Duration
	// decodes says that a decoder lives then.
	decodes bool
}

// signed are the two emergencies of a round, as they come.
type signed struct {
	mu            sync.Mutex
	first, second published
}

// both are zero as long as nobody has signed them.
func (s *signed) both() (first, second published) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.first, s.second
}

func (s *signed) sign(first, second published) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.first, s.second = first, second
}

// near is a moment before or after the start of one of them.
func near(p published, d time.Duration) time.Time {
	if p.ID == "" {
		return time.Time{}
	}
	return p.Start.Add(d)
}

var states = []state{
	{"idle", func(b *box, _ *signed) time.Time { return b.made }, 200 * time.Millisecond, false},
	{"warm-up", func(b *box, _ *signed) time.Time { return b.firstClosing() }, 1200 * time.Millisecond, true},
	{"sounding", func(_ *box, s *signed) time.Time { first, _ := s.both(); return near(first, 500*time.Millisecond) }, 3 * time.Second, true},
	{"giving way", func(_ *box, s *signed) time.Time { _, second := s.both(); return near(second, 0) }, 1500 * time.Millisecond, true},
	{"hold", func(b *box, s *signed) time.Time { _, second := s.both(); return b.ended(second.ID) }, 1800 * time.Millisecond, false},
}

// fate is what becomes of one box in a round.
type fate struct {
	death
	state
}

func (f fate) String() string {
	return fmt.Sprintf("%-8s %-10s %-11s", f.who, f.death.name, f.state.name)
}

// fates are all that make sense: where no decoder lives none can die.
func fates() []fate {
	var all []fate
	for _, d := range deaths {
		for _, s := range states {
			if d.who != "decoder" || s.decodes {
				all = append(all, fate{d, s})
			}
		}
	}
	return all
}

func TestTheRelayIsOpenInTimeWhoeverDies(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("LOAXA_SEED"); text != "" {
		seed = number(t, "LOAXA_SEED", text)
	}
	t.Logf("seed %d: repeat with LOAXA_SEED=%d", seed, seed)
	dice := rand.New(rand.NewPCG(seed, 5))
	all := fates()
	dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	if os.Getenv("LOAXA_SOAK") == "" {
		all = sample(all)
	}
	took := map[string]spread{}
	for round := range slices.Chunk(all, boxes) {
		for fate, d := range play(t, dice, round) {
			took[fate] = append(took[fate], d)
			who, _, _ := strings.Cut(fate, " ")
			took[who+" (all)"] = append(took[who+" (all)"], d)
		}
	}
	for _, fate := range sorted(took) {
		t.Logf("%-32s relay open after p50 %6d ms, max %6d ms (%d)", fate,
			took[fate].at(0.5).Milliseconds(), took[fate].most().Milliseconds(), len(took[fate]))
	}
}

// sample is one round that has every one of the programs die. A decoder that
// hangs is left to the long form: it may take ten seconds to be given up, twice.
func sample(all []fate) []fate {
	left := map[string]int{"daemon": 4, "guard": 2, "decoder": 2}
	return slices.DeleteFunc(all, func(f fate) bool {
		if f.who == "decoder" && f.death.name == "stopped" {
			return true
		}
		left[f.who]--
		return left[f.who] < 0
	})
}

func sorted(took map[string]spread) []string {
	var names []string
	for name := range took {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// play runs one controller with as many boxes as there are fates, and two
// emergencies. It returns how long each relay stayed closed after its fate.
func play(t *testing.T, dice *rand.Rand, fates []fate) map[string]time.Duration {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	defer serving.Wait()
	defer cancel()
	w := &world{TB: t, binaries: built(t), dir: t.TempDir(), http: "127.0.0.1:0", mqtt: "127.0.0.1:0", nodes: len(fates)}
	w.startController()
	defer w.ctl.kill()
	w.token = w.tokenOf("officer")
	var all []*box
	for i, f := range fates {
		b := newBox(w, fmt.Sprintf("tan-lap-%d", i+1), f, time.Duration(dice.Int64N(int64(f.width))))
		all = append(all, b)
		serving.Go(func() { b.guard.serve(ctx) })
		serving.Go(func() { b.daemon.serve(ctx) })
	}
	w.awaitNodes()
	w.until("every program is ready", func() bool {
		return !slices.ContainsFunc(all, func(b *box) bool { return !b.ready() })
	})
	first, second := w.tune(firstNotes), w.tune(secondNotes)
	for _, b := range all {
		if b.fate.state.name == "idle" {
			b.meet(&signed{})
		}
	}
	s := &signed{}
	one := w.publish("emergency", first, time.Time{})
	s.sign(one, published{})
	var meeting sync.WaitGroup
	for _, b := range all {
		meeting.Go(func() { b.meet(s) })
	}
	<-time.After(time.Until(one.Start.Add(secondAfter - 3*time.Second)))
	two := w.publish("emergency", second, time.Time{})
	s.sign(one, two)
	<-time.After(time.Until(two.Start))
	if err := w.post("/api/v1/announcements/"+one.ID+"/withdraw", "", map[string]string{"reason": "the water falls"}, &struct{}{}); err != nil {
		w.Errorf("withdraw: %v", err)
	}
	meeting.Wait()
	return w.judged(all, s)
}

// tune uploads music of so many half seconds.
func (w *world) tune(notes int) string {
	w.Helper()
	content, err := w.upload(musicMP3(w, notes), "")
	if err != nil {
		w.Fatal(err)
	}
	return content
}

// judged waits until every relay has opened after its fate, and what had to be
// heard again was.
func (w *world) judged(all []*box, s *signed) map[string]time.Duration {
	w.Helper()
	took := map[string]time.Duration{}
	for _, b := range all {
		d, ok := b.off(s)
		w.Logf("%s of %s: relay open after %v; struck at %s, edges %s", b.fate, b.name, d.Round(time.Millisecond),
			b.struck.UTC().Format("15:04:05.000"), times(lines[relayEdge](w, b.relay)))
		if !ok || d > lawfulOff {
			w.Errorf("%s: the relay is open after %v, the law is %v: %s", b.fate, d, lawfulOff, times(lines[relayEdge](w, b.relay)))
		}
		took[b.fate.String()] = d
		if b.fate.state.name == "idle" && b.fate.death.name != cardFull {
			w.until(fmt.Sprintf("%s of %s: it sounds again", b.fate, b.name), func() bool { return b.closedAfter(b.struck) })
		}
		if b.fate.who == "decoder" {
			w.contained(b, s)
		}
	}
	return took
}

// contained checks that decoders that died took nothing along, and that two of
// them were enough for either emergency. One that dies while the second takes
// its turn may have delivered all of it before.
func (w *world) contained(b *box, s *signed) {
	w.Helper()
	if _, starts, ready := b.daemon.at(); starts != 1 || !ready {
		w.Errorf("%s: the daemon was started %d times", b.fate, starts)
	}
	first, second := s.both()
	for _, p := range []published{first, second} {
		ends := b.log(p.ID, "rung=failed", "reason=decoder")
		if len(ends) > 2 {
			w.Errorf("%s: one recording ended %d attempts, want 2 at most: %s", b.fate, len(ends), ends)
		}
		if p == second && len(ends) == 0 && b.fate.state.name != "giving way" {
			w.Errorf("%s: the second emergency was not ended by its decoder", b.fate)
		}
	}
}
