package node_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

// thief has the key of one ordinary officer of the node's own commune, under a
// policy by which one officer may publish normal items alone.
func thief(r *nodetest.Rig) seal.Signer {
	key := r.Centre.House.Certify(broadcast.Certificate{Person: "thief", Level: broadcast.Commune, Areas: []broadcast.ID{nodetest.Area},
		Classes: broadcast.Classes(), Acts: []broadcast.Act{broadcast.ActAnnounce, broadcast.ActApprove, broadcast.ActSilence, broadcast.ActWithdraw}})
	r.Send(wire.Area(nodetest.Top, "authority"), r.Centre.Authority())
	r.Send(wire.Area(nodetest.Top, "policy"), r.Centre.Policy(func(p *broadcast.Policy) { p.Thresholds[0].Officers = 1 }))
	r.List()
	pass(time.Second)
	return key
}

func push(r *nodetest.Rig, raw []byte) { r.Send(wire.Node(nodetest.NodeID, "document"), raw) }

func TestStolenKeyCannotBarAnEmergencyByItsName(t *testing.T) {
	for name, change := range map[string]func(*broadcast.Announcement){
		"a later revision":              func(a *broadcast.Announcement) { a.Revision += 60_000 },
		"the same revision":             func(a *broadcast.Announcement) { a.Title = "Một bản tin khác" },
		"a later normal item":           func(a *broadcast.Announcement) { a.Revision, a.Class = a.Revision+60_000, broadcast.Normal },
		"the same revision of a normal": func(a *broadcast.Announcement) { a.Class = broadcast.Normal },
		"the same revision of a normal, at another time": func(a *broadcast.Announcement) {
			a.Class, a.Timing.Start = broadcast.Normal, a.Timing.Start.Add(time.Hour)
		},
	} {
		t.Run(name, func(t *testing.T) {
			world(t, func(t *testing.T, r *nodetest.Rig) {
				key := thief(r)
				flood := r.Announcement("flood", broadcast.Emergency, 20*time.Second, 2*time.Second)
				whole := r.Sealed(flood)
				forged := flood
				forged.Areas = []broadcast.ID{nodetest.Area}
				change(&forged)
				push(r, sealtest.Sealed(broadcast.KindAnnouncement, forged, key))
				pass(time.Second)
				push(r, whole)
				pass(30 * time.Minute)
				if heard := r.Player.Sounded(); len(heard) == 0 || !heard[0].First.Equal(flood.Timing.Start.Time()) {
					t.Errorf("%+v was heard, want the warning at %v", heard, flood.Timing.Start)
				}
				got := r.Centre.Rungs(nodetest.NodeID, "flood")
				if slices.Contains(got, "refused threshold") || slices.Contains(got, "refused unauthenticated") || !slices.Contains(got, "ended") {
					t.Errorf("receipts of the warning: %q", got)
				}
			})
		})
	}
}

func TestEmergencyThatABootForgetsNothingOfIsNotBarredEither(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		key := thief(r)
		flood := r.Announcement("flood", broadcast.Emergency, 2*time.Minute, 2*time.Second)
		whole := r.Sealed(flood)
		forged := flood
		forged.Areas, forged.Class, forged.Revision = []broadcast.ID{nodetest.Area}, broadcast.Normal, flood.Revision+60_000
		push(r, sealtest.Sealed(broadcast.KindAnnouncement, forged, key))
		pass(10 * time.Second)
		r.Stop()
		r.Boot()
		push(r, whole)
		pass(10 * time.Minute)
		if got := r.Centre.Rungs(nodetest.NodeID, "flood"); !slices.Contains(got, "playing") {
			t.Errorf("receipts of the warning: %q", got)
		}
	})
}

func TestWithdrawalIsNotLiftedByAnotherOfItsName(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		key := thief(r)
		alarm := r.Announcement("false-alarm", broadcast.Emergency, 3*time.Minute, 2*time.Second)
		r.Announce(alarm)
		pass(time.Second)
		own := func(at broadcast.Revision) []byte {
			return sealtest.Sealed(broadcast.KindWithdrawal, broadcast.Withdrawal{ID: "w-false-alarm", Revision: at, Announcement: "nothing",
				Upto: 1, Class: broadcast.Normal, Areas: []broadcast.ID{nodetest.Area}}, key)
		}
		now := broadcast.Revision(r.Centre.Instant())
		push(r, own(now+1000)) // before the true one, and after it
		r.Withdraw(alarm)
		push(r, own(now+2000))
		pass(10 * time.Second)
		r.Stop()
		r.Boot()
		push(r, own(now+3000))
		pass(time.Hour)
		sounded(t, r, 0)
	})
}

