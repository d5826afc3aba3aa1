package historytest

import (
	"cmp"
	"maps"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
)

// tolerance is by how many samples of 48 kHz two counts of one sounding may
// differ: a tenth of a second.
const tolerance = 4800

// attempt names one attempt of one body, as receipts do.
type attempt struct {
	occurrence
	payload broadcast.Digest
	number  int64
}

// proofs are the receipts that the controller stored.
type proofs struct {
	chain broadcast.ID
	all   []broadcast.Receipt
	head  broadcast.Digest
	ends  map[attempt]broadcast.Receipt
	// rungs are those that were proved of an attempt.
	rungs map[attempt][]broadcast.Rung
}

func newProofs() proofs {
	return proofs{head: broadcast.Sum(nil), ends: map[attempt]broadcast.Receipt{}, rungs: map[attempt][]broadcast.Rung{}}
}

// tell judges a receipt that the controller stored.
func (p Proved) tell(j *Judge, _ broadcast.Instant) {
	j.link(p)
	r := p.Receipt
	name := attempt{occurrence{r.Announcement, r.Of, r.Start}, r.Payload, r.Attempt}
	if r.Attempt > 1 && r.Reason == "" {
		j.breach(lawReason, "receipt %d, %s", r.Seq, r.Rung)
	}
	if r.TakesBack() {
		j.takeBack(name, r)
		return
	}
	if end, there := j.proofs.ends[name]; there && r.Start != 0 && (r.Rung.Terminal() || r.Rung.Height() >= broadcast.Powered.Height()) {
		j.breach(lawOneEnd, "%s ended as %s and then is %s", name.announcement, end.Rung, r.Rung)
	}
	if r.Start != 0 && r.Rung.Terminal() {
		j.proofs.ends[name] = r
	}
	j.proofs.rungs[name] = append(j.proofs.rungs[name], r.Rung)
	if r.Rung == broadcast.Sounded || r.Rung == broadcast.Ended {
		j.doubt(r)
	}
}

// takeBack judges a verdict that is taken back: only one by a clock that nothing
// had proved, and that had not come so far by the proved time, is open again.
func (j *Judge) takeBack(name attempt, r broadcast.Receipt) {
	end, there := j.proofs.ends[name]
	if !there || end.Clock.Answered() || end.At <= r.At {
		j.breach(lawOneEnd, "%s ended as %s and that is taken back at %s", name.announcement, end.Rung, r.At)
	}
	delete(j.proofs.ends, name)
	delete(j.proofs.rungs, name)
}

// link judges the place of a receipt in its chain.
func (j *Judge) link(p Proved) {
	c := &j.proofs
	if c.chain != "" && c.chain != p.Chain {
		j.breach(lawChain, "chain %s follows chain %s", p.Chain, c.chain)
	}
	c.chain = p.Chain
	want := int64(1)
	if n := len(c.all); n > 0 {
		want = c.all[n-1].Seq + 1
	}
	if p.Receipt.Seq != want || p.Receipt.Prev != c.head {
		j.breach(lawChain, "receipt %d does not follow, %d is due", p.Receipt.Seq, want)
	}
	c.all = append(c.all, p.Receipt)
	head, err := p.Receipt.Digest()
	if err != nil {
		j.breach(lawChain, "receipt %d: %v", p.Receipt.Seq, err)
	}
	c.head = head
}

// doubt compares what a receipt says with what sounded.
func (j *Judge) doubt(r broadcast.Receipt) {
	h := j.soundingOf(r)
	switch {
	case h == nil || !h.over:
		j.breach(lawBoast, "%s of %s, attempt %d: nothing sounded", r.Rung, r.Announcement, r.Attempt)
	case r.Evidence != nil && r.Evidence.Samples > h.samples+tolerance:
		j.breach(lawBoast, "%s claims %d samples, %d left", h.Sounding, r.Evidence.Samples, h.samples)
	case r.Rung == broadcast.Ended && !h.whole:
		j.breach(lawBoast, "%s did not come to its end", h.Sounding)
	}
}

func (j *Judge) soundingOf(r broadcast.Receipt) *heard {
	list := j.heard[occurrence{r.Announcement, r.Of, r.Start}]
	if i := slices.IndexFunc(list, func(h *heard) bool { return h.Attempt == r.Attempt }); i >= 0 {
		return list[i]
	}
	return nil
}

// settleSoundings asks for a receipt of everything that sounded, and why it did
// so again.
func (j *Judge) settleSoundings() {
	for _, name := range slices.SortedFunc(maps.Keys(j.heard), compareOccurrences) {
		for i, h := range j.heard[name] {
			this := j.attemptsAt(name, h.Attempt)
			if len(this) == 0 {
				j.breach(lawJournalled, "%s sounded and no receipt tells of it", h.Sounding)
			}
			if i == 0 || len(this) == 0 || h.paper.emergency() {
				continue
			}
			leftOff := func(a attempt) bool { return h.paper.leavesOff(j.proofs.ends[a].Reason) }
			if !slices.ContainsFunc(j.attemptsAt(name, h.Attempt-1), leftOff) {
				j.breach(lawOften, "%s sounded again and had not had to leave off", h.Sounding)
			}
		}
	}
	for _, a := range slices.SortedFunc(maps.Keys(j.proofs.rungs), compareAttempts) {
		if a.start != 0 && !j.finished(a) {
			j.breach(lawEnded, "%s of %s, attempt %d: %v", a.announcement, a.start, a.number, j.proofs.rungs[a])
		}
	}
}

