package recording

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/store"
)

// rig is an archive over a real database; box-1 has told of its speech.
type rig struct {
	*Archive
	t    *testing.T
	wave []byte
	sum  broadcast.Digest
}

// speech is a recording of some samples.
func speech(samples int) []byte {
	raw := media.VoiceHead(int64(2 * samples))
	for i := range samples {
		raw = append(raw, byte(i), byte(i>>8))
	}
	return raw
}

func newRig(t *testing.T) *rig {
	t.Helper()
	db, err := store.Open(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	a, err := Open(Config{DB: db, Dir: filepath.Join(t.TempDir(), "recordings"), Events: &events.Hub{}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{Archive: a, t: t, wave: speech(40_000)}
	r.sum = r.told("box-1", r.wave)
	return r
}

// told has a receipt of a node name some bytes.
func (r *rig) told(node broadcast.ID, raw []byte) broadcast.Digest {
	r.t.Helper()
	row := store.Recording{Node: node, SHA256: broadcast.Sum(raw), Area: "tan-lap", Announcement: "f1", Bytes: int64(len(raw)), Millis: 2500, Told: 7}
	r.name(row)
	return row.SHA256
}

func (r *rig) name(row store.Recording) {
	r.t.Helper()
	if err := r.cfg.DB.Update(r.t.Context(), func(tx store.Tx) error { return tx.AddRecordings(r.t.Context(), []store.Recording{row}) }); err != nil {
		r.t.Fatal(err)
	}
}

// anew is the archive after a restart.
func (r *rig) anew() {
	r.t.Helper()
	var err error
	if r.Archive, err = Open(r.cfg); err != nil {
		r.t.Fatal(err)
	}
}

// content is what somebody hears of it.
func (r *rig) content(node broadcast.ID, sum broadcast.Digest) []byte {
	r.t.Helper()
	f, err := r.Open(r.t.Context(), node, sum)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	raw, err := io.ReadAll(f)
	if err != nil {
		r.t.Fatal(err)
	}
	return raw
}

func TestARecordingThatBrokeOffGoesOnWhereItStoppedAlsoAfterARestart(t *testing.T) {
	r := newRig(t)
	broken := errors.New("the line is gone")
	held, err := r.Append(t.Context(), "box-1", r.sum, 0, io.MultiReader(bytes.NewReader(r.wave[:30_000]), iotest.ErrReader(broken)))
	if held != 30_000 || !errors.Is(err, broken) {
		t.Fatalf("%d, %v", held, err)
	}
	r.anew()
	if held, of, err := r.Held(t.Context(), "box-1", r.sum); held != 30_000 || of != int64(len(r.wave)) || err != nil {
		t.Fatalf("%d of %d, %v", held, of, err)
	}
	if _, err := r.Archive.Open(t.Context(), "box-1", r.sum); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a part of it can be heard: %v", err)
	}
	for _, offset := range []int64{0, 29_999, 30_001} {
		if _, err := r.Append(t.Context(), "box-1", r.sum, offset, bytes.NewReader(r.wave)); !errors.Is(err, ErrOffset) {
			t.Errorf("from %d: %v", offset, err)
		}
	}
	if held, err := r.Append(t.Context(), "box-1", r.sum, 30_000, bytes.NewReader(r.wave[30_000:])); held != int64(len(r.wave)) || err != nil {
		t.Fatalf("%d, %v", held, err)
	}
	if !bytes.Equal(r.content("box-1", r.sum), r.wave) {
		t.Error("it is another one")
	}
	// Sending it again changes nothing.
	if held, err := r.Append(t.Context(), "box-1", r.sum, 0, iotest.ErrReader(broken)); held != int64(len(r.wave)) || err != nil {
		t.Errorf("another time: %d, %v", held, err)
	}
	if err := r.Put(t.Context(), "box-1", r.sum, bytes.NewReader(nil)); err != nil {
		t.Errorf("by hand: %v", err)
	}
}

// TestNothingIsTakenThatNoReceiptOfTheNodeNamed has every lie refused, and the
// truth believed after each.
func TestNothingIsTakenThatNoReceiptOfTheNodeNamed(t *testing.T) {
	spoilt := func(raw []byte) []byte {
		raw = bytes.Clone(raw)
		raw[len(raw)-1]++
		return raw
	}
	page := []byte("<html>" + string(speech(40_000))[6:])
	for name, c := range map[string]struct {
		node broadcast.ID
		sum  func(r *rig) broadcast.Digest
		send func(r *rig) []byte
		want error
	}{
		"another node's":     {"box-2", func(r *rig) broadcast.Digest { return r.sum }, func(r *rig) []byte { return r.wave }, store.ErrNotFound},
		"never told":         {"box-1", func(*rig) broadcast.Digest { return broadcast.Sum(speech(9)) }, func(*rig) []byte { return speech(9) }, store.ErrNotFound},
		"no digest":          {"box-1", func(*rig) broadcast.Digest { return "../../etc" }, func(*rig) []byte { return speech(9) }, store.ErrNotFound},
		"no node":            {"../box-1", func(r *rig) broadcast.Digest { return r.sum }, func(r *rig) []byte { return r.wave }, store.ErrNotFound},
		"one byte is wrong":  {"box-1", func(r *rig) broadcast.Digest { return r.sum }, func(r *rig) []byte { return spoilt(r.wave) }, ErrBytes},
		"one byte too many":  {"box-1", func(r *rig) broadcast.Digest { return r.sum }, func(r *rig) []byte { return append(bytes.Clone(r.wave), 0) }, ErrSize},
		"no sound":           {"box-1", func(r *rig) broadcast.Digest { return r.told("box-1", page) }, func(*rig) []byte { return page }, ErrBytes},
		"too short for one":  {"box-1", func(r *rig) broadcast.Digest { return r.told("box-1", []byte("RIFF")) }, func(*rig) []byte { return []byte("RIFF") }, ErrBytes},
		"longer than speech": {"box-1", tooLong, func(r *rig) []byte { return r.wave }, ErrSize},
	} {
		t.Run(name, func(t *testing.T) {
			for way, take := range map[string]func(*rig, broadcast.Digest) error{
				"by line": func(r *rig, sum broadcast.Digest) error {
					_, err := r.Append(t.Context(), c.node, sum, 0, bytes.NewReader(c.send(r)))
					return err
				},
				"by hand": func(r *rig, sum broadcast.Digest) error {
					return r.Put(t.Context(), c.node, sum, bytes.NewReader(c.send(r)))
				},
			} {
				r := newRig(t)
				sum := c.sum(r)
				if err := take(r, sum); !errors.Is(err, c.want) {
					t.Errorf("%s: %v, want %v", way, err, c.want)
				}
				if _, err := r.Archive.Open(t.Context(), c.node, sum); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("%s: it is here: %v", way, err)
				}
				if left := r.files(); len(left) != 0 {
					t.Errorf("%s: left behind: %q", way, left)
				}
				if err := r.Put(t.Context(), "box-1", r.sum, bytes.NewReader(r.wave)); err != nil {
					t.Errorf("%s: the truth afterwards: %v", way, err)
				}
			}
		})
	}
}

// tooLong has a receipt name more than anybody can have spoken.
func tooLong(r *rig) broadcast.Digest {
	row := store.Recording{Node: "box-1", SHA256: broadcast.Sum([]byte("long")), Bytes: Longest + 1, Announcement: "f2"}
	r.name(row)
	return row.SHA256
}

// files are all there are.
func (r *rig) files() []string {
	r.t.Helper()
	list, err := filepath.Glob(filepath.Join(r.cfg.Dir, "*", "*"))
	if err != nil {
		r.t.Fatal(err)
	}
	return list
}

func TestTwoNodesThatSayTheSameHaveARecordingEach(t *testing.T) {
	r := newRig(t)
	r.told("box-2", r.wave)
	if err := r.Put(t.Context(), "box-1", r.sum, bytes.NewReader(r.wave)); err != nil {
		t.Fatal(err)
	}
	if held, _, err := r.Held(t.Context(), "box-2", r.sum); held != 0 || err != nil {
		t.Errorf("box-2 learns what box-1 sent: %d, %v", held, err)
	}
}

func TestWhatIsShortByHandIsNotHere(t *testing.T) {
	r := newRig(t)
	if err := r.Put(t.Context(), "box-1", r.sum, bytes.NewReader(r.wave[:5000])); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
	if left := r.files(); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
	if err := r.Put(t.Context(), "box-1", r.sum, bytes.NewReader(r.wave)); err != nil || !bytes.Equal(r.content("box-1", r.sum), r.wave) {
		t.Error(err)
	}
}

// TestACrashBetweenTheFileAndTheDatabaseLosesNothing leaves a whole file of which
// the database never heard.
func TestACrashBetweenTheFileAndTheDatabaseLosesNothing(t *testing.T) {
	for _, ending := range []string{".wav", ".wav.part"} {
		r := newRig(t)
		dir := filepath.Join(r.cfg.Dir, "box-1")
		if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, string(r.sum)+ending), r.wave, 0o600)); err != nil {
			t.Fatal(err)
		}
		held, of, err := r.Held(t.Context(), "box-1", r.sum)
		if held != of-1 || err != nil {
			t.Fatalf("%s: %d of %d, %v", ending, held, of, err)
		}
		if held, err = r.Append(t.Context(), "box-1", r.sum, held, bytes.NewReader(r.wave[held:])); held != of || err != nil {
			t.Fatalf("%s: %d, %v", ending, held, err)
		}
		if !bytes.Equal(r.content("box-1", r.sum), r.wave) {
			t.Errorf("%s: it is another one", ending)
		}
	}
}

