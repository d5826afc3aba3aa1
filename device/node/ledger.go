package node

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/device/store"
)

const sampleRate = media.SampleRate

// statement is what the node has to say of a document or one of its
// occurrences; a receipt is a statement in its place in the chain.
type statement struct {
	document
	class    broadcast.Class
	start    broadcast.Instant
	attempt  int64
	rung     broadcast.Rung
	reason   broadcast.Reason
	offset   int64
	evidence *broadcast.Evidence
}

// record is one line of the journal: the receipt, and what a plan needs to know
// that receipts do not say.
type record struct {
	Chain   broadcast.ID      `json:"chain"`
	Receipt broadcast.Receipt `json:"receipt"`
	Class   broadcast.Class   `json:"class,omitempty"`
	Drill   bool              `json:"drill,omitempty"`
	Offset  int64             `json:"offset,omitempty"`
}

func (r record) statement() statement {
	return statement{document: document{r.Drill, r.Receipt.Announcement, r.Receipt.Of}, class: r.Class,
		start: r.Receipt.Start, attempt: r.Receipt.Attempt, rung: r.Receipt.Rung, reason: r.Receipt.Reason,
		offset: r.Offset, evidence: r.Receipt.Evidence}
}

// moment is when and how surely something is stated.
type moment struct {
	at    broadcast.Instant
	clock broadcast.Quality
	boot  broadcast.ID
}

// maxUnwritten bounds the statements that wait for a card that takes no more.
const maxUnwritten = 256

// ledger is the chain of receipts. What stated returned nil for is on the
// medium and in the chain for good; its history knows everything that was
// stated, also what the card did not take.
type ledger struct {
	journal *store.Journal
	chain   broadcast.ID
	seq     int64
	head    broadcast.Digest
	history history
	// unwritten waits for the card; what was dropped for want of room is lost
	// to the controller and counted.
	unwritten []unwritten
	dropped   int
	// acked is the last receipt that the controller has, upto the journal's
	// number of its record.
	acked int64
	upto  uint64
	// dates has the day of the newest acknowledged record of each file, so
	// that old ones can go.
	broken bool
}

type unwritten struct {
	statement
	moment
}

