package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// SpeechState is how far a text got on its way to sound.
type SpeechState string

// The states. Nothing leaves queued but by being spoken.
const (
	SpeechQueued   SpeechState = "queued"
	SpeechSpeaking SpeechState = "speaking"
	SpeechDone     SpeechState = "done"
	SpeechFailed   SpeechState = "failed"
)

// Speech is a text that becomes a recording.
type Speech struct {
	bun.BaseModel `bun:"table:speeches"`

	// ID is a lower-case ULID: ids are in the order in which texts came.
	ID broadcast.ID `bun:"id,pk"`
	// Version counts the changes of the row; a stale writer is refused.
	Version int64        `bun:"version"`
	State   SpeechState  `bun:"state"`
	Person  broadcast.ID `bun:"person"`
	Area    broadcast.ID `bun:"area"`
	Title   string       `bun:"title"`
	// Written is the author's text, never shortened.
	Written string `bun:"written"`
	// Manner is how it shall be said, and Accepted what its author let through, as JSON.
	Manner   string `bun:"manner"`
	Accepted string `bun:"accepted"`
	// Reason is why it waits or failed, as JSON; empty if neither.
	Reason string `bun:"reason"`
	// Tries counts failures in a row, Next is when it is tried again.
	Tries int64             `bun:"tries"`
	Next  broadcast.Instant `bun:"next_ms"`
	// Done of Total units of it are spoken.
	Done  int64 `bun:"done"`
	Total int64 `bun:"total"`
	// Content is the recording once it is done.
	Content broadcast.Digest  `bun:"content"`
	Created broadcast.Instant `bun:"created_ms"`
	Changed broadcast.Instant `bun:"changed_ms"`
}

// SpokenContent is the text beside a recording.
type SpokenContent struct {
	bun.BaseModel `bun:"table:spoken_contents"`

	SHA256   broadcast.Digest  `bun:"sha256,pk"`
	Speech   broadcast.ID      `bun:"speech"`
	Person   broadcast.ID      `bun:"person"`
	Area     broadcast.ID      `bun:"area"`
	Written  string            `bun:"written"`
	Spoken   string            `bun:"spoken"`
	Accepted string            `bun:"accepted"`
	Created  broadcast.Instant `bun:"created_ms"`
}

// Listening is a person's word of having listened to a recording.
type Listening struct {
	bun.BaseModel `bun:"table:listenings"`

	SHA256 broadcast.Digest  `bun:"sha256,pk"`
	Person broadcast.ID      `bun:"person,pk"`
	At     broadcast.Instant `bun:"at_ms"`
}

// Lexeme is how an area says something written.
type Lexeme struct {
	bun.BaseModel `bun:"table:lexemes"`

	Area    broadcast.ID `bun:"area,pk"`
	Written string       `bun:"written,pk"`
	Spoken  string       `bun:"spoken"`
	Exact   bool         `bun:"exact"`
	// Doubtful entries are always shown to be checked.
	Doubtful bool              `bun:"doubtful"`
	Version  int64             `bun:"version"`
	Person   broadcast.ID      `bun:"person"`
	Changed  broadcast.Instant `bun:"changed_ms"`
}

// AddSpeech stores a new row; one with that id is ErrConflict.
func (t Tx) AddSpeech(ctx context.Context, s Speech) error {
	s.Version = 1
	res, err := t.tx.NewInsert().Model(&s).On("CONFLICT (id) DO NOTHING").Exec(ctx)
	return changed("speech "+string(s.ID), ErrConflict, res, err)
}

// SaveSpeech replaces a row as it was read; one that changed since, or is
// unknown, is ErrConflict.
func (t Tx) SaveSpeech(ctx context.Context, s Speech) error {
	read := s.Version
	s.Version++
	res, err := t.tx.NewUpdate().Model(&s).WherePK().Where("version = ?", read).Exec(ctx)
	return changed("speech "+string(s.ID), ErrConflict, res, err)
}

// RequeueSpeeches puts back what was being spoken when the program ended.
func (t Tx) RequeueSpeeches(ctx context.Context) error {
	_, err := t.tx.NewUpdate().Model((*Speech)(nil)).Set("state = ?", SpeechQueued).Set("version = version + 1").
		Where("state = ?", SpeechSpeaking).Exec(ctx)
	if err != nil {
		return fmt.Errorf("speeches: %w", err)
	}
	return nil
}

// Speech returns one row, or ErrNotFound.
func (db *DB) Speech(ctx context.Context, id broadcast.ID) (Speech, error) {
	var s Speech
	if err := db.read.NewSelect().Model(&s).Where("id = ?", id).Scan(ctx); err != nil {
		return s, fmt.Errorf("speech %s: %w", id, notFound(err))
	}
	return s, nil
}

// SpeechesBefore returns rows with a smaller id, newest first, at most limit; an
// empty id begins at the newest.
func (db *DB) SpeechesBefore(ctx context.Context, id broadcast.ID, limit int) ([]Speech, error) {
	var out []Speech
	q := db.read.NewSelect().Model(&out).Order("id DESC").Limit(int64(limit))
	if id != "" {
		q = q.Where("id < ?", id)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("speeches: %w", err)
	}
	return out, nil
}

// SpeechDue returns the oldest text that waits and may be tried now, or
// ErrNotFound.
func (db *DB) SpeechDue(ctx context.Context, now broadcast.Instant) (Speech, error) {
	var s Speech
	err := db.read.NewSelect().Model(&s).Where("state = ? AND next_ms <= ?", SpeechQueued, now).Order("next_ms", "id").Limit(1).Scan(ctx)
	if err != nil {
		return s, fmt.Errorf("speech: %w", notFound(err))
	}
	return s, nil
}

// SpeechesWaiting returns how many texts of a person are not done.
func (db *DB) SpeechesWaiting(ctx context.Context, person broadcast.ID) (int, error) {
	n, err := db.read.NewSelect().Model((*Speech)(nil)).Where("person = ? AND state IN (?)", person,
		bun.List([]SpeechState{SpeechQueued, SpeechSpeaking})).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("speeches: %w", err)
	}
	return int(n), nil
}

// AddSpokenContent keeps the text beside a recording; the first one stays.
func (t Tx) AddSpokenContent(ctx context.Context, s SpokenContent) error {
	if _, err := t.tx.NewInsert().Model(&s).On("CONFLICT (sha256) DO NOTHING").Exec(ctx); err != nil {
		return fmt.Errorf("text of content %s: %w", s.SHA256.Short(), err)
	}
	return nil
}

// SpokenContents returns the texts of those recordings that were made of one, in
// order of digest.
func (db *DB) SpokenContents(ctx context.Context, contents ...broadcast.Digest) ([]SpokenContent, error) {
	var out []SpokenContent
	if len(contents) == 0 {
		return nil, nil
	}
	if err := db.read.NewSelect().Model(&out).Where("sha256 IN (?)", bun.List(contents)).Order("sha256").Scan(ctx); err != nil {
		return nil, fmt.Errorf("texts of contents: %w", err)
	}
	return out, nil
}

// AddListening notes that somebody listened; the first time stays. It reports
// whether it was new.
func (t Tx) AddListening(ctx context.Context, l Listening) (bool, error) {
	res, err := t.tx.NewInsert().Model(&l).On("CONFLICT (sha256, person) DO NOTHING").Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("listening: %w", err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// Listened returns to which of some recordings a person said to have listened.
func (db *DB) Listened(ctx context.Context, person broadcast.ID, contents ...broadcast.Digest) ([]Listening, error) {
	var out []Listening
	if len(contents) == 0 {
		return nil, nil
	}
	err := db.read.NewSelect().Model(&out).Where("person = ? AND sha256 IN (?)", person, bun.List(contents)).Order("sha256").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("listenings: %w", err)
	}
	return out, nil
}

// AddLexeme keeps a new entry; one that is there is ErrConflict.
func (t Tx) AddLexeme(ctx context.Context, l Lexeme) error {
	l.Version = 1
	res, err := t.tx.NewInsert().Model(&l).On("CONFLICT (area, written) DO NOTHING").Exec(ctx)
	return changed("lexicon entry "+l.Written, ErrConflict, res, err)
}

// SaveLexeme replaces an entry as it was read; one that changed since, or is
// unknown, is ErrConflict.
func (t Tx) SaveLexeme(ctx context.Context, l Lexeme) error {
	read := l.Version
	l.Version++
	res, err := t.tx.NewUpdate().Model(&l).WherePK().Where("version = ?", read).Exec(ctx)
	return changed("lexicon entry "+l.Written, ErrConflict, res, err)
}

// DropLexeme removes an entry; one that is not there is ErrNotFound.
func (t Tx) DropLexeme(ctx context.Context, area broadcast.ID, written string) error {
	res, err := t.tx.NewDelete().Model((*Lexeme)(nil)).Where("area = ? AND written = ?", area, written).Exec(ctx)
	return changed("lexicon entry "+written, ErrNotFound, res, err)
}

// Lexemes returns the entries of some areas, by area and what is written.
func (db *DB) Lexemes(ctx context.Context, areas ...broadcast.ID) ([]Lexeme, error) {
	var out []Lexeme
	if len(areas) == 0 {
		return nil, nil
	}
	if err := db.read.NewSelect().Model(&out).Where("area IN (?)", bun.List(areas)).Order("area", "written").Scan(ctx); err != nil {
		return nil, fmt.Errorf("lexicon: %w", err)
	}
	return out, nil
}
