package loaxa

import (
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
)

// pitch is what the lane's radio sends, in Hertz.
const pitch = 700

// radio is a station that has been on the air for long: it sends a tone as fast as
// time goes, after two seconds of it at once.
func radio(t *testing.T) string {
	t.Helper()
	const second = 8000
	sound := tool(t, nil, "ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", fmt.Sprintf("sine=frequency=%d:duration=120", pitch), "-b:a", "64k", "-f", "mp3", "pipe:1")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "audio/mpeg")
		tick := time.NewTicker(time.Second / 4)
		defer tick.Stop()
		for n, sent := 2*second, 0; sent+n <= len(sound); n, sent = second/4, sent+n {
			_, _ = w.Write(sound[sent : sent+n])
			_ = http.NewResponseController(w).Flush()
			select {
			case <-tick.C:
			case <-r.Context().Done():
				return
			}
		}
	}))
	t.Cleanup(server.CloseClientConnections)
	return server.URL
}

// secondsOf counts the whole seconds of some sound that are nothing but a tone.
func secondsOf(hertz float64, pcm []int16) int {
	tone := make([]int16, media.SampleRate)
	for i := range tone {
		tone[i] = int16(8000 * math.Sin(2*math.Pi*hertz*float64(i)/media.SampleRate))
	}
	n := 0
	for second := range slices.Chunk(pcm, len(tone)) {
		if peak, _ := media.Correlate(tone, second); len(second) == len(tone) && peak > alike {
			n++
		}
	}
	return n
}

// TestAStationIsHeardThroughTheRealProgramsAndOneThatIsGoneIsTold relays a radio of this
// machine, then one that is not there, and ends with a recording.
func TestAStationIsHeardThroughTheRealProgramsAndOneThatIsGoneIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	var list strings.Builder
	for id, url := range map[string]string{"gan": radio(t), "xa": "http://127.0.0.1:1/"} {
		fmt.Fprintf(&list, "[[station]]\nid = %q\nname = %q\nurl = %q\nareas = [\"bac-quang\"]\nprivate = true\n", id, id, url)
	}
	if err := os.WriteFile(filepath.Join(w.data(), "relays.toml"), []byte(list.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	w.abolishQuietHours() // and the controller starts again, and reads the list
	relay := func(station string, length time.Duration) map[string]any {
		return map[string]any{"title": station, "relay": map[string]any{"station": station, "ms": length.Milliseconds()}}
	}
	source := musicMP3(t, 6)
	tune, err := w.upload(source, "")
	if err != nil {
		t.Fatal(err)
	}
	segments := []any{relay("gan", 15*time.Second), relay("xa", 40*time.Second), map[string]any{"title": "Nhạc", "content": tune}}
	id := w.publishVersion("priority", map[string]any{"programme": map[string]any{"segments": segments}}, time.Time{}).ID
	var end delivery
	w.until("the programme is over", func() bool {
		d, err := w.deliveries(id)
		if err == nil && len(d.Nodes) == 1 {
			end = d.Nodes[0]
		}
		return end.End != "" && end.Attempts == 2
	})
	if end.End != string(broadcast.Ended) {
		t.Errorf("%+v", end)
	}
	w.heardInTurn(source)
	w.lost("xa")
}

// heardInTurn looks at what left the one sound card: a tone, and after it a tune.
func (w *world) heardInTurn(tune string) {
	w.Helper()
	files, err := filepath.Glob(filepath.Join(w.out(), w.names()[0], "*.wav"))
	if err != nil || len(files) == 0 {
		w.Fatalf("%q, %v", files, err)
	}
	slices.SortFunc(files, func(x, y string) int { return modified(x).Compare(modified(y)) })
	first, last := decoded(w, files[0]), decoded(w, files[len(files)-1])
	seconds := secondsOf(pitch, first)
	same, _ := media.Correlate(decoded(w, tune), last)
	w.Logf("%d s of the station in %d files, the tune alike by %.3f; load %s", seconds, len(files), same, load())
	if seconds < 5 || same < alike {
		w.Error("that is not what was sent")
	}
}

// lost waits until the office sees of one station, and of no other, that it is gone.
func (w *world) lost(station string) {
	w.Helper()
	var all struct {
		Faults []struct{ Which, Cause string }
	}
	w.until("the office sees that a station is gone", func() bool {
		return w.get("/api/v1/faults?code=no-station", &all) == nil && len(all.Faults) > 0
	})
	if f := all.Faults[0]; len(all.Faults) != 1 || f.Which != station || !strings.Contains(f.Cause, "refused") {
		w.Errorf("%+v", all.Faults)
	}
}
