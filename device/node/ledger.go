package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

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
	firing   *broadcast.Firing
}

// receipt is the statement before it has its place in the chain.
func (s statement) receipt() broadcast.Receipt {
	return broadcast.Receipt{Announcement: s.id, Of: s.revision, Payload: s.payload, Start: s.start, Attempt: s.attempt,
		Rung: s.rung, Reason: s.reason, Evidence: s.evidence, Firing: s.firing}
}

// page is one record of the journal: what is written in one go is found whole
// or not at all, even when the power fails while the card writes it.
type page struct {
	Lines []record `json:"lines"`
	// Unread is all that the card did not give so far, if it changed.
	Unread *[]span `json:"unread,omitempty"`
}

// record is one line of a page: a receipt with what a plan needs to know
// that receipts do not say, or a document on its way to the shelf.
type record struct {
	Chain    broadcast.ID      `json:"chain,omitempty"`
	Receipt  broadcast.Receipt `json:"receipt,omitzero"`
	Class    broadcast.Class   `json:"class,omitempty"`
	Drill    bool              `json:"drill,omitempty"`
	Offset   int64             `json:"offset,omitempty"`
	Document *paper            `json:"document,omitempty"`
}

// paper is a document in the journal.
type paper struct {
	label
	Raw string `json:"raw"`
}

func (r record) statement() statement {
	named := document{name{r.Drill, r.Receipt.Announcement, r.Receipt.Of}, r.Receipt.Payload}
	return statement{document: named, class: r.Class, start: r.Receipt.Start, attempt: r.Receipt.Attempt,
		rung: r.Receipt.Rung, reason: r.Receipt.Reason, offset: r.Offset, evidence: r.Receipt.Evidence, firing: r.Receipt.Firing}
}

// moment is when and how surely something is stated.
type moment struct {
	at    broadcast.Instant
	clock broadcast.Quality
	boot  broadcast.ID
}

// maxUnwritten bounds the statements that wait for a card that takes no more.
const maxUnwritten = 256

// ledger is the chain of receipts. What shelve and require returned nil for is
// on the medium and in the chain for good; what is stated or held follows at
// the next writing. Its history knows everything at once.
type ledger struct {
	journal *store.Journal
	chain   broadcast.ID
	seq     int64
	head    broadcast.Digest
	history history
	// unwritten waits for the next writing, or for a card that takes no more;
	// what was dropped for want of room is lost to the controller and counted.
	unwritten []unwritten
	dropped   int
	// loose are the documents that only the journal holds, by their digest.
	loose map[broadcast.Digest]uint64
	// acked is the last receipt that the controller has, upto the journal's
	// number of its record.
	acked int64
	upto  uint64
	// broken says that the chain cannot be continued.
	broken bool
	// unread is what the card did not give, found what it gives again.
	unread, found []span
}

// unwritten is a statement, or a document, before it is written.
type unwritten struct {
	statement
	moment
	paper *kept
}

