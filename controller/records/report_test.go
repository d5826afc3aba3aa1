package records_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/records"
	"github.com/loaxa/loaxa/controller/store"
)

// TestTheReportCountsWhatTheNodesOwnReceiptsSay lets twelve nodes end six
// announcements in ways drawn by lot, and counts again from what they told.
func TestTheReportCountsWhatTheNodesOwnReceiptsSay(t *testing.T) {
	r := newRig(t)
	seed := uint64(time.Now().UnixNano())
	lot := rand.New(rand.NewPCG(seed, 1))
	var nodes []broadcast.ID
	for i := range 12 {
		nodes = append(nodes, broadcast.ID(fmt.Sprintf("n%02d", i)))
		r.Node(nodes[i], village)
	}
	r.Node("away", "dong-tam")
	told := map[broadcast.ID][]broadcast.Receipt{}
	for i := range 6 {
		r.Clock.Add(10 * time.Minute)
		a := r.flood(fmt.Sprintf("Lũ %d", i))
		r.Prove("away", desktest.Sounded(a)...)
		for _, n := range nodes {
			var mine []broadcast.Receipt
			switch full := desktest.Sounded(a); lot.IntN(4) {
			case 0:
				mine = full
			case 1:
				mine = []broadcast.Receipt{refused(a, broadcast.WhyContent)}
			case 2:
				mine = full[:5] // it plays, and then tells nothing more
			}
			told[n] = append(told[n], mine...)
			r.Prove(n, mine...)
		}
	}
	r.Clock.Add(10 * time.Minute) // the last one has begun, too
	r.Doubt("n03")
	want := records.Proof{Expected: 72}
	for n, receipts := range told {
		for _, one := range receipts {
			ends := one.Rung == broadcast.Ended || one.Rung == broadcast.Refused
			switch {
			case n == "n03" && ends:
				want.Doubtful++
			case one.Rung == broadcast.Ended:
				want.Sounded++
			case one.Rung == broadcast.Refused:
				want.Silent++
			case one.Rung == broadcast.Sounded && n != "n03":
				want.Millis += one.Evidence.Samples / 48
			}
		}
	}
	want.Unproved = want.Expected - want.Sounded - want.Silent - want.Doubtful
	got := r.report()
	if diff := cmp.Diff(want, got.Proof); diff != "" {
		t.Errorf("seed %d (-own logs +report):\n%s", seed, diff)
	}
	if got.Announcements != 6 || got.Soundings != 6 || len(got.Nodes) != 12 || got.Over || got.Classes[2].Soundings != 6 {
		t.Errorf("seed %d: %+v", seed, got)
	}
	var sum int
	for _, f := range got.Refusals {
		sum += f.Count
	}
	if sum != want.Silent {
		t.Errorf("seed %d: %d refusals, want %d", seed, sum, want.Silent)
	}
	if len(got.People) != 1 || got.People[0] != (records.Work{Who: records.Who{ID: "duyet-1", Name: got.People[0].Who.Name}, Written: 6, Signed: 6}) {
		t.Errorf("%+v", got.People)
	}
}

// regulate has two people sign a policy of the commune.
func (r *rig) regulate(change func(*broadcast.Policy)) {
	r.t.Helper()
	p := broadcast.Policy{Area: commune}
	for _, c := range broadcast.Classes() {
		p.Thresholds = append(p.Thresholds, broadcast.Threshold{Class: c, Officers: 2})
	}
	change(&p)
	ctx, first, second := r.t.Context(), r.Named("duyet-1"), r.Named("duyet-2")
	m, err := r.Desk.ProposePolicy(ctx, first.Person, 0, p)
	for _, who := range []desktest.Somebody{first, second} {
		if err == nil {
			_, err = r.Desk.SignPolicy(ctx, who.Person, who.Credential, commune, m.Digest)
		}
	}
	if err != nil {
		r.t.Fatal(err)
	}
}

// TestMinutesAreThoseThatOneNodeProvedRoundedDown: two nodes that prove half
// each are no whole.
func TestMinutesAreThoseThatOneNodeProvedRoundedDown(t *testing.T) {
	r := newRig(t)
	r.regulate(func(p *broadcast.Policy) { p.Minimum = 2 })
	r.Node("n1", village)
	r.Node("n2", village)
	a := r.flood("một")
	r.Prove("n1", desktest.Sounded(a)...) // 90 seconds
	r.Clock.Add(10 * time.Minute)
	b := r.flood("hai")
	r.Prove("n2", desktest.Sounded(b)...)
	day := r.report().Days[21]
	if day.Day != first || day.All != 1 || day.Emergency != 1 || day.Normal != 0 || day.Minimum == nil || *day.Minimum != 2 || day.Short {
		t.Errorf("%+v", day)
	}
	r.nextDay()
	if day := r.report().Days[21]; !day.Short {
		t.Errorf("a day that is over: %+v", day)
	}
	r.Prove("n2", desktest.Sounded(a)...)
	if day := r.report().Days[21]; day.All != 3 || day.Short {
		t.Errorf("%+v", day)
	}
}

