package link

import (
	"bytes"
	"errors"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.mqtt.golang/packets"
)

// line is a connection from which fixed bytes come.
type line struct {
	net.Conn
	in        io.Reader
	deadlines []time.Duration
}

func (l *line) Read(p []byte) (int, error)  { return l.in.Read(p) }
func (l *line) Write(p []byte) (int, error) { return len(p), nil }
func (l *line) SetWriteDeadline(t time.Time) error {
	l.deadlines = append(l.deadlines, time.Until(t).Round(time.Second))
	return nil
}

const hello = "\x20\x02\x00\x00" // CONNACK, accepted

// cases are what brokers send: what passes, and whether the line is cut for it.
var cases = []struct {
	name, in, pass string
	cut            bool
}{
	{"hello", hello, hello, false},
	{"hello and ping", hello + "\xd0\x00", hello + "\xd0\x00", false},
	{"message", hello + "\x30\x05\x00\x01txy", hello + "\x30\x05\x00\x01txy", false},
	{"retained message", hello + "\x31\x04\x00\x01tx", hello + "\x31\x04\x00\x01tx", false},
	{"empty message", hello + "\x30\x03\x00\x01t", hello + "\x30\x03\x00\x01t", false},
	{"message at QoS 1", hello + "\x32\x06\x00\x01t\x00\x07x", hello + "\x32\x06\x00\x01t\x00\x07x", false},
	{"subscribed", hello + "\x90\x03\x00\x01\x00", hello + "\x90\x03\x00\x01\x00", false},
	{"refused", hello + "\x90\x03\x00\x01\x80", hello + "\x90\x03\x00\x01\x80", false},
	{"length in two bytes", hello + "\xd0\x80\x00", hello + "\xd0\x00", false},
	{"not welcome", "\x20\x02\x00\x05", "\x20\x02\x00\x05", false},
	{"unknown welcome", "\x20\x02\x00\x4d", "", true},
	{"odd flags of a welcome", "\x20\x02\x02\x00", "", true},
	{"two welcomes", hello + hello, hello, true},
	{"a message before the welcome", "\x30\x04\x00\x01tx", "", true},
	{"more answers than questions", hello + "\x90\x05\x00\x01\x00\x00\x00", hello, true},
	{"fewer answers than questions", hello + "\x90\x02\x00\x01", hello, true},
	{"message at QoS 2", hello + "\x34\x06\x00\x01t\x00\x07x", hello, true},
	{"message at QoS 3", hello + "\x36\x06\x00\x01t\x00\x07x", hello, true},
	{"no room for the topic", hello + "\x30\x03\x00\x09t", hello, true},
	{"no room for the number", hello + "\x32\x04\x00\x01tx", hello, true},
	{"no topic at all", hello + "\x30\x01\x00", hello, true},
	{"empty topic", hello + "\x30\x03\x00\x00x", hello, true},
	{"wildcard in a topic", hello + "\x30\x05\x00\x03a/#", hello, true},
	{"zero byte in a topic", hello + "\x30\x05\x00\x03a\x00b", hello, true},
	{"not UTF-8", hello + "\x30\x05\x00\x03a\xff\xfe", hello, true},
	{"a client's packet", hello + "\xe0\x00", hello, true},
	{"the second half of QoS 2", hello + "\x62\x02\x00\x01", hello, true},
	{"flags where none belong", hello + "\xd1\x00", hello, true},
	{"ping with a body", hello + "\xd0\x01x", hello, true},
	{"a length without an end", hello + "\x30\xff\xff\xff\xff\x7f", hello, true},
	{"a claim of 256 MB", hello + "\x30\xff\xff\xff\x7f", hello, true},
	{"a web server", "HTTP/1.1 400 Bad Request\r\n\r\n", "", true},
}

func through(in string) (passed []byte, err error) {
	g := newGuard(&line{in: strings.NewReader(in)}, &traffic{})
	passed, err = io.ReadAll(g)
	return passed, err
}

func TestOnlyPacketsThatPahoCanTakePassTheGuard(t *testing.T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			passed, err := through(c.in)
			if string(passed) != c.pass {
				t.Errorf("passed %q, want %q", passed, c.pass)
			}
			if errors.Is(err, errProtocol) != c.cut {
				t.Errorf("ended with %v, want the line cut: %t", err, c.cut)
			}
		})
	}
}

func FuzzGuard(f *testing.F) {
	for _, c := range cases {
		f.Add([]byte(c.in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		passed, _ := through(string(in))
		rest := bytes.NewReader(passed)
		for n := 0; rest.Len() > 0; n++ {
			p, err := packets.ReadPacket(rest)
			if err != nil {
				t.Fatalf("Paho cannot take what passed: %v", err)
			}
			if _, first := p.(*packets.ConnackPacket); first != (n == 0) {
				t.Fatalf("packet %d is %v", n, p)
			}
			if s, ok := p.(*packets.SubackPacket); ok && len(s.ReturnCodes) != 1 {
				t.Fatalf("a SUBACK with %d codes passed", len(s.ReturnCodes))
			}
		}
	})
}

func TestEveryWriteHasADeadline(t *testing.T) {
	l := &line{in: strings.NewReader("")}
	g := newGuard(l, &traffic{})
	if err := g.SetWriteDeadline(time.Time{}); err != nil { // as Paho does after each publish
		t.Fatal(err)
	}
	if _, err := g.Write([]byte("ping")); err != nil {
		t.Fatal(err)
	}
	for _, d := range l.deadlines {
		if d != writeTimeout {
			t.Errorf("a write may take %v", d)
		}
	}
	if g.traffic.out.Load() != 4 {
		t.Errorf("%d bytes counted", g.traffic.out.Load())
	}
}

func TestATooLargeMessageIsNeverHeldInMemory(t *testing.T) {
	const size = 2 << 20
	head := hello + "\x30\x80\x80\x80\x01" // 2 MiB
	g := newGuard(&line{in: io.MultiReader(strings.NewReader(head), io.LimitReader(zeros{}, size), strings.NewReader("\xd0\x00"))}, &traffic{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	passed, err := io.ReadAll(g)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 512<<10 {
		t.Errorf("%d bytes allocated for a message of %d that is thrown away", took, size)
	}
	if err != nil || string(passed) != hello+"\xd0\x00" {
		t.Errorf("passed %q, %v", passed, err)
	}
	if cap(g.pending) > 0 || g.traffic.tooLarge.Load() != 1 || g.traffic.in.Load() < size {
		t.Errorf("%d too large, %d bytes in", g.traffic.tooLarge.Load(), g.traffic.in.Load())
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
