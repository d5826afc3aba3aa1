// Package notify tells the service manager how a program is, in the words of
// sd_notify(3).
//
// What always holds: a sign of life is sent only after the program's own loop
// has really turned, never by a clock of this package, so a program that hangs
// falls silent and is restarted; "ready" comes with the first turn and
// "stopping" before the end; what cannot be told never stops the program. A
// program that nobody watches goes through the same steps and tells nobody.
//
// How: one datagram a word to the socket that NOTIFY_SOCKET names, at a third
// of the time that WATCHDOG_USEC allows. The package needs the standard library
// only.
package notify

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// Turn asks the program's loop for one turn and returns when the loop has made
// it, with one line that says what the program is doing. A loop that hangs
// makes it hang, until ctx ends. After an error there is no sign of life.
type Turn func(ctx context.Context) (status string, err error)

const (
	// tellWithin bounds the writing of one datagram.
	tellWithin = time.Second
	// startEvery is how often a program that is not ready yet is asked.
	startEvery = 250 * time.Millisecond
	// maxStatus bounds the line that people see in the list of services.
	maxStatus = 200
)

// Watch is the service manager's watch over one program.
type Watch struct {
	socket string        // where it listens; empty: nobody does
	limit  time.Duration // a program silent for longer is restarted; 0: none is
	log    *slog.Logger
}

// Started is the watch under which the environment says that this program was
// started. An environment that says nonsense is an error: the program would be
// killed as one that hangs.
func Started(getenv func(string) string, log *slog.Logger) (*Watch, error) {
	w := &Watch{socket: getenv("NOTIFY_SOCKET"), log: log}
	if w.socket != "" && w.socket[0] != '/' && w.socket[0] != '@' {
		return nil, fmt.Errorf("notify: NOTIFY_SOCKET is %q: only paths and abstract names are spoken to", w.socket)
	}
	usec, pid := getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID")
	if usec == "" || pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return w, nil // nobody watches, or somebody else is watched
	}
	n, err := strconv.ParseInt(usec, 10, 64)
	if err != nil || n <= 0 || n > int64(24*time.Hour/time.Microsecond) {
		return nil, fmt.Errorf("notify: WATCHDOG_USEC is %q: not a number of microseconds of at most a day", usec)
	}
	w.limit = time.Duration(n) * time.Microsecond
	return w, nil
}

// Serve asks for a turn now and then, at least once in every, and tells what
// came of it until ctx ends. It then says that the program is stopping.
func (w *Watch) Serve(ctx context.Context, every time.Duration, turn Turn) {
	if w.limit > 0 {
		every = min(every, w.limit/3)
	}
	ready, before := false, ""
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			w.tell("STOPPING=1")
			return
		case <-timer.C:
		}
		status, err := turn(ctx)
		switch {
		case ctx.Err() != nil:
			continue
		case err != nil:
			w.log.Warn("no sign of life", "reason", err)
		default:
			w.tell(words(!ready, w.limit > 0, before, status))
			ready, before = true, status
		}
		timer.Reset(pause(ready, every))
	}
}

func pause(ready bool, every time.Duration) time.Duration {
	if ready {
		return every
	}
	return min(startEvery, every)
}

// words are what one turn gives to tell; none if nothing is new.
func words(first, watched bool, before, status string) string {
	var all []string
	if first {
		all = append(all, "READY=1")
	}
	if watched {
		all = append(all, "WATCHDOG=1")
	}
	if status != before {
		all = append(all, "STATUS="+line(status))
	}
	return strings.Join(all, "\n")
}

// line keeps a status to what one line holds.
func line(status string) string {
	clean := strings.Join(strings.Fields(status), " ")
	for i := range clean {
		if i > maxStatus {
			return clean[:i]
		}
	}
	return clean
}

// tell sends one datagram. A manager that does not listen is for the log: what
// the program is for goes on.
func (w *Watch) tell(text string) {
	if w.socket == "" || text == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: w.socket, Net: "unixgram"})
	if err != nil {
		w.log.Warn("the service manager was not told", "err", err)
		return
	}
	defer func() { _ = conn.Close() }() // a datagram is sent or not, whatever Close says
	_ = conn.SetWriteDeadline(time.Now().Add(tellWithin))
	if _, err := conn.Write([]byte(text)); err != nil {
		w.log.Warn("the service manager was not told", "err", err)
	}
}
