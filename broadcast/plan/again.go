package plan

import (
	"cmp"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

const (
	// maxSoundings is how often one occurrence of an emergency may begin to
	// sound in all: once, and twice more after interruptions.
	maxSoundings = 3
	// maxAttempts bounds the attempts that failed before any sound.
	maxAttempts = 1000
	// maxSpoiled bounds the attempts that ended by their own recording.
	maxSpoiled = 2
	// headRoom is longer than what sounds before the body of a programme.
	headRoom = 30 * time.Second
)

// spoiled are the reasons that lie in the recording itself: a further attempt
// meets the same bytes and ends the same way.
var spoiled = []broadcast.Reason{broadcast.WhyDecoder, broadcast.WhyContent}

// unasked are the reasons after which an emergency is sounded once more: nobody
// asked for them.
var unasked = []broadcast.Reason{broadcast.WhyCrash, broadcast.WhyStopped, broadcast.WhySound, broadcast.WhyCard, broadcast.WhyRelay,
	broadcast.WhyDecoder, broadcast.WhyContent, broadcast.WhyJournal, broadcast.WhyUnauthentic, broadcast.WhyPower}

// moved are the reasons after which a programme goes on at what follows: it gave
// way, or the relay in it failed.
var moved = []broadcast.Reason{broadcast.WhyPreempted, broadcast.WhyStation, broadcast.WhyLine, broadcast.WhyUnauthentic}

// Again says until when an occurrence may begin to sound once more, after what
// was told of its attempts so far; zero stands for never. Compute plans no later
// attempt than that, and none where it is zero. It may plan less: what a node
// holds, hears and bears besides can only take away from it.
func Again(a broadcast.Announcement, told []Past) broadcast.Instant {
	until := again(&a, told, 0)
	for _, v := range a.Versions {
		if v.Programme != nil {
			until = max(until, again(&a, told, v.Duration()+headRoom))
		}
	}
	return until
}

// again is the one rule of attempts after the first. An emergency sounds again
// after an end that nobody asked for, thrice in all and while its window is
// open. What gave way to a higher class goes on: a programme, which lasts so
// long with its head, until its scheduled end, as it does after a relay in it
// that failed; a priority item begins anew, once, while it is not past its
// deadline; a normal item is over.
func again(a *broadcast.Announcement, told []Past, programme time.Duration) broadcast.Instant {
	if len(told) == 0 {
		return 0
	}
	told = inOrder(told)
	first, last := told[0], told[len(told)-1]
	rung, why := last.verdict()
	gaveWay := rung == broadcast.Interrupted && why == broadcast.WhyPreempted
	goesOn := rung == broadcast.Interrupted && slices.Contains(moved, why) && len(told) <= broadcast.MaxSegments
	switch {
	case last.Running || last.Attempt == 0:
		return 0
	case a.Spoken():
		return 0 // whoever spoke is not there any more
	case a.Class == broadcast.Emergency && !last.Drill:
		if (rung == broadcast.Interrupted || rung == broadcast.Failed) && slices.Contains(unasked, why) && sparing(told) {
			return deadline(a.Class, a.Timing, last.Start)
		}
	case goesOn && programme > 0:
		return first.At.Add(programme) - broadcast.Instant(first.Offset) - 1
	case gaveWay && a.Class == broadcast.Priority && !last.Drill && last.Attempt == 1:
		return deadline(a.Class, a.Timing, last.Start)
	}
	return 0
}

// sparing says that an emergency has soundings left. A recording that ended two
// attempts gets no third.
func sparing(told []Past) bool {
	sounded, bad := 0, 0
	for _, t := range told {
		if t.Rung == broadcast.Failed && slices.Contains(spoiled, t.Reason) {
			bad++
		}
		if t.Millis > 0 || t.Rung.Height() >= broadcast.Playing.Height() || t.Rung == broadcast.Interrupted {
			sounded++
		}
	}
	return sounded < maxSoundings && bad < maxSpoiled && len(told) < maxAttempts
}

func inOrder(told []Past) []Past {
	told = slices.Clone(told)
	slices.SortFunc(told, func(a, b Past) int {
		return cmp.Or(cmp.Compare(a.Attempt, b.Attempt), cmp.Compare(a.At, b.At))
	})
	return told
}

// verdict is where the attempt ended. One without an end that does not run was
// lost together with power or program.
func (p Past) verdict() (broadcast.Rung, broadcast.Reason) {
	if !p.Running && !p.Rung.Terminal() {
		return broadcast.Interrupted, broadcast.WhyCrash
	}
	return p.Rung, p.Reason
}

// Tell adds what a receipt says to what was told of its occurrence before. The
// receipts of a chain come in their order; of two ends of an attempt the first
// counts. A relay that closed tells nothing: where nobody heard anything yet, the
// attempt was none. A verdict that is taken back was never told.
func Tell(told []Past, r broadcast.Receipt) []Past {
	if r.TakesBack() {
		return slices.DeleteFunc(told, func(p Past) bool { return p.Attempt == 0 })
	}
	if r.Start == 0 || r.Rung == broadcast.Powered {
		return told
	}
	i := slices.IndexFunc(told, func(p Past) bool { return p.Attempt == r.Attempt })
	if i < 0 {
		i = len(told)
		told = append(told, Past{Announcement: r.Announcement, Revision: r.Of, Payload: r.Payload, Start: r.Start, Attempt: r.Attempt, At: r.At})
	}
	told[i].tell(r)
	return told
}

// tell adds what one receipt says of the attempt.
func (p *Past) tell(r broadcast.Receipt) {
	if r.Attempt > 1 && (!r.Rung.Terminal() || r.Rung == broadcast.Ended) {
		p.Why = cmp.Or(p.Why, r.Reason)
	}
	switch {
	case p.Rung.Terminal() && p.Rung != "":
	case r.Rung.Terminal():
		p.Rung, p.Reason = r.Rung, r.Reason
	case r.Rung.Height() > p.Rung.Height():
		p.Rung = r.Rung
	}
	if e := r.Evidence; e != nil {
		p.Millis = max(p.Millis, e.Samples/samplesPerMilli)
		p.At = cmp.Or(e.First, p.At)
	}
}

// samplesPerMilli is the rate of which evidence speaks.
const samplesPerMilli = 48
