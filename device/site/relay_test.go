package site

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/guard/lease"
)

// seen is a guard that sees what it is told to.
type seen struct {
	mu    sync.Mutex
	sight lease.Sight
	err   error
}

func (s *seen) Look(context.Context) (lease.Sight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sight, s.err
}

func (s *seen) see(sight lease.Sight, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sight, s.err = sight, err
}

// book keeps the faults that are present.
type book struct {
	mu      sync.Mutex
	present map[broadcast.FaultCode]string
}

func (b *book) Raise(code broadcast.FaultCode, _, cause string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.present[code] = cause
}

func (b *book) Clear(code broadcast.FaultCode, _ string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.present, code)
}

func (b *book) codes() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []string
	for code := range b.present {
		all = append(all, string(code))
	}
	slices.Sort(all)
	return fmt.Sprint(all)
}

func TestWhatTheGuardSeesBecomesAFaultAndClearsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		relay, faults := &seen{}, &book{present: map[broadcast.FaultCode]string{}}
		over := make(chan struct{})
		go func() {
			defer close(over)
			observe(ctx, relay, faults)
		}()
		for _, c := range []struct {
			sight lease.Sight
			err   error
			want  string
		}{
			{lease.Sight{}, nil, "[]"},
			{lease.Sight{Fault: lease.StuckOn}, nil, "[relay-stuck]"},
			{lease.Sight{Closed: true}, nil, "[]"},
			{lease.Sight{Closed: true, Fault: lease.NotMoving}, nil, "[relay-open]"},
			{lease.Sight{Fault: lease.StuckOn}, nil, "[relay-stuck]"},
			{lease.Sight{}, errors.New("is loaxa-guard running?"), "[guard-gone]"},
			{lease.Sight{Fault: lease.Disobeying}, nil, "[relay-stuck]"},
			{lease.Sight{}, nil, "[]"},
		} {
			relay.see(c.sight, c.err)
			<-time.After(lookEvery + time.Second/10)
			synctest.Wait()
			if got := faults.codes(); got != c.want {
				t.Errorf("%+v, %v: faults %s, want %s", c.sight, c.err, got, c.want)
			}
		}
		faults.Raise(broadcast.FaultGuard, "", "a sounding found it silent")
		<-time.After(reachedEvery * lookEvery)
		synctest.Wait()
		if got := faults.codes(); got != "[]" {
			t.Errorf("faults %s a minute after the guard is back", got)
		}
		cancel()
		<-over
	})
}

func TestEveryFaultOfARelayHasItsRowInTheTable(t *testing.T) {
	for _, fault := range []lease.Fault{lease.StuckOn, lease.NotMoving, lease.Disobeying} {
		code := relayFaults()[fault]
		if !slices.ContainsFunc(broadcast.Faults(), func(f broadcast.Fault) bool { return f.Code == code && f.Part == broadcast.PartRelay }) {
			t.Errorf("%s is %q, which is no fault of the relay", fault, code)
		}
	}
}