func TestLowerLevelNeitherWithdrawsNorSilencesAnEmergency(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		key := thief(r)
		flood := r.Announcement("flood", broadcast.Emergency, 20*time.Second, 2*time.Second)
		r.Announce(flood)
		now := r.Centre.Instant()
		push(r, sealtest.Sealed(broadcast.KindWithdrawal, broadcast.Withdrawal{ID: "w-1", Revision: broadcast.Revision(now) + 1, Announcement: "flood",
			Upto: flood.Revision, Class: broadcast.Emergency, Areas: []broadcast.ID{nodetest.Area}}, key))
		push(r, sealtest.Sealed(broadcast.KindSilence, broadcast.Silence{ID: "s-1", Revision: broadcast.Revision(now) + 1, Classes: broadcast.Classes(),
			Areas: []broadcast.ID{nodetest.Area}, Until: now.Add(30 * time.Minute)}, key, r.Centre.House.Officer("second", broadcast.Commune, nodetest.Area)))
		pass(time.Minute)
		sounded(t, r, 1)
	})
}

func TestSilenceOfTheDistrictIsNotLiftedByTheCommune(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		key := thief(r)
		r.Announce(r.Announcement("market", broadcast.Priority, 2*time.Minute, time.Second))
		silence := broadcast.Silence{ID: "s-1", Revision: r.Centre.Revision("s-1"), Areas: []broadcast.ID{nodetest.Top},
			Classes: []broadcast.Class{broadcast.Priority}, Until: r.Centre.Instant().Add(time.Hour)}
		lifted := silence
		lifted.Areas, lifted.Classes = []broadcast.ID{nodetest.Area}, nil
		for i := range 3 { // before the true one, with its revision, and after it
			lifted.Revision = silence.Revision + broadcast.Revision(2-i)*1000
			push(r, sealtest.Sealed(broadcast.KindSilence, lifted, key))
			push(r, r.Centre.Sealed(broadcast.KindSilence, silence, nodetest.Top, r.Centre.Approver))
		}
		lifted.Revision = silence.Revision + 3000
		push(r, sealtest.Sealed(broadcast.KindSilence, lifted, key))
		pass(10 * time.Minute)
		sounded(t, r, 0)
		rungs(t, r, "market", "received", "verified", "cached", "refused silence")
	})
}

func TestFloodByOneOfficerLeavesEverythingToTheDistrict(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		key := thief(r)
		now, here := r.Centre.Instant(), []broadcast.ID{nodetest.Area}
		shared := r.Announcement("shared", broadcast.Normal, 0, time.Second).Versions
		for i := range 1250 {
			id := broadcast.ID(fmt.Sprintf("flood-%d", i))
			a := sealtest.Announcement(id, now, nodetest.Area)
			a.Timing = broadcast.Timing{Mode: broadcast.ModeStart, Start: now.Add(time.Minute), Window: 6 * 3600, Repeat: 60}
			if i < 200 {
				push(r, sealtest.Sealed(broadcast.KindAnnouncement, a, key)) // alone he may not
			}
			a.Class, a.Versions, a.Timing = broadcast.Normal, shared, broadcast.Timing{Mode: broadcast.ModeStart, Start: now.Add(2 * time.Hour)}
			push(r, sealtest.Sealed(broadcast.KindAnnouncement, a, key)) // alone he may
			push(r, sealtest.Sealed(broadcast.KindWithdrawal, broadcast.Withdrawal{ID: id, Revision: broadcast.Revision(now), Announcement: id, Upto: 1,
				Class: broadcast.Emergency, Areas: here}, key))
			if i >= 250 {
				continue
			}
			push(r, sealtest.Sealed(broadcast.KindSilence, broadcast.Silence{ID: id, Revision: broadcast.Revision(now), Areas: here, Until: now}, key))
			push(r, sealtest.Sealed(broadcast.KindSlot, broadcast.Slot{ID: id, Revision: broadcast.Revision(now), Areas: here, Level: broadcast.District,
				Spans: []broadcast.Span{{From: 1, To: 2}}, From: now, Until: now.Add(time.Hour)}, key))
		}
		pass(time.Second)
		registers, err := r.Disk.FS().ReadDir("registers")
		if err != nil || len(registers) > 3500 {
			t.Errorf("%d registers on the card: %v", len(registers), err)
		}
		if n := len(r.Centre.Receipts(nodetest.NodeID)); n > 4000 {
			t.Errorf("%d receipts of what nobody published", n)
		}
		flood := r.Announcement("true", broadcast.Emergency, time.Minute, 2*time.Second)
		r.Announce(flood)
		market := r.Announcement("market", broadcast.Priority, 2*time.Minute, 2*time.Second)
		r.Announce(market)
		wrong := r.Announcement("wrong", broadcast.Emergency, 3*time.Minute, 2*time.Second)
		r.Announce(wrong)
		pass(time.Second)
		r.Withdraw(wrong)
		pass(10 * time.Minute)
		heard := sounded(t, r, 2)
		for i, want := range []broadcast.Announcement{flood, market} {
			if !strings.HasPrefix(heard[i].Sounding.Name, string(want.ID)) || !heard[i].First.Equal(want.Timing.Start.Time()) {
				t.Errorf("%s sounded at %v, want %s at %v", heard[i].Sounding.Name, heard[i].First, want.ID, want.Timing.Start)
			}
		}
		rungs(t, r, "wrong", "received", "verified", "cached", "withdrawn withdrawn")
	})
}

