package plan

import (
	"github.com/loaxa/loaxa/broadcast"
)

// runningOrder is a programme as this node can play it.
type runningOrder struct {
	language broadcast.Language
	segments []broadcast.Segment
	// dropped are the segments that this node leaves out, by their index.
	dropped map[int]bool
	length  int64
}

// programme lays out a running order. A relay that this node cannot take and an
// offer that was taken back leave the order; what follows moves up, unless its
// start is fixed.
func (p *planner) programme(b *bulletin, language broadcast.Language, order broadcast.RunningOrder, length int64) body {
	r := &runningOrder{language: language, segments: order.Segments, dropped: map[int]bool{}, length: length}
	var notes []Note
	for i, s := range order.Segments {
		if why := p.missing(b, s); why != "" {
			r.dropped[i] = true
			notes = append(notes, Note{Reason: why, Language: language, Segment: int64(i + 1)})
		}
	}
	parts := r.from(0, 0, 0)
	if len(parts) == 0 {
		return body{notes: append(notes, Note{Reason: broadcast.WhyBody, Language: language})}
	}
	last := parts[len(parts)-1]
	return body{parts: parts, total: last.At + last.Millis, notes: notes, order: r}
}

// missing says why a segment cannot sound here. The commune's signature covers
// the content of an offer; what the offering level took back is left out.
func (p *planner) missing(b *bulletin, s broadcast.Segment) broadcast.Reason {
	switch {
	case s.Relay != nil && !p.relays(b, *s.Relay):
		return broadcast.WhyBody
	case s.Offer != nil:
		return p.takenBack(s.Offer)
	}
	return ""
}

func (p *planner) takenBack(offer *broadcast.OfferRef) broadcast.Reason {
	for _, b := range p.bulletins {
		if b.a.ID != offer.Announcement || b.a.Revision != offer.Revision || b.Drill {
			continue
		}
		switch {
		case withdrawn(p, b):
			return broadcast.WhyWithdrawn
		case superseded(p, b):
			return broadcast.WhySuperseded
		case b.Delisted:
			return broadcast.WhyDelisted
		}
	}
	return ""
}

// from returns the parts after the first `done` segments, for a programme that
// has been running for elapsed milliseconds. A segment begins when the one
// before has ended or exactly at its fixed start, and whatever would run past
// the next fixed start or the end of the programme is cut there. A relay that was
// cut itself goes on until slot, where it would have ended; 0 is for none.
func (r *runningOrder) from(done int, elapsed, slot int64) []Part {
	var parts []Part
	at := elapsed
	for i := done; i < len(r.segments); i++ {
		s := r.segments[i]
		limit := r.limit(i)
		if i == done && slot > 0 {
			limit = min(limit, slot)
		}
		at = max(at, s.Hard)
		if r.dropped[i] || at >= limit {
			continue
		}
		part := Part{Language: r.language, At: at, Millis: min(s.Duration().Milliseconds(), limit-at), Segment: int64(i + 1)}
		switch {
		case s.Content != nil:
			part.SHA256 = s.Content.SHA256
		case s.Relay != nil:
			part.Station, part.Session = s.Relay.Station, broadcast.Key(s.Relay.SessionKey)
		case s.Offer != nil:
			part.SHA256, part.Offer = s.Offer.Content.SHA256, s.Offer.Announcement
		}
		parts = append(parts, part)
		at += part.Millis
	}
	return parts
}

// limit is where a segment must have ended.
func (r *runningOrder) limit(i int) int64 {
	for _, s := range r.segments[i+1:] {
		if s.Hard > 0 {
			return min(s.Hard, r.length)
		}
	}
	return r.length
}
