package plan

import "github.com/loaxa/loaxa/broadcast"

// allowance is what one class may sound on one local day. A sounding belongs to
// the day on which it begins.
type allowance struct {
	class broadcast.Class
	day   int64
}

// allowanceOf counts drills among the normal items.
func allowanceOf(drill bool, class broadcast.Class, at broadcast.Instant) allowance {
	if drill {
		class = broadcast.Normal
	}
	return allowance{class, dayOf(at)}
}

// spend books what sounded.
func (p *planner) spend(drill bool, class broadcast.Class, at broadcast.Instant, millis int64) {
	p.spent[allowanceOf(drill, class, at)] += millis
}

// exceeds says whether the day's minutes do not hold the whole sounding.
func (p *planner) exceeds(b *bulletin, from broadcast.Instant, millis int64) bool {
	limit, bound := p.in.Law.Budget(b.lawClass(), from)
	return bound && p.spent[allowanceOf(b.Drill, b.a.Class, from)]+millis > limit.Milliseconds()
}
