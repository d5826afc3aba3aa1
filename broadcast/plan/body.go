package plan

import (
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// languageGap is the pause between two languages of one item.
const languageGap = time.Second

// body is what of an item sounds on this node, from the end of the chime on.
type body struct {
	parts []Part
	total int64
	notes []Note
	// reason says why nothing of it can sound.
	reason broadcast.Reason
	// order is the running order if the body is a single programme, which can
	// go on at its next segment after it was cut.
	order *runningOrder
}

// choose picks the versions in the area's languages, in the area's order. An
// emergency that has none of them sounds in what language it has.
func (p *planner) choose(b *bulletin) body {
	var out body
	for _, language := range p.in.Assignment.Languages {
		i := slices.IndexFunc(b.a.Versions, func(v broadcast.Version) bool { return v.Language == language })
		if i < 0 {
			out.notes = append(out.notes, Note{Reason: broadcast.WhyLanguage, Language: language})
			continue
		}
		out.add(p.version(b, b.a.Versions[i]))
	}
	for i := 0; len(out.parts) == 0 && b.emergency() && i < len(b.a.Versions); i++ {
		if spare := p.version(b, b.a.Versions[i]); len(spare.parts) > 0 {
			out.add(spare)
		}
	}
	if len(out.parts) == 0 {
		out.reason = broadcast.WhyLanguage
		for _, n := range out.notes {
			if n.Reason != broadcast.WhyLanguage {
				out.reason = n.Reason
			}
		}
	}
	return out
}

// add appends a version after a short pause, or only its notes if it is empty.
func (b *body) add(v body) {
	b.notes = append(b.notes, v.notes...)
	if len(v.parts) == 0 {
		return
	}
	b.order = v.order
	if b.total > 0 {
		b.total += languageGap.Milliseconds()
		b.order = nil
	}
	for _, part := range v.parts {
		part.At += b.total
		b.parts = append(b.parts, part)
	}
	b.total += v.total
}

// version is one language of an item, or a note why this node cannot play it.
func (p *planner) version(b *bulletin, v broadcast.Version) body {
	length := v.Duration().Milliseconds()
	switch {
	case v.Content != nil:
		return body{parts: []Part{{Language: v.Language, SHA256: v.Content.SHA256, Millis: length}}, total: length}
	case v.Spoken() && !b.Speaking:
		return body{notes: []Note{{Reason: broadcast.WhyMicrophone, Language: v.Language}}}
	case v.Spoken():
		return body{parts: []Part{{Language: v.Language, Millis: length}}, total: length}
	case v.Live != nil && p.relays(b, *v.Live):
		return body{parts: []Part{{Language: v.Language, Station: v.Live.Station, Session: broadcast.Key(v.Live.SessionKey), Millis: length}}, total: length}
	case v.Programme == nil:
		return body{notes: []Note{{Reason: broadcast.WhyBody, Language: v.Language}}}
	}
	order, held := p.in.Orders[v.Programme.SHA256]
	if !held {
		return body{notes: []Note{{Reason: broadcast.WhyContent, Language: v.Language}}}
	}
	return p.programme(b, v.Language, order, length)
}

// relays says that this node may take a live body from the controller: relays it
// can, and no emergency ever waits for the voice of somebody else.
func (p *planner) relays(b *bulletin, l broadcast.Live) bool {
	return p.in.Live && l.Source == broadcast.Relay && !b.emergency()
}

// chime is the name of what an item begins with: a drill always has its own,
// other items that of their class where policy says so.
func (p *planner) chime(b *bulletin) string {
	switch {
	case b.Drill:
		return "drill"
	case p.in.Law.Chime(b.a.Class):
		return string(b.a.Class)
	}
	return ""
}

// headLength is how long chime and preamble take before the body begins.
func (p *planner) headLength(b *bulletin) int64 {
	length := p.in.Board.Chimes[p.chime(b)]
	if b.Drill {
		length += p.in.Board.Preamble
	}
	return length.Milliseconds()
}

// volume is the signed percentage of the lowest ceiling between two moments. An emergency passes
// every ceiling but that of the hardware.
func (p *planner) volume(b *bulletin, from, to broadcast.Instant) int64 {
	ceiling := orFull(p.in.Board.Ceiling)
	if !b.emergency() {
		ceiling = min(ceiling, p.in.Law.Ceiling(from, to), orFull(p.in.Assignment.Ceiling))
	}
	return max(1, ceiling*orFull(b.a.Volume)/100)
}

func orFull(percent int64) int64 {
	if percent == 0 {
		return 100
	}
	return percent
}
