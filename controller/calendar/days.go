package calendar

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/controller/store"
)

// maxStarts is how many starts of one announcement are told.
const maxStarts = MaxDays

// Query asks for what is on in some days.
type Query struct {
	// Area is where it can be heard: what is meant for it, for areas above it and
	// for areas below.
	Area broadcast.ID
	// From and To bound the days, To exclusive.
	From, To broadcast.Instant
	// Class and State choose; empty means any.
	Class broadcast.Class
	State store.AnnouncementState
	// Cursor is Next of the page before; empty begins at the first.
	Cursor string
	Limit  int
}

// Item is one announcement of a calendar.
type Item struct {
	ID broadcast.ID
	// Starts are its starts in those days; none of a draft without a start.
	Starts []broadcast.Instant
	// More says that it has more starts than are told.
	More bool
}

// Page is a page of a calendar in order of the first start ever.
type Page struct {
	Items []Item
	Next  string
}

// Days returns the announcements of some days.
func (c *Calendar) Days(ctx context.Context, q Query) (Page, error) {
	if err := c.knows(q.Area); err != nil {
		return Page{}, err
	}
	if q.To <= q.From || q.To.Sub(q.From) > MaxDays*day {
		return Page{}, fmt.Errorf("%w: to must lie after from, and at most %d days later", ErrQuestion, MaxDays)
	}
	after, err := parseCursor(q.Cursor)
	if err != nil {
		return Page{}, err
	}
	limit := min(max(q.Limit, 1), MaxPage)
	found, err := c.cfg.DB.AnnouncementsOn(ctx, store.Days{Areas: c.around(q.Area), From: q.From, To: q.To, Class: q.Class, State: q.State, After: after, Limit: limit})
	if err != nil {
		return Page{}, err
	}
	ids := make([]broadcast.ID, len(found))
	for i, f := range found {
		ids[i] = f.Announcement
	}
	rows, err := c.cfg.DB.AnnouncementsNamed(ctx, ids)
	if err != nil {
		return Page{}, err
	}
	var out Page
	for _, id := range ids {
		item, err := itemOf(rows[id], q.From, q.To)
		if err != nil {
			return Page{}, err
		}
		out.Items = append(out.Items, item)
	}
	if len(found) == limit {
		last := found[limit-1]
		out.Next = fmt.Sprintf("%d-%s", last.Start, last.Announcement)
	}
	return out, nil
}

// around are an area, all above it and all below.
func (c *Calendar) around(area broadcast.ID) []broadcast.ID {
	at := c.now()
	var out []broadcast.ID
	for _, a := range c.cfg.Tree().Areas() {
		if c.cfg.Tree().Covers(a.ID, area, at) || c.cfg.Tree().Covers(area, a.ID, at) {
			out = append(out, a.ID)
		}
	}
	return out
}

func parseCursor(text string) (store.Day, error) {
	if text == "" {
		return store.Day{}, nil
	}
	start, id, _ := strings.Cut(text, "-")
	n, err := strconv.ParseInt(start, 10, 64)
	if err != nil || broadcast.ID(id).Validate() != nil {
		return store.Day{}, fmt.Errorf("%w: cursor %q is not the next of a page", ErrQuestion, text)
	}
	return store.Day{Start: broadcast.Instant(n), Announcement: broadcast.ID(id)}, nil
}

// timed is what a calendar reads of a body.
type timed struct {
	Class  broadcast.Class  `json:"class"`
	Timing broadcast.Timing `json:"timing"`
}

// itemOf finds the starts of an announcement in a stretch of time.
func itemOf(row store.Announcement, from, to broadcast.Instant) (Item, error) {
	out := Item{ID: row.ID}
	var body timed
	if err := json.Unmarshal([]byte(row.Body), &body); err != nil {
		return out, fmt.Errorf("announcement %s: %w", row.ID, err)
	}
	late := body.Timing.Late(body.Class)
	for at := from; body.Timing.Start != 0; {
		next, ok := plan.Next(body.Timing, body.Class, at.Add(late), to-1)
		if !ok {
			break
		}
		if out.More = len(out.Starts) == maxStarts; out.More {
			break
		}
		out.Starts, at = append(out.Starts, next), next+1
	}
	return out, nil
}
