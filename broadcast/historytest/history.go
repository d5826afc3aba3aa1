// Package historytest judges what one speaker site did, from evidence that the
// site itself did not make: the edges of its relay, the samples that left its
// sound card, the sealed documents that were handed to it, and the receipts
// that a controller accepted.
//
// It promises to believe no claim of the node: a receipt is never a proof that
// something sounded, it is compared with what sounded. A history that keeps the
// laws has no breach; one that breaks a law has at least one, at the event by
// which the law was broken or, for what had to happen and did not, at the first
// event after its time. It reads no clock and holds nothing but what it was
// told, so the same history always has the same breaches.
//
// How: a history is a list of events in the order of true time, each with one
// fact. A Judge takes them one by one, so that a test can stop at the event that
// broke a law; Check takes them all. Rules about what the node believes stand in
// belief.go, about sounding in sounding.go, about emergencies that have to be
// heard in duty.go, about receipts in proof.go.
package historytest

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
)

// Event is one thing that happened, at an instant of true time.
type Event struct {
	At broadcast.Instant
	Fact
}

// Fact is one of Given, Relay, Began, Over, Proved, State and Spared.
type Fact interface {
	tell(j *Judge, at broadcast.Instant)
}

// Given says that a sealed document reached the running node: an Assignment,
// Policy, Manifest, Silence, Withdrawal or Announcement. Others are of no
// interest. Officers counts the different people who signed it, Level is the
// highest among them.
type Given struct {
	Document broadcast.Validator
	Officers int
	Level    broadcast.Level
}

// Relay says that the relay closed or opened.
type Relay struct{ Closed bool }

// Sounding names one attempt at an occurrence, as the sound card was told.
// Revision may be 0, which stands for the newest that is due at the start.
type Sounding struct {
	Announcement broadcast.ID
	Start        broadcast.Instant
	Attempt      int64
	Revision     broadcast.Revision
}

// String names the attempt for people.
func (s Sounding) String() string {
	return fmt.Sprintf("attempt %d at %s of %s", s.Attempt, s.Announcement, s.Start)
}

// Began says that the first sample of a sounding left.
type Began struct{ Sounding }

// Over says that the last sample of a sounding left, how many left, and whether
// these were all to the end of what it should be.
type Over struct {
	Sounding
	Samples int64
	Whole   bool
}

// Proved says that the controller stored a receipt of a chain.
type Proved struct {
	Chain   broadcast.ID
	Receipt broadcast.Receipt
}

// State says how the node stands from now on. What runs, is linked and knows
// the time by a sealed answer has to obey within a second.
type State struct {
	Runs, Linked, Timed bool
	// Ahead is by how much the clock that the node may honestly go by is before
	// true time: that of a boot without an answer, whose RTC is wrong.
	Ahead time.Duration
}

// Spared says for which classes nothing may begin from now on, because the
// battery is kept for higher ones.
type Spared struct{ Classes []broadcast.Class }

// Breach is one law that was broken.
type Breach struct {
	At   broadcast.Instant
	Law  string
	Text string
}

// String says when, which law and how.
func (b Breach) String() string { return fmt.Sprintf("%s: %s: %s", b.At, b.Law, b.Text) }

// The laws, by the name that a breach gives.
const (
	lawRelay       = "the relay closes only for what was published"
	lawMaxOn       = "the relay stays closed no longer than the board bears"
	lawHold        = "the relay opens after the sound"
	lawWarm        = "nothing sounds on a cold amplifier"
	lawPublished   = "only what was published here sounds"
	lawThreshold   = "enough people signed what sounds"
	lawQuiet       = "quiet hours are quiet"
	lawWindow      = "normal items sound inside the windows"
	lawBudget      = "the day's minutes are kept"
	lawEarly       = "nothing sounds before its start"
	lawLate        = "late is skipped"
	lawTwice       = "nothing sounds twice"
	lawOften       = "an interrupted item sounds again only so often"
	lawAtOnce      = "one thing sounds at a time"
	lawWithdrawn   = "what was withdrawn is silent"
	lawSilence     = "silence is silent"
	lawDelisted    = "what left the manifest is silent"
	lawReplaced    = "what a newer revision replaced is silent"
	lawStale       = "a node without contact falls silent"
	lawPower       = "what the battery keeps for emergencies is spent on nothing else"
	lawObey        = "what has to stop stops within a second"
	lawEmergency   = "an emergency sounds in time"
	lawChain       = "receipts are one chain without a gap"
	lawOneEnd      = "an attempt ends once"
	lawReason      = "another attempt says why"
	lawBoast       = "no receipt says more than sounded"
	lawEnded       = "what was begun has its end"
	lawJournalled  = "what sounds was journalled"
	lawVerdict     = "every occurrence has its verdict"
	lawBothSides   = "node and controller say the same"
	lawEventsOrder = "events come in order"
)

// Check returns every breach of a history, in order. Own is what the node's
// journal holds at the end, when both sides have met and nothing is under way;
// nil stands for a history that goes on.
func Check(board plan.Board, history []Event, own []broadcast.Receipt) []Breach {
	j := New(board, DefaultSlack)
	var out []Breach
	last := broadcast.Instant(0)
	for _, e := range history {
		out = append(out, j.Take(e)...)
		last = max(last, e.At)
	}
	if own != nil {
		out = append(out, j.Settle(last, own)...)
	}
	slices.SortStableFunc(out, func(a, b Breach) int { return cmp.Compare(a.At, b.At) })
	return out
}
