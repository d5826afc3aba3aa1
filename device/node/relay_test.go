package node_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	air "github.com/loaxa/loaxa/device/live"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/player"
)

// relaying announces a programme of a relay and a recording to a node that can.
func relaying(t *testing.T, r *nodetest.Rig) broadcast.Announcement {
	t.Helper()
	a := r.Announcement("buoi", broadcast.Priority, 30*time.Second, 2*time.Second)
	order := broadcast.RunningOrder{Segments: []broadcast.Segment{
		{Title: "Tiếp âm", Relay: &broadcast.Live{Source: broadcast.Relay, Station: "vov1", SessionKey: string(sealtest.Public("session")), Millis: 20000}},
		{Title: "Tin", Content: a.Versions[0].Content}}}
	raw, err := broadcast.Encode(order)
	if err != nil {
		t.Fatal(err)
	}
	a.Versions[0] = broadcast.Version{Language: "vi", Programme: &broadcast.Programme{SHA256: r.Centre.Put(raw), Millis: 22000, Bytes: 100}}
	r.Announce(a)
	return a
}

// withRelays gives the boxes of a rig a player that can relay.
func withRelays(r *nodetest.Rig) { r.Change = func(c *node.Config) { c.Relays = true } }

func TestAProgrammeGoesOnBehindARelayThatFailed(t *testing.T) {
	for why, cause := range map[broadcast.Reason]error{broadcast.WhyStation: air.ErrStation, broadcast.WhyLine: air.ErrLine, broadcast.WhyUnauthentic: air.ErrUnauthenticated} {
		t.Run(string(why), func(t *testing.T) {
			world(t, func(t *testing.T, r *nodetest.Rig) {
				withRelays(r)
				r.Stop()
				r.Boot()
				r.Player.FailPlay(func(s player.Sounding) error {
					if strings.Contains(s.Content.Path, "live:") {
						return fmt.Errorf("%w: %w", player.ErrContent, cause)
					}
					return nil
				})
				a := relaying(t, r)
				pass(2 * time.Minute)
				rungs := strings.Join(r.Centre.Rungs(nodetest.NodeID, a.ID), ", ")
				for _, want := range []string{"interrupted " + string(why), "ended " + string(why) + " 2"} {
					if !strings.Contains(rungs, want) {
						t.Errorf("%s lacks %q", rungs, want)
					}
				}
				if faults := r.Centre.Faults(nodetest.NodeID); len(faults) != 0 {
					t.Errorf("what a station does is no fault of the site: %q", faults)
				}
			})
		})
	}
}

func TestARelayOfASilentStationIsNoFaultOfTheSite(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		withRelays(r)
		r.Stop()
		r.Boot()
		r.Player.Level(-20000)
		a := relaying(t, r)
		pass(2 * time.Minute)
		if got := strings.Join(r.Centre.Rungs(nodetest.NodeID, a.ID), ", "); !strings.Contains(got, "ended") {
			t.Errorf("%s", got)
		}
		if faults := r.Centre.Faults(nodetest.NodeID); len(faults) != 0 {
			t.Errorf("%q", faults)
		}
	})
}

func TestOnlyTheServiceKeySaysWhoseSoundARelayIs(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		now := r.Centre.Instant()
		s := broadcast.Session{Key: sealtest.Public("session"), Station: "vov1", Signer: sealtest.Public("signer"), At: now, Until: now.Add(time.Hour)}
		got, err := r.Node.Session(t.Context(), sealtest.Sealed(broadcast.KindSession, s, r.Centre.House.Service))
		if err != nil || got != s {
			t.Errorf("%+v: %v", got, err)
		}
		for name, c := range map[string]struct {
			by   seal.Signer
			want error
		}{"an officer": {r.Centre.Approver, seal.ErrRight}, "a stranger": {seal.Signer{KID: broadcast.Sum(nil), Key: sealtest.Key("x")}, seal.ErrUnknownSigner}} {
			if _, err := r.Node.Session(t.Context(), sealtest.Sealed(broadcast.KindSession, s, c.by)); !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}