// openLedger reads the journal. A chain whose records have a hole, or that is
// not the one of the register, cannot be continued: broken is set. It returns
// the documents that were on their way to the shelf.
func openLedger(j *store.Journal, chain broadcast.ID, acked acknowledged) (*ledger, []kept, error) {
	l := &ledger{journal: j, chain: chain, head: broadcast.Sum(nil), history: newHistory(), loose: map[broadcast.Digest]uint64{}}
	if acked.Chain == chain {
		l.acked, l.upto = acked.Seq, acked.Upto
	}
	var documents []kept
	first := true
	err := j.Read(0, maxRecords, func(number uint64, raw []byte) error {
		var p page
		if err := json.Unmarshal(raw, &p); err != nil {
			l.broken = true
			return nil
		}
		if p.Unread != nil {
			l.unread = *p.Unread
		}
		for _, r := range p.Lines {
			if r.Document != nil {
				if k := (kept{r.Document.label, []byte(r.Document.Raw)}); broadcast.Sum(k.raw) == k.Digest {
					documents = append(documents, k)
					l.loose[k.Digest] = number
				}
				continue
			}
			if err := l.recall(r, chain, first); err != nil {
				return err
			}
			first = first && r.Chain != chain
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("read the journal: %w", err)
	}
	l.compareSpans()
	l.broken = l.broken || l.acked > l.seq
	return l, documents, nil
}

// recall takes one receipt of the journal.
func (l *ledger) recall(r record, chain broadcast.ID, first bool) error {
	l.history.note(r.statement(), moment{r.Receipt.At, r.Receipt.Clock, r.Receipt.Boot})
	if r.Chain != chain {
		return nil // of a chain that was given up
	}
	if !first && (r.Receipt.Seq != l.seq+1 || r.Receipt.Prev != l.head) || first && r.Receipt.Seq > l.acked+1 {
		l.broken = true
	}
	digest, err := r.Receipt.Digest()
	l.seq, l.head = r.Receipt.Seq, digest
	return err
}

// maxRecords bounds one reading of the journal; its size bounds it before.
const maxRecords = 1 << 20

// acknowledged is how far the controller has the chain, as kept on the card.
type acknowledged struct {
	Chain broadcast.ID `json:"chain"`
	Seq   int64        `json:"seq"`
	Upto  uint64       `json:"upto"`
}

// hold makes statements that are written with the next ones. They are never
// made twice, whatever the card does.
func (l *ledger) hold(now moment, list ...statement) {
	for _, s := range list {
		l.history.note(s, now)
		if len(l.unwritten) >= maxUnwritten {
			l.dropped++
			continue
		}
		l.unwritten = append(l.unwritten, unwritten{statement: s, moment: now})
	}
}

// shelve writes a document, with what it proves, in one go. After an error
// nothing was stated and the document is not on the card.
func (l *ledger) shelve(now moment, k kept, list ...statement) error {
	return l.require(append(asUnwritten(now, list), unwritten{paper: &k}))
}

// must writes statements, or returns an error, and then they were not made.
func (l *ledger) must(now moment, list ...statement) error {
	return l.require(asUnwritten(now, list))
}

func asUnwritten(now moment, list []statement) []unwritten {
	var out []unwritten
	for _, s := range list {
		out = append(out, unwritten{statement: s, moment: now})
	}
	return out
}

func (l *ledger) require(list []unwritten) error {
	if err := l.append(slices.Concat(l.unwritten, list)); err != nil {
		return err
	}
	l.unwritten = nil
	for _, u := range list {
		if u.paper == nil {
			l.history.note(u.statement, u.moment)
		}
	}
	return nil
}

// flush writes what waits.
func (l *ledger) flush() error {
	if len(l.unwritten) == 0 {
		return nil
	}
	if err := l.append(l.unwritten); err != nil {
		return err
	}
	l.unwritten = nil
	return nil
}

// try writes a page without a line, to see whether the card takes one.
func (l *ledger) try() error { return l.page(nil) }

// append makes receipts of statements and syncs them with one write.
func (l *ledger) append(list []unwritten) error {
	for chunk := range slices.Chunk(list, pageLines) {
		if err := l.page(chunk); err != nil {
			return err
		}
	}
	return nil
}

// pageLines is how many lines one page takes.
const pageLines = maxUnwritten + broadcast.MaxReceiptBatch

func (l *ledger) page(list []unwritten) error {
	seq, head := l.seq, l.head
	var p page
	for _, u := range list {
		r := record{Document: u.document()}
		if r.Document == nil {
			seq++
			r = record{Chain: l.chain, Class: u.class, Drill: u.drill, Offset: u.offset, Receipt: u.receipt(seq, head)}
			digest, err := r.Receipt.Digest()
			if err = errors.Join(err, r.Receipt.Validate()); err != nil {
				return fmt.Errorf("receipt %s of %s: %w", u.rung, u.id, err)
			}
			head = digest
		}
		p.Lines = append(p.Lines, r)
	}
	number, err := l.write(p)
	if err != nil {
		return err
	}
	l.seq, l.head = seq, head
	for _, u := range list {
		if u.paper != nil {
			l.loose[u.paper.Digest] = number
		}
	}
	return nil
}

// write appends a page.
func (l *ledger) write(p page) (uint64, error) {
	raw, err := json.Marshal(p)
	if err != nil {
		return 0, err
	}
	number, err := l.put(raw)
	if err != nil {
		return 0, fmt.Errorf("journal: %w", err)
	}
	return number, nil
}

func (u unwritten) document() *paper {
	if u.paper == nil {
		return nil
	}
	return &paper{u.paper.label, string(u.paper.raw)}
}

func (u unwritten) receipt(seq int64, head broadcast.Digest) broadcast.Receipt {
	r := u.statement.receipt()
	r.Seq, r.Prev, r.At, r.Clock, r.Boot = seq, head, u.at, u.clock, u.boot
	return r
}

// put appends; a journal that is full gives up what the controller has.
func (l *ledger) put(raw []byte) (uint64, error) {
	number, err := l.journal.Append(raw)
	if !errors.Is(err, store.ErrFull) || l.upto == 0 {
		return number, err
	}
	for range 2 {
		if err := l.journal.DropThrough(l.droppable(l.upto)); err != nil {
			return 0, err
		}
		number, err = l.journal.Append(raw)
		if !errors.Is(err, store.ErrFull) || len(l.unread) == 0 {
			break
		}
		l.unread = nil // what the card did not give for so long makes room at last
	}
	return number, err
}

// droppable is how far records may go at most: not the documents that stand
// nowhere else, nor what the card did not give yet.
func (l *ledger) droppable(upto uint64) uint64 {
	for _, number := range l.loose {
		upto = min(upto, number-1)
	}
	for _, s := range l.unread {
		upto = min(upto, s.From-1)
	}
	return upto
}

// line is one receipt of the chain, with the journal's number of the last page
// that is over with it.
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
		var p page
		if json.Unmarshal(raw, &p) != nil {
			return nil
		}
		mine := slices.DeleteFunc(p.Lines, func(r record) bool { return r.Document != nil || r.Chain != l.chain })
		for i, r := range mine {
			over := number
			if i < len(mine)-1 {
				over--
			}
			if !want(line{r.Receipt, over}) {
				return errEnough
			}
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

// mark is a place in the chain: a receipt, and the journal's number of the last
// page that is over with it.
type mark struct {
	seq  int64
	upto uint64
}

// after returns the receipts that follow a place, at most n, and the place of
// the last of them.
func (l *ledger) after(from mark, n int) ([]broadcast.Receipt, mark, error) {
	var out []broadcast.Receipt
	to := from
	err := l.lines(from.upto+1, func(got line) bool {
		if got.receipt.Seq > from.seq {
			out = append(out, got.receipt)
			to = mark{got.receipt.Seq, got.number}
		}
		return len(out) < n
	})
	return out, to, err
}

// rewind forgets what was acknowledged, for a controller that lost it, and says
// whether the chain is still here from its first receipt.
func (l *ledger) rewind() (whole bool, err error) {
	l.acked, l.upto = 0, 0
	err = l.lines(0, func(got line) bool {
		whole = got.receipt.Seq == 1
		return false
	})
	return whole, err
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
	var list []unwritten
	err := l.journal.Read(l.upto+1, maxRecords, func(_ uint64, raw []byte) error {
		var p page
		if json.Unmarshal(raw, &p) != nil {
			return nil
		}
		for _, r := range p.Lines {
			if r.Document == nil && r.Chain == l.chain && r.Receipt.Seq > l.acked {
				list = append(list, again(r))
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the old chain: %w", err)
	}
	l.chain, l.seq, l.head, l.acked, l.broken = chain, 0, broadcast.Sum(nil), 0, false
	if len(l.unread) > 0 { // first: without it nobody would know what is still to come
		if err := l.keepSpans(); err != nil {
			return err
		}
	}
	return l.append(list)
}

// prune deletes what is both acknowledged and older than any plan looks back.
func (l *ledger) prune(before broadcast.Instant) error {
	last := uint64(0)
	err := l.journal.Read(0, pruneStep, func(number uint64, raw []byte) error {
		var p page
		young := func(r record) bool { return r.Document == nil && r.Receipt.At >= before }
		if json.Unmarshal(raw, &p) == nil && (number > l.upto || slices.ContainsFunc(p.Lines, young)) {
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
	return l.journal.DropThrough(l.droppable(last))
}

// pruneStep is how many pages one pruning looks at.
const pruneStep = 2000
