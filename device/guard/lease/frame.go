package lease

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// frameLimit bounds one request or answer, newline included.
const frameLimit = 512

// errFrame means that the other side does not speak this protocol. The
// connection ends, and with it whatever it held.
var errFrame = errors.New("not a lease frame")

// request is what a holder sends: one JSON object on one line. Unknown members
// are ignored, so that an older guard understands a newer daemon.
type request struct {
	Do     string `json:"do"` // doRenew, doRelease or doLook
	Phase  Phase  `json:"phase,omitempty"`
	Frames uint64 `json:"frames,omitempty"`
}

// What a request can ask.
const (
	doRenew   = "renew"
	doRelease = "release"
	doLook    = "look"
)

// answer is what the guard says to every request, in order.
type answer struct {
	OK      bool   `json:"ok"`
	Reason  string `json:"reason,omitempty"`
	RetryMS int64  `json:"retry_ms,omitempty"`
	// To a look only.
	Closed bool  `json:"closed,omitempty"`
	Fault  Fault `json:"fault,omitempty"`
}

// answerOf puts the outcome of a request on the wire.
func answerOf(err error) answer {
	if err == nil {
		return answer{OK: true}
	}
	var no *Refusal
	if !errors.As(err, &no) {
		return answer{Reason: cut(err.Error())}
	}
	// Rounded up: a holder that comes back on the dot is not refused again.
	ms := (no.RetryAfter + time.Millisecond - 1) / time.Millisecond
	return answer{Reason: cut(no.Reason), RetryMS: int64(ms)}
}

// err takes the outcome off the wire.
func (a answer) err() error {
	if a.OK {
		return nil
	}
	return &Refusal{Reason: a.Reason, RetryAfter: time.Duration(a.RetryMS) * time.Millisecond}
}

// cut keeps a reason small enough for a frame even when every byte is escaped.
func cut(s string) string {
	const most = 64
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}

// frameReader is a reader that can hold exactly one frame.
func frameReader(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, frameLimit) }

// readFrame reads one line into v. io.EOF means that the other side left
// between frames; anything else that is not a frame is errFrame or the
// reader's own error.
func readFrame(r *bufio.Reader, v any) error {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return fmt.Errorf("%w: longer than %d bytes", errFrame, frameLimit)
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(line, v); err != nil {
		return fmt.Errorf("%w: %w", errFrame, err)
	}
	return nil
}

// writeFrame writes v as one line in one write.
func writeFrame(w io.Writer, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode frame: %w", err)
	}
	if _, err := w.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("write frame: %w", err)
	}
	return nil
}
