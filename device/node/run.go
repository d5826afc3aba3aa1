package node

import (
	"context"
	"errors"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/speech"
)

// Player prepares soundings.
type Player interface {
	// Prepare opens the content of a sounding and decodes its first second.
	Prepare(ctx context.Context, s player.Sounding) (Performance, error)
}

// Performance is a prepared sounding: it is played or discarded.
type Performance interface {
	// Play sounds it at its start and returns what was proved.
	Play(ctx context.Context, events player.Events) (player.Evidence, error)
	// Discard gives the decoder back.
	Discard()
}

// run is one sounding on the stage.
type run struct {
	n        *Node
	name     occurrence
	class    broadcast.Class
	sounding plan.Sounding
	aim      broadcast.Instant // of the first sample of the item
	natural  broadcast.Instant // the end of the last sample if nothing cuts it

	ctx         context.Context
	cancel      context.CancelCauseFunc
	performance Performance
	played      bool // handed to the player
	began       bool // journalled as playing
	unwritten   bool // sounds without its journal
	closed      broadcast.Instant
	silent      time.Duration // since when it plays but cannot be heard
	spoken      *broadcast.Content
}

// errDropped ends a sounding that nobody needs any more before it began.
var errDropped = errors.New("no longer planned")

// prepare has the player decode the beginning of a sounding.
func (n *Node) prepare(t target) {
	r := &run{n: n, name: nameOf(t.entry), class: t.entry.Class, sounding: t.sounding, aim: n.aim(t)}
	r.ctx, r.cancel = context.WithCancelCause(n.ctx)
	s, err := n.sounding(t)
	n.stage.next = r
	if err != nil {
		n.unprepared(r, err)
		return
	}
	r.natural = r.aim.Add(naturalLength(t.sounding)) // what it missed of its beginning is not made up for at its end
	n.work.Go(func() {
		err := n.verifyContent(r.ctx, t.sounding)
		var p Performance
		if err == nil {
			p, err = n.cfg.Player.Prepare(r.ctx, s)
		}
		if !n.post(func() { n.prepared(r, p, err) }) && p != nil {
			p.Discard()
		}
	})
}

// prepared takes what the player prepared.
func (n *Node) prepared(r *run, p Performance, err error) {
	if n.stage.next != r || r.ctx.Err() != nil {
		if p != nil {
			p.Discard()
		}
		return
	}
	if err != nil {
		n.unprepared(r, err)
		return
	}
	r.performance = p
}

// unprepared ends an attempt that could not be prepared.
func (n *Node) unprepared(r *run, err error) {
	if n.stage.next != r {
		return
	}
	n.stage.next = nil
	r.cancel(errDropped)
	if context.Cause(n.ctx) != nil {
		return
	}
	n.log.Error("a sounding could not be prepared", "announcement", r.name.id, "start", r.name.start, "err", err)
	if errors.Is(err, speech.ErrMicrophone) {
		n.state(r.states(broadcast.Failed, broadcast.WhyMicrophone, nil))
		return
	}
	reason := broadcast.WhyDecoder
	if unanswers(err) {
		n.unanswer(r, err)
		return
	}
	if errors.Is(err, errContent) {
		if n.recheck(r.name.document) {
			return
		}
		reason = broadcast.WhyContent
	}
	n.note(broadcast.FaultDecoder, string(r.name.id), err.Error())
	n.state(r.states(broadcast.Failed, reason, nil))
}

// drop gives up a sounding that was prepared but not begun.
func (r *run) drop() {
	r.cancel(errDropped)
	if r.performance != nil {
		r.performance.Discard()
		r.performance = nil
	}
}

// play hands the prepared sounding to the player.
func (n *Node) play() {
	r := n.stage.next
	n.stage.run, n.stage.next = r, nil
	r.played = true
	n.planDirty = true
	n.work.Go(func() {
		evidence, err := r.performance.Play(r.ctx, r)
		spoken := n.recorded(r.name.document)
		n.post(func() {
			if r.spoken = spoken; spoken != nil {
				n.sending.again()
			}
			n.ended(r, evidence, err)
		})
	})
}

// Powered is told by the player when the relay closed. At that instant relays
// close all over the district, and where nodes share a machine each would wait
// for the work of the others: so nothing is planned anew, since no plan hangs
// on it, and it is written together with "playing".
func (r *run) Powered(closed time.Time) {
	at := broadcast.InstantOf(closed)
	r.n.post(func() {
		r.closed = at
		r.n.stage.since, r.n.stage.kept = at, 0
		dirty := r.n.planDirty
		r.n.hold(r.states(broadcast.Powered, "", &broadcast.Evidence{Closed: at}))
		r.n.planDirty = dirty
	})
}

// Playing has the sounding journalled before its first sample. Nothing sounds
// without its journal but an emergency.
func (r *run) Playing(first time.Time) error {
	answer := make(chan error, 1)
	if !r.n.post(func() { answer <- r.n.journalPlaying(r, broadcast.InstantOf(first)) }) {
		return errStopped
	}
	var patience <-chan time.Time
	if r.class == broadcast.Emergency && !r.name.drill {
		timer := time.NewTimer(journalWait)
		defer timer.Stop()
		patience = timer.C
	}
	select {
	case err := <-answer:
		return err
	case <-patience:
		return nil
	case <-r.n.over:
		return errStopped
	}
}

// Progress says whether what plays can be heard.
func (r *run) Progress(p player.Progress) { r.n.post(func() { r.n.hearing(r, p) }) }

// journalPlaying writes the one receipt without which nothing sounds.
func (n *Node) journalPlaying(r *run, first broadcast.Instant) error {
	s := r.states(broadcast.Playing, "", &broadcast.Evidence{Closed: r.closed, First: first})
	err := n.ledger.must(n.moment(), s)
	n.journalled(err)
	if err == nil {
		n.told([]statement{s})
	}
	if err != nil && (r.class != broadcast.Emergency || r.name.drill) {
		return err
	}
	r.began, n.planDirty = true, true
	if err != nil {
		r.unwritten = true
		s.reason = broadcast.WhyUnjournalled
		n.ledger.hold(n.moment(), s) // it waits in memory; the failure is a fault already
	}
	return nil
}

// states makes a statement about this attempt. An attempt above the first
// always says why there is another.
func (r *run) states(rung broadcast.Rung, reason broadcast.Reason, e *broadcast.Evidence) statement {
	if reason == "" {
		reason = r.sounding.Why
	}
	if r.unwritten && !(rung.Terminal() && rung != broadcast.Ended) {
		reason = broadcast.WhyUnjournalled
	}
	return statement{document: r.name.document, class: r.class, start: r.name.start, attempt: r.sounding.Attempt,
		rung: rung, reason: reason, offset: r.sounding.Offset, evidence: e}
}
