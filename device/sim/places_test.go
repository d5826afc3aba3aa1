package sim

import (
	"strings"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
)

func TestEveryFormerCommuneGetsANodeBeforeAnyGetsTwo(t *testing.T) {
	places, err := DefaultPlaces(50)
	if err != nil {
		t.Fatal(err)
	}
	if len(places) != 50 || places[23].Area != places[0].Area {
		t.Fatalf("%d places, the 24th in %s, the first in %s", len(places), places[23].Area, places[0].Area)
	}
	seen, count := map[broadcast.ID]bool{}, map[broadcast.ID]int{}
	for i, p := range places {
		if seen[p.Node] {
			t.Errorf("%s twice", p.Node)
		}
		seen[p.Node] = true
		count[p.Area]++
		if count[p.Area] > i/23+1 {
			t.Errorf("%s has %d nodes after %d places", p.Area, count[p.Area], i+1)
		}
		if !strings.HasPrefix(string(p.Node), string(p.Area)+"-") {
			t.Errorf("%s stands in %s", p.Node, p.Area)
		}
	}
	for _, n := range []int{0, -1, maxNodes + 1} {
		if _, err := DefaultPlaces(n); err == nil {
			t.Errorf("%d nodes are accepted", n)
		}
	}
}

func TestListOfAreasIsReadOrRefusedWithItsLine(t *testing.T) {
	for _, c := range []struct {
		text string
		want string // nodes, or a part of the error
	}{
		{"tan-lap\nviet-vinh 2\n", "tan-lap-1 viet-vinh-1 viet-vinh-2"},
		{"# all\n\n  tan-lap  \ntan-lap 1\n", "tan-lap-1 tan-lap-2"},
		{"", "no area is named"},
		{"Tân Lập\n", "line 1"},
		{"tan-lap\ntan-lap zwei\n", "line 2"},
		{"tan-lap 0\n", "line 1"},
		{"tan-lap 1 2\n", "line 1"},
		{"tan-lap 999999\n", "line 1"},
		{"tan-lap 9999\nviet-vinh 9999\n", "more than"},
		{strings.Repeat("a", 40) + "\n", "1 to 40"}, // its node's name would be too long
	} {
		places, err := ReadPlaces(strings.NewReader(c.text))
		var got []string
		for _, p := range places {
			got = append(got, string(p.Node))
		}
		if text := strings.Join(got, " "); err == nil && text != c.want || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q gives %q, %v; want %q", c.text, text, err, c.want)
		}
	}
}
