package api

import (
	"io"
	"net/http"
	"time"
)

// writeStall is how long a reader may take for one piece of an answer.
const writeStall = time.Minute

// pacedWriter gives every write a deadline of its own: a reader that takes
// nothing is cut off, one on a thin line is not. The deadline of one answer
// must not meet the next one on the same connection, so it is set anew before
// the first byte of each.
type pacedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
}

func paceWriter(w http.ResponseWriter) pacedWriter {
	p := pacedWriter{ResponseWriter: w, control: http.NewResponseController(w)}
	p.extend()
	return p
}

func (p pacedWriter) extend() {
	_ = p.control.SetWriteDeadline(time.Now().Add(writeStall)) // not every connection has deadlines
}

// Unwrap lets a response controller reach the connection.
func (p pacedWriter) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// WriteHeader begins an answer that may have no body.
func (p pacedWriter) WriteHeader(status int) {
	p.extend()
	p.ResponseWriter.WriteHeader(status)
}

// Write waits at most writeStall for the reader.
func (p pacedWriter) Write(b []byte) (int, error) {
	p.extend()
	return p.ResponseWriter.Write(b)
}

// ReadFrom keeps the pieces small enough for the deadline of each.
func (p pacedWriter) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{p}, r)
}
