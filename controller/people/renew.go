package people

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/store"
)

// renewBefore is how long before its end a certificate is renewed.
const renewBefore = 30 * 24 * time.Hour

// Renew has the root give new dates to everybody whose certificate ends within
// 30 days, and to the service key; keys and passphrases stay. It returns whom
// it renewed. ask is called with the path of a root file that has a passphrase.
func (o *Office) Renew(ctx context.Context, rootFiles []string, ask func(path string) (string, error)) ([]broadcast.ID, error) {
	root, err := o.rootSigners(ctx, rootFiles, ask)
	defer forget(root)
	if err != nil {
		return nil, err
	}
	return o.renew(ctx, root)
}

// rootSigners reads root keys and makes sure that they are this house's.
func (o *Office) rootSigners(ctx context.Context, files []string, ask func(string) (string, error)) ([]seal.Signer, error) {
	ring, err := o.Ring(ctx)
	if err != nil {
		return nil, err
	}
	var root []seal.Signer
	for _, path := range files {
		s, err := readKey(path, holdsRoot, func() (string, error) {
			if ask == nil {
				return "", errors.New("needs its passphrase")
			}
			return ask(path)
		})
		if err != nil {
			return root, err
		}
		root = append(root, s)
		if !slices.Contains(ring.Root().Keys, publicOf(s.Key)) {
			return root, fmt.Errorf("key file %s: is the root key of another house", path)
		}
	}
	return root, nil
}

func (o *Office) renew(ctx context.Context, root []seal.Signer) ([]broadcast.ID, error) {
	a, err := o.authority(ctx)
	if err != nil {
		return nil, err
	}
	certs, who, err := o.dueStaff(ctx, a, root)
	if err != nil {
		return nil, err
	}
	service, due, err := o.dueService(a, root)
	if err != nil {
		return nil, err
	}
	if due {
		certs, who = append(certs, service), append(who, "controller")
	}
	if len(certs) == 0 {
		return nil, nil
	}
	return who, o.db.Update(ctx, func(tx store.Tx) error {
		if _, err := o.revise(ctx, tx, o.top, func(a *broadcast.Authority) { merge(a, certs...) }, root); err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: o.instant(), Act: "certificates.renew", Subject: string(o.top), Detail: who})
	})
}

// dueStaff certifies anew everybody present whose rights end soon.
func (o *Office) dueStaff(ctx context.Context, a *authority, root []seal.Signer) ([]broadcast.Envelope, []broadcast.ID, error) {
	all, err := o.Persons(ctx)
	if err != nil {
		return nil, nil, err
	}
	var certs []broadcast.Envelope
	var who []broadcast.ID
	now := o.instant()
	for _, p := range all {
		if p.Left != 0 || len(p.Role.Acts()) == 0 {
			continue
		}
		k, err := o.db.KeyOf(ctx, p.ID)
		if err != nil {
			return nil, nil, err
		}
		if !a.endsSoon(k.Public, now) {
			continue
		}
		env, err := seal.Seal(broadcast.KindCertificate, certificate(p, k.Public, now.Add(-backdate), 0), root...)
		if err != nil {
			return nil, nil, fmt.Errorf("certificate of %s: %w", p.ID, err)
		}
		certs, who = append(certs, env), append(who, p.ID)
	}
	return certs, who, nil
}

func (o *Office) dueService(a *authority, root []seal.Signer) (broadcast.Envelope, bool, error) {
	s, err := readKey(filepath.Join(o.dir, serviceKeyName), holdsService, nil)
	if err != nil {
		return broadcast.Envelope{}, false, err
	}
	defer clear(s.Key)
	if !a.endsSoon(publicOf(s.Key), o.instant()) {
		return broadcast.Envelope{}, false, nil
	}
	env, err := o.certifyService(root, a.serviceEpoch(publicOf(s.Key)))
	return env, true, err
}

// endsSoon says whether a key has no certificate that lasts a while yet.
func (a *authority) endsSoon(key broadcast.Key, now broadcast.Instant) bool {
	c, err := a.current(key, now)
	return err != nil || c.Until < now.Add(renewBefore)
}
