package loaxa

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
)

const (
	communes = 23
	warmUp   = 1500 * time.Millisecond
	// early is how much shorter a warm-up may be: the player gives the relay so
	// long to answer before it moves the start instead.
	early = 20 * time.Millisecond
	// tardy is how much longer it may be on a machine that is busy with other
	// things; what was measured is in the log of the test.
	tardy = 500 * time.Millisecond
	// alike is the least correlation of a recording with its source. In between
	// lie two codecs and a change of level: 0.97 and more was measured for
	// speech and music. Recordings of other sounds stay below 0.2, and one that
	// lost a fifth of its energy to dropouts falls below this.
	alike = 0.9
	// stall is a standstill of the whole machine that no schedule survives: the
	// guard opens a relay whose lease was not renewed for two seconds.
	stall = 500 * time.Millisecond
)

func TestTheFirstAnnouncementIsHeardInAll23Communes(t *testing.T) {
	w := newWorld(t, communes)
	for _, item := range []struct{ file, class, title string }{
		{spokenMP3(t, speech), "emergency", "Nước sông Lô lên nhanh"},
		{musicMP3(t, 20), calm(time.Now()), "Nhạc chiều"},
	} {
		d, watched := w.announceUndisturbed(item.file, item.class, item.title)
		if d.Summary.Expected != communes || d.Summary.Ended != communes {
			t.Errorf("%s: %+v, want all %d ended", item.title, d.Summary, communes)
		}
		j := judge{world: w, source: decoded(t, item.file), watched: watched, known: map[[32]byte]float64{}}
		for _, n := range d.Nodes {
			j.judge(d.Announcement.ID, n)
		}
		j.report(item.title)
	}
}

// calm is the class of what is not urgent; in the quiet hours of the demo's
// policy, 02:00 to 04:00, only an emergency sounds.
func calm(now time.Time) string {
	local := now.In(broadcast.Local())
	if minute := local.Hour()*60 + local.Minute(); minute >= 115 && minute < 240 {
		return "emergency"
	}
	return "normal"
}

// announceUndisturbed announces and watches to the end. An announcement during
// which this machine stood still proves nothing and is made again, twice at
// most.
func (w *world) announceUndisturbed(file, class, title string) (deliveries, time.Duration) {
	w.Helper()
	for round := 1; ; round++ {
		stood := standstill()
		out, said, err := w.run(w.announcing(file, class, title, "--watch", "--json")...)
		worst := stood()
		var d deliveries
		if decodeErr := json.Unmarshal([]byte(out), &d); decodeErr != nil {
			w.Fatalf("announce: %v: %s", err, said)
		}
		w.until("every relay is open again", func() bool {
			return !slices.ContainsFunc(w.names(), func(n string) bool { e := w.edges(n); return e[len(e)-1].Closed })
		})
		if worst < stall || round == 3 {
			if err != nil {
				w.Errorf("announce: %v: %s", err, said)
			}
			return d, worst
		}
		w.Logf("the machine stood still for %v: once more", worst)
	}
}

// standstill watches the machine; the function that it returns says for how
// long nothing ran at worst.
func standstill() func() time.Duration {
	quit, worst := make(chan struct{}), make(chan time.Duration)
	go func() {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		most, last := time.Duration(0), time.Now()
		for {
			select {
			case <-quit:
				worst <- most
				return
			case <-tick.C:
			}
			most, last = max(most, time.Since(last)), time.Now()
		}
	}()
	return func() time.Duration { close(quit); return <-worst }
}

// judge compares what nodes recorded with a source and with the controller.
type judge struct {
	*world
	source  []int16
	watched time.Duration // the worst standstill meanwhile
	known   map[[32]byte]float64

	warmUps, starts []time.Duration
	least           float64
	lost            int64
}

// judge looks at one node from outside.
func (j *judge) judge(announcement string, n delivery) {
	j.Helper()
	var mine []recording
	for _, r := range j.recordings(n.Node) {
		if r.announcement == announcement {
			mine = append(mine, r)
		}
	}
	if len(mine) != 1 || n.Attempts != 1 {
		j.Fatalf("%s: %d recordings in %d attempts, want one", n.Node, len(mine), n.Attempts)
	}
	r := mine[0]
	i := slices.IndexFunc(j.heard(n.Node), func(h heard) bool { return h.Announcement == announcement })
	if i < 0 {
		j.Fatalf("%s: the sound card has nothing to say of %s", n.Node, announcement)
	}
	h := j.heard(n.Node)[i]
	j.sound(n.Node, r)
	j.relay(n, r, h)
	j.agree(n, r, h)
}

