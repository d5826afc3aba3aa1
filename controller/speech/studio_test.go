package speech_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/intake"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/speech"
	"github.com/loaxa/loaxa/controller/speech/speechtest"
	"github.com/loaxa/loaxa/controller/speech/spoken"
	"github.com/loaxa/loaxa/controller/store"
)

// taker keeps the last recording that it was given.
type taker struct {
	last    speech.Sound
	refusal error
}

func (c *taker) Take(_ context.Context, name string, r io.Reader, _ func(intake.Progress)) (intake.Content, error) {
	b, err := io.ReadAll(r)
	if err != nil || c.refusal != nil {
		return intake.Content{}, errors.Join(err, c.refusal)
	}
	if c.last, err = speech.ReadWave(bytes.NewReader(b)); err != nil {
		return intake.Content{}, err
	}
	return intake.Content{SHA256: string(broadcast.Sum(b)), Bytes: int64(len(b)), Duration: c.last.Length(), Source: intake.Source{Name: name}}, nil
}

// rig is a studio with what it stands on.
type rig struct {
	*desktest.House
	t      *testing.T
	dir    string
	voice  *speechtest.Voice
	taken  *taker
	studio *speech.Studio
	editor people.Person
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{House: desktest.New(t), t: t, dir: t.TempDir(), voice: &speechtest.Voice{}, taken: &taker{}}
	r.editor = r.Named("bien-tap").Person
	r.open()
	return r
}

