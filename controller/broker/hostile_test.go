package broker

import (
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestPacketBoundariesAreFollowedAcrossAnyCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stream []byte
		for range rapid.IntRange(1, 8).Draw(t, "packets") {
			stream = append(stream, packet(0x30, make([]byte, rapid.IntRange(0, 300).Draw(t, "size")))...)
		}
		tooLarge := rapid.Bool().Draw(t, "too large")
		if tooLarge {
			stream = append(stream, packet(0x30, make([]byte, 301))[:3]...)
		}
		meter := packetMeter{limit: 300}
		var err error
		for len(stream) > 0 && err == nil {
			n := rapid.IntRange(1, len(stream)).Draw(t, "cut")
			err = meter.feed(stream[:n])
			stream = stream[n:]
		}
		if tooLarge != errors.Is(err, errPacketTooLarge) {
			t.Fatalf("too large %v, error %v", tooLarge, err)
		}
	})
}

func TestEndlessLengthIsRefused(t *testing.T) {
	meter := packetMeter{limit: MaxPacket}
	if err := meter.feed([]byte{0x30, 0x80, 0x80, 0x80, 0x80}); !errors.Is(err, errPacketTooLarge) {
		t.Errorf("got %v", err)
	}
}

// hostileBroker accepts one client after another and answers with a script.
func hostileBroker(t *testing.T, script ...[]byte) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			buffer := make([]byte, 4096)
			for _, answer := range script {
				if _, err := conn.Read(buffer); err != nil {
					break
				}
				_, _ = conn.Write(answer)
			}
			_ = conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
			_, _ = conn.Read(buffer)
			conn.Close()
		}
	})
	t.Cleanup(func() { listener.Close(); serving.Wait() })
	return listener.Addr().String()
}

func TestHostileBrokerCannotBringTheControllerDown(t *testing.T) {
	connack := []byte{0x20, 2, 0, 0}
	for name, script := range map[string][][]byte{
		"answers too many subscriptions": {connack, packet(0x90, []byte{0, 1, 0, 0, 0, 0})},
		"answers too few subscriptions":  {connack, packet(0x90, []byte{0, 1, 0})},
		"acknowledges by PUBACK":         {connack, packet(0x40, []byte{0, 1})},
		"announces a giant packet":       {connack, {0x30, 0xff, 0xff, 0xff, 0x7f}},
		"announces an endless length":    {connack, {0x30, 0xff, 0xff, 0xff, 0xff, 0xff}},
		"sends a topic beyond the end":   {connack, packet(0x30, []byte{0xff, 0xff, 'a'})},
		"sends garbage":                  {connack, []byte("HTTP/1.1 400 Bad Request\r\n\r\n")},
		"refuses":                        {{0x20, 2, 0, 5}},
		"says nothing MQTT":              {[]byte("SSH-2.0-OpenSSH_9.2\r\n")},
	} {
		t.Run(name, func(t *testing.T) {
			said := spoken{lines: make(chan string, 64)}
			h := listen(t, ClientConfig{URL: "mqtt://" + hostileBroker(t, script...), Subscriptions: []string{"a", "b"}, Log: slog.New(said)})
			select {
			case line := <-said.lines:
				if !strings.Contains(line, "no link to the broker") {
					t.Errorf("log says %q", line)
				}
			case <-h.up:
				t.Error("reported itself up")
			case <-time.After(2 * subscribeTimeout):
				t.Fatal("neither up nor down")
			}
		})
	}
}

func TestBrokerThatNeverAnswersDoesNotHoldUpTheEnd(t *testing.T) {
	h := listen(t, ClientConfig{URL: "mqtt://" + hostileBroker(t, nil)})
	began := time.Now()
	h.end()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the end took %v", took)
	}
}
