package linetest_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/device/link/linetest"
)

func TestMain(m *testing.M) {
	linetest.Main()
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		serve()
	}
	if len(os.Args) > 2 && os.Args[1] == "ask" {
		ask(os.Args[2])
	}
	os.Exit(m.Run())
}

// serve is the program at the one end: it answers and sends whatever is asked.
func serve() {
	_ = http.ListenAndServe(linetest.Office+":80", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(w, io.LimitReader(zeroes{}, int64(len(r.URL.Path))<<10))
	}))
	os.Exit(1)
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// ask is the program at the other: for every connection from outside it
// fetches as many kilobytes from the first end as the path has letters, and
// says how long that took.
func ask(path string) {
	l, err := net.Listen("tcp", linetest.Village+":81")
	for err == nil {
		var c net.Conn
		if c, err = l.Accept(); err != nil {
			break
		}
		began := time.Now()
		client := http.Client{Timeout: 4 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		n, getErr := int64(0), error(nil)
		if res, e := client.Get("http://" + linetest.Office + "/" + path); e != nil {
			getErr = e
		} else {
			n, getErr = io.Copy(io.Discard, res.Body)
		}
		_, _ = fmt.Fprintf(c, "%d %d %t\n", n, time.Since(began).Milliseconds(), getErr == nil)
		_ = c.Close()
	}
	os.Exit(1)
}

// answer is what the village says of one fetch.
type answer struct {
	bytes int64
	took  time.Duration
	well  bool
}

func fetch(t *testing.T, l *linetest.Line) answer {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 500 {
		c, err := l.Dial(t.Context(), linetest.Village+":81")
		if err == nil {
			line, err := bufio.NewReader(c).ReadString('\n')
			_ = c.Close()
			var a answer
			var millis int64
			if _, scanErr := fmt.Sscan(line, &a.bytes, &millis, &a.well); err == nil && scanErr == nil {
				a.took = time.Duration(millis) * time.Millisecond
				return a
			}
		}
		<-tick.C
	}
	t.Fatal("the village does not answer")
	return answer{}
}

// newLine starts both programs and waits until one fetch went well.
func newLine(t *testing.T, kilobytes int) *linetest.Line {
	t.Helper()
	l := linetest.New(t, 7)
	for _, cmd := range []*struct {
		address string
		args    []string
	}{{linetest.Office, []string{"serve"}}, {linetest.Village, []string{"ask", strings.Repeat("k", kilobytes-1)}}} {
		c := l.Command(cmd.address, "/proc/self/exe", cmd.args...)
		c.Stderr = t.Output()
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = c.Process.Kill()
			_ = c.Wait()
		})
	}
	for range 20 {
		if a := fetch(t, l); a.well {
			return l
		}
	}
	t.Fatal("no fetch over an easy line went well")
	return nil
}

func TestALineIsAsLateAsItsDelay(t *testing.T) {
	t.Parallel()
	l := newLine(t, 1)
	l.Turn(linetest.Weather{Delay: 250 * time.Millisecond})
	// A connection and a question: two journeys there and back.
	if a := fetch(t, l); !a.well || a.took < time.Second || a.took > 2*time.Second {
		t.Errorf("%+v, want 1 s and a little", a)
	}
}

func TestALineIsNoFasterThanItsRate(t *testing.T) {
	t.Parallel()
	l := newLine(t, 48)
	l.Turn(linetest.Weather{Rate: 256_000})
	// 48 KiB are 1.5 s at that rate, headers beside it.
	if a := fetch(t, l); !a.well || a.bytes != 48<<10 || a.took < 1500*time.Millisecond || a.took > 3*time.Second {
		t.Errorf("%+v, want 1.5 s to 3 s", a)
	}
}

func TestADeadLineCarriesNothingAndHealsAgain(t *testing.T) {
	t.Parallel()
	l := newLine(t, 1)
	l.Turn(linetest.Weather{Loss: 1})
	if a := fetch(t, l); a.well {
		t.Errorf("%+v over a dead line", a)
	}
	l.Turn(linetest.Weather{Loss: 0.3})
	well := 0
	for range 4 {
		if a := fetch(t, l); a.well {
			well++
		}
	}
	if well == 0 {
		t.Error("nothing came through a line that lost a third")
	}
}

func TestNothingElseIsInReachOfAnEnd(t *testing.T) {
	t.Parallel()
	outside, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = outside.Close() }()
	l := newLine(t, 1)
	c, err := l.Dial(context.Background(), linetest.Office+":80")
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	// The same way in, but to a server that only this network has.
	_, port, _ := net.SplitHostPort(outside.Addr().String())
	c, err = l.Dial(context.Background(), net.JoinHostPort(linetest.Office, port))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if b, _ := io.ReadAll(c); len(b) > 0 {
		t.Errorf("an end reached outside: %q", b)
	}
}
