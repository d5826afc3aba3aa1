package api

import (
	"context"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/people"
)

// Deliveries is what nodes proved of one announcement.
type Deliveries struct {
	Announcement Announcement `json:"announcement"`
	At           string       `json:"at" format:"date-time"`
	Summary      Summary      `json:"summary"`
	Nodes        []Delivery   `json:"nodes" nullable:"false"`
}

// Summary counts the expected nodes in the caller's areas.
type Summary struct {
	Expected int `json:"expected"`
	Ended    int `json:"ended" doc:"Sounded to the end"`
	Silent   int `json:"silent" doc:"Ended otherwise, with a reason"`
	Doubtful int `json:"doubtful" doc:"Say that they have ended, and it is not sure which box says so: neither sounded nor silent"`
	Open     int `json:"open" doc:"Have not ended, or may sound again; an age says how long ago they last gave a sign"`
}

// Delivery is what one node proved.
type Delivery struct {
	Node     string `json:"node"`
	Area     string `json:"area"`
	AreaName string `json:"area_name"`
	Expected bool   `json:"expected" doc:"Stood in a target area at publishing"`
	// Rung is the highest proved rung; empty if nothing was proved.
	Rung     string     `json:"rung,omitempty"`
	Evidence *Evidence  `json:"evidence,omitempty"`
	End      string     `json:"end,omitempty" doc:"The terminal rung, once there is one and nothing more is to come"`
	Reason   *Reason    `json:"reason,omitempty" doc:"Why it ended otherwise or, without an end, what stands in its way"`
	Until    string     `json:"may_sound_again_until,omitempty" format:"date-time" doc:"The newest attempt ended, but was not the last: another may begin until then"`
	Times    []RungTime `json:"times" nullable:"false" doc:"The first receipt of every rung, of the document and of the newest attempt, by the node's clock, in order"`
	Clock    string     `json:"clock,omitempty" doc:"What the node's clock rests on"`
	Attempts int64      `json:"attempts"`
	Other    bool       `json:"other_body,omitempty" doc:"The node also gave receipts of another document under exactly this name; they prove nothing here"`
	// Occurrences has more than one entry for what recurs or repeats.
	Occurrences []Occurrence `json:"occurrences" nullable:"false"`
	LastSign    string       `json:"last_sign,omitempty" format:"date-time" doc:"Newest hint of any kind; none if there never was one"`
	Claimed     *Claimed     `json:"claimed,omitempty" doc:"What it says beside that in receipts that came while two boxes, or an old card, may have used its key; it proves nothing"`
	Age         *int64       `json:"age_s,omitempty" doc:"Seconds since the last sign"`
}

// Claimed is what receipts say of which it is not sure which box gave them.
type Claimed struct {
	Rung        string       `json:"rung,omitempty"`
	Evidence    *Evidence    `json:"evidence,omitempty"`
	End         string       `json:"end,omitempty"`
	Reason      *Reason      `json:"reason,omitempty"`
	Times       []RungTime   `json:"times" nullable:"false"`
	Attempts    int64        `json:"attempts"`
	Occurrences []Occurrence `json:"occurrences" nullable:"false"`
}

// Occurrence is what was proved of one planned sounding, by its newest attempt.
type Occurrence struct {
	Start    string     `json:"start" format:"date-time"`
	Rung     string     `json:"rung,omitempty"`
	End      string     `json:"end,omitempty"`
	Reason   *Reason    `json:"reason,omitempty"`
	Until    string     `json:"may_sound_again_until,omitempty" format:"date-time"`
	Evidence *Evidence  `json:"evidence,omitempty"`
	Times    []RungTime `json:"times" nullable:"false"`
	Attempts int64      `json:"attempts"`
	Each     []Attempt  `json:"each" nullable:"false" doc:"Every attempt by itself"`
}

// Attempt is what was proved of one attempt at an occurrence.
type Attempt struct {
	Number   int64      `json:"number" doc:"From 1; 0 is a verdict without an attempt"`
	Rung     string     `json:"rung,omitempty"`
	End      string     `json:"end,omitempty"`
	Reason   *Reason    `json:"reason,omitempty"`
	Evidence *Evidence  `json:"evidence,omitempty"`
	Times    []RungTime `json:"times" nullable:"false"`
}

// RungTime is when a node reached a rung.
type RungTime struct {
	Rung string `json:"rung"`
	At   string `json:"at" format:"date-time"`
}

// Reason is why it ended otherwise, in words.
type Reason struct {
	Code string `json:"code"`
	VI   string `json:"vi"`
	EN   string `json:"en"`
}

// Evidence is what the rung rests on.
type Evidence struct {
	Samples    int64    `json:"samples,omitempty" doc:"Samples at 48 kHz that left the sound card"`
	Of         int64    `json:"of,omitempty"`
	Closed     string   `json:"closed,omitempty" format:"date-time" doc:"When the relay closed"`
	First      string   `json:"first,omitempty" format:"date-time" doc:"When the first sample left"`
	Level      *float64 `json:"level_dbfs,omitempty" doc:"Loudness of what was played, RMS"`
	Line       bool     `json:"line,omitempty" doc:"A sensor saw the line"`
	Current    int64    `json:"current_ma,omitempty"`
	Microphone *float64 `json:"microphone_db,omitempty"`
	Languages  []string `json:"languages,omitempty" nullable:"false"`
	Recording  *Kept    `json:"recording,omitempty" doc:"What somebody spoke at the box"`
}

