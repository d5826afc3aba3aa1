package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// at reads a local time: of Monday 23 November 2026, unless a date is given.
func at(clock string) broadcast.Instant {
	if !strings.Contains(clock, " ") {
		clock = "2026-11-23 " + clock
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02 15:04:05.000"} {
		if t, err := time.ParseInLocation(layout, clock, broadcast.Local()); err == nil {
			return broadcast.InstantOf(t)
		}
	}
	panic("no time: " + clock)
}

// text is the inverse of at, for messages.
func text(i broadcast.Instant) string {
	return i.Time().In(broadcast.Local()).Format("2006-01-02 15:04:05.000")
}

var (
	issued = broadcast.Revision(at("2026-11-20 08:00"))
	here   = []broadcast.ID{"xa-dong-tam"}
)

func policy() broadcast.Policy {
	return broadcast.Policy{Area: "xa-dong-tam", Revision: issued,
		Quiet:      []broadcast.Span{{From: 21 * 60, To: 5 * 60}},
		Thresholds: []broadcast.Threshold{{Class: broadcast.Normal, Officers: 1}, {Class: broadcast.Priority, Officers: 1}, {Class: broadcast.Emergency, Officers: 2}}}
}

// monday is a node of the commune Đồng Tâm at the beginning of an empty day.
func monday(items ...Item) Input {
	return Input{
		Now: at("00:00"), Window: Window{at("00:00"), at("2026-11-24 00:00")},
		Assignment: broadcast.Assignment{Node: "loa-1", Revision: issued,
			Chain: []broadcast.Place{{Area: "tuyen-quang", Level: broadcast.Province}, {Area: "bac-quang", Level: broadcast.District},
				{Area: "xa-dong-tam", Level: broadcast.Commune}, {Area: "dong-tam", Level: broadcast.Village}},
			Languages: []broadcast.Language{"vi"}},
		Law: broadcast.LawOf(policy()), Items: items, Fresh: at("00:00"), Clock: broadcast.ClockProved,
		Board: Board{WarmUp: 1500 * time.Millisecond, Tail: 500 * time.Millisecond, Hold: 3 * time.Second, MinOff: 2 * time.Second,
			MaxOn: 4 * time.Hour, Preamble: 4 * time.Second,
			Chimes: map[string]time.Duration{"normal": 2400 * time.Millisecond, "priority": 1240 * time.Millisecond,
				"emergency": 2900 * time.Millisecond, "drill": 3 * time.Second}},
	}
}

func version(language string, seconds int64) broadcast.Version {
	return broadcast.Version{Language: broadcast.Language(language),
		Content: &broadcast.Content{SHA256: broadcast.Sum([]byte(language)), Millis: seconds * 1000, Bytes: seconds * 3000}}
}

func signer(person string, level broadcast.Level) Signer {
	return Signer{Person: broadcast.ID(person), Level: level, Custody: broadcast.CustodyController}
}

// item is an announcement of the commune, in Vietnamese.
func item(class broadcast.Class, id, start string, seconds int64) Item {
	i := Item{Announcement: broadcast.Announcement{ID: broadcast.ID(id), Revision: issued, Class: class, Title: "Tin", Areas: here,
		Versions: []broadcast.Version{version("vi", seconds)}, Timing: broadcast.Timing{Mode: broadcast.ModeStart, Start: at(start)},
		Meta: broadcast.Sum(nil)}, Signers: []Signer{signer("lan", broadcast.Commune), signer("minh", broadcast.Commune)}}
	return i
}

func normal(id, start string, seconds int64) Item { return item(broadcast.Normal, id, start, seconds) }
func priority(id, start string, seconds int64) Item {
	return item(broadcast.Priority, id, start, seconds)
}
func emergency(id, start string, seconds int64) Item {
	return item(broadcast.Emergency, id, start, seconds)
}

// with changes an item.
func (i Item) with(change func(*Item)) Item {
	change(&i)
	return i
}

func (i Item) level(l broadcast.Level) Item {
	i.Signers = []Signer{signer("hoa-"+string(l), l), signer("nam-"+string(l), l)}
	return i
}

func (i Item) late(seconds int64) Item { i.Announcement.Timing.LateLimit = seconds; return i }

func (i Item) repeat(seconds, window int64) Item {
	i.Announcement.Timing.Repeat, i.Announcement.Timing.Window = seconds, window
	return i
}

func (i Item) revised(by time.Duration) Item {
	i.Announcement.Revision = broadcast.Revision(broadcast.Instant(i.Announcement.Revision).Add(by))
	return i
}

func (i Item) held(clock string) Item { i.FirstHeld = at(clock); return i }

func (i Item) drill() Item { i.Drill = true; return i }

func (i Item) versions(v ...broadcast.Version) Item { i.Announcement.Versions = v; return i }

// past is what the journal says of an item's sounding.
func (i Item) past(attempt int64, from string, seconds int64, rung broadcast.Rung, why broadcast.Reason) Past {
	a := i.Announcement
	again := broadcast.Reason("")
	if attempt > 1 {
		again = broadcast.WhyRepeat
	}
	return Past{Why: again, Announcement: a.ID, Revision: a.Revision, Drill: i.Drill, Class: a.Class, Start: a.Timing.Start,
		Attempt: attempt, At: at(from), Millis: seconds * 1000, Rung: rung, Reason: why}
}

func compute(t *testing.T, in Input) Plan {
	t.Helper()
	p, err := Compute(in)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// lines renders a plan, a line for each entry.
func lines(p Plan) []string {
	var out []string
	for _, e := range p.Entries {
		line := string(e.Announcement)
		if e.Start != e.moment() || len(e.Soundings) == 0 {
			line += " of " + clock(e.Start)
		}
		for _, s := range e.Soundings {
			line += fmt.Sprintf(" %s-%s", clock(s.From), clock(s.To))
			if s.Attempt > 1 {
				line += fmt.Sprintf(" (%d %s)", s.Attempt, s.Why)
			}
			if s.Offset > 0 {
				line += fmt.Sprintf(" (+%s)", time.Duration(s.Offset)*time.Millisecond)
			}
		}
		line += " " + string(e.Rung)
		if e.Reason != "" {
			line += " " + string(e.Reason)
		}
		if e.Inside != "" {
			line += " inside " + string(e.Inside)
		}
		out = append(out, line)
	}
	return out
}

// clock leaves out what is zero.
func clock(i broadcast.Instant) string {
	s := i.Time().In(broadcast.Local()).Format("15:04:05.000")
	return strings.TrimSuffix(strings.TrimSuffix(s, ".000"), ":00")
}

// expect compares a plan with its lines.
func expect(t *testing.T, in Input, want ...string) Plan {
	t.Helper()
	p := compute(t, in)
	got := lines(p)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("plan:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	return p
}
