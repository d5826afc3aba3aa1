package records

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/store"
)

// result is what came of one planned sounding at one node.
type result string

// The results.
const (
	sounded  result = "sounded"  // proved to its end
	silent   result = "silent"   // ended otherwise, with a reason
	doubtful result = "doubtful" // said by a box that may not be the node
	unproved result = "unproved" // nothing proves an end
)

// outcome is what one node proved of one planned sounding.
type outcome struct {
	node, area broadcast.ID
	// expected says that the node stood in a target area at publishing.
	expected bool
	result   result
	end      broadcast.Rung
	reason   broadcast.Reason
	// heard is how much sound left the card, whatever the end.
	heard time.Duration
}

// airing is one planned sounding, or one that a key fired, at all nodes.
type airing struct {
	announcement desk.Announcement
	// key is what fired it in a box, node where; both empty for the desk's own.
	key         broadcast.Switch
	node        broadcast.ID
	start, ends broadcast.Instant
	nodes       []outcome
}

// maxFirings bounds how many turns of key switches are read at once.
const maxFirings = 1000

// airings returns what was to begin within a time, in order of start.
func (r *Records) airings(ctx context.Context, from, to broadcast.Instant) ([]airing, error) {
	rows, err := r.cfg.DB.AiredBetween(ctx, from, to)
	if err != nil {
		return nil, err
	}
	return r.airingsAnd(ctx, rows, from, to)
}

// airingsAbout returns those that may concern an area: reading what receipts prove
// of everything else takes most of the time of a report.
func (s *scribe) airingsAbout(ctx context.Context, area broadcast.ID, from, to broadcast.Instant) ([]airing, error) {
	rows, err := s.cfg.DB.AiredBetween(ctx, from, to)
	if err != nil {
		return nil, err
	}
	here := func(a broadcast.ID) bool { return s.inside(a, area, from) || s.inside(a, area, to) }
	var nodes []broadcast.ID
	for _, n := range s.nodes {
		if here(n.Area) {
			nodes = append(nodes, n.ID)
		}
	}
	concerned, err := s.cfg.DB.AboutNodes(ctx, nodes, from, to)
	if err != nil {
		return nil, err
	}
	known := map[broadcast.ID]bool{}
	for _, id := range concerned {
		known[id] = true
	}
	var broken error
	rows = slices.DeleteFunc(rows, func(row store.Announcement) bool {
		if known[row.ID] {
			return false
		}
		var body struct{ Areas []broadcast.ID }
		broken = errors.Join(broken, json.Unmarshal([]byte(row.Body), &body))
		return !slices.ContainsFunc(body.Areas, here)
	})
	if broken != nil {
		return nil, broken
	}
	return s.airingsAnd(ctx, rows, from, to)
}

// airingsAnd are those of some announcements, and what was fired in boxes.
func (r *Records) airingsAnd(ctx context.Context, rows []store.Announcement, from, to broadcast.Instant) ([]airing, error) {
	out, err := r.firings(ctx, from, to)
	if err != nil {
		return nil, err
	}
	more, err := r.proved(ctx, rows, from, to)
	if err != nil {
		return nil, err
	}
	out = append(out, more...)
	slices.SortStableFunc(out, func(a, b airing) int { return cmp.Compare(a.start, b.start) })
	return out, nil
}

