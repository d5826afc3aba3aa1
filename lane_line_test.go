package loaxa

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/device/link/linetest"
)

// lossyRounds is how many emergencies go over the line that loses a third,
// unless LOAXA_SOAK says another number.
const lossyRounds = 2

// How late an emergency may sound over a bad line, from the answer to its
// approval to the first sample; the signed lead of 3 s is part of it.
const (
	lossyMedian  = 5 * time.Second
	lossyLongest = 30 * time.Second // of 99 in a hundred; docs/numbers.md says how seldom one comes near it
	lossyLast    = 80 * time.Second // of all, where so many are measured that one may be past it
	// noticed is how long both ends of a line that died silently may go on
	// believing in it.
	noticed = 45 * time.Second
)

// TestAnEmergencySoundsOverALineThatLosesAThird each way, with 80 ms there and
// back: soon, everywhere, and nowhere twice.
func TestAnEmergencySoundsOverALineThatLosesAThird(t *testing.T) {
	t.Parallel()
	rounds, seed := lossyRounds, uint64(time.Now().UnixNano())
	if text := os.Getenv("LOAXA_SOAK"); text != "" {
		rounds = int(number(t, "LOAXA_SOAK", text))
	}
	if text := os.Getenv("LOAXA_SEED"); text != "" {
		seed = number(t, "LOAXA_SEED", text)
	}
	line := linetest.New(t, seed)
	w := newDistant(t, 8, line)
	line.Turn(linetest.Weather{Loss: 0.3, Delay: 40 * time.Millisecond})
	var waits spread
	for round := range rounds {
		waits = append(waits, w.emergency(spokenMP3(t, fmt.Sprintf("Lần %d, nước sông lên nhanh, xin mọi người rời bờ.", round+1)))...)
	}
	t.Logf("%d soundings: first sample %v (p50), %v (p99), %v (most) after the approval", len(waits), waits.at(0.5), waits.at(0.99), waits.most())
	if waits.at(0.5) > lossyMedian || waits.at(0.99) > lossyLongest || waits.most() > lossyLast {
		t.Errorf("first sample after %v (p50), %v (p99) and %v (most), want %v, %v and %v",
			waits.at(0.5), waits.at(0.99), waits.most(), lossyMedian, lossyLongest, lossyLast)
	}
	w.once()
}

// emergency makes one announcement and returns how long each node took to its
// first sample.
func (w *world) emergency(file string) spread {
	w.Helper()
	content, err := w.upload(file, "")
	if err != nil {
		w.Fatal(err)
	}
	p := w.publish("emergency", content, time.Time{})
	var out spread
	var last began
	for _, n := range w.beginnings(p) {
		out = append(out, n.first.Sub(p.Accepted))
		if n.first.After(last.first) {
			last = n
		}
	}
	w.Logf("the last, after %v:%s", out.most().Round(time.Millisecond), w.story(p, last.node))
	return out
}

// story says when a node climbed each rung, since the answer to the approval, as
// far as its receipts have come by now.
func (w *world) story(p published, node string) (story string) {
	w.Helper()
	d, err := w.deliveries(p.ID)
	if err != nil {
		w.Fatal(err)
	}
	for _, n := range d.Nodes {
		for _, t := range n.Times {
			if n.Node == node {
				story += fmt.Sprintf(" %s %v", t.Rung, t.At.Sub(p.Accepted).Round(time.Millisecond))
			}
		}
	}
	return story
}

// once says that no node sounded any announcement twice without a reason for
// another attempt.
func (w *world) once() {
	w.Helper()
	for _, node := range w.names() {
		seen := map[string]bool{}
		for _, r := range w.recordings(node) {
			if name := fmt.Sprint(r.announcement, r.start); r.attempt != 1 || seen[name] {
				w.Errorf("%s sounded %s again, as attempt %d", node, name, r.attempt)
			} else {
				seen[name] = true
			}
		}
	}
}

