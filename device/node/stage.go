package node

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/power"
)

// How the stage goes about one sounding.
const (
	prepareLead = 5 * time.Second        // before the relay: decode the first second
	playLead    = time.Second            // before the relay: hand over to the player
	cutLead     = 450 * time.Millisecond // before a higher class: fade out and free the card
	worthwhile  = 3 * time.Second        // what a higher class would cut sooner is not begun
	lateLimit   = 10 * time.Second       // a sounding that cannot begin by then is planned anew
	journalWait = 2 * time.Second        // an emergency waits no longer for its journal
)

// Amplifier is asked to stay on between soundings that follow each other soon.
type Amplifier interface {
	// On closes the relay or keeps it closed.
	On(ctx context.Context) (time.Time, error)
	// Rest lets it open after its hold.
	Rest() error
}

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
}

// stage holds at most one sounding that plays and one that is prepared.
type stage struct {
	run, next *run
	// since when the relay is closed, and when the last sound was over.
	since, rested broadcast.Instant
	// kept is the first sample for which the relay was asked to stay closed.
	kept broadcast.Instant
	// unanswered are emergencies whose recording the card does not give, and
	// when it is asked again.
	unanswered unanswered
}

// stop is the cause with which a sounding is cut.
type stop struct {
	rung   broadcast.Rung
	reason broadcast.Reason
}

// Error says why.
func (s stop) Error() string { return fmt.Sprintf("%s: %s", s.rung, s.reason) }

// errDropped ends a sounding that nobody needs any more before it began.
var errDropped = errors.New("no longer planned")

// idle says that nothing is on the stage, so that the clock may be set.
func (s *stage) idle() bool { return s.run == nil && s.next == nil }

func (s *stage) sounds(d document) bool { return s.run != nil && s.run.name.document == d }

func (s *stage) holds(name occurrence) bool { return s.run != nil && s.run.name == name }

// closed is since when the relay is closed, 0 while it is open.
func (s *stage) closed(now broadcast.Instant, hold time.Duration) broadcast.Instant {
	if s.run != nil && s.run.closed != 0 {
		return s.run.closed
	}
	if s.since != 0 && (s.kept != 0 || now < s.rested.Add(hold)) {
		return s.since
	}
	return 0
}

// direct brings the stage in step with the plan and returns when to look again,
// 0 for not before something happens.
func (n *Node) direct() broadcast.Instant {
	now := n.now()
	wake := n.oversee(now)
	if n.stage.unanswered.over(now) { // planned anew first: it begins later now
		n.planDirty = true
		return now
	}
	target, ok := n.upcoming(now)
	s := &n.stage
	if s.next != nil && (!ok || !s.next.same(target, n.aim(target)) && !s.next.undecided(target)) {
		s.next.drop()
		s.next = nil
	}
	wake = earlier(wake, n.keepClosed(now, target.sounding))
	wake = earlier(wake, s.unanswered.next(now))
	if !ok {
		return wake
	}
	relay := max(target.sounding.On, target.sounding.From.Add(-n.cfg.Board.WarmUp)) // a kept one has its On long before
	prepareAt, playAt := relay.Add(-prepareLead), relay.Add(-playLead)
	switch {
	case now < prepareAt:
		return earlier(wake, prepareAt)
	case s.next == nil:
		n.prepare(target)
	}
	switch {
	case s.next == nil, s.next.performance == nil || s.run != nil:
		return wake // the end of either is an event
	case now < playAt:
		return earlier(wake, playAt)
	}
	n.play()
	return wake
}

