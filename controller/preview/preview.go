package preview

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/store"
)

// What keeps a node without a preview.
var (
	// ErrNoPlace means that the node has no confirmed assignment yet.
	ErrNoPlace = errors.New("the node has no confirmed place yet; a technician confirms it first")
	// ErrCrowded means that the coming day is too full for any plan of the node:
	// whatever stretch of it is asked for, only emergencies sound.
	ErrCrowded = errors.New("too much is announced for the coming day: the node sounds nothing but emergencies until some of it is withdrawn or over")
)

// Source is where a preview reads from.
type Source struct {
	DB   *store.DB
	Ring *seal.Keyring
	Now  broadcast.Instant
	// Places is today's organisation tree; only a forecast needs it.
	Places seal.Places
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

// Of returns the plan of a node for a window, or for what of it is still to come
// where the whole is too much for one plan. An unknown node is store.ErrNotFound,
// one without a place ErrNoPlace, and one that finds the coming day too full
// ErrCrowded.
func Of(ctx context.Context, src Source, node broadcast.ID, window plan.Window) (plan.Plan, error) {
	n, err := src.DB.Node(ctx, node)
	if err != nil {
		return plan.Plan{}, err
	}
	if n.Status != store.Confirmed || n.Assignment == "" {
		return plan.Plan{}, fmt.Errorf("node %s: %w", node, ErrNoPlace)
	}
	r, err := newReader(src, window)
	if err != nil {
		return plan.Plan{}, err
	}
	doc, err := src.DB.Document(ctx, n.Assignment)
	if err != nil {
		return plan.Plan{}, err
	}
	a, err := placeOf(doc)
	if err != nil {
		return plan.Plan{}, err
	}
	// The node holds itself to its own place, so its rights are asked there.
	r.places = a
	if _, _, err := seal.Open[broadcast.Assignment](src.Ring, broadcast.KindAssignment, doc.Raw, r.context()); err != nil {
		return plan.Plan{}, err
	}
	if err := r.documents(ctx, areasOf(a)); err != nil {
		return plan.Plan{}, err
	}
	if err := r.past(ctx, node); err != nil {
		return plan.Plan{}, err
	}
	in := r.at(a)
	if crowded(in, src.Now) {
		return plan.Plan{}, fmt.Errorf("node %s: %w", node, ErrCrowded)
	}
	return plan.ComputeFrom(in, src.Now)
}

// crowded says that the node, which plans the whole of the coming day whatever
// stretch somebody asks for, finds too much in it, and that this stretch is none
// but a part of it.
func crowded(in plan.Input, now broadcast.Instant) bool {
	day := plan.Window{From: now, To: now.Add(plan.Ahead)}
	if in.Window.From >= day.To || in.Window.To <= day.From || in.Window.From <= day.From && in.Window.To >= day.To {
		return false
	}
	in.Window = day
	_, err := plan.Compute(in)
	return errors.Is(err, plan.ErrTooMany)
}

// standard returns the board that a preview assumes, which nobody may change.
// Its chimes are long to make and always the same.
var standard = sync.OnceValues(makeStandard)

func makeStandard() (plan.Board, error) {
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

// reader gathers the input of plans.
type reader struct {
	src Source
	in  plan.Input
	// places are what the documents are judged by.
	places   seal.Places
	policies []broadcast.Policy
	silences []silence
	// since is from when announcements count that are not listed any more.
	since broadcast.Instant
}

func newReader(src Source, window plan.Window) (*reader, error) {
	board, err := standard()
	return &reader{src: src, since: src.Now, in: plan.Input{Now: src.Now, Window: window, Fresh: max(src.Now, window.To), Clock: broadcast.ClockProved,
		Board: board, Live: true, Orders: map[broadcast.Digest]broadcast.RunningOrder{}}}, err
}

// placeOf reads the place of a node, believed or not.
func placeOf(doc store.Document) (broadcast.Assignment, error) {
	env, err := seal.Parse(broadcast.KindAssignment, doc.Raw)
	if err != nil {
		return broadcast.Assignment{}, err
	}
	payload, err := env.PayloadBytes()
	if err != nil {
		return broadcast.Assignment{}, err
	}
	return broadcast.Decode[broadcast.Assignment](payload)
}

// areasOf are the areas that a node belongs to.
func areasOf(a broadcast.Assignment) []broadcast.ID {
	var out []broadcast.ID
	for _, p := range a.Chain {
		out = append(out, p.Area)
	}
	return out
}

func (r *reader) context() seal.Context { return seal.Context{Places: r.places, Listed: true} }
