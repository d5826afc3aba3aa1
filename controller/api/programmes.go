package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/programme"
	"github.com/loaxa/loaxa/controller/store"
)

// NewProgrammeDay is what people write of a programme for one day.
type NewProgrammeDay struct {
	Title    string       `json:"title" maxLength:"400"`
	Language string       `json:"language,omitempty" pattern:"^[a-z]{2,3}$" doc:"Left out: vi"`
	Start    string       `json:"start" format:"date-time" doc:"With a slot: any moment of the day before the end of the hours that are meant"`
	Minutes  int64        `json:"minutes,omitempty" minimum:"0" maximum:"60" doc:"How much room there is; left out: as long as it lasts"`
	Slot     string       `json:"slot,omitempty" pattern:"^[a-z0-9-]{1,40}$" doc:"A standing slot, which then says start and minutes"`
	Bare     bool         `json:"bare,omitempty" doc:"Leave out what opens and closes the programmes of the place"`
	Segments []DaySegment `json:"segments" nullable:"false" maxItems:"62"`
}

// DaySegment is one part of a programme: content, an offer of a higher level, or a
// station that is relayed.
type DaySegment struct {
	Title   string `json:"title" maxLength:"400"`
	Content string `json:"content,omitempty" pattern:"^[0-9a-f]{64}$"`
	Offer   string `json:"offer,omitempty" pattern:"^[a-z0-9-]{1,40}$" doc:"The announcement that is offered"`
	// Relay is a station instead of either.
	Relay *NewRelay `json:"relay,omitempty"`
	Hard  int64     `json:"hard_ms,omitempty" minimum:"0" doc:"Latest start after that of the programme"`
}

// ProgrammeDay is a programme of one day.
type ProgrammeDay struct {
	NewProgrammeDay
	ID        string          `json:"id"`
	Version   int64           `json:"version" doc:"Name it when you change it"`
	Area      string          `json:"area"`
	Author    string          `json:"author"`
	Changed   string          `json:"changed" format:"date-time"`
	ChangedBy string          `json:"changed_by"`
	Station   string          `json:"station,omitempty"`
	Parts     []ProgrammePart `json:"parts" nullable:"false" doc:"Everything that will sound, opening and closing with it"`
	Total     int64           `json:"total_ms"`
	Fits      bool            `json:"fits" doc:"Whether it has room enough"`
	// Announcement is what it became.
	Announcement string `json:"announcement,omitempty"`
	State        string `json:"state,omitempty" doc:"How far its announcement got"`
	Undo         bool   `json:"undo,omitempty" doc:"The last edit can still be undone"`
}

// ProgrammePart is a segment as it will sound.
type ProgrammePart struct {
	Title   string `json:"title"`
	Role    string `json:"role,omitempty" enum:"opening,closing"`
	At      string `json:"at" format:"date-time"`
	Millis  int64  `json:"ms"`
	Trouble string `json:"trouble,omitempty" doc:"Why it would not sound: invalid, no-offer or offer-ends"`
}

type programmeAnswer struct{ Body ProgrammeDay }

type programmesAnswer struct {
	Body struct {
		Programmes []ProgrammeDay `json:"programmes" nullable:"false"`
	}
}

type programmesInput struct {
	Area string `query:"area" required:"true" pattern:"^[a-z0-9-]{1,40}$" doc:"That area and those below it"`
	From string `query:"from" required:"true" format:"date-time"`
	To   string `query:"to" required:"true" format:"date-time" doc:"Exclusive; at most 35 days after from"`
}

type addProgrammeInput struct {
	Key  string `header:"Idempotency-Key" maxLength:"100" doc:"The same key and body make one programme, also after a restart"`
	Body struct {
		Area string `json:"area" pattern:"^[a-z0-9-]{1,40}$"`
		NewProgrammeDay
	}
}

type putProgrammeInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body struct {
		Version int64 `json:"version" doc:"The one that was read"`
		NewProgrammeDay
	}
}

type versionInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body struct {
		Version int64 `json:"version" doc:"The one that was read"`
	}
}

