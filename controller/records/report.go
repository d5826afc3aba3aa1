package records

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

// Report is a month of an area and everything below it.
type Report struct {
	Area     string `json:"area"`
	AreaName string `json:"area_name"`
	Month    string `json:"month" doc:"The local month, such as 2026-11"`
	Made     string `json:"made" format:"date-time" doc:"What came later is not in it"`
	Over     bool   `json:"over" doc:"The month was over when it was made"`
	// Announcements were to sound at least once, Soundings is how often in all.
	Announcements int           `json:"announcements" doc:"How many were to sound at least once"`
	Soundings     int           `json:"soundings" doc:"How often something was to sound"`
	Proof         Proof         `json:"proof" doc:"Soundings at nodes: every planned sounding counts once for each node. heard_ms sums what nodes proved"`
	Classes       []ClassReport `json:"classes" nullable:"false"`
	Days          []DayReport   `json:"days" nullable:"false" doc:"Minutes of each day against what the area has to sound and may sound"`
	Nodes         []NodeReport  `json:"nodes" nullable:"false"`
	Faults        []FaultReport `json:"faults" nullable:"false"`
	Refusals      []Refused     `json:"refusals" nullable:"false" doc:"Why expected nodes did not sound to the end"`
	People        []Work        `json:"people" nullable:"false"`
	Chapters      []Table       `json:"chapters" nullable:"false" doc:"What else is kept: feedback and the like"`
}

// ClassReport is what was to sound of one class.
type ClassReport struct {
	Class         string `json:"class"`
	Announcements int    `json:"announcements"`
	Soundings     int    `json:"soundings"`
	Proof         Proof  `json:"proof"`
}

// DayReport is how long the area sounded on one day: as long as that node which
// proved the most, in whole minutes, rounded down.
type DayReport struct {
	Day         string `json:"day" format:"date"`
	Normal      int64  `json:"normal_min"`
	Priority    int64  `json:"priority_min"`
	Emergency   int64  `json:"emergency_min"`
	All         int64  `json:"all_min"`
	Minimum     *int64 `json:"minimum_min,omitempty" doc:"What the policies as they are now ask for; none: no such duty"`
	MaxNormal   *int64 `json:"maximum_normal_min,omitempty" doc:"What the policies as they are now allow; none: no bound"`
	MaxPriority *int64 `json:"maximum_priority_min,omitempty"`
	Short       bool   `json:"short" doc:"Less than the minimum is proved, and the day is over"`
}

// NodeReport is what one node proved, and how long it could be reached.
type NodeReport struct {
	Node     string `json:"node"`
	AreaName string `json:"area_name"`
	Proof    Proof  `json:"proof"`
	// Available is in thousandths of the time since it was confirmed.
	Available *int64 `json:"available_permille,omitempty" doc:"Share of the time in which it was not gone and somebody watched, in thousandths, rounded down; none if that is not known"`
	Gone      int64  `json:"gone_min" doc:"Minutes in which it was gone or nobody watched, rounded up"`
}

// FaultReport is how often one fault came, and how long it took to mend it.
type FaultReport struct {
	Code  string `json:"code"`
	VI    string `json:"vi"`
	EN    string `json:"en"`
	Count int    `json:"count"`
	Open  int    `json:"open" doc:"Still open when the report was made"`
	// Mean and Longest are of those that ended, rounded up.
	Mean    int64 `json:"mean_min" doc:"Minutes from its showing to its end, of those that ended; rounded up"`
	Longest int64 `json:"longest_min"`
}

// Refused is how often a reason kept a node from sounding to the end.
type Refused struct {
	Code  string `json:"code"`
	VI    string `json:"vi"`
	EN    string `json:"en"`
	Count int    `json:"count"`
}

// Work is what one person wrote and signed of what was to sound.
type Work struct {
	Who     Who `json:"who"`
	Written int `json:"written"`
	Signed  int `json:"signed"`
}

// monthLayout is how a month is named.
const monthLayout = "2006-01"

// Report returns the report of one local month, yyyy-mm. An area that nobody
// knows, and a month to come, is ErrRecord.
func (r *Records) Report(ctx context.Context, area broadcast.ID, month string) (Report, error) {
	p, err := r.period(area, month)
	if err != nil {
		return Report{}, err
	}
	s, err := r.scribe(ctx)
	if err != nil {
		return Report{}, err
	}
	for _, n := range s.nodesIn(area, min(p.To, r.now())) {
		p.Nodes = append(p.Nodes, n.ID)
	}
	all, err := s.airingsAbout(ctx, area, p.From, min(p.To, r.now()))
	if err != nil {
		return Report{}, err
	}
	now := r.now()
	out := Report{Area: string(area), AreaName: r.nameOf(area, min(p.To, now)), Month: month, Made: moment(now), Over: now >= p.To,
		Faults: []FaultReport{}, Refusals: []Refused{}, Chapters: []Table{}}
	t := newTally(s, p)
	for _, a := range all {
		if mine, meant := r.within(a, area); meant {
			t.count(mine)
		}
	}
	t.into(&out)
	if out.Days, err = r.days(ctx, t, p); err != nil {
		return out, err
	}
	if err := r.mended(ctx, &out, t, p); err != nil {
		return out, err
	}
	for _, c := range r.cfg.Chapters {
		table, err := c.Chapter(ctx, p)
		if err != nil {
			return out, err
		}
		out.Chapters = append(out.Chapters, table)
	}
	return out, nil
}

