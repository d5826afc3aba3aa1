package broadcast_test

import (
	"slices"
	"testing"

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
