package store

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// Subscription is somebody's wish to be told.
type Subscription struct {
	bun.BaseModel `bun:"table:subscriptions"`

	ID     broadcast.ID `bun:"id,pk"`
	Person broadcast.ID `bun:"person"`
	// Way is how, Address where to.
	Way     string `bun:"way"`
	Address string `bun:"address"`
	// Areas and Topics are JSON lists.
	Areas    []broadcast.ID `bun:"areas"`
	Topics   []string       `bun:"topics"`
	Language string         `bun:"language"`
	// Quiet is from-to in local time, or empty.
	Quiet   string            `bun:"quiet"`
	Created broadcast.Instant `bun:"created_ms"`
}

// MessageState says how far a message got.
type MessageState string

// The states of messages.
const (
	MessageQueued MessageState = "queued"
	MessageSent   MessageState = "sent"   // taken by whoever delivers it
	MessageFailed MessageState = "failed" // given up, for the reason that stands beside
)

// Message is one message to one address.
type Message struct {
	bun.BaseModel `bun:"table:messages"`

	// ID is a lower-case ULID: ids are in the order of making.
	ID           broadcast.ID      `bun:"id,pk"`
	Subscription broadcast.ID      `bun:"subscription"`
	Person       broadcast.ID      `bun:"person"`
	Way          string            `bun:"way"`
	Address      string            `bun:"address"`
	Subject      string            `bun:"subject"`
	Body         string            `bun:"body"`
	Urgent       bool              `bun:"urgent"`
	State        MessageState      `bun:"state"`
	Tries        int64             `bun:"tries"`
	Reason       string            `bun:"reason"`
	Next         broadcast.Instant `bun:"next_ms"`
	Created      broadcast.Instant `bun:"created_ms"`
	Sent         broadcast.Instant `bun:"sent_ms"`
}

// AddSubscription stores a new one; its id taken is ErrConflict.
func (t Tx) AddSubscription(ctx context.Context, s Subscription) error {
	res, err := t.tx.NewInsert().Model(&s).On("CONFLICT (id) DO NOTHING").Exec(ctx)
	return changed("subscription "+string(s.ID), ErrConflict, res, err)
}

// DropSubscription ends one, with what was still to be sent for it; an unknown
// one is ErrNotFound.
func (t Tx) DropSubscription(ctx context.Context, id broadcast.ID) error {
	res, err := t.tx.NewDelete().Model((*Subscription)(nil)).Where("id = ?", id).Exec(ctx)
	if err := changed("subscription "+string(id), ErrNotFound, res, err); err != nil {
		return err
	}
	if _, err := t.tx.NewDelete().Model((*Message)(nil)).Where("subscription = ? AND state = ?", id, MessageQueued).Exec(ctx); err != nil {
		return fmt.Errorf("messages of %s: %w", id, err)
	}
	return nil
}

// Subscriptions returns those of one person, or of everybody for "".
func (db *DB) Subscriptions(ctx context.Context, person broadcast.ID) ([]Subscription, error) {
	var out []Subscription
	q := db.read.NewSelect().Model(&out).Order("id")
	if person != "" {
		q = q.Where("person = ?", person)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("subscriptions: %w", err)
	}
	return out, nil
}

// AddMessage queues a message.
func (t Tx) AddMessage(ctx context.Context, m Message) error {
	res, err := t.tx.NewInsert().Model(&m).On("CONFLICT (id) DO NOTHING").Exec(ctx)
	return changed("message "+string(m.ID), ErrConflict, res, err)
}

// SaveMessage replaces a message that is still queued; one that is not, or was
// dropped, stays as it is.
func (t Tx) SaveMessage(ctx context.Context, m Message) error {
	if _, err := t.tx.NewUpdate().Model(&m).WherePK().Where("state = ?", MessageQueued).Exec(ctx); err != nil {
		return fmt.Errorf("message %s: %w", m.ID, err)
	}
	return nil
}

// MessagesDue returns queued messages of one way that may be tried now, urgent
// ones first.
func (db *DB) MessagesDue(ctx context.Context, way string, now broadcast.Instant, limit int) ([]Message, error) {
	var out []Message
	err := db.read.NewSelect().Model(&out).Where("state = ? AND way = ? AND next_ms <= ?", MessageQueued, way, now).
		Order("urgent DESC", "id").Limit(int64(limit)).Scan(ctx)
	if err != nil {
		return nil, fmt.Errorf("messages: %w", err)
	}
	return out, nil
}

// Messages returns those to some people, the newest first, before an id if
// there is one.
func (db *DB) Messages(ctx context.Context, persons []broadcast.ID, before broadcast.ID, limit int) ([]Message, error) {
	if len(persons) == 0 {
		return nil, nil
	}
	var out []Message
	q := db.read.NewSelect().Model(&out).Where("person IN (?)", bun.List(persons)).Order("id DESC").Limit(int64(limit))
	if before != "" {
		q = q.Where("id < ?", before)
	}
	if err := q.Scan(ctx); err != nil {
		return nil, fmt.Errorf("messages: %w", err)
	}
	return out, nil
}

// CountMessages counts what was made for a subscription since a moment.
func (t Tx) CountMessages(ctx context.Context, subscription broadcast.ID, since broadcast.Instant) (int64, error) {
	n, err := t.tx.NewSelect().Model((*Message)(nil)).Where("subscription = ? AND created_ms >= ?", subscription, since).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("messages of %s: %w", subscription, err)
	}
	return n, nil
}
