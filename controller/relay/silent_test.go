package relay

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
)

// plays gives a pull some sound, or digital silence, as fast as time goes.
func plays(t *testing.T, p *pull, length time.Duration, sound bool) error {
	t.Helper()
	packet := make([]byte, quiet)
	if sound {
		packet = make([]byte, quiet+1)
	}
	for range length / wire.PacketLength {
		<-time.After(wire.PacketLength)
		if err := p.heard(t.Context(), packet); err != nil {
			return err
		}
	}
	return nil
}

func TestAStationThatFallsSilentIsSaidAndThenLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := newPull(Station{ID: "vov1"}, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			length time.Duration
			sound  bool
			want   State
		}{
			{time.Second, true, OnAir},
			{silentAfter - time.Second, false, OnAir}, // a pause
			{time.Second, true, OnAir},
			{silentAfter, false, Silent},
			{silentEnds - silentAfter - time.Second, false, Silent},
			{wire.PacketLength, true, OnAir}, // one sound, and everything begins anew
			{silentAfter, false, Silent},
		} {
			if err := plays(t, p, step.length, step.sound); err != nil || p.state != step.want {
				t.Fatalf("%v after %v, %v; want %v", p.state, step, err, step.want)
			}
			if want := map[State]string{Silent: errSilent.Error()}[p.state]; p.why != want {
				t.Errorf("%s says %q", p.state, p.why)
			}
		}
		began := time.Now()
		if err := plays(t, p, time.Hour, false); !errors.Is(err, errSilent) {
			t.Errorf("an hour of silence: %v", err)
		}
		if took := time.Since(began); took != silentEnds-silentAfter {
			t.Errorf("it was left after %v more", took)
		}
	})
}

func TestAStationThatWentAwayIsToldForADay(t *testing.T) {
	clock := time.Now()
	now := func() time.Time { return clock }
	p, err := newPull(Station{ID: "vov1"}, now)
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	s.cfg.Stations, s.pulls = []Station{p.station, {ID: "vov2"}}, map[broadcast.ID]*pull{"vov1": p}
	for _, step := range []struct {
		state State
		after time.Duration
		lost  bool
	}{
		{Connecting, time.Minute, false},
		{OnAir, 0, false},
		{Silent, told, true},
		{Gone, told - 1, true},
		{Gone, 1, false},
	} {
		p.become(step.state, "it is so")
		clock = clock.Add(step.after)
		want := map[bool]string{true: "it is so"}[step.lost]
		if lost := s.Lost(); lost["vov1"] != want || len(lost) > 1 || (len(lost) == 1) != step.lost {
			t.Errorf("%s for %v: lost are %q", step.state, step.after, lost)
		}
	}
	if got := s.Standings()[0]; got.State != AtRest || got.Why != "" || !got.Since.IsZero() {
		t.Errorf("after a day: %+v", got)
	}
}
