package preview

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/store"
)

// ErrNoPlace means that the node has no confirmed assignment yet.
var ErrNoPlace = errors.New("the node has no confirmed place yet; a technician confirms it first")

// Source is where a preview reads from.
type Source struct {
	DB   *store.DB
	Ring *seal.Keyring
	Now  broadcast.Instant
}

// standard is a board as the profiles have it by default. Boards differ by a
// second or so in when the relay closes, never in when sound begins.
const (
	warmUp = 1500 * time.Millisecond
	tail   = 300 * time.Millisecond
	hold   = 2 * time.Second
)

// maxPast is how many receipts a preview looks at.
const maxPast = 10000

// Of returns the plan of a node for a window. An unknown node is
// store.ErrNotFound, one without a place ErrNoPlace.
func Of(ctx context.Context, src Source, node broadcast.ID, window plan.Window) (plan.Plan, error) {
	n, err := src.DB.Node(ctx, node)
	if err != nil {
		return plan.Plan{}, err
	}
	if n.Status != store.Confirmed || n.Assignment == "" {
		return plan.Plan{}, fmt.Errorf("node %s: %w", node, ErrNoPlace)
	}
	r := &reader{src: src, in: plan.Input{Now: src.Now, Window: window, Fresh: max(src.Now, window.To), Clock: broadcast.ClockProved,
		Orders: map[broadcast.Digest]broadcast.RunningOrder{}}}
	if r.in.Board, err = standard(); err != nil {
		return plan.Plan{}, err
	}
	if r.in.Assignment, err = r.assignment(ctx, n); err != nil {
		return plan.Plan{}, err
	}
	if err := r.documents(ctx); err != nil {
		return plan.Plan{}, err
	}
	if err := r.past(ctx, node); err != nil {
		return plan.Plan{}, err
	}
	return plan.Compute(r.in)
}

// standard is the board that a preview assumes.
func standard() (plan.Board, error) {
	b := plan.Board{WarmUp: warmUp, Tail: tail, Hold: hold, Chimes: map[string]time.Duration{}}
	keys := []string{"drill"}
	for _, c := range broadcast.Classes() {
		keys = append(keys, string(c))
	}
	for _, key := range keys {
		samples, err := media.Chime(key)
		if err != nil {
			return b, err
		}
		b.Chimes[key] = time.Duration(len(samples)) * time.Second / media.SampleRate
	}
	return b, nil
}

// reader gathers the input of one plan.
type reader struct {
	src    Source
	in     plan.Input
	places broadcast.Assignment
}

func (r *reader) assignment(ctx context.Context, n store.Node) (broadcast.Assignment, error) {
	doc, err := r.src.DB.Document(ctx, n.Assignment)
	if err != nil {
		return broadcast.Assignment{}, err
	}
	env, err := seal.Parse(broadcast.KindAssignment, doc.Raw)
	if err != nil {
		return broadcast.Assignment{}, err
	}
	payload, err := env.PayloadBytes()
	if err != nil {
		return broadcast.Assignment{}, err
	}
	a, err := broadcast.Decode[broadcast.Assignment](payload)
	r.places = a
	if err != nil {
		return a, err
	}
	// The node holds itself to its own place, so its rights are asked there.
	_, _, err = seal.Open[broadcast.Assignment](r.src.Ring, broadcast.KindAssignment, doc.Raw, r.context())
	return a, err
}

func (r *reader) context() seal.Context { return seal.Context{Places: r.places, Listed: true} }
