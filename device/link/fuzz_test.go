package link

import (
	"fmt"
	"net"
	"testing"
)

// FuzzAnswers: what a controller says about a part of a recording, and where an
// assignment says that brokers are, is understood in one way or refused.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{"bytes 100-199/200", "bytes 0-0/*", "bytes */5", "tcp://controller.example", "mqtts://[::1]:8883", "ssl://a:b", `{"held":5,"bytes":9}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if start, total, ok := parseRange(s); ok && (start < 0 || total < -1) {
			t.Errorf("%q: from %d of %d", s, start, total)
		}
		if held, of, err := parseHeld([]byte(s)); err == nil && (held < 0 || held > of) {
			t.Errorf("%q: %d of %d", s, held, of)
		}
		list, err := parseBrokers([]string{s})
		if err != nil {
			return
		}
		host, port, err := net.SplitHostPort(list[0].address)
		if err != nil || host == "" || port == "" || fmt.Sprint(list[0].address) != net.JoinHostPort(host, port) {
			t.Errorf("%q is dialled as %q", s, list[0].address)
		}
	})
}
