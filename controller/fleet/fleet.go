package fleet

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/broker"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/store"
)

// TokenLife is how long a one-time token waits for its first use.
const TokenLife = 90 * 24 * time.Hour

// maxNodes is how many nodes a controller knows, revoked ones included. It is
// what the embedded broker takes in connections.
const maxNodes = 20_000

// Errors that callers tell apart.
var (
	// ErrToken: the one-time token is unknown, used by another key, or too old.
	ErrToken = errors.New("this enrolment token is not valid; ask the district for a new one")
	// ErrCode: the short code is not that of the node's key.
	ErrCode = errors.New("the short code does not match the node's key; read it from the device again")
	// ErrStatus: the node is not in the state that this needs.
	ErrStatus = errors.New("the node is not waiting for this")
	// ErrFull: there are as many nodes as a controller takes.
	ErrFull = errors.New("this controller has as many nodes as it takes; set up another one, or use the name of a revoked node again")
	// ErrBelief: the signature on the node's place is one that the node refuses.
	ErrBelief = errors.New("the node would not believe this signature on its place; let a technician confirm it who acts in that area or above and whose certificate is good")
	// ErrTrim: a trim that no node should have.
	ErrTrim = errors.New("a trim is -2000 to 0 hundredths of a decibel: a node that is softer is not heard in an emergency")
	// ErrArea: the area does not exist today.
	ErrArea = errors.New("this area is not in today's organisation tree")
)

// Office lends what nodes believe of signatures now.
type Office interface {
	Ring(ctx context.Context) (*seal.Keyring, error)
}

// Config is what a fleet works with. Every field but Rand is needed.
type Config struct {
	DB *store.DB
	// Tree is the organisation tree as it is known now.
	Tree   func() broadcast.Tree
	Events *events.Hub
	Office Office
	// Controllers is what nodes are told about where to report.
	Controllers []broadcast.Controller
	// ControllerSecret is the controller's own credential for the broker.
	ControllerSecret string
	Now              func() time.Time
	Log              *slog.Logger
	// Rand defaults to crypto/rand.
	Rand io.Reader
}

// Fleet is the controller's knowledge of its nodes.
type Fleet struct {
	cfg   Config
	hints hints
	ills  ills
	most  int64
}

// New returns a fleet over a database.
func New(cfg Config) *Fleet {
	if cfg.Rand == nil {
		cfg.Rand = rand.Reader
	}
	return &Fleet{cfg: cfg, most: maxNodes, hints: hints{waiting: map[broadcast.ID]store.Hints{}, last: map[broadcast.ID]store.Hints{}}}
}

func (f *Fleet) now() broadcast.Instant { return broadcast.InstantOf(f.cfg.Now()) }

// Chain returns the areas that a node belongs to today, from the top.
func (f *Fleet) Chain(area broadcast.ID) ([]broadcast.Place, error) {
	chain, err := f.cfg.Tree().Chain(area, f.now())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrArea, err)
	}
	return chain, nil
}

// Within returns the ids of confirmed nodes in any of the areas, in order.
func (f *Fleet) Within(ctx context.Context, areas []broadcast.ID) ([]broadcast.ID, error) {
	nodes, err := f.cfg.DB.Nodes(ctx)
	if err != nil {
		return nil, err
	}
	var out []broadcast.ID
	for _, n := range nodes {
		chain, err := f.Chain(n.Area)
		if err != nil || n.Status != store.Confirmed {
			continue
		}
		if (broadcast.Assignment{Chain: chain}).Within(areas) {
			out = append(out, n.ID)
		}
	}
	return out, nil
}

// ControllerUser is the controller's own name at the broker. It is no node id.
const ControllerUser = "@controller"

// Authorise says what a credential may do at the broker: a node its own topics
// and those of its areas, the controller its own side of the layout.
func (f *Fleet) Authorise(username, password string) (broker.Rights, bool) {
	if username == ControllerUser {
		ok := subtle.ConstantTimeCompare([]byte(password), []byte(f.cfg.ControllerSecret)) == 1
		return controllerRights(), ok && password != ""
	}
	n, err := f.Credential(context.Background(), broadcast.ID(username), password)
	if err != nil {
		return broker.Rights{}, false
	}
	return f.nodeRights(context.Background(), n), true
}

// Credential returns the node that a name and secret belong to, unless it was
// revoked. The error does not say which of the two was wrong.
func (f *Fleet) Credential(ctx context.Context, id broadcast.ID, secret string) (store.Node, error) {
	refused := errors.New("unknown node or wrong secret")
	if id.Validate() != nil || secret == "" {
		return store.Node{}, refused
	}
	n, err := f.cfg.DB.Node(ctx, id)
	if err != nil || n.Status == store.Revoked || n.SecretHash == "" {
		return store.Node{}, refused
	}
	if subtle.ConstantTimeCompare([]byte(broadcast.Sum([]byte(secret))), []byte(n.SecretHash)) != 1 {
		return store.Node{}, refused
	}
	return n, nil
}

func (f *Fleet) secret() (string, error) {
	b := make([]byte, 32)
	if _, err := io.ReadFull(f.cfg.Rand, b); err != nil {
		return "", fmt.Errorf("random secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}
