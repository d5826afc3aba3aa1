package plan

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
)

func TestNoSoundingIsLongerThanThePolicyAllowsForOne(t *testing.T) {
	pol := policy()
	pol.Chimes = broadcast.Classes()
	pol.Sessions = []broadcast.Budget{{Class: broadcast.Normal, Minutes: 1}}
	in := monday(normal("a", "06:00", 57), normal("b", "07:00", 58), priority("c", "08:00", 120), emergency("lu", "09:00", 600), normal("d", "10:00", 58).drill())
	in.Law = broadcast.LawOf(pol)
	expect(t, in, "a 06:00-06:00:59.400 ended", "b of 07:00 refused session", "c 08:00-08:02:01.240 ended", "lu 09:00-09:10:02.900 ended", "d of 10:00 refused session")
}

func TestOnlyTheLevelsThatThePolicyNamesSpeakInAClass(t *testing.T) {
	pol := policy()
	pol.Speakers = []broadcast.Speaker{{Class: broadcast.Priority, Levels: []broadcast.Level{broadcast.Commune}}}
	in := monday(priority("a", "06:00", 60), priority("b", "07:00", 60).level(broadcast.Province), priority("c", "08:00", 60).level(broadcast.Village),
		emergency("lu", "09:00", 60).level(broadcast.Province), normal("d", "10:00", 60).level(broadcast.Village))
	in.Law = broadcast.LawOf(pol)
	expect(t, in, "a 06:00-06:01 ended", "b of 07:00 refused speaker", "c of 08:00 refused speaker", "lu 09:00-09:01 ended", "d 10:00-10:01 ended")
}

func TestASpecialDayBindsItsDatesAndNoEmergency(t *testing.T) {
	pol := policy()
	pol.Windows = []broadcast.Span{{From: 5 * 60, To: 7 * 60}, {From: 8 * 60, To: 10 * 60}}
	pol.Special = []broadcast.SpecialDay{{Name: "Quốc tang", From: "2026-11-23", To: "2026-11-23", Windows: []broadcast.Span{{From: 8 * 60, To: 9 * 60}},
		Quiet: []broadcast.Span{{From: 12 * 60, To: 13 * 60}}, Minutes: []broadcast.Budget{{Class: broadcast.Priority, Minutes: 1}}, Ceiling: 30}}
	in := monday(normal("a", "06:00", 60), normal("b", "08:00", 60), priority("c", "10:00", 60), priority("d", "11:00", 1), priority("e", "12:00", 1),
		emergency("lu", "12:30", 60), normal("f", "2026-11-24 06:00", 60), normal("g", "2026-11-24 07:00", 60), priority("h", "2026-11-24 12:00", 120))
	in.Window.To, in.Law = at("2026-11-25 00:00"), broadcast.LawOf(pol)
	p := expect(t, in, "a of 06:00 refused window", "b 08:00-08:01 ended", "c 10:00-10:01 ended", "d of 11:00 refused budget", "e of 12:00 refused quiet",
		"lu 12:30-12:31 ended", "f 06:00-06:01 ended", "g of 07:00 refused window", "h 12:00-12:02 ended")
	for i, want := range map[int]int64{1: 30, 2: 30, 5: 100, 6: 100} {
		if got := p.Entries[i].Soundings[0].Volume; got != want {
			t.Errorf("%s sounds at %d percent, not %d", p.Entries[i].Announcement, got, want)
		}
	}
}

func TestVolumeIsThatOfTheQuietestHourItReaches(t *testing.T) {
	pol := policy()
	pol.Ceilings = []broadcast.HourCeiling{{Hours: broadcast.Span{From: 18 * 60, To: 21 * 60}, Percent: 40}}
	in := monday(normal("a", "17:00", 60), normal("b", "17:59:30", 60), normal("c", "18:00", 60), emergency("lu", "19:00", 60))
	in.Law = broadcast.LawOf(pol)
	p := compute(t, in)
	for i, want := range []int64{100, 40, 40, 100} {
		if got := p.Entries[i].Soundings[0].Volume; got != want {
			t.Errorf("%s sounds at %d percent, not %d", p.Entries[i].Announcement, got, want)
		}
	}
}

// TestALowerPolicyNeverLetsSoundWhatTheUpperForbids draws two policies: nothing
// sounds under both that breaks a rule of the upper one alone.
func TestALowerPolicyNeverLetsSoundWhatTheUpperForbids(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawn(t)
		upper, lower := drawStrict(t, "upper"), drawStrict(t, "lower")
		lower.Area = "dong-tam"
		law := broadcast.LawOf(upper)
		in.Law = broadcast.LawOf(upper, lower)
		spent := map[allowance]time.Duration{}
		for _, s := range soundings(must(t, in)) {
			if s.entry.isEmergency() {
				continue
			}
			class := s.entry.Class
			if s.entry.Drill {
				class = broadcast.Normal
			}
			span, quiet := law.Quiet(s.From, s.To)
			longest, bound := law.Session(class)
			day := allowanceOf(s.entry.Drill, class, s.From)
			spent[day] += s.To.Sub(s.From)
			minutes, counted := law.Budget(class, s.From)
			switch {
			case quiet:
				t.Fatalf("%s sounds in %v", s.entry.Announcement, span)
			case class == broadcast.Normal && !law.InWindow(s.From, s.To):
				t.Fatalf("%s sounds %s outside the windows", s.entry.Announcement, text(s.From))
			case bound && s.To.Sub(s.From) > longest, counted && spent[day] > minutes:
				t.Fatalf("%s sounds %s, allowed are %s and %s of %s", s.entry.Announcement, s.To.Sub(s.From), longest, spent[day], minutes)
			case s.Volume > law.Ceiling(s.From, s.To):
				t.Fatalf("%s sounds at %d percent", s.entry.Announcement, s.Volume)
			}
		}
	})
}

// drawStrict is a policy with every rule that binds a moment.
func drawStrict(t *rapid.T, name string) broadcast.Policy {
	pol := drawLaw(t)[0]
	if rapid.Bool().Draw(t, name+" has special days") {
		pol.Special = []broadcast.SpecialDay{{Name: "Lễ", From: "2026-11-23", To: "2026-11-24", Quiet: []broadcast.Span{{From: 12 * 60, To: 14 * 60}},
			Windows: []broadcast.Span{{From: 5 * 60, To: 20 * 60}}, Ceiling: rapid.Int64Range(1, 100).Draw(t, name+" special ceiling")}}
	}
	pol.Sessions = []broadcast.Budget{{Class: broadcast.Normal, Minutes: rapid.Int64Range(0, 20).Draw(t, name+" session")}}
	pol.Ceilings = []broadcast.HourCeiling{{Hours: broadcast.Span{From: 300, To: 720}, Percent: rapid.Int64Range(1, 100).Draw(t, name+" ceiling")}}
	return pol
}
