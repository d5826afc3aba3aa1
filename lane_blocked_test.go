package loaxa

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/controller/store"
	"github.com/loaxa/loaxa/device/player/playertest"
)

// inTime is how soon something sounds after its time, or after the word of whoever
// stands at the box, with every line cut.
const inTime = 30 * time.Second

// blocked is a real house and a real box that share no line: the controller has
// moved to ports that the box does not know.
type blocked struct {
	*box
	lan, usb string
	sources  map[string][]int16 // by what they are for
	contents map[string]string
	seen     int // recordings that were judged
}

// TestWithEveryLineCutTheBoxIsHeardThroughCarriersAndItsKey hands a pack to the
// daemon by its command, a sealed document by its own LAN, and turns the key in
// the box. Each is heard in time, and the office learns of it from the receipts
// that come back.
func TestWithEveryLineCutTheBoxIsHeardThroughCarriersAndItsKey(t *testing.T) {
	b := newBlocked(t)
	technician := b.tokenOf("technician")

	packed := b.publish("emergency", b.contents["pack"], time.Now().Add(12*time.Second).Truncate(time.Second))
	b.export(technician)
	if out, err := b.take(); err != nil || !strings.Contains(out, "Receipts for the office") {
		t.Fatalf("take: %v: %s", err, out)
	}
	b.sounds("pack", packed.Start)

	carried := b.publish("emergency", b.contents["phone"], time.Time{})
	b.phone(carried.ID)
	b.sounds("phone", carried.Start)

	turned := time.Now()
	if err := os.WriteFile(filepath.Join(b.dir, "card", "box", "inputs"), []byte("key press\n"), 0); err != nil {
		t.Fatal(err)
	}
	b.sounds("key", turned)

	if d, err := b.deliveries(packed.ID); err != nil || d.Summary.Ended != 0 {
		t.Errorf("the office knew of it before any receipt came: %+v %v", d.Summary, err)
	}
	b.until("the box has ended everything", func() bool {
		raw, err := os.ReadFile(filepath.Join(b.dir, "loaxa-device.log"))
		return err == nil && strings.Count(string(raw), "rung=ended") == 3
	})
	if out, err := b.take(); err != nil {
		t.Fatalf("take: %v: %s", err, out)
	}
	b.home(technician)
	for _, p := range []published{packed, carried} {
		d, err := b.deliveries(p.ID)
		if err != nil || d.Summary.Ended != 1 || d.Nodes[0].End != "ended" || d.Nodes[0].Evidence.Samples == 0 {
			t.Errorf("%s: %+v %v", p.ID, d, err)
		}
	}
	var fired struct {
		Firings []struct {
			Key, Rung, End string
			Allowed        bool
		}
	}
	if err := b.get("/api/v1/firings", &fired); err != nil || len(fired.Firings) != 1 || fired.Firings[0].End != "ended" || !fired.Firings[0].Allowed {
		t.Errorf("firings: %+v %v", fired, err)
	}
}

// newBlocked enrols a box, has two officers sign a template for its key, and
// then moves the controller away.
func newBlocked(t *testing.T) *blocked {
	t.Helper()
	w := &world{TB: t, binaries: built(t), dir: t.TempDir(), http: "127.0.0.1:0", mqtt: "127.0.0.1:0", nodes: 1}
	w.startController()
	w.token = w.tokenOf("officer")
	b := &blocked{box: newBox(w, "tan-lap-1", fate{}, 0), usb: t.TempDir(), sources: map[string][]int16{}, contents: map[string]string{}}
	b.furnish()
	for i, what := range []string{"pack", "phone", "key"} {
		file := musicMP3(t, 8+2*i)
		b.sources[what] = decoded(t, file)
		content, err := w.upload(file, "")
		if err != nil {
			t.Fatal(err)
		}
		b.contents[what] = content
	}
	ctx, cancel := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() { b.guard.serve(ctx) })
	serving.Go(func() { b.daemon.serve(ctx) })
	t.Cleanup(func() {
		cancel()
		serving.Wait()
	})
	w.awaitNodes()
	w.until("the box is ready", b.ready)
	approvers := []string{w.token, w.tokenOf("administrator")}
	w.ctl.stop()
	b.sign(approvers)
	w.http, w.mqtt = "127.0.0.1:0", "127.0.0.1:0" // the box knows only the old ones
	w.startController()
	return b
}

