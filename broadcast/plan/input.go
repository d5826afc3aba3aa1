package plan

import (
	"errors"
	"fmt"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// Bounds of one plan.
const (
	// MaxEntries is how many occurrences one plan may hold.
	MaxEntries = 2000
	// MaxWindow is the longest stretch that one plan may cover.
	MaxWindow = 35 * 24 * time.Hour

	maxItems = 8 * broadcast.MaxManifestEntries
	maxPast  = 20000
)

// Input is everything that a plan follows from.
type Input struct {
	// Now is trusted time. What lies before it is told by Past alone.
	Now broadcast.Instant
	// Window bounds the starts of the occurrences to plan; one that began
	// before and still sounds or waits inside belongs to it too.
	Window Window
	// Since is when the node began to be able to act: the end of its boot or
	// outage. Zero stands for always.
	Since broadcast.Instant

	Assignment broadcast.Assignment
	// Law is what the verified policies of all ancestors allow together.
	Law         broadcast.Law
	Items       []Item
	Silences    []Silence
	Withdrawals []Withdrawal
	Placements  []broadcast.Placement
	Slots       []broadcast.Slot
	// Orders are the running orders on board, by their digest.
	Orders map[broadcast.Digest]broadcast.RunningOrder

	// Fresh is when the newest fresh manifest was held; a preview that assumes
	// contact gives the end of its window.
	Fresh broadcast.Instant
	Clock broadcast.Quality
	Board Board
	// Closed is since when the relay is closed now; zero while it is open.
	Closed broadcast.Instant
	// Power is what feeds the amplifier now. A preview does not know it.
	Power Power
	// Barred is until when the local button bars everything but emergencies.
	Barred broadcast.Instant
	// Live says that this node can take relays.
	Live bool

	// Past is the node's journal of soundings and verdicts, as far back as two
	// local days before the window. WithoutHistory plans as if the node had
	// been on duty all the time; the plan then says so, and Past must be empty.
	Past           []Past
	WithoutHistory bool
}

// Window is the stretch of time from From, inclusive, to To, exclusive.
type Window struct {
	From broadcast.Instant `json:"from"`
	To   broadcast.Instant `json:"to"`
}

// Item is one announcement or drill that the node verified, with what the
// verifier learned from its signatures.
type Item struct {
	Announcement broadcast.Announcement
	// Payload is the digest of what was signed: what was told of another body
	// under the same name and revision says nothing of this one.
	Payload broadcast.Digest
	Drill   bool
	// Signers are the people whose signatures were valid and who had the right.
	Signers []Signer
	// Approved are the people who signed the template that the announcement
	// activates, if the template was verified and holds the same content.
	Approved []Signer
	// Delisted says that a manifest newer than the item does not list it.
	Delisted bool
	// Answered says that a manifest which carries this boot's nonce lists it, or
	// that somebody at the box fired it in this boot: it is surely new.
	Answered bool
	// FirstHeld is when this node first verified it. Zero stands for always.
	FirstHeld broadcast.Instant
	// Ready is when the node could first sound it, all its recordings on board;
	// zero for FirstHeld.
	Ready broadcast.Instant
	// Speaking says that somebody stands at the microphone of the box and may
	// speak now. Without it nothing that is spoken there begins.
	Speaking bool
}

// Signer is one person behind a document.
type Signer struct {
	Person  broadcast.ID
	Level   broadcast.Level
	Custody broadcast.Custody
}

// Silence is a verified silence with the level of its signer.
type Silence struct {
	broadcast.Silence
	Level broadcast.Level
	// Emergency says that its signatures met the threshold of emergencies.
	Emergency bool
}

// Withdrawal is a verified withdrawal with the level of its signer.
type Withdrawal struct {
	broadcast.Withdrawal
	Level broadcast.Level
}

// Board is what the hardware needs and allows.
type Board struct {
	// WarmUp lies between the closing of the relay and the first sample.
	WarmUp time.Duration
	// Tail is the silence after the last sample, Hold how long the relay then
	// stays closed for a next sounding, MinOff how long it stays open at least.
	Tail, Hold, MinOff time.Duration
	// MaxOn is how long the relay may stay closed; 0 means without end.
	MaxOn time.Duration
	// Chimes are the lengths of the chimes: of each class by its name, and "drill".
	Chimes map[string]time.Duration
	// Preamble is how long the node speaks before a drill.
	Preamble time.Duration
	// Ceiling is the loudest volume of the hardware in percent; 0 means 100.
	Ceiling int64
}

// Power says for whom it suffices, as things stand. The zero value is the mains.
type Power struct {
	// Begins is the lowest class that may begin, GoesOn the lowest that may go on
	// once it sounds; empty means every class. A drill is below all of them.
	Begins, GoesOn broadcast.Class
	// Unfit says that the voltage is one that the amplifier does not survive or
	// cannot sound with: nothing sounds. An emergency waits for its end as long as
	// its window is open, everything else is refused.
	Unfit bool
}

func (w Power) check() error {
	for _, c := range []broadcast.Class{w.Begins, w.GoesOn} {
		if c == "" {
			continue
		}
		if err := c.Validate(); err != nil {
			return fmt.Errorf("power: %w", err)
		}
	}
	if w.GoesOn.Rank() > w.Begins.Rank() {
		return fmt.Errorf("power: %q may begin but not go on", w.Begins)
	}
	return nil
}

// Past is what the journal says of one attempt at an occurrence, or of an
// occurrence that ended without one.
type Past struct {
	Announcement broadcast.ID
	Revision     broadcast.Revision
	Payload      broadcast.Digest
	Drill        bool
	Class        broadcast.Class
	Start        broadcast.Instant
	// Attempt is 1 for the first sounding; 0 stands for a verdict without one.
	// Why is the reason of an attempt after the first.
	Attempt int64
	Why     broadcast.Reason
	// Rung is the highest rung of the attempt. One that is not terminal and not
	// Running was lost together with power or program.
	Rung   broadcast.Rung
	Reason broadcast.Reason
	// At is when the first sample left or, without one, when the verdict fell.
	At broadcast.Instant
	// Millis is how long it sounded, chime included.
	Millis int64
	// Offset is how far into the item it began, because the node came late.
	Offset int64
	// Running says that this process is sounding it, or has asked for the relay
	// to be closed for it; Ends is when it will have ended.
	Running bool
	Ends    broadcast.Instant
}

// check refuses input that no caller can mean.
func (in *Input) check() error {
	length := in.Window.To.Sub(in.Window.From)
	switch {
	case length <= 0 || length > MaxWindow:
		return fmt.Errorf("window: %s long; ask for more than nothing and at most %s", length, MaxWindow)
	case in.Now <= 0 && !in.WithoutHistory:
		return errors.New("now: missing; give trusted time, or plan without history")
	case in.WithoutHistory && len(in.Past) > 0:
		return errors.New("past: a plan without history cannot take one")
	case len(in.Assignment.Chain) == 0 || len(in.Assignment.Languages) == 0:
		return errors.New("assignment: the node has no place or no language")
	case len(in.Items) > maxItems || len(in.Past) > maxPast:
		return fmt.Errorf("%d documents and %d past soundings, at most %d and %d", len(in.Items), len(in.Past), maxItems, maxPast)
	}
	if err := in.Clock.Validate(); err != nil {
		return err
	}
	return errors.Join(in.Board.check(), in.Power.check(), in.checkItems(), in.checkPast())
}

func (b Board) check() error {
	for _, d := range []time.Duration{b.WarmUp, b.Tail, b.Hold, b.MinOff, b.MaxOn, b.Preamble} {
		if d < 0 || d > 24*time.Hour {
			return fmt.Errorf("board: a time of %s is impossible", d)
		}
	}
	if b.MaxOn > 0 && b.MaxOn <= b.WarmUp+b.Tail {
		return errors.New("board: the relay may not stay closed for longer than its warm-up takes")
	}
	if b.Ceiling < 0 || b.Ceiling > 100 {
		return fmt.Errorf("board: a ceiling of %d percent is impossible", b.Ceiling)
	}
	return nil
}

// document names one revision of an announcement or drill, and its body.
type document struct {
	drill    bool
	id       broadcast.ID
	revision broadcast.Revision
	payload  broadcast.Digest
}

func (in *Input) checkItems() error {
	seen := make(map[document]bool, len(in.Items))
	for i := range in.Items {
		a := &in.Items[i].Announcement
		if err := a.Class.Validate(); err != nil {
			return fmt.Errorf("announcement %s: %w", a.ID, err)
		}
		name := document{drill: in.Items[i].Drill, id: a.ID, revision: a.Revision}
		if seen[name] {
			return fmt.Errorf("announcement %s revision %d is given twice; keep the first", a.ID, a.Revision)
		}
		seen[name] = true
	}
	return nil
}

func (in *Input) checkPast() error {
	running := 0
	for _, p := range in.Past {
		if p.Running {
			running++
		}
		if p.Running && p.Rung.Terminal() || p.Millis < 0 || p.Attempt < 0 {
			return fmt.Errorf("past: attempt %d at %s of %s is impossible", p.Attempt, p.Start, p.Announcement)
		}
	}
	if running > 1 {
		return fmt.Errorf("past: %d soundings run at once on one amplifier", running)
	}
	return nil
}
