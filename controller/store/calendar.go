package store

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/loaxa/loaxa/broadcast"
)

// announcementDays is a row of announcement_days.
type announcementDays struct {
	bun.BaseModel `bun:"table:announcement_days"`

	Announcement broadcast.ID      `bun:"announcement,pk"`
	Area         broadcast.ID      `bun:"area,pk"`
	Class        broadcast.Class   `bun:"class"`
	State        AnnouncementState `bun:"state"`
	Start        broadcast.Instant `bun:"start_ms"`
	End          broadcast.Instant `bun:"end_ms"`
}

// Days is a stretch of the calendar to ask for.
type Days struct {
	// Areas are those that an announcement names, of which one is enough.
	Areas []broadcast.ID
	// From and To bound it, To exclusive: what begins before To and may still
	// sound at From or later.
	From, To broadcast.Instant
	// Class and State choose; empty means any.
	Class broadcast.Class
	State AnnouncementState
	// After is the last of the page before; its zero value begins at the first.
	After Day
	Limit int
}

// Day is where an announcement stands in the calendar. Before it has a start, it
// stands where it was created.
type Day struct {
	Start        broadcast.Instant `bun:"start_ms"`
	Announcement broadcast.ID      `bun:"announcement"`
}

// mark keeps when an announcement is on, as its body says.
func (t Tx) mark(ctx context.Context, a Announcement) error {
	var body struct {
		Class  broadcast.Class  `json:"class"`
		Areas  []broadcast.ID   `json:"areas"`
		Timing broadcast.Timing `json:"timing"`
	}
	if a.Body != "" {
		if err := json.Unmarshal([]byte(a.Body), &body); err != nil {
			return fmt.Errorf("days of announcement %s: %w", a.ID, err)
		}
	}
	if _, err := t.tx.NewDelete().Model((*announcementDays)(nil)).Where("announcement = ?", a.ID).Exec(ctx); err != nil {
		return fmt.Errorf("days of announcement %s: %w", a.ID, err)
	}
	if body.Timing.Start == 0 {
		body.Timing.Start = a.Created
	}
	var rows []announcementDays
	for _, area := range body.Areas {
		rows = append(rows, announcementDays{Announcement: a.ID, Area: area, Class: body.Class, State: a.State,
			Start: body.Timing.Start, End: max(a.Until, body.Timing.Deadline(body.Class))})
	}
	if len(rows) == 0 {
		return nil
	}
	if _, err := t.tx.NewInsert().Model(&rows).Exec(ctx); err != nil {
		return fmt.Errorf("days of announcement %s: %w", a.ID, err)
	}
	return nil
}

// AnnouncementsOn returns the announcements of a stretch of the calendar, in
// order of start and id.
func (db *DB) AnnouncementsOn(ctx context.Context, d Days) ([]Day, error) {
	q := db.read.NewSelect().Model((*announcementDays)(nil)).Distinct().Column("start_ms", "announcement").
		Where("area IN (?)", bun.List(d.Areas)).Where("start_ms < ? AND end_ms >= ?", d.To, d.From).
		Order("start_ms", "announcement").Limit(int64(d.Limit))
	if d.Class != "" {
		q = q.Where("class = ?", d.Class)
	}
	if d.State != "" {
		q = q.Where("state = ?", d.State)
	}
	if d.After != (Day{}) {
		q = q.Where("(start_ms, announcement) > (?, ?)", d.After.Start, d.After.Announcement)
	}
	var out []Day
	if err := q.Scan(ctx, &out); err != nil {
		return nil, fmt.Errorf("calendar: %w", err)
	}
	return out, nil
}

// AnnouncementsNamed returns those of some announcements that are there, by id.
func (db *DB) AnnouncementsNamed(ctx context.Context, ids []broadcast.ID) (map[broadcast.ID]Announcement, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []Announcement
	if err := db.read.NewSelect().Model(&rows).Where("id IN (?)", bun.List(ids)).Scan(ctx); err != nil {
		return nil, fmt.Errorf("%d announcements: %w", len(ids), err)
	}
	out := make(map[broadcast.ID]Announcement, len(rows))
	for _, a := range rows {
		out[a.ID] = a
	}
	return out, nil
}