// Kept is what was recorded of what somebody spoke at the box of a node.
type Kept struct {
	SHA256 string `json:"sha256"`
	Millis int64  `json:"ms"`
	Bytes  int64  `json:"bytes"`
	Where  string `json:"where,omitempty" doc:"here: it can be listened to at /api/v1/nodes/{id}/recordings/{sha256}; card: still on the node's card alone; gone: nobody has it"`
	Came   string `json:"came,omitempty" format:"date-time" doc:"When it came here"`
}

type deliveriesAnswer struct{ Body Deliveries }

func (s *server) deliveries(r *registry) { on(r, "get-deliveries", s.delivered) }

func (s *server) delivered(ctx context.Context, in *idPath) (*deliveriesAnswer, error) {
	if _, err := s.readable(ctx, broadcast.ID(in.ID)); err != nil {
		return nil, err
	}
	got, err := s.cfg.Desk.Deliveries(ctx, broadcast.ID(in.ID))
	if err != nil {
		return nil, err
	}
	out := Deliveries{Announcement: announcementOf(got.Announcement), At: moment(got.At), Nodes: []Delivery{}}
	for _, d := range got.Nodes {
		if !s.sees(ctx, people.DeliveryRead, d.Area) {
			continue
		}
		out.Nodes = append(out.Nodes, s.deliveryOf(d, got.At))
		out.Summary.count(d)
	}
	return &deliveriesAnswer{Body: out}, nil
}

func (s *Summary) count(d desk.Delivery) {
	if !d.Expected {
		return
	}
	s.Expected++
	switch {
	case d.Doubted():
		s.Doubtful++
	case d.End == "":
		s.Open++
	case d.Silent():
		s.Silent++
	default:
		s.Ended++
	}
}

func (s *server) deliveryOf(d desk.Delivery, at broadcast.Instant) Delivery {
	out := Delivery{Node: string(d.Node), Area: string(d.Area), AreaName: s.nameOf(d.Area), Expected: d.Expected, Rung: string(d.Rung),
		Evidence: evidenceOf(d.Evidence), End: string(d.End), Reason: reasonOf(d.Reason), Times: timesOf(d.Times),
		Until: moment(d.Until), Clock: string(d.Clock), Attempts: d.Attempts, Other: d.Other, Occurrences: occurrencesOf(d.Occurrences), LastSign: moment(d.Last), Claimed: claimedOf(d.Claimed)}
	if d.Last != 0 {
		age := int64(at.Sub(d.Last).Seconds())
		out.Age = &age
	}
	return out
}

func claimedOf(p *desk.Progress) *Claimed {
	if p == nil {
		return nil
	}
	return &Claimed{Rung: string(p.Rung), Evidence: evidenceOf(p.Evidence), End: string(p.End), Reason: reasonOf(p.Reason),
		Times: timesOf(p.Times), Attempts: p.Attempts, Occurrences: occurrencesOf(p.Occurrences)}
}

func occurrencesOf(list []desk.Occurrence) []Occurrence {
	out := []Occurrence{}
	for _, o := range list {
		out = append(out, occurrenceOf(o))
	}
	return out
}

func occurrenceOf(o desk.Occurrence) Occurrence {
	out := Occurrence{Start: moment(o.Start), Rung: string(o.Rung), End: string(o.End), Reason: reasonOf(o.Reason), Until: moment(o.Until),
		Evidence: evidenceOf(o.Evidence), Times: timesOf(o.Times), Attempts: o.Attempts, Each: []Attempt{}}
	for _, a := range o.Each {
		out.Each = append(out.Each, Attempt{Number: a.Number, Rung: string(a.Rung), End: string(a.End), Reason: reasonOf(a.Reason),
			Evidence: evidenceOf(a.Evidence), Times: timesOf(a.Times)})
	}
	return out
}

// timesOf sorts by rung, not by time: clocks of nodes may jump.
func timesOf(times map[broadcast.Rung]broadcast.Instant) []RungTime {
	out := []RungTime{}
	for _, rung := range broadcast.Rungs() {
		if at, ok := times[rung]; ok {
			out = append(out, RungTime{Rung: string(rung), At: moment(at)})
		}
	}
	return out
}

// reasonOf finds the words of a reason in the one table.
func reasonOf(code broadcast.Reason) *Reason {
	if code == "" {
		return nil
	}
	texts := broadcast.ReasonTexts()
	if i := slices.IndexFunc(texts, func(t broadcast.ReasonText) bool { return t.Code == code }); i >= 0 {
		return &Reason{Code: string(code), VI: texts[i].VI, EN: texts[i].EN}
	}
	return &Reason{Code: string(code), VI: string(code), EN: string(code)}
}

func evidenceOf(e *broadcast.Evidence) *Evidence {
	if e == nil {
		return nil
	}
	return &Evidence{Samples: e.Samples, Of: e.Of, Closed: moment(e.Closed), First: moment(e.First), Level: hundredths(e.Level),
		Line: e.Line, Current: e.Current, Microphone: hundredths(e.Microphone), Languages: texts(e.Languages), Recording: keptOf(e.Recording)}
}

func keptOf(c *broadcast.Content) *Kept {
	if c == nil {
		return nil
	}
	return &Kept{SHA256: string(c.SHA256), Millis: c.Millis, Bytes: c.Bytes}
}

func hundredths(n int64) *float64 {
	if n == 0 {
		return nil
	}
	f := float64(n) / 100
	return &f
}
