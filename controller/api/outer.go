package api

import (
	"log/slog"
	"net/http"
	"time"
)

// outer is what every answer passes through: addresses that do not exist, and
// headers that keep a browser from doing more than it was told.
type outer struct {
	mux *http.ServeMux
	log *slog.Logger
}

// ServeHTTP answers one request.
func (o outer) ServeHTTP(raw http.ResponseWriter, r *http.Request) {
	w := paceWriter(raw)
	h := w.Header()
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	defer o.recovered(w, r)
	if _, pattern := o.mux.Handler(r); pattern == "" {
		o.nowhere(w, r)
		return
	}
	o.mux.ServeHTTP(w, r)
}

// nowhere tells an unknown address from a wrong method.
func (o outer) nowhere(w http.ResponseWriter, r *http.Request) {
	probe := unheard{header: http.Header{}}
	o.mux.ServeHTTP(&probe, r)
	if probe.status == http.StatusMethodNotAllowed {
		w.Header().Set("Allow", probe.header.Get("Allow"))
		refuse(w, plain(http.StatusMethodNotAllowed, "this address takes "+probe.header.Get("Allow")))
		return
	}
	refuse(w, plain(http.StatusNotFound, "there is no such address; the contract is at /api/openapi.json"))
}

// unheard takes what the mux says of an address that it does not know.
type unheard struct {
	header http.Header
	status int
}

// Header returns the headers.
func (u *unheard) Header() http.Header { return u.header }

// WriteHeader notes the status.
func (u *unheard) WriteHeader(status int) { u.status = status }

// Write drops the body.
func (u *unheard) Write(b []byte) (int, error) { return len(b), nil }

// recovered keeps a panic to the request that caused it.
func (o outer) recovered(w http.ResponseWriter, r *http.Request) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler {
		panic(cause)
	}
	o.log.Error("request panicked", "method", r.Method, "path", r.URL.Path, "cause", cause)
	refuse(w, plain(http.StatusInternalServerError, ""))
}

// NewServer returns an HTTP server that does not wait for slow strangers.
// Bodies have deadlines of their own, so that a long upload over a thin line
// goes on as long as bytes come.
func NewServer(addr string, h http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{Addr: addr, Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
}
