package link

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// broker is one place to connect to.
type broker struct {
	address string // host:port
	secure  bool
}

var schemes = map[string]struct {
	secure bool
	port   string
}{
	"tcp": {false, "1883"}, "mqtt": {false, "1883"},
	"ssl": {true, "8883"}, "tls": {true, "8883"}, "mqtts": {true, "8883"},
}

func parseBrokers(urls []string) ([]broker, error) {
	if len(urls) == 0 {
		return nil, errors.New("no broker given: name at least one, like tcp://controller.example:1883")
	}
	var list []broker
	for _, text := range urls {
		u, err := url.Parse(text)
		if err != nil {
			return nil, fmt.Errorf("broker %q is not a URL like tcp://controller.example:1883: %w", text, err)
		}
		scheme, known := schemes[u.Scheme]
		if !known || u.Hostname() == "" || strings.ContainsAny(u.Hostname(), "[]") {
			return nil, fmt.Errorf("broker %q: want tcp://HOST:PORT or ssl://HOST:PORT", text)
		}
		port := u.Port()
		if port == "" {
			port = scheme.port
		}
		list = append(list, broker{address: net.JoinHostPort(u.Hostname(), port), secure: scheme.secure})
	}
	return list, nil
}

// dial connects to b, with TLS where it says so.
func (l *Link) dial(ctx context.Context, b broker) (net.Conn, error) {
	open := l.cfg.Dial
	if open == nil {
		open = dial
	}
	conn, err := open(ctx, "tcp", b.address)
	if err != nil || !b.secure {
		return conn, err
	}
	cfg := &tls.Config{MinVersion: tls.VersionTLS12}
	if l.cfg.TLS != nil {
		cfg = l.cfg.TLS.Clone()
	}
	if cfg.ServerName == "" {
		cfg.ServerName, _, _ = net.SplitHostPort(b.address) // it was joined above
	}
	secure := tls.Client(conn, cfg)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close() // the handshake's error is the one to report
		return nil, err
	}
	return secure, nil
}
