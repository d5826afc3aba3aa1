package historytest

import (
	"fmt"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
)

// DefaultSlack is how inexactly the instants of a history may be known.
const DefaultSlack = 50 * time.Millisecond

// obey is how soon what has to stop has stopped, fade included, and how soon
// after its start an emergency sounds.
const obey = time.Second

// Judge follows the history of one node. Make one with New.
type Judge struct {
	board plan.Board
	slack time.Duration

	now      broadcast.Instant
	breaches []Breach
	state    State
	// wasAhead is what the clock was ahead until it was set.
	wasAhead time.Duration
	set      broadcast.Instant

	belief
	stage
	duties []duty
	proofs proofs
}

// New returns a judge for a board. Slack is how inexactly instants are known.
func New(board plan.Board, slack time.Duration) *Judge {
	return &Judge{board: board, slack: slack, belief: newBelief(), stage: newStage(), proofs: newProofs()}
}

// Take judges the next event and returns what it broke.
func (j *Judge) Take(e Event) []Breach {
	j.breaches = nil
	if e.At < j.now {
		j.breach(lawEventsOrder, "an event of %s comes after one of %s", e.At, j.now)
	}
	j.now = max(j.now, e.At)
	j.overdue()
	e.tell(j, e.At)
	return j.breaches
}

// Settle judges what must be true once node and controller have met and nothing
// is under way, given the receipts in the node's own journal.
func (j *Judge) Settle(at broadcast.Instant, own []broadcast.Receipt) []Breach {
	j.breaches = nil
	j.now = max(j.now, at)
	j.overdue()
	j.settleSoundings()
	j.settleVerdicts()
	j.compare(own)
	return j.breaches
}

func (j *Judge) breach(law, format string, args ...any) {
	j.breaches = append(j.breaches, Breach{j.now, law, fmt.Sprintf(format, args...)})
}

// local is the time by which the node may honestly act at an instant.
func (j *Judge) local(at broadcast.Instant) broadcast.Instant { return at.Add(j.state.Ahead) }

// reachable says that the node has to obey at once.
func (j *Judge) reachable() bool { return j.state.Runs && j.state.Linked && j.state.Timed }

// tell takes how the node stands now.
func (s State) tell(j *Judge, at broadcast.Instant) {
	before := j.reachable()
	if s.Ahead != j.state.Ahead {
		j.wasAhead, j.set = j.state.Ahead, at
	}
	j.state = s
	switch {
	case !s.Runs:
		if j.sounds != nil || j.closed != 0 {
			j.breach(lawObey, "the node is off and its relay closed")
		}
		j.duties = nil
		j.forget(at)
	case before && !j.reachable():
		j.duties = nil
	case !before && j.reachable():
		j.wake(at)
	}
}

// overdue judges what had to have happened by now.
func (j *Judge) overdue() {
	if j.sounds != nil && j.sounds.stopBy != 0 && j.now > j.sounds.stopBy {
		j.breach(lawObey, "%s goes on; it had to stop by %s: %s", j.sounds.Sounding, j.sounds.stopBy, j.sounds.why)
		j.sounds.stopBy = 0
	}
	if limit := j.board.MaxOn; limit > 0 && j.closed != 0 && !j.told && j.now.Sub(j.closed) > limit+j.slack {
		j.breach(lawMaxOn, "closed since %s", j.closed)
		j.told = true
	}
	j.judgeDuties()
}
