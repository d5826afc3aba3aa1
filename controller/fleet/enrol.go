package fleet

import (
	"context"
	"errors"
	"fmt"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/store"
)

// Invitation is a node's name with the area that it shall stand in.
type Invitation struct {
	Node broadcast.ID
	Area broadcast.ID
}

// Invite makes a one-time token for a new node, or a new one for a node that
// has not enrolled yet or was revoked. The token is returned once and stored as
// its digest. A node that is in use is ErrStatus.
func (f *Fleet) Invite(ctx context.Context, by broadcast.ID, in Invitation) (string, error) {
	if err := in.Node.Validate(); err != nil {
		return "", err
	}
	if _, err := f.Chain(in.Area); err != nil {
		return "", err
	}
	token, err := f.secret()
	if err != nil {
		return "", err
	}
	err = f.cfg.DB.Update(ctx, func(tx store.Tx) error {
		n := store.Node{ID: in.Node, Area: in.Area, Status: store.Invited,
			TokenHash: broadcast.Sum([]byte(token)), TokenUntil: f.now().Add(TokenLife)}
		old, err := tx.Node(ctx, in.Node)
		switch {
		case errors.Is(err, store.ErrNotFound):
			err = f.add(ctx, tx, n)
		case err == nil && (old.Status == store.Pending || old.Status == store.Confirmed):
			err = fmt.Errorf("node %s is %s: %w", in.Node, old.Status, ErrStatus)
		case err == nil:
			err = tx.SaveNode(ctx, n)
		}
		if err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: f.now(), Person: by, Act: "node.invite", Subject: string(in.Node), Detail: in})
	})
	return token, err
}

// add stores a new node as long as there is room.
func (f *Fleet) add(ctx context.Context, tx store.Tx, n store.Node) error {
	have, err := tx.CountNodes(ctx)
	if err != nil {
		return err
	}
	if have >= f.most {
		return fmt.Errorf("node %s: %w", n.ID, ErrFull)
	}
	return tx.AddNode(ctx, n)
}

// Enrol makes a node's own key known. The token is spent by the first key that
// shows it; the same key may show it again, because answers get lost, and gets
// a new secret. Roots are handed out for the node to check against its pin.
func (f *Fleet) Enrol(ctx context.Context, e wire.Enrolment, roots []broadcast.Envelope) (wire.Enrolled, error) {
	// Strangers may ask: they are turned away before they take the one place
	// where an approval is written, too.
	if n, err := f.cfg.DB.Node(ctx, e.Node); err != nil || !f.tokenFits(n, e) {
		return wire.Enrolled{}, fmt.Errorf("node %s: %w", e.Node, ErrToken)
	}
	secret, err := f.secret()
	if err != nil {
		return wire.Enrolled{}, err
	}
	code, err := wire.ShortCode(e.Key)
	if err != nil {
		return wire.Enrolled{}, err
	}
	err = f.cfg.DB.Update(ctx, func(tx store.Tx) error {
		n, err := tx.Node(ctx, e.Node)
		if err != nil || !f.tokenFits(n, e) {
			return fmt.Errorf("node %s: %w", e.Node, ErrToken)
		}
		n.SecretHash = broadcast.Sum([]byte(secret))
		if n.Status == store.Invited {
			n.Key, n.Board, n.Status, n.Enrolled = e.Key, e.Board, store.Pending, f.now()
			if err := tx.EndDoubt(ctx, n.ID); err != nil { // its old key says nothing any more
				return err
			}
		}
		if err := tx.SaveNode(ctx, n); err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: f.now(), Act: "node.enrol", Subject: string(e.Node), Detail: map[string]string{"code": code, "board": e.Board}})
	})
	if err != nil {
		return wire.Enrolled{}, err
	}
	f.cfg.Events.Publish(events.Event{Kind: events.Node, ID: e.Node})
	return wire.Enrolled{Node: e.Node, Secret: secret, Controllers: f.cfg.Controllers, Roots: roots, ShortCode: code}, nil
}

func (f *Fleet) tokenFits(n store.Node, e wire.Enrolment) bool {
	if n.TokenHash == "" || broadcast.Sum([]byte(e.Token)) != n.TokenHash {
		return false
	}
	if n.Status == store.Invited {
		return f.now() <= n.TokenUntil
	}
	return n.Status != store.Revoked && n.Key == e.Key
}

