package node_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store"
)

// cutLife is the life of one node whose power fails once: a few minutes in which
// it stores everything that a node ever stores, and what becomes of it after.
type cutLife struct {
	*nodetest.Rig
	given []nodetest.Outgoing // what the office published until the power failed
	// Of the moment at which it failed.
	heard  int
	proved []broadcast.Receipt
	wrong  []error
}

// live lets the power fail when so many operations were done on the card, and
// returns how many were done in all, and what is wrong with the life after it. A
// life that ends before that has no failure.
func live(t *testing.T, ops int, seed uint64, through func(store.FS) store.FS) (done int, wrong error) {
	synctest.Test(t, func(t *testing.T) {
		l := &cutLife{Rig: nodetest.NewRig(t)}
		l.Through = through
		var failed <-chan struct{}
		var fallen func(uint64)
		l.Rig.Change = quietly(func() { failed, fallen = l.FailAfter(ops) })
		l.Boot()
		defer func() { l.Stop() }()
		begun := l.Disk.Ops()
		if l.morning(failed) {
			done = l.Disk.Ops() - begun
			return
		}
		l.heard, l.proved = len(l.Player.Sounded()), l.Centre.Receipts(nodetest.NodeID)
		fallen(seed)
		l.Rig.Change = quietly(nil)
		l.afterwards()
		wrong = errors.Join(l.wrong...)
	})
	return done, wrong
}

// publish says something to the node and keeps it, for the office says all of it
// again to one that comes back.
func (l *cutLife) publish(topic string, raw []byte) {
	l.given = append(l.given, nodetest.Outgoing{Topic: topic, Payload: raw})
	l.Send(topic, raw)
}

func (l *cutLife) announce(a broadcast.Announcement) {
	l.publish(wire.Area(nodetest.Top, "announcement"), l.Sealed(a))
	l.List()
}

// morning has the office say everything that a node stores, and says whether the
// power held until its end.
func (l *cutLife) morning(failed <-chan struct{}) bool {
	c := l.Centre
	lu := l.Announcement("lu", broadcast.Emergency, 12*time.Second, 30*time.Second)
	lu.Timing.Repeat, lu.Timing.Window = 300, 900
	steps := []func(){
		func() {
			l.publish(wire.Node(nodetest.NodeID, "document"), c.Authority())
			l.publish(wire.Node(nodetest.NodeID, "assignment"), c.Assignment(nodetest.NodeID, l.Public(), nodetest.Area))
			l.publish(wire.Area(nodetest.Top, "policy"), c.Policy(nil))
			l.List()
		},
		func() { l.announce(l.Announcement("tin", broadcast.Priority, 4*time.Second, 3*time.Second)) },
		func() { l.announce(lu) },
		func() { l.announce(l.long("bao", 14*time.Minute)) },
		func() { l.announce(l.programme("muc", 18*time.Minute)) },
		func() { l.announce(l.Announcement("hop", broadcast.Priority, 18*time.Second, 30*time.Second)) },
		func() { l.announce(l.Announcement("hop-2", broadcast.Priority, 10*time.Minute, 3*time.Second)) },
		func() {}, func() {}, // the emergency sounds
		func() {
			w := broadcast.Withdrawal{ID: "w-lu", Revision: c.Revision("w-lu"), Announcement: "lu", Upto: lu.Revision, Class: lu.Class, Areas: lu.Areas}
			l.publish(wire.Area(nodetest.Top, "withdrawal"), c.Sealed(broadcast.KindWithdrawal, w, nodetest.Top, c.Editor, c.Approver))
			l.List()
		},
		func() {}, func() {}, func() {}, // the meeting sounds
		func() {
			s := broadcast.Silence{ID: "s-1", Revision: c.Revision("s-1"), Areas: []broadcast.ID{nodetest.Top},
				Classes: []broadcast.Class{broadcast.Priority}, Until: c.Instant().Add(time.Hour)}
			l.publish(wire.Area(nodetest.Top, "silence"), c.Sealed(broadcast.KindSilence, s, nodetest.Top, c.Approver))
			l.List()
		},
		func() {},
	}
	for _, step := range steps {
		step()
		select {
		case <-failed:
			return false
		case <-time.After(2 * time.Second):
		}
	}
	return true
}

// long is an emergency whose recording comes in many parts.
func (l *cutLife) long(id broadcast.ID, in time.Duration) broadcast.Announcement {
	a := l.Announcement(id, broadcast.Emergency, in, 5*time.Second)
	raw := bytes.Repeat([]byte("recording of "+id), 3000)
	a.Versions[0].Content = &broadcast.Content{SHA256: l.Centre.PutContent(raw), Millis: 5000, Bytes: int64(len(raw))}
	return a
}