func TestAvailabilityIsNeverRoundedUp(t *testing.T) {
	r := newRig(t)
	for _, id := range []broadcast.ID{"n1", "n2", "n3", "n4"} {
		r.Node(id, village)
	}
	from := r.Now()
	at := func(d time.Duration) broadcast.Instant { return from.Add(d) }
	fault := func(id, node broadcast.ID, code broadcast.FaultCode, since, cleared time.Duration) store.Fault {
		f := store.Fault{ID: id, Node: node, Code: code, Since: at(since), Shown: at(since)}
		if cleared != 0 {
			f.Cleared = at(cleared)
		}
		return f
	}
	list := []store.Fault{
		fault("a", "n2", broadcast.FaultNodeGone, 10*time.Minute, 10*time.Minute+time.Second),
		fault("b", "n3", broadcast.FaultNodeGone, time.Hour, 0),
		fault("c", "n2", broadcast.FaultMains, 10*time.Minute, 40*time.Minute),
	}
	for i := range 200 {
		list = append(list, fault(broadcast.ID(fmt.Sprintf("z%03d", i)), "n4", broadcast.FaultMains, time.Duration(i)*time.Minute, time.Duration(i)*time.Minute+time.Second))
	}
	r.Update(func(tx store.Tx) error { return tx.SaveFaults(t.Context(), list) })
	r.Clock.Add(10 * time.Hour)
	got := r.report()
	share := func(i int) string {
		if got.Nodes[i].Available == nil {
			return "unknown"
		}
		return fmt.Sprint(*got.Nodes[i].Available)
	}
	// A second of ten hours is less than a thousandth.
	for i, want := range []string{"1000", "999", "100", "unknown"} {
		if share(i) != want {
			t.Errorf("%s: %s, want %s", got.Nodes[i].Node, share(i), want)
		}
	}
	if got.Nodes[1].Gone != 1 || got.Nodes[2].Gone != 540 {
		t.Errorf("%+v", got.Nodes)
	}
	r.Update(func(tx store.Tx) error {
		return tx.AddBlindSpell(t.Context(), store.BlindSpell{From: at(5 * time.Hour), To: at(6 * time.Hour)})
	})
	r.Update(func(tx store.Tx) error {
		return tx.SaveFaults(t.Context(), []store.Fault{fault("zz", "", broadcast.FaultBrokerGone, 330*time.Minute, 390*time.Minute)})
	})
	if got = r.report(); share(0) != "850" || got.Nodes[0].Gone != 90 {
		t.Errorf("while nobody watched: %s, %+v", share(0), got.Nodes[0])
	}
	for _, f := range got.Faults {
		if f.Code == string(broadcast.FaultNodeGone) && (f.Count != 2 || f.Open != 1 || f.Mean != 1 || f.Longest != 1) {
			t.Errorf("%+v", f)
		}
	}
}

// chapter is what another package adds.
type chapter struct{ asked records.Period }

func (c *chapter) Chapter(_ context.Context, p records.Period) (records.Table, error) {
	c.asked = p
	return records.Table{VI: "Phép ngoại lệ", EN: "Exceptions", Head: []string{"Số"}, Rows: [][]string{{"=1+1"}}}, nil
}

func TestChaptersOfOtherPackagesStandInTheReport(t *testing.T) {
	r := newRig(t)
	r.Node("n1", village)
	r.Node("away", "dong-tam")
	c := &chapter{}
	r.config.Chapters = []records.Chapter{c}
	r.records = records.New(r.config)
	got := r.report()
	if len(got.Chapters) != 1 || len(c.asked.Nodes) != 1 || c.asked.Nodes[0] != "n1" || c.asked.To.Sub(c.asked.From) != 30*24*time.Hour {
		t.Errorf("%+v, asked %+v", got.Chapters, c.asked)
	}
	if tables := got.Tables(); tables[len(tables)-1].EN != "Exceptions" {
		t.Errorf("%+v", tables)
	}
	if _, err := json.Marshal(got); err != nil {
		t.Error(err)
	}
}

func TestThereIsNoReportOfWhatNobodyKnows(t *testing.T) {
	r := newRig(t)
	for name, c := range map[string]struct{ area, month string }{
		"nowhere": {"nowhere", "2026-11"}, "a month to come": {commune, "2026-12"}, "no month": {commune, "2026-13"}, "a day": {commune, "2026-11-01"},
	} {
		if _, err := r.records.Report(t.Context(), broadcast.ID(c.area), c.month); !errors.Is(err, records.ErrRecord) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
