package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// deadlines is an answer that notes its deadlines.
type deadlines struct {
	*httptest.ResponseRecorder
	set []time.Time
}

func (d *deadlines) SetWriteDeadline(t time.Time) error {
	d.set = append(d.set, t)
	return nil
}

func TestNoAnswerWaitsForAReaderThatTakesNothing(t *testing.T) {
	for name, answer := range map[string]func(http.ResponseWriter){
		"nothing at all":    func(http.ResponseWriter) {},
		"a head only":       func(w http.ResponseWriter) { w.WriteHeader(http.StatusNoContent) },
		"a body":            func(w http.ResponseWriter) { _, _ = w.Write([]byte("x")) },
		"a copied file":     func(w http.ResponseWriter) { _, _ = io.Copy(w, strings.NewReader("x")) },
		"a stream, by hand": func(w http.ResponseWriter) { _ = http.NewResponseController(w).Flush() },
	} {
		t.Run(name, func(t *testing.T) {
			to := &deadlines{ResponseRecorder: httptest.NewRecorder()}
			answer(paceWriter(to))
			if len(to.set) == 0 {
				t.Fatal("written without a deadline")
			}
			for _, at := range to.set {
				if left := time.Until(at); left <= 0 || left > writeStall {
					t.Errorf("a deadline in %v", left)
				}
			}
		})
	}
}

func TestALongAnswerGetsTimeForEachPiece(t *testing.T) {
	to := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	n, err := io.Copy(paceWriter(to), io.LimitReader(endless{}, 1<<20))
	if err != nil || n != 1<<20 || to.Body.Len() != 1<<20 {
		t.Fatalf("%d %v", n, err)
	}
	if len(to.set) < 1<<20/(64<<10) {
		t.Errorf("only %d deadlines for a mebibyte", len(to.set))
	}
}

// endless never ends.
type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }
