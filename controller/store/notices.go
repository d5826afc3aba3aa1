package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// Notice is something that somebody ought to know of.
type Notice struct {
	bun.BaseModel `bun:"table:notices"`

	// Name is the same as long as it is the same thing.
	Name  string `bun:"name,pk"`
	Topic string `bun:"topic"`
	// Cause is alike for notices that one sentence can tell together.
	Cause string       `bun:"cause"`
	Area  broadcast.ID `bun:"area"`
	// Person is who it is about; empty if it is about a place.
	Person broadcast.ID `bun:"person"`
	// Urgent ones are told at any hour.
	Urgent bool `bun:"urgent"`
	// Passing ones are told once, and never as over.
	Passing bool `bun:"passing"`
	// Subject is what it is about: a node, a title. Words is canonical JSON.
	Subject string            `bun:"subject"`
	Words   string            `bun:"words"`
	Since   broadcast.Instant `bun:"since_ms"`
	Shown   broadcast.Instant `bun:"shown_ms"`
	// Ended is 0 while it lasts.
	Ended broadcast.Instant `bun:"ended_ms"`
}

// Telling says that a subscription was told of a notice, of its coming or of
// its end.
type Telling struct {
	bun.BaseModel `bun:"table:tellings"`

	Subscription broadcast.ID `bun:"subscription,pk"`
	Notice       string       `bun:"notice,pk"`
	Ended        bool         `bun:"ended,pk"`
}

// OpenNotices returns every notice that lasts.
func (t Tx) OpenNotices(ctx context.Context) ([]Notice, error) {
	var out []Notice
	if err := t.tx.NewSelect().Model(&out).Where("ended_ms = 0").Order("name").Scan(ctx); err != nil {
		return nil, fmt.Errorf("notices: %w", err)
	}
	return out, nil
}

// SaveNotices adds notices, or replaces those that have their names.
func (t Tx) SaveNotices(ctx context.Context, list []Notice) error {
	for len(list) > 0 {
		some := list[:min(len(list), rowsAtOnce)]
		list = list[len(some):]
		_, err := t.tx.NewInsert().Model(&some).On("CONFLICT (name) DO UPDATE").
			Set("subject = EXCLUDED.subject, words = EXCLUDED.words, urgent = EXCLUDED.urgent, passing = EXCLUDED.passing, ended_ms = EXCLUDED.ended_ms").Exec(ctx)
		if err != nil {
			return fmt.Errorf("%d notices: %w", len(some), err)
		}
	}
	return nil
}

// Untold returns what a subscription was not told yet, the oldest first: what
// lasts, and the end of what it was told of.
func (t Tx) Untold(ctx context.Context, subscription broadcast.ID) ([]Notice, error) {
	var out []Notice
	told := "EXISTS (SELECT 1 FROM tellings AS told WHERE told.subscription = ? AND told.notice = notice.name AND told.ended = ?)"
	err := t.tx.NewSelect().Model(&out).
		Where("ended_ms = 0 AND NOT "+told, subscription, false).
		WhereOr("ended_ms > 0 AND NOT passing AND "+told+" AND NOT "+told, subscription, false, subscription, true).
		Order("shown_ms", "name").Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("what %s was not told: %w", subscription, err)
	}
	return out, nil
}

// Tell notes what a subscription was told.
func (t Tx) Tell(ctx context.Context, list []Telling) error {
	for len(list) > 0 {
		some := list[:min(len(list), rowsAtOnce)]
		list = list[len(some):]
		if _, err := t.tx.NewInsert().Model(&some).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
			return fmt.Errorf("%d tellings: %w", len(some), err)
		}
	}
	return nil
}

// ForgetNotices drops what ended before a moment with its tellings, messages
// that were sent or given up before it, and tellings of nobody.
func (t Tx) ForgetNotices(ctx context.Context, before broadcast.Instant) error {
	for _, q := range []struct {
		text string
		args []any
	}{
		{"DELETE FROM notices WHERE ended_ms > 0 AND ended_ms < ?", []any{before}},
		{"DELETE FROM tellings WHERE notice NOT IN (SELECT name FROM notices) OR subscription NOT IN (SELECT id FROM subscriptions)", nil},
		{"DELETE FROM messages WHERE state <> 'queued' AND created_ms < ?", []any{before}},
	} {
		if _, err := t.tx.NewRaw(q.text, q.args...).Exec(ctx); err != nil {
			return fmt.Errorf("forget notices: %w", err)
		}
	}
	return nil
}
