package node

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/store"
)

// The registers of a node's identity.
const (
	shelfKey      = "key"
	shelfEnrolled = "enrolled"
)

// ErrRefusedEnrolment means that the controller was reached and does not take
// the node; asking again with the same token will not help.
var ErrRefusedEnrolment = errors.New("the controller refuses the enrolment")

// Candidate is a node that asks to be enrolled.
type Candidate struct {
	// Controller is the base address of its API.
	Controller string
	Node       broadcast.ID
	// Token is good for one key.
	Token string
	// Board names the profile.
	Board string
	// Pin is the fingerprint of the root, given out of band.
	Pin broadcast.Digest
	// Demo says that a root for training is meant.
	Demo bool
}

// OwnKey returns the node's key, making it at the first boot. It never leaves
// the registers, whose files only their owner can read.
func OwnKey(r *store.Registers, entropy io.Reader) (ed25519.PrivateKey, error) {
	seed, err := r.Get(shelfKey)
	switch {
	case err == nil && len(seed) == ed25519.SeedSize:
		return ed25519.NewKeyFromSeed(seed), nil
	case err == nil || errors.Is(err, store.ErrCorrupt):
		return nil, fmt.Errorf("the node's key on the card is damaged: put in a fresh card and enrol again with a new token (%w)", errors.Join(err, store.ErrCorrupt))
	case !errors.Is(err, store.ErrAbsent):
		return nil, fmt.Errorf("read the node's key: %w", err)
	}
	_, key, err := ed25519.GenerateKey(orSystem(entropy))
	if err != nil {
		return nil, fmt.Errorf("make the node's key: %w", err)
	}
	if err := r.Put(shelfKey, key.Seed()); err != nil {
		return nil, fmt.Errorf("keep the node's key: %w", err)
	}
	return key, nil
}

// Enrolled returns what the controller said at enrolment, and whether the node
// enrolled at all.
func Enrolled(r *store.Registers) (wire.Enrolled, bool, error) {
	raw, err := r.Get(shelfEnrolled)
	if errors.Is(err, store.ErrAbsent) || errors.Is(err, store.ErrCorrupt) {
		return wire.Enrolled{}, false, nil // the same key may show its token again
	}
	if err != nil {
		return wire.Enrolled{}, false, fmt.Errorf("read the enrolment: %w", err)
	}
	e, err := wire.DecodeEnrolled(raw)
	if err != nil {
		return wire.Enrolled{}, false, fmt.Errorf("read the enrolment: %w", err)
	}
	return e, true, nil
}

// Enrol shows the one-time token and keeps the credentials that it is given. It
// believes nothing of the answer but roots that lead to the pin. The error
// wraps ErrRefusedEnrolment where asking again is of no use.
func Enrol(ctx context.Context, client *http.Client, c Candidate, key ed25519.PrivateKey, r *store.Registers) (wire.Enrolled, error) {
	body, err := json.Marshal(wire.Enrolment{Node: c.Node, Token: c.Token, Board: c.Board}.Prove(key))
	if err != nil {
		return wire.Enrolled{}, fmt.Errorf("enrol: %w", err)
	}
	raw, err := ask(ctx, client, strings.TrimSuffix(c.Controller, "/")+"/api/v1/enrolments", body)
	if err != nil {
		return wire.Enrolled{}, fmt.Errorf("enrol %s: %w", c.Node, err)
	}
	e, err := wire.DecodeEnrolled(raw)
	if err != nil {
		return wire.Enrolled{}, fmt.Errorf("enrol %s: the answer is not understood: %w", c.Node, err)
	}
	if e.Node != c.Node {
		return wire.Enrolled{}, fmt.Errorf("enrol %s: the answer is for node %s", c.Node, e.Node)
	}
	if _, err := seal.NewKeyring(c.Pin, e.Roots, c.Demo); err != nil {
		return wire.Enrolled{}, fmt.Errorf("enrol %s: %w: this is not the authority that the provisioning file names: %w", c.Node, ErrRefusedEnrolment, err)
	}
	if err := r.Put(shelfEnrolled, raw); err != nil {
		return wire.Enrolled{}, fmt.Errorf("enrol %s: keep the credentials: %w", c.Node, err)
	}
	return e, nil
}

// maxAnswer bounds what a controller can make a node read.
const maxAnswer = 64 << 10

// ask posts JSON and returns the body of a good answer. A 4xx answer is final,
// except for those that say to come back later.
func ask(ctx context.Context, client *http.Client, url string, body []byte) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefusedEnrolment, err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // read as far as it is wanted
	raw, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, err
	}
	switch code := response.StatusCode; {
	case code == http.StatusOK || code == http.StatusCreated:
		return raw, nil
	case code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code >= 500:
		return nil, fmt.Errorf("the controller answers %s: %s", response.Status, problem(raw))
	default:
		return nil, fmt.Errorf("%w: %s: %s", ErrRefusedEnrolment, response.Status, problem(raw))
	}
}

// problem is what a problem document (RFC 9457) says.
func problem(raw []byte) string {
	var p struct{ Title, Detail string }
	if json.Unmarshal(raw, &p) != nil || p.Title == "" && p.Detail == "" {
		said := strings.Join(strings.Fields(string(raw)), " ")
		return strings.ToValidUTF8(said[:min(len(said), 200)], "")
	}
	return strings.TrimPrefix(p.Title+": "+p.Detail, ": ")
}