func (r *Records) period(area broadcast.ID, month string) (Period, error) {
	t, err := parse(monthLayout, month)
	if err != nil {
		return Period{}, fmt.Errorf("%w: a month is written like 2026-11", ErrRecord)
	}
	p := Period{Area: area, From: broadcast.InstantOf(t), To: broadcast.InstantOf(t.AddDate(0, 1, 0))}
	if p.From > r.now() {
		return p, fmt.Errorf("%w: %s is still to come", ErrRecord, month)
	}
	if _, known := r.cfg.Tree().Find(area); !known {
		return p, fmt.Errorf("%w: no area is called %s", ErrRecord, area)
	}
	return p, nil
}

// days sets the minutes of each day that has begun against the law.
func (r *Records) days(ctx context.Context, t *tally, p Period) ([]DayReport, error) {
	law, err := r.cfg.Desk.Law(ctx, p.Area)
	if err != nil {
		return nil, err
	}
	var minimum *int64
	if d := law.Minimum(); d > 0 {
		minimum = new(int64(d / time.Minute))
	}
	out := []DayReport{}
	for day := p.From; day < p.To && day <= r.now(); day = day.Add(oneDay) {
		d := DayReport{Day: dayOf(day), Minimum: minimum, MaxNormal: budget(law, broadcast.Normal, day), MaxPriority: budget(law, broadcast.Priority, day),
			Normal: t.most(day, broadcast.Normal), Priority: t.most(day, broadcast.Priority), Emergency: t.most(day, broadcast.Emergency), All: t.most(day, "")}
		d.Short = minimum != nil && d.All < *minimum && day.Add(oneDay) <= r.now()
		out = append(out, d)
	}
	return out, nil
}

func budget(law broadcast.Law, c broadcast.Class, day broadcast.Instant) *int64 {
	d, bound := law.Budget(c, day)
	if !bound {
		return nil
	}
	minutes := int64(d / time.Minute)
	return &minutes
}

// mended counts faults, and how long nodes were gone or nobody watched.
func (r *Records) mended(ctx context.Context, out *Report, t *tally, p Period) error {
	nodes := t.nodesIn(p.Area, min(p.To, r.now()))
	faults, err := r.faults(ctx, nodes, p.From, 0) // later ones say how much of the past may be forgotten
	if err != nil {
		return err
	}
	spells, err := r.cfg.DB.BlindSpells(ctx, p.From, p.To)
	if err != nil {
		return err
	}
	until := min(p.To, r.now())
	gone, kept := map[broadcast.ID][]gap{}, map[broadcast.ID]int{}
	for _, b := range spells {
		gone[""] = append(gone[""], gap{b.From, b.To})
	}
	var within []store.Fault
	for _, f := range faults {
		if kept[f.Node]++; f.Shown >= p.To {
			continue
		}
		within = append(within, f)
		if f.Code == broadcast.FaultNodeGone || f.Code == broadcast.FaultBrokerGone {
			gone[f.Node] = append(gone[f.Node], gap{f.Since, cmp.Or(f.Cleared, until)})
		}
	}
	out.Faults = faultReports(within)
	for i, n := range nodes {
		low := max(p.From, n.Confirmed)
		away := together(slices.Concat(gone[n.ID], gone[""]), low, until) // while the broker is gone nobody sees a node
		out.Nodes[i].Gone = roundUp(away)
		if watched := span(low, until, p.From, p.To); watched > 0 && kept[n.ID] < mostKept {
			share := int64(watched-away) * 1000 / int64(watched)
			out.Nodes[i].Available = &share
		}
	}
	return nil
}

// faultReports counts faults by their code, in order of code.
func faultReports(faults []store.Fault) []FaultReport {
	byCode, spent := map[broadcast.FaultCode]*FaultReport{}, map[broadcast.FaultCode]time.Duration{}
	for _, f := range faults {
		one := byCode[f.Code]
		if one == nil {
			words := wordsOf(f.Code)
			one = &FaultReport{Code: string(f.Code), VI: words.VI, EN: words.EN}
			byCode[f.Code] = one
		}
		one.Count++
		if f.Cleared == 0 {
			one.Open++
			continue
		}
		took := f.Cleared.Sub(f.Shown)
		spent[f.Code] += took
		one.Longest = max(one.Longest, roundUp(took))
	}
	out := []FaultReport{}
	for _, code := range slices.Sorted(maps.Keys(byCode)) {
		one := byCode[code]
		if ended := one.Count - one.Open; ended > 0 {
			one.Mean = roundUp(spent[code] / time.Duration(ended))
		}
		out = append(out, *one)
	}
	return out
}

// mostKept is how many faults that are over the controller keeps of one node:
// of one with so many, earlier ones may be forgotten.
const mostKept = 200

// gap is a time in which a node was not seen.
type gap struct{ from, to broadcast.Instant }

// together is how much of a time the gaps cover, those that overlap once.
func together(gaps []gap, low, high broadcast.Instant) time.Duration {
	slices.SortFunc(gaps, func(a, b gap) int { return cmp.Compare(a.from, b.from) })
	var sum time.Duration
	for _, g := range gaps {
		sum += span(g.from, g.to, low, high)
		low = max(low, min(g.to, high))
	}
	return sum
}

// roundUp is a time in whole minutes.
func roundUp(d time.Duration) int64 { return int64((d + time.Minute - 1) / time.Minute) }
