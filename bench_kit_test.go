package loaxa

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// conditions notes what else the machine does, now and at the end: a number
// from a busy machine is the product's at its worst, not at its best.
func conditions(b *testing.B) {
	b.Helper()
	before := load()
	b.Cleanup(func() { b.Logf("load average %s at the start, %s at the end", before, load()) })
}

// once says that the time of a whole benchmark is no measure of anything.
func once(b *testing.B) { b.ReportMetric(0, "ns/op") }

// spread is a set of durations.
type spread []time.Duration

// at is the duration that a share of all do not exceed: the nearest rank.
func (s spread) at(share float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s))
	rank := int(math.Ceil(share * float64(len(sorted))))
	return sorted[max(rank, 1)-1]
}

func (s spread) least() time.Duration { return s.at(0) }
func (s spread) most() time.Duration  { return s.at(1) }

// width is how far the first and the last are apart.
func (s spread) width() time.Duration { return s.most() - s.least() }

// report gives p50, p99 and the greatest in milliseconds.
func (s spread) report(b *testing.B, name string) {
	b.ReportMetric(millis(s.at(0.5)), name+"-p50-ms")
	b.ReportMetric(millis(s.at(0.99)), name+"-p99-ms")
	b.ReportMetric(millis(s.most()), name+"-max-ms")
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// published is an announcement that was accepted.
type published struct {
	ID       string
	Accepted time.Time // when the approval was answered
	Start    time.Time // as signed
}

// publish draws up an announcement for the whole district and approves it. An
// emergency starts at once, everything else when it is told to, and is meant to
// stay silent in the quiet hours.
func (w *world) publish(class, content string, start time.Time) published {
	w.Helper()
	return w.publishVersion(class, map[string]any{"language": "vi", "content": content}, start)
}

// publishVersion is publish for whatever it is to say; without a start at once.
func (w *world) publishVersion(class string, version map[string]any, start time.Time) published {
	w.Helper()
	body := map[string]any{"title": "Bản tin đo", "class": class, "areas": []string{"bac-quang"}, "reason": "measured",
		"versions": []any{version}}
	if !start.IsZero() {
		body["timing"] = map[string]string{"mode": "start", "start": start.Format(time.RFC3339)}
	}
	var a struct {
		ID, Digest, State string
		Timing            struct{ Start time.Time }
	}
	err := w.post("/api/v1/announcements", "", body, &a)
	if err == nil {
		err = w.post("/api/v1/announcements/"+a.ID+"/submit", "", map[string]any{"digest": a.Digest, "accept_silence": []string{"quiet"}}, &a)
	}
	if err == nil {
		err = w.post("/api/v1/announcements/"+a.ID+"/approve", "", map[string]any{"digest": a.Digest, "accept_difference": true}, &a)
	}
	accepted := time.Now()
	if err != nil || a.State != "published" {
		w.Fatalf("the announcement is %q, not published: %v", a.State, err)
	}
	return published{a.ID, accepted, a.Timing.Start}
}

// memory is what a process has in memory, in bytes.
type memory struct {
	resident int64 // all of its pages in memory: RSS
	counted  int64 // the same, but of a page that n processes share only the nth part: PSS
}

// memoryOf reads the memory of a process from /proc/PID/smaps_rollup. One that
// has ended has none.
func memoryOf(pid int) memory {
	raw, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "smaps_rollup"))
	if err != nil {
		return memory{}
	}
	var m memory
	for line := range strings.Lines(string(raw)) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[2] != "kB" {
			continue
		}
		n, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			continue
		}
		switch fields[0] {
		case "Rss:":
			m.resident += n << 10
		case "Pss:":
			m.counted += n << 10
		}
	}
	return m
}

func megabytes(n int64) float64 { return float64(n) / (1 << 20) }
