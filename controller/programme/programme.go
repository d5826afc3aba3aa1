package programme

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Desk is where a programme becomes an announcement.
type Desk interface {
	Create(ctx context.Context, by people.Person, draft desk.Draft, kept func(store.Tx, desk.Announcement) error) (desk.Announcement, error)
	// Current is an announcement as it was edited last.
	Current(ctx context.Context, id broadcast.ID) (desk.Announcement, error)
}

// Body is what people edit of a programme.
type Body struct {
	Title    string             `json:"title"`
	Language broadcast.Language `json:"language,omitempty"`
	// Start is when it begins, and Minutes how long there is room; 0 for as long as
	// it lasts. Slot names a standing slot, which then says both for the day of
	// Start.
	Start   broadcast.Instant `json:"start"`
	Minutes int64             `json:"minutes,omitempty"`
	Slot    broadcast.ID      `json:"slot,omitempty"`
	// Bare leaves out what opens and closes the programmes of the place.
	Bare     bool      `json:"bare,omitempty"`
	Segments []Segment `json:"segments"`
}

// Segment is one part: a content, the announcement that a higher level offers, or
// a station that is relayed.
type Segment struct {
	Title   string           `json:"title"`
	Content broadcast.Digest `json:"content,omitempty"`
	Offer   broadcast.ID     `json:"offer,omitempty"`
	// Relay is the station, and Length how long it is relayed, in milliseconds; both
	// or neither.
	Relay  broadcast.ID `json:"relay,omitempty"`
	Length int64        `json:"relay_ms,omitempty"`
	// Hard is its latest start after that of the programme, in milliseconds; 0 for
	// right after the part before.
	Hard int64 `json:"hard_ms,omitempty"`
}

// Part is a segment as it will sound.
type Part struct {
	Segment
	// Role is opening or closing for what the place adds, else empty.
	Role string
	// At is when it begins, and Millis how long it lasts; 0 if that is not known.
	At     broadcast.Instant
	Millis int64
	// Trouble says why it will not sound as it stands; empty if nothing is wrong.
	Trouble Code
}

// Programme is what a commune puts on for one day.
type Programme struct {
	ID        broadcast.ID
	Version   int64
	Area      broadcast.ID
	Author    broadcast.ID
	Changed   broadcast.Instant
	ChangedBy broadcast.ID
	Body      Body
	// Station is how the place names its station.
	Station string
	// Parts are everything that will sound, in order; Total is when the last ends
	// after the start, Room how much there is, 0 for any.
	Parts       []Part
	Total, Room time.Duration
	// Announcement is what it became last, and State how far that got; both are
	// empty if it did not.
	Announcement broadcast.ID
	State        store.AnnouncementState
	// Undo says that the last edit can still be undone.
	Undo bool
}

// Fits says whether it has room enough.
func (p Programme) Fits() bool { return p.Room == 0 || p.Total <= p.Room }

// Bounds of a programme.
const (
	maxTitle    = 200
	maxMinutes  = 60
	maxListed   = 500
	undoableFor = time.Hour
)

// sound says whether exactly one thing is to sound, and a relay for how long.
func (s Segment) sound() bool {
	given := 0
	for _, is := range []bool{s.Content != "", s.Offer != "", s.Relay != ""} {
		if is {
			given++
		}
	}
	return given == 1 && (s.Relay != "") == (s.Length > 0) && s.Length <= maxMinutes*time.Minute.Milliseconds()
}

// normal puts the texts of a body into the form that documents accept.
func (b Body) normal() Body {
	b.Title = text(b.Title)
	b.Segments = slices.Clone(b.Segments)
	for i := range b.Segments {
		b.Segments[i].Title = text(b.Segments[i].Title)
	}
	return b
}

func text(s string) string {
	return strings.TrimSpace(broadcast.NormalText(strings.ReplaceAll(s, "\r\n", "\n")))
}

// check refuses what no programme can be.
func (b Body) check() error {
	flaw := func(field, what, was string) error { return refuse(Invalid, field, word{what, was}) }
	switch {
	case b.Title == "" || len([]rune(b.Title)) > maxTitle:
		return flaw("title", "the title is empty or longer than 200 characters", "tiêu đề để trống hoặc dài quá 200 ký tự")
	case b.Start <= 0:
		return flaw("start", "the start is missing", "chưa có giờ phát")
	case b.Minutes < 0 || b.Minutes > maxMinutes:
		return flaw("minutes", "the room is 1 to 60 minutes", "khung giờ từ 1 đến 60 phút")
	case len(b.Segments) > broadcast.MaxSegments-2:
		return refuse(TooMany, "segments", len(b.Segments), broadcast.MaxSegments-2)
	}
	var last int64
	for i, s := range b.Segments {
		if !s.sound() || len([]rune(s.Title)) > maxTitle || s.Hard < 0 || s.Hard != 0 && s.Hard < last {
			return flaw("segments", fmt.Sprintf("segment %d needs a content, an offer or a relay of at most an hour, a title of at most 200 characters, and a fixed start after those before it", i+1),
				fmt.Sprintf("phần %d cần một nội dung, một bản tin cấp trên hoặc một mục tiếp âm không quá một giờ, tiêu đề tối đa 200 ký tự, và giờ cố định sau các phần trước", i+1))
		}
		last = max(last, s.Hard)
	}
	return nil
}