// furnish gives the box a sound card that records, and a door on its LAN.
func (b *blocked) furnish() {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.lan = l.Addr().String()
	card := filepath.Join(b.dir, "loaxa.toml")
	raw, err := os.ReadFile(card)
	if err := errors.Join(err, l.Close()); err != nil {
		b.Fatal(err)
	}
	text := strings.Replace(string(raw), `kind = "null"`, `kind = "wav"`, 1) + fmt.Sprintf("[carriers]\nstick = \"\"\nlan = %q\n", b.lan)
	if err := os.WriteFile(card, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
}

// sign has two people allow a template to the key of the box.
func (b *blocked) sign(tokens []string) {
	b.Helper()
	now := broadcast.InstantOf(time.Now())
	expires := now.Add(300 * 24 * time.Hour)
	b.enact(broadcast.KindTemplate, expires, tokens, func(db *store.DB) (broadcast.Validator, error) {
		c, err := db.Content(b.Context(), broadcast.Digest(b.contents["key"]))
		return broadcast.Template{ID: "mau-lu", Revision: broadcast.Revision(now), Class: broadcast.Emergency, Title: "Lũ quét", Areas: []broadcast.ID{"tan-lap"},
			Versions: []broadcast.Version{{Language: "vi", Content: &broadcast.Content{SHA256: c.SHA256, Millis: c.Millis, Bytes: c.Bytes}}},
			Expires:  expires, Local: &broadcast.OnSite{Keys: []broadcast.Switch{"key"}, Hourly: 3}}, err
	})
}

// export has the controller make the pack.
func (b *blocked) export(token string) {
	b.Helper()
	out, said, err := b.run("export", "--controller", b.url, "--token", token, "--node", b.name, "--out", b.usb)
	if err != nil || strings.TrimSpace(out) != filepath.Join(b.usb, b.name+".loaxa.tar") {
		b.Fatalf("export: %v: %s%s", err, out, said)
	}
}

// take hands the folder to the daemon.
func (b *blocked) take() (string, error) {
	out, err := exec.Command(b.device, "take", "--config", filepath.Join(b.dir, "loaxa.toml"), b.usb).CombinedOutput()
	return string(out), err
}

// phone carries one sealed announcement and its recording over the LAN.
func (b *blocked) phone(id string) {
	b.Helper()
	var a struct{ SHA256 string }
	if err := b.get("/api/v1/announcements/"+id, &a); err != nil {
		b.Fatal(err)
	}
	b.carry("/document/"+a.SHA256, http.MethodPost, "/document")
	b.carry("/content/"+b.contents["phone"], http.MethodPut, "/content/"+b.contents["phone"])
}

// carry gets something from the controller and hands it to the box.
func (b *blocked) carry(from, method, to string) {
	b.Helper()
	var raw bytes.Buffer
	get, err := http.NewRequest(http.MethodGet, b.url+from, nil)
	if err != nil {
		b.Fatal(err)
	}
	get.Header.Set("Authorization", "Bearer "+b.token)
	got := b.answered(get)
	_, err = io.Copy(&raw, got.Body)
	if err := errors.Join(err, got.Body.Close()); err != nil {
		b.Fatal(err)
	}
	put, err := http.NewRequest(method, "http://"+b.lan+to, &raw)
	if err != nil {
		b.Fatal(err)
	}
	if err := b.answered(put).Body.Close(); err != nil {
		b.Fatal(err)
	}
}

func (b *blocked) answered(r *http.Request) *http.Response {
	b.Helper()
	got, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	if got.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(got.Body)
		b.Fatalf("%s %s: %s: %s", r.Method, r.URL, got.Status, said)
	}
	return got
}

// sounds waits for the next recording and judges sound, time and relay.
func (b *blocked) sounds(what string, due time.Time) {
	b.Helper()
	b.seen++
	var edges []relayEdge
	b.until("it sounds: "+what, func() bool {
		edges = lines[relayEdge](b, b.relay)[1:] // the guard opened it at its start
		return len(b.wavs()) == b.seen && len(edges) == 2*b.seen
	})
	first, pcm, err := playertest.ReadWAV(b.wavs()[b.seen-1])
	if err != nil {
		b.Fatal(err)
	}
	on, off := edges[2*b.seen-2], edges[2*b.seen-1]
	last := first.Add(time.Duration(len(pcm)) * time.Second / media.SampleRate)
	if !on.Closed || off.Closed || on.At.After(first) || off.At.Before(last.Add(-stall)) {
		b.Errorf("%s: sounded %v to %v, relay %+v", what, first, last, edges)
	}
	if late := first.Sub(due); late < -stall || late > inTime {
		b.Errorf("%s: the first sample came %v after its time", what, late)
	} else {
		b.Logf("%s: the first sample came %v after its time, the relay closed %v after it", what, late, on.At.Sub(due))
	}
	source := b.sources[what]
	source = source[max(0, len(source)-len(pcm)):] // who comes late joins in the middle
	if peak, _ := media.Correlate(source, pcm); len(pcm) < 2*media.SampleRate || peak < alike {
		b.Errorf("%s: %d samples, alike to their source by %.3f", what, len(pcm), peak)
	}
}

// wavs are the recordings of the box, the oldest first.
func (b *blocked) wavs() []string {
	b.Helper()
	all, err := filepath.Glob(filepath.Join(b.dir, "card", "sound", "*.wav"))
	if err != nil {
		b.Fatal(err)
	}
	age := func(path string) int64 {
		info, err := os.Stat(path)
		if err != nil {
			b.Fatal(err)
		}
		return info.ModTime().UnixNano()
	}
	slices.SortFunc(all, func(x, y string) int { return int(age(x) - age(y)) })
	return all
}

// home gives the office the receipts that lie beside the pack.
func (b *blocked) home(token string) {
	b.Helper()
	files, err := filepath.Glob(filepath.Join(b.usb, "*.loaxa.receipts"))
	if err != nil || len(files) != 1 {
		b.Fatalf("%d files of receipts: %v", len(files), err)
	}
	if out, said, err := b.run("import", "--controller", b.url, "--token", token, files[0]); err != nil || strings.Contains(out, ": 0 new") {
		b.Fatalf("import: %v: %s%s", err, out, said)
	}
}
