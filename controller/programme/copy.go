package programme

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// maxCopied is how many days are copied at once.
const maxCopied = 7

// Copies are what a copy made.
type Copies struct {
	Made []Programme
	// There were so many already at the same time and place, and Past so many lie
	// in the past; these were left as they are.
	There, Past int
}

// Copy makes the programmes of some days, of one area alone, anew on others: one
// day for yesterday's, seven for a week. The days are local ones, those that hold
// from and to. What stands there already at the same time is left as it is, so
// copying again changes nothing. A copy is edited and approved like any other:
// what was approved was the other day's.
func (p *Programmes) Copy(ctx context.Context, by people.Person, area broadcast.ID, from, to broadcast.Instant, days int) (Copies, error) {
	from, to = midnight(from), midnight(to)
	var out Copies
	switch {
	case days < 1 || days > maxCopied:
		return out, refuse(TooMany, "days", days, maxCopied)
	case from == to:
		return out, refuse(Invalid, "to", word{"a day cannot be copied onto itself", "không thể chép một ngày lên chính nó"})
	}
	if err := p.cfg.Rights.Authorise(by, people.AnnouncementWrite, area); err != nil {
		return out, err
	}
	end := broadcast.Instant(int64(days) * day.Milliseconds())
	rows, err := p.cfg.DB.ProgrammesIn(ctx, []broadcast.ID{area}, from, from+end, maxListed)
	if err != nil {
		return out, err
	}
	there, err := p.cfg.DB.ProgrammesIn(ctx, []broadcast.ID{area}, to, to+end, maxListed)
	if err != nil {
		return out, err
	}
	taken := map[broadcast.Instant]bool{}
	for _, row := range there {
		taken[row.Start] = true
	}
	var made []store.Programme
	for _, row := range rows {
		copied, err := p.moved(by, row, to-from)
		switch {
		case err != nil:
			return out, err
		case copied.Start < p.now():
			out.Past++
		case taken[copied.Start]:
			out.There++
		default:
			made, taken[copied.Start] = append(made, copied), true
		}
	}
	return out, p.keep(ctx, made, &out)
}

func (p *Programmes) keep(ctx context.Context, made []store.Programme, out *Copies) error {
	err := p.cfg.DB.Update(ctx, func(tx store.Tx) error {
		for _, row := range made {
			if err := p.add(ctx, tx, row); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, row := range made {
		one, err := p.Programme(ctx, row.ID)
		if err != nil {
			return err
		}
		out.Made = append(out.Made, one)
	}
	return nil
}

// moved is a row at another time.
func (p *Programmes) moved(by people.Person, row store.Programme, shift broadcast.Instant) (store.Programme, error) {
	b, err := bodyOf(row)
	if err != nil {
		return row, err
	}
	b.Start += shift
	raw, err := broadcast.Encode(b)
	if err != nil {
		return row, err
	}
	id, err := p.newID()
	return store.Programme{ID: id, Area: row.Area, Start: b.Start, Author: by.ID, Body: string(raw), Changed: p.now(), ChangedBy: by.ID}, err
}

func bodyOf(row store.Programme) (Body, error) {
	var b Body
	if err := json.Unmarshal([]byte(row.Body), &b); err != nil {
		return b, fmt.Errorf("programme %s: %w", row.ID, err)
	}
	return b, nil
}

// Draft makes the announcement of a programme at the desk, which then goes the
// way of every other. One that does not fit its room, or lacks a part, is refused.
// A programme whose announcement is not over has no second one.
func (p *Programmes) Draft(ctx context.Context, by people.Person, id broadcast.ID, version int64, meta broadcast.Metadata) (desk.Announcement, error) {
	row, err := p.editable(ctx, by, id, version)
	if err != nil {
		return desk.Announcement{}, err
	}
	now, err := p.read(ctx, row)
	if err != nil {
		return desk.Announcement{}, err
	}
	if err := now.ready(); err != nil {
		return desk.Announcement{}, err
	}
	order := &desk.DraftProgramme{Station: now.Station}
	for _, part := range now.Parts {
		order.Segments = append(order.Segments, desk.DraftSegment{Title: part.Title, Content: part.Content, Offer: part.Offer, Hard: time.Duration(part.Hard) * time.Millisecond,
			Relay: part.Relay, Length: time.Duration(part.Length) * time.Millisecond})
	}
	draft := desk.Draft{Title: now.Body.Title, Class: broadcast.Normal, Areas: []broadcast.ID{row.Area}, Meta: meta,
		Versions: []desk.DraftVersion{{Language: now.Body.Language, Programme: order}}, Timing: broadcast.Timing{Mode: broadcast.ModeStart, Start: now.Body.Start}}
	return p.cfg.Desk.Create(ctx, by, draft, func(tx store.Tx, a desk.Announcement) error {
		row.Announcement, row.Before, row.Changed, row.ChangedBy = a.ID, "", p.now(), by.ID
		if err := tx.SaveProgramme(ctx, row); err != nil {
			return err
		}
		return p.audit(ctx, tx, by.ID, "programme.draft", row)
	})
}

// ready refuses a programme that would not sound as it was put together.
func (p Programme) ready() error {
	if len(p.Body.Segments) == 0 {
		return refuse(Empty, "segments")
	}
	for _, part := range p.Parts {
		if part.Trouble != "" {
			r := refuse(Invalid, "segments", word{"“" + part.Title + "” " + troubles[part.Trouble].english, "“" + part.Title + "” " + troubles[part.Trouble].vietnamese})
			if part.Offer != "" {
				r.About = []broadcast.ID{part.Offer}
			}
			return r
		}
	}
	if !p.Fits() {
		return refuse(DoesNotFit, "segments", minutes(p.Total), minutes(p.Room))
	}
	return nil
}

// troubles are what is wrong with a part.
var troubles = map[Code]word{
	Invalid:   {"has no recording here: upload it again", "không còn bản ghi: hãy tải lên lại"},
	NoOffer:   {"is offered no more: take it out", "không còn được cấp trên gửi: hãy bỏ ra"},
	OfferEnds: {"may not begin that late: take it out, or choose an earlier day", "đã quá hạn phát vào giờ đó: hãy bỏ ra hoặc chọn ngày sớm hơn"},
}

// minutes are a length as people read it.
func minutes(d time.Duration) string {
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}
