package node_test

import (
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

// spoken are the soundings of what was spoken at the box.
func spoken(r *nodetest.Rig) []nodetest.Played {
	var out []nodetest.Played
	for _, one := range r.Player.Sounded() {
		if strings.HasPrefix(one.Sounding.Content.Path, "speech:") {
			out = append(out, one)
		}
	}
	return out
}

// ending is when the last sample of a sounding was heard.
func ending(p nodetest.Played) time.Time {
	return p.First.Add(time.Duration(p.Evidence.Samples) * time.Second / 48000)
}

// Whoever may silence or withdraw a recording ends a speech as well, in mid-word
// and for good, and so does the button beside whoever speaks: also of an emergency.
func TestEveryStopEndsASpeechWithinASecondAndForGood(t *testing.T) {
	for _, class := range []broadcast.Class{broadcast.Priority, broadcast.Emergency} {
		for _, way := range stops {
			t.Run(string(class)+" "+way.name, func(t *testing.T) {
				speechWorld(t, func(t *testing.T, r *nodetest.Rig, _ *booth) {
					lan := talker(t, r, func(m *broadcast.Template) { m.Class = class })
					r.Node.OnTalk("talk", true)
					dial(r, lan.Number, lan.digits)
					pass(20 * time.Second)
					_, of := last(t, r)
					way.do(r, broadcast.Announcement{ID: of.Announcement, Revision: of.Of, Class: class, Areas: []broadcast.ID{nodetest.Top}})
					stopped := time.Now()
					pass(2 * time.Hour) // the key is still turned, and the silence is over
					heard := spoken(r)
					if len(heard) != 1 {
						t.Fatalf("the microphone was open %d times", len(heard))
					}
					if on := ending(heard[0]).Sub(stopped); on > time.Second || on < 0 {
						t.Errorf("it was heard until %v after it was stopped", on)
					}
					judgeSpeech(t, r, way.end)
				})
			})
		}
	}
}

func TestASpeechEndsWithItsLongestTimeAndGoesOnOnlyWithAnotherPIN(t *testing.T) {
	speechWorld(t, func(t *testing.T, r *nodetest.Rig, _ *booth) {
		lan := talker(t, r, nil)
		r.Node.OnTalk("talk", true)
		dial(r, lan.Number, lan.digits)
		pass(30 * time.Minute) // the key is still turned
		heard := spoken(r)
		if len(heard) != 1 || heard[0].Evidence.Samples != 60*48000 {
			t.Fatalf("of a minute at most was heard %+v", heard)
		}
		judgeSpeech(t, r, "ended")
		dial(r, lan.Number, lan.digits)
		pass(5 * time.Minute)
		if n := len(spoken(r)); n != 2 {
			t.Errorf("with key and PIN it was open %d times in all", n)
		}
	})
}

// judgeSpeech fails unless the last speech ended so, with what was recorded of it.
func judgeSpeech(t *testing.T, r *nodetest.Rig, want string) {
	t.Helper()
	proof, of := last(t, r)
	list := r.Centre.Rungs(nodetest.NodeID, of.Announcement)
	if got := list[len(list)-1]; got != want || proof.Evidence == nil || proof.Evidence.Recording == nil {
		t.Errorf("it ended %q, want %q, proved by %+v", list, want, proof.Evidence)
	}
	heard := spoken(r)
	if after := r.Player.Opens().Sub(ending(heard[len(heard)-1])); after > 4*time.Second {
		t.Errorf("the relay opens %v after the last word", after)
	}
}
