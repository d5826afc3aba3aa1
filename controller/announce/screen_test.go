package announce

import (
	"fmt"
	"strings"
	"testing"

	"github.com/loaxa/loaxa/controller/api"
)

// seen returns deliveries of n nodes of which some have ended.
func seen(n, ended int) api.Deliveries {
	d := api.Deliveries{At: "2026-11-22T01:00:00.000Z", Summary: api.Summary{Expected: n, Ended: ended, Open: n - ended}}
	for i := range n {
		node := api.Delivery{Node: fmt.Sprintf("n%d", i), AreaName: "Xã Tân Lập", Expected: true}
		if i < ended {
			node.Rung, node.End = "ended", "ended"
			node.Times = []api.RungTime{{Rung: "ended", At: "2026-11-22T01:00:13.300Z"}}
			node.Evidence = &api.Evidence{Samples: 480000, Of: 480000}
		}
		d.Nodes = append(d.Nodes, node)
	}
	return d
}

func TestTheLiveTableIsDrawnOverItself(t *testing.T) {
	var out safe
	s := newScreen(Options{Out: &out, Live: true})
	s.show(seen(3, 0))
	first := out.String()
	if strings.Contains(first, "\x1b") || strings.Count(first, "\n") != 5 {
		t.Errorf("%q", first)
	}
	s.show(seen(3, 2))
	second := strings.TrimPrefix(out.String(), first)
	if !strings.HasPrefix(second, "\x1b[5A\x1b[J[") || strings.Index(second, "n2") > strings.Index(second, "n0") {
		t.Errorf("the one that has not ended comes first: %q", second)
	}
	if !strings.Contains(second, "08:00:13.300") || !strings.Contains(second, "10.0 s of 10.0 s") {
		t.Errorf("%q", second)
	}
}

func TestManyNodesFitTheScreenAndTheWholeTableIsLeft(t *testing.T) {
	var out safe
	s := newScreen(Options{Out: &out, Live: true})
	s.show(seen(300, 10))
	if live := out.String(); !strings.Contains(live, "… and 260 more") || strings.Count(live, "\n") != maxRows+3 {
		t.Errorf("%s", live)
	}
	s.finish(seen(300, 300))
	if whole := out.String(); strings.Count(whole, "ended  ") < 300 {
		t.Errorf("%d rows", strings.Count(whole, "ended  "))
	}
}

func TestWithoutATerminalEachChangeIsALine(t *testing.T) {
	var out safe
	s := newScreen(Options{Out: &out})
	for _, ended := range []int{0, 1, 1, 2} {
		s.show(seen(2, ended))
	}
	if got := out.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "08:00:00.000 n0") || strings.Contains(got, "[") {
		t.Errorf("%q", got)
	}
}

func TestNoAnswerIsAnAge(t *testing.T) {
	age := int64(95)
	for want, n := range map[string]api.Delivery{
		"no sign of it yet":                {},
		"no answer, last sign 1m35s ago":   {Age: &age},
		"":                                 {Rung: "cached", Age: &age},
		"past its deadline / đã quá giờ":   {Rung: "cached", End: "skipped", Reason: &api.Reason{EN: "past its deadline", VI: "đã quá giờ"}},
		"2.0 s of 10.0 s; lost / mất điện": {Rung: "sounded", End: "interrupted", Reason: &api.Reason{EN: "lost", VI: "mất điện"}, Evidence: &api.Evidence{Samples: 96000, Of: 480000}},
	} {
		if got := proof(n); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
