package loaxa

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const (
	// idleSpan names the variable that says how long a node is watched.
	idleSpan = "LOAXA_IDLE_SPAN"
	// idleReport is how the test tells the benchmark what it counted.
	idleReport = "over %d s: %d bytes, %d pieces out, %d in"
	// idleMonth is what a month may cost.
	idleMonth = 30 << 20
	month     = 30 * 24 * time.Hour
)

// What a piece of data costs on the way beside itself, in bytes.
const (
	headers = 20 + 20 + 12 // IPv4, TCP and its timestamps; an acknowledgement has nothing else
	record  = 5 + 1 + 16   // TLS 1.3
)

// BenchmarkIdleData is what one node at rest sends and receives in a day, told
// for a month of 30 days: a real node, its link and its keepalive at the real
// dispatch of a controller, in virtual time. MB-month-mqtt counts the bytes of
// MQTT; MB-month-line adds what IP, TCP and TLS put around every piece, and an
// acknowledgement of TCP for each question or answer.
func BenchmarkIdleData(b *testing.B) {
	conditions(b)
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run", "^TestANodeAtRestCostsLittleData$", "-test.v", "-test.count", "1")
	cmd.Env = append(os.Environ(), idleSpan+"=24h")
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	d, err := readIdle(string(out))
	if err != nil {
		b.Fatalf("%v in:\n%s", err, out)
	}
	once(b)
	b.ReportMetric(megabytes(d.bytes*int64(month/d.span)), "MB-month-mqtt")
	b.ReportMetric(megabytes(d.month()), "MB-month-line")
	b.ReportMetric(float64(d.out+d.in), "pieces/day")
}

// idleData is what was counted in a span.
type idleData struct {
	span    time.Duration
	bytes   int64 // of MQTT
	out, in int64 // pieces written and read
}

// less is what was counted since.
func (d idleData) less(before idleData, span time.Duration) idleData {
	return idleData{span, d.bytes - before.bytes, d.out - before.out, d.in - before.in}
}

// month is what it comes to on the line. Nearly all that comes in answers a
// question that went out just before, so the answer carries the acknowledgement
// of the question, and needs one itself.
func (d idleData) month() int64 {
	sum := d.bytes + (d.out+d.in)*(headers+record) + max(d.out, d.in)*headers
	return sum * int64(month/d.span)
}

func (d idleData) String() string {
	return fmt.Sprintf(idleReport, int64(d.span/time.Second), d.bytes, d.out, d.in)
}

// readIdle finds the report in what a test said.
func readIdle(said string) (idleData, error) {
	var d idleData
	var seconds int64
	_, report, _ := strings.Cut(said, "over ")
	_, err := fmt.Sscanf("over "+report, idleReport, &seconds, &d.bytes, &d.out, &d.in)
	d.span = time.Duration(seconds) * time.Second
	return d, err
}

// TestANodeAtRestCostsLittleData watches for two hours of virtual time; the
// benchmark has it watch a day.
func TestANodeAtRestCostsLittleData(t *testing.T) {
	span := 2 * time.Hour
	if text := os.Getenv(idleSpan); text != "" {
		var err error
		if span, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		<-time.After(time.Until(time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC)))
		r := newResting(t)
		<-time.After(10 * time.Minute) // to be given everything
		if !r.inStep(t) {
			t.Fatal("the node is not in step")
		}
		before := r.counted()
		<-time.After(span)
		d := r.counted().less(before, span)
		t.Log(d)
		if m := d.month(); m > idleMonth {
			t.Errorf("%.1f MB a month, more than %.0f", megabytes(m), megabytes(idleMonth))
		}
	})
}
