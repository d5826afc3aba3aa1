package loaxa

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
)

// onsite is one box with its real programs, which were told in advance what
// people at it may do; then the controller and its broker are gone for good.
type onsite struct {
	*box
	tune   string            // its file
	source []int16           // and its samples
	pins   map[string]string // by number
}

// hallo is how long a person at the box waits for the first sound at most.
const hallo = 30 * time.Second

// newOnsite has templates sealed, waits until the box holds them, and takes the
// line away. They are given the digest of a tune of so many half seconds.
func newOnsite(t *testing.T, notes int, seal func(b *onsite, tune string)) *onsite {
	t.Helper()
	w := &world{TB: t, binaries: built(t), dir: t.TempDir(), http: "127.0.0.1:0", mqtt: "127.0.0.1:0", nodes: 1}
	w.startController()
	w.token = w.tokenOf("officer")
	b := &onsite{box: newBox(w, "tan-lap-1", fate{}, 0), pins: map[string]string{}}
	card := filepath.Join(b.dir, "loaxa.toml")
	raw, err := os.ReadFile(card)
	if err == nil {
		err = os.WriteFile(card, bytes.Replace(raw, []byte(`kind = "null"`), []byte(`kind = "wav"`), 1), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() { b.guard.serve(ctx) })
	serving.Go(func() { b.daemon.serve(ctx) })
	t.Cleanup(func() {
		cancel()
		serving.Wait()
		if said, err := os.ReadFile(filepath.Join(b.dir, "loaxa-device.log")); t.Failed() {
			t.Logf("the box said: %s, %v", said[max(0, len(said)-5000):], err)
		}
	})
	w.awaitNodes()
	began := time.Now()
	before, _ := b.holds()
	tune := w.tune(notes)
	seal(b, tune)
	w.until("the box holds what was sealed", func() bool {
		_, err := os.Stat(filepath.Join(b.dir, "card", "contents", tune))
		now, right := b.holds()
		return right && now != before && err == nil
	})
	b.tune = filepath.Join(b.dir, "card", "contents", tune)
	b.source = decoded(t, b.tune)
	t.Logf("the box holds it %v after it was sealed", time.Since(began).Round(time.Millisecond))
	w.ctl.kill()
	return b
}

// holds is the digest of what the box says that it holds, and whether that is
// what it ought to.
func (b *onsite) holds() (digest string, right bool) {
	var all struct {
		Nodes []struct {
			Holding string
			Drift   bool
		}
	}
	if err := b.get("/api/v1/nodes", &all); err != nil || len(all.Nodes) != 1 {
		return "", false
	}
	return all.Nodes[0].Holding, !all.Nodes[0].Drift
}

// stand has two people seal one template and keeps the PINs that are printed.
func (b *onsite) stand(args ...string) {
	b.Helper()
	out, errs, err := b.run(append([]string{"template", "--data", b.data(), "--token", b.token, "--approve-token", b.tokenOf("administrator"), "--area", "bac-quang"}, args...)...)
	if err != nil {
		b.Fatalf("%v: %s", err, errs)
	}
	for line := range strings.Lines(out) {
		if words := strings.Fields(line); len(words) == 3 && words[0] != "NUMBER" {
			b.pins[words[0]] = words[2]
		}
	}
}

// does writes what somebody's fingers do.
func (b *onsite) does(what string, args ...any) {
	b.Helper()
	f, err := os.OpenFile(filepath.Join(b.dir, "card", "box", "inputs"), os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = f.Close() }() // a pipe
	if _, err := fmt.Fprintf(f, what+"\n", args...); err != nil {
		b.Fatal(err)
	}
}

// silentFor fails if the relay moves.
func (b *onsite) silentFor(d time.Duration, why string) {
	b.Helper()
	before := len(lines[relayEdge](b, b.relay))
	<-time.After(d)
	if after := lines[relayEdge](b, b.relay); len(after) != before {
		b.Errorf("%s: the relay moved: %+v", why, after[before:])
	}
}

// soundsFrom waits for a sounding that begins after at, and returns what left the sound
// card from the relay's closing to its opening.
func (b *onsite) soundsFrom(at time.Time) (closed time.Time, pcm []int16) {
	b.Helper()
	b.until("the relay closes and opens again", func() bool {
		edges := lines[relayEdge](b, b.relay)
		i := slices.IndexFunc(edges, func(e relayEdge) bool { return e.Closed && e.At.After(at) })
		if i >= 0 {
			closed = edges[i].At
		}
		return i >= 0 && len(edges) > i+1
	})
	files, err := filepath.Glob(filepath.Join(b.dir, "card", "sound", "*.wav"))
	if err != nil || len(files) == 0 {
		b.Fatalf("%v, %v", files, err)
	}
	newest := slices.MaxFunc(files, func(x, y string) int { return modified(x).Compare(modified(y)) })
	return closed, decoded(b, newest)
}

func modified(path string) time.Time {
	info, err := os.Stat(path)
	if err != nil {
		return time.Time{}
	}
	return info.ModTime()
}

// TestAPINAtABoxWithoutAnyLineIsHeardAndAWrongOneMovesNoRelay uses the real
// programs; controller and broker are gone before anybody comes to the box.
func TestAPINAtABoxWithoutAnyLineIsHeardAndAWrongOneMovesNoRelay(t *testing.T) {
	t.Parallel()
	b := newOnsite(t, 8, func(b *onsite, tune string) {
		b.stand("--id", "mau-lu", "--title", "Lũ quét", "--content", tune, "--pin", "11:duyet-1", "--pin", "12:duyet-2")
	})
	b.silentFor(3*time.Second, "at rest")
	for _, wrong := range []string{"keypad type 11#00000000#", "keypad type 12#%s#", "keypad type %s#", "key press", "keypad press"} {
		b.does(strings.ReplaceAll(wrong, "%s", b.pins["11"]))
		b.silentFor(3*time.Second, "a wrong code")
	}
	typed := time.Now()
	b.does("keypad type *11#%s#", b.pins["11"]) // a star takes back what others left
	closed, pcm := b.soundsFrom(typed)
	peak, _ := media.Correlate(b.source, pcm)
	lag := closed.Sub(typed)
	t.Logf("the relay closed %v after the PIN; what sounded is alike to its words by %.3f; load %s", lag.Round(time.Millisecond), peak, load())
	if lag > hallo || peak < alike {
		t.Error("that is too late, or something else")
	}
	if said, err := os.ReadFile(filepath.Join(b.dir, "loaxa-device.log")); err != nil || bytes.Contains(said, []byte(b.pins["11"])) {
		t.Errorf("the PIN stands in the log of the box: %v", err)
	}
}

// TestWhoHasTheKeyAndAPINSpeaksAtTheBoxAndIsRecorded uses the real programs;
// controller and broker are gone before anybody comes to the box.
func TestWhoHasTheKeyAndAPINSpeaksAtTheBoxAndIsRecorded(t *testing.T) {
	t.Parallel()
	b := newOnsite(t, 20, func(b *onsite, tune string) {
		b.stand("--id", "mau-lu", "--title", "Lũ quét", "--content", tune, "--pin", "21:duyet-1")
		b.stand("--id", "noi", "--title", "Nói trực tiếp", "--class", "priority", "--microphone", "1m", "--key", "talk", "--pin", "11:duyet-1", "--pin", "12:duyet-2")
	})
	tool(t, nil, "ffmpeg", "-v", "error", "-nostdin", "-i", b.tune, "-ac", "1", "-ar", "48000", "-c:a", "pcm_s16le", filepath.Join(b.dir, "card", "box", "microphone.wav"))
	b.does("talk hold")
	b.silentFor(5*time.Second, "a key without a PIN")
	b.does("keypad type *11#00000000#")
	b.silentFor(4*time.Second, "a key and a wrong PIN")
	b.does("talk release")
	b.does("keypad type *11#%s#", b.pins["11"])
	b.silentFor(4*time.Second, "a PIN without a key")
	b.does("talk hold")
	typed := time.Now()
	b.does("keypad type *11#%s#", b.pins["11"])
	<-time.After(12 * time.Second)
	b.does("talk release")
	closed, pcm := b.soundsFrom(typed)
	kept, err := filepath.Glob(filepath.Join(b.dir, "card", "speech", "*.wav"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("%q, %v", kept, err)
	}
	recorded := decoded(t, kept[0])
	raw, err := os.ReadFile(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	heard, _ := media.Correlate(pcm, b.source)
	same, _ := media.Correlate(recorded, b.source)
	t.Logf("the relay closed %v after the PIN; heard for %v, alike by %.3f; recorded %v, alike by %.3f; load %s", closed.Sub(typed).Round(time.Millisecond),
		time.Duration(len(pcm))*time.Second/media.SampleRate, heard, time.Duration(len(recorded))*time.Second/media.SampleRate, same, load())
	// A machine that is held up puts a pause into what is heard, not into what is kept.
	if closed.Sub(typed) > hallo || heard < alike/2 || same < alike || len(recorded) < 6*media.SampleRate {
		t.Error("that is too late, too short, or something else")
	}
	b.heardAtTheCentre(raw)
}

// heardAtTheCentre has the controller come back and waits until somebody there hears a recording.
func (b *onsite) heardAtTheCentre(raw []byte) {
	b.Helper()
	b.startController()
	began, sum := time.Now(), string(broadcast.Sum(raw))
	b.until("the recording is at the centre", func() bool {
		out, _, err := b.run("listen", "--controller", b.url, "--token", b.token)
		return err == nil && slices.ContainsFunc(strings.Split(out, "\n"), func(line string) bool {
			return strings.HasSuffix(line, sum) && strings.Contains(line, " here ")
		})
	})
	b.Logf("the recording of %d bytes is there %v after the controller", len(raw), time.Since(began).Round(time.Millisecond))
	out, errs, err := b.run("listen", "--controller", b.url, "--token", b.token, "--recording", sum, "--out", b.dir)
	if err != nil {
		b.Fatalf("%v: %s", err, errs)
	}
	got, err := os.ReadFile(strings.TrimSpace(out))
	if err != nil || !bytes.Equal(got, raw) {
		b.Errorf("what is heard at the centre is not what was recorded: %d bytes for %d, %v", len(got), len(raw), err)
	}
	b.until("the box knows that the centre has it", func() bool {
		sent, err := filepath.Glob(filepath.Join(b.dir, "card", "speech", "*.sent.wav"))
		return err == nil && len(sent) == 1
	})
}
