package store

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Errors that a caller tells apart.
var (
	// ErrFull means that a limit of the store was reached; nothing was kept.
	// For a Journal, acknowledged records must be dropped first.
	ErrFull = errors.New("store is full")
	// ErrTooLarge means that one record, value or file is above its limit.
	ErrTooLarge = errors.New("too large to keep")
	// ErrClosed means that the journal was closed before.
	ErrClosed = errors.New("journal is closed")
)

// JournalLimits bound a Journal. All are in bytes and must be positive.
type JournalLimits struct {
	// Record is the longest record.
	Record int
	// Segment is the length at which a new file is begun: what is deleted is
	// always a whole file of about this length.
	Segment int64
	// Total bounds all files together.
	Total int64
}

// maxSegments bounds the files of one journal, however short they are.
const maxSegments = 1024

// Journal is an append-only log of records, numbered from 1.
//
// A record whose Append returned nil survives any cut. One whose Append failed
// is not read again by this process, and once a later Append succeeded it is
// gone for good; after a cut between the two it may be found, and so it may when
// the card did not give its file to the opening between the two. A number is
// never given twice, not even after everything was dropped or the last record
// rotted. A Journal is safe for use by several goroutines and holds at most one
// open file while at rest.
type Journal struct {
	fs  FS
	dir string
	lim JournalLimits

	mu       sync.Mutex
	closed   bool
	segments []segment // in order; the last one is appended to unless sealed
	sealed   bool      // the last segment takes no more records
	active   File      // the last segment while it is open for writing
	kept     uint64    // the newest record that ever was vouched for
	next     uint64    // the number the next record gets
	total    int64
	damage   []Damage
}

// OpenJournal opens the journal in dir, making the folder when it is missing.
// Damage on the card is no error: it is listed by Damage, and whatever can
// still be read is read. The error says that the folder itself is unusable.
func OpenJournal(fs FS, dir string, lim JournalLimits) (*Journal, error) {
	if lim.Record <= 0 || lim.Segment <= 0 || lim.Total < lim.Segment || lim.Record > math.MaxInt32 {
		return nil, fmt.Errorf("open journal %s: limits %+v make no sense: want record, segment > 0 and total >= segment", dir, lim)
	}
	if err := fs.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("open journal: make %s: %w", dir, err)
	}
	j := &Journal{fs: fs, dir: dir, lim: lim, next: 1}
	if err := j.load(); err != nil {
		return nil, fmt.Errorf("open journal %s: %w", dir, err)
	}
	return j, nil
}

// Append keeps one record and returns its number. A nil error means that the
// record is on the medium.
func (j *Journal) Append(record []byte) (seq uint64, err error) {
	return j.AppendBatch([][]byte{record})
}

// AppendBatch keeps several records with one sync and returns the number of the
// first; the others follow it without a gap. A nil error means that all of them
// are on the medium. After an error, or a cut before the return, the next opening
// finds as many of the first ones as are whole, which may be all or none: what
// comes after a damaged record counts as never written, whole or not. What must
// be found together or not at all belongs into one record.
func (j *Journal) AppendBatch(records [][]byte) (first uint64, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return 0, ErrClosed
	}
	size, err := j.measure(records)
	if err != nil {
		return 0, err
	}
	if err := j.room(size); err != nil {
		return 0, fmt.Errorf("append to journal: %w", err)
	}
	last := &j.segments[len(j.segments)-1]
	buf := make([]byte, 0, size)
	first = j.next
	for i, r := range records {
		buf = appendFrame(buf, last.salt, first+uint64(i), r)
	}
	_, err = j.active.WriteAt(buf, last.size)
	if err == nil {
		err = j.active.Sync()
	}
	j.next += uint64(len(records)) // also after a failure: the number is burnt
	if err != nil {
		j.abandon(size)
		return 0, fmt.Errorf("append to journal: %w", err)
	}
	last.size += size
	last.last, last.top = j.next-1, j.next-1
	j.kept = last.last
	j.total += size
	return first, nil
}

func (j *Journal) measure(records [][]byte) (int64, error) {
	if len(records) == 0 {
		return 0, errors.New("append to journal: no record given")
	}
	var size int64
	for _, r := range records {
		if len(r) > j.lim.Record {
			return 0, fmt.Errorf("append to journal: record of %d bytes, limit %d: %w", len(r), j.lim.Record, ErrTooLarge)
		}
		size += frameHeader + int64(len(r))
	}
	if j.total+size > j.lim.Total {
		return 0, fmt.Errorf("append to journal: %d of %d bytes in use: %w", j.total, j.lim.Total, ErrFull)
	}
	return size, nil
}