func TestANodeSendsOneRecordingAtATime(t *testing.T) {
	r := newRig(t)
	in, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, err := r.Append(t.Context(), "box-1", r.sum, 0, in)
		done <- err
	}()
	if _, err := out.Write(r.wave[:10]); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Append(t.Context(), "box-1", r.sum, 0, bytes.NewReader(r.wave)); !errors.Is(err, ErrBusy) {
		t.Errorf("two at a time: %v", err)
	}
	if err := r.Gone(t.Context(), "box-1", r.sum); !errors.Is(err, ErrBusy) {
		t.Errorf("gone meanwhile: %v", err)
	}
	if _, err := out.Write(r.wave[10:]); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(out.Close(), <-done); err != nil {
		t.Error(err)
	}
}

func TestANodeHasSoMuchRoomAndNothingMakesWay(t *testing.T) {
	r := newRig(t)
	dir := filepath.Join(r.cfg.Dir, "box-1")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	full := filepath.Join(dir, "another.wav")
	f, err := os.Create(full)
	if err == nil {
		err = errors.Join(f.Truncate(room-int64(len(r.wave))+1), f.Close()) // a hole takes no disk
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Put(t.Context(), "box-1", r.sum, bytes.NewReader(r.wave)); !errors.Is(err, ErrRoom) {
		t.Error(err)
	}
	if _, err := os.Stat(full); err != nil {
		t.Errorf("what was here made way: %v", err)
	}
	r.told("box-2", r.wave)
	if err := r.Put(t.Context(), "box-2", r.sum, bytes.NewReader(r.wave)); err != nil {
		t.Errorf("another node suffers: %v", err)
	}
}

func TestARecordingThatIsGoneFromItsCardIsSaidToBe(t *testing.T) {
	r := newRig(t)
	if _, err := r.Append(t.Context(), "box-1", r.sum, 0, bytes.NewReader(r.wave[:100])); err != nil {
		t.Fatal(err)
	}
	where := func(want store.Whereabouts) {
		t.Helper()
		if row, err := r.cfg.DB.Recording(t.Context(), "box-1", r.sum); row.Where() != want || err != nil {
			t.Errorf("%s, want %s: %v", row.Where(), want, err)
		}
	}
	where(store.RecordingOnCard)
	if err := r.Gone(t.Context(), "box-1", r.sum); err != nil || len(r.files()) != 0 {
		t.Errorf("%v, %q", err, r.files())
	}
	where(store.RecordingGone)
	// A stick that somebody made before has it all the same.
	if err := r.Put(t.Context(), "box-1", r.sum, bytes.NewReader(r.wave)); err != nil {
		t.Error(err)
	}
	where(store.RecordingHere)
	if err := r.Gone(t.Context(), "box-2", r.sum); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("another node says so: %v", err)
	}
}

func TestARecordingGoesAfterAYearAndNotBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		if err := r.Put(t.Context(), "box-1", r.sum, bytes.NewReader(r.wave)); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() { done <- r.Serve(t.Context()) }()
		<-time.After(Kept - time.Hour)
		synctest.Wait()
		if !bytes.Equal(r.content("box-1", r.sum), r.wave) {
			t.Error("it went early")
		}
		<-time.After(2 * tidyEvery)
		synctest.Wait()
		if _, err := r.Archive.Open(t.Context(), "box-1", r.sum); !errors.Is(err, store.ErrNotFound) || len(r.files()) != 0 {
			t.Errorf("it is still here: %v, %q", err, r.files())
		}
	})
}
