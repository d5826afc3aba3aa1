package desk_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/store"
)

// atNight is a notice that somebody mistyped into the quiet hours of the demo,
// every day for a week.
func (r *rig) atNight() desk.Draft {
	d := r.notice()
	start := r.Now().Add(19*time.Hour + 15*time.Minute) // 03:15
	d.Timing = broadcast.Timing{Start: start, Recurrence: &broadcast.Recurrence{Rule: "FREQ=DAILY"}, Until: start.Add(6 * 24 * time.Hour)}
	return d
}

// acts are the steps that the audit log names.
func (r *rig) acts() []string {
	r.t.Helper()
	rows, err := r.DB.AuditRows(r.t.Context(), 0, 100)
	if err != nil {
		r.t.Fatal(err)
	}
	var out []string
	for _, row := range rows {
		out = append(out, row.Act+" "+row.Detail)
	}
	return out
}

func TestWhatWouldSoundNowhereIsNotTakenByMistake(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	a := r.create(r.editor, r.atNight())
	if f := a.Forecast; f == nil || !f.Nowhere() || f.Occurrences != 7 || f.Outcomes[0].Reason != broadcast.WhyQuiet || f.Outcomes[0].Limit != "02:00–04:00" {
		t.Fatalf("the draft is answered with %+v", f)
	}
	submit := func(accept ...broadcast.Reason) (desk.Announcement, error) {
		return r.Desk.Submit(t.Context(), r.editor.Person, r.editor.Credential, a.Document.ID, "", accept...)
	}
	_, err := submit()
	refused(t, err, desk.SoundsNowhere)
	var why *desk.Refusal
	if errors.As(err, &why); !strings.Contains(why.English, "choose a start outside these hours") || !strings.Contains(why.English, "(quiet)") ||
		!strings.Contains(why.Vietnamese, "hãy chọn giờ phát ngoài khung giờ này") || len(why.Errors) != 1 {
		t.Errorf("%+v", why)
	}
	_, err = submit(broadcast.WhyBudget)
	refused(t, err, desk.SoundsNowhere)
	if kept, err := r.Desk.Announcement(t.Context(), a.Document.ID); err != nil || kept.State != store.Draft || kept.Forecast != nil {
		t.Errorf("the draft is lost: %v %+v", err, kept)
	}
	if a, err = submit(broadcast.WhyQuiet); err != nil || a.State != store.Submitted || !a.Forecast.Nowhere() {
		t.Errorf("accepted: %v %+v", err, a)
	}
	if _, err := submit(); err != nil {
		t.Errorf("submitting again: %v", err)
	}
	if !slices.ContainsFunc(r.acts(), func(s string) bool {
		return strings.HasPrefix(s, "announcement.accept-silence ") && strings.Contains(s, `"reason":"quiet"`)
	}) {
		t.Errorf("nobody is told who accepted it: %q", r.acts())
	}
	if a = r.approve(r.second, r.approve(r.first, a)); a.State != store.Published || a.Forecast == nil || !a.Forecast.Nowhere() {
		t.Errorf("approved: %+v", a)
	}
}

func TestWhatSoundsInPartIsTakenWithItsWarnings(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.Node("tan-quang-1", "tan-quang")
	r.silence(broadcast.Silence{ID: "im-lang", Revision: broadcast.Revision(r.Now()), Areas: []broadcast.ID{"tan-quang"},
		Classes: []broadcast.Class{broadcast.Normal}, Until: r.Now().Add(20 * time.Hour), Reason: "lễ tang"})
	d := r.notice()
	d.Timing.Start = r.Now().Add(10 * time.Hour)
	a := r.submit(r.editor, r.create(r.editor, d))
	if f := a.Forecast; f == nil || f.Nowhere() || f.Nodes != 2 || len(f.Outcomes) != 2 || f.Outcomes[0].Sounds || f.Outcomes[0].Areas[0].Area != "tan-quang" || !f.Outcomes[1].Sounds {
		t.Errorf("%+v", a.Forecast)
	}
	if slices.ContainsFunc(r.acts(), func(s string) bool { return strings.HasPrefix(s, "announcement.accept-silence") }) {
		t.Errorf("a silence was accepted that there is not: %q", r.acts())
	}
}

// TestAnAreaWithoutNodesIsNoSilence: a node may be taken in before the start.
func TestAnAreaWithoutNodesIsNoSilence(t *testing.T) {
	r := newRig(t)
	if a := r.submit(r.editor, r.create(r.editor, r.atNight())); a.Forecast == nil || a.Forecast.Nodes != 0 || a.Forecast.Nowhere() {
		t.Errorf("%+v", a.Forecast)
	}
}

// TestAnOfferIsNoSilence: the commune has yet to place it.
func TestAnOfferIsNoSilence(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.Update(func(tx store.Tx) error { return tx.Unlist(t.Context(), broadcast.KindSlot, "khung-gio-huyen") })
	if a := r.submit(r.editor, r.create(r.editor, r.notice())); a.Forecast.Outcomes[0].Reason != broadcast.WhyOffer || a.Forecast.Outcomes[0].Sounds {
		t.Errorf("%+v", a.Forecast)
	}
}

