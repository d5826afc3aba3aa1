package people

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/store"
)

// Rotation replaces the keys of the root.
type Rotation struct {
	// Old are key files of the present root, at least as many as must sign.
	Old []string
	// Keep are those of Old whose keys stay.
	Keep []string
	// New is where each new key goes, one file a key, none inside the data folder.
	New []string
	// Threshold is how many keys must sign from then on; 0 stands for all of them.
	Threshold int
	// Passphrase wraps the new keys; empty leaves them in the clear.
	Passphrase string
	// Ask is called with the path of an old file that has a passphrase.
	Ask func(path string) (string, error)
}

// RotateRoot makes the next version of the root document, signed by enough of the
// old keys and of the new ones, and has the new ones sign anew whatever the old
// ones signed. Certificates keep their contents and with them their names, so that
// everything that people signed stays good; cards go on with the fingerprint of
// version 1. It returns the new version. Nothing is left behind if it fails.
func (o *Office) RotateRoot(ctx context.Context, r Rotation) (version int64, err error) {
	if err := r.check(o.dir); err != nil {
		return 0, err
	}
	old, err := o.rootSigners(ctx, r.Old, r.Ask)
	defer forget(old)
	if err != nil {
		return 0, err
	}
	made := keysMade{}
	defer func() {
		forget(made.root)
		if err != nil {
			err = errors.Join(err, made.remove())
		}
	}()
	for _, path := range r.New {
		s, err := newKeyFile(path, holdsRoot, r.Passphrase, o.cost)
		if err != nil {
			return 0, err
		}
		made.root, made.files = append(made.root, s), append(made.files, path)
	}
	return o.rotate(ctx, old, r.succeed(old, made.root), r.Threshold)
}

// check refuses before anything is written.
func (r *Rotation) check(dir string) error {
	if len(r.New) == 0 || len(r.New)+len(r.Keep) > broadcast.MaxSignatures {
		return fmt.Errorf("name 1 to %d files for the root keys, those that stay included", broadcast.MaxSignatures)
	}
	if r.Passphrase != "" {
		if err := CheckPassphrase("root", r.Passphrase); err != nil {
			return err
		}
	}
	if r.Threshold == 0 {
		r.Threshold = len(r.New) + len(r.Keep)
	}
	for i, path := range r.New {
		if slices.Contains(r.New[:i], path) {
			return fmt.Errorf("root key %s is named twice", path)
		}
		if err := outside(dir, path); err != nil {
			return err
		}
	}
	for _, path := range r.Keep {
		if !slices.Contains(r.Old, path) {
			return fmt.Errorf("root key %s stays, and so has to be among the old ones", path)
		}
	}
	return nil
}

// succeed returns the signers of the new root: those that stay, and the new ones.
func (r *Rotation) succeed(old, made []seal.Signer) []seal.Signer {
	var out []seal.Signer
	for i, path := range r.Old {
		if slices.Contains(r.Keep, path) {
			out = append(out, old[i])
		}
	}
	return append(out, made...)
}

func forget(signers []seal.Signer) {
	for _, s := range signers {
		clear(s.Key)
	}
}

// remove takes away key files for which nothing was signed.
func (k keysMade) remove() error {
	var errs []error
	for _, path := range k.files {
		errs = append(errs, os.Remove(path))
	}
	return errors.Join(errs...)
}

// rotate seals the next version and everything that the root signed.
func (o *Office) rotate(ctx context.Context, old, next []seal.Signer, threshold int) (int64, error) {
	a, err := o.authority(ctx)
	if err != nil {
		return 0, err
	}
	before := a.ring.Root()
	root := broadcast.Root{Version: before.Version + 1, Threshold: int64(threshold), Demo: before.Demo}
	for _, s := range next {
		root.Keys = append(root.Keys, publicOf(s.Key))
	}
	next = next[len(next)-min(threshold, len(next)):] // new ones first: that they can sign is worth trying
	env, err := seal.Seal(broadcast.KindRoot, root, together(old[:min(int(before.Threshold), len(old))], next)...)
	if err != nil {
		return 0, fmt.Errorf("root version %d: %w", root.Version, err)
	}
	roots := append(slices.Clone(a.roots), env)
	if _, err := seal.NewKeyring(o.pin, roots, true); err != nil {
		return 0, err
	}
	return root.Version, o.db.Update(ctx, func(tx store.Tx) error {
		if err := o.resign(ctx, tx, a, roots, next); err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: o.instant(), Act: "root.rotate", Subject: string(o.top), Detail: root})
	})
}

// together are the signers of two lists, each once.
func together(one, two []seal.Signer) []seal.Signer {
	out := slices.Clone(one)
	for _, s := range two {
		if !slices.ContainsFunc(out, func(have seal.Signer) bool { return have.KID == s.KID }) {
			out = append(out, s)
		}
	}
	return out
}

// resign makes every listed authority document anew under new root keys. They are
// judged together: each needs what the others carry.
func (o *Office) resign(ctx context.Context, tx store.Tx, a *authority, roots []broadcast.Envelope, signers []seal.Signer) error {
	listed, err := o.db.ListingsOf(ctx, broadcast.KindAuthority, o.instant())
	if err != nil {
		return err
	}
	var docs []store.Document
	var raws [][]byte
	for _, l := range listed {
		held, err := o.db.Document(ctx, l.SHA256)
		if err != nil {
			return err
		}
		doc, err := contents(held.Raw)
		if err != nil {
			return err
		}
		if doc.Certificates, err = a.certifiedBy(doc.Certificates, signers); err != nil {
			return err
		}
		doc.Roots, doc.Revision = roots, max(broadcast.Revision(o.instant()), doc.Revision+1)
		raw, err := sealed(broadcast.KindAuthority, doc, signers...)
		if err != nil {
			return err
		}
		docs, raws = append(docs, store.Document{Kind: broadcast.KindAuthority, ID: doc.Area, Revision: doc.Revision, Raw: raw}), append(raws, raw)
	}
	if _, err := believe(o.pin, raws, o.placesAt(o.instant())); err != nil {
		return fmt.Errorf("under the new root: %w", err)
	}
	for _, d := range docs {
		if err := list(ctx, tx, d, forever, d.ID); err != nil {
			return err
		}
	}
	return nil
}

// certifiedBy has the root's new keys sign the certificates that its old ones
// signed; those of delegates stay as they are.
func (a *authority) certifiedBy(certs []broadcast.Envelope, signers []seal.Signer) ([]broadcast.Envelope, error) {
	var out []broadcast.Envelope
	for _, env := range certs {
		signed, err := env.Signers()
		if err != nil {
			return nil, err
		}
		if _, delegate := a.ring.Certificate(signed[0]); !delegate {
			payload, err := env.PayloadBytes()
			if err != nil {
				return nil, err
			}
			cert, err := broadcast.Decode[broadcast.Certificate](payload)
			if err != nil {
				return nil, err
			}
			if env, err = seal.Seal(broadcast.KindCertificate, cert, signers...); err != nil {
				return nil, err
			}
		}
		out = append(out, env)
	}
	return out, nil
}
