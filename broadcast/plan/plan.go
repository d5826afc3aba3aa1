package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// ErrTooMany means that more than MaxEntries occurrences fall into the window.
// The plan that comes with it holds the emergencies alone that enough people
// signed, so that a node under a flood of documents still warns; ask again for a
// shorter window.
var ErrTooMany = errors.New("too many occurrences for one plan; ask for a shorter window")

// Plan is what one node will sound and, for what it will not, why.
type Plan struct {
	Node    broadcast.ID `json:"node"`
	Window  Window       `json:"window"`
	Entries []Entry      `json:"entries"`
	// WithoutHistory says that neither the node's own past nor what feeds it was
	// known: it may lack the power for what stands here.
	WithoutHistory bool `json:"without_history,omitempty"`
}

// Digest is the SHA-256 of the canonical encoding of Entries, by which two plans
// are compared. It takes about as long as the plan itself.
func (p Plan) Digest() (broadcast.Digest, error) {
	b, err := broadcast.Encode(p.Entries)
	if err != nil {
		return "", fmt.Errorf("plan: digest: %w", err)
	}
	return broadcast.Sum(b), nil
}

// Entry is one occurrence with its verdict.
type Entry struct {
	Announcement broadcast.ID       `json:"announcement"`
	Revision     broadcast.Revision `json:"revision"`
	// Payload is the body of which it speaks.
	Payload broadcast.Digest `json:"payload,omitempty"`
	Class   broadcast.Class  `json:"class"`
	Drill   bool             `json:"drill,omitempty"`
	// Start names the occurrence; it sounds then unless it queues or comes late.
	Start broadcast.Instant `json:"start"`
	// Soundings are its attempts in the order of time; none if it stays silent.
	Soundings []Sounding `json:"soundings,omitempty"`
	// Rung is where it ends: ended if it sounds to its end.
	Rung broadcast.Rung `json:"rung"`
	// Reason says why it does not end well; empty if it does.
	Reason broadcast.Reason `json:"reason,omitempty"`
	// At is when the verdict falls. A node journals it then, not before.
	At broadcast.Instant `json:"at"`
	// Inside names the programme of the commune in which an offer sounds.
	Inside broadcast.ID `json:"inside,omitempty"`
	// Notes say what is missing from it although it sounds.
	Notes []Note `json:"notes,omitempty"`
}

// Sounding is one attempt at an occurrence.
type Sounding struct {
	// Attempt is 1 for the first; Why is the reason of every later one.
	Attempt int64            `json:"attempt"`
	Why     broadcast.Reason `json:"why,omitempty"`
	// On is when the relay closes, or from when it must be kept closed; From
	// is the first sample, To the end of the last.
	On   broadcast.Instant `json:"on"`
	From broadcast.Instant `json:"from"`
	To   broadcast.Instant `json:"to"`
	// Offset is how far into the item the first sample lies.
	Offset int64 `json:"offset_ms,omitempty"`
	// Chime names the chime at the head of the item; empty for none.
	Chime string `json:"chime,omitempty"`
	// Volume is in percent of full scale, all ceilings applied.
	Volume int64 `json:"volume,omitempty"`
	// Parts are what sounds, in order. Those after To are cut.
	Parts []Part `json:"parts,omitempty"`
}

// Part is one recording, relay or live body of an item.
type Part struct {
	Language broadcast.Language `json:"language"`
	// SHA256 names the recording; a live part has none.
	SHA256 broadcast.Digest `json:"sha256,omitempty"`
	// Station and Session name what a relay relays, and the live body that it is.
	Station broadcast.ID  `json:"station,omitempty"`
	Session broadcast.Key `json:"session,omitempty"`
	// At is its place in the item, chime included, and Millis its length.
	At     int64 `json:"at_ms"`
	Millis int64 `json:"ms"`
	// Segment counts the segments of a programme from 1; 0 outside of one.
	Segment int64 `json:"segment,omitempty"`
	// Offer names the announcement that the segment places.
	Offer broadcast.ID `json:"offer,omitempty"`
}

// Note is something missing from an occurrence that sounds.
type Note struct {
	Reason   broadcast.Reason   `json:"reason"`
	Language broadcast.Language `json:"language,omitempty"`
	Segment  int64              `json:"segment,omitempty"`
}

// Compute returns the plan of a node for a window. An error other than
// ErrTooMany means input that no caller can mean; whatever a verified document
// can say gets a verdict instead.
func Compute(in Input) (Plan, error) {
	if err := in.check(); err != nil {
		return Plan{}, fmt.Errorf("plan: %w", err)
	}
	p := judged(&in)
	if !p.full() {
		p.arrange()
		if len(p.listed()) <= MaxEntries {
			return p.plan(), nil
		}
	}
	in.Items = slices.DeleteFunc(slices.Clone(in.Items), func(i Item) bool {
		return i.Drill || i.Announcement.Class != broadcast.Emergency || !in.lets(i)
	})
	p = judged(&in)
	p.arrange()
	return p.plan(), ErrTooMany
}

// Ahead is how far beyond the present a node plans. What it finds too much for
// one plan within it keeps everything but emergencies silent.
const Ahead = 24 * time.Hour

// ComputeFrom is Compute or, where that is too much for one plan, Compute of what
// is left of the window from now on: what is over need not stand in the way of
// what is to come. The window of the plan says which it is.
func ComputeFrom(in Input, now broadcast.Instant) (Plan, error) {
	p, err := Compute(in)
	if !errors.Is(err, ErrTooMany) || now <= in.Window.From || now >= in.Window.To {
		return p, err
	}
	in.Window.From = now
	return Compute(in)
}

func judged(in *Input) *planner {
	p := newPlanner(in)
	p.judge()
	return p
}

// full says that the window holds too much, whatever becomes of it: then it
// need not be arranged.
func (p *planner) full() bool {
	n, w := 0, p.in.Window
	for _, e := range p.entries {
		if e.Start >= w.From && e.Start < w.To {
			n++
		}
	}
	return p.over || n > MaxEntries
}

func (p *planner) plan() Plan {
	entries := p.listed()
	slices.SortFunc(entries, compareEntries)
	entries = entries[:min(len(entries), MaxEntries)]
	return Plan{Node: p.in.Assignment.Node, Window: p.in.Window, Entries: entries, WithoutHistory: p.in.WithoutHistory}
}

// listed are the entries that belong to the window: those that start in it and
// those from before that still sound or get their verdict in it.
func (p *planner) listed() []Entry {
	var out []Entry
	w := p.in.Window
	for _, e := range p.entries {
		if e.Start < w.To && (e.Start >= w.From || e.At >= w.From) {
			out = append(out, *e)
		}
	}
	return out
}

// compareEntries sorts by the moment of sounding, or of the start if none, and
// then by everything that makes an occurrence unique.
func compareEntries(a, b Entry) int {
	return cmp.Or(cmp.Compare(a.moment(), b.moment()), cmp.Compare(b.Class.Rank(), a.Class.Rank()),
		cmp.Compare(a.Start, b.Start), cmp.Compare(a.Announcement, b.Announcement),
		cmp.Compare(a.Revision, b.Revision), compareBool(a.Drill, b.Drill), cmp.Compare(a.Payload, b.Payload))
}

func (e Entry) name() occurrence {
	return occurrence{document{e.Drill, e.Announcement, e.Revision, e.Payload}, e.Start}
}

func (e Entry) moment() broadcast.Instant {
	if len(e.Soundings) > 0 {
		return e.Soundings[0].From
	}
	return e.Start
}

// compareBool puts false first.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
