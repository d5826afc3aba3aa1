package dispatch

import (
	"context"
	"errors"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/store"
)

// area is what dispatch knows of one area: the manifest that is in force and
// what was pushed already.
type area struct {
	manifest broadcast.Manifest
	raw      []byte
	// published says that the broker was handed all of it.
	published bool
	pushed    map[broadcast.Digest]bool
	// told has the nodes without the time whose question the manifest carries.
	told map[broadcast.ID]told
}

// retainedKinds are published on topics of their own and kept by the broker.
func retainedKinds() map[broadcast.Kind]string {
	return map[broadcast.Kind]string{broadcast.KindPolicy: "policy", broadcast.KindAuthority: "authority", broadcast.KindSilence: "silence"}
}

// pushedKinds are sent once for speed; who missed them fetches them.
func pushedKinds() map[broadcast.Kind]string {
	return map[broadcast.Kind]string{broadcast.KindAnnouncement: "announcement", broadcast.KindDrill: "announcement", broadcast.KindWithdrawal: "withdrawal"}
}

// scan brings every area's manifest in step with its listings; with all set,
// everything is published again.
func (d *Dispatch) scan(ctx context.Context, all bool) {
	standings, err := d.cfg.Fleet.Overview(ctx)
	if err != nil {
		d.cfg.Log.ErrorContext(ctx, "the nodes could not be read", "err", err)
		return
	}
	wanted, err := d.listings(ctx, standings)
	if err != nil {
		d.cfg.Log.ErrorContext(ctx, "the listings could not be read", "err", err)
		return
	}
	restored, err := d.restoration(ctx)
	if err != nil {
		d.cfg.Log.ErrorContext(ctx, "whether this controller may speak could not be read", "err", err)
		return
	}
	if restored != nil {
		d.speakOnly(ctx, *restored, standings, wanted, all)
		return
	}
	ids := make([]broadcast.ID, 0, len(wanted))
	for id := range wanted {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	// What must be heard goes out before the lists that mention it.
	for _, id := range ids {
		if err := d.push(ctx, id, wanted[id], all); err != nil {
			d.cfg.Log.WarnContext(ctx, "push failed; nodes will fetch", "area", id, "err", err)
		}
	}
	askers := d.asking(standings, d.urgent(ctx, wanted))
	for _, id := range ids {
		if err := d.settle(ctx, id, wanted[id], askers[id], all); err != nil {
			d.cfg.Log.ErrorContext(ctx, "manifest not published", "area", id, "err", err)
		}
	}
	if err := d.place(ctx, standings); err != nil {
		d.cfg.Log.WarnContext(ctx, "nodes were not told their place", "err", err)
	}
}

// listings returns what every area should hold: those with listings, and those
// on the chain of any confirmed node, whose manifest may be empty.
func (d *Dispatch) listings(ctx context.Context, standings []fleet.Standing) (map[broadcast.ID][]store.Listing, error) {
	out := map[broadcast.ID][]store.Listing{}
	for _, s := range standings {
		for _, p := range s.Chain {
			if s.Node.Status == store.Confirmed {
				out[p.Area] = nil
			}
		}
	}
	rows, err := d.cfg.DB.AllListings(ctx, d.now())
	if err != nil {
		return nil, err
	}
	for _, l := range rows {
		out[l.Area] = append(out[l.Area], l)
	}
	return out, nil
}

func (d *Dispatch) push(ctx context.Context, id broadcast.ID, rows []store.Listing, all bool) error {
	a := d.area(id)
	before := a.pushed
	a.pushed = map[broadcast.Digest]bool{}
	var errs []error
	for _, l := range rows {
		topic, ok := pushedKinds()[l.Kind]
		if !ok {
			continue
		}
		if before[l.SHA256] && !all {
			a.pushed[l.SHA256] = true
			continue
		}
		doc, err := d.cfg.DB.Document(ctx, l.SHA256)
		if err == nil {
			err = d.cfg.Bus.Publish(wire.Area(id, topic), doc.Raw, false)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		a.pushed[l.SHA256] = true
	}
	return errors.Join(errs...)
}

func (d *Dispatch) area(id broadcast.ID) *area {
	a, ok := d.areas[id]
	if !ok {
		a = &area{pushed: map[broadcast.Digest]bool{}}
		d.areas[id] = a
	}
	return a
}

// settle seals a new manifest if the listings changed, the last one is old, or
// it lacks the question of a node without the time, and publishes what the
// broker should retain.
func (d *Dispatch) settle(ctx context.Context, id broadcast.ID, rows []store.Listing, askers []asker, all bool) error {
	a := d.area(id)
	if a.raw == nil {
		if err := d.recall(ctx, id, a); err != nil {
			return err
		}
	}
	entries := entriesOf(rows)
	changed := a.raw == nil || !slices.Equal(entries, a.manifest.Documents)
	if changed {
		a.told = nil // what is new nobody was told of
	}
	askers = a.unanswered(id, askers)
	same := !changed && d.now().Sub(a.manifest.Revision.IssuedAt()) <= refreshAfter && !a.unlisted(askers, d.now())
	all = all || !a.published
	if same && !all {
		return nil
	}
	a.published = false
	before := a.manifest.Documents
	if !same {
		if err := d.renew(ctx, id, a, entries, askers); err != nil {
			return err
		}
	}
	err := errors.Join(d.cfg.Bus.Publish(wire.Area(id, "manifest"), a.raw, true), d.retain(ctx, id, before, entries, all))
	a.published = err == nil
	return err
}

func entriesOf(rows []store.Listing) []broadcast.Entry {
	var out []broadcast.Entry
	for _, l := range rows {
		out = append(out, broadcast.Entry{Kind: l.Kind, ID: l.ID, Revision: l.Revision, SHA256: l.SHA256})
	}
	slices.SortFunc(out, broadcast.Entry.Compare)
	return out
}

// recall takes up the manifest that was in force before a restart. One that
// cannot be read any more leaves its revision, which the next one must pass: an
// area is not kept from its lists by a damaged row.
func (d *Dispatch) recall(ctx context.Context, id broadcast.ID, a *area) error {
	doc, err := d.cfg.DB.NewestDocument(ctx, broadcast.KindManifest, id)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	m, err := payloadOf[broadcast.Manifest](broadcast.KindManifest, doc.Raw)
	if err != nil {
		d.cfg.Log.ErrorContext(ctx, "the stored manifest is damaged; a new one is sealed", "area", id, "err", err)
		a.manifest.Revision = doc.Revision
		return nil
	}
	a.manifest, a.raw = m, doc.Raw
	return nil
}

// payloadOf reads what stands in this controller's own database.
func payloadOf[T broadcast.Validator](kind broadcast.Kind, raw []byte) (T, error) {
	var none T
	env, err := seal.Parse(kind, raw)
	if err != nil {
		return none, err
	}
	payload, err := env.PayloadBytes()
	if err != nil {
		return none, err
	}
	return broadcast.Decode[T](payload)
}

// renew seals the next manifest of an area and stores it before anybody sees
// it. The one before is kept beside it; older ones say nothing any more.
func (d *Dispatch) renew(ctx context.Context, id broadcast.ID, a *area, entries []broadcast.Entry, askers []asker) error {
	head, err := d.cfg.DB.AuditHead(ctx)
	if err != nil {
		return err
	}
	m := broadcast.Manifest{Area: id, Revision: max(broadcast.Revision(d.now()), a.manifest.Revision+1), Documents: entries, Audit: head, Nonces: noncesOf(askers)}
	raw, err := d.sealed(ctx, broadcast.KindManifest, m)
	if err != nil {
		return err
	}
	err = d.cfg.DB.Update(ctx, func(tx store.Tx) error {
		_, err := tx.PutDocument(ctx, store.Document{Kind: broadcast.KindManifest, ID: id, Revision: m.Revision, Raw: raw})
		return errors.Join(err, tx.DropDocuments(ctx, broadcast.KindManifest, id, a.manifest.Revision))
	})
	if err != nil {
		return err
	}
	a.manifest, a.raw = m, raw
	a.answered(askers, m.Revision)
	return nil
}

// retain publishes the documents with topics of their own that changed, and
// clears the topics of those that are gone.
func (d *Dispatch) retain(ctx context.Context, id broadcast.ID, before, now []broadcast.Entry, all bool) error {
	var errs []error
	for kind, topic := range retainedKinds() {
		var newest broadcast.Entry
		for _, e := range now {
			if e.Kind == kind && e.Revision >= newest.Revision {
				newest = e
			}
		}
		had := slices.ContainsFunc(before, func(e broadcast.Entry) bool { return e.Kind == kind })
		switch {
		case newest.SHA256 == "" && had:
			errs = append(errs, d.cfg.Bus.Publish(wire.Area(id, topic), nil, true))
		case newest.SHA256 != "" && (all || !slices.Contains(before, newest)):
			doc, err := d.cfg.DB.Document(ctx, newest.SHA256)
			if err == nil {
				err = d.cfg.Bus.Publish(wire.Area(id, topic), doc.Raw, true)
			}
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