// open makes the studio, again after a crash.
func (r *rig) open() {
	r.t.Helper()
	row := func(c intake.Content) (store.Content, error) {
		return store.Content{SHA256: broadcast.Digest(c.SHA256), Bytes: c.Bytes, Millis: c.Duration.Milliseconds(), Name: c.Source.Name, Measured: "{}"}, nil
	}
	var err error
	r.studio, err = speech.New(speech.Config{Dir: r.dir, DB: r.DB, Contents: r.taken, Rights: r.Office, Tree: r.Tree, Events: r.Hub,
		Engines: map[string]speech.Engine{"nu": r.voice}, Row: row, Now: r.Clock.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) text(written string, accept ...string) speech.Text {
	return speech.Text{Area: "bac-quang", Title: "Họp thôn", Written: written, Manner: speech.Manner{Engine: "nu", Voice: "nu-bac"}, Accept: accept}
}

// queued takes a text in.
func (r *rig) queued(written string, accept ...string) store.Speech {
	r.t.Helper()
	row, err := r.studio.Create(r.t.Context(), r.editor, r.text(written, accept...), nil)
	if err != nil {
		r.t.Fatal(err)
	}
	return row
}

// work speaks what is due and returns the text as it is then.
func (r *rig) work(id broadcast.ID) speech.Job {
	r.t.Helper()
	if _, err := r.studio.Work(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	return r.job(id)
}

func (r *rig) job(id broadcast.ID) speech.Job {
	r.t.Helper()
	j, err := r.studio.Job(r.t.Context(), r.editor, id)
	if err != nil {
		r.t.Fatal(err)
	}
	return j
}

// refused fails the test unless an error is the refusal of that code.
func refused(t *testing.T, err error, want speech.Code) *speech.Refusal {
	t.Helper()
	var r *speech.Refusal
	if !errors.As(err, &r) || r.Code != want || r.English == "" || r.Vietnamese == "" {
		t.Errorf("got %v, want %s", err, want)
		return &speech.Refusal{}
	}
	return r
}

const meeting = "Kính mời bà con họp lúc 7h30. Mang theo CCCD.\nĐịa điểm: nhà văn hóa."

func TestATextBecomesARecordingWithItsTextBeside(t *testing.T) {
	r := newRig(t)
	j := r.work(r.queued(meeting).ID)
	if j.Row.State != store.SpeechDone || j.Row.Content == "" || j.Row.Done != 3 || j.Row.Total != 3 || j.Failure != nil {
		t.Fatalf("%+v, %+v", j.Row, j.Failure)
	}
	want := []string{"Kính mời bà con họp lúc bảy giờ ba mươi phút", "Mang theo căn cước công dân", "Địa điểm, nhà văn hóa"}
	if got := r.voice.Said(); !slices.Equal(got, want) {
		t.Errorf("said %q", got)
	}
	w, err := r.studio.Written(t.Context(), r.editor, j.Row.Content)
	if err != nil || w.Written != meeting || !strings.HasPrefix(w.Spoken, "Kính mời bà con họp lúc bảy giờ ba mươi phút. Mang") || w.Person != "bien-tap" {
		t.Errorf("%+v, %v", w, err)
	}
	c, err := r.DB.Content(t.Context(), j.Row.Content)
	if err != nil || c.Person != "bien-tap" || c.Name != "Họp thôn.wav" {
		t.Errorf("%+v, %v", c, err)
	}
	_, err = r.studio.Written(t.Context(), r.editor, "abc")
	refused(t, err, speech.NotSpoken)
}

func TestOneSentenceEditedSpeaksThatOneAgain(t *testing.T) {
	r := newRig(t)
	j := r.work(r.queued(meeting).ID)
	r.voice.Said()
	if _, err := r.studio.Edit(t.Context(), r.editor, j.Row.ID, j.Row.Version, 1, "Kính mời bà con họp lúc 8h.", nil); err != nil {
		t.Fatal(err)
	}
	after := r.work(j.Row.ID)
	if got := r.voice.Said(); !slices.Equal(got, []string{"Kính mời bà con họp lúc tám giờ"}) {
		t.Errorf("said %q", got)
	}
	if after.Row.State != store.SpeechDone || after.Row.Content == j.Row.Content || after.Row.Written != strings.Replace(meeting, "7h30", "8h", 1) {
		t.Errorf("%+v", after.Row)
	}
	if w, err := r.studio.Written(t.Context(), r.editor, j.Row.Content); err != nil || w.Written != meeting {
		t.Errorf("the text of the first recording is %q, %v", w.Written, err)
	}
	_, err := r.studio.Edit(t.Context(), r.editor, j.Row.ID, j.Row.Version, 1, "khác", nil)
	if !errors.Is(err, store.ErrConflict) {
		t.Errorf("an edit of an older version: %v", err)
	}
	_, err = r.studio.Edit(t.Context(), r.editor, j.Row.ID, after.Row.Version, 9, "khác", nil)
	refused(t, err, speech.NoSentence)
	_, err = r.studio.Edit(t.Context(), r.editor, j.Row.ID, after.Row.Version, 1, "GRDP tăng.", nil)
	refused(t, err, speech.UnknownTokens)
}

func TestAVoiceThatIsDownLeavesTheTextQueued(t *testing.T) {
	r := newRig(t)
	row := r.queued(meeting)
	r.voice.Fail(fmt.Errorf("%w: no route", speech.ErrDown))
	for tries := int64(1); tries <= 12; tries++ {
		j := r.work(row.ID)
		if j.Row.State != store.SpeechQueued || j.Row.Tries != tries || j.Failure == nil || !strings.Contains(j.Failure.English, "no route") || j.Failure.Vietnamese == "" {
			t.Fatalf("%+v, %+v", j.Row, j.Failure)
		}
		if worked, err := r.studio.Work(t.Context()); worked || err != nil {
			t.Fatalf("tried again at once: %v", err)
		}
		r.Clock.Add(5 * time.Minute)
	}
	r.voice.Fail(nil)
	if j := r.work(row.ID); j.Row.State != store.SpeechDone || j.Failure != nil {
		t.Errorf("%+v, %+v", j.Row, j.Failure)
	}
}

func TestAVoiceThatCannotSayItFailsAfterSomeTriesAndMayBeTriedAgain(t *testing.T) {
	r := newRig(t)
	row := r.queued(meeting)
	r.voice.Fail(fmt.Errorf("%w: noise", speech.ErrGarbage))
	for range 5 {
		r.work(row.ID)
		r.Clock.Add(5 * time.Minute)
	}
	if j := r.job(row.ID); j.Row.State != store.SpeechFailed || j.Failure == nil || !strings.Contains(j.Failure.English, "noise") {
		t.Fatalf("%+v", j.Row)
	}
	if worked, _ := r.studio.Work(t.Context()); worked {
		t.Error("what failed is tried again by itself")
	}
	r.voice.Fail(nil)
	if _, err := r.studio.Retry(t.Context(), r.editor, row.ID); err != nil {
		t.Fatal(err)
	}
	if j := r.work(row.ID); j.Row.State != store.SpeechDone {
		t.Errorf("%+v", j.Row)
	}
	_, err := r.studio.Retry(t.Context(), r.editor, row.ID)
	refused(t, err, speech.NotNow)
}

func TestARefusalOfIntakeIsShown(t *testing.T) {
	r := newRig(t)
	row := r.queued(meeting)
	r.taken.refusal = &intake.Refusal{Code: intake.DiskFull, English: "full", Vietnamese: "đầy"}
	if j := r.work(row.ID); j.Row.State != store.SpeechQueued || j.Failure.English != "full" || j.Failure.Vietnamese != "đầy" {
		t.Errorf("%+v", j.Row)
	}
	r.taken.refusal = &intake.Refusal{Code: intake.Silent, English: "silent", Vietnamese: "im"}
	r.Clock.Add(time.Hour)
	if j := r.work(row.ID); j.Row.State != store.SpeechFailed || j.Failure.English != "silent" {
		t.Errorf("%+v", j.Row)
	}
}

// TestACrashLosesNoText kills the studio in the middle of a text.
func TestACrashLosesNoText(t *testing.T) {
	r := newRig(t)
	row := r.queued(meeting)
	ctx, kill := context.WithCancel(t.Context())
	n := 0
	r.voice.Before = func(context.Context) {
		if n++; n == 3 {
			kill()
		}
	}
	if _, err := r.studio.Work(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if j := r.job(row.ID); j.Row.State != store.SpeechSpeaking {
		t.Fatalf("%+v", j.Row)
	}
	r.voice.Before = nil
	said := r.voice.Said()
	r.open()
	ctx, end := context.WithCancel(t.Context())
	defer end()
	watch := r.Hub.Watch(ctx)
	served := make(chan error, 1)
	go func() { served <- r.studio.Serve(ctx) }()
	for r.job(row.ID).Row.State != store.SpeechDone {
		<-watch
	}
	end()
	if err := <-served; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if again := r.voice.Said(); len(said) != 3 || len(again) > 1 {
		t.Errorf("said %q, and after the crash %q", said, again)
	}
}

func TestUnknownPiecesAreAcceptedByNameOrNotSpoken(t *testing.T) {
	r := newRig(t)
	_, err := r.studio.Create(t.Context(), r.editor, r.text("GRDP và XYZT tăng. GRDP."), nil)
	if got := refused(t, err, speech.UnknownTokens).Errors; !slices.Equal(got, []string{"GRDP", "XYZT"}) {
		t.Errorf("unknown are %q", got)
	}
	_, err = r.studio.Create(t.Context(), r.editor, r.text("GRDP và XYZT tăng.", "GRDP"), nil)
	if got := refused(t, err, speech.UnknownTokens).Errors; !slices.Equal(got, []string{"XYZT"}) {
		t.Errorf("unknown are %q", got)
	}
	r.queued("GRDP và XYZT tăng.", "GRDP", "XYZT")
	if _, err := r.studio.Keep(t.Context(), r.editor, "bac-quang", spoken.Entry{Written: "GRDP", Spoken: "tổng sản phẩm"}, 0); err != nil {
		t.Fatal(err)
	}
	r.queued("GRDP tăng.")
}

func TestAnUpperAreasLexiconHoldsBelowAndTheLowerWins(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	keep := func(area broadcast.ID, spokenForm string, version int64) error {
		_, err := r.studio.Keep(ctx, r.Named("quan-tri").Person, area, spoken.Entry{Written: "NVH", Spoken: spokenForm, Exact: true}, version)
		return err
	}
	said := func(area broadcast.ID) string {
		p, err := r.studio.Preview(ctx, r.Named("quan-tri").Person, area, "NVH", speech.Manner{})
		if err != nil {
			t.Fatal(err)
		}
		return p.Reading.Spoken()
	}
	if err := keep("bac-quang", "nhà văn hóa", 0); err != nil {
		t.Fatal(err)
	}
	if got := said("tan-lap"); got != "nhà văn hóa" {
		t.Errorf("below it is said %q", got)
	}
	if err := keep("tan-lap", "nhà vườn hoa", 0); err != nil {
		t.Fatal(err)
	}
	if got, above := said("tan-lap"), said("bac-quang"); got != "nhà vườn hoa" || above != "nhà văn hóa" {
		t.Errorf("said %q below and %q above", got, above)
	}
	if err := keep("tan-lap", "khác", 7); !errors.Is(err, store.ErrConflict) {
		t.Errorf("a stale change: %v", err)
	}
	if err := r.studio.Drop(ctx, r.Named("quan-tri").Person, "tan-lap", "NVH"); err != nil {
		t.Fatal(err)
	}
	if got := said("tan-lap"); got != "nhà văn hóa" {
		t.Errorf("afterwards it is said %q", got)
	}
	refused(t, keep("tan-lap", "[[x]]", 0), speech.LexiconEntry)
}

func TestWhatNobodyCanSayIsNotTaken(t *testing.T) {
	r := newRig(t)
	for code, change := range map[speech.Code]func(*speech.Text){
		speech.TextEmpty:     func(x *speech.Text) { x.Written = " . ! " },
		speech.TextLong:      func(x *speech.Text) { x.Written = strings.Repeat("a ", speech.MaxText) },
		speech.EngineUnknown: func(x *speech.Text) { x.Manner.Engine = "-x" },
		speech.VoiceUnknown:  func(x *speech.Text) { x.Manner.Voice = "--help" },
		speech.RateOff:       func(x *speech.Text) { x.Manner.Rate = 400 },
	} {
		x := r.text("Họp thôn.")
		change(&x)
		_, err := r.studio.Create(t.Context(), r.editor, x, nil)
		refused(t, err, code)
	}
	x := r.text("Họp thôn.")
	x.Area = "ha-giang"
	if _, err := r.studio.Create(t.Context(), r.editor, x, nil); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("another's area: %v", err)
	}
	for range 50 {
		r.queued("Họp thôn.")
	}
	_, err := r.studio.Create(t.Context(), r.editor, r.text("Họp thôn."), nil)
	refused(t, err, speech.QueueFull)
}

func TestOutdoorsIsSlowerWithLongerPauses(t *testing.T) {
	r := newRig(t)
	j := r.work(r.queued("Một, hai. Ba.").ID)
	indoors := r.taken.last.Length()
	if got := r.voice.Said(); len(got) != 2 || j.Row.State != store.SpeechDone {
		t.Fatalf("said %q", got)
	}
	x := r.text("Một, hai. Ba.")
	x.Manner.Outdoors = true
	row, err := r.studio.Create(t.Context(), r.editor, x, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.work(row.ID)
	if got := r.voice.Said(); !slices.Equal(got, []string{"Một", "hai", "Ba"}) {
		t.Errorf("outdoors it said %q", got)
	}
	if outdoors := r.taken.last.Length(); outdoors < indoors+1500*time.Millisecond {
		t.Errorf("%v indoors, %v outdoors", indoors, outdoors)
	}
}

func TestASentenceThatTheDiskSpoiledIsSpokenAgain(t *testing.T) {
	r := newRig(t)
	r.work(r.queued("Họp thôn.").ID)
	kept, err := filepath.Glob(filepath.Join(r.dir, "sentences", "*.wav"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("%v, %v", kept, err)
	}
	if err := os.Truncate(kept[0], 100); err != nil {
		t.Fatal(err)
	}
	r.voice.Said()
	if j := r.work(r.queued("Họp thôn.").ID); j.Row.State != store.SpeechDone || len(r.voice.Said()) != 1 {
		t.Errorf("%+v", j.Row)
	}
}

func TestListeningIsNotedOnce(t *testing.T) {
	r := newRig(t)
	j := r.work(r.queued("Họp thôn.").ID)
	for range 2 {
		if err := r.studio.Listened(t.Context(), r.editor, j.Row.Content); err != nil {
			t.Fatal(err)
		}
		r.Clock.Add(time.Minute)
	}
	got, err := r.DB.Listened(t.Context(), "bien-tap", j.Row.Content)
	if err != nil || len(got) != 1 || got[0].At != broadcast.InstantOf(r.Clock.Now().Add(-2*time.Minute)) {
		t.Errorf("%+v, %v", got, err)
	}
	if err := r.studio.Listened(t.Context(), r.editor, broadcast.Sum(nil)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("content of nobody: %v", err)
	}
}
