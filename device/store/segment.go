package store

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// segment is one file of a journal. The file holds frames and nothing else;
// what must never be lost with a rotten sector stands in its name.
type segment struct {
	base    uint64 // no record in it has a lower number
	follows uint64 // newest record kept when it was begun: later ones in earlier files are void
	salt    uint32
	last    uint64 // newest record in it, below base when there is none
	size    int64  // bytes up to the end of that record
	waste   int64  // bytes after it that hold nothing
	top     uint64 // newest record that may be in it: above last if it was not read to its end
	unread  bool   // the card did not give some of it
	// unsure says that the segment before could not be read when this one was
	// begun: follows is the newest number that may be there, and voids nothing.
	unsure bool
}

const (
	segmentSuffix = ".seg"
	unsureSuffix  = "-unsure" + segmentSuffix
)

func (s segment) name() string {
	suffix := segmentSuffix
	if s.unsure {
		suffix = unsureSuffix
	}
	return fmt.Sprintf("%016x-%016x-%08x%s", s.base, s.follows, s.salt, suffix)
}

func (s segment) empty() bool { return s.last < s.base }

// parseSegment reads a segment's name. Files of other shapes are not ours.
func parseSegment(e Entry) (segment, bool) {
	stem, unsure := strings.CutSuffix(e.Name, unsureSuffix)
	parts := strings.Split(strings.TrimSuffix(stem, segmentSuffix), "-")
	if len(parts) != 3 || !strings.HasSuffix(e.Name, segmentSuffix) {
		return segment{}, false
	}
	base, err1 := strconv.ParseUint(parts[0], 16, 64)
	follows, err2 := strconv.ParseUint(parts[1], 16, 64)
	salt, err3 := strconv.ParseUint(parts[2], 16, 32)
	s := segment{base: base, follows: follows, salt: uint32(salt), last: base - 1, size: e.Size, unsure: unsure}
	ok := err1 == nil && err2 == nil && err3 == nil && base > 0 && follows < base && s.name() == e.Name
	return s, ok
}

// load finds the segments on the card and reads every frame once.
func (j *Journal) load() error {
	entries, err := j.fs.ReadDir(j.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if s, ok := parseSegment(e); ok {
			j.segments = append(j.segments, s)
		}
	}
	slices.SortFunc(j.segments, func(a, b segment) int { return strings.Compare(a.name(), b.name()) })
	for i := range j.segments {
		j.inspect(i)
	}
	if len(j.segments) > 0 {
		j.vouch(&j.segments[len(j.segments)-1])
	}
	return nil
}

// inspect reads segment i and finds what it holds and what it lost.
func (j *Journal) inspect(i int) {
	s := &j.segments[i]
	if i == 0 {
		j.kept = s.follows // what came before was dropped, not lost
	} else {
		j.bridge(&j.segments[i-1], s)
	}
	disk := s.size
	s.size = 0
	data, gap, err := j.fs.readAll(filepath.Join(j.dir, s.name()), disk)
	s.unread = disk > 0 && (err != nil || gap != nil)
	want, limit := s.base, j.limit(i)
	for f := range frames(data, s.salt) {
		if f.seq > limit {
			break
		}
		if f.seq < want {
			continue
		}
		j.lost(s, want, f.seq-1)
		want, j.kept, s.last, s.size = f.seq+1, f.seq, f.seq, int64(f.end)
	}
	s.waste = disk - s.size
	s.top = s.last
	if s.unread {
		// More records than fit cannot be there, nor any that are void.
		s.top = min(limit, s.last+uint64(s.waste/frameHeader))
	}
	j.total += disk
	j.next = max(j.next, s.base, s.top+1)
}

// bridge finds what is lost between two segments.
func (j *Journal) bridge(before, s *segment) {
	if s.unsure && !before.unread {
		if before.waste > 0 {
			j.report(Damage{File: before.name(), Torn: true, Bytes: before.waste})
		}
		j.kept = max(j.kept, s.follows) // nobody ever knew how far it went: now it is read
		return
	}
	j.lost(before, j.kept+1, s.follows)
}

