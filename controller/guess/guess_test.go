package guess

import (
	"fmt"
	"sync"
	"testing"
	"time"
)

func morning() time.Time { return time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC) }

func limit() *Limit { return New(Rule{Free: 3, First: time.Second, Most: 4 * time.Second}) }

func TestGuessesGetSlowerUpToABound(t *testing.T) {
	l, now := limit(), morning()
	for i, want := range []time.Duration{0, 0, time.Second, 2 * time.Second, 4 * time.Second, 4 * time.Second} {
		if wait := l.Try(now, "lan"); wait != 0 {
			t.Fatalf("guess %d waits %s", i, wait)
		}
		if want == 0 {
			continue
		}
		if wait := l.Try(now, "lan"); wait != want || l.Guesses(now, "lan") != i+1 {
			t.Errorf("after guess %d: %s, want %s; %d counted", i, wait, want, l.Guesses(now, "lan"))
		}
		if wait := l.Try(now.Add(want-1), "lan"); wait != 1 {
			t.Errorf("a nanosecond early: %s", wait)
		}
		now = now.Add(want)
	}
}

func TestOneKeyNeverDelaysAnother(t *testing.T) {
	l, now := limit(), morning()
	for range 100 {
		l.Try(now, "lan@10.0.0.9")
	}
	for _, key := range []string{"lan@10.0.0.1", "an@10.0.0.9", ""} {
		if wait := l.Try(now, key); wait != 0 {
			t.Errorf("%s waits %s", key, wait)
		}
	}
}

func TestARightAnswerOrAQuietTimeEndsIt(t *testing.T) {
	l, now := limit(), morning()
	hammer := func() {
		for range 3 {
			l.Try(now, "lan")
		}
		if l.Try(now, "lan") == 0 {
			t.Fatal("no wait")
		}
	}
	hammer()
	l.Right("lan")
	if wait := l.Try(now, "lan"); wait != 0 {
		t.Errorf("after the right answer: %s", wait)
	}
	l.Right("lan")
	hammer()
	now = now.Add(8*time.Second + 1)
	if n := l.Guesses(now, "lan"); n != 0 {
		t.Errorf("%d after a quiet time", n)
	}
	hammer()
}

func TestManyAtOnceGainNothing(t *testing.T) {
	l, now := limit(), morning()
	let := make(chan struct{}, 100)
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if l.Try(now, "lan") == 0 {
				let <- struct{}{}
			}
		})
	}
	all.Wait()
	if len(let) != 3 {
		t.Errorf("%d guesses at once, 3 are free", len(let))
	}
}

func TestTheMemoryIsBoundedAndForgetsWhatWasQuietLongest(t *testing.T) {
	l, now := limit(), morning()
	for i := range maxKeys + 1 {
		l.Try(now.Add(time.Duration(i)), fmt.Sprint(i))
	}
	if len(l.by) != maxKeys || l.Guesses(now, "0") != 0 || l.Guesses(now, "1") != 1 {
		t.Errorf("%d keys; %d and %d guesses", len(l.by), l.Guesses(now, "0"), l.Guesses(now, "1"))
	}
}

func TestAHouseholdIsOneNetwork(t *testing.T) {
	for address, want := range map[string]string{
		"10.0.0.1": "10.0.0.1", "::ffff:10.0.0.1": "10.0.0.1", "2001:db8:1:234::5": "2001:db8:1:200::/56", "fe80::1%eth0": "fe80::/56", "pipe": "pipe", "": "",
	} {
		if got := Network(address); got != want {
			t.Errorf("%s: %s", address, got)
		}
	}
}
