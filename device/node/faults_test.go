package node_test

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/guard/lease"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/power"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// site is a rig with what a case of a fault turns on it.
type site struct {
	*nodetest.Rig
	t *testing.T
}

// ill is how one fault comes about at a site, and how it is mended.
type ill struct {
	code broadcast.FaultCode
	// part is what the hint names.
	part string
	// before makes the site ready for it, without the fault.
	before func(*site)
	// cause lets it happen: the controller must show it in time from here.
	cause func(*site)
	// mend ends the cause; it may take long where nothing but time mends.
	mend func(*site)
}

// ills has every fault that a node declares.
func ills() []ill {
	return slices.Concat(cardIlls(), soundIlls(), boxIlls(), linkIlls(), documentIlls(), trustIlls())
}

// spoil has every writing to the card fail.
func spoil(why error) func(*site) {
	return func(s *site) {
		s.Disk.Fail(func(op storetest.Op) error {
			if op.Kind == storetest.Read {
				return nil
			}
			return why
		})
		s.speak("news", time.Hour, time.Second)
	}
}

func (s *site) repair() { s.Disk.Fail(nil) }

// speak announces something.
func (s *site) speak(id broadcast.ID, in, length time.Duration) broadcast.Announcement {
	a := s.Announcement(id, broadcast.Priority, in, length)
	s.Announce(a)
	return a
}

// reboot stops the node and starts it again.
func (s *site) reboot() {
	s.Stop()
	s.Boot()
}

func cardIlls() []ill {
	var recording broadcast.Announcement
	return []ill{
		{code: broadcast.FaultStoreReadOnly, part: "documents", cause: spoil(syscall.EROFS), mend: (*site).repair},
		{code: broadcast.FaultStoreFull, part: "documents", cause: spoil(syscall.ENOSPC), mend: (*site).repair},
		{code: broadcast.FaultStoreFailing, part: "documents", cause: spoil(syscall.EIO), mend: (*site).repair},
		{code: broadcast.FaultStoreCorrupt, part: "documents", before: func(s *site) {
			pass(time.Minute) // documents go to their shelf
			s.Stop()
		}, cause: func(s *site) {
			i := slices.IndexFunc(s.Disk.Files(), func(path string) bool { return strings.Contains(path, "doc,policy") })
			if err := s.Disk.Rot(s.Disk.Files()[i], 200); err != nil {
				s.t.Fatal(err)
			}
			s.Boot()
		}, mend: func(*site) { pass(24 * time.Hour) }},
		{code: broadcast.FaultContentsFull, part: "contents", cause: func(s *site) {
			recording = s.Announcement("long", broadcast.Priority, time.Hour, time.Minute)
			recording.Versions[0].Content.Bytes = 64 << 20
			s.Announce(recording)
		}, mend: func(s *site) {
			s.Centre.Delist(nodetest.Top, broadcast.KindAnnouncement, recording.ID)
			s.List()
		}},
	}
}

func soundIlls() []ill {
	fail := func(why error) func(*site) {
		return func(s *site) {
			s.Player.FailPlay(func(player.Sounding) error { return why })
			s.speak("one", 10*time.Second, 10*time.Second)
		}
	}
	again := func(s *site) {
		s.Player.FailPlay(nil)
		s.Player.Level(0)
		s.speak("two", 10*time.Second, 10*time.Second)
		pass(30 * time.Second)
	}
	return []ill{
		{code: broadcast.FaultContent, part: "soon", before: func(s *site) {
			s.Fetcher.Refuse(func(broadcast.Digest) error { return errors.New("the line is down") })
			s.speak("soon", 3*time.Hour, time.Second)
		}, cause: func(*site) { pass(time.Hour) }, mend: func(s *site) {
			s.Fetcher.Refuse(nil)
			s.Wire.Down()
			s.Wire.Up()
		}},
		{code: broadcast.FaultDecoder, part: "one", cause: func(s *site) {
			s.Player.RefusePrepare(func(player.Sounding) error { return player.ErrContent })
			s.speak("one", 10*time.Second, 10*time.Second)
		}, mend: func(*site) { pass(time.Hour) }},
		{code: broadcast.FaultSoundCard, cause: fail(player.ErrSink), mend: again},
		{code: broadcast.FaultSilent, part: "one", cause: func(s *site) {
			s.Player.Level(-9600)
			s.speak("one", 5*time.Second, 5*time.Minute)
		}, mend: func(s *site) { s.Player.Level(-1800) }},
		{code: broadcast.FaultGuard, cause: fail(player.ErrPower), mend: again},
		{code: broadcast.FaultRelayOpen, cause: fail(errors.Join(player.ErrPower, &lease.Refusal{Reason: "the line does not obey"})), mend: again},
	}
}

