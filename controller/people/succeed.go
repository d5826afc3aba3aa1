package people

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

// Succeed gives the house a service key of the next epoch, certified by the root,
// and retires the ones before. Nodes then believe lists of the new key whatever
// revisions they saw of the old ones, and new lists of the old ones no more. The
// folder must not hold a service key yet: it is for a house that was restored.
func (o *Office) Succeed(ctx context.Context, rootFiles []string, ask func(path string) (string, error)) (epoch int64, err error) {
	root, err := o.rootSigners(ctx, rootFiles, ask)
	defer func() {
		for _, s := range root {
			clear(s.Key)
		}
	}()
	if err != nil {
		return 0, err
	}
	a, err := o.authority(ctx)
	if err != nil {
		return 0, err
	}
	s, err := newKeyFile(filepath.Join(o.dir, serviceKeyName), holdsService, "", o.cost)
	if err != nil {
		return 0, err
	}
	clear(s.Key)
	var retired []broadcast.Revocation
	now := o.instant()
	for _, c := range a.certs {
		if c.Service() {
			epoch = max(epoch, c.Epoch)
			if !a.revoked[c.kid] && c.Until > now {
				retired = append(retired, broadcast.Revocation{KID: c.kid, Mode: broadcast.Retired, At: now})
			}
		}
	}
	epoch++
	cert, err := o.certifyService(root, epoch)
	if err != nil {
		return 0, err
	}
	return epoch, o.db.Update(ctx, func(tx store.Tx) error {
		_, err := o.revise(ctx, tx, o.top, func(a *broadcast.Authority) {
			merge(a, cert)
			a.Revocations = slices.Concat(a.Revocations, retired)
		}, root)
		if err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: now, Act: "service.succeed", Subject: string(o.top), Detail: map[string]int64{"epoch": epoch}})
	})
}

// serviceEpoch is that of the newest certificate of a service key.
func (a *authority) serviceEpoch(key broadcast.Key) int64 {
	epoch := int64(1)
	for _, c := range a.certs {
		if c.Key == key {
			epoch = max(epoch, c.Epoch)
		}
	}
	return epoch
}

// KeepServiceKey puts the service key of a backup, the text of its file, into a
// folder that has none.
func KeepServiceKey(dir string, text []byte) error {
	return writeNew(filepath.Join(dir, serviceKeyName), text)
}