// openLedger reads the journal. A chain whose records have a hole, or that is
// not the one of the register, cannot be continued: broken is set.
func openLedger(j *store.Journal, chain broadcast.ID, acked acknowledged) (*ledger, error) {
	l := &ledger{journal: j, chain: chain, head: broadcast.Sum(nil), history: newHistory()}
	if acked.Chain == chain {
		l.acked, l.upto = acked.Seq, acked.Upto
	}
	first := true
	err := j.Read(0, maxRecords, func(_ uint64, raw []byte) error {
		var r record
		if err := json.Unmarshal(raw, &r); err != nil {
			l.broken = true
			return nil
		}
		l.history.note(r.statement(), r.Receipt.At)
		if r.Chain != chain {
			return nil // of a chain that was given up
		}
		if !first && (r.Receipt.Seq != l.seq+1 || r.Receipt.Prev != l.head) || first && r.Receipt.Seq > l.acked+1 {
			l.broken = true
		}
		first = false
		digest, err := r.Receipt.Digest()
		l.seq, l.head = r.Receipt.Seq, digest
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	l.broken = l.broken || l.acked > l.seq
	return l, nil
}

// maxRecords bounds one reading of the journal; its size bounds it before.
const maxRecords = 1 << 20

// acknowledged is how far the controller has the chain, as kept on the card.
type acknowledged struct {
	Chain broadcast.ID `json:"chain"`
	Seq   int64        `json:"seq"`
	Upto  uint64       `json:"upto"`
}

// state keeps statements if it can; what the card does not take waits in
// memory for the next attempt, and is never stated twice.
func (l *ledger) state(now moment, list ...statement) error {
	for _, s := range list {
		l.history.note(s, now.at)
	}
	return l.write(now, list)
}

// require keeps statements or returns an error, and then they were not made.
func (l *ledger) require(now moment, list ...statement) error {
	if err := l.flush(); err != nil {
		return err
	}
	if err := l.append(now, list); err != nil {
		return err
	}
	for _, s := range list {
		l.history.note(s, now.at)
	}
	return nil
}

func (l *ledger) write(now moment, list []statement) error {
	err := l.flush()
	if err == nil {
		if err = l.append(now, list); err == nil {
			return nil
		}
	}
	for _, s := range list {
		if len(l.unwritten) >= maxUnwritten {
			l.dropped++
			continue
		}
		l.unwritten = append(l.unwritten, unwritten{s, now})
	}
	return err
}

// flush tries to write what waits.
func (l *ledger) flush() error {
	for len(l.unwritten) > 0 {
		u := l.unwritten[0]
		if err := l.append(u.moment, []statement{u.statement}); err != nil {
			return err
		}
		l.unwritten = l.unwritten[1:]
	}
	l.unwritten = nil
	return nil
}

// append makes receipts of statements and syncs them with one write.
func (l *ledger) append(now moment, list []statement) error {
	if len(list) == 0 {
		return nil
	}
	seq, head := l.seq, l.head
	var records [][]byte
	for _, s := range list {
		seq++
		r := broadcast.Receipt{Seq: seq, Prev: head, At: now.at, Clock: now.clock, Boot: now.boot,
			Announcement: s.id, Of: s.revision, Start: s.start, Attempt: s.attempt, Rung: s.rung, Reason: s.reason, Evidence: s.evidence}
		if err := r.Validate(); err != nil {
			return fmt.Errorf("receipt %s of %s: %w", s.rung, s.id, err)
		}
		digest, err := r.Digest()
		if err != nil {
			return err
		}
		raw, err := json.Marshal(record{Chain: l.chain, Receipt: r, Class: s.class, Drill: s.drill, Offset: s.offset})
		if err != nil {
			return err
		}
		records, head = append(records, raw), digest
	}
	if err := l.put(records); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	l.seq, l.head = seq, head
	return nil
}

// put appends; a journal that is full gives up what the controller has.
func (l *ledger) put(records [][]byte) error {
	_, err := l.journal.AppendBatch(records)
	if !errors.Is(err, store.ErrFull) || l.upto == 0 {
		return err
	}
	if err := l.journal.DropThrough(l.upto); err != nil {
		return err
	}
	_, err = l.journal.AppendBatch(records)
	return err
}

// line is one receipt of the chain with its number in the journal.
type line struct {
	receipt broadcast.Receipt
	number  uint64
}

// errEnough ends a reading of the journal.
var errEnough = errors.New("enough")

// lines returns receipts of the chain in order, from a journal number on, while
// want says so.
func (l *ledger) lines(from uint64, want func(line) bool) error {
	err := l.journal.Read(from, maxRecords, func(number uint64, raw []byte) error {
		var r record
		if err := json.Unmarshal(raw, &r); err != nil || r.Chain != l.chain {
			return nil
		}
		if !want(line{r.Receipt, number}) {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// next returns the receipts that the controller lacks, at most n.
func (l *ledger) next(n int) ([]broadcast.Receipt, error) {
	var out []broadcast.Receipt
	err := l.lines(l.upto+1, func(got line) bool {
		if got.receipt.Seq > l.acked {
			out = append(out, got.receipt)
		}
		return len(out) < n
	})
	return out, err
}

// errRolledBack means that the controller has receipts of this chain that this
// card does not.
var errRolledBack = errors.New("the controller has more of this chain than this card")

// acknowledge takes the controller's word for how far it has the chain. It may
// go back, for a controller that was restored; a hash that is not this chain's
// changes nothing.
func (l *ledger) acknowledge(a broadcast.ReceiptAck) error {
	if a.Chain != l.chain {
		return fmt.Errorf("acknowledges chain %s, this is %s", a.Chain, l.chain)
	}
	if a.Seq > l.seq {
		return fmt.Errorf("%w: %d of %d", errRolledBack, a.Seq, l.seq)
	}
	from := l.upto + 1
	if a.Seq <= l.acked {
		from = 0
	}
	var found *line
	err := l.lines(from, func(got line) bool {
		if got.receipt.Seq == a.Seq {
			found = &got
		}
		return got.receipt.Seq < a.Seq
	})
	if err != nil || found == nil {
		return errors.Join(err, errors.New("acknowledges a receipt that is no longer here"))
	}
	if digest, err := found.receipt.Digest(); err != nil || digest != a.Hash {
		return errors.Join(err, fmt.Errorf("%w: receipt %d has another hash there", errRolledBack, a.Seq))
	}
	l.acked, l.upto = a.Seq, found.number
	return nil
}

// renew begins a new chain with everything that the controller may lack: the
// old one cannot be continued.
func (l *ledger) renew(chain broadcast.ID) error {
	var again []record
	err := l.journal.Read(l.upto+1, maxRecords, func(_ uint64, raw []byte) error {
		var r record
		if json.Unmarshal(raw, &r) == nil {
			again = append(again, r)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the old chain: %w", err)
	}
	l.chain, l.seq, l.head, l.acked, l.broken = chain, 0, broadcast.Sum(nil), 0, false
	for _, r := range again {
		s, m := r.statement(), moment{at: r.Receipt.At, clock: r.Receipt.Clock, boot: r.Receipt.Boot}
		if err := l.append(m, []statement{s}); err != nil {
			return err
		}
	}
	return nil
}

// prune deletes what is both acknowledged and older than any plan looks back.
func (l *ledger) prune(before broadcast.Instant) error {
	last := uint64(0)
	err := l.journal.Read(0, pruneStep, func(number uint64, raw []byte) error {
		var r record
		if json.Unmarshal(raw, &r) == nil && (r.Receipt.At >= before || number > l.upto) {
			return errEnough
		}
		last = number
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	if err != nil || last == 0 {
		return err
	}
	return l.journal.DropThrough(last)
}

// pruneStep is how many records one pruning looks at.
const pruneStep = 2000