// proved are the airings of some announcements within a time.
func (r *Records) proved(ctx context.Context, rows []store.Announcement, from, to broadcast.Instant) ([]airing, error) {
	var ids []broadcast.ID
	for _, row := range rows {
		ids = append(ids, row.ID)
	}
	var out []airing
	err := r.cfg.Desk.Proofs(ctx, ids, func(d desk.Deliveries) error {
		out = append(out, airingsOf(d, from, to)...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("what nodes proved of %d announcements: %w", len(ids), err)
	}
	return out, nil
}

// airingsOf are those of one announcement.
func airingsOf(d desk.Deliveries, from, to broadcast.Instant) []airing {
	var length time.Duration
	for _, v := range d.Announcement.Document.Versions {
		length += v.Duration()
	}
	var out []airing
	for _, start := range starts(d, from, to) {
		one := airing{announcement: d.Announcement, start: start, ends: start.Add(length)}
		for _, n := range d.Nodes {
			if o := outcomeOf(n, start); n.Expected || o.result != unproved {
				one.nodes = append(one.nodes, o)
			}
		}
		out = append(out, one)
	}
	return out
}

// starts are the moments at which it was to begin, and those that receipts name.
func starts(d desk.Deliveries, from, to broadcast.Instant) []broadcast.Instant {
	a := d.Announcement
	timing, class := a.Document.Timing, a.Document.Class
	late := timing.Late(class)
	var out []broadcast.Instant
	for at := from; at < to; {
		start, ok := plan.Next(timing, class, at.Add(late), to-1)
		if !ok {
			break
		}
		if start.Add(late) >= a.Published && (a.Withdrawn == 0 || start < a.Withdrawn) {
			out = append(out, start)
		}
		at = start + 1
	}
	for _, n := range d.Nodes {
		for _, o := range told(n.Progress) {
			if from <= o.Start && o.Start < to && !slices.Contains(out, o.Start) {
				out = append(out, o.Start)
			}
		}
	}
	slices.Sort(out)
	return out
}

// told are all occurrences that a node spoke of, surely or not.
func told(p desk.Progress) []desk.Occurrence {
	if p.Claimed == nil {
		return p.Occurrences
	}
	return slices.Concat(p.Occurrences, p.Claimed.Occurrences)
}

func outcomeOf(d desk.Delivery, start broadcast.Instant) outcome {
	out := outcome{node: d.Node, area: d.Area, expected: d.Expected, result: unproved}
	out.end, out.reason, out.heard = endOf(d.Progress, start)
	switch {
	case out.end == broadcast.Ended:
		out.result = sounded
	case out.end != "":
		out.result = silent
	case d.Claimed != nil:
		if end, _, _ := endOf(*d.Claimed, start); end != "" {
			out.result = doubtful
		}
	}
	return out
}

// endOf is how a start ended. A word about the document as a whole, such as a
// refusal, speaks for every start if the node told of none.
func endOf(p desk.Progress, start broadcast.Instant) (broadcast.Rung, broadcast.Reason, time.Duration) {
	i := slices.IndexFunc(p.Occurrences, func(o desk.Occurrence) bool { return o.Start == start })
	switch {
	case i >= 0:
		o := p.Occurrences[i]
		return o.End, o.Reason, heardIn(o)
	case len(p.Occurrences) == 0:
		return p.End, p.Reason, 0
	}
	return "", "", 0
}

// heardIn is what left the sound card in all attempts of an occurrence.
func heardIn(o desk.Occurrence) time.Duration {
	var samples int64
	for _, a := range o.Each {
		if a.Evidence != nil {
			samples += a.Evidence.Samples
		}
	}
	return time.Duration(samples) * time.Second / sampleRate
}

// sampleRate is that of all sound, in samples a second.
const sampleRate = 48000

// firings are what keys and PINs in boxes fired within a time.
func (r *Records) firings(ctx context.Context, from, to broadcast.Instant) ([]airing, error) {
	list, err := r.cfg.Desk.Firings(ctx, "", maxFirings)
	if err != nil {
		return nil, fmt.Errorf("what was fired in boxes: %w", err)
	}
	var out []airing
	for _, f := range list {
		at := f.At
		if f.Clock == broadcast.ClockUnset {
			at = f.Told // its own word for the time means nothing
		}
		if at < from || at >= to {
			continue
		}
		o := outcome{node: f.Node, area: f.Area, expected: true, result: unproved, end: f.End, reason: f.Reason}
		for _, occurrence := range f.Occurrences {
			o.heard += heardIn(occurrence)
		}
		switch {
		case f.End == broadcast.Ended:
			o.result = sounded
		case f.End != "":
			o.result = silent
		case f.Doubtful || f.Claimed != nil:
			o.result = doubtful
		}
		one := airing{key: f.Key, node: f.Node, start: at, ends: at.Add(o.heard), nodes: []outcome{o}}
		one.announcement.ID, one.announcement.Author = f.Announcement, f.Person
		one.announcement.Document = broadcast.Announcement{ID: f.Announcement, Title: f.Title, Class: f.Class, Areas: []broadcast.ID{f.Area}}
		out = append(out, one)
	}
	return out, nil
}

// parts are what sounds in an airing, a segment after the other.
func (r *Records) parts(ctx context.Context, a airing) ([]Part, error) {
	var orders []store.RunningOrder
	var out []Part
	at := a.start
	for _, v := range a.announcement.Document.Versions {
		switch {
		case v.Programme != nil:
			if orders == nil {
				var err error
				if orders, err = r.cfg.DB.RunningOrders(ctx, a.announcement.ID); err != nil {
					return nil, err
				}
			}
			some, err := segments(orders, v, at)
			if err != nil {
				return nil, err
			}
			out = append(out, some...)
		case v.Content != nil:
			out = append(out, Part{From: moment(at), Language: string(v.Language), Content: string(v.Content.SHA256), Millis: v.Content.Millis})
		default:
			out = append(out, Part{From: moment(at), Language: string(v.Language), Millis: v.Duration().Milliseconds()})
		}
		at = at.Add(v.Duration())
	}
	return out, nil
}

func segments(orders []store.RunningOrder, v broadcast.Version, at broadcast.Instant) ([]Part, error) {
	i := slices.IndexFunc(orders, func(o store.RunningOrder) bool { return o.SHA256 == v.Programme.SHA256 })
	if i < 0 {
		return nil, errors.New("the running order of a programme is missing")
	}
	order, err := broadcast.Decode[broadcast.RunningOrder](orders[i].Raw)
	if err != nil {
		return nil, err
	}
	var out []Part
	next := at
	for _, s := range order.Segments {
		if s.Hard > 0 {
			next = at.Add(time.Duration(s.Hard) * time.Millisecond)
		}
		p := Part{From: moment(next), Language: string(v.Language), Title: s.Title, Millis: s.Duration().Milliseconds()}
		switch {
		case s.Content != nil:
			p.Content = string(s.Content.SHA256)
		case s.Offer != nil:
			p.Content = string(s.Offer.Content.SHA256)
		}
		out = append(out, p)
		next = next.Add(s.Duration())
	}
	return out, nil
}