type dropProgrammeInput struct {
	ID      string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Version int64  `query:"version" required:"true" doc:"The one that was read"`
}

type draftProgrammeInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body struct {
		Version int64 `json:"version" doc:"The one that was read"`
		Meta    Meta  `json:"meta,omitempty"`
	}
}

type copyInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body struct {
		From string `json:"from" format:"date-time" doc:"A moment of the first day to copy, in local time"`
		To   string `json:"to" format:"date-time" doc:"A moment of the first day to copy to"`
		Days int    `json:"days" minimum:"1" maximum:"7" doc:"1 for a day, 7 for a week"`
	}
}

type copyAnswer struct {
	Body struct {
		Made  []ProgrammeDay `json:"made" nullable:"false"`
		There int            `json:"there" doc:"Left as they are: something stands there at the same time"`
		Past  int            `json:"past" doc:"Left out: their time has passed"`
	}
}

func (s *server) programmes(r *registry) {
	on(r, "list-programmes", s.listProgrammes)
	on(r, "get-programme", func(ctx context.Context, in *idPath) (*programmeAnswer, error) {
		p, err := s.cfg.Programmes.Programme(ctx, broadcast.ID(in.ID))
		if err == nil && !s.sees(ctx, people.AnnouncementRead, p.Area) {
			err = fmt.Errorf("programme %s: %w", in.ID, store.ErrNotFound)
		}
		return programmed(p, err)
	})
	on(r, "create-programme", s.addProgramme)
	on(r, "put-programme", func(ctx context.Context, in *putProgrammeInput) (*programmeAnswer, error) {
		b, err := bodyOf(in.Body.NewProgrammeDay)
		if err != nil {
			return nil, err
		}
		return programmed(s.cfg.Programmes.Put(ctx, callerOf(ctx).Person, broadcast.ID(in.ID), in.Body.Version, b))
	})
	on(r, "undo-programme", func(ctx context.Context, in *versionInput) (*programmeAnswer, error) {
		return programmed(s.cfg.Programmes.Undo(ctx, callerOf(ctx).Person, broadcast.ID(in.ID), in.Body.Version))
	})
	on(r, "drop-programme", func(ctx context.Context, in *dropProgrammeInput) (*struct{}, error) {
		return nil, s.cfg.Programmes.Drop(ctx, callerOf(ctx).Person, broadcast.ID(in.ID), in.Version)
	})
	on(r, "draft-programme", func(ctx context.Context, in *draftProgrammeInput) (*announcementAnswer, error) {
		return s.foreseen(s.cfg.Programmes.Draft(ctx, callerOf(ctx).Person, broadcast.ID(in.ID), in.Body.Version, broadcast.Metadata(in.Body.Meta)))
	})
	on(r, "copy-programmes", s.copyProgrammes)
}

func (s *server) listProgrammes(ctx context.Context, in *programmesInput) (*programmesAnswer, error) {
	from, err := instant("from", in.From)
	if err != nil {
		return nil, err
	}
	to, err := instant("to", in.To)
	if err != nil {
		return nil, err
	}
	list, err := s.cfg.Programmes.List(ctx, broadcast.ID(in.Area), from, to)
	if err != nil {
		return nil, err
	}
	out := &programmesAnswer{}
	out.Body.Programmes = []ProgrammeDay{}
	for _, p := range list {
		if s.sees(ctx, people.AnnouncementRead, p.Area) {
			out.Body.Programmes = append(out.Body.Programmes, programmeDayOf(p))
		}
	}
	return out, nil
}

// addProgramme remembers only the name of what it made: a repeated request is
// answered with the programme as it is by then.
func (s *server) addProgramme(ctx context.Context, in *addProgrammeInput) (*programmeAnswer, error) {
	request, err := broadcast.Encode(in.Body)
	if err != nil {
		return nil, err
	}
	name, digest := once{person: callerOf(ctx).Person.ID, scope: "programme", key: in.Key}, broadcast.Sum(request)
	if old, found, err := s.answered(ctx, name); err != nil || found {
		return s.programmeAgain(ctx, old, digest, err)
	}
	b, err := bodyOf(in.Body.NewProgrammeDay)
	if err != nil {
		return nil, err
	}
	return programmed(s.cfg.Programmes.Add(ctx, callerOf(ctx).Person, broadcast.ID(in.Body.Area), b, func(tx store.Tx, id broadcast.ID) error {
		made, err := json.Marshal(id)
		if err != nil {
			return err
		}
		return s.remember(ctx, tx, name, digest, http.StatusCreated, made)
	}))
}

