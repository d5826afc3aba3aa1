package api

import (
	"context"
	"fmt"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/programme"
	"github.com/loaxa/loaxa/controller/store"
)

// NewSlot is a standing slot as somebody of the commune signs it.
type NewSlot struct {
	Areas []string `json:"areas" nullable:"false" minItems:"1" maxItems:"24"`
	Level string   `json:"level" enum:"province,district,commune,village" doc:"The highest level whose normal items sound in it without being placed"`
	Hours []Hours  `json:"hours" nullable:"false" minItems:"1" maxItems:"16"`
	From  string   `json:"from,omitempty" format:"date-time" doc:"Left out: now"`
	Until string   `json:"until" format:"date-time" doc:"At most 13 months later"`
}

// Hours are a stretch of some days in local time.
type Hours struct {
	Days []string `json:"days,omitempty" nullable:"false" maxItems:"7" doc:"MO, TU, WE, TH, FR, SA, SU; left out: every day"`
	From string   `json:"from" pattern:"^[0-9]{2}:[0-9]{2}$"`
	To   string   `json:"to" pattern:"^[0-9]{2}:[0-9]{2}$" doc:"Not after from: on the next day"`
}

// SlotView is a standing slot.
type SlotView struct {
	NewSlot
	ID       string  `json:"id"`
	Revision int64   `json:"revision"`
	SignedBy string  `json:"signed_by"`
	Empty    []Empty `json:"empty" nullable:"false" doc:"Hours of today and tomorrow in which nothing would sound"`
}

// Empty are hours of a slot in which nothing would sound.
type Empty struct {
	From string `json:"from" format:"date-time"`
	To   string `json:"to" format:"date-time"`
	Text Words  `json:"text"`
}

type slotsAnswer struct {
	Body struct {
		Slots []SlotView `json:"slots" nullable:"false"`
	}
}

type giveSlotInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body struct {
		NewSlot
		SeenDifference
	}
}

type endSlotInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body struct {
		Area string `json:"area" pattern:"^[a-z0-9-]{1,40}$" doc:"One of its areas"`
		SeenDifference
	}
}

// StationView is how a place names its station, and what opens and closes its
// programmes.
type StationView struct {
	Version int64  `json:"version" doc:"The one that was read; 0 for the first"`
	Name    string `json:"name" maxLength:"400"`
	Opening string `json:"opening,omitempty" pattern:"^[0-9a-f]{64}$" doc:"SHA-256 of content"`
	Closing string `json:"closing,omitempty" pattern:"^[0-9a-f]{64}$" doc:"SHA-256 of content"`
	From    string `json:"from,omitempty" doc:"The area whose words these are: the place itself or the nearest above it"`
}

type stationAnswer struct{ Body StationView }

type stationInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body StationView
}

func (s *server) slots(r *registry) {
	on(r, "list-slots", s.listSlots)
	on(r, "sign-slot", s.giveSlot)
	on(r, "end-slot", func(ctx context.Context, in *endSlotInput) (*slotsAnswer, error) {
		c := callerOf(ctx)
		if err := s.cfg.Office.Authorise(c.Person, people.AnnouncementApprove, broadcast.ID(in.Body.Area)); err != nil {
			return nil, err
		}
		if err := s.cfg.Programmes.EndSlot(ctx, c.Person, c.credential(), broadcast.ID(in.Body.Area), broadcast.ID(in.ID), in.Body.seen()); err != nil {
			return nil, err
		}
		return s.listSlots(ctx, &idPath{ID: in.Body.Area})
	})
	on(r, "get-station", func(ctx context.Context, in *idPath) (*stationAnswer, error) {
		if err := s.mayRead(ctx, broadcast.ID(in.ID)); err != nil {
			return nil, err
		}
		return stationed(s.cfg.Programmes.Station(ctx, broadcast.ID(in.ID)))
	})
	on(r, "put-station", func(ctx context.Context, in *stationInput) (*stationAnswer, error) {
		if err := s.knownArea(broadcast.ID(in.ID)); err != nil {
			return nil, err
		}
		b := in.Body
		station := programme.Station{Area: broadcast.ID(in.ID), Version: b.Version, Name: b.Name, Opening: broadcast.Digest(b.Opening), Closing: broadcast.Digest(b.Closing)}
		if err := s.cfg.Programmes.SaveStation(ctx, callerOf(ctx).Person, station); err != nil {
			return nil, err
		}
		return stationed(s.cfg.Programmes.Station(ctx, station.Area))
	})
}

