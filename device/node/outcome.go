package node

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/power"
	"github.com/loaxa/loaxa/device/speech"
)

// stop is the cause with which a sounding is cut.
type stop struct {
	rung   broadcast.Rung
	reason broadcast.Reason
}

// Error says why.
func (s stop) Error() string { return fmt.Sprintf("%s: %s", s.rung, s.reason) }

// because is the verdict that an entry gives to what sounds now.
func (r *run) because(e plan.Entry) stop {
	if e.Rung == broadcast.Ended || e.Reason == "" {
		// Another attempt follows, so this one gave way.
		return stop{broadcast.Interrupted, broadcast.WhyPreempted}
	}
	return stop{e.Rung, e.Reason}
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
	case end.reason == broadcast.WhyCard && !r.began && e.Samples == 0:
		n.unanswer(r, err)
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
	case errors.Is(err, speech.ErrMicrophone):
		return stop{broadcast.Failed, broadcast.WhyMicrophone}
	case relayed(err) != "":
		return stop{broadcast.Interrupted, relayed(err)}
	case errors.Is(err, player.ErrContent) && unanswers(err):
		return stop{broadcast.Failed, broadcast.WhyCard}
	case errors.Is(err, player.ErrContent):
		return stop{broadcast.Failed, broadcast.WhyDecoder}
	}
	return stop{broadcast.Interrupted, broadcast.WhyStopped}
}

// evidence is what the player proved, as receipts say it.
func (n *Node) evidence(r *run, e player.Evidence) *broadcast.Evidence {
	out := &broadcast.Evidence{Recording: r.spoken, Samples: e.Samples, Of: e.Expected, Level: max(-20000, min(100, int64(e.RMS)))}
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
