package broadcast

import (
	"errors"
	"fmt"
)

// Rung (bậc) is how far an announcement got on one node. The console never
// says more than the highest rung and evidence that a node proved.
type Rung string

// The rungs that climb, in order.
const (
	Received Rung = "received"
	Verified Rung = "verified"
	Cached   Rung = "cached"
	Powered  Rung = "powered"
	Playing  Rung = "playing"
	Sounded  Rung = "sounded"
	Ended    Rung = "ended"
)

// The other ends of an occurrence; each carries a reason.
const (
	Skipped     Rung = "skipped"
	Refused     Rung = "refused"
	Interrupted Rung = "interrupted"
	Failed      Rung = "failed"
	Superseded  Rung = "superseded"
	Withdrawn   Rung = "withdrawn"
	Expired     Rung = "expired"
)

// Rungs returns every rung: the climbing ones in order, then the other ends.
func Rungs() []Rung {
	return []Rung{Received, Verified, Cached, Powered, Playing, Sounded, Ended,
		Skipped, Refused, Interrupted, Failed, Superseded, Withdrawn, Expired}
}

// Height is 1 for received to 7 for ended, and 0 for the other ends.
func (r Rung) Height() int {
	for i, known := range Rungs()[:7] {
		if r == known {
			return i + 1
		}
	}
	return 0
}

// Terminal says whether nothing follows the rung for this attempt.
func (r Rung) Terminal() bool { return r == Ended || r.Height() == 0 }

// Validate refuses unknown rungs.
func (r Rung) Validate() error {
	for _, known := range Rungs() {
		if r == known {
			return nil
		}
	}
	return fmt.Errorf("rung %q does not exist", string(r))
}

// Reason is a stable code for why something did not sound, or sounded again.
// Its words in Vietnamese and English stand in one table (ReasonText).
type Reason string

// Receipt (biên nhận) is one statement in a node's hash chain.
type Receipt struct {
	Seq int64 `json:"seq"`
	// Prev is the digest of the receipt before, or of nothing for the first.
	Prev  Digest  `json:"prev"`
	At    Instant `json:"at"`
	Clock Quality `json:"clock"`
	Boot  ID      `json:"boot"`
	// Announcement and Of name the document, Start the occurrence; a rung that
	// concerns the document as a whole has no start.
	Announcement ID       `json:"announcement"`
	Of           Revision `json:"of"`
	// Payload is the digest of the bytes that were signed. Names are free for
	// all: what is said of one body is never said of another under its name.
	Payload Digest  `json:"payload"`
	Start   Instant `json:"start,omitzero"`
	// Attempt is 1 for the first sounding of the occurrence; 0 without one.
	Attempt  int64     `json:"attempt,omitempty"`
	Rung     Rung      `json:"rung"`
	Reason   Reason    `json:"reason,omitempty"`
	Evidence *Evidence `json:"evidence,omitempty"`
	// Firing is what a key switch in the box fired; told once, with received.
	Firing *Firing `json:"firing,omitempty"`
}

// Evidence is what a rung rests on.
type Evidence struct {
	// Samples of Of left the sound card at 48 kHz.
	Samples int64 `json:"samples,omitempty"`
	Of      int64 `json:"of,omitempty"`
	// Closed and First are when the relay closed and the first sample left.
	Closed Instant `json:"closed,omitzero"`
	First  Instant `json:"first,omitzero"`
	// Level is the loudness of what was played, in hundredths of dBFS RMS.
	Level int64 `json:"level_cdb,omitempty"`
	// Line, Current and Microphone are what sensors saw, where a board has them.
	Line       bool  `json:"line,omitempty"`
	Current    int64 `json:"current_ma,omitempty"`
	Microphone int64 `json:"microphone_cdb,omitempty"`
	// Languages that sounded, in order.
	Languages []Language `json:"languages,omitempty"`
	// Recording is what was kept of what somebody spoke at the box.
	Recording *Content `json:"recording,omitempty"`
}