func TestRecordingOfAnEmergencyFindsRoom(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		for i := range 12 { // 12 MB, and the card takes 8
			r.Announce(large(r, broadcast.ID(fmt.Sprintf("market-%02d", i)), broadcast.Priority, 3*time.Minute+time.Duration(i)*time.Minute))
		}
		pass(time.Minute)
		r.Announce(large(r, "flood", broadcast.Emergency, 30*time.Second))
		pass(time.Minute)
		if heard := sounded(t, r, 1); len(heard) == 1 && !strings.HasPrefix(heard[0].Sounding.Name, "flood") {
			t.Errorf("%s sounded", heard[0].Sounding.Name)
		}
		rungs(t, r, "flood", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
		pass(time.Hour)
		if n := len(r.Player.Sounded()); n < 8 {
			t.Errorf("%d of 13 items were heard in the end: what gave way did not come again", n)
		}
	})
}

func TestEarlyDateGivesAnEndedCertificateNoRight(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		was := func(person broadcast.ID) seal.Signer {
			return r.Centre.House.Certify(broadcast.Certificate{Person: person, Level: broadcast.District, Areas: []broadcast.ID{nodetest.Top},
				Classes: broadcast.Classes(), Acts: []broadcast.Act{broadcast.ActAnnounce, broadcast.ActApprove, broadcast.ActWithdraw},
				Until: r.Centre.Instant().Add(time.Minute)})
		}
		one, two := was("one"), was("two")
		r.Send(wire.Area(nodetest.Top, "authority"), r.Centre.Authority())
		issued := r.Centre.Instant()
		published := r.Announcement("published", broadcast.Emergency, 2*time.Hour, time.Second)
		late := r.Centre.Sealed(broadcast.KindAnnouncement, published, nodetest.Top, one, two)
		pass(time.Hour)
		spoken := r.Announcement("spoken", broadcast.Emergency, time.Minute, time.Second)
		spoken.Revision = broadcast.Revision(issued)
		push(r, sealtest.Sealed(broadcast.KindAnnouncement, spoken, one, two))
		flood := r.Announcement("flood", broadcast.Emergency, 5*time.Minute, time.Second)
		r.Announce(flood)
		push(r, sealtest.Sealed(broadcast.KindWithdrawal, broadcast.Withdrawal{ID: "flood", Revision: broadcast.Revision(issued), Announcement: "flood",
			Upto: flood.Revision, Class: broadcast.Emergency, Areas: flood.Areas}, one))
		pass(30 * time.Minute)
		sounded(t, r, 1)
		push(r, late) // what the office published while they held office stays good
		r.List()
		pass(time.Hour)
		sounded(t, r, 2)
	})
}