// pinIll is somebody who tries out PINs, until the right person comes.
func pinIll() ill {
	var lan officer
	return ill{code: broadcast.FaultPINs, part: "11", before: func(s *site) {
		lan, _ = officers(s.t)
		keyed(s.Rig, func(m *broadcast.Template) { m.Local = &broadcast.OnSite{Codes: []broadcast.Code{lan.Code}, Hourly: 1} })
	}, cause: func(s *site) {
		for range 5 {
			dial(s.Rig, lan.Number, "00000000")
		}
	}, mend: func(s *site) {
		pass(time.Minute)
		dial(s.Rig, lan.Number, lan.digits)
	}}
}

// boxIlls are told by what else watches the box.
func boxIlls() []ill {
	out := []ill{
		{code: broadcast.FaultRelayStuck, part: "sensor", cause: func(s *site) { s.Node.Raise(broadcast.FaultRelayStuck, "sensor", "it says so") },
			mend: func(s *site) { s.Node.Clear(broadcast.FaultRelayStuck, "sensor") }},
		{code: broadcast.FaultButton, part: "red", cause: func(s *site) { s.Node.OnStuck("red", true, "pressed for long") },
			mend: func(s *site) { s.Node.OnStuck("red", false, "") }},
		{code: broadcast.FaultKeypad, part: "pad", cause: func(s *site) { s.Node.Raise(broadcast.FaultKeypad, "pad", "unplugged") },
			mend: func(s *site) { s.Node.Clear(broadcast.FaultKeypad, "pad") }},
		{code: broadcast.FaultUpdate, cause: func(s *site) { s.Node.Raise(broadcast.FaultUpdate, "", "it was taken back") },
			mend: func(s *site) { s.Node.Clear(broadcast.FaultUpdate, "") }},
		pinIll(),
	}
	for _, code := range []broadcast.FaultCode{broadcast.FaultMains, broadcast.FaultBattery, broadcast.FaultVoltage,
		broadcast.FaultTemperature, broadcast.FaultSensor} {
		out = append(out, ill{code: code, part: "one",
			cause: func(s *site) {
				s.Node.OnPower(power.State{Troubles: []power.Trouble{{Code: code, Part: "one", Cause: "it says so"}}})
			},
			mend: func(s *site) { s.Node.OnPower(power.State{Mains: true}) }})
	}
	return out
}

func linkIlls() []ill {
	return []ill{
		{code: broadcast.FaultLink, part: "connections", cause: func(s *site) {
			for range 4 {
				s.Wire.Down()
				pass(5 * time.Second)
				s.Wire.Up()
			}
		}, mend: func(*site) { pass(20 * time.Minute) }},
		{code: broadcast.FaultUnanswered, cause: func(s *site) {
			s.Centre.Silence(true, false)
			s.speak("one", time.Hour, time.Second)
		}, mend: func(s *site) { s.Centre.Silence(false, false) }},
		{code: broadcast.FaultData, before: func(s *site) {
			s.Change = func(c *node.Config) { c.Daily = 10 }
			s.reboot()
			s.speak("one", time.Hour, time.Second)
		}, cause: func(s *site) { s.speak("two", time.Hour, time.Second) }, mend: func(*site) { pass(24 * time.Hour) }},
	}
}

func documentIlls() []ill {
	return []ill{
		{code: broadcast.FaultStale, before: func(s *site) {
			s.Wire.Down()
			pass(15 * 24 * time.Hour)
		}, cause: func(s *site) { s.Wire.Up() }, mend: func(s *site) { s.List() }},
		{code: broadcast.FaultEquivocation, part: "announcement", cause: func(s *site) {
			a := s.speak("flood", time.Hour, time.Second)
			a.Title = "Một bản tin khác"
			s.Send(wire.Area(nodetest.Top, "announcement"), s.Sealed(a))
		}, mend: func(*site) { pass(24 * time.Hour) }},
		{code: broadcast.FaultTooMany, part: "silence", cause: func(s *site) {
			for range 201 {
				at := s.Centre.Instant()
				id := broadcast.ID("s-" + strings.ToLower(at.Time().Format("20060102-150405")))
				doc := broadcast.Silence{ID: id, Revision: broadcast.Revision(at), Areas: []broadcast.ID{nodetest.Top},
					Classes: []broadcast.Class{broadcast.Normal}, Until: at.Add(time.Hour)}
				s.Send(wire.Area(nodetest.Top, "silence"), s.Centre.Sealed(broadcast.KindSilence, doc, "", s.Centre.Approver))
				pass(time.Second)
			}
		}, mend: func(*site) { pass(39 * time.Hour) }},
		{code: broadcast.FaultNoPlan, cause: func(s *site) {
			s.Change = func(c *node.Config) { c.Board.Ceiling = 900 }
			s.reboot()
		}, mend: func(s *site) {
			s.Change = nil
			s.reboot()
		}},
	}
}