// Validate says whether the receipt is complete: an end other than ended has a
// reason, and an attempt above 1 names why there was another.
func (r Receipt) Validate() error {
	if err := firstOf(check{"seq", within(r.Seq, 1, 1<<53)}, check{"prev", r.Prev.Validate()},
		check{"at", within(int64(r.At), 0, int64(maxInstant))}, check{"clock", r.Clock.Validate()},
		check{"boot", r.Boot.Validate()}, check{"announcement", r.Announcement.Validate()},
		check{"of", r.Of.Validate()}, check{"payload", r.Payload.Validate()}, check{"start", within(int64(r.Start), 0, int64(maxInstant))},
		check{"attempt", within(r.Attempt, 0, 1000)}, check{"rung", r.Rung.Validate()},
		check{"evidence", r.Evidence.validate()}, check{"firing", r.Firing.validateIn(r)}); err != nil {
		return err
	}
	if r.Reason == "" {
		if r.Rung.Terminal() && r.Rung != Ended {
			return fmt.Errorf("reason: %s needs one", r.Rung)
		}
		if r.Attempt > 1 {
			return errors.New("reason: an attempt above 1 names why there was another")
		}
		return nil
	}
	if err := r.Reason.Validate(); err != nil {
		return err
	}
	return r.takingBack()
}

func (e *Evidence) validate() error {
	if e == nil {
		return nil
	}
	return firstOf(check{"samples", within(e.Samples, 0, 1<<40)}, check{"of", within(e.Of, 0, 1<<40)},
		check{"level_cdb", within(e.Level, -20000, 100)}, check{"current_ma", within(e.Current, 0, 1<<20)},
		check{"microphone_cdb", within(e.Microphone, -20000, 20000)}, check{"languages", distinct(e.Languages, 0, MaxVersions)},
		check{"recording", e.Recording.validateKept()})
}

// TakesBack says whether the receipt takes back the verdict without an attempt
// that stands before it in its chain, of the same occurrence: a clock that was
// ahead gave it, and by the time that was proved since the occurrence is still
// to come. It gets another verdict. What sounded is never taken back.
func (r Receipt) TakesBack() bool { return r.Reason == WhyAhead }

// takingBack refuses a taking back that is about no occurrence, about an attempt,
// or by a clock that no answer stands behind.
func (r Receipt) takingBack() error {
	if r.TakesBack() && (r.Start == 0 || r.Attempt != 0 || r.Rung != Verified || !r.Clock.Answered()) {
		return errors.New("reason: a verdict is taken back as verified, by a proved time, for an occurrence without attempt")
	}
	return nil
}

// Digest is the link to the next receipt of the chain.
func (r Receipt) Digest() (Digest, error) {
	b, err := Encode(r)
	if err != nil {
		return "", fmt.Errorf("digest of receipt %d: %w", r.Seq, err)
	}
	return Sum(b), nil
}

// MaxReceiptBatch is how many receipts one batch may carry.
const MaxReceiptBatch = 64

// ReceiptBatch is a run of receipts, sealed by the node.
type ReceiptBatch struct {
	Node ID `json:"node"`
	// Chain names the journal; it is made when the journal is created.
	Chain    ID        `json:"chain"`
	Receipts []Receipt `json:"receipts"`
}

// Validate refuses gaps, broken links and empty or over-long batches.
func (b ReceiptBatch) Validate() error {
	if len(b.Receipts) == 0 || len(b.Receipts) > MaxReceiptBatch {
		return fmt.Errorf("receipts: %d, allowed are 1 to %d", len(b.Receipts), MaxReceiptBatch)
	}
	for i, r := range b.Receipts {
		if err := r.Validate(); err != nil {
			return fmt.Errorf("receipt %d: %w", r.Seq, err)
		}
		if i == 0 {
			continue
		}
		link, err := b.Receipts[i-1].Digest()
		if err != nil {
			return err
		}
		if r.Seq != b.Receipts[i-1].Seq+1 || r.Prev != link {
			return fmt.Errorf("receipt %d: does not follow the one before it", r.Seq)
		}
	}
	return firstOf(check{"node", b.Node.Validate()}, check{"chain", b.Chain.Validate()})
}

// ReceiptAck is the controller's sealed word that it stored a chain up to and
// including one receipt, named by its digest.
type ReceiptAck struct {
	Node  ID     `json:"node"`
	Chain ID     `json:"chain"`
	Seq   int64  `json:"seq"`
	Hash  Digest `json:"hash"`
	// At is when the controller said so.
	At Instant `json:"at"`
}

// Validate says whether the acknowledgement is complete.
func (a ReceiptAck) Validate() error {
	return firstOf(check{"node", a.Node.Validate()}, check{"chain", a.Chain.Validate()},
		check{"seq", within(a.Seq, 1, 1<<53)}, check{"hash", a.Hash.Validate()},
		check{"at", within(int64(a.At), 1, int64(maxInstant))})
}
