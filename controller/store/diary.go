package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// The kinds of pages of a diary.
const (
	ClosedDay = "day"
	Addendum  = "addendum"
)

// DiaryPage is a closed day of a commune, or an addendum to one, chained to the
// page before it.
type DiaryPage struct {
	bun.BaseModel `bun:"table:diary_pages" json:"-"`

	Area broadcast.ID `bun:"area,pk" json:"area"`
	Seq  int64        `bun:"seq,pk" json:"seq"`
	// Day is a local date, yyyy-mm-dd.
	Day  string `bun:"day" json:"day"`
	Kind string `bun:"kind" json:"kind"`
	// Person wrote it; empty for the controller itself.
	Person broadcast.ID      `bun:"person" json:"person"`
	At     broadcast.Instant `bun:"at_ms" json:"at"`
	// Body is JSON; its digest is in the hash.
	Body []byte           `bun:"body" json:"-"`
	Prev broadcast.Digest `bun:"prev" json:"prev"`
	// Hash covers everything above.
	Hash broadcast.Digest `bun:"hash" json:"hash"`
}

// sum returns the hash that the page ought to have.
func (p DiaryPage) sum() (broadcast.Digest, error) {
	p.Hash = ""
	b, err := broadcast.Encode(struct {
		DiaryPage
		Body broadcast.Digest `json:"body"`
	}{p, broadcast.Sum(p.Body)})
	if err != nil {
		return "", err
	}
	return broadcast.Sum(append([]byte("loaxa/diary.v1 "), b...)), nil
}

// AddDiaryPage adds a page behind the last one of its commune and returns it
// with its place and hash. A day that is closed already is ErrConflict.
func (t Tx) AddDiaryPage(ctx context.Context, p DiaryPage) (DiaryPage, error) {
	last, err := lastPage(ctx, t.tx, p.Area)
	if err != nil {
		return p, err
	}
	p.Seq, p.Prev = last.Seq+1, last.Hash
	if p.Hash, err = p.sum(); err != nil {
		return p, fmt.Errorf("diary of %s: %w", p.Area, err)
	}
	res, err := t.tx.NewInsert().Model(&p).On("CONFLICT DO NOTHING").Exec(ctx)
	return p, changed("diary of "+string(p.Area)+" of "+p.Day, ErrConflict, res, err)
}

func lastPage(ctx context.Context, from bun.IDB, area broadcast.ID) (DiaryPage, error) {
	var p DiaryPage
	err := from.NewSelect().Model(&p).Where("area = ?", area).Order("seq DESC").Limit(1).Scan(ctx)
	if err = notFound(err); err != nil && !errors.Is(err, ErrNotFound) {
		return p, fmt.Errorf("diary of %s: %w", area, err)
	}
	return p, nil
}

// DiaryOf returns the pages of one day of a commune in their order: the closed
// day first, then its addenda; none if it is not closed.
func (db *DB) DiaryOf(ctx context.Context, area broadcast.ID, day string) ([]DiaryPage, error) {
	return diaryOf(ctx, db.read, area, day)
}

// DiaryOf does the same inside the transaction.
func (t Tx) DiaryOf(ctx context.Context, area broadcast.ID, day string) ([]DiaryPage, error) {
	return diaryOf(ctx, t.tx, area, day)
}

func diaryOf(ctx context.Context, from bun.IDB, area broadcast.ID, day string) ([]DiaryPage, error) {
	var out []DiaryPage
	if err := from.NewSelect().Model(&out).Where("area = ? AND day = ?", area, day).Order("seq").Scan(ctx); err != nil {
		return nil, fmt.Errorf("diary of %s: %w", area, err)
	}
	return out, nil
}

// diaryAtOnce is how many pages are looked at in one query.
const diaryAtOnce = 100

// DiaryBreach names the first page of a diary that is not what was written.
type DiaryBreach struct {
	Area broadcast.ID
	Seq  int64
}

// Error says which page.
func (b *DiaryBreach) Error() string {
	return fmt.Sprintf("diary of %s: page %d was changed or is missing", b.Area, b.Seq)
}

// VerifyDiary walks the diary of a commune and returns its last page, and a
// *DiaryBreach for the first page that is changed or missing. Pages cut off at
// the end show only against heads that were kept elsewhere.
func (db *DB) VerifyDiary(ctx context.Context, area broadcast.ID) (DiaryPage, error) {
	var last DiaryPage
	for {
		var pages []DiaryPage
		err := db.read.NewSelect().Model(&pages).Where("area = ? AND seq > ?", area, last.Seq).Order("seq").Limit(diaryAtOnce).Scan(ctx)
		if err != nil {
			return last, fmt.Errorf("diary of %s: %w", area, err)
		}
		for _, p := range pages {
			sum, err := p.sum()
			if err != nil || p.Seq != last.Seq+1 || p.Prev != last.Hash || p.Hash != sum {
				return last, errors.Join(&DiaryBreach{Area: area, Seq: last.Seq + 1}, err)
			}
			last = p
		}
		if len(pages) < diaryAtOnce {
			return last, nil
		}
	}
}

// DiaryEntry is what somebody added to a day that was not closed yet.
type DiaryEntry struct {
	bun.BaseModel `bun:"table:diary_entries"`

	ID     broadcast.ID      `bun:"id,pk"`
	Area   broadcast.ID      `bun:"area"`
	Day    string            `bun:"day"`
	Person broadcast.ID      `bun:"person"`
	At     broadcast.Instant `bun:"at_ms"`
	Text   string            `bun:"text"`
}

// AddDiaryEntry stores an entry.
func (t Tx) AddDiaryEntry(ctx context.Context, e DiaryEntry) error {
	res, err := t.tx.NewInsert().Model(&e).On("CONFLICT (id) DO NOTHING").Exec(ctx)
	return changed("diary entry "+string(e.ID), ErrConflict, res, err)
}

// DiaryEntries returns the entries of one day of a commune in their order.
func (db *DB) DiaryEntries(ctx context.Context, area broadcast.ID, day string) ([]DiaryEntry, error) {
	return diaryEntries(ctx, db.read, area, day)
}

// DiaryEntries does the same inside the transaction.
func (t Tx) DiaryEntries(ctx context.Context, area broadcast.ID, day string) ([]DiaryEntry, error) {
	return diaryEntries(ctx, t.tx, area, day)
}

func diaryEntries(ctx context.Context, from bun.IDB, area broadcast.ID, day string) ([]DiaryEntry, error) {
	var out []DiaryEntry
	if err := from.NewSelect().Model(&out).Where("area = ? AND day = ?", area, day).Order("id").Scan(ctx); err != nil {
		return nil, fmt.Errorf("diary entries of %s: %w", area, err)
	}
	return out, nil
}
