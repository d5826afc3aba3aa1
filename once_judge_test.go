package loaxa

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/historytest"
	"github.com/loaxa/loaxa/controller/desk"
	controller "github.com/loaxa/loaxa/controller/store"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store"
)

// judge waits until everything has ended and returns what was broken.
func (w *onceWorld) judge() []string {
	breaches := w.settle()
	now := time.Now()
	for _, s := range w.sites {
		s.halt()
	}
	found, missing := w.told()
	breaches = append(breaches, missing...)
	doubts, err := w.centre.db.Doubts(context.Background())
	w.must(err)
	for id, doubt := range doubts {
		breaches = append(breaches, fmt.Sprintf("%s is doubted: %+v", id, doubt))
	}
	for _, s := range w.sites {
		breaches = append(breaches, s.judged(now, found)...)
	}
	return breaches
}

// told is what the controller tells of every revision of what is published, and
// what it does not tell.
func (w *onceWorld) told() (found []desk.Deliveries, missing []string) {
	ctx, db := context.Background(), w.centre.db
	for id, title := range w.accepted {
		last, err := db.Announcement(ctx, id)
		w.must(err)
		for _, row := range append([]controller.Announcement{last}, w.earlier...) {
			if row.ID != id || slices.ContainsFunc(found, func(d desk.Deliveries) bool { return d.Announcement.SHA256 == row.SHA256 }) {
				continue
			}
			// A row has its newest revision, and tells of that alone.
			w.must(db.Update(ctx, func(tx controller.Tx) error {
				now, err := tx.Announcement(ctx, id)
				w.must(err)
				now.Body, now.Revision, now.SHA256 = row.Body, row.Revision, row.SHA256
				return tx.SaveAnnouncement(ctx, now)
			}))
			d, err := w.centre.desk.Deliveries(ctx, id)
			if err != nil || len(d.Nodes) != len(w.sites) || len(unended(d)) > 0 {
				missing = append(missing, fmt.Sprintf("%s %s was published to %d nodes: %v, not ended: %+v", id, title, len(d.Nodes), err, unended(d)))
			}
			found = append(found, d)
		}
	}
	return found, missing
}

// settle waits until nothing can sound any more, nothing is open at the
// controller and it has every receipt.
func (w *onceWorld) settle() []string {
	<-time.After(7 * time.Minute) // no emergency lives any more, and what gave way is past its deadline
	for range 20 {
		open := 0
		for id := range w.accepted {
			d, err := w.centre.desk.Deliveries(context.Background(), id)
			w.must(err)
			open += len(unended(d))
		}
		if open == 0 {
			return nil
		}
		<-time.After(30 * time.Second)
	}
	return []string{"half an hour later some node has not ended something"}
}

// unended are the nodes that proved something of an announcement and not its
// end. Whom it never reached, because it was withdrawn or over when they came
// back, proves nothing.
func unended(d desk.Deliveries) []desk.Delivery {
	return slices.DeleteFunc(slices.Clone(d.Nodes), func(n desk.Delivery) bool {
		return n.End != "" || n.Rung == "" && len(n.Occurrences) == 0
	})
}

// judged is what was broken at one site.
func (s *onceSite) judged(now time.Time, found []desk.Deliveries) (breaches []string) {
	j, err := store.OpenJournal(s.disk.FS(), "journal", onceJournal())
	s.w.must(err)
	own, err := nodetest.Receipts(j)
	s.w.must(err)
	s.w.must(j.Close())
	for _, p := range s.stored() {
		s.saw(now, p)
	}
	slices.SortStableFunc(s.history, func(a, b historytest.Event) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(rank(a.Fact), rank(b.Fact)))
	})
	for _, b := range historytest.Check(onceBoard(), s.history, own) {
		breaches = append(breaches, fmt.Sprintf("%s: %s%s", s.id, b, s.around(b.At)))
	}
	here, there := endings(own), s.ledger(found)
	if diff := gocmp.Diff(here, there); diff != "" {
		breaches = append(breaches, fmt.Sprintf("%s and the controller tell of different ends (- node, + controller):\n%s", s.id, diff))
	}
	return breaches
}

// around is what was seen of the site up to a minute before a moment.
func (s *onceSite) around(at broadcast.Instant) string {
	var out strings.Builder
	for _, e := range s.history {
		_, given := e.Fact.(historytest.Given)
		if since := at.Sub(e.At); !given && since >= 0 && since < time.Minute {
			fmt.Fprintf(&out, "\n\t%s %T %+v", e.At, e.Fact, e.Fact)
		}
	}
	return out.String()
}

// stored are the receipts that the controller has, chain by chain.
func (s *onceSite) stored() (out []historytest.Proved) {
	db := s.w.centre.db
	chains, err := db.ChainsOf(context.Background(), s.id, 10)
	s.w.must(err)
	slices.SortFunc(chains, func(a, b controller.Chain) int { return cmp.Compare(a.Chain, b.Chain) })
	for _, c := range chains {
		_, rows, err := db.ReceiptsAfter(context.Background(), c.Name(), 0, 1<<20)
		s.w.must(err)
		for _, row := range slices.Backward(rows) {
			r, err := broadcast.Decode[broadcast.Receipt](row.Raw)
			s.w.must(err)
			out = append(out, historytest.Proved{Chain: c.Chain, Receipt: r})
		}
	}
	return out
}

// rank puts events of one millisecond into the order in which they happen.
func rank(f historytest.Fact) int {
	switch fact := f.(type) {
	case historytest.State:
		if fact.Runs {
			return 0
		}
		return 5
	case historytest.Given:
		return 1
	case historytest.Over:
		return 2
	case historytest.Relay:
		return 3
	case historytest.Began:
		return 4
	}
	return 6
}

// endings are all terminal states by the attempt that reached them, as a node
// wrote them down.
func endings(own []broadcast.Receipt) map[string][]string {
	out := map[string][]string{}
	for _, r := range own {
		if r.Start != 0 && r.Rung.Terminal() {
			name := fmt.Sprintf("%s %s of %s attempt %d", r.Announcement, r.Payload.Short(), r.Start, r.Attempt)
			out[name] = append(out[name], fmt.Sprintf("%s %s", r.Rung, r.Reason))
		}
	}
	for name, ends := range out {
		if len(ends) > 1 {
			out[name] = append(ends, "more than one end")
		}
	}
	return out
}

// ledger is the same as the controller tells it.
func (s *onceSite) ledger(found []desk.Deliveries) map[string][]string {
	out := map[string][]string{}
	for _, d := range found {
		for _, n := range d.Nodes {
			if n.Node != s.id {
				continue
			}
			for _, o := range n.Occurrences {
				for _, a := range o.Each {
					if a.Rung == broadcast.Powered && a.End == "" && o.End != "" {
						continue // it was none
					}
					name := fmt.Sprintf("%s %s of %s attempt %d", d.Announcement.Document.ID, d.Announcement.Payload.Short(), o.Start, a.Number)
					out[name] = append(out[name], fmt.Sprintf("%s %s", a.End, a.Reason))
				}
			}
		}
	}
	return out
}
