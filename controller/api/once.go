package api

import (
	"context"
	"errors"
	"net/http"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

// once names a request that a person wants done at most once.
type once struct {
	person broadcast.ID
	// scope is the kind of thing that is created: keys of different kinds are
	// different keys.
	scope, key string
}

func (o once) name() string { return o.scope + ":" + o.key }

// answered returns what was answered before, if a key was given and used.
func (s *server) answered(ctx context.Context, o once) (store.Answer, bool, error) {
	if o.key == "" {
		return store.Answer{}, false, nil
	}
	a, err := s.cfg.DB.Answer(ctx, o.person, o.name())
	if errors.Is(err, store.ErrNotFound) {
		return a, false, nil
	}
	return a, err == nil, err
}

// remember keeps an answer in the transaction of what it is about.
func (s *server) remember(ctx context.Context, tx store.Tx, o once, request broadcast.Digest, status int, body []byte) error {
	if o.key == "" {
		return nil
	}
	return tx.AddAnswer(ctx, store.Answer{Person: o.person, Name: o.name(), Request: request, Status: int64(status), Body: body, Created: s.now()})
}

// replay gives the earlier answer, if the request is the same.
func replay(old store.Answer, request broadcast.Digest) (int, []byte, error) {
	if old.Request != request {
		return 0, nil, problem(http.StatusConflict, "idempotency-key", "this Idempotency-Key was used for another request: choose a new key",
			"Idempotency-Key này đã dùng cho yêu cầu khác: hãy chọn khoá mới.")
	}
	return int(old.Status), old.Body, nil
}
