package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pack"
	"github.com/loaxa/loaxa/controller/dispatch"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Carrier makes packs and takes the receipts that they bring home; see
// dispatch.Dispatch.
type Carrier interface {
	Pack(ctx context.Context, id broadcast.ID, days int, sounds dispatch.Sounds, w io.Writer) (dispatch.Packed, error)
	Carry(ctx context.Context, node broadcast.ID, r io.Reader) (dispatch.Carried, error)
}

// Bounds of what is carried.
const (
	// maxCarriers is how many packs and files of receipts move at a time.
	maxCarriers = 4
	// maxReceipts is the largest file of receipts in bytes; a node writes no
	// more than 256 batches of 64 KB.
	maxReceipts = 24 << 20
	// maxAbsent is how many missing recordings a pack names.
	maxAbsent = 20
)

// PackedTrailer is the trailer after a pack, a Packed as JSON. A pack that has
// none did not come whole.
const PackedTrailer = "Loaxa-Packed"

// Packed is what went into a pack.
type Packed struct {
	Documents int `json:"documents"`
	Objects   int `json:"objects"`
	// Alone is for how many days the node acts on it without newer lists.
	Alone int `json:"alone_days"`
	// Missing recordings are not at the controller; Absent names the first.
	Missing int      `json:"missing"`
	Absent  []string `json:"absent"`
}

// PackedOf is what a dispatch says that it packed.
func PackedOf(made dispatch.Packed) Packed {
	out := Packed{Documents: made.Documents, Objects: made.Objects, Alone: int(made.Alone / (24 * time.Hour)), Missing: len(made.Absent), Absent: []string{}}
	for _, sum := range made.Absent[:min(len(made.Absent), maxAbsent)] {
		out.Absent = append(out.Absent, string(sum))
	}
	return out
}

// Carried is what a file of receipts brought.
type Carried struct {
	Batches  int `json:"batches" doc:"How many stood in the file"`
	Believed int `json:"believed" doc:"How many of them the confirmed node had sealed; the others are not kept"`
	New      int `json:"new" doc:"Receipts that were not stored before"`
}

type packInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Days int    `query:"days" minimum:"1" maximum:"60" default:"30" doc:"Recordings for how many days ahead"`
}

func (s *server) carriers(r *registry) {
	op := r.operation("get-pack")
	op.Responses["200"] = &huma.Response{Description: "A pack: a tar archive of sealed documents and recordings. The trailer " + PackedTrailer +
		" follows if it is whole: {documents, objects, alone_days, missing, absent}",
		Content: map[string]*huma.MediaType{"application/x-tar": {Schema: &huma.Schema{Type: "string", Format: "binary"}}}}
	huma.Register(r.api, op, func(_ context.Context, in *packInput) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(ctx huma.Context) { s.pack(ctx, broadcast.ID(in.ID), in.Days) }}, nil
	})
	op = r.operation("carry-receipts")
	op.MaxBodyBytes, op.BodyReadTimeout = maxReceipts, -1
	schema := r.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Carried](), true, "Carried")
	op.Responses["200"] = &huma.Response{Description: "Stored; what was not believed is only counted",
		Content: map[string]*huma.MediaType{"application/json": {Schema: schema}}}
	huma.Register(r.api, op, func(_ context.Context, in *idPath) (*huma.StreamResponse, error) {
		return &huma.StreamResponse{Body: func(ctx huma.Context) { s.carry(ctx, broadcast.ID(in.ID)) }}, nil
	})
	// After registering, as for uploads, or the body would be read whole.
	r.api.OpenAPI().Paths[op.Path].Post.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/octet-stream": {
		Schema: &huma.Schema{Type: "string", Format: "binary", Description: "The file NODE.CHAIN.loaxa.receipts as the node left it, at most 24 MB"}}}}
}

