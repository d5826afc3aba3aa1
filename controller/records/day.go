package records

import (
	"context"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Day is one day of a commune (nhật ký phát thanh).
type Day struct {
	Area     string `json:"area"`
	AreaName string `json:"area_name" doc:"As it was called when the day was closed"`
	Day      string `json:"day" format:"date" doc:"The local day"`
	// Lines are in order of start.
	Lines     []Line     `json:"lines" nullable:"false"`
	Incidents []Incident `json:"incidents" nullable:"false" doc:"What was wrong at some time of the day, here and with the controller"`
	Entries   []Entry    `json:"entries" nullable:"false" doc:"What people added before it was closed"`
}

// Line is one planned sounding, or one that was fired at a box.
type Line struct {
	Announcement string   `json:"announcement"`
	From         string   `json:"from" format:"date-time" doc:"The planned start; of a firing, when it was fired"`
	To           string   `json:"to" format:"date-time" doc:"When it was to end"`
	Title        string   `json:"title"`
	Class        string   `json:"class"`
	Parts        []Part   `json:"parts" nullable:"false" doc:"What sounded, a version and a segment after the other; each can be played at /content/{sha256}"`
	Author       Who      `json:"author"`
	Writer       string   `json:"writer,omitempty" doc:"Who wrote the words, as the author says (tác giả)"`
	Source       string   `json:"source,omitempty" doc:"Where the words come from (nguồn tin)"`
	Document     string   `json:"document_number,omitempty"`
	Approvers    []Who    `json:"approvers" nullable:"false" doc:"Who signed, in order"`
	Reason       string   `json:"reason,omitempty" doc:"Why one officer spoke alone"`
	Key          string   `json:"key,omitempty" doc:"The key switch or keypad of a box that fired it"`
	Withdrawn    string   `json:"withdrawn,omitempty" doc:"Why it was taken back"`
	Proof        Proof    `json:"proof"`
	Missing      []Absent `json:"missing" nullable:"false" doc:"Expected nodes that are not proved to have sounded it to its end"`
}

// Part is one piece of what sounds.
type Part struct {
	From     string `json:"from" format:"date-time"`
	Title    string `json:"title,omitempty" doc:"Of a segment"`
	Language string `json:"language,omitempty"`
	Content  string `json:"content,omitempty" doc:"SHA-256 of the recording; none if it was spoken live"`
	Millis   int64  `json:"ms"`
}

// Who is a person, with the name that counted then.
type Who struct {
	ID   string `json:"id,omitempty"`
	Name string `json:"name,omitempty"`
}

// Proof counts expected nodes by what they proved. The four kinds exclude each
// other and make up all that were expected.
type Proof struct {
	Expected int   `json:"expected"`
	Sounded  int   `json:"sounded" doc:"Proved to have sounded to the end"`
	Silent   int   `json:"silent" doc:"Proved to have ended otherwise, with a reason"`
	Doubtful int   `json:"doubtful" doc:"Say that it ended, and it is not sure which box says so"`
	Unproved int   `json:"unproved" doc:"Nothing proves how it ended"`
	Others   int   `json:"others" doc:"Nodes that nobody expected, and that proved to have sounded it"`
	Millis   int64 `json:"heard_ms" doc:"The longest sound that one node proved"`
}

// Absent is a node that is not proved to have sounded to the end.
type Absent struct {
	Node   string `json:"node"`
	Result string `json:"result" enum:"silent,doubtful,unproved"`
	End    string `json:"end,omitempty"`
	Reason string `json:"reason,omitempty" doc:"The code; vi and en say it"`
	VI     string `json:"vi,omitempty"`
	EN     string `json:"en,omitempty"`
}

// Incident is one fault of a node or, without one, of the controller.
type Incident struct {
	Node    string `json:"node,omitempty"`
	Code    string `json:"code"`
	Since   string `json:"since" format:"date-time"`
	Cleared string `json:"cleared,omitempty" format:"date-time" doc:"None: not when this was written"`
	VI      string `json:"vi"`
	EN      string `json:"en"`
}

// Entry is what somebody wrote into the diary.
type Entry struct {
	Who  Who    `json:"who"`
	At   string `json:"at" format:"date-time"`
	Text string `json:"text"`
}

// key tells lines of a day apart.
func (l Line) key() string { return l.Announcement + " " + l.From }

// scribe writes what is the same for all communes of a look.
type scribe struct {
	*Records
	names map[broadcast.ID]string
	nodes []store.Node
}

func (r *Records) scribe(ctx context.Context) (*scribe, error) {
	persons, err := r.cfg.Persons.Persons(ctx)
	if err != nil {
		return nil, err
	}
	nodes, err := r.cfg.DB.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	return &scribe{Records: r, names: namesOf(persons), nodes: nodes}, nil
}

func namesOf(persons []people.Person) map[broadcast.ID]string {
	out := map[broadcast.ID]string{}
	for _, p := range persons {
		out[p.ID] = p.Name
	}
	return out
}

func (s *scribe) who(id broadcast.ID) Who { return Who{ID: string(id), Name: s.names[id]} }

// inside says whether an area was an upper one or lay in it at a moment.
func (r *Records) inside(area, upper broadcast.ID, at broadcast.Instant) bool {
	return area == upper || r.cfg.Tree().Covers(upper, area, at)
}

// nodesIn are the confirmed nodes that stand in an area, in order.
func (s *scribe) nodesIn(area broadcast.ID, at broadcast.Instant) []store.Node {
	var out []store.Node
	for _, n := range s.nodes {
		if n.Status == store.Confirmed && s.inside(n.Area, area, at) {
			out = append(out, n)
		}
	}
	return out
}

// day writes one day of an area out of the airings of all areas. It has a line
// for whatever was expected here, sounded here, or was meant for a place here.
func (s *scribe) day(ctx context.Context, area broadcast.ID, from broadcast.Instant, all []airing) (Day, error) {
	out := Day{Area: string(area), AreaName: s.nameOf(area, from), Day: dayOf(from), Lines: []Line{}, Incidents: []Incident{}, Entries: []Entry{}}
	to := from.Add(oneDay)
	for _, a := range all {
		if a.start < from || a.start >= to {
			continue
		}
		if mine, meant := s.within(a, area); meant {
			line, err := s.line(ctx, mine)
			if err != nil {
				return out, err
			}
			out.Lines = append(out.Lines, line)
		}
	}
	var err error
	out.Incidents, err = s.incidents(ctx, area, from, min(to, s.now()))
	return out, err
}

// within is an airing at the nodes of an area, and whether it concerns the area.
func (r *Records) within(a airing, area broadcast.ID) (airing, bool) {
	a.nodes = slices.DeleteFunc(slices.Clone(a.nodes), func(o outcome) bool { return !r.inside(o.area, area, a.start) })
	here := func(target broadcast.ID) bool { return r.inside(target, area, a.start) }
	return a, len(a.nodes) > 0 || slices.ContainsFunc(a.announcement.Document.Areas, here)
}

// nameOf is what an area was called at a moment, or its id.
func (r *Records) nameOf(area broadcast.ID, at broadcast.Instant) string {
	if a, known := r.cfg.Tree().Find(area); known {
		if f, was := a.At(at); was {
			return f.Name
		}
	}
	return string(area)
}

func (s *scribe) line(ctx context.Context, a airing) (Line, error) {
	doc := a.announcement.Document
	out := Line{Announcement: string(a.announcement.ID), From: moment(a.start), To: moment(a.ends), Title: doc.Title, Class: string(doc.Class),
		Author: s.who(a.announcement.Author), Writer: a.announcement.Meta.Author, Source: a.announcement.Meta.Source,
		Document: a.announcement.Meta.DocumentNumber, Approvers: []Who{}, Reason: doc.Reason, Key: string(a.key), Missing: []Absent{}}
	for _, signed := range a.announcement.Signatures {
		out.Approvers = append(out.Approvers, s.who(signed.Person))
	}
	if at := a.announcement.Withdrawn; at != 0 && at < a.ends {
		out.Withdrawn = a.announcement.WithdrawnWhy
	}
	for _, o := range a.nodes {
		out.Proof.count(o)
		if o.expected && o.result != sounded {
			words := o.reason.Words()
			out.Missing = append(out.Missing, Absent{Node: string(o.node), Result: string(o.result), End: string(o.end), Reason: string(o.reason), VI: words.VI, EN: words.EN})
		}
	}
	var err error
	if out.Parts, err = s.parts(ctx, a); out.Parts == nil {
		out.Parts = []Part{}
	}
	return out, err
}

func (p *Proof) count(o outcome) {
	p.Millis = max(p.Millis, o.heard.Milliseconds())
	if !o.expected {
		if o.result == sounded {
			p.Others++
		}
		return
	}
	p.Expected++
	switch o.result {
	case sounded:
		p.Sounded++
	case silent:
		p.Silent++
	case doubtful:
		p.Doubtful++
	default:
		p.Unproved++
	}
}

// add sums what several lines or nodes proved.
func (p *Proof) add(o Proof) {
	p.Expected, p.Sounded, p.Silent = p.Expected+o.Expected, p.Sounded+o.Sounded, p.Silent+o.Silent
	p.Doubtful, p.Unproved, p.Others, p.Millis = p.Doubtful+o.Doubtful, p.Unproved+o.Unproved, p.Others+o.Others, p.Millis+o.Millis
}

// incidents are the faults of an area's nodes and of the controller.
func (s *scribe) incidents(ctx context.Context, area broadcast.ID, from, to broadcast.Instant) ([]Incident, error) {
	faults, err := s.faults(ctx, s.nodesIn(area, from), from, to)
	if err != nil {
		return nil, err
	}
	out := []Incident{}
	for _, f := range faults {
		words := wordsOf(f.Code)
		out = append(out, Incident{Node: string(f.Node), Code: string(f.Code), Since: moment(f.Since), Cleared: moment(f.Cleared), VI: words.VI, EN: words.EN})
	}
	spells, err := s.cfg.DB.BlindSpells(ctx, from, to)
	for _, b := range spells {
		out = append(out, Incident{Code: blind, Since: moment(b.From), Cleared: moment(b.To),
			VI: "trung tâm không hoạt động, không theo dõi được cụm loa", EN: "the controller did not run, and watched over no node"})
	}
	return out, err
}

// blind is the code of a time in which the controller did not run.
const blind = "controller-stopped"

// faultPage is how many faults are read at once.
const faultPage = 500

// faults are those of some nodes and of the controller, oldest first.
func (r *Records) faults(ctx context.Context, nodes []store.Node, from, to broadcast.Instant) ([]store.Fault, error) {
	q := store.FaultQuery{Nodes: []broadcast.ID{""}, From: from, To: to, Limit: faultPage}
	for _, n := range nodes {
		q.Nodes = append(q.Nodes, n.ID)
	}
	var out []store.Fault
	for {
		page, err := r.cfg.DB.Faults(ctx, q)
		if err != nil {
			return nil, err
		}
		out = append(out, page...)
		if len(page) < q.Limit {
			slices.Reverse(out)
			return out, nil
		}
		q.Before = page[len(page)-1].ID
	}
}

// wordsOf is the row of a fault, or one that says its code.
func wordsOf(code broadcast.FaultCode) broadcast.Fault {
	row, known := broadcast.FaultOf(code)
	if !known {
		row = broadcast.Fault{Code: code, VI: string(code), EN: string(code)}
	}
	return row
}

// span is how long of a time lies between two bounds.
func span(from, to, low, high broadcast.Instant) time.Duration {
	from, to = max(from, low), min(to, high)
	if to <= from {
		return 0
	}
	return to.Sub(from)
}
