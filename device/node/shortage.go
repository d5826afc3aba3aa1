package node

import (
	"cmp"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// When a missing recording is worth a fault: it is due soon and was wanted for
// longer than a download in passing takes.
const (
	shortWithin = 2 * time.Hour
	shortAfter  = time.Minute
	// shortStanding is for templates, which nobody knows the hour of.
	shortStanding = time.Hour
)

// shortage is a document that lacks recordings which it may soon need.
type shortage struct {
	of broadcast.ID
	// due is when it sounds, 0 for a template.
	due broadcast.Instant
	// why its recordings are not here, for people.
	why string
}

// shortages lists what lacks recordings although it is due, and when the next
// may come to it if nothing changes; 0 for not before something does.
func (n *Node) shortages() (list []shortage, again time.Duration) {
	now := n.now()
	seen := map[broadcast.ID]bool{}
	for _, w := range n.want {
		f := n.fetches.known[w.digest]
		if f == nil || f.since == 0 || w.tier == tierDocument && !w.order {
			continue
		}
		patience := shortAfter
		switch {
		case w.tier == tierStanding:
			patience = shortStanding
		case w.due.Sub(now) > shortWithin:
			again = sooner(again, n.when(w.due.Add(-shortWithin)))
			continue
		}
		if at := f.since + patience; n.mono() < at {
			again = sooner(again, at)
			continue
		}
		if !seen[w.of] {
			seen[w.of] = true
			list = append(list, shortage{w.of, w.due, cmp.Or(f.why, "the line is slow")})
		}
	}
	return list, again
}

// warnOfMissing declares what lacks recordings before its time, each document by
// its name, and takes back what lacks none any more.
func (n *Node) warnOfMissing() time.Duration {
	list, again := n.shortages()
	still := map[broadcast.ID]bool{}
	for _, s := range list {
		still[s.of] = true
		n.raise(broadcast.FaultContent, string(s.of), s.why)
	}
	for id := range n.short {
		if !still[id] {
			n.clear(broadcast.FaultContent, string(id))
		}
	}
	n.short = still
	return again
}
