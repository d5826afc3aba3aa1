package notify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/programme"
	"github.com/loaxa/loaxa/controller/store"
)

// Slots knows the standing slots of an area, and which are empty.
type Slots interface {
	Slots(ctx context.Context, area broadcast.ID) ([]programme.Slot, error)
}

// EmptySource tells in the evening of the communes' own standing slots of tomorrow
// in which nothing would sound, while there is time to fill them. What was told
// has no end: a slot that was filled sounds, and one that was not is over.
type EmptySource struct {
	DB    *store.DB
	Slots Slots
	Now   func() time.Time

	// looked is when found was read: it takes a plan of every commune with a slot.
	looked time.Time
	found  []Notice
}

// From this hour on people are told, and the plans are asked again so often.
const (
	evening     = 20
	emptyAnswer = 10 * time.Minute
)

func (*EmptySource) topic() Topic { return Missed }

// Notices returns the empty slots of tomorrow; none before the evening.
func (s *EmptySource) Notices(ctx context.Context) ([]Notice, error) {
	now := s.Now().In(broadcast.Local())
	if now.Hour() < evening {
		return nil, nil
	}
	if now.Sub(s.looked) < emptyAnswer && now.Day() == s.looked.In(broadcast.Local()).Day() {
		return s.found, nil
	}
	listed, err := s.DB.ListingsOf(ctx, broadcast.KindSlot, broadcast.InstantOf(now))
	if err != nil {
		return nil, err
	}
	var areas []broadcast.ID
	for _, l := range listed {
		areas = append(areas, l.Area)
	}
	slices.Sort(areas)
	var out []Notice
	tomorrow := broadcast.InstantOf(time.Date(now.Year(), now.Month(), now.Day()+1, 0, 0, 0, 0, now.Location()))
	for _, area := range slices.Compact(areas) {
		list, err := s.Slots.Slots(ctx, area)
		if err != nil {
			return nil, err
		}
		out = append(out, emptyIn(area, list, tomorrow)...)
	}
	s.looked, s.found = now, out
	return out, nil
}

// emptyIn are the notices of the commune's own slots from a moment on.
func emptyIn(area broadcast.ID, list []programme.Slot, from broadcast.Instant) []Notice {
	var out []Notice
	for _, slot := range list {
		if !slices.Contains(slot.Areas, area) || slot.Level.Rank() < broadcast.Commune.Rank() {
			continue
		}
		for _, w := range slot.Empty {
			if w.From < from {
				continue
			}
			hours := w.From.Time().In(broadcast.Local()).Format("15:04") + "–" + w.To.Time().In(broadcast.Local()).Format("15:04 02/01/2006")
			out = append(out, Notice{Name: fmt.Sprintf("empty:%s:%s:%d", slot.ID, area, w.From), Topic: Missed, Cause: fmt.Sprintf("empty:%d:%d", w.From, w.To),
				Area: area, Passing: true, Subject: string(slot.ID), Since: from.Add(-(24 - evening) * time.Hour), Words: Words{
					VI: "chưa có gì để phát lúc " + hours, EN: "nothing to sound at " + hours,
					DoVI: "Xếp chương trình rồi trình duyệt trước giờ đó.", DoEN: "Put a programme together and have it approved before then."}})
		}
	}
	return out
}
