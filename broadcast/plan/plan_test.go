package plan

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
)

func TestInputThatNobodyCanMeanIsAnError(t *testing.T) {
	a := normal("a", "06:00", 30)
	for want, change := range map[string]func(*Input){
		"window":          func(in *Input) { in.Window.To = in.Window.From },
		"more than":       func(in *Input) { in.Window.To = in.Window.From.Add(MaxWindow + time.Millisecond) },
		"now":             func(in *Input) { in.Now = 0 },
		"without history": func(in *Input) { in.WithoutHistory, in.Past = true, []Past{{}} },
		"no place":        func(in *Input) { in.Assignment.Chain = nil },
		"no language":     func(in *Input) { in.Assignment.Languages = nil },
		"documents":       func(in *Input) { in.Items = make([]Item, maxItems+1) },
		"clock quality":   func(in *Input) { in.Clock = "" },
		"class":           func(in *Input) { in.Items[0].Announcement.Class = "urgent" },
		"given twice":     func(in *Input) { in.Items = []Item{a, a} },
		"impossible":      func(in *Input) { in.Past = []Past{a.past(-1, "06:00", 1, broadcast.Ended, "")} },
		"at once": func(in *Input) {
			in.Past = []Past{a.past(1, "06:00", 1, broadcast.Playing, ""), a.past(1, "06:00", 1, broadcast.Playing, "")}
			in.Past[0].Running, in.Past[1].Running = true, true
		},
		"board":             func(in *Input) { in.Board.WarmUp = -1 },
		"warm-up takes":     func(in *Input) { in.Board.MaxOn = 2 * time.Second },
		"ceiling of 101":    func(in *Input) { in.Board.Ceiling = 101 },
		"at most 8000 and ": func(in *Input) { in.Past = make([]Past, maxPast+1) },
	} {
		in := monday(a)
		change(&in)
		if _, err := Compute(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v", want, err)
		}
	}
}

func TestAFloodOfDocumentsLeavesTheEmergencies(t *testing.T) {
	in := monday(emergency("lu", "12:00", 60))
	for n := range MaxEntries {
		in.Items = append(in.Items, normal(fmt.Sprintf("rac-%d", n), "12:00", 1))
	}
	p, err := Compute(in)
	if !errors.Is(err, ErrTooMany) || len(p.Entries) != 1 || p.Entries[0].Rung != broadcast.Ended {
		t.Errorf("%v: %v", err, lines(p))
	}
	in.Items = in.Items[:MaxEntries]
	if p, err := Compute(in); err != nil || len(p.Entries) != MaxEntries {
		t.Errorf("%v: %d entries", err, len(p.Entries))
	}
	in.Items = nil
	for n := range 20 {
		in.Items = append(in.Items, emergency(fmt.Sprintf("lu-%d", n), "12:00", 1).repeat(60, 6*3600))
	}
	if p, err := Compute(in); !errors.Is(err, ErrTooMany) || len(p.Entries) != MaxEntries {
		t.Errorf("%v: %d entries", err, len(p.Entries))
	}
}

func TestWhatIsOverDoesNotStandInTheWayOfWhatIsToCome(t *testing.T) {
	in := monday(normal("tin", "18:00", 60))
	for n := range MaxEntries {
		in.Items = append(in.Items, normal(fmt.Sprintf("rac-%d", n), "06:00", 1))
	}
	for now, want := range map[broadcast.Instant]error{at("12:00"): nil, at("05:00"): ErrTooMany, in.Window.From: ErrTooMany, in.Window.To: ErrTooMany} {
		p, err := ComputeFrom(in, now)
		if !errors.Is(err, want) || want == nil && (len(p.Entries) != 1 || p.Window.From != now) {
			t.Errorf("from %s on: %d entries of %+v, %v", now, len(p.Entries), p.Window, err)
		}
	}
	in.Items = in.Items[:MaxEntries]
	if p, err := ComputeFrom(in, at("12:00")); err != nil || len(p.Entries) != MaxEntries {
		t.Errorf("of a plan that is not too full %d entries are left, %v", len(p.Entries), err)
	}
}