// limit is the newest record of segment i that counts: later ones were never
// vouched for.
func (j *Journal) limit(i int) uint64 {
	if i+1 < len(j.segments) {
		return j.segments[i+1].follows
	}
	return math.MaxUint64
}

func (j *Journal) lost(s *segment, from, to uint64) {
	if from <= to {
		j.report(Damage{File: s.name(), From: from, To: to, Unread: s.unread})
		j.kept = max(j.kept, to)
	}
}

// vouch makes the newest segment fit to be appended to, or sets it aside. What
// was read may so far be only in the kernel's memory, left by a process that
// died before its sync, and nobody may act on a record that a cut can undo.
func (j *Journal) vouch(s *segment) {
	path := filepath.Join(j.dir, s.name())
	if s.waste == 0 || s.unread {
		f, err := j.fs.OpenFile(path, os.O_RDWR)
		if err == nil {
			if err = f.Sync(); err == nil {
				err = j.fs.SyncDir(j.dir)
			}
			if err == nil && s.waste == 0 {
				j.active = f
				return
			}
			_ = f.Close() // nothing was written through it
		}
		j.sealed = true // the next Append begins a new file or says why it cannot
		j.lost(s, s.last+1, s.top)
		return
	}
	j.report(Damage{File: s.name(), Torn: true, Bytes: s.waste})
	j.sealed = true
	// The unreadable bytes may have been records that were vouched for: more of
	// them than fit cannot have been, so those numbers are not given again.
	j.next += uint64(s.waste/frameHeader) + 1
	size, waste := s.size, s.waste
	if j.begin() != nil { // s is not valid beyond this line
		return
	}
	if j.cut(path, size) == nil {
		j.segments[len(j.segments)-2].waste = 0
		j.total -= waste
	}
}

// cut gives the space of a void tail back.
func (j *Journal) cut(path string, size int64) error {
	f, err := j.fs.OpenFile(path, os.O_RDWR)
	if err != nil {
		return err
	}
	if err := f.Truncate(size); err != nil {
		_ = f.Close() // the failed cut is what matters, and it is only a saving
		return err
	}
	return f.Close()
}

// Read calls visit for the records numbered from or higher, in order, at most
// limit of them. A record that cannot be read any more is stepped over and
// reported as Damage. An error of visit ends the reading and is returned; any
// other error says that a file could not be opened, after visit saw what comes
// before it. The bytes given to visit may be kept but not changed.
func (j *Journal) Read(from uint64, limit int, visit func(seq uint64, record []byte) error) error {
	j.mu.Lock()
	segments, closed := slices.Clone(j.segments), j.closed
	j.mu.Unlock()
	if closed {
		return ErrClosed
	}
	for _, s := range segments {
		if s.empty() || s.last < from {
			continue
		}
		data, gap, err := j.fs.readAll(filepath.Join(j.dir, s.name()), s.size)
		if errors.Is(err, os.ErrNotExist) {
			continue // dropped since
		}
		if err != nil {
			return fmt.Errorf("read journal: %w", err)
		}
		s.unread = gap != nil
		want := s.base
		for f := range frames(data, s.salt) {
			if f.seq < want || f.seq > s.last {
				continue
			}
			j.missing(s, want, f.seq-1)
			want = f.seq + 1
			if f.seq < from {
				continue
			}
			if limit--; limit < 0 {
				return nil
			}
			if err := visit(f.seq, f.record); err != nil {
				return err
			}
		}
		j.missing(s, want, s.last)
	}
	return nil
}

func (j *Journal) missing(s segment, from, to uint64) {
	if from > to {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.report(Damage{File: s.name(), From: from, To: to, Unread: s.unread})
}
