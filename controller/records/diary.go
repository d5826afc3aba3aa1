package records

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

// ErrRecord means that there can be no such record; the text says what to ask for.
var ErrRecord = errors.New("there is no such record")

// Diary is one day of a commune with what was added after it was closed.
type Diary struct {
	Day
	Closed  string     `json:"closed,omitempty" format:"date-time" doc:"None: the day is not closed, and lines may still change"`
	Hash    string     `json:"hash,omitempty" doc:"Of the closed page; covers all pages before it"`
	Addenda []Addendum `json:"addenda" nullable:"false" doc:"What was learned or written after it was closed"`
}

// Addendum is what was added to a closed day.
type Addendum struct {
	At      string  `json:"at" format:"date-time"`
	Hash    string  `json:"hash"`
	Lines   []Line  `json:"lines" nullable:"false" doc:"Lines as they are by now; late receipts change them by themselves"`
	Entries []Entry `json:"entries" nullable:"false" doc:"What people wrote"`
}

// Diary returns one local day of a commune, yyyy-mm-dd: as it was closed, or as
// it looks so far. Another area, and a day to come, is ErrRecord.
func (r *Records) Diary(ctx context.Context, area broadcast.ID, day string) (Diary, error) {
	from, err := r.open(area, day)
	if err != nil {
		return Diary{}, err
	}
	pages, err := r.cfg.DB.DiaryOf(ctx, area, day)
	if err != nil || len(pages) > 0 {
		return diaryOf(pages, err)
	}
	s, err := r.scribe(ctx)
	if err != nil {
		return Diary{}, err
	}
	all, err := r.airings(ctx, from, from.Add(oneDay))
	if err != nil {
		return Diary{}, err
	}
	out := Diary{Addenda: []Addendum{}}
	if out.Day, err = s.day(ctx, area, from, all); err != nil {
		return out, err
	}
	entries, err := r.cfg.DB.DiaryEntries(ctx, area, day)
	out.Entries = s.entries(entries)
	return out, err
}

// open says when a day of a commune began.
func (r *Records) open(area broadcast.ID, day string) (broadcast.Instant, error) {
	t, err := parse(dateLayout, day)
	if err != nil {
		return 0, fmt.Errorf("%w: a day is written like 2026-11-22", ErrRecord)
	}
	from := broadcast.InstantOf(t)
	if from > r.now() {
		return 0, fmt.Errorf("%w: %s is still to come", ErrRecord, day)
	}
	if a, known := r.cfg.Tree().Find(area); known {
		if f, was := a.At(from); was && f.Level == broadcast.Commune {
			return from, nil
		}
	}
	return 0, fmt.Errorf("%w: communes keep diaries, and %s was none on %s", ErrRecord, area, day)
}

func diaryOf(pages []store.DiaryPage, err error) (Diary, error) {
	out := Diary{Addenda: []Addendum{}}
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(pages[0].Body, &out.Day); err != nil {
		return out, fmt.Errorf("diary of %s, page %d: %w", pages[0].Area, pages[0].Seq, err)
	}
	out.Closed, out.Hash = moment(pages[0].At), string(pages[0].Hash)
	for _, p := range pages[1:] {
		a := Addendum{At: moment(p.At), Hash: string(p.Hash), Lines: []Line{}, Entries: []Entry{}}
		if err := json.Unmarshal(p.Body, &a); err != nil {
			return out, fmt.Errorf("diary of %s, page %d: %w", p.Area, p.Seq, err)
		}
		out.Addenda = append(out.Addenda, a)
	}
	return out, nil
}

// maxEntry bounds an entry in characters.
const maxEntry = 1000

// Write adds what somebody has to say of a day of a commune: to the day while it
// is open, as an addendum afterwards. Nobody can take it back or change it; kept,
// if not nil, runs in the same transaction.
func (r *Records) Write(ctx context.Context, by, area broadcast.ID, day, text string, kept func(store.Tx) error) error {
	if _, err := r.open(area, day); err != nil {
		return err
	}
	text = strings.TrimSpace(broadcast.NormalText(strings.ReplaceAll(text, "\r\n", "\n")))
	if n := utf8.RuneCountInString(text); n == 0 || n > maxEntry {
		return fmt.Errorf("%w: an entry has 1 to %d characters, this one %d", ErrRecord, maxEntry, n)
	}
	if err := (broadcast.Metadata{Text: text}).Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrRecord, err)
	}
	id, err := r.newID()
	if err != nil {
		return err
	}
	s, err := r.scribe(ctx)
	if err != nil {
		return err
	}
	row := store.DiaryEntry{ID: id, Area: area, Day: day, Person: by, At: r.now(), Text: text}
	return r.cfg.DB.Update(ctx, func(tx store.Tx) error {
		if err := s.enter(ctx, tx, row); err != nil || kept == nil {
			return err
		}
		return kept(tx)
	})
}

// enter adds an entry to its day, or behind it if that is closed.
func (s *scribe) enter(ctx context.Context, tx store.Tx, e store.DiaryEntry) error {
	pages, err := tx.DiaryOf(ctx, e.Area, e.Day)
	if err != nil {
		return err
	}
	if len(pages) > 0 {
		return s.addPage(ctx, tx, store.DiaryPage{Area: e.Area, Day: e.Day, Kind: store.Addendum, Person: e.Person}, amendment{Entries: s.entries([]store.DiaryEntry{e})})
	}
	if err := tx.AddDiaryEntry(ctx, e); err != nil {
		return err
	}
	return tx.Audit(ctx, store.Deed{At: e.At, Person: e.Person, Act: "diary.entry", Subject: string(e.Area),
		Detail: map[string]string{"day": e.Day, "id": string(e.ID), "sha256": string(broadcast.Sum([]byte(e.Text)))}})
}

// DiaryVerdict is what a walk over the diary of a commune came to.
type DiaryVerdict struct {
	Whole bool   `json:"whole"`
	Pages int64  `json:"pages"`
	Head  string `json:"head,omitempty" doc:"The hash of the last page: worth writing down on paper"`
	// Broken is the first page that is not what was written.
	Broken int64 `json:"broken,omitempty" doc:"The first page that was changed or is missing"`
}

// Verify walks the whole diary of a commune, and holds its end against what the
// audit log kept of it.
func (r *Records) Verify(ctx context.Context, area broadcast.ID) (DiaryVerdict, error) {
	last, err := r.cfg.DB.VerifyDiary(ctx, area)
	out := DiaryVerdict{Pages: last.Seq, Head: string(last.Hash)}
	var breach *store.DiaryBreach
	if errors.As(err, &breach) {
		out.Broken = breach.Seq
		return out, nil
	}
	if err != nil {
		return out, err
	}
	rows, err := r.cfg.DB.AuditPage(ctx, store.AuditQuery{Act: pageAct, Subject: string(area), Limit: 1})
	if err != nil {
		return out, err
	}
	var kept pageDeed
	for _, row := range rows {
		if err := json.Unmarshal([]byte(row.Detail), &kept); err != nil {
			return out, fmt.Errorf("audit row %d: %w", row.Seq, err)
		}
	}
	switch {
	case kept.Seq > last.Seq:
		out.Broken = last.Seq + 1
	case kept.Seq < last.Seq || kept.Hash != last.Hash:
		out.Broken = last.Seq
	}
	out.Whole = out.Broken == 0
	return out, nil
}
