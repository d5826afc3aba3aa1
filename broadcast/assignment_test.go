package broadcast_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
)

func TestAssignmentKeepsItsLimits(t *testing.T) {
	type a = broadcast.Assignment
	place := func(s string) broadcast.Place {
		return broadcast.Place{Area: broadcast.ID(s), Level: broadcast.Village}
	}
	language := func(s string) broadcast.Language { return broadcast.Language(s) }
	one := broadcast.Controller{HTTP: "http://loa:80", MQTT: "mqtt://loa:1883"}
	controller := func(string) broadcast.Controller { return one }
	holdEdges(t, sample[a]("assignment"), []edge[a]{
		{"node", nil, func(a *a) { a.Node = "" }},
		{"revision", nil, func(a *a) { a.Revision = 0 }},
		{"chain", func(a *a) { a.Chain = several(8, place) }, func(a *a) { a.Chain = several(9, place) }},
		{"chain", func(a *a) { a.Chain = several(1, place) }, func(a *a) { a.Chain = nil }},
		{"chain", nil, func(a *a) { a.Chain[0], a.Chain[1] = a.Chain[1], a.Chain[0] }},
		{"chain", nil, func(a *a) { a.Chain[1].Area = a.Chain[0].Area }},
		{"chain", nil, func(a *a) { a.Chain[0].Area = "" }},
		{"chain", nil, func(a *a) { a.Chain[0].Level = "" }},
		{"languages", func(a *a) { a.Languages = several(6, language) }, func(a *a) { a.Languages = several(7, language) }},
		{"languages", func(a *a) { a.Languages = several(1, language) }, func(a *a) { a.Languages = nil }},
		{"languages", nil, func(a *a) { a.Languages = []broadcast.Language{"vi", "vi"} }},
		{"trim_cdb", func(a *a) { a.Trim = -6000 }, func(a *a) { a.Trim = -6001 }},
		{"trim_cdb", func(a *a) { a.Trim = 0 }, func(a *a) { a.Trim = 1 }},
		{"ceiling", func(a *a) { a.Ceiling = 100 }, func(a *a) { a.Ceiling = 101 }},
		{"ceiling", func(a *a) { a.Ceiling = 0 }, func(a *a) { a.Ceiling = -1 }},
		{"controllers", func(a *a) { a.Controllers = several(4, controller) }, func(a *a) { a.Controllers = several(5, controller) }},
		{"controllers", func(a *a) { a.Controllers = several(1, controller) }, func(a *a) { a.Controllers = nil }},
		{"controllers", nil, func(a *a) { a.Controllers[0].MQTT = "" }},
		{"key", nil, func(a *a) { a.Key += "\n" }},
	})
}

func TestControllerIsReachedOverHTTPAndMQTTOnly(t *testing.T) {
	host := strings.Repeat("a", 200-len("http://"))
	for _, c := range []struct {
		http, mqtt string
		ok         bool
	}{
		{"http://loa:8080", "mqtt://loa:1883", true},
		{"https://loa.example", "mqtts://[fd00::1]:8883", true},
		{"http://" + host, "mqtt://loa", true},
		{"http://" + host + "a", "mqtt://loa", false},
		{"mqtt://loa", "http://loa", false},
		{"", "mqtt://loa", false},
		{"http://loa", "", false},
		{"loa:8080", "mqtt://loa", false},
		{"ftp://loa", "mqtt://loa", false},
		{"file:///etc/passwd", "mqtt://loa", false},
		{"http://", "mqtt://loa", false},
		{"http://:8080", "mqtt://loa", false},
		{"http://loa:port", "mqtt://loa", false},
		{"http://lo a", "mqtt://loa", false},
		{"http://loa\n", "mqtt://loa", false},
		{"http://loa", "ws://loa", false},
		{"http://loa", "mqtt:loa", false},
	} {
		err := broadcast.Controller{HTTP: c.http, MQTT: c.mqtt}.Validate()
		if (err == nil) != c.ok {
			t.Errorf("%q and %q: %v", c.http, c.mqtt, err)
		}
	}
}

// TestAssignmentKnowsOnlyItsChain compares every question about a drawn chain
// with the chain itself.
func TestAssignmentKnowsOnlyItsChain(t *testing.T) {
	levels := []broadcast.Level{broadcast.Province, broadcast.District, broadcast.Commune, broadcast.Village}
	rapid.Check(t, func(t *rapid.T) {
		var a broadcast.Assignment
		all := rapid.Permutation(ids(6)).Draw(t, "areas")
		where := map[broadcast.ID]int{}
		rank := 0
		for i := range rapid.IntRange(1, 5).Draw(t, "depth") {
			rank = rapid.IntRange(rank, 3).Draw(t, fmt.Sprint("level ", i))
			a.Chain = append(a.Chain, broadcast.Place{Area: all[i], Level: levels[rank]})
			where[all[i]] = i
		}
		for _, upper := range all {
			up, knows := where[upper]
			level := broadcast.Level("")
			if knows {
				level = a.Chain[up].Level
			}
			if a.Knows(upper) != knows || a.LevelOf(upper) != level {
				t.Fatalf("%s: known %v, level %q", upper, a.Knows(upper), a.LevelOf(upper))
			}
			for _, area := range all {
				down, below := where[area]
				if got, want := a.Covers(upper, area), knows && below && up <= down; got != want {
					t.Fatalf("%s covers %s: %v in %v", upper, area, got, a.Chain)
				}
			}
		}
		areas := rapid.SliceOfN(rapid.SampledFrom(all), 0, 3).Draw(t, "targets")
		want := false
		for _, area := range areas {
			_, in := where[area]
			want = want || in
		}
		if got := a.Within(areas); got != want {
			t.Fatalf("within %v: %v in %v", areas, got, a.Chain)
		}
	})
}