func trustIlls() []ill {
	age := func(d time.Duration) func(*site) {
		return func(s *site) {
			until := s.Centre.House.From.Add(80*24*time.Hour - d)
			for s.Centre.Instant().Add(7*24*time.Hour) < until {
				pass(7 * 24 * time.Hour)
				s.List()
			}
			pass(until.Sub(s.Centre.Instant()) - time.Second)
		}
	}
	certify := func(s *site) {
		s.Centre.House.Certify(broadcast.Certificate{Person: "service", Level: broadcast.Province, Areas: []broadcast.ID{nodetest.Top},
			Acts: broadcast.ServiceActs(), Epoch: 1, Until: s.Centre.Instant().Add(200 * 24 * time.Hour)})
		s.Send(wire.Area(nodetest.Top, "authority"), s.Centre.Authority())
	}
	return []ill{
		{code: broadcast.FaultClock, before: func(s *site) { s.Centre.Silence(false, true) }, cause: (*site).reboot,
			mend: func(s *site) { s.Centre.Silence(false, false) }},
		{code: broadcast.FaultCertificateMonth, part: "service", before: age(30 * 24 * time.Hour), cause: func(*site) { pass(time.Second) }, mend: certify},
		{code: broadcast.FaultCertificateWeek, part: "service", before: age(7 * 24 * time.Hour), cause: func(*site) { pass(time.Second) }, mend: certify},
		{code: broadcast.FaultPlace, cause: func(s *site) {
			gone := broadcast.Revocation{KID: s.Centre.Editor.KID, Mode: broadcast.Compromised, At: s.Centre.House.From}
			s.Send(wire.Area(nodetest.Top, "authority"), s.Centre.Authority(gone))
		}, mend: func(s *site) {
			s.Centre.Editor = s.Centre.Approver
			s.Send(wire.Node(nodetest.NodeID, "assignment"), s.Centre.Assignment(nodetest.NodeID, s.Public(), nodetest.Area))
		}},
		{code: broadcast.FaultRolledBack, before: func(s *site) {
			image := s.Disk.Ops()
			s.speak("one", time.Minute, time.Second)
			pass(5 * time.Minute)
			s.Stop()
			s.Disk, _ = s.Disk.Cut(image, 0) // somebody put yesterday's card in
		}, cause: func(s *site) {
			s.Boot()
			s.speak("two", time.Hour, time.Second)
		}, mend: func(*site) { pass(24 * time.Hour) }},
	}
}

// shown is what the controller shows of a fault.
func (s *site) shown(code broadcast.FaultCode) []wire.Fault {
	return slices.DeleteFunc(s.Centre.Unwell(nodetest.NodeID), func(f wire.Fault) bool { return f.Code != code })
}

// within waits until the controller shows a fault, or shows it no more, and
// returns after how long; it fails after the limit.
func (s *site) within(limit time.Duration, code broadcast.FaultCode, present bool) {
	s.t.Helper()
	for took := time.Duration(0); ; took += time.Second {
		synctest.Wait()
		if (len(s.shown(code)) > 0) == present {
			s.t.Logf("%s: shown is %v after %v", code, present, took)
			return
		}
		if took >= limit {
			s.t.Fatalf("%s: shown is %v after %v, want %v; all that is shown: %+v", code, !present, took, present, s.Centre.Unwell(nodetest.NodeID))
		}
		pass(time.Second)
	}
}

// runFault lets one fault happen and be mended.
func runFault(t *testing.T, row broadcast.Fault, one ill) {
	synctest.Test(t, func(t *testing.T) {
		s := &site{Rig: nodetest.NewRig(t), t: t}
		s.Boot()
		defer func() { s.Stop() }()
		s.Settle()
		pass(2 * time.Second)
		if one.before != nil {
			one.before(s)
		}
		if was := s.shown(row.Code); len(was) > 0 {
			t.Fatalf("it is shown before it happens: %+v", was)
		}
		one.cause(s)
		s.within(row.Within, row.Code, true)
		got := s.shown(row.Code)[0]
		if got.Part != one.part || got.Since == 0 {
			t.Errorf("it names %q since %v, want %q", got.Part, got.Since, one.part)
		}
		s.silence(row)
		one.mend(s)
		s.within(row.Calm+broadcast.MaxFaultDelay, row.Code, false)
		if err := s.Centre.Err(); err != nil {
			t.Errorf("the node said what no controller accepts: %v", err)
		}
	})
}