// knownArea is store.ErrNotFound for an area that the tree does not have.
func (s *server) knownArea(area broadcast.ID) error {
	if _, known := s.cfg.Tree().Find(area); !known {
		return fmt.Errorf("area %s: %w", area, store.ErrNotFound)
	}
	return nil
}

func stationed(st programme.Station, err error) (*stationAnswer, error) {
	if err != nil {
		return nil, err
	}
	return &stationAnswer{Body: StationView{Version: st.Version, Name: st.Name, Opening: string(st.Opening), Closing: string(st.Closing), From: string(st.From)}}, nil
}

func (s *server) listSlots(ctx context.Context, in *idPath) (*slotsAnswer, error) {
	if err := s.mayRead(ctx, broadcast.ID(in.ID)); err != nil {
		return nil, err
	}
	list, err := s.cfg.Programmes.Slots(ctx, broadcast.ID(in.ID))
	if err != nil {
		return nil, err
	}
	out := &slotsAnswer{}
	out.Body.Slots = []SlotView{}
	for _, slot := range list {
		out.Body.Slots = append(out.Body.Slots, slotOf(slot))
	}
	return out, nil
}

func (s *server) giveSlot(ctx context.Context, in *giveSlotInput) (*slotsAnswer, error) {
	n := in.Body.NewSlot
	slot := broadcast.Slot{ID: broadcast.ID(in.ID), Level: broadcast.Level(n.Level)}
	for _, a := range n.Areas {
		slot.Areas = append(slot.Areas, broadcast.ID(a))
	}
	for _, h := range n.Hours {
		span, err := h.span()
		if err != nil {
			return nil, err
		}
		slot.Spans = append(slot.Spans, span)
	}
	var err error
	if slot.From, err = instant("from", n.From); err != nil {
		return nil, err
	}
	if slot.From == 0 {
		slot.From = s.now()
	}
	if slot.Until, err = instant("until", n.Until); err != nil {
		return nil, err
	}
	c := callerOf(ctx)
	if err := s.cfg.Programmes.GiveSlot(ctx, c.Person, c.credential(), slot, in.Body.seen()); err != nil {
		return nil, err
	}
	return s.listSlots(ctx, &idPath{ID: n.Areas[0]})
}

// span reads hours as people write them.
func (h Hours) span() (broadcast.Span, error) {
	var out broadcast.Span
	for _, d := range h.Days {
		out.Days = append(out.Days, broadcast.Weekday(strings.ToUpper(d)))
	}
	var err error
	if out.From, err = broadcast.ParseLocalTime(h.From); err == nil {
		out.To, err = broadcast.ParseLocalTime(h.To)
	}
	if err != nil {
		p := problem(422, "invalid", "hours: "+err.Error(), "hours: hãy ghi giờ dạng 05:30.")
		p.Field = "hours"
		return out, p
	}
	return out, nil
}

func slotOf(slot programme.Slot) SlotView {
	out := SlotView{ID: string(slot.ID), Revision: int64(slot.Revision), SignedBy: string(slot.SignedBy), Empty: []Empty{},
		NewSlot: NewSlot{Areas: texts(slot.Areas), Level: string(slot.Level), Hours: []Hours{}, From: moment(slot.From), Until: moment(slot.Until)}}
	for _, span := range slot.Spans {
		out.Hours = append(out.Hours, Hours{Days: texts(span.Days), From: span.From.String(), To: span.To.String()})
	}
	for _, w := range slot.Empty {
		from, to := w.From.Time().In(broadcast.Local()), w.To.Time().In(broadcast.Local())
		hours := from.Format("02/01/2006 15:04") + "–" + to.Format("15:04")
		out.Empty = append(out.Empty, Empty{From: moment(w.From), To: moment(w.To), Text: Words{VI: "chưa có gì để phát: " + hours, EN: "nothing would sound: " + hours}})
	}
	return out
}