func digest(t rapid.TB, p Plan) broadcast.Digest {
	t.Helper()
	d, err := p.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTheDigestCoversEveryEntry(t *testing.T) {
	in := monday(normal("a", "06:00", 30), normal("b", "03:00", 30))
	want := compute(t, in)
	if b, err := broadcast.Encode(want.Entries); err != nil || broadcast.Sum(b) != digest(t, want) {
		t.Errorf("the digest is not that of the entries: %v", err)
	}
	for name, change := range map[string]func(*Input){
		"volume": func(in *Input) { in.Items[0].Announcement.Volume = 50 },
		"start":  func(in *Input) { in.Items[0].Announcement.Timing.Start++ },
		"reason": func(in *Input) { in.Items[1].Delisted = true },
		"gone":   func(in *Input) { in.Items = in.Items[:1] },
	} {
		other := in
		other.Items = []Item{in.Items[0], in.Items[1]}
		change(&other)
		if digest(t, compute(t, other)) == digest(t, want) {
			t.Errorf("%s: same digest", name)
		}
	}
}

func TestAPreviewWithoutHistorySaysSo(t *testing.T) {
	pol := policy()
	pol.Minutes = []broadcast.Budget{{Class: broadcast.Normal, Minutes: 1}}
	in := monday(normal("a", "06:00", 40), normal("b", "12:00", 40))
	in.Law, in.Now, in.WithoutHistory, in.Window.From = broadcast.LawOf(pol), at("15:00"), true, at("11:00")
	p := expect(t, in, "b of 12:00 refused budget")
	if !p.WithoutHistory {
		t.Error("the preview does not say that it knows no history")
	}
	in.WithoutHistory = false
	if p := expect(t, in, "b of 12:00 skipped late"); p.WithoutHistory {
		t.Error("a plan with history says it has none")
	}
}

func TestWhatBeganBeforeTheWindowBelongsToIt(t *testing.T) {
	in := monday(normal("a", "06:00", 600), emergency("lu", "06:05", 1200), priority("b", "06:06", 30).late(3600))
	in.Window.From = at("06:20")
	expect(t, in, "lu 06:05-06:25 ended", "b of 06:06 06:25-06:25:30 ended")
}

func TestTheJournalIsTrustedAboveTheDocuments(t *testing.T) {
	gone, refused := normal("gone", "06:00", 30), normal("a", "07:00", 30)
	in := monday(refused)
	in.Now = at("08:00")
	in.Past = []Past{gone.past(1, "06:00", 12, broadcast.Interrupted, broadcast.WhyWithdrawn), refused.past(0, "07:00", 0, broadcast.Refused, broadcast.WhySilence)}
	expect(t, in, "gone 06:00-06:00:12 interrupted withdrawn", "a of 07:00 refused silence")
}

func BenchmarkAWeekOf200Announcements(b *testing.B) {
	in := monday()
	for n := range 200 {
		class := broadcast.Normal
		if n%10 == 0 {
			class = broadcast.Priority
		}
		i := item(class, fmt.Sprintf("tin-%d", n), "05:00", 60)
		i.Announcement.Timing.Start = at("2026-11-22 05:00").Add(time.Duration(n) * 4 * time.Minute)
		i.Announcement.Timing.Until = i.Announcement.Timing.Start.Add(300 * day)
		i.Announcement.Timing.Recurrence = &broadcast.Recurrence{Rule: "FREQ=DAILY"}
		in.Items = append(in.Items, i)
	}
	in.Window.To = in.Window.From.Add(7 * day)
	in.Fresh = in.Window.To
	for b.Loop() {
		p, err := Compute(in)
		if err != nil || len(p.Entries) != 1400 {
			b.Fatalf("%v: %d entries", err, len(p.Entries))
		}
	}
}

// manyRepeats are six emergencies that sound each minute for six hours, halfway
// through: each that is not the first of the commune's waits for the others.
func manyRepeats() Input {
	in := monday()
	for n := range 6 {
		in.Items = append(in.Items, emergency(fmt.Sprintf("lu-%d", n), "06:00", 30).repeat(60, 6*3600))
	}
	in.Now, in.Window.From = at("09:00"), at("06:00")
	for n := range 180 {
		start := at("06:00").Add(time.Duration(n) * time.Minute)
		for i := range 6 {
			past := in.Items[i].past(0, "06:00", 0, broadcast.Skipped, broadcast.WhyOverlap)
			if i < 2 {
				past = in.Items[i].past(1, "06:00", 30, broadcast.Ended, "")
			}
			past.Start, past.At = start, start.Add(time.Duration(i)*30*time.Second)
			in.Past = append(in.Past, past)
		}
	}
	return in
}

func BenchmarkSixEmergenciesEachMinute(b *testing.B) {
	in := manyRepeats()
	for b.Loop() {
		if _, err := Compute(in); err != nil && !errors.Is(err, ErrTooMany) {
			b.Fatal(err)
		}
	}
}
