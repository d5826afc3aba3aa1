package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// serverLog is the embedded server's voice in the controller's log. Its notices
// are debug lines here, its warnings and errors are rationed, and a fatal line
// ends Serve instead of the process.
type serverLog struct {
	log    *slog.Logger
	ration ration

	mu    sync.Mutex
	fatal error
}

func newServerLog(log *slog.Logger) *serverLog {
	return &serverLog{log: log, ration: ration{now: time.Now, period: time.Minute, limit: 30}}
}

// Noticef records what the server does in ordinary life.
func (l *serverLog) Noticef(format string, v ...any) { l.log.Debug(fmt.Sprintf(format, v...)) }

// Debugf drops what only the server's own authors want to read.
func (l *serverLog) Debugf(string, ...any) {}

// Tracef drops packet traces; they would hold passwords.
func (l *serverLog) Tracef(string, ...any) {}

// Warnf records a warning, within the ration.
func (l *serverLog) Warnf(format string, v ...any) { l.say(slog.LevelWarn, format, v...) }

// Errorf records an error, within the ration. Most of them are refusals, which
// are the caller's fault and not the server's: hence a warning.
func (l *serverLog) Errorf(format string, v ...any) { l.say(slog.LevelWarn, format, v...) }

// Fatalf keeps the reason for which the server gave up.
func (l *serverLog) Fatalf(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fatal = errors.Join(l.fatal, fmt.Errorf(format, v...))
}

// failure returns why the server gave up, or nil while it has not.
func (l *serverLog) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fatal
}

func (l *serverLog) say(level slog.Level, format string, v ...any) {
	fits, suppressed := l.ration.take()
	if !fits {
		return
	}
	var attrs []slog.Attr
	if suppressed > 0 {
		attrs = append(attrs, slog.Int("suppressed_lines", suppressed))
	}
	l.log.LogAttrs(context.Background(), level, fmt.Sprintf(format, v...), attrs...)
}
