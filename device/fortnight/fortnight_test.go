// Package fortnight plays two weeks of a district in virtual time and judges
// every event of it.
//
// What is real: the node with its journal, shelf and contents on a card that
// loses what was not synced, the plan, the seals, the player, the amplifier and
// the guard's leases. What stands in: the centre, which signs, lists, stores
// and acknowledges as a controller does, the broker that keeps retained
// messages, the decoder, the sound card and the relay, which are only watched.
// A site is judged by what relay, sound card and centre saw, never by its word.
//
// Of the 345 sites of a district a seed picks the few that are played, all of
// them real; the others do not exist in its fortnight. The seed settles what
// fate does, and when; within one instant of virtual time goroutines may still
// run in another order.
package fortnight

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/historytest"
)

const (
	fortnight = 14 * 24 * time.Hour
	// longSites are played in each of as many seeds as LOAXA_SOAK says.
	longSites = communes
)

func TestAVirtualFortnightKeepsEveryLaw(t *testing.T) {
	list, sites := seeds(t)
	for _, seed := range list {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			again := fmt.Sprintf("seed %d, repeat with LOAXA_SEED=%d go test ./device/fortnight", seed, seed)
			if os.Getenv("LOAXA_SOAK") != "" {
				again = fmt.Sprintf("seed %d, repeat with LOAXA_SOAK=1 LOAXA_SEED=%d go test ./device/fortnight", seed, seed)
			}
			t.Log(again)
			synctest.Test(t, func(t *testing.T) { live(newWorld(t, seed, sites)) })
		})
	}
}

// seeds are the same few in every run, or the one that LOAXA_SEED names, or from
// there on as many as LOAXA_SOAK says, with more sites.
func seeds(t *testing.T) (list []uint64, sites int) {
	first, n, sites := uint64(1), uint64(shortSeeds), shortSites
	if seed := number(t, "LOAXA_SEED"); seed != 0 {
		first, n = seed, 1
	}
	if rounds := number(t, "LOAXA_SOAK"); rounds != 0 {
		n, sites = rounds, longSites
	}
	for i := range n {
		list = append(list, first+i)
	}
	return list, sites
}

func number(t *testing.T, name string) uint64 {
	text := os.Getenv(name)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// live plays one fortnight.
func live(w *world) {
	defer w.close()
	w.open()
	w.routine()
	for _, c := range chances {
		for range c.times * max(1, len(w.sites)/8) {
			w.then(w.between(time.Hour, fortnight-24*time.Hour), c.name, func() { c.do(w) })
		}
	}
	w.then(w.between(time.Hour, 24*time.Hour), "a site stays alone", w.alone)
	w.then(w.between(24*time.Hour, 10*24*time.Hour), "a commune has no power for three days", w.threeDays)
	for n := range 4 * 14 { // as often as a controller says that its lists stand
		w.then(time.Duration(n+1)*6*time.Hour, "the lists stand", w.lists)
	}
	w.pass(fortnight)
	w.reconcile()
}

// pass lets fate take its course for a while, and looks after each of its acts
// whether every law was kept.
func (w *world) pass(length time.Duration) {
	end := time.Now().Add(length)
	for len(w.fates) > 0 && !w.fates[0].at.After(end) {
		next := w.fates[0]
		w.fates = w.fates[1:]
		<-time.After(time.Until(next.at))
		w.check("before " + next.name)
		next.do()
		synctest.Wait()
		w.check(next.name)
	}
	<-time.After(time.Until(end))
	w.check("the end of the time")
}

// check ends the test if a law was broken.
func (w *world) check(what string) {
	w.Helper()
	for _, s := range w.sites {
		breaches, tail := s.broken()
		if len(breaches) == 0 {
			continue
		}
		for _, b := range breaches {
			w.Errorf("%s: %s", s.id, b)
		}
		for _, e := range tail {
			w.Logf("    %s", line(e))
		}
		for _, text := range w.chronicle[max(0, len(w.chronicle)-shown):] {
			w.Log("    fate: " + text)
		}
		w.Fatalf("seen after: %s", what)
	}
}

// broken are the laws that the site broke, with its last events.
func (s *site) broken() ([]historytest.Breach, []historytest.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.breaches, s.tail
}

// line is an event in one line.
func line(e historytest.Event) string {
	p, proved := e.Fact.(historytest.Proved)
	if !proved {
		return fmt.Sprintf("%s %T %+v", e.At, e.Fact, e.Fact)
	}
	r := p.Receipt
	return fmt.Sprintf("%s receipt %d: %s of %s, attempt %d: %s %s", e.At, r.Seq, r.Announcement, r.Start, r.Attempt, r.Rung, r.Reason)
}

// reconcile brings everything back and lets both sides meet, then asks whether
// they say the same.
func (w *world) reconcile() {
	w.centre.Silence(false, false)
	for _, s := range w.sites {
		if s.boot == nil {
			s.power()
		}
		s.weather(true)
		s.setClock(0, false)
	}
	w.lists()
	w.pass(3 * time.Hour)
	ends := map[string]int{}
	for _, s := range w.sites {
		s.halt()
		own := s.journal()
		s.mu.Lock()
		s.breaches = append(s.breaches, s.judge.Settle(s.now(), own)...)
		s.mu.Unlock()
		tally(own, ends)
	}
	w.check("both sides have met")
	w.must(w.centre.Err())
	w.lived(ends)
}

// lived fails a fortnight in which too little happened to prove anything.
func (w *world) lived(ends map[string]int) {
	w.Logf("%d sites, %d items: %s", len(w.sites), len(w.items), told(ends))
	for _, end := range []string{"ended", "refused quiet", "interrupted line", "skipped late", "withdrawn withdrawn", "interrupted crash"} {
		if ends[end] == 0 {
			w.Errorf("nothing ended as %q in two weeks", end)
		}
	}
	if ends["ended"] < 20*len(w.sites) {
		w.Errorf("%d soundings of %d sites came to their end", ends["ended"], len(w.sites))
	}
}

// close turns everything off.
func (w *world) close() {
	for _, s := range w.sites {
		s.halt()
	}
}

func TestTheFortnightNoticesWhatASiteDoesWrong(t *testing.T) {
	for name, wrong := range map[string]func(w *world, s *site){
		"its relay closes by itself": func(_ *world, s *site) { s.boot.tell(historytest.Relay{Closed: true}) },
		"its relay never opens again": func(w *world, s *site) {
			w.emergency(s.area)
			<-time.After(4 * time.Second)
			s.boot.change(func(b *boot) { b.dead = true })
		},
		"it does not hear the centre": func(w *world, s *site) {
			s.boot.change(func(b *boot) { b.topics = nil })
			flood := w.announce(w.draft("flood", s.area, broadcast.Emergency, w.centre.Instant().Add(3*time.Second), 5*time.Second), 2)
			s.boot.given(flood.raw)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, 1, 1)
				defer w.close()
				w.open()
				<-time.After(time.Minute)
				s := w.sites[0]
				wrong(w, s)
				<-time.After(time.Hour)
				s.boot.change(func(b *boot) { b.dead = false })
				s.boot.state()
				if breaches, _ := s.broken(); len(breaches) == 0 {
					t.Error("nobody noticed")
				}
			})
		})
	}
}

func (b *boot) change(f func(*boot)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	f(b)
}
