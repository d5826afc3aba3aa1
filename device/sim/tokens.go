package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// Invitations are the one-time tokens of nodes, and the fingerprint of the root
// that they shall obey.
type Invitations struct {
	Fingerprint broadcast.Digest `json:"fingerprint"`
	Tokens      []Invitation     `json:"tokens"`
}

// Invitation is the token of one node.
type Invitation struct {
	Node  broadcast.ID `json:"node"`
	Token string       `json:"token"`
}

// errFinal means that asking again will not help.
var errFinal = errors.New("the controller refuses")

const (
	maxAnswer = 4 << 20
	askPause  = 2 * time.Second
	perCall   = 500 // nodes in one question
)

// invite gets tokens for the places. A controller that does not answer yet is
// asked again until ctx ends.
func (s *Sim) invite(ctx context.Context, places []Place) (Invitations, error) {
	var all Invitations
	for len(places) > 0 {
		k := min(perCall, len(places))
		got, err := s.insist(ctx, places[:k])
		if err != nil {
			return all, err
		}
		all.Fingerprint = got.Fingerprint
		all.Tokens = append(all.Tokens, got.Tokens...)
		places = places[k:]
	}
	return all, nil
}

func (s *Sim) insist(ctx context.Context, places []Place) (Invitations, error) {
	for {
		got, err := s.ask(ctx, places)
		if err == nil || errors.Is(err, errFinal) || ctx.Err() != nil {
			return got, err
		}
		s.cfg.Log.Warn("waiting for the controller", "controller", s.cfg.Controller, "reason", err)
		timer := time.NewTimer(askPause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return Invitations{}, ctx.Err()
		}
	}
}

// ask asks once: a demo controller gives tokens to anybody, another one to a
// technician's token.
func (s *Sim) ask(ctx context.Context, places []Place) (Invitations, error) {
	path := "/api/v1/demo/enrolment-tokens"
	if s.cfg.Token != "" {
		path = "/api/v1/enrolment-tokens"
	}
	body, err := json.Marshal(map[string]any{"nodes": places})
	if err != nil {
		return Invitations{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(s.cfg.Controller, "/")+path, bytes.NewReader(body))
	if err != nil {
		return Invitations{}, fmt.Errorf("%w: %w", errFinal, err)
	}
	request.Header.Set("Content-Type", "application/json")
	if s.cfg.Token != "" {
		request.Header.Set("Authorization", "Bearer "+s.cfg.Token)
	}
	response, err := s.client.Do(request)
	if err != nil {
		return Invitations{}, err
	}
	defer func() { _ = response.Body.Close() }() // read as far as it is wanted
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return Invitations{}, err
	}
	return judge(response.StatusCode, raw)
}

func judge(code int, raw []byte) (Invitations, error) {
	var got Invitations
	switch {
	case code == http.StatusNotFound:
		return got, fmt.Errorf("%w: it is no demo, or is not a Loaxa controller; give a technician's token with --token", errFinal)
	case code >= 500 || code == http.StatusTooManyRequests:
		return got, fmt.Errorf("the controller answers %d", code)
	case code != http.StatusOK && code != http.StatusCreated:
		return got, fmt.Errorf("%w: %d: %.300s", errFinal, code, raw)
	}
	if err := json.Unmarshal(raw, &got); err != nil {
		return got, fmt.Errorf("%w: its answer is not understood: %w", errFinal, err)
	}
	if err := got.Fingerprint.Validate(); err != nil {
		return got, fmt.Errorf("%w: it gives no fingerprint: %w", errFinal, err)
	}
	return got, nil
}
