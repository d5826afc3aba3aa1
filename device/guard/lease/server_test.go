package lease

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// station is a guard on a socket of this test, in real time.
type station struct {
	path   string
	line   *recordedLine
	keeper *Keeper
	stop   context.CancelFunc
	ended  chan error
}

func newStation(t *testing.T) *station {
	t.Helper()
	s := &station{path: filepath.Join(t.TempDir(), "guard.sock"), line: newRecordedLine(), ended: make(chan error, 1)}
	limits := testLimits()
	limits.MinimumOff = 0
	s.keeper = newTestKeeper(t, s.line, limits)
	listener, err := Listen(s.path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	server := NewServer(listener, s.keeper, slog.New(slog.DiscardHandler))
	go func() { s.ended <- server.Serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if s.line.isClosed() {
			s.line.await(t, false)
		}
	})
	return s
}

func (s *station) client(t *testing.T) *Client {
	t.Helper()
	c := NewClient(s.path)
	t.Cleanup(func() { c.Close() })
	return c
}

// dial is a client that speaks badly.
func (s *station) dial(t *testing.T) net.Conn {
	t.Helper()
	conn, err := net.Dial("unix", s.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestALeaseOverTheSocketClosesAndReleaseOpens(t *testing.T) {
	s := newStation(t)
	c := s.client(t)
	ctx := context.Background()
	must(t, c.Renew(ctx, Lease{Phase: Close}))
	s.line.await(t, true)
	must(t, c.Renew(ctx, Lease{Moving, 960}))
	must(t, c.Renew(ctx, Lease{Moving, 1920}))
	must(t, c.Renew(ctx, Lease{Hold, 1920}))
	must(t, c.Release(ctx))
	s.line.await(t, false)
	var no *Refusal
	if err := c.Renew(ctx, Lease{Moving, 2880}); !errors.As(err, &no) || !strings.Contains(no.Reason, released) {
		t.Errorf("moving on an open line: %v", err)
	}
}

func TestABrokenConnectionOpensTheRelayAtOnce(t *testing.T) {
	s := newStation(t)
	c := s.client(t)
	must(t, c.Renew(context.Background(), Lease{Phase: Close}))
	closed := s.line.await(t, true)
	must(t, c.Close())
	opened := s.line.await(t, false)
	if d := opened.at.Sub(closed.at); d >= testLimits().Expiry {
		t.Errorf("open %v after closing: by expiry, not by the broken connection", d)
	}
}

func TestBadFramesEndTheLease(t *testing.T) {
	for name, frame := range map[string]string{
		"not JSON":        "mở relay\n",
		"unknown request": `{"do":"extend"}` + "\n",
		"too long":        strings.Repeat("a", frameLimit+1),
	} {
		t.Run(name, func(t *testing.T) {
			s := newStation(t)
			conn := s.dial(t)
			fmt.Fprintln(conn, `{"do":"renew","phase":"close"}`)
			s.line.await(t, true)
			fmt.Fprint(conn, frame)
			s.line.await(t, false)
			if _, err := io.ReadAll(conn); errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the connection was kept")
			}
		})
	}
}

func TestStoppingTheServerOpensTheRelayFirst(t *testing.T) {
	s := newStation(t)
	c := s.client(t)
	must(t, c.Renew(context.Background(), Lease{Phase: Close}))
	s.line.await(t, true)
	s.stop()
	must(t, <-s.ended)
	if s.line.isClosed() || !s.line.shut {
		t.Error("Serve returned with the line closed")
	}
	if err := c.Renew(context.Background(), Lease{Phase: Close}); err == nil {
		t.Error("a lease was granted by a guard that has stopped")
	}
}

func TestASocketThatFailsOpensTheRelay(t *testing.T) {
	line := newRecordedLine()
	keeper := newTestKeeper(t, line, testLimits())
	listener, err := Listen(filepath.Join(t.TempDir(), "guard.sock"))
	must(t, err)
	must(t, listener.Close())
	if err := NewServer(listener, keeper, slog.New(slog.DiscardHandler)).Serve(context.Background()); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve returned %v", err)
	}
	if !line.shut {
		t.Error("the keeper was not stopped")
	}
}

