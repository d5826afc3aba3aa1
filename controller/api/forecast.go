package api

import (
	"context"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/preview"
)

// Forecast is what an announcement would do on the nodes of its areas. It
// assumes contact with the controller, a proved clock, power, and nodes that
// were on duty all day.
type Forecast struct {
	At          string `json:"at" format:"date-time"`
	From        string `json:"from,omitempty" format:"date-time" doc:"Of starts that were looked at"`
	To          string `json:"to,omitempty" format:"date-time"`
	Later       bool   `json:"later,omitempty" doc:"It recurs after to, where nobody looked"`
	Nodes       int    `json:"nodes" doc:"Confirmed nodes that were looked at"`
	Unseen      int    `json:"nodes_unseen,omitempty" doc:"Nodes that were not"`
	Trouble     string `json:"trouble,omitempty" doc:"Why something was not looked at"`
	Occurrences int    `json:"occurrences" doc:"Different starts that were looked at"`
	Nowhere     bool   `json:"nowhere" doc:"Nothing of it would sound on any node; a submit is refused then unless it accepts the silence"`
	// Outcomes have what stays silent first.
	Outcomes []Outcome `json:"outcomes" nullable:"false" doc:"Silence first, then what sounds with a fault, then what sounds well"`
}

// Outcome is where some nodes and occurrences end together, and why.
type Outcome struct {
	Sounds      bool       `json:"sounds"`
	Reason      *Reason    `json:"reason,omitempty" doc:"Why it is silent, late, cut or not whole; none if all is well"`
	Limit       string     `json:"limit,omitempty" doc:"What the rule allows, such as its hours"`
	Other       *OtherItem `json:"other,omitempty" doc:"What sounds at that time"`
	Text        Words      `json:"text" doc:"All this in one line"`
	Advice      *Words     `json:"advice,omitempty" doc:"What can be changed"`
	Nodes       int        `json:"nodes"`
	Occurrences int        `json:"occurrences"`
	First       string     `json:"first" format:"date-time" doc:"Start of the first such occurrence"`
	Last        string     `json:"last" format:"date-time"`
	Areas       []Share    `json:"areas" nullable:"false" doc:"Where the nodes stand; at most 200 areas"`
}

// OtherItem is another announcement.
type OtherItem struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

// Words are a text in both languages.
type Words struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

// Share is how many nodes of one area share an outcome.
type Share struct {
	Area  string `json:"area"`
	Name  string `json:"name"`
	Nodes int    `json:"nodes"`
}

// maxShares and maxOutcomes bound a forecast.
const (
	maxShares   = 200
	maxOutcomes = 50
)

type forecastAnswer struct{ Body Forecast }

func (s *server) forecast(ctx context.Context, in *idPath) (*forecastAnswer, error) {
	if _, err := s.readable(ctx, broadcast.ID(in.ID)); err != nil {
		return nil, err
	}
	f, err := s.cfg.Desk.Forecast(ctx, broadcast.ID(in.ID))
	if err != nil {
		return nil, err
	}
	return &forecastAnswer{Body: s.forecastOf(f)}, nil
}

// viewOf is the view of an announcement with its forecast, if it has one.
func (s *server) viewOf(a desk.Announcement) Announcement {
	out := announcementOf(a)
	if a.Forecast != nil {
		f := s.forecastOf(*a.Forecast)
		out.Forecast = &f
	}
	return out
}

func (s *server) foreseen(a desk.Announcement, err error) (*announcementAnswer, error) {
	if err != nil {
		return nil, err
	}
	return &announcementAnswer{Body: s.viewOf(a)}, nil
}

func (s *server) forecastOf(f preview.Forecast) Forecast {
	out := Forecast{At: moment(f.At), From: moment(f.Window.From), To: moment(f.Window.To), Later: f.Later, Nodes: f.Nodes,
		Unseen: f.Unseen, Trouble: f.Trouble, Occurrences: f.Occurrences, Nowhere: f.Nowhere(), Outcomes: []Outcome{}}
	for _, o := range f.Outcomes[:min(len(f.Outcomes), maxOutcomes)] {
		out.Outcomes = append(out.Outcomes, s.outcomeOf(o))
	}
	return out
}

func (s *server) outcomeOf(o preview.Outcome) Outcome {
	text := o.Words()
	out := Outcome{Sounds: o.Sounds, Reason: reasonOf(o.Reason), Limit: o.Limit, Text: Words{VI: text.Vietnamese, EN: text.English},
		Nodes: o.Nodes, Occurrences: o.Occurrences, First: moment(o.First), Last: moment(o.Last), Areas: []Share{}}
	if o.Other != "" {
		out.Other = &OtherItem{ID: string(o.Other), Title: o.OtherTitle}
	}
	if change := o.Advice(); change.English != "" {
		out.Advice = &Words{VI: change.Vietnamese, EN: change.English}
	}
	for _, a := range o.Areas[:min(len(o.Areas), maxShares)] {
		out.Areas = append(out.Areas, Share{Area: string(a.Area), Name: s.nameOf(a.Area), Nodes: a.Nodes})
	}
	return out
}
