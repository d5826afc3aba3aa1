package wire_test

import (
	"strings"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
)

func TestImpossibleSuppliesAreRefused(t *testing.T) {
	for name, s := range map[string]*wire.Supply{
		"more than full":  {Battery: &wire.Battery{Charge: 101}},
		"less than empty": {Battery: &wire.Battery{Charge: -1}},
		"time backwards":  {Battery: &wire.Battery{Hours: -1}},
		"for ever":        {Battery: &wire.Battery{Hours: 1_000_001}},
		"lightning":       {Battery: &wire.Battery{Millivolts: new(int64(10_000_001))}},
		"the sun":         {Celsius: new(int64(10_001))},
	} {
		st := wire.State{Boot: "b1", Clock: broadcast.ClockProved, Holding: broadcast.Sum(nil), Chain: "ch1", Supply: s}
		if err := st.Validate(); err == nil || !strings.Contains(err.Error(), "supply") {
			t.Errorf("%s was taken: %v", name, err)
		}
	}
	for _, s := range []*wire.Supply{nil, {}, {Mains: true, Battery: &wire.Battery{Charge: 100, Hours: 100_000}}} {
		if err := (wire.State{Boot: "b1", Clock: broadcast.ClockProved, Holding: broadcast.Sum(nil), Chain: "ch1", Supply: s}).Validate(); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

func TestAHeadOfTheAuditLogIsWholeOrRefused(t *testing.T) {
	for name, c := range map[string]struct {
		head *broadcast.AuditHead
		ok   bool
	}{
		"none":      {nil, true},
		"a head":    {&broadcast.AuditHead{Length: 3, Head: broadcast.Sum(nil)}, true},
		"no length": {&broadcast.AuditHead{Head: broadcast.Sum(nil)}, false},
		"negative":  {&broadcast.AuditHead{Length: -1, Head: broadcast.Sum(nil)}, false},
		"no hash":   {&broadcast.AuditHead{Length: 3}, false},
	} {
		st := wire.State{Boot: "b1", Clock: broadcast.ClockProved, Holding: broadcast.Sum(nil), Chain: "ch1", Audit: c.head}
		if err := st.Validate(); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}
