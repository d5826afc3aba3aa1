package fleet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/store"
)

// ward is a fleet of one confirmed node under a vigil.
type ward struct {
	*rig
	vigil *Vigil
	up    bool
	// want is what the node ought to hold.
	want broadcast.Digest
	// lost are the stations that give no sound.
	lost map[broadcast.ID]string
}

// Lost says which stations give no sound.
func (w *ward) Lost() map[broadcast.ID]string { return w.lost }

// Up says whether there is a line to the broker.
func (w *ward) Up() bool { return w.up }

// Holding says what the node ought to hold.
func (w *ward) Holding(context.Context, broadcast.ID) (broadcast.Digest, error) { return w.want, nil }

func newWard(t *testing.T) *ward {
	t.Helper()
	w := &ward{rig: newRig(t), up: true, want: broadcast.Sum(nil)}
	officer := w.house.Officer("ky-thuat", broadcast.District, "bac-quang")
	got, err := w.enrol("n1", w.invite("n1", "tan-lap"), "n1")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Confirm(t.Context(), "ky-thuat", "n1", got.ShortCode, officer); err != nil {
		t.Fatal(err)
	}
	w.come(w.Fleet, "n1", "c1", true)
	w.says(w.Fleet, "n1", "v1", true)
	w.ail()
	w.restart()
	w.pass(time.Minute)
	if open := w.faults(store.FaultQuery{Open: true}); len(open) != 0 {
		t.Fatalf("in good health: %+v", open)
	}
	return w
}

// restart looks with a vigil that knows only what was stored.
func (w *ward) restart() {
	w.vigil = NewVigil(VigilConfig{Fleet: w.Fleet, Line: w, Holdings: w, Stations: w})
}

// pass lets time pass, with the looks of the vigil in it.
func (w *ward) pass(d time.Duration) {
	w.t.Helper()
	for end := w.clock.Add(d); w.clock.Before(end); {
		w.clock = w.clock.Add(min(lookEvery, end.Sub(w.clock)))
		if err := w.vigil.Look(w.t.Context()); err != nil {
			w.t.Fatal(err)
		}
	}
}

// ail has the node say what is wrong with it.
func (w *ward) ail(list ...wire.Fault) {
	w.t.Helper()
	raw, err := broadcast.Encode(wire.Health{Boot: "b", Faults: append([]wire.Fault{}, list...)})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.Health(w.t.Context(), "n1", raw); err != nil {
		w.t.Fatal(err)
	}
}

// leave has the broker say that the node is gone.
func (w *ward) leave() {
	w.t.Helper()
	if err := w.Presence(w.t.Context(), "n1", wire.Presence{State: wire.Gone, Connection: "c1", Boot: "b"}, true); err != nil {
		w.t.Fatal(err)
	}
}

func (w *ward) faults(q store.FaultQuery) []store.Fault {
	w.t.Helper()
	q.Limit = 10_000
	list, err := w.db.Faults(w.t.Context(), q)
	if err != nil {
		w.t.Fatal(err)
	}
	return list
}

func (w *ward) open(code broadcast.FaultCode) []store.Fault {
	w.t.Helper()
	return w.faults(store.FaultQuery{Open: true, Code: code})
}

// within waits until a fault is open, or is so no more.
func (w *ward) within(limit time.Duration, code broadcast.FaultCode, present bool) {
	w.t.Helper()
	for began := w.clock; ; {
		if (len(w.open(code)) > 0) == present {
			w.t.Logf("%s: open is %v after %v", code, present, w.clock.Sub(began))
			return
		}
		if w.clock.Sub(began) >= limit {
			w.t.Fatalf("%s: open is %v after %v; open are %+v", code, !present, limit, w.faults(store.FaultQuery{Open: true}))
		}
		w.pass(lookEvery)
	}
}

