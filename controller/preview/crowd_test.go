package preview_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/controller/preview"
)

// coming are the entries of a plan that are due from now on in all of some windows, each
// as text.
func coming(p plan.Plan, now broadcast.Instant, others ...plan.Window) map[string]bool {
	out := map[string]bool{}
	for _, e := range p.Entries {
		in := e.Start >= now
		for _, w := range others {
			in = in && e.Start >= w.From && e.Start < w.To
		}
		if in {
			out[fmt.Sprintf("%+v", e)] = true
		}
	}
	return out
}

// Whatever stretch of the coming day an office looks at, it sees of it what the
// node's own plan has, which looks at the whole of it: also where the past alone
// is too much for one plan, and where the day is.
func TestAPreviewOfAnyStretchAgreesWithTheNode(t *testing.T) {
	for name, c := range map[string]struct {
		floods int // each of more than 360 occurrences
		in     time.Duration
		want   error
	}{
		"an ordinary day": {1, time.Hour, nil},
		"a full past":     {plan.MaxEntries/360 + 1, -7 * time.Hour, nil},
		"a full day":      {plan.MaxEntries/360 + 1, 10 * time.Hour, preview.ErrCrowded},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			two := r.Named("duyet-2")
			for n := range c.floods {
				a := r.item(func(a *broadcast.Announcement) {
					a.ID, a.Class, a.Timing.Start = broadcast.ID(fmt.Sprintf("lu-%d", n)), broadcast.Emergency, r.Now().Add(c.in)
					a.Timing.Repeat, a.Timing.Window = 60, 6*3600
					a.Versions[0].Content.Millis = 300
				})
				r.list(broadcast.KindAnnouncement, a.ID, a.Revision, broadcast.BacQuang, a, r.officer, two)
			}
			for n := range 8 {
				a := r.item(func(a *broadcast.Announcement) {
					a.ID, a.Timing.Start = broadcast.ID(fmt.Sprintf("tin-%d", n)), r.Now().Add(time.Duration(n)*time.Hour+90*time.Second)
				})
				r.list(broadcast.KindAnnouncement, a.ID, a.Revision, broadcast.BacQuang, a, r.officer, two)
			}
			now := r.Now()
			day := plan.Window{From: now.Add(-plan.Ahead), To: now.Add(plan.Ahead)}
			node, err := r.over("tan-lap-1", day)
			if errors.Is(err, plan.ErrTooMany) != (c.want != nil) || c.want == nil && (err != nil || len(coming(node, now)) < 8) {
				t.Fatalf("%d entries, %v", len(node.Entries), err)
			}
			seed := rand.Uint64()
			for random, n := rand.New(rand.NewPCG(seed, 0)), 0; n < 12; n++ {
				from := now.Add(time.Duration(random.IntN(26)-3) * time.Hour)
				w := plan.Window{From: from, To: max(from, now).Add(time.Duration(1+random.IntN(8)) * time.Hour)}
				p, err := r.over("tan-lap-1", w)
				if !errors.Is(err, c.want) {
					t.Fatalf("seed %d: %+v: %v", seed, w, err)
				}
				if diff := cmp.Diff(coming(node, now, day, w), coming(p, now, day, w)); diff != "" && err == nil {
					t.Fatalf("seed %d: %+v (-node +preview):\n%s", seed, w, diff)
				}
			}
		})
	}
}
