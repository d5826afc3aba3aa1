package notify

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/loaxa/loaxa/controller/store"
)

// Exit statuses (sysexits.h) by which a program says that trying again is useless.
const (
	exitData   = 65 // EX_DATAERR: the text cannot be sent
	exitNoUser = 67 // EX_NOUSER: there is no such number
)

// maxText bounds what a short message carries, in characters.
const maxText = 600

// runner has a program deliver a text: its arguments are fixed, so that nothing
// that somebody wrote becomes an option; the number is in LOAXA_TO, the text on
// standard input.
type runner struct{ run []string }

// Send runs the program once. Status 0 is taken, 65 and 67 are refusals.
func (r runner) Send(ctx context.Context, m store.Message) error {
	cmd := exec.CommandContext(ctx, r.run[0], r.run[1:]...)
	cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "LOAXA_TO=" + m.Address, "LOAXA_ID=" + string(m.ID)}
	cmd.Stdin = strings.NewReader(brief(m))
	var said tail
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s took too long: %w", r.run[0], ctx.Err())
	case errors.As(err, &exit) && (exit.ExitCode() == exitData || exit.ExitCode() == exitNoUser):
		return fmt.Errorf("%w: %w: %s", errRefused, err, said.text)
	default:
		return fmt.Errorf("%s: %w: %s", r.run[0], err, said.text)
	}
}

// brief is a message as a telephone shows it.
func brief(m store.Message) string {
	runes := []rune(m.Body)
	if len(runes) <= maxText {
		return m.Body
	}
	return m.Subject + " …\n"
}

// tail keeps the first bytes that a program said; a talkative one fills no memory.
type tail struct{ text []byte }

// Write keeps what fits and takes everything.
func (t *tail) Write(b []byte) (int, error) {
	t.text = append(t.text, b[:min(len(b), 300-min(300, len(t.text)))]...)
	return len(b), nil
}