// carrying has somebody who may carry for a node do so, when there is a place.
func (s *server) carrying(ctx context.Context, id broadcast.ID, act string, f func() (map[string]string, error)) error {
	c := callerOf(ctx)
	n, err := s.cfg.DB.Node(ctx, id)
	if err != nil {
		return err
	}
	if err := s.cfg.Office.Authorise(c.Person, people.NodeCarry, n.Area); err != nil {
		return err
	}
	select {
	case s.carries <- struct{}{}:
		defer func() { <-s.carries }()
	default:
		return problem(http.StatusServiceUnavailable, "too-many-packs", "several packs are being made: try again in a minute",
			"Đang xuất nhiều gói cùng lúc: hãy thử lại sau một phút.")
	}
	detail, err := f()
	if err != nil {
		return err
	}
	return s.cfg.DB.Update(ctx, func(tx store.Tx) error {
		return tx.Audit(ctx, store.Deed{At: s.now(), Person: c.Person.ID, Act: act, Subject: string(id), Detail: detail})
	})
}

// begun is an answer that is a pack from its first byte on, and may be a problem
// before it.
type begun struct {
	http.ResponseWriter
	name  string
	bytes int64
}

// Write sends a piece of the pack.
func (b *begun) Write(p []byte) (int, error) {
	if b.bytes == 0 {
		h := b.Header()
		h.Set("Content-Type", "application/x-tar")
		h.Set("Content-Disposition", `attachment; filename="`+b.name+`"`)
		h.Set("Cache-Control", "no-store")
		h.Set("Trailer", PackedTrailer)
	}
	n, err := b.ResponseWriter.Write(p)
	b.bytes += int64(n)
	return n, err
}

// pack streams a pack. One that fails on the way is cut off, so that nobody
// takes it for whole.
func (s *server) pack(hctx huma.Context, id broadcast.ID, days int) {
	r, w := humago.Unwrap(hctx)
	ctx := hctx.Context()
	out := &begun{ResponseWriter: w, name: string(id) + pack.Suffix}
	err := s.carrying(ctx, id, "node.export", func() (map[string]string, error) {
		made, err := s.cfg.Carrier.Pack(ctx, id, days, s.cfg.Contents, out)
		if err != nil {
			return nil, err
		}
		return map[string]string{"days": strconv.Itoa(days), "documents": strconv.Itoa(made.Documents)}, trail(w, made)
	})
	if errors.Is(err, dispatch.ErrUnplaced) {
		err = problem(http.StatusConflict, "node-status", err.Error(), "Cụm loa chưa được xác nhận tại chỗ.")
	}
	switch {
	case err != nil && out.bytes > 0:
		s.cfg.Log.Warn("a pack was cut off", "node", id, "error", err)
		panic(http.ErrAbortHandler)
	case err != nil:
		s.refuseError(w, r, err)
	}
}

// trail says at the end of a pack what went into it.
func trail(w http.ResponseWriter, made dispatch.Packed) error {
	b, err := json.Marshal(PackedOf(made))
	if err == nil {
		w.Header().Set(PackedTrailer, string(b))
	}
	return err
}

// carry streams a file of receipts into the ledger.
func (s *server) carry(hctx huma.Context, id broadcast.ID) {
	r, w := humago.Unwrap(hctx)
	ctx := hctx.Context()
	body := http.MaxBytesReader(w, paced(w, r.Body), maxReceipts)
	defer func() { _ = body.Close() }()
	var answer []byte
	err := s.carrying(ctx, id, "node.import", func() (map[string]string, error) {
		got, err := s.cfg.Carrier.Carry(ctx, id, body)
		if err != nil {
			return nil, carryError(err)
		}
		answer, err = json.Marshal(Carried(got))
		return map[string]string{"batches": fmt.Sprint(got.Batches), "new": fmt.Sprint(got.New)}, err
	})
	if err != nil {
		s.refuseError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

// carryError says what of a file of receipts is for a person.
func carryError(err error) error {
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return problem(http.StatusRequestEntityTooLarge, "too-large", "larger than any file of receipts: send NODE.CHAIN.loaxa.receipts as the node left it",
			"Tệp lớn hơn mọi tệp biên nhận: hãy gửi đúng tệp mà cụm loa đã ghi.")
	case errors.Is(err, io.ErrUnexpectedEOF):
		return uploadError(err)
	case errors.Is(err, pack.ErrForm):
		return problem(http.StatusUnprocessableEntity, "receipts-form", "not a file of receipts: send NODE.CHAIN.loaxa.receipts as the node left it",
			"Không phải tệp biên nhận: hãy gửi đúng tệp mà cụm loa đã ghi.")
	}
	return err
}
