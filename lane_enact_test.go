package loaxa

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/organisation"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// enact has two people sign a document that no interface
// makes yet, and lists it in its areas. The controller must not run.
func (w *world) enact(kind broadcast.Kind, until broadcast.Instant, tokens []string, draft func(db *store.DB) (broadcast.Validator, error)) {
	w.Helper()
	ctx := context.Background()
	tree, err := broadcast.BacQuangTree()
	if err != nil {
		w.Fatal(err)
	}
	db, err := store.Open(ctx, w.data())
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	office, err := people.Open(ctx, w.data(), db, people.Config{Tree: organisation.Fixed(tree), Now: time.Now})
	if err != nil {
		w.Fatal(err)
	}
	doc, err := draft(db)
	if err != nil {
		w.Fatal(err)
	}
	var raw []byte
	err = office.With(ctx, people.Credential{Token: tokens[0]}, func(first seal.Signer) error {
		return office.With(ctx, people.Credential{Token: tokens[1]}, func(second seal.Signer) error {
			env, err := seal.Seal(kind, doc, first, second)
			if err == nil {
				raw, err = seal.Bytes(kind, env)
			}
			return err
		})
	})
	if err != nil {
		w.Fatal(err)
	}
	claim, _ := seal.ClaimOf(doc)
	err = db.Update(ctx, func(tx store.Tx) error {
		sum, err := tx.PutDocument(ctx, store.Document{Kind: kind, ID: claim.ID, Revision: claim.Revision, Raw: raw})
		for _, area := range claim.Areas {
			err = errors.Join(err, tx.List(ctx, store.Listing{Area: area, Kind: kind, ID: claim.ID, Revision: claim.Revision, SHA256: sum, Until: until}))
		}
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
}

// abolishQuietHours lets a lane sound in every class at any hour: it gives the
// district the same policy without them, and waits until every node holds it.
func (w *world) abolishQuietHours() {
	w.Helper()
	before, tokens := w.holdings(), []string{w.token, w.tokenOf("administrator")}
	w.ctl.stop()
	now := broadcast.InstantOf(time.Now())
	w.enact(broadcast.KindPolicy, now.Add(24*time.Hour), tokens, func(db *store.DB) (broadcast.Validator, error) {
		d, err := db.NewestDocument(context.Background(), broadcast.KindPolicy, broadcast.BacQuang)
		if err != nil {
			return nil, err
		}
		env, err := seal.Parse(broadcast.KindPolicy, d.Raw)
		if err != nil {
			return nil, err
		}
		payload, err := env.PayloadBytes()
		if err != nil {
			return nil, err
		}
		p, err := broadcast.Decode[broadcast.Policy](payload)
		p.Revision, p.Quiet = max(broadcast.Revision(now), p.Revision+1), nil
		return p, err
	})
	w.startController()
	w.until("every node holds the policy without quiet hours", func() bool {
		after := w.holdings()
		return len(after) == w.nodes && !slices.ContainsFunc(after, func(h string) bool { return slices.Contains(before, h) })
	})
}

// holdings is the digest of what each node says that it holds.
func (w *world) holdings() []string {
	var all struct{ Nodes []struct{ Holding string } }
	if err := w.get("/api/v1/nodes", &all); err != nil {
		return nil
	}
	var out []string
	for _, n := range all.Nodes {
		out = append(out, n.Holding)
	}
	return out
}