// Confirm takes a pending node into the fleet: somebody compared the short code
// on site, and signs the node's place.
func (f *Fleet) Confirm(ctx context.Context, by broadcast.ID, id broadcast.ID, code string, signer seal.Signer) error {
	n, err := f.cfg.DB.Node(ctx, id)
	if err != nil {
		return err
	}
	want, err := wire.ShortCode(n.Key)
	if n.Status != store.Pending || err != nil {
		return fmt.Errorf("node %s is %s: %w", id, n.Status, ErrStatus)
	}
	if code != want {
		return fmt.Errorf("node %s: %w", id, ErrCode)
	}
	doc, raw, err := f.place(ctx, n, signer)
	if err != nil {
		return err
	}
	err = f.cfg.DB.Update(ctx, func(tx store.Tx) error {
		now, err := tx.Node(ctx, id)
		if err != nil {
			return err
		}
		// It may have been revoked and invited again meanwhile: the code was that
		// of this key, the signature is for this place.
		if now.Status != store.Pending || now.Key != n.Key || now.Area != n.Area {
			return fmt.Errorf("node %s is %s, and changed meanwhile: %w", id, now.Status, ErrStatus)
		}
		n := now
		n.Assignment, err = tx.PutDocument(ctx, store.Document{Kind: broadcast.KindAssignment, ID: id, Revision: doc.Revision, Raw: raw})
		if err != nil {
			return err
		}
		n.Status, n.Confirmed, n.ConfirmedBy = store.Confirmed, f.now(), by
		if err := tx.SaveNode(ctx, n); err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: f.now(), Person: by, Act: "node.confirm", Subject: string(id), Detail: map[string]string{"code": code}})
	})
	if err != nil {
		return err
	}
	f.cfg.Events.Publish(events.Event{Kind: events.Node, ID: id})
	return nil
}

// place makes and seals the place of a new node.
func (f *Fleet) place(ctx context.Context, n store.Node, signer seal.Signer) (broadcast.Assignment, []byte, error) {
	doc, err := f.assignment(n)
	if err != nil {
		return doc, nil, err
	}
	raw, err := f.sealed(ctx, doc, nil, signer)
	return doc, raw, err
}

// sealed seals the place of a node that may have an old one, and opens it as the
// node will: a place that it refuses would leave it without, and nobody would see
// why.
func (f *Fleet) sealed(ctx context.Context, doc broadcast.Assignment, old *broadcast.Assignment, signer seal.Signer) ([]byte, error) {
	env, err := seal.Seal(broadcast.KindAssignment, doc, signer)
	if err != nil {
		return nil, err
	}
	raw, err := seal.Bytes(broadcast.KindAssignment, env)
	if err != nil {
		return nil, err
	}
	ring, err := f.cfg.Office.Ring(ctx)
	if err != nil {
		return nil, err
	}
	if _, _, err := seal.Open[broadcast.Assignment](ring, broadcast.KindAssignment, raw, seal.Context{Places: doc, Old: old}); err != nil {
		return nil, fmt.Errorf("node %s: %w (%w)", doc.Node, ErrBelief, err)
	}
	return raw, nil
}

func (f *Fleet) assignment(n store.Node) (broadcast.Assignment, error) {
	chain, err := f.Chain(n.Area)
	if err != nil {
		return broadcast.Assignment{}, err
	}
	return broadcast.Assignment{Node: n.ID, Revision: broadcast.Revision(f.now()), Chain: chain,
		Languages: []broadcast.Language{"vi"}, Controllers: f.cfg.Controllers, Key: n.Key}, nil
}

// Revoke ends a node's credential and trust in its key. Whoever runs the broker
// ends its live session afterwards.
func (f *Fleet) Revoke(ctx context.Context, by, id broadcast.ID) error {
	err := f.cfg.DB.Update(ctx, func(tx store.Tx) error {
		n, err := tx.Node(ctx, id)
		if err != nil {
			return err
		}
		n.Status, n.SecretHash, n.TokenHash = store.Revoked, "", ""
		if err := tx.SaveNode(ctx, n); err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: f.now(), Person: by, Act: "node.revoke", Subject: string(id)})
	})
	if err != nil {
		return err
	}
	f.cfg.Events.Publish(events.Event{Kind: events.Node, ID: id})
	return nil
}
