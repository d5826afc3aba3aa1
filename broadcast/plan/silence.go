package plan

import (
	"cmp"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
)

// inForce keeps one revision of every silence: the newest, unless it comes from
// a lower level than the one it would change or lift.
func inForce(list []Silence) []Silence {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(a, b Silence) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Revision, b.Revision), cmp.Compare(a.Level.Rank(), b.Level.Rank()))
	})
	var out []Silence
	for _, s := range sorted {
		last := len(out) - 1
		switch {
		case last < 0 || out[last].ID != s.ID:
			out = append(out, s)
		case s.Level.Rank() <= out[last].Level.Rank():
			out[last] = s
		}
	}
	return out
}

// silenced says whether a silence is in force at the first sample.
func silenced(p *planner, b *bulletin, from, _ broadcast.Instant) bool {
	return slices.ContainsFunc(p.silences, func(s Silence) bool {
		return s.Revision.IssuedAt() <= from && from < s.Until && p.in.Assignment.Within(s.Areas) && s.bars(b)
	})
}

// silencedFrom is when a silence begins inside a sounding, if one does. Issues
// lie a little ahead of the node's clock at times.
func (p *planner) silencedFrom(b *bulletin, from, to broadcast.Instant) (broadcast.Instant, bool) {
	first := to
	for _, s := range p.silences {
		if at := s.Revision.IssuedAt(); at > from && at < first && p.in.Assignment.Within(s.Areas) && s.bars(b) {
			first = at
		}
	}
	return first, first < to
}

// bars says whether the silence reaches the bulletin: it cuts its own level and
// the levels below. A drill is barred by a silence of any class. An emergency
// is barred only by a silence that names emergencies, was itself signed like
// one and lasts at most an hour, and never if it was issued after the silence.
func (s Silence) bars(b *bulletin) bool {
	switch {
	case b.level.Rank() < s.Level.Rank():
		return false
	case b.Drill:
		return len(s.Classes) > 0
	case !slices.Contains(s.Classes, b.a.Class):
		return false
	case !b.emergency():
		return true
	}
	return s.Emergency && s.Until.Sub(s.Revision.IssuedAt()) <= broadcast.MaxEmergencySilence &&
		b.a.Revision <= s.Revision
}
