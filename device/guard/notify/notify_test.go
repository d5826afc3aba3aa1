package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// manager is a service manager's end: a real socket, as systemd has one.
func manager(t *testing.T, name string) (*net.UnixConn, map[string]string) {
	t.Helper()
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return conn, map[string]string{"NOTIFY_SOCKET": name}
}

// hear is the next datagram.
func hear(t *testing.T, conn *net.UnixConn) string {
	t.Helper()
	buf := make([]byte, 4096)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

func from(env map[string]string) func(string) string {
	return func(key string) string { return env[key] }
}

func started(t *testing.T, env map[string]string) *Watch {
	t.Helper()
	w, err := Started(from(env), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestAProgramSaysReadyThenSignsOfLifeThenStopping(t *testing.T) {
	for kind, name := range map[string]string{
		"path":     filepath.Join(t.TempDir(), "notify"),
		"abstract": fmt.Sprintf("@loaxa-test-%d", os.Getpid()),
	} {
		t.Run(kind, func(t *testing.T) {
			conn, env := manager(t, name)
			env["WATCHDOG_USEC"], env["WATCHDOG_PID"] = "60000", strconv.Itoa(os.Getpid())
			ctx, cancel := context.WithCancel(t.Context())
			over := make(chan struct{})
			turns := 0
			go func() {
				defer close(over)
				started(t, env).Serve(ctx, time.Hour, func(context.Context) (string, error) {
					if turns++; turns < 3 {
						return "relay open\nby its guard", nil
					}
					return "relay closed", nil
				})
			}()
			for _, want := range []string{"READY=1\nWATCHDOG=1\nSTATUS=relay open by its guard", "WATCHDOG=1", "WATCHDOG=1\nSTATUS=relay closed"} {
				if got := hear(t, conn); got != want {
					t.Errorf("told %q, want %q", got, want)
				}
			}
			cancel()
			<-over
			last := ""
			for !strings.Contains(last, "STOPPING") {
				last = hear(t, conn)
			}
			if last != "STOPPING=1" {
				t.Errorf("told %q at the end", last)
			}
		})
	}
}

// turned counts the turns of a loop that is asked under a watch of w's limit.
func turned(w *Watch, every, span time.Duration, turn Turn) {
	ctx, cancel := context.WithTimeout(context.Background(), span)
	defer cancel()
	w.Serve(ctx, every, turn)
}

func TestALoopThatHangsGivesNoSignOfLife(t *testing.T) {
	conn, env := manager(t, filepath.Join(t.TempDir(), "notify"))
	env["WATCHDOG_USEC"] = "9000000"
	w := started(t, env)
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		turned(w, time.Minute, time.Hour, func(ctx context.Context) (string, error) {
			if asked++; asked == 3 {
				<-ctx.Done()
				return "", ctx.Err()
			}
			return "", nil
		})
	})
	for _, want := range []string{"READY=1\nWATCHDOG=1", "WATCHDOG=1", "STOPPING=1"} {
		if got := hear(t, conn); got != want {
			t.Fatalf("told %q, want %q", got, want)
		}
	}
}

func TestALoopThatFailsIsAskedAgainAndNotReadyBefore(t *testing.T) {
	conn, env := manager(t, filepath.Join(t.TempDir(), "notify"))
	w := started(t, env)
	synctest.Test(t, func(t *testing.T) {
		began, asked := time.Now(), 0
		var at time.Duration
		turned(w, 10*time.Second, 25*time.Second, func(context.Context) (string, error) {
			if asked++; asked <= 4 {
				return "", errors.New("opening the card")
			}
			at = time.Since(began)
			return "", nil
		})
		if asked != 7 || at != 21*time.Second {
			t.Errorf("asked %d times, the last after %v: want every 250 ms until ready and every 10 s then", asked, at)
		}
	})
	if got := hear(t, conn); got != "READY=1" {
		t.Errorf("told %q, want ready, and no sign of life where nobody watches", got)
	}
	if got := hear(t, conn); got != "STOPPING=1" {
		t.Errorf("told %q", got)
	}
}

func TestSignsOfLifeComeThriceInTheTimeAllowed(t *testing.T) {
	for name, c := range map[string]struct {
		usec  string
		every time.Duration
		want  int // in a minute
	}{
		"watched":         {"30000000", time.Hour, 6},
		"asked for more":  {"30000000", 5 * time.Second, 12},
		"nobody watches":  {"", 20 * time.Second, 3},
		"somebody else's": {"3000000", 20 * time.Second, 3},
	} {
		t.Run(name, func(t *testing.T) {
			env := map[string]string{"WATCHDOG_USEC": c.usec}
			if name == "somebody else's" {
				env["WATCHDOG_PID"] = "1"
			}
			w := started(t, env)
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				turned(w, c.every, time.Minute-time.Millisecond, func(context.Context) (string, error) { asked++; return "", nil })
				if asked != c.want {
					t.Errorf("asked %d times in a minute, want %d", asked, c.want)
				}
			})
		})
	}
}

func TestAManagerThatIsGoneStopsNothing(t *testing.T) {
	var told strings.Builder
	w, err := Started(from(map[string]string{"NOTIFY_SOCKET": filepath.Join(t.TempDir(), "gone")}), slog.New(slog.NewTextHandler(&told, nil)))
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	ctx, cancel := context.WithCancel(t.Context())
	w.Serve(ctx, time.Millisecond, func(context.Context) (string, error) {
		if asked++; asked == 3 {
			cancel()
		}
		return fmt.Sprint("turn ", asked), nil
	})
	if asked != 3 || !strings.Contains(told.String(), "was not told") {
		t.Errorf("asked %d times; log: %s", asked, told.String())
	}
}

func TestAnEnvironmentThatSaysNonsenseIsRefused(t *testing.T) {
	for _, env := range []map[string]string{
		{"NOTIFY_SOCKET": "vsock:2:1234"}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "-1"}, {"WATCHDOG_USEC": "99999999999999"},
	} {
		if w, err := Started(from(env), slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("%v gives %+v", env, w)
		}
	}
}

func TestAStatusIsOneShortLine(t *testing.T) {
	if got := line(" two\nlines\t of it "); got != "two lines of it" {
		t.Errorf("%q", got)
	}
	if got := line(strings.Repeat("ơ", 400)); len(got) > maxStatus+2 || strings.Trim(got, "ơ") != "" {
		t.Errorf("%d bytes, %q", len(got), got)
	}
}
