package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// line is a listener for one connection in memory, whose time the test owns.
type line struct {
	conn chan net.Conn
	done chan struct{}
}

// Accept returns the connection, and then waits for the end.
func (l line) Accept() (net.Conn, error) {
	select {
	case c := <-l.conn:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// Close ends the listener.
func (l line) Close() error { close(l.done); return nil }

// Addr is nowhere.
func (l line) Addr() net.Addr { return &net.TCPAddr{} }

// upload serves one request in memory: the client sends pieces with pauses
// between them, and the handler reads them paced, then works for a while.
func upload(t *testing.T, work time.Duration, pause time.Duration, pieces ...string) (read string, failed, left error) {
	t.Helper()
	client, server := net.Pipe()
	l := line{conn: make(chan net.Conn, 1), done: make(chan struct{})}
	l.conn <- server
	srv := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := paced(w, r.Body)
		b, err := io.ReadAll(body)
		_, _ = body.Read(make([]byte, 1)) // whoever reads a form looks past its end
		read, failed = string(b), err
		select {
		case <-time.After(work):
		case <-r.Context().Done():
			left = context.Cause(r.Context())
		}
	})}
	go func() { _ = srv.Serve(l) }()
	size := len(strings.Join(pieces, ""))
	var sending sync.WaitGroup
	sending.Go(func() {
		_, _ = fmt.Fprintf(client, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n", size)
		for _, piece := range pieces {
			<-time.After(pause)
			if _, err := io.WriteString(client, piece); err != nil {
				return
			}
		}
	})
	answer, err := http.ReadResponse(bufio.NewReader(client), nil)
	if err == nil {
		_ = answer.Body.Close()
	}
	_ = client.Close()
	sending.Wait()
	_ = srv.Close()
	return read, failed, left
}

func TestAnUploadGoesOnAsLongAsBytesCome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read, failed, left := upload(t, time.Hour, uploadStall-time.Second, "so", "un", "d", "!")
		if read != "sound!" || failed != nil || left != nil {
			t.Errorf("read %q, %v; the client left: %v", read, failed, left)
		}
	})
}

func TestAnUploadThatStandsStillEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		read, failed, _ := upload(t, 0, uploadStall+time.Second, "so", "und")
		if !errors.Is(failed, os.ErrDeadlineExceeded) || read != "" {
			t.Errorf("read %q, %v", read, failed)
		}
	})
}
