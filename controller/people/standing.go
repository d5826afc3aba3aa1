package people

import (
	"context"
	"fmt"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/store"
)

// Stand seals a template with the keys of two people and lists it in its areas
// until it expires, if a node of the house would believe it. Its revision is set.
func (o *Office) Stand(ctx context.Context, first, second Credential, t broadcast.Template) (broadcast.Template, error) {
	t.Revision = broadcast.Revision(o.instant())
	if err := t.Validate(); err != nil {
		return t, fmt.Errorf("template %s: %w", t.ID, err)
	}
	a, err := o.authority(ctx)
	if err != nil {
		return t, err
	}
	err = o.With(ctx, first, func(one seal.Signer) error {
		return o.With(ctx, second, func(two seal.Signer) error {
			return o.db.Update(ctx, func(tx store.Tx) error {
				return publish(ctx, tx, o, a, broadcast.KindTemplate, t, t.Expires, one, two)
			})
		})
	})
	if err != nil {
		return t, fmt.Errorf("template %s: %w", t.ID, err)
	}
	return t, nil
}