// room makes sure that an open segment is there to take size more bytes.
func (j *Journal) room(size int64) error {
	if n := len(j.segments); n > 0 && !j.sealed {
		last := j.segments[n-1]
		if last.size == 0 || last.size+size <= j.lim.Segment {
			return j.reopen(last)
		}
	}
	return j.begin()
}

func (j *Journal) reopen(last segment) error {
	if j.active != nil {
		return nil
	}
	f, err := j.fs.OpenFile(filepath.Join(j.dir, last.name()), os.O_RDWR)
	if err != nil {
		return err
	}
	j.active = f
	return nil
}

// begin starts a new segment. Its name says what the journal held before it,
// so that a tail nobody vouched for in the file before is void from now on.
func (j *Journal) begin() error {
	if len(j.segments) >= maxSegments {
		return fmt.Errorf("%d files: %w", maxSegments, ErrFull)
	}
	s := segment{base: j.next, follows: j.kept, salt: rand.Uint32(), last: j.next - 1, top: j.next - 1}
	if n := len(j.segments); n > 0 {
		b := j.segments[n-1]
		s.unsure = b.top > b.last
	}
	path := filepath.Join(j.dir, s.name())
	f, err := j.fs.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL)
	if err != nil {
		return err
	}
	if err = f.Sync(); err == nil {
		err = j.fs.SyncDir(j.dir)
	}
	if err != nil {
		_ = f.Close()         // it holds nothing
		_ = j.fs.Remove(path) // best effort: an empty segment does no harm
		// Its name may come back after a cut and void what follows j.kept in the
		// files before it: nothing more may go there, nor share its number.
		j.sealed, j.next = true, j.next+1
		return err
	}
	if j.active != nil {
		_ = j.active.Close() // every record in it was synced
	}
	j.segments, j.active, j.sealed = append(j.segments, s), f, false
	return nil
}

// abandon gives up the segment after a failed write. The kernel may have thrown
// the bytes away and will not say so twice, so the file is never written again.
func (j *Journal) abandon(tail int64) {
	n := len(j.segments) - 1
	last := &j.segments[n]
	if j.active.Truncate(last.size) != nil { // only a saving: the next segment's name voids the tail anyway
		last.waste = tail
		j.total += tail
	}
	_ = j.active.Close()
	j.active, j.sealed = nil, true
	if last.size == 0 && n > 0 && j.fs.Remove(filepath.Join(j.dir, last.name())) == nil {
		j.total -= last.waste
		j.segments = j.segments[:n] // it never held a record; a full card must not fill up with names
	}
}

// First is the lowest number that is still held, 0 when there is none.
func (j *Journal) First() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.segments {
		if !s.empty() {
			return s.base
		}
	}
	return 0
}

// Last is the number of the newest record that was ever kept, 0 for none. The
// next record gets a higher one, not always the very next.
func (j *Journal) Last() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.kept
}

// Size is the length of all files in bytes.
func (j *Journal) Size() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.total
}

// Damage lists what was found spoiled since the journal was opened, the oldest
// first and at most 64 of them.
func (j *Journal) Damage() []Damage {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.damage)
}

func (j *Journal) report(d Damage) {
	if n := len(j.damage); n > 0 && d.Unread && j.damage[n-1].Unread && j.damage[n-1].To+1 == d.From {
		j.damage[n-1].To = d.To // one silence of the card, however many files long
		return
	}
	if len(j.damage) < maxDamage && !slices.Contains(j.damage, d) {
		j.damage = append(j.damage, d)
	}
}

// DropThrough deletes the files all of whose records have numbers up to and
// including seq. The file being written stays, so some records may be seen
// again; they are always the newest of those dropped.
func (j *Journal) DropThrough(seq uint64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	// What may be in a file that was not read is not dropped before its number.
	for len(j.segments) > 1 && j.segments[0].top <= seq {
		s := j.segments[0]
		if err := j.fs.Remove(filepath.Join(j.dir, s.name())); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("drop journal records through %d: %w", seq, err)
		}
		j.segments = slices.Delete(j.segments, 0, 1)
		j.total -= s.size + s.waste
		// One by one, so that a cut can only leave a shorter journal and never
		// one with a hole that looks like loss.
		if err := j.fs.SyncDir(j.dir); err != nil {
			return fmt.Errorf("drop journal records through %d: %w", seq, err)
		}
	}
	return nil
}

// Close gives the open file back. Everything appended is on the medium already.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closed = true
	if j.active == nil {
		return nil
	}
	f := j.active
	j.active = nil
	if err := f.Close(); err != nil {
		return fmt.Errorf("close journal: %w", err)
	}
	return nil
}