// TestAnEmergencyIsWarnedOfAndNotHeldUp: a silence of emergencies is in force,
// and whoever raises an alarm may not know.
func TestAnEmergencyIsWarnedOfAndNotHeldUp(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	s := broadcast.Silence{ID: "im-lang", Revision: broadcast.Revision(r.Now().Add(time.Minute)), Areas: []broadcast.ID{broadcast.BacQuang},
		Classes: []broadcast.Class{broadcast.Emergency}, Until: r.Now().Add(50 * time.Minute), Reason: "báo nhầm"}
	flood := r.flood()
	flood.Timing = broadcast.Timing{Start: r.Now().Add(2 * time.Minute)}
	a := r.create(r.first, flood)
	r.silence(s)
	a = r.submit(r.first, a)
	if a.State != store.Submitted || !a.Forecast.Nowhere() || a.Forecast.Outcomes[0].Reason != broadcast.WhySilence {
		t.Errorf("%s %+v", a.State, a.Forecast)
	}
	if a = r.approve(r.first, a); a.State != store.Published || a.Forecast != nil {
		t.Errorf("%s %+v", a.State, a.Forecast)
	}
}

// silence lists a silence that the first officer signed.
func (r *rig) silence(s broadcast.Silence) {
	r.t.Helper()
	var env broadcast.Envelope
	err := r.Office.With(r.t.Context(), r.first.Credential, func(by seal.Signer) (err error) {
		env, err = seal.Seal(broadcast.KindSilence, s, by)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	raw, err := seal.Bytes(broadcast.KindSilence, env)
	if err != nil {
		r.t.Fatal(err)
	}
	r.Update(func(tx store.Tx) error {
		sha, err := tx.PutDocument(r.t.Context(), store.Document{Kind: broadcast.KindSilence, ID: s.ID, Revision: s.Revision, Raw: raw})
		if err != nil {
			return err
		}
		return tx.List(r.t.Context(), store.Listing{Area: broadcast.BacQuang, Kind: broadcast.KindSilence, ID: s.ID, Revision: s.Revision, SHA256: sha, Until: s.Until})
	})
}

// unsure is a fleet that cannot say who stands where.
type unsure struct{ desk.Fleet }

func (unsure) Within(context.Context, []broadcast.ID) ([]broadcast.ID, error) {
	return nil, errors.New("the list of nodes is torn")
}

func TestAForecastThatFailsIsAWarning(t *testing.T) {
	r := newRig(t)
	r.Desk = desk.New(desk.Config{DB: r.DB, Keys: r.Office, Rights: r.Office, Fleet: unsure{r.Fleet}, Tree: r.Tree, Events: r.Hub, Wake: r.Woken,
		Now: r.Clock.Now, Log: slog.New(slog.DiscardHandler)})
	a := r.submit(r.editor, r.create(r.editor, r.atNight()))
	if a.State != store.Submitted || a.Forecast == nil || !strings.Contains(a.Forecast.Trouble, "torn") || a.Forecast.Nowhere() {
		t.Errorf("%+v", a)
	}
}

// slow is a fleet that answers a forecast never, and notes how long that waits.
type slow struct {
	desk.Fleet
	waits *[]time.Duration
}

func (s slow) Within(ctx context.Context, areas []broadcast.ID) ([]broadcast.ID, error) {
	until, bounded := ctx.Deadline()
	if !bounded {
		return s.Fleet.Within(ctx, areas)
	}
	*s.waits = append(*s.waits, time.Until(until))
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestAnEmergencyHardlyWaitsForAForecast(t *testing.T) {
	r := newRig(t)
	var waits []time.Duration
	r.Desk = desk.New(desk.Config{DB: r.DB, Keys: r.Office, Rights: r.Office, Fleet: slow{r.Fleet, &waits}, Tree: r.Tree, Events: r.Hub, Wake: r.Woken,
		Now: r.Clock.Now, Log: slog.New(slog.DiscardHandler)})
	if a := r.approve(r.first, r.submit(r.first, r.create(r.first, r.flood()))); a.State != store.Published {
		t.Errorf("%s", a.State)
	}
	if len(waits) != 2 || max(waits[0], waits[1]) > 200*time.Millisecond {
		t.Errorf("waited %v, want twice 200 ms at most, and not at all once it is signed", waits)
	}
}

func TestAForecastCanBeAskedForAtAnyTime(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	ask := func(a desk.Announcement) (int, string) {
		t.Helper()
		f, err := r.Desk.Forecast(t.Context(), a.Document.ID)
		if err != nil || f.Trouble != "" {
			t.Fatalf("%v %s", err, f.Trouble)
		}
		if len(f.Outcomes) == 0 {
			return f.Occurrences, "nothing"
		}
		return f.Occurrences, f.Outcomes[0].Words().English
	}
	d := r.notice()
	d.Versions = []desk.DraftVersion{{Programme: &desk.DraftProgramme{Segments: []desk.DraftSegment{{Title: "Một", Content: r.sound}, {Title: "Hai", Content: r.sound}}}}}
	a := r.create(r.first, d)
	for i, step := range []func(){func() {}, func() { r.submit(r.first, a) }, func() { r.approve(r.first, a) }, func() { r.approve(r.second, a) }} {
		step()
		if n, said := ask(a); n != 1 || !strings.HasPrefix(said, "sounds; at 08:00 23/11/2026") {
			t.Errorf("step %d: %d %s", i, n, said)
		}
	}
	if _, err := r.Desk.Withdraw(t.Context(), r.first.Person, r.first.Credential, a.Document.ID, "đổi lịch"); err != nil {
		t.Fatal(err)
	}
	if _, said := ask(a); strings.HasPrefix(said, "sounds") {
		t.Errorf("withdrawn: %s", said)
	}
	if _, err := r.Desk.Forecast(t.Context(), "nothing"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of nothing: %v", err)
	}
}