// doubt notes that the node may not be the box that was confirmed.
func doubt(code broadcast.FaultCode) func(*ward) {
	return func(w *ward) {
		err := w.db.Update(w.t.Context(), func(tx store.Tx) error {
			return tx.Doubt(w.t.Context(), store.Doubt{Node: "n1", Code: code, Since: w.now(), Chain: "c", Seq: 1})
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
}

func endDoubt(w *ward) {
	if err := w.db.Update(w.t.Context(), func(tx store.Tx) error { return tx.EndDoubt(w.t.Context(), "n1") }); err != nil {
		w.t.Fatal(err)
	}
}

// proves has the node say how many receipts it has, and gives the house some.
func (w *ward) proves(has, gave int64) {
	w.t.Helper()
	raw, err := broadcast.Encode(wire.State{Boot: "b", Clock: broadcast.ClockProved, Holding: broadcast.Sum(nil), Chain: "c", Seq: has})
	if err != nil {
		w.t.Fatal(err)
	}
	if _, err := w.State(w.t.Context(), "n1", raw, true); err != nil {
		w.t.Fatal(err)
	}
	err = w.db.Update(w.t.Context(), func(tx store.Tx) error {
		return tx.AddReceipts(w.t.Context(), []store.Chain{{Node: "n1", Chain: "c", Seq: gave}},
			[]store.ReceiptRow{{Node: "n1", Chain: "c", Seq: gave, Raw: []byte("{}")}})
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

// ill is how a fault that the controller declares comes about, and is mended.
type ill struct {
	node        broadcast.ID // none: the controller's own
	part        string
	cause, mend func(*ward)
}

// ills has every fault that the controller declares.
func illsOfTheController() map[broadcast.FaultCode]ill {
	age := func(left time.Duration) func(*ward) {
		return func(w *ward) { w.clock = w.house.From.Time().Add(80*24*time.Hour - left + time.Second) }
	}
	certify := func(w *ward) {
		w.house.Certify(broadcast.Certificate{Person: "ky-thuat", Level: broadcast.District, Areas: []broadcast.ID{"bac-quang"},
			Classes: broadcast.Classes(), Acts: []broadcast.Act{broadcast.ActAssign}, From: w.now(), Until: w.now().Add(80 * 24 * time.Hour)})
	}
	back := func(w *ward) {
		w.come(w.Fleet, "n1", "c1", true)
		w.says(w.Fleet, "n1", "v1", true)
		w.ail()
	}
	return map[broadcast.FaultCode]ill{
		broadcast.FaultBrokerGone: {cause: func(w *ward) { w.up = false }, mend: func(w *ward) { w.up = true }},
		broadcast.FaultStation: {part: "vov1", cause: func(w *ward) { w.lost = map[broadcast.ID]string{"vov1": "it is silent"} },
			mend: func(w *ward) { w.lost = nil }},
		broadcast.FaultNodeGone: {node: "n1", cause: (*ward).leave, mend: back},
		broadcast.FaultNoAnswer: {node: "n1", cause: func(w *ward) {
			w.clock = w.clock.Add(time.Second)
			w.leave()
			w.come(w.Fleet, "n1", "c1", true) // here anew, and no word since
		}, mend: back},
		broadcast.FaultDrift:        {node: "n1", cause: func(w *ward) { w.want = broadcast.Sum([]byte("more")) }, mend: func(w *ward) { w.want = broadcast.Sum(nil) }},
		broadcast.FaultUnanswered:   {node: "n1", cause: func(w *ward) { w.proves(7, 3) }, mend: func(w *ward) { w.proves(7, 7) }},
		broadcast.FaultDuplicate:    {node: "n1", cause: doubt(broadcast.FaultDuplicate), mend: endDoubt},
		broadcast.FaultRolledBack:   {node: "n1", cause: doubt(broadcast.FaultRolledBack), mend: endDoubt},
		broadcast.FaultOfficerMonth: {part: "ky-thuat", cause: age(month), mend: certify},
		broadcast.FaultOfficerWeek:  {part: "ky-thuat", cause: age(week), mend: certify},
	}
}

func TestEveryFaultOfTheControllerIsShownInTimeAndClearedByItself(t *testing.T) {
	cases := illsOfTheController()
	for _, row := range broadcast.Faults() {
		if row.By == broadcast.ByNode {
			continue
		}
		t.Run(string(row.Code), func(t *testing.T) {
			one, there := cases[row.Code]
			if !there {
				t.Fatalf("no case lets %s happen: write one", row.Code)
			}
			w := newWard(t)
			one.cause(w)
			w.within(row.Within, row.Code, true)
			got := w.open(row.Code)[0]
			if got.Node != one.node || got.Part != one.part || got.Since == 0 || got.Shown > w.now() || got.Shown < got.Since {
				t.Errorf("%+v", got)
			}
			one.mend(w)
			w.pass(lookEvery)
			if row.Calm > time.Hour { // nothing else happens meanwhile
				w.clock = w.clock.Add(row.Calm - time.Minute)
			}
			w.within(min(row.Calm, time.Hour)+broadcast.MaxFaultDelay, row.Code, false)
			if all := w.faults(store.FaultQuery{Code: row.Code}); len(all) != 1 || all[0].Cleared == 0 || all[0].ID != got.ID {
				t.Errorf("history %+v", all)
			}
		})
		delete(cases, row.Code)
	}
	for code := range cases {
		t.Errorf("%s is no fault that the controller declares", code)
	}
}

func TestConsequencesAreSilentAtTheController(t *testing.T) {
	cases := illsOfTheController()
	for _, row := range broadcast.Faults() {
		if row.By != broadcast.ByController {
			continue
		}
		for _, cause := range row.Behind {
			t.Run(fmt.Sprintf("%s behind %s", row.Code, cause), func(t *testing.T) {
				w := newWard(t)
				cases[row.Code].cause(w)
				w.within(row.Within, row.Code, true)
				if why, own := cases[cause]; own {
					why.cause(w)
				} else {
					w.ail(wire.Fault{Code: cause, Since: w.now()})
				}
				w.within(broadcast.MaxFaultDelay, cause, true)
				w.pass(lookEvery)
				if open := w.open(row.Code); len(open) > 0 {
					t.Errorf("shown beside its cause: %+v", open)
				}
			})
		}
	}
}

func TestEveryWordOfANodeIsShownWithItsPart(t *testing.T) {
	for _, row := range broadcast.Faults() {
		if row.By == broadcast.ByController {
			continue
		}
		w := newWard(t)
		w.ail(wire.Fault{Code: row.Code, Part: "left", Since: w.now() - 1000, Cause: "it broke"})
		w.within(lookEvery, row.Code, true)
		if got := w.open(row.Code)[0]; got.Node != "n1" || got.Part != "left" || got.Cause != "it broke" || got.Since != w.now()-6000 {
			t.Errorf("%+v", got)
		}
		w.ail()
		w.within(lookEvery, row.Code, false)
	}
}

func TestFaultOfALaterVersionIsKeptAsItIs(t *testing.T) {
	w := newWard(t)
	w.ail(wire.Fault{Code: "flux-capacitor", Part: "left"})
	w.pass(lookEvery)
	open := w.faults(store.FaultQuery{Open: true})
	if len(open) != 1 || open[0].Code != "flux-capacitor" || open[0].Part != "left" {
		t.Fatalf("%+v", open)
	}
	if s := w.standing(w.Fleet, "n1"); len(s.Faults) != 1 || s.Faults[0].ID != open[0].ID {
		t.Errorf("the node shows %+v", s.Faults)
	}
}

func TestNodeCannotSpeakForTheController(t *testing.T) {
	w := newWard(t)
	w.ail(wire.Fault{Code: broadcast.FaultDuplicate}, wire.Fault{Code: broadcast.FaultBrokerGone})
	w.pass(time.Minute)
	if open := w.faults(store.FaultQuery{Open: true}); len(open) != 0 {
		t.Errorf("%+v", open)
	}
}

func TestWordOfALostNodeIsWhatWasLastKnown(t *testing.T) {
	w := newWard(t)
	w.ail(wire.Fault{Code: broadcast.FaultMains, Since: w.now()})
	w.within(lookEvery, broadcast.FaultMains, true)
	w.leave()
	w.within(broadcast.MaxFaultDelay, broadcast.FaultNodeGone, true)
	if got := w.open(broadcast.FaultMains); len(got) != 1 || !got[0].LastKnown {
		t.Errorf("while it is gone: %+v", got)
	}
	w.come(w.Fleet, "n1", "c1", true)
	w.says(w.Fleet, "n1", "v1", true)
	w.within(broadcast.MaxFaultDelay, broadcast.FaultNodeGone, false)
	if got := w.open(broadcast.FaultMains); len(got) != 1 || got[0].LastKnown {
		t.Errorf("when it is back: %+v", got)
	}
	if all := w.faults(store.FaultQuery{Code: broadcast.FaultMains}); len(all) != 1 {
		t.Errorf("one outage became %d faults", len(all))
	}
}

func TestWhatIsOpenOutlivesARestart(t *testing.T) {
	w := newWard(t)
	w.ail(wire.Fault{Code: broadcast.FaultMains, Since: w.now()})
	w.leave()
	w.within(broadcast.MaxFaultDelay, broadcast.FaultNodeGone, true)
	before := w.faults(store.FaultQuery{})
	w.restart()
	w.pass(time.Minute)
	if after := w.faults(store.FaultQuery{}); !slices.Equal(before, after) {
		t.Errorf("before %+v, after %+v", before, after)
	}
	w.restart()
	w.come(w.Fleet, "n1", "c1", true)
	w.says(w.Fleet, "n1", "v1", true)
	w.within(broadcast.MaxFaultDelay, broadcast.FaultNodeGone, false)
}

func TestSilenceCountsOnlyWhileAnythingCouldBeHeard(t *testing.T) {
	w := newWard(t)
	w.up = false
	w.pass(30 * time.Minute)
	w.up = true
	w.pass(comesBack)
	if open := w.open(broadcast.FaultNodeGone); len(open) > 0 {
		t.Errorf("%+v", open)
	}
}

// TestNodesThatDoNotComeBackAreGone has the broker, or the controller, be away,
// and a node that was ready before.
func TestNodesThatDoNotComeBackAreGone(t *testing.T) {
	const limit = broadcast.MaxFaultDelay + 45*time.Second // as a line that died silently may take
	for name, away := range map[string]func(*ward){
		"the broker": func(w *ward) {
			w.up = false
			w.pass(10 * time.Second)
			w.up = true
		},
		"the controller": func(w *ward) {
			w.clock = w.clock.Add(10 * time.Second)
			w.restart()
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWard(t)
			w.ail() // its last sign
			away(w)
			w.come(w.Fleet, "n1", "c1", false) // as the broker remembers
			w.within(limit, broadcast.FaultNodeGone, true)
			if s := w.standing(w.Fleet, "n1"); s.Present {
				t.Errorf("it is gone and present: %+v", s)
			}
			w.says(w.Fleet, "n1", "v1", true)
			if s := w.standing(w.Fleet, "n1"); !s.Present {
				t.Errorf("it speaks and is not present: %+v", s)
			}
			w.within(broadcast.MaxFaultDelay, broadcast.FaultNodeGone, false)

			w.pass(time.Minute)
			away(w)
			w.pass(comesBack)
			w.says(w.Fleet, "n1", "v1", true) // as late as may be
			w.pass(3 * time.Minute)
			if open := w.open(broadcast.FaultNodeGone); len(open) > 0 {
				t.Errorf("it came back in time: %+v", open)
			}
		})
	}
}

func TestNodeThatComesAndGoesDoesNotFloodTheHistory(t *testing.T) {
	w := newWard(t)
	for range 120 {
		w.leave()
		w.pass(15 * time.Second)
		w.come(w.Fleet, "n1", "c1", true)
		w.says(w.Fleet, "n1", "v1", true)
		w.pass(15 * time.Second)
	}
	if all := w.faults(store.FaultQuery{}); len(all) == 0 || len(all) > 10 {
		t.Errorf("an hour of coming and going left %d faults", len(all))
	}
}

func TestNodeThatInventsFaultsFillsNothing(t *testing.T) {
	w := newWard(t)
	var log bytes.Buffer
	w.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	for i := range 40 {
		var list []wire.Fault
		for k := range 64 {
			list = append(list, wire.Fault{Code: broadcast.FaultCode(fmt.Sprintf("made-up-%d-%d", i, k))})
		}
		w.ail(list...)
		w.pass(lookEvery)
	}
	if all := w.faults(store.FaultQuery{}); len(all) > atOnce+10 {
		t.Errorf("%d faults in four minutes", len(all))
	}
	if lines := strings.Count(log.String(), "\n"); lines > 41 {
		t.Errorf("%d lines in the log for 40 looks", lines)
	}
	w.clock = w.clock.Add(pruneEvery)
	w.pass(lookEvery)
	if all := w.faults(store.FaultQuery{}); len(all) > historyEach+64 {
		t.Errorf("%d faults are kept", len(all))
	}
}

func TestManyOfficersAreWarnedOfTogether(t *testing.T) {
	w := newWard(t)
	for i := range 30 {
		w.house.Officer(broadcast.ID(fmt.Sprintf("can-bo-%d", i)), broadcast.Commune, "tan-lap")
	}
	w.clock = w.house.From.Time().Add(60 * 24 * time.Hour)
	w.pass(time.Minute)
	if n := len(w.open(broadcast.FaultOfficerMonth)); n != 31 {
		t.Errorf("%d of 31 are named", n)
	}
}

func TestChangesThatCannotBeStoredAreStoredLater(t *testing.T) {
	w := newWard(t)
	w.ail(wire.Fault{Code: broadcast.FaultMains, Since: w.now()})
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.vigil.Look(gone); !errors.Is(err, context.Canceled) {
		t.Fatalf("looked without a database: %v", err)
	}
	if s := w.standing(w.Fleet, "n1"); len(s.Faults) != 0 {
		t.Errorf("shown before it is stored: %+v", s.Faults)
	}
	w.pass(lookEvery)
	if len(w.open(broadcast.FaultMains)) != 1 {
		t.Error("it was forgotten")
	}
}

func TestChangesAreTold(t *testing.T) {
	w := newWard(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	watch := w.cfg.Events.Watch(ctx)
	w.ail(wire.Fault{Code: broadcast.FaultMains})
	w.pass(lookEvery)
	w.pass(time.Minute)
	told := 0
	for len(watch) > 0 {
		if e := <-watch; e.Kind == "fault" {
			told++
			if e.ID != "n1" {
				t.Errorf("%+v", e)
			}
		}
	}
	if told != 1 {
		t.Errorf("one change was told %d times", told)
	}
}