// leavesOff says whether one that is no emergency may sound again after an end
// with a reason: it gave way, or a relay among other parts had no sound to give.
func (p *paper) leavesOff(why broadcast.Reason) bool {
	failed := why == broadcast.WhyLine || why == broadcast.WhyStation || why == broadcast.WhyUnauthentic
	return why == broadcast.WhyPreempted || failed && p.programme()
}

// finished says that an attempt has its end. One of which nothing is known but
// that the relay closed was none, if its occurrence has an end.
func (j *Judge) finished(a attempt) bool {
	_, ended := j.proofs.ends[a]
	if slices.ContainsFunc(j.proofs.rungs[a], func(r broadcast.Rung) bool { return r != broadcast.Powered }) {
		return ended
	}
	for end := range j.proofs.ends {
		ended = ended || end.occurrence == a.occurrence && end.payload == a.payload
	}
	return ended
}

// attemptsAt are the attempts of a number that began to sound, by the receipts.
func (j *Judge) attemptsAt(name occurrence, number int64) []attempt {
	var out []attempt
	for a, rungs := range j.proofs.rungs {
		if a.occurrence == name && a.number == number && slices.Contains(rungs, broadcast.Playing) {
			out = append(out, a)
		}
	}
	return out
}

func compareOccurrences(a, b occurrence) int {
	return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.announcement, b.announcement), cmp.Compare(a.revision, b.revision))
}

func compareAttempts(a, b attempt) int {
	return cmp.Or(compareOccurrences(a.occurrence, b.occurrence), cmp.Compare(a.payload, b.payload), cmp.Compare(a.number, b.number))
}

// settleVerdicts asks for one verdict on every occurrence that came due while
// the node held it and stood in its areas.
func (j *Judge) settleVerdicts() {
	ends := map[occurrence]int{}
	for a := range j.proofs.ends {
		ends[a.occurrence]++
	}
	for _, id := range slices.Sorted(maps.Keys(j.papers)) {
		for _, p := range j.papers[id] {
			for _, start := range startsOf(p.doc, j.now) {
				if j.owed(p, start) && ends[occurrence{id, p.doc.Revision, start}] == 0 {
					j.breach(lawVerdict, "%s of %s has none", id, start)
				}
			}
		}
	}
}

// owed says whether an occurrence must have its verdict by now: the node holds
// it, stood in its areas and had it before its start, or where it is the only
// one, before its deadline.
func (j *Judge) owed(p *paper, start broadcast.Instant) bool {
	t := p.doc.Timing
	latest, late := start, t.Late(p.doc.Class)
	if t.Recurrence == nil && t.Repeat == 0 {
		latest = start.Add(late)
	}
	return p.since != 0 && !p.lost && max(p.since, p.given) < latest && start.Add(late+p.length()+wakeWithin) < j.now
}

// startsOf are the starts of an announcement up to now.
func startsOf(a broadcast.Announcement, now broadcast.Instant) []broadcast.Instant {
	t := a.Timing
	if t.Recurrence == nil && t.Repeat == 0 {
		return []broadcast.Instant{t.Start}
	}
	step, until := day, t.Until
	if t.Repeat > 0 {
		step, until = broadcast.Instant(t.Repeat*1000), t.Start.Add(t.WindowLength())
	}
	var out []broadcast.Instant
	for at := t.Start; at <= min(until, now); at += step {
		if due(a, at) {
			out = append(out, at)
		}
	}
	return out
}

// day is 24 hours in milliseconds.
const day broadcast.Instant = 24 * 60 * 60 * 1000

// compare holds the node's own journal against what the controller has. The
// journal may have given up its beginning.
func (j *Judge) compare(own []broadcast.Receipt) {
	all := j.proofs.all
	if len(own) == 0 || len(all) == 0 {
		if len(own) != len(all) {
			j.breach(lawBothSides, "the node has %d receipts, the controller %d", len(own), len(all))
		}
		return
	}
	from := own[0].Seq - all[0].Seq
	if from < 0 || int(from)+len(own) != len(all) {
		j.breach(lawBothSides, "the node has receipts %d to %d, the controller up to %d", own[0].Seq, own[len(own)-1].Seq, all[len(all)-1].Seq)
		return
	}
	for i, r := range own {
		a, errA := r.Digest()
		b, errB := all[int(from)+i].Digest()
		if errA != nil || errB != nil || a != b {
			j.breach(lawBothSides, "receipt %d is another there", r.Seq)
			return
		}
	}
}