func TestIdleStrangersNeverLockTheDaemonOut(t *testing.T) {
	s := newStation(t)
	holder := s.client(t)
	ctx := context.Background()
	must(t, holder.Renew(ctx, Lease{Phase: Close}))
	s.line.await(t, true)
	first := s.dial(t)
	for range 2 * maxClients {
		s.dial(t)
	}
	if _, err := first.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the oldest idle client was not dropped: %v", err)
	}
	must(t, holder.Renew(ctx, Lease{Moving, 1}))
	must(t, holder.Release(ctx))
	s.line.await(t, false)
	late := s.client(t)
	must(t, late.Renew(ctx, Lease{Phase: Close}))
	s.line.await(t, true)
}

func TestTheSocketReplacesADeadOneAndYieldsToALivingOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guard.sock")
	dead, err := Listen(path)
	must(t, err)
	dead.SetUnlinkOnClose(false)
	must(t, dead.Close())
	living, err := Listen(path)
	if err != nil {
		t.Fatalf("dead socket not replaced: %v", err)
	}
	defer living.Close()
	info, err := os.Stat(path)
	must(t, err)
	if info.Mode().Perm() != 0o660 {
		t.Errorf("socket mode %v", info.Mode())
	}
	if _, err := Listen(path); err == nil || !strings.Contains(err.Error(), "another guard") {
		t.Errorf("second guard: %v", err)
	}
}

func TestTheSocketNeverReplacesAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guard.sock")
	must(t, os.WriteFile(path, []byte("keep me"), 0o600))
	if _, err := Listen(path); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("error %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "keep me" {
		t.Errorf("file is now %q, %v", b, err)
	}
}

func TestAClientWithoutAGuardSaysSo(t *testing.T) {
	c := NewClient(filepath.Join(t.TempDir(), "nobody.sock"))
	err := c.Renew(context.Background(), Lease{Phase: Close})
	if err == nil || !strings.Contains(err.Error(), "is loaxa-guard running?") {
		t.Errorf("error %v", err)
	}
	must(t, c.Release(context.Background())) // nothing is held
	must(t, c.Close())
}

func TestAClientOfASilentGuardGivesUpInTime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guard.sock")
	listener, err := Listen(path) // connects, never answers
	must(t, err)
	defer listener.Close()
	c := NewClient(path)
	start := time.Now()
	err = c.Renew(context.Background(), Lease{Phase: Close})
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	if d := time.Since(start); d >= DefaultLimits().Expiry {
		t.Errorf("gave up after %v, when the lease had expired", d)
	}
}

func TestAClientFindsARestartedGuard(t *testing.T) {
	s := newStation(t)
	c := s.client(t)
	must(t, c.Renew(context.Background(), Lease{Phase: Close}))
	s.line.await(t, true)
	s.stop()
	must(t, <-s.ended)
	listener, err := Listen(s.path)
	must(t, err)
	line := newRecordedLine()
	limits := testLimits()
	limits.MinimumOff = 0
	keeper := newTestKeeper(t, line, limits)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- NewServer(listener, keeper, slog.New(slog.DiscardHandler)).Serve(ctx) }()
	if err := c.Renew(context.Background(), Lease{Phase: Close}); err == nil {
		t.Error("the lost connection went unnoticed")
	}
	must(t, c.Renew(context.Background(), Lease{Phase: Close}))
	line.await(t, true)
	cancel()
	must(t, <-ended)
	line.await(t, false)
}

func TestAPanicOpensTheRelayBeforeTheProcessFalls(t *testing.T) {
	line := newRecordedLine()
	line.panics = true
	limits := testLimits()
	limits.MinimumOff = 0
	keeper := newTestKeeper(t, line, limits)
	ours, theirs := net.Pipe()
	s := NewServer(nil, keeper, slog.New(slog.DiscardHandler))
	fell := make(chan any)
	go func() {
		defer func() { fell <- recover() }()
		s.serve(&client{conn: theirs, tenant: keeper.Tenant()})
	}()
	fmt.Fprintln(ours, `{"do":"renew","phase":"close"}`)
	if p := <-fell; p != "relay driver" {
		t.Errorf("the panic became %v", p)
	}
	line.await(t, true)
	line.await(t, false)
}
