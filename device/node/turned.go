package node

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// letGo is how long after its last sample the player may need to leave the stage.
const letGo = 30 * time.Second

// errStuck means that a sounding never ends: nothing could sound any more.
var errStuck = errors.New("the player does not let go of a sounding")

// Turned returns when the node's loop has taken one more event, with one line
// that says what the node is doing. While the loop hangs, or does not run yet,
// it waits for ctx. An error means that the loop turns and can do nothing good:
// a sounding that should long be over holds the stage.
func (n *Node) Turned(ctx context.Context) (string, error) {
	type answer struct {
		status string
		err    error
	}
	out := make(chan answer, 1)
	ask := func() {
		status, err := n.condition()
		out <- answer{status, err}
	}
	select {
	case n.events <- ask:
	case <-n.over:
		return "", errStopped
	case <-ctx.Done():
		return "", ctx.Err()
	}
	select {
	case a := <-out:
		return a.status, a.err
	case <-n.over:
		return "", errStopped
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// condition is what the node is doing.
func (n *Node) condition() (string, error) {
	doing := "silent"
	if r := n.stage.run; r != nil {
		if n.now() > r.natural.Add(lateLimit+letGo) {
			return "", fmt.Errorf("%w: %s of %s", errStuck, r.name.id, r.name.start)
		}
		doing = fmt.Sprintf("sounding %s", r.name.id)
	}
	shown, _ := n.chart.Shown(n.instant())
	return fmt.Sprintf("%s; %d announcements held; clock %s; %d faults", doing, len(n.holdings.items), n.clock.quality, len(shown)), nil
}
