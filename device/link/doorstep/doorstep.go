// Package doorstep takes what somebody brings to the loudspeaker over its own
// LAN or Wi-Fi, such as an officer's phone when nothing else gets through.
//
// It promises that whoever stands there is nobody: there is no login, no
// session and no right. A document is believed for its seals or not at all,
// exactly like one that the broker brings, and a recording only if a document
// held already names it and its bytes have that hash. Nothing that is asked
// here changes what the node does, and no answer tells a secret: receipts and
// documents are public to whoever holds them. It is off unless the card's
// provisioning file names an address, and bounded in everything: requests at a
// time, requests in a minute, bytes, and time.
//
// How: plain HTTP, because a node has no name that a certificate could bear and
// the seals do what TLS would. POST /document, PUT /content/{sha256}, GET
// /receipts and GET /state.
package doorstep

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pack"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node"
)

// Node is who takes what is brought; see node.Node.
type Node interface {
	Offer(ctx context.Context, raw []byte) error
	Take(ctx context.Context, sum broadcast.Digest, size int64, r io.ReadSeeker) error
	Receipts(ctx context.Context) (node.Told, error)
}

// Config is what a doorstep works with; all of it is needed.
type Config struct {
	// Name is the node's.
	Name broadcast.ID
	Node Node
	Log  *slog.Logger
}

// MaxContent is the largest recording that is taken here, in bytes: it is
// held in memory until its hash is known. Ten minutes of speech fit; longer ones
// come on a stick.
const MaxContent = 2 << 20

const (
	atOnce    = 4
	perMinute = 240
	patience  = 30 * time.Second
	headBytes = 4 << 10
)

// Doorstep answers. Make one with New.
type Doorstep struct {
	cfg    Config
	places chan struct{}
	ration ration
}

// New returns a doorstep that does nothing until Serve.
func New(cfg Config) *Doorstep {
	return &Doorstep{cfg: cfg, places: make(chan struct{}, atOnce)}
}

// Serve answers on a listener until ctx ends, and closes it.
func (d *Doorstep) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{Handler: d.Handler(), ReadTimeout: patience, WriteTimeout: patience, IdleTimeout: patience, MaxHeaderBytes: headBytes,
		ErrorLog: slog.NewLogLogger(d.cfg.Log.Handler(), slog.LevelDebug)}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() }) // whoever asks then has no more to expect
	defer stop()
	if err := srv.Serve(limited(l)); err != nil && ctx.Err() == nil {
		return fmt.Errorf("doorstep: %w", err)
	}
	return ctx.Err()
}

// Handler answers single requests, inside the bounds.
func (d *Doorstep) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /document", d.document)
	mux.HandleFunc("PUT /content/{sha256}", d.content)
	mux.HandleFunc("GET /receipts", d.receipts)
	mux.HandleFunc("GET /state", d.state)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case d.places <- struct{}{}:
			defer func() { <-d.places }()
		default:
			say(w, http.StatusServiceUnavailable, "others are being answered: try again in a moment")
			return
		}
		if !d.ration.take(time.Now()) {
			say(w, http.StatusTooManyRequests, "too many requests: try again in a minute")
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// answer is what became of something that was brought.
type answer struct {
	Taken  bool   `json:"taken"`
	Detail string `json:"detail"`
}

func say(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer{status < 300, detail}) // who is gone needs no answer
}

// document hands over one sealed document.
func (d *Doorstep) document(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, wire.MaxMessage))
	if err != nil {
		say(w, http.StatusRequestEntityTooLarge, "the document did not come whole, or is larger than any")
		return
	}
	err = d.cfg.Node.Offer(r.Context(), raw)
	switch {
	case err == nil:
		say(w, http.StatusOK, "believed: the node holds it")
	case errors.Is(err, node.ErrWaits):
		say(w, http.StatusAccepted, "not judged yet: hand over the authority of its area too")
	default:
		d.cfg.Log.Debug("a document at the doorstep is not believed", "err", err)
		say(w, http.StatusUnprocessableEntity, "not believed: "+err.Error())
	}
}

// content hands over one recording or running order.
func (d *Doorstep) content(w http.ResponseWriter, r *http.Request) {
	sum := broadcast.Digest(r.PathValue("sha256"))
	if sum.Validate() != nil {
		say(w, http.StatusNotFound, "a recording is named by its SHA-256 in lower case")
		return
	}
	if r.ContentLength > MaxContent {
		say(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("larger than %d bytes: bring it on a stick", MaxContent))
		return
	}
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxContent))
	if err != nil {
		say(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("it did not come whole, or is larger than %d bytes: bring it on a stick", MaxContent))
		return
	}
	err = d.cfg.Node.Take(r.Context(), sum, int64(len(raw)), bytes.NewReader(raw))
	switch {
	case err == nil:
		say(w, http.StatusOK, "taken")
	case errors.Is(err, node.ErrUnwanted):
		say(w, http.StatusConflict, "not needed: it is here, or no document that the node believes names it; hand over the document first")
	default:
		d.cfg.Log.Debug("a recording at the doorstep was not taken", "sum", sum.Short(), "err", err)
		say(w, http.StatusUnprocessableEntity, "not taken: "+err.Error())
	}
}

// receipts gives what no controller acknowledged, in the form of a stick's file.
func (d *Doorstep) receipts(w http.ResponseWriter, r *http.Request) {
	told, err := d.cfg.Node.Receipts(r.Context())
	if err != nil {
		say(w, http.StatusServiceUnavailable, "no receipts now: "+err.Error())
		return
	}
	if len(told.Batches) == 0 {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="`+pack.ReceiptsName(d.cfg.Name, told.Chain)+`"`)
	_ = pack.WriteReceipts(w, told.Batches) // who is gone needs no receipts
}

// State is what the node says of itself at the door: hints, and no evidence.
type State struct {
	Node  broadcast.ID `json:"node"`
	Chain broadcast.ID `json:"chain"`
	// Untold is the last receipt that waits for an acknowledgement, 0 for none.
	Untold int64 `json:"untold"`
}

func (d *Doorstep) state(w http.ResponseWriter, r *http.Request) {
	told, err := d.cfg.Node.Receipts(r.Context())
	if err != nil {
		say(w, http.StatusServiceUnavailable, err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(State{d.cfg.Name, told.Chain, told.Upto})
}