// sound compares a recording with its source.
func (j *judge) sound(node string, r recording) {
	late := r.first.Sub(r.start.Time())
	want := len(j.source) - int(late*media.SampleRate/time.Second)
	if off := len(r.pcm) - want; off < -len(j.source)/100 || off > len(j.source)/100 {
		j.Errorf("%s: %d samples, want %d within 1 %%", node, len(r.pcm), want)
	}
	raw := make([]byte, 0, 2*len(r.pcm))
	for _, s := range r.pcm {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(s))
	}
	sum := sha256.Sum256(raw)
	peak, known := j.known[sum]
	if !known {
		peak, _ = media.Correlate(j.source, r.pcm)
		j.known[sum] = peak
		if level := media.RMS(r.pcm); level < -3000 {
			j.Errorf("%s: %v is silence", node, level)
		}
		if flat := media.SpectralFlatness(r.pcm); flat > 0.3 {
			j.Errorf("%s: a flatness of %.2f is noise", node, flat)
		}
	}
	if peak < alike {
		j.Errorf("%s: alike to its source by %.3f, want %.2f", node, peak, alike)
	}
	if j.least == 0 || peak < j.least {
		j.least = peak
	}
	j.starts = append(j.starts, late)
}

// relay checks that it was closed before the first sample and open after the
// last, once.
func (j *judge) relay(n delivery, r recording, h heard) {
	edges := j.edges(n.Node)
	i := slices.IndexFunc(edges, func(e relayEdge) bool {
		return e.Closed && !e.At.After(r.first) && r.first.Sub(e.At) < 2*warmUp+tardy+j.watched
	})
	if i < 0 || i+1 >= len(edges) || edges[i+1].Closed {
		j.Fatalf("%s: first sample at %v, edges %+v", n.Node, r.first, edges)
	}
	warm := r.first.Sub(edges[i].At)
	if warm < warmUp-early || warm > warmUp+tardy+j.watched {
		j.Errorf("%s: the relay closed %v before the first sample, want %v", n.Node, warm, warmUp)
	}
	if !edges[i+1].At.After(h.Last) {
		j.Errorf("%s: the relay opened at %v, the last sample left at %v", n.Node, edges[i+1].At, h.Last)
	}
	if off := n.Evidence.Closed.Sub(edges[i].At).Abs(); off > tardy+j.watched {
		j.Errorf("%s: the relay closed at %v, the controller says %v", n.Node, edges[i].At, n.Evidence.Closed)
	}
	j.warmUps = append(j.warmUps, warm)
}

// agree checks that the controller says what the node's own logs say.
func (j *judge) agree(n delivery, r recording, h heard) {
	if n.End != "ended" || n.Rung != "ended" {
		j.Errorf("%s: %s, highest rung %s", n.Node, n.End, n.Rung)
	}
	if h.Samples != n.Evidence.Samples || !h.First.Equal(r.first) || !h.First.Truncate(time.Millisecond).Equal(n.Evidence.First) {
		j.Errorf("%s: the controller says %+v, the sound card %+v, the recording began %v", n.Node, n.Evidence, h, r.first)
	}
	if lost := int64(len(r.pcm)) - h.Samples; lost < 0 || n.Evidence.Of-h.Samples != lost {
		j.Errorf("%s: %d samples of %d left, %d were recorded", n.Node, h.Samples, n.Evidence.Of, len(r.pcm))
	} else {
		j.lost += lost
	}
	if level := float64(media.RMS(r.pcm)) / 100; level < n.Evidence.Level-1.5 || level > n.Evidence.Level+1.5 {
		j.Errorf("%s: recorded at %.1f dBFS, the controller says %.1f", n.Node, level, n.Evidence.Level)
	}
	want := broadcast.Rungs()[:7]
	if len(n.Times) != len(want) {
		j.Fatalf("%s: rungs %+v, want %v", n.Node, n.Times, want)
	}
	for i, rung := range want {
		if n.Times[i].Rung != rung || i > 0 && n.Times[i].At.Before(n.Times[i-1].At) {
			j.Errorf("%s: rung %d is %s at %v", n.Node, i+1, n.Times[i].Rung, n.Times[i].At)
		}
	}
}

// report says what was measured.
func (j *judge) report(title string) {
	slices.Sort(j.warmUps)
	slices.Sort(j.starts)
	half, last := len(j.warmUps)/2, len(j.warmUps)-1
	j.Logf("%s: warm-up p50 %v, max %v; first sample after its start p50 %v, max %v; alike by %.3f at least; %d samples lost; load %s",
		title, j.warmUps[half], j.warmUps[last], j.starts[half], j.starts[last], j.least, j.lost, load())
}

// load is how busy the machine is.
func load() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return string(b[:min(len(b), 14)])
}