func TestEndedTemplateIsNotActivatedByAnEarlyDate(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		key := thief(r)
		a := r.Announcement("flood", broadcast.Emergency, time.Minute, time.Second)
		standing := broadcast.Template{ID: "t-1", Revision: r.Centre.Revision("t-1"), Class: a.Class, Title: "Lũ", Areas: a.Areas,
			Versions: a.Versions, Expires: r.Centre.Instant().Add(time.Hour)}
		push(r, r.Centre.Sealed(broadcast.KindTemplate, standing, nodetest.Top, r.Centre.Editor, r.Centre.Approver))
		r.List()
		activate := func(id broadcast.ID, change func(*broadcast.Announcement)) {
			b := r.Announcement(id, broadcast.Emergency, 30*time.Second, time.Second)
			b.Areas, b.Versions, b.Template = []broadcast.ID{nodetest.Area}, standing.Versions, &broadcast.TemplateRef{ID: "t-1", Revision: standing.Revision}
			change(&b)
			push(r, sealtest.Sealed(broadcast.KindAnnouncement, b, key))
			pass(2 * time.Minute)
		}
		activate("other-content", func(b *broadcast.Announcement) {
			b.Versions = r.Announcement("other", broadcast.Emergency, 0, time.Second).Versions
		})
		activate("other-revision", func(b *broadcast.Announcement) { b.Template.Revision++ })
		sounded(t, r, 0)
		activate("good", func(*broadcast.Announcement) {})
		sounded(t, r, 1)
		pass(2 * time.Hour)
		activate("early-date", func(b *broadcast.Announcement) { b.Revision = standing.Revision + 1 })
		activate("late", func(*broadcast.Announcement) {})
		sounded(t, r, 1)
	})
}

func TestDelegateEndsNoRightsAboveHisOwn(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		local := r.Centre.House.Officer("local", broadcast.Commune, nodetest.Area)
		clerk := r.Centre.House.Officer("clerk", broadcast.Commune, nodetest.Area)
		r.Send(wire.Area(nodetest.Top, "authority"), r.Centre.Authority())
		pass(time.Second)
		bundle := broadcast.Authority{Area: nodetest.Area, Revision: r.Centre.Revision("bundle"), Roots: []broadcast.Envelope{r.Centre.House.Root}}
		for _, kid := range []broadcast.Digest{r.Centre.Editor.KID, r.Centre.Approver.KID, r.Centre.House.Service.KID, clerk.KID} {
			bundle.Revocations = append(bundle.Revocations, broadcast.Revocation{KID: kid, Mode: broadcast.Compromised, At: r.Centre.House.From})
		}
		push(r, sealtest.Sealed(broadcast.KindAuthority, bundle, local))
		pass(time.Second)
		r.Announce(r.Announcement("flood", broadcast.Emergency, 10*time.Second, time.Second))
		own := r.Announcement("own", broadcast.Emergency, time.Minute, time.Second)
		own.Areas = []broadcast.ID{nodetest.Area}
		push(r, r.Centre.Sealed(broadcast.KindAnnouncement, own, nodetest.Area, local, clerk))
		pass(10 * time.Minute)
		sounded(t, r, 1)
		rungs(t, r, "flood", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
	})
}

func TestPlaceIsChangedOnlyBelowOnesOwnAreas(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		const village broadcast.ID = "thon-1"
		local := r.Centre.House.Officer("local", broadcast.Commune, nodetest.Area)
		r.Send(wire.Area(nodetest.Top, "authority"), r.Centre.Authority())
		pass(time.Second)
		assign := func(chain ...broadcast.Place) {
			a := broadcast.Assignment{Node: nodetest.NodeID, Revision: r.Centre.Revision("assignment tan-lap-1"), Chain: chain,
				Languages: []broadcast.Language{"vi"}, Controllers: []broadcast.Controller{{HTTP: "http://c", MQTT: "mqtt://c"}}, Key: r.Public()}
			r.Send(wire.Node(nodetest.NodeID, "assignment"), sealtest.Sealed(broadcast.KindAssignment, a, local))
			pass(time.Second)
		}
		top, own := broadcast.Place{Area: nodetest.Top, Level: broadcast.District}, broadcast.Place{Area: nodetest.Area, Level: broadcast.Commune}
		before := r.Wire.Topics()
		assign(broadcast.Place{Area: nodetest.Area, Level: broadcast.Province}, top) // he above the district
		assign(broadcast.Place{Area: "elsewhere", Level: broadcast.District}, broadcast.Place{Area: nodetest.Top, Level: broadcast.District}, own)
		assign(broadcast.Place{Area: nodetest.Top, Level: broadcast.Commune}, own)
		if !slices.Equal(before, r.Wire.Topics()) {
			t.Fatalf("the commune changed what lies above it: %q", r.Wire.Topics())
		}
		r.Announce(r.Announcement("flood", broadcast.Emergency, 10*time.Second, time.Second))
		pass(time.Minute)
		sounded(t, r, 1)
		assign(top, own, broadcast.Place{Area: village, Level: broadcast.Village})
		if !slices.Contains(r.Wire.Topics(), wire.Area(village, "+")) {
			t.Errorf("the commune could not move it inside its own place: %q", r.Wire.Topics())
		}
	})
}