// programme is an emergency of two parts, with a running order.
func (l *cutLife) programme(id broadcast.ID, in time.Duration) broadcast.Announcement {
	a := l.Announcement(id, broadcast.Emergency, in, 2*time.Second)
	content := a.Versions[0].Content
	raw, err := broadcast.Encode(broadcast.RunningOrder{Segments: []broadcast.Segment{{Title: "Mục 1", Content: content}, {Title: "Mục 2", Content: content}}})
	if err != nil {
		l.T.Fatal(err)
	}
	a.Versions[0] = broadcast.Version{Language: "vi", Programme: &broadcast.Programme{SHA256: l.Centre.Put(raw), Millis: 4000, Bytes: int64(len(raw))}}
	return a
}

// afterwards boots the node on what the card has, first with nobody to ask but
// for the time, and then with an office that says everything again.
func (l *cutLife) afterwards() {
	l.Fetcher.Refuse(func(broadcast.Digest) error { return errors.New("no way there") })
	<-time.After(2 * time.Second)
	l.Boot()
	<-time.After(30 * time.Minute)
	l.judgeAlone()
	l.Fetcher.Refuse(nil)
	for _, m := range l.given {
		l.Send(m.Topic, m.Payload)
	}
	l.List()
	<-time.After(time.Hour)
	l.judge()
}

func (l *cutLife) complain(format string, args ...any) {
	l.wrong = append(l.wrong, fmt.Errorf(format, args...))
}

// said says whether the office had a receipt when the power failed.
func (l *cutLife) said(id broadcast.ID, rung broadcast.Rung, reason broadcast.Reason) bool {
	return slices.ContainsFunc(l.proved, func(r broadcast.Receipt) bool {
		return r.Announcement == id && r.Rung == rung && r.Reason == reason
	})
}

// after is how often an item was heard since the power was back.
func (l *cutLife) after(id broadcast.ID) (n int) {
	for _, one := range l.Player.Sounded()[l.heard:] {
		if name, ok := strings.CutPrefix(one.Sounding.Name, string(id)+"-"); ok && strings.Count(name, "-") == 1 {
			n++
		}
	}
	return n
}

// judgeAlone holds the node to what the office had its word for: it has nothing
// but its card.
func (l *cutLife) judgeAlone() {
	withdrawn := l.said("lu", broadcast.Withdrawn, broadcast.WhyWithdrawn)
	silenced := l.said("hop", broadcast.Interrupted, broadcast.WhySilence)
	if n := l.after("lu"); withdrawn && n > 0 {
		l.complain("what is withdrawn was heard %d times", n)
	}
	if n := l.after("hop-2"); silenced && n > 0 {
		l.complain("what is silenced was heard")
	}
	if n := l.after("hop-2"); !silenced && l.said("hop-2", broadcast.Cached, "") && !l.knows("s-1") && n != 1 {
		l.complain("what it said to have was heard %d times", n)
	}
	for _, id := range []broadcast.ID{"bao", "muc"} {
		if l.said(id, broadcast.Cached, "") && l.after(id) != 1 {
			l.complain("emergency %s, that it said to have, was heard %d times", id, l.after(id))
		}
	}
}

// knows says whether the office has given a document at all.
func (l *cutLife) knows(id broadcast.ID) bool {
	return slices.ContainsFunc(l.Centre.Listed(nodetest.Top), func(e broadcast.Entry) bool { return e.ID == id })
}

// judge looks at the whole life.
func (l *cutLife) judge() {
	if err := l.Centre.Err(); err != nil {
		l.complain("it said what no controller accepts: %w", err)
	}
	now := l.Centre.Receipts(nodetest.NodeID)
	if n := len(l.proved); len(now) < n || n > 0 && now[n-1].Prev != l.proved[n-1].Prev {
		l.complain("%d receipts were taken, and the chain begins anew with %d", n, len(now))
	}
	for _, code := range l.Centre.Faults(nodetest.NodeID) {
		if code == broadcast.FaultRolledBack || code == broadcast.FaultStoreCorrupt || code == broadcast.FaultEquivocation {
			l.complain("fault %s", code)
		}
	}
	soundings := map[string]int{}
	for _, one := range l.Player.Sounded() {
		occurrence := one.Sounding.Name[:strings.LastIndex(one.Sounding.Name, "-")]
		soundings[occurrence]++
		if n, most := soundings[occurrence], mostSoundings(occurrence); n > most {
			l.complain("%s sounded %d times, %d at most", occurrence, n, most)
		}
	}
	for _, e := range l.Centre.Listed(nodetest.Top) {
		if e.Kind == broadcast.KindAnnouncement && len(ends(l.Rig, e.ID)) == 0 {
			l.complain("%s has no end: %q", e.ID, l.Centre.Rungs(nodetest.NodeID, e.ID))
		}
	}
}

// mostSoundings is how often one occurrence may be heard in a life with one
// power cut: an emergency that was cut is heard again.
func mostSoundings(occurrence string) int {
	if strings.HasPrefix(occurrence, "tin-") || strings.HasPrefix(occurrence, "hop-") {
		return 1
	}
	return 2
}

// quietly keeps the logs of many lives to itself, and does something more before
// a boot.
func quietly(more func()) func(*node.Config) {
	return func(cfg *node.Config) {
		cfg.Log = slog.New(slog.DiscardHandler)
		if more != nil {
			more()
		}
	}
}