// earlier is the earlier of two moments, where 0 is none.
func earlier(a, b broadcast.Instant) broadcast.Instant {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// keepLead is how long before the end of its hold a relay is asked to stay closed.
const keepLead = 150 * time.Millisecond

// keepClosed has the amplifier stay on when the next sounding comes so soon
// after the last one that the relay could not open and close again in between,
// and lets it go if that sounding is no longer planned. It returns when to look
// again.
func (n *Node) keepClosed(now broadcast.Instant, next plan.Sounding) broadcast.Instant {
	s := &n.stage
	if s.run != nil { // handed over, and waiting for its moment
		next = s.run.sounding
	}
	if n.cfg.Amplifier == nil || s.rested == 0 || s.run != nil && s.run.closed != 0 {
		return 0
	}
	shared := next.On < next.From.Add(-n.cfg.Board.WarmUp)
	at := s.rested.Add(n.cfg.Board.Hold - keepLead)
	switch {
	case s.kept != 0 && !shared:
		s.kept, s.rested = 0, now
		if err := n.cfg.Amplifier.Rest(); err != nil {
			n.log.Warn("the relay was not let go", "err", err) // its lease ends all the same
		}
	case s.kept != 0 || !shared:
	case now < at:
		return at
	default:
		s.kept = next.From
		n.work.Go(func() {
			if _, err := n.cfg.Amplifier.On(n.ctx); err != nil {
				n.log.Warn("the relay did not stay closed", "err", err) // the player closes it anew
			}
		})
	}
	return 0
}

// oversee cuts what sounds when the plan says so.
func (n *Node) oversee(now broadcast.Instant) broadcast.Instant {
	r := n.stage.run
	if r == nil {
		return 0
	}
	i := slices.IndexFunc(n.plan.Entries, func(e plan.Entry) bool { return nameOf(e) == r.name })
	if i < 0 {
		if n.holdings.assignment != nil && len(n.plan.Entries) > 0 {
			r.cancel(stop{broadcast.Interrupted, broadcast.WhyDelisted})
		}
		return 0
	}
	e := n.plan.Entries[i]
	k := slices.IndexFunc(e.Soundings, func(s plan.Sounding) bool { return s.Attempt == r.sounding.Attempt })
	switch {
	case k < 0 || e.Soundings[k].From != r.sounding.From && !r.began:
		r.cancel(r.because(e))
	case e.Soundings[k].To < r.natural:
		at := e.Soundings[k].To.Add(-cutLead)
		if now < at {
			return at
		}
		why := r.because(e)
		if why.reason == broadcast.WhyTooLong || why.rung == broadcast.Ended {
			return 0 // the player cuts it at its greatest length
		}
		r.cancel(why)
	}
	return 0
}

// because is the verdict that an entry gives to what sounds now.
func (r *run) because(e plan.Entry) stop {
	if e.Rung == broadcast.Ended || e.Reason == "" {
		// Another attempt follows, so this one gave way.
		return stop{broadcast.Interrupted, broadcast.WhyPreempted}
	}
	return stop{e.Rung, e.Reason}
}

// target is a planned sounding with its entry.
type target struct {
	entry    plan.Entry
	sounding plan.Sounding
}

// upcoming is the next planned sounding that can be played.
func (n *Node) upcoming(now broadcast.Instant) (target, bool) {
	var best target
	found := false
	for _, e := range n.plan.Entries {
		if !n.playable(e) || n.stage.unanswered.rests(nameOf(e), now) {
			continue
		}
		for _, s := range e.Soundings {
			mine := n.stage.run != nil && n.stage.run.name == nameOf(e) && n.stage.run.sounding.Attempt >= s.Attempt
			if s.To <= now || len(s.Parts) == 0 || mine || n.ledger.history.told(nameOf(e), s.Attempt) || futile(s) {
				continue
			}
			if !found || s.From < best.sounding.From {
				best, found = target{e, s}, true
			}
		}
	}
	return best, found
}

// futile says that a sounding would be cut when it has hardly begun.
func futile(s plan.Sounding) bool {
	return s.To.Sub(s.From) < min(worthwhile, naturalLength(s))
}

// told says whether the journal has the attempt.
func (h *history) told(name occurrence, attempt int64) bool {
	return slices.ContainsFunc(h.attempts[name], func(p plan.Past) bool { return p.Attempt == attempt })
}

// same says whether a prepared sounding is still what is planned.
func (r *run) same(t target, aim broadcast.Instant) bool {
	s := r.sounding
	return r.name == nameOf(t.entry) && s.Attempt == t.sounding.Attempt && r.aim == aim && s.Offset == t.sounding.Offset &&
		s.Volume == t.sounding.Volume && s.Chime == t.sounding.Chime && slices.Equal(s.Parts, t.sounding.Parts)
}

// undecided says that a decoder still works on this very attempt, for a moment
// that has moved on. It is let finish: one that hangs must end its attempt, or
// there would be another at every new moment.
func (r *run) undecided(t target) bool {
	return r.performance == nil && r.name == nameOf(t.entry) && r.sounding.Attempt == t.sounding.Attempt
}

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
	reason := broadcast.WhyDecoder
	if r.class == broadcast.Emergency && !r.name.drill && unanswers(err) {
		n.card(partContents, err)
		n.stage.unanswered.rest(r.name, n.now())
		n.recheck(r.name.document)
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
		n.post(func() { n.ended(r, evidence, err) })
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

// ended takes the proof of a sounding that is over.
func (n *Node) ended(r *run, e player.Evidence, err error) {
	now := n.now()
	n.stage.run = nil
	n.stage.rested = now
	r.cancel(nil)
	n.planDirty = true
	if errors.Is(err, player.ErrBusy) {
		return // planned again at once
	}
	proof := n.evidence(r, e)
	if e.Samples > 0 && n.cfg.Heard != nil {
		n.cfg.Heard(Heard{Announcement: r.name.id, Start: r.name.start, Attempt: r.sounding.Attempt,
			First: e.First, Last: e.Last, Samples: e.Samples})
	}
	end := outcome(err)
	n.learnt(r, e, err)
	switch {
	case end.reason == droppedReason:
		return
	case end.rung == broadcast.Ended:
		n.state(r.states(broadcast.Sounded, "", proof), r.states(broadcast.Ended, "", nil))
	case e.Samples == 0 && !r.began && end.rung == broadcast.Interrupted:
		// Nobody heard it and nobody will know of it but the plan.
		if end.reason != broadcast.WhyPreempted && end.reason != broadcast.WhyStopped {
			n.state(r.states(end.rung, end.reason, nil))
		}
	default:
		if e.Samples == 0 {
			proof = nil
		}
		n.state(r.states(end.rung, end.reason, proof))
	}
	if err != nil {
		n.log.Warn("a sounding ended early", "announcement", r.name.id, "start", r.name.start, "attempt", r.sounding.Attempt, "err", err)
	}
}

const droppedReason broadcast.Reason = "dropped"

// outcome is where an attempt ends for the player's error.
func outcome(err error) stop {
	var s stop
	switch {
	case err == nil:
		return stop{rung: broadcast.Ended}
	case errors.As(err, &s):
		return s
	case errors.Is(err, errDropped):
		return stop{broadcast.Interrupted, droppedReason}
	case errors.Is(err, player.ErrCut):
		return stop{broadcast.Interrupted, broadcast.WhyTooLong}
	case errors.Is(err, player.ErrLate):
		return stop{broadcast.Skipped, broadcast.WhyLate}
	case errors.Is(err, player.ErrNotJournalled):
		return stop{broadcast.Failed, broadcast.WhyJournal}
	case errors.Is(err, power.ErrVoltage):
		return stop{broadcast.Failed, broadcast.WhyPower}
	case errors.Is(err, player.ErrPower):
		return stop{broadcast.Failed, broadcast.WhyRelay}
	case errors.Is(err, player.ErrSink):
		return stop{broadcast.Failed, broadcast.WhySound}
	case errors.Is(err, player.ErrContent):
		return stop{broadcast.Failed, broadcast.WhyDecoder}
	}
	return stop{broadcast.Interrupted, broadcast.WhyStopped}
}

// evidence is what the player proved, as receipts say it.
func (n *Node) evidence(r *run, e player.Evidence) *broadcast.Evidence {
	out := &broadcast.Evidence{Samples: e.Samples, Of: e.Expected, Level: max(-20000, min(100, int64(e.RMS)))}
	if !e.Powered.IsZero() {
		out.Closed = broadcast.InstantOf(e.Powered)
	}
	if !e.First.IsZero() {
		out.First = broadcast.InstantOf(e.First)
	}
	heard := r.sounding.Offset + e.Samples*1000/sampleRate
	for _, p := range r.sounding.Parts {
		if p.At < heard && !slices.Contains(out.Languages, p.Language) {
			out.Languages = append(out.Languages, p.Language)
		}
	}
	return out
}

// Heard says which samples left for one sounding.
type Heard struct {
	Announcement broadcast.ID      `json:"announcement"`
	Start        broadcast.Instant `json:"start"`
	Attempt      int64             `json:"attempt"`
	First        time.Time         `json:"first"`
	Last         time.Time         `json:"last"`
	Samples      int64             `json:"samples"`
}