// read makes a programme of its row: what it lasts, what is missing, and how far
// it got.
func (p *Programmes) read(ctx context.Context, row store.Programme) (Programme, error) {
	out := Programme{ID: row.ID, Version: row.Version, Area: row.Area, Author: row.Author, Changed: row.Changed, ChangedBy: row.ChangedBy, Announcement: row.Announcement,
		Undo: row.Before != "" && p.now() <= row.Changed.Add(undoableFor)}
	var err error
	if out.Body, err = bodyOf(row); err != nil {
		return out, err
	}
	out.Room = time.Duration(out.Body.Minutes) * time.Minute
	if out.Announcement != "" {
		a, err := p.cfg.Desk.Current(ctx, out.Announcement)
		if err != nil {
			return out, err
		}
		out.State = a.State
	}
	station, err := p.Station(ctx, row.Area)
	if err != nil {
		return out, err
	}
	out.Station = station.Name
	return out, p.lay(ctx, &out, station)
}

// lay puts the parts one behind the other, as the plan does.
func (p *Programmes) lay(ctx context.Context, out *Programme, station Station) error {
	var at int64
	for _, part := range partsOf(out.Body, station) {
		var err error
		if part.Millis, part.Trouble, err = p.length(ctx, out.Body, part.Segment); err != nil {
			return err
		}
		at = max(at, part.Hard)
		part.At = out.Body.Start + broadcast.Instant(at)
		at += part.Millis
		out.Parts = append(out.Parts, part)
	}
	out.Total = time.Duration(at) * time.Millisecond
	return nil
}

// partsOf puts what opens and closes around the segments.
func partsOf(b Body, station Station) []Part {
	var out []Part
	add := func(role string, content broadcast.Digest) {
		if content != "" && !b.Bare {
			out = append(out, Part{Role: role, Segment: Segment{Title: map[string]string{"opening": "Nhạc hiệu mở đầu", "closing": "Nhạc hiệu kết thúc"}[role], Content: content}})
		}
	}
	add("opening", station.Opening)
	for _, s := range b.Segments {
		out = append(out, Part{Segment: s})
	}
	add("closing", station.Closing)
	return out
}

// length is how long a segment sounds, or why it does not.
func (p *Programmes) length(ctx context.Context, b Body, s Segment) (int64, Code, error) {
	if s.Relay != "" {
		return s.Length, "", nil
	}
	if s.Offer == "" {
		c, err := p.cfg.DB.Content(ctx, s.Content)
		if errors.Is(err, store.ErrNotFound) {
			return 0, Invalid, nil
		}
		return c.Millis, "", err
	}
	a, err := p.cfg.Desk.Current(ctx, s.Offer)
	if errors.Is(err, store.ErrNotFound) || err == nil && a.State != store.Published {
		return 0, NoOffer, nil
	}
	if err != nil {
		return 0, "", err
	}
	var millis int64
	for _, v := range a.Document.Versions {
		if v.Content != nil && (millis == 0 || v.Language == b.Language) {
			millis = v.Content.Millis
		}
	}
	if b.Start > a.Document.Timing.Deadline(a.Document.Class) {
		return millis, OfferEnds, nil
	}
	return millis, "", nil
}

// Programme returns one programme, or store.ErrNotFound.
func (p *Programmes) Programme(ctx context.Context, id broadcast.ID) (Programme, error) {
	row, err := p.cfg.DB.Programme(ctx, id)
	if err != nil {
		return Programme{}, err
	}
	return p.read(ctx, row)
}

// List returns the programmes that start in a stretch of at most 35 days in an
// area and below it, in order of start.
func (p *Programmes) List(ctx context.Context, area broadcast.ID, from, to broadcast.Instant) ([]Programme, error) {
	if _, err := p.above(area); err != nil {
		return nil, err
	}
	if to <= from || to.Sub(from) > maxDays*day {
		return nil, refuse(TooMany, "to", int64(to.Sub(from)/day), maxDays)
	}
	rows, err := p.cfg.DB.ProgrammesIn(ctx, append(p.below(area), area), from, to, maxListed)
	if err != nil {
		return nil, err
	}
	var out []Programme
	for _, row := range rows {
		one, err := p.read(ctx, row)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}