// silence has everything fail that the fault causes, and wants none of it shown.
func (s *site) silence(cause broadcast.Fault) {
	s.t.Helper()
	var silent []broadcast.FaultCode
	for _, f := range broadcast.Faults() {
		if f.By != broadcast.ByController && slices.Contains(f.Behind, cause.Code) {
			s.Node.Raise(f.Code, "consequence", "it follows")
			silent = append(silent, f.Code)
		}
	}
	if len(silent) == 0 {
		return
	}
	pass(time.Second) // what is raised last is on its way
	for range 45 {
		pass(time.Second)
		for _, code := range silent {
			if len(s.shown(code)) > 0 && len(s.shown(cause.Code)) > 0 {
				s.t.Fatalf("%s is shown beside its cause %s", code, cause.Code)
			}
		}
	}
	for _, code := range silent {
		s.Node.Clear(code, "consequence")
	}
}

func TestEveryFaultOfANodeIsShownInTimeAndClearedByItself(t *testing.T) {
	cases := map[broadcast.FaultCode]ill{}
	for _, one := range ills() {
		if _, twice := cases[one.code]; twice {
			t.Errorf("%s has two cases", one.code)
		}
		cases[one.code] = one
	}
	for _, row := range broadcast.Faults() {
		if row.By == broadcast.ByController {
			continue
		}
		t.Run(string(row.Code), func(t *testing.T) {
			one, there := cases[row.Code]
			if !there {
				t.Fatalf("no case lets %s happen: write one", row.Code)
			}
			runFault(t, row, one)
		})
		delete(cases, row.Code)
	}
	for code := range cases {
		t.Errorf("%s is no fault that a node declares", code)
	}
}

func TestFaultThatStaysCostsHardlyMoreDataThanGoodHealth(t *testing.T) {
	spoken := func(s *site) int {
		before := len(s.Wire.Published())
		pass(24 * time.Hour)
		return len(s.Wire.Published()) - before
	}
	world(t, func(t *testing.T, r *nodetest.Rig) {
		s := &site{Rig: r, t: t}
		pass(time.Hour)
		well := spoken(s)
		s.Node.Raise(broadcast.FaultMains, "sensor", "0 V")
		ill := spoken(s)
		before := len(s.Wire.Published())
		for i := range 24 * 60 { // and one that comes and goes
			s.Node.Raise(broadcast.FaultTemperature, "sensor", "hot")
			pass(20 * time.Second)
			s.Node.Clear(broadcast.FaultTemperature, "sensor")
			pass(40 * time.Second)
			if i == 2 && len(s.shown(broadcast.FaultTemperature)) == 0 {
				t.Error("what comes and goes is not shown")
			}
		}
		flapping := len(s.Wire.Published()) - before
		if ill > well+10 || flapping > well+100 {
			t.Errorf("%d messages a day in good health, %d with a fault, %d with one that comes and goes", well, ill, flapping)
		}
	})
}

func TestAnswersThatTakeLongAreAPoorLink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &site{Rig: nodetest.NewRig(t), t: t}
		var slow atomic.Bool
		s.BootAlone()
		defer func() { s.Stop() }()
		s.Wire.Take = func(topic string, payload []byte) []nodetest.Outgoing {
			if slow.Load() {
				<-time.After(6 * time.Second)
			}
			return s.Centre.Take(topic, payload)
		}
		s.Wire.Up()
		s.Settle()
		pass(time.Minute)
		slow.Store(true)
		for i := range 3 {
			s.speak(broadcast.ID("slow-"+string(rune('a'+i))), time.Hour, time.Second)
			pass(time.Minute)
		}
		got := s.shown(broadcast.FaultLink)
		if len(got) != 1 || got[0].Part != "answers" {
			t.Fatalf("after slow answers: %+v", got)
		}
		slow.Store(false)
		s.speak("quick", time.Hour, time.Second)
		row, _ := broadcast.FaultOf(broadcast.FaultLink)
		s.within(row.Calm+time.Minute, broadcast.FaultLink, false)
	})
}
