package records

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// tally counts the airings of a period.
type tally struct {
	*scribe
	period    Period
	soundings int
	proof     Proof
	seen      map[broadcast.ID]bool
	classes   map[broadcast.Class]*ClassReport
	refusals  map[broadcast.Reason]int
	nodes     map[broadcast.ID]*Proof
	work      map[broadcast.ID]*Work
	// heard is by day, then by node, then by class; the class "" has all.
	heard map[string]map[broadcast.ID]map[broadcast.Class]time.Duration
}

func newTally(s *scribe, p Period) *tally {
	return &tally{scribe: s, period: p, seen: map[broadcast.ID]bool{}, classes: map[broadcast.Class]*ClassReport{}, refusals: map[broadcast.Reason]int{},
		nodes: map[broadcast.ID]*Proof{}, work: map[broadcast.ID]*Work{}, heard: map[string]map[broadcast.ID]map[broadcast.Class]time.Duration{}}
}

// count takes one airing in.
func (t *tally) count(a airing) {
	doc := a.announcement.Document
	class := t.class(doc.Class)
	t.soundings++
	class.Soundings++
	if !t.seen[doc.ID] {
		t.seen[doc.ID] = true
		class.Announcements++
		t.workOf(a.announcement.Author).Written++
		for _, signed := range a.announcement.Signatures {
			t.workOf(signed.Person).Signed++
		}
	}
	for _, o := range a.nodes {
		var one Proof
		one.count(o)
		t.proof.add(one)
		class.Proof.add(one)
		t.node(o.node).add(one)
		if o.expected && o.reason != "" && o.result == silent {
			t.refusals[o.reason]++
		}
		t.hear(dayOf(a.start), o, doc.Class)
	}
}

func (t *tally) class(c broadcast.Class) *ClassReport {
	if t.classes[c] == nil {
		t.classes[c] = &ClassReport{Class: string(c)}
	}
	return t.classes[c]
}

func (t *tally) node(id broadcast.ID) *Proof {
	if t.nodes[id] == nil {
		t.nodes[id] = &Proof{}
	}
	return t.nodes[id]
}

// workOf is the row of a person; who fired something with a key has no name.
func (t *tally) workOf(id broadcast.ID) *Work {
	if t.work[id] == nil {
		t.work[id] = &Work{Who: t.who(id)}
	}
	return t.work[id]
}

func (t *tally) hear(day string, o outcome, class broadcast.Class) {
	if t.heard[day] == nil {
		t.heard[day] = map[broadcast.ID]map[broadcast.Class]time.Duration{}
	}
	if t.heard[day][o.node] == nil {
		t.heard[day][o.node] = map[broadcast.Class]time.Duration{}
	}
	t.heard[day][o.node][class] += o.heard
	t.heard[day][o.node][""] += o.heard
}

// most is how many whole minutes that node sounded on a day which sounded most.
func (t *tally) most(day broadcast.Instant, class broadcast.Class) int64 {
	var out time.Duration
	for _, classes := range t.heard[dayOf(day)] {
		out = max(out, classes[class])
	}
	return int64(out / time.Minute)
}

// into writes what was counted.
func (t *tally) into(out *Report) {
	out.Announcements, out.Soundings, out.Proof = len(t.seen), t.soundings, t.proof
	out.Classes, out.Nodes, out.People = []ClassReport{}, []NodeReport{}, []Work{}
	for _, c := range broadcast.Classes() {
		out.Classes = append(out.Classes, *t.class(c))
	}
	for _, n := range t.nodesIn(t.period.Area, min(t.period.To, t.now())) {
		out.Nodes = append(out.Nodes, NodeReport{Node: string(n.ID), AreaName: t.nameOf(n.Area, min(t.period.To, t.now())), Proof: *t.node(n.ID)})
	}
	for _, reason := range slices.Sorted(maps.Keys(t.refusals)) {
		words := reason.Words()
		out.Refusals = append(out.Refusals, Refused{Code: string(reason), VI: words.VI, EN: words.EN, Count: t.refusals[reason]})
	}
	for _, id := range slices.Sorted(maps.Keys(t.work)) {
		if id != "" {
			out.People = append(out.People, *t.work[id])
		}
	}
	slices.SortStableFunc(out.People, func(a, b Work) int { return cmp.Compare(b.Written+b.Signed, a.Written+a.Signed) })
}
