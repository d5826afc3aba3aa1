package broadcast_test

import (
	"slices"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

func TestAFiringStandsOnlyInTheReceiptThatNamesIt(t *testing.T) {
	if err := fired().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*broadcast.Receipt){
		"another rung":          func(r *broadcast.Receipt) { r.Rung = broadcast.Playing },
		"an occurrence":         func(r *broadcast.Receipt) { r.Start = r.Firing.Start },
		"another body":          func(r *broadcast.Receipt) { r.Payload = broadcast.Sum([]byte("other")) },
		"another key":           func(r *broadcast.Receipt) { r.Firing.Key = "fire" },
		"no key":                func(r *broadcast.Receipt) { r.Firing.Key = "" },
		"a key of two words":    func(r *broadcast.Receipt) { r.Firing.Key = "a b" },
		"no template":           func(r *broadcast.Receipt) { r.Firing.Template.ID = "" },
		"no words of officers":  func(r *broadcast.Receipt) { r.Firing.Payload = "" },
		"no moment":             func(r *broadcast.Receipt) { r.Firing.Start = 0 },
		"nobody's PIN":          func(r *broadcast.Receipt) { r.Firing.Person = "Lan!" },
		"somebody else's PIN":   func(r *broadcast.Receipt) { r.Firing.Person = "lan" },
		"a moment out of range": func(r *broadcast.Receipt) { r.Firing.Start = -1 },
	} {
		r := fired()
		if change(&r); r.Validate() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}

func TestATemplateNamesItsKeySwitchesWithinBounds(t *testing.T) {
	lan := broadcast.Code{Number: "11", Person: "lan", Lock: lock}
	for name, c := range map[string]struct {
		local broadcast.OnSite
		good  bool
	}{
		"one":          {broadcast.OnSite{Keys: []broadcast.Switch{"flood"}, Hourly: 1}, true},
		"several":      {broadcast.OnSite{Keys: []broadcast.Switch{"Red_2", "b-3"}, Hourly: 60}, true},
		"nobody":       {broadcast.OnSite{Hourly: 1}, false},
		"a PIN":        {broadcast.OnSite{Codes: []broadcast.Code{lan}, Hourly: 1}, true},
		"two of one":   {broadcast.OnSite{Codes: []broadcast.Code{lan, {Number: "12", Person: "lan", Lock: lock}}, Hourly: 1}, true},
		"a number two": {broadcast.OnSite{Codes: []broadcast.Code{lan, {Number: "11", Person: "minh", Lock: lock}}, Hourly: 1}, false},
		"no number":    {broadcast.OnSite{Codes: []broadcast.Code{{Number: "0", Person: "lan", Lock: lock}}, Hourly: 1}, false},
		"no person":    {broadcast.OnSite{Codes: []broadcast.Code{{Number: "1", Lock: lock}}, Hourly: 1}, false},
		"an open lock": {broadcast.OnSite{Codes: []broadcast.Code{{Number: "1", Person: "lan", Lock: "12345678"}}, Hourly: 1}, false},
		"a crowd":      {broadcast.OnSite{Codes: slices.Repeat([]broadcast.Code{lan}, 25), Hourly: 1}, false},
		"twice":        {broadcast.OnSite{Keys: []broadcast.Switch{"a", "a"}, Hourly: 1}, false},
		"nine":         {broadcast.OnSite{Keys: []broadcast.Switch{"1", "2", "3", "4", "5", "6", "7", "8", "9"}, Hourly: 1}, false},
		"no word":      {broadcast.OnSite{Keys: []broadcast.Switch{"../a"}, Hourly: 1}, false},
		"never":        {broadcast.OnSite{Keys: []broadcast.Switch{"a"}}, false},
		"all the time": {broadcast.OnSite{Keys: []broadcast.Switch{"a"}, Hourly: 61}, false},
	} {
		m := sample[broadcast.Template]("template")()
		if m.Local = &c.local; (m.Validate() == nil) != c.good {
			t.Errorf("%s: %v", name, m.Validate())
		}
	}
	var nobody *broadcast.OnSite
	if both := (&broadcast.OnSite{Keys: []broadcast.Switch{"a"}, Codes: []broadcast.Code{lan}}); !both.Allows("pad", "lan") || both.Allows("a", "minh") || nobody.Allows("a", "lan") {
		t.Error("the people who may fire are not the named ones")
	}
	if one := (&broadcast.OnSite{Keys: []broadcast.Switch{"a"}}); nobody.Allows("a", "") || one.Allows("b", "") || !one.Allows("a", "") {
		t.Error("the key switches that may fire are not the named ones")
	}
}

// spoken is a template for speaking at a box.
func spoken() broadcast.Template {
	m := sample[broadcast.Template]("template")()
	m.Versions = []broadcast.Version{{Language: "vi", Live: &broadcast.Live{Source: broadcast.Box, Millis: 60000}}}
	m.Local.Speech = &broadcast.Speech{Hours: []broadcast.Span{{From: 22 * 60, To: 5 * 60}}, KeepDays: 30}
	return m
}

func TestASpeechNeedsAKeyAPINAndItsBounds(t *testing.T) {
	if err := spoken().Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*broadcast.Template){
		"no key":            func(m *broadcast.Template) { m.Local.Keys = nil },
		"no PIN":            func(m *broadcast.Template) { m.Local.Codes = nil },
		"nobody on site":    func(m *broadcast.Template) { m.Local = nil },
		"no word of speech": func(m *broadcast.Template) { m.Local.Speech = nil },
		"a recording":       func(m *broadcast.Template) { m.Versions = sample[broadcast.Template]("template")().Versions },
		"two versions": func(m *broadcast.Template) {
			m.Versions = append(m.Versions, broadcast.Version{Language: "tyz", Live: m.Versions[0].Live})
		},
		"eleven minutes": func(m *broadcast.Template) { m.Versions[0].Live.Millis = 660000 },
		"a key from afar": func(m *broadcast.Template) {
			m.Versions[0].Live.SessionKey = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		},
		"never kept":           func(m *broadcast.Template) { m.Local.Speech.KeepDays = 0 },
		"kept for too long":    func(m *broadcast.Template) { m.Local.Speech.KeepDays = 31 },
		"an hour that is none": func(m *broadcast.Template) { m.Local.Speech.Hours[0].To = m.Local.Speech.Hours[0].From },
		"hours without end": func(m *broadcast.Template) {
			m.Local.Speech.Hours = slices.Repeat(m.Local.Speech.Hours, 15)
		},
	} {
		m := spoken()
		if change(&m); m.Validate() == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	l := spoken().Local
	if !l.Allows("flood", "lan") || l.Allows("flood", "") || l.Allows("pad", "lan") || l.Allows("flood", "minh") {
		t.Error("somebody speaks without his key or his PIN")
	}
}

func TestNobodyOpensTheMicrophoneOfABoxFromAfar(t *testing.T) {
	a := sample[broadcast.Announcement]("announcement-emergency")()
	a.Versions = spoken().Versions
	if err := a.Validate(); err == nil {
		t.Error("an announcement opens it")
	}
}

func TestSpeakingKeepsItsHours(t *testing.T) {
	s := *spoken().Local.Speech
	for hour, want := range map[int]bool{21: false, 22: true, 23: true, 0: true, 4: true, 5: false, 12: false} {
		at := broadcast.InstantOf(time.Date(2026, 11, 22, hour, 0, 0, 0, broadcast.Local()))
		if s.At(at) != want {
			t.Errorf("at %d o'clock: %v, want %v", hour, !want, want)
		}
		if !(broadcast.Speech{}).At(at) {
			t.Error("without hours nobody may speak")
		}
	}
}
