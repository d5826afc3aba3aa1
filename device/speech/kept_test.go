package speech

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
)

// records puts a recording of so many bytes of sound on the card.
func records(t *testing.T, b *Booth, name string, sound int64) {
	t.Helper()
	if err := os.MkdirAll(b.cfg.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(b.file(name))
	if err == nil {
		_, err = f.Write(append(media.VoiceHead(sound), name...))
		err = errors.Join(err, f.Truncate(header+sound), f.Close()) // silence takes no room on the disk of a test
	}
	if err != nil {
		t.Fatal(err)
	}
}

func waits(t *testing.T, b *Booth) []string {
	t.Helper()
	list, err := b.Waiting()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func never(string) bool { return false }

func TestWhatTheCentreHasGoesInTimeAndWhatItLacksStays(t *testing.T) {
	b := booth(t, nil)
	if got := waits(t, b); len(got) != 0 {
		t.Errorf("%q", got)
	}
	for _, name := range []string{"a2", "a1", "a3"} {
		records(t, b, name, 32000)
	}
	if got := waits(t, b); !slices.Equal(got, []string{"a1", "a2", "a3"}) {
		t.Errorf("%q", got)
	}
	r, err := b.Take("a2")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(r.File)
	if err = errors.Join(err, r.File.Close()); err != nil || broadcast.Sum(raw) != r.SHA256 || int64(len(raw)) != r.Bytes {
		t.Errorf("%d bytes: %v", len(raw), err)
	}
	for range 2 { // told twice, it is one
		if err := b.Sent("a2"); err != nil {
			t.Fatal(err)
		}
	}
	if kept, err := b.Kept("a2"); err != nil || kept != r.Content {
		t.Errorf("what was sent is kept: %+v, %v", kept, err)
	}
	if err := b.Tidy(func(name string) bool { return name == "a2" }, false); err != nil || !slices.Equal(waits(t, b), []string{"a1", "a3"}) {
		t.Errorf("%q, %v", waits(t, b), err)
	}
	if _, err := b.Kept("a2"); err != nil {
		t.Errorf("before its time: %v", err)
	}
	if err := b.Tidy(never, false); err != nil || !slices.Equal(waits(t, b), []string{"a1", "a3"}) {
		t.Errorf("what the centre lacks: %q, %v", waits(t, b), err)
	}
	if _, err := b.Kept("a2"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after its time: %v", err)
	}
}

// TestTheOldestUnsentGoesFirstAndLeavesItsDigest fills the room; the next speech
// is to find some, and what is not due never goes for it.
func TestTheOldestUnsentGoesFirstAndLeavesItsDigest(t *testing.T) {
	b := booth(t, nil)
	for i := range 4 {
		records(t, b, fmt.Sprint("a", i), 16<<20)
	}
	old, err := b.Kept("a1")
	if err != nil {
		t.Fatal(err)
	}
	keep := func(name string) bool { return name == "a0" }
	if err := b.Tidy(keep, false); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Kept("a0"); err != nil {
		t.Errorf("what is not due went: %v", err)
	}
	r, err := b.Take("a1")
	if err != nil || r.File != nil || r.SHA256 != old.SHA256 {
		t.Errorf("the note: %+v, %v", r, err)
	}
	if got := waits(t, b); !slices.Equal(got, []string{"a0", "a1", "a2", "a3"}) {
		t.Errorf("the centre is to hear of %q", got)
	}
	for _, name := range []string{"a2", "a3"} {
		if _, err := b.Kept(name); (err == nil) != (name == "a3") {
			t.Errorf("%s: %v", name, err) // two of 16 MiB go, so that ten minutes have room
		}
	}
	if free, err := used(b.cfg.Dir); err != nil || room-free < longest {
		t.Errorf("%d bytes are used, %v", free, err)
	}
	if err := b.Sent("a1"); err != nil || slices.Contains(waits(t, b), "a1") {
		t.Errorf("once it was told: %q, %v", waits(t, b), err)
	}
}

func TestWhatIsDueMakesWayForAnEmergency(t *testing.T) {
	b := booth(t, nil)
	records(t, b, "a1", 32000)
	records(t, b, "a2", 32000)
	if err := b.Tidy(func(name string) bool { return name == "a2" }, true); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Kept("a1"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what is due: %v", err)
	}
	if _, err := b.Kept("a2"); err != nil {
		t.Errorf("what is not: %v", err)
	}
}

func TestNotesOfWhatIsGoneAreBounded(t *testing.T) {
	b := booth(t, nil)
	for i := range mostGone + 5 {
		records(t, b, fmt.Sprintf("a%03d", i), 2)
	}
	for range 2 {
		if err := b.Tidy(never, true); err != nil {
			t.Fatal(err)
		}
	}
	if got := waits(t, b); len(got) != mostGone || got[0] != "a005" {
		t.Errorf("%d notes, the first %q", len(got), got[0])
	}
}

func TestWhatIsSpokenJustNowWaitsForItsEnd(t *testing.T) {
	b := booth(t, nil)
	records(t, b, "a1", 32000)
	if err := b.enter(&take{name: "a1", over: make(chan struct{})}); err != nil {
		t.Fatal(err)
	}
	if got := waits(t, b); len(got) != 0 {
		t.Errorf("%q", got)
	}
}