// TestAnEmergencyOvertakesADownloadOnASlowLine of 64 kbit/s with half a second
// there and back.
func TestAnEmergencyOvertakesADownloadOnASlowLine(t *testing.T) {
	t.Parallel()
	line := linetest.New(t, 64)
	w := newDistant(t, 1, line)
	long, err := w.upload(musicMP3(t, 400), "")
	if err != nil {
		t.Fatal(err)
	}
	line.Turn(linetest.Weather{Rate: 64_000, Delay: 250 * time.Millisecond})
	later := w.publish("normal", long, time.Now().Add(8*time.Minute).Truncate(time.Second))
	var before int64
	w.until("the download is under way", func() bool {
		before = w.missing()
		return before > 0 && strings.Contains(w.sim.said(), later.ID)
	})
	waits := w.emergency(spokenMP3(t, "Nước sông lên nhanh, xin mọi người rời bờ ngay."))
	t.Logf("first sample %v after the approval, with %d bytes of a download to go", waits.most(), before)
	if waits.most() > lossyLongest {
		t.Errorf("an emergency took %v behind a download, want %v at most", waits.most(), lossyLongest)
	}
	w.once()
}

// missing is how much sound the nodes want and do not have, by their word.
func (w *world) missing() int64 {
	var all struct {
		Nodes []struct {
			Missing int64 `json:"missing_bytes"`
		}
	}
	if w.get("/api/v1/nodes", &all) != nil {
		return 0
	}
	var total int64
	for _, n := range all.Nodes {
		total += n.Missing
	}
	return total
}

// TestASlowAnswerIsNoBrokenLine has two seconds there and back: nobody gives
// the connection up, and an emergency sounds.
func TestASlowAnswerIsNoBrokenLine(t *testing.T) {
	t.Parallel()
	line := linetest.New(t, 2)
	w := newDistant(t, 3, line)
	line.Turn(linetest.Weather{Delay: time.Second})
	before := strings.Count(w.sim.said(), "connected to the broker")
	waits := w.emergency(spokenMP3(t, "Nước sông lên nhanh, xin mọi người rời bờ ngay."))
	t.Logf("first sample %v after the approval", waits.most())
	if waits.most() > lossyLongest {
		t.Errorf("an emergency took %v, want %v at most", waits.most(), lossyLongest)
	}
	if again := strings.Count(w.sim.said(), "connected to the broker") - before; again != 0 {
		t.Errorf("nodes connected %d times more over a line that was only slow", again)
	}
	w.once()
}

// TestBothEndsNoticeALineThatDiedSilently within 45 s; when it heals, the
// emergency of meanwhile sounds, once.
func TestBothEndsNoticeALineThatDiedSilently(t *testing.T) {
	t.Parallel()
	line := linetest.New(t, 45)
	w := newDistant(t, 2, line)
	content, err := w.upload(musicMP3(t, 5), "")
	if err != nil {
		t.Fatal(err)
	}
	line.Turn(linetest.Weather{Loss: 1})
	died := time.Now()
	missed := w.publish("emergency", content, time.Time{})
	var office, village time.Duration
	w.until("both ends have noticed", func() bool {
		if office == 0 && w.present() == 0 {
			office = time.Since(died)
		}
		if village == 0 && strings.Count(w.sim.said(), "connection to the broker ended") >= w.nodes {
			village = time.Since(died)
		}
		return office != 0 && village != 0
	})
	t.Logf("the office noticed after %v, the nodes after %v", office.Round(time.Millisecond), village.Round(time.Millisecond))
	if max(office, village) > noticed+2*time.Second { // and the poll of this test
		t.Errorf("noticed after %v and %v, want %v", office, village, noticed)
	}
	line.Turn(linetest.Weather{})
	for _, n := range w.beginnings(missed) {
		t.Logf("%s sounded what it had missed %v after it was approved", n.node, n.first.Sub(missed.Accepted).Round(time.Millisecond))
	}
	w.once()
}

// present is how many nodes the office believes to be there.
func (w *world) present() int {
	var all struct{ Nodes []struct{ Present bool } }
	if w.get("/api/v1/nodes", &all) != nil {
		return w.nodes
	}
	n := 0
	for _, one := range all.Nodes {
		if one.Present {
			n++
		}
	}
	return n
}
