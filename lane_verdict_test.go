package loaxa

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// judge stops the nodes and compares what they wrote down themselves with what
// the controller says, and with the law.
func (k *killed) judge() {
	k.Helper()
	k.until("every relay is open", func() bool {
		return !slices.ContainsFunc(k.names(), func(n string) bool { e := k.edges(n); return e[len(e)-1].Closed })
	})
	k.sim.stop()
	journals, sounded := map[string][]broadcast.Receipt{}, map[string][]recording{}
	for _, node := range k.names() {
		journals[node], sounded[node] = k.journal(node), k.recordings(node)
		k.openedBetween(node, sounded[node])
	}
	for title, class := range k.titles {
		ids := k.found(title)
		if len(ids) > 1 {
			k.Errorf("%q was announced %d times", title, len(ids))
		}
		for _, id := range ids {
			d, err := k.deliveries(id)
			if err != nil {
				k.Fatal(err)
			}
			for _, n := range d.Nodes {
				k.compare(class, n, of(journals[n.Node], id))
				k.obeyed(class, n.Node, of(journals[n.Node], id), id, sounded[n.Node])
			}
		}
	}
}

// of are the receipts about one announcement.
func of(all []broadcast.Receipt, id string) []broadcast.Receipt {
	return slices.DeleteFunc(slices.Clone(all), func(r broadcast.Receipt) bool { return string(r.Announcement) != id || r.Start == 0 })
}

// compare checks that the node's own journal ends the occurrence once, and as
// the controller says.
func (k *killed) compare(class string, n delivery, own []broadcast.Receipt) {
	k.Helper()
	ends := map[int64][]broadcast.Receipt{}
	last := int64(0)
	for _, r := range own {
		last = max(last, r.Attempt)
		if r.Rung.Terminal() {
			ends[r.Attempt] = append(ends[r.Attempt], r)
		}
		if r.Start != own[0].Start {
			k.Errorf("%s: %s has two occurrences, %v and %v", n.Node, r.Announcement, own[0].Start, r.Start)
		}
	}
	for attempt := min(1, last); attempt <= last; attempt++ {
		if len(ends[attempt]) != 1 {
			k.Errorf("%s: attempt %d of %s ends %d times: %+v", n.Node, attempt, class, len(ends[attempt]), own)
			return
		}
	}
	if end := ends[last][0]; string(end.Rung) != n.End || end.Reason != n.Reason.Code || last != n.Attempts {
		k.Errorf("%s: the node's journal says %s %s in %d attempts, the controller %s %s in %d",
			n.Node, end.Rung, end.Reason, last, n.End, n.Reason.Code, n.Attempts)
	}
}

// obeyed checks law 5: what was interrupted sounds again only as an emergency,
// or where it gave way, never more than three times, and says why.
func (k *killed) obeyed(class, node string, own []broadcast.Receipt, id string, all []recording) {
	k.Helper()
	soundings := slices.DeleteFunc(slices.Clone(all), func(r recording) bool { return r.announcement != id })
	most := map[string]int{"emergency": 3, "priority": 2, "normal": 1}[class]
	if len(soundings) > most {
		k.Errorf("%s: %s sounded %d times", node, class, len(soundings))
	}
	for _, s := range soundings {
		if !slices.ContainsFunc(own, func(r broadcast.Receipt) bool { return r.Rung == broadcast.Playing && r.Attempt == s.attempt }) {
			k.Errorf("%s: attempt %d of %s sounded and was not journalled before: %+v", node, s.attempt, class, own)
		}
	}
	for _, r := range own {
		if r.Attempt > 1 && r.Reason == "" {
			k.Errorf("%s: attempt %d of %s does not say why: %+v", node, r.Attempt, class, r)
		}
		if r.Attempt > 1 && class != "emergency" && !gaveWay(own, r.Attempt-1) {
			k.Errorf("%s: %s was tried again although it did not give way: %+v", node, class, own)
		}
	}
}

func gaveWay(own []broadcast.Receipt, attempt int64) bool {
	return slices.ContainsFunc(own, func(r broadcast.Receipt) bool {
		return r.Attempt == attempt && r.Rung == broadcast.Interrupted && r.Reason == broadcast.WhyPreempted
	})
}

// openedBetween checks that every sounding had the relay closed for its
// warm-up, that no two overlap, and that the relay closed for nothing else than
// soundings and what a kill came before.
func (k *killed) openedBetween(node string, sounded []recording) {
	k.Helper()
	edges := k.edges(node)
	closings := 0
	for _, e := range edges {
		if e.Closed {
			closings++
		}
	}
	if closings > len(sounded)+len(k.died) {
		k.Errorf("%s: the relay closed %d times for %d soundings and %d kills", node, closings, len(sounded), len(k.died))
	}
	slices.SortFunc(sounded, func(a, b recording) int { return cmp.Compare(a.first.UnixNano(), b.first.UnixNano()) })
	over := time.Time{}
	for _, s := range sounded {
		if k.diedBefore(s.first) {
			continue
		}
		last := time.Time{}
		closed := false
		for _, e := range edges {
			if !e.At.After(s.first) {
				last, closed = e.At, e.Closed
			}
		}
		if !closed || s.first.Sub(last) < warmUp-early {
			k.Errorf("%s: a sound began at %v; the relay's edges are %s", node, s.first, times(edges))
		}
		if s.first.Before(over) {
			k.Errorf("%s: two soundings at once at %v", node, s.first)
		}
		over = s.first.Add(time.Duration(len(s.pcm)) * time.Second / 48000)
	}
}

// diedBefore says whether the nodes died while a recording was open whose
// first sample had not left yet: nobody heard it, though the node has to count
// it as heard.
func (k *killed) diedBefore(first time.Time) bool {
	return slices.ContainsFunc(k.died, func(at time.Time) bool { return at.Before(first) && first.Sub(at) < time.Second })
}

func times(edges []relayEdge) string {
	var out string
	for _, e := range edges {
		out += fmt.Sprintf("%s %v; ", e.At.Format("15:04:05.000"), e.Closed)
	}
	return out
}
