package api

import "github.com/loaxa/loaxa/broadcast/plan"

// Plan is what a node will sound and, for what it will not, why.
type Plan struct {
	Node    string      `json:"node"`
	From    string      `json:"from" format:"date-time"`
	To      string      `json:"to" format:"date-time"`
	Entries []PlanEntry `json:"entries" nullable:"false"`
	// WithoutHistory: the node never gave a receipt, or it is not sure whose those
	// are that came.
	WithoutHistory bool `json:"without_history,omitempty" doc:"Neither the node's own past nor what feeds it is known: it may lack the power for what stands here"`
}

// PlanEntry is one occurrence with its verdict.
type PlanEntry struct {
	Announcement string     `json:"announcement"`
	Revision     int64      `json:"revision"`
	Class        string     `json:"class"`
	Drill        bool       `json:"drill,omitempty"`
	Start        string     `json:"start" format:"date-time"`
	Rung         string     `json:"rung" doc:"Where it ends: ended if it sounds to its end"`
	Reason       *Reason    `json:"reason,omitempty"`
	Soundings    []Sounding `json:"soundings" nullable:"false"`
	Inside       string     `json:"inside,omitempty" doc:"The programme in which an offer sounds"`
	Notes        []Note     `json:"notes" nullable:"false" doc:"What is missing although it sounds"`
}

// Sounding is one attempt at an occurrence.
type Sounding struct {
	Attempt int64  `json:"attempt"`
	On      string `json:"on" format:"date-time" doc:"When the relay closes"`
	From    string `json:"from" format:"date-time"`
	To      string `json:"to" format:"date-time"`
	Chime   string `json:"chime,omitempty"`
	Volume  int64  `json:"volume,omitempty"`
}

// Note is something missing from an occurrence that sounds.
type Note struct {
	Reason   Reason `json:"reason"`
	Language string `json:"language,omitempty"`
	Segment  int64  `json:"segment,omitempty"`
}

func planOf(p plan.Plan) Plan {
	out := Plan{Node: string(p.Node), From: moment(p.Window.From), To: moment(p.Window.To), Entries: []PlanEntry{}, WithoutHistory: p.WithoutHistory}
	for _, e := range p.Entries {
		entry := PlanEntry{Announcement: string(e.Announcement), Revision: int64(e.Revision), Class: string(e.Class), Drill: e.Drill,
			Start: moment(e.Start), Rung: string(e.Rung), Reason: reasonOf(e.Reason), Soundings: []Sounding{}, Inside: string(e.Inside), Notes: []Note{}}
		for _, s := range e.Soundings {
			entry.Soundings = append(entry.Soundings, Sounding{Attempt: s.Attempt, On: moment(s.On), From: moment(s.From), To: moment(s.To), Chime: s.Chime, Volume: s.Volume})
		}
		for _, n := range e.Notes {
			if why := reasonOf(n.Reason); why != nil {
				entry.Notes = append(entry.Notes, Note{Reason: *why, Language: string(n.Language), Segment: n.Segment})
			}
		}
		out.Entries = append(out.Entries, entry)
	}
	return out
}