func (s *server) programmeAgain(ctx context.Context, old store.Answer, request broadcast.Digest, err error) (*programmeAnswer, error) {
	if err != nil {
		return nil, err
	}
	_, body, err := replay(old, request)
	if err != nil {
		return nil, err
	}
	var id broadcast.ID
	if err := json.Unmarshal(body, &id); err != nil {
		return nil, err
	}
	return programmed(s.cfg.Programmes.Programme(ctx, id))
}

func (s *server) copyProgrammes(ctx context.Context, in *copyInput) (*copyAnswer, error) {
	from, err := instant("from", in.Body.From)
	if err != nil {
		return nil, err
	}
	to, err := instant("to", in.Body.To)
	if err != nil {
		return nil, err
	}
	made, err := s.cfg.Programmes.Copy(ctx, callerOf(ctx).Person, broadcast.ID(in.ID), from, to, in.Body.Days)
	if err != nil {
		return nil, err
	}
	out := &copyAnswer{}
	out.Body.Made, out.Body.There, out.Body.Past = []ProgrammeDay{}, made.There, made.Past
	for _, p := range made.Made {
		out.Body.Made = append(out.Body.Made, programmeDayOf(p))
	}
	return out, nil
}

func bodyOf(n NewProgrammeDay) (programme.Body, error) {
	b := programme.Body{Title: n.Title, Language: broadcast.Language(n.Language), Minutes: n.Minutes, Slot: broadcast.ID(n.Slot), Bare: n.Bare, Segments: []programme.Segment{}}
	for _, s := range n.Segments {
		one := programme.Segment{Title: s.Title, Content: broadcast.Digest(s.Content), Offer: broadcast.ID(s.Offer), Hard: s.Hard}
		if s.Relay != nil {
			one.Relay, one.Length = broadcast.ID(s.Relay.Station), s.Relay.Millis
		}
		b.Segments = append(b.Segments, one)
	}
	var err error
	b.Start, err = instant("start", n.Start)
	return b, err
}

func programmed(p programme.Programme, err error) (*programmeAnswer, error) {
	if err != nil {
		return nil, err
	}
	return &programmeAnswer{Body: programmeDayOf(p)}, nil
}

func programmeDayOf(p programme.Programme) ProgrammeDay {
	b := p.Body
	out := ProgrammeDay{ID: string(p.ID), Version: p.Version, Area: string(p.Area), Author: string(p.Author), Changed: moment(p.Changed), ChangedBy: string(p.ChangedBy),
		Station: p.Station, Parts: []ProgrammePart{}, Total: p.Total.Milliseconds(), Fits: p.Fits(), Announcement: string(p.Announcement), State: string(p.State), Undo: p.Undo}
	out.NewProgrammeDay = NewProgrammeDay{Title: b.Title, Language: string(b.Language), Start: moment(b.Start), Minutes: b.Minutes, Slot: string(b.Slot), Bare: b.Bare, Segments: []DaySegment{}}
	for _, s := range b.Segments {
		one := DaySegment{Title: s.Title, Content: string(s.Content), Offer: string(s.Offer), Hard: s.Hard}
		if s.Relay != "" {
			one.Relay = &NewRelay{Station: string(s.Relay), Millis: s.Length}
		}
		out.Segments = append(out.Segments, one)
	}
	for _, part := range p.Parts {
		out.Parts = append(out.Parts, ProgrammePart{Title: part.Title, Role: part.Role, At: moment(part.At), Millis: part.Millis, Trouble: string(part.Trouble)})
	}
	return out
}
