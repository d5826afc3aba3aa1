package people

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/store"
)

// establish fills an empty database with a house, all of it in one transaction.
func (opt *Options) establish(ctx context.Context, cfg Config, root []seal.Signer) (err error) {
	db, err := store.Open(ctx, opt.Dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	o := newOffice(opt.Dir, db, cfg)
	o.top = opt.Top
	if err := o.plant(opt.rootDocument(root), root); err != nil {
		return err
	}
	return db.Update(ctx, func(tx store.Tx) error {
		if err := errors.Join(tx.Set(ctx, settingPin, string(o.pin)), tx.Set(ctx, settingTop, string(o.top))); err != nil {
			return err
		}
		deed := store.Deed{At: o.instant(), Act: "house.init", Subject: string(o.pin)}
		if err := tx.Audit(ctx, deed); err != nil {
			return err
		}
		return o.furnish(ctx, tx, opt, root)
	})
}

func (opt *Options) rootDocument(root []seal.Signer) broadcast.Root {
	r := broadcast.Root{Version: 1, Threshold: int64(opt.RootThreshold), Demo: opt.demo}
	for _, s := range root {
		r.Keys = append(r.Keys, publicOf(s.Key))
	}
	return r
}

// plant seals version 1 of the root document and takes its fingerprint.
func (o *Office) plant(r broadcast.Root, root []seal.Signer) error {
	env, err := seal.Seal(broadcast.KindRoot, r, root...)
	if err != nil {
		return err
	}
	payload, err := env.PayloadBytes()
	if err != nil {
		return err
	}
	o.pin, o.roots = broadcast.Sum(payload), []broadcast.Envelope{env}
	return nil
}

// furnish takes in the first people and has them sign the first documents.
func (o *Office) furnish(ctx context.Context, tx store.Tx, opt *Options, root []seal.Signer) error {
	by := issuer{area: o.top, signers: root}
	service, err := o.certifyService(root, 1)
	if err != nil {
		return err
	}
	certs := []broadcast.Envelope{service}
	staff := map[broadcast.ID]seal.Signer{}
	for _, n := range opt.Officers {
		e, err := o.enlist(ctx, tx, n, by)
		defer clear(e.signer.Key)
		if err != nil {
			return err
		}
		certs, staff[n.ID] = append(certs, e.certs...), e.signer
	}
	a, err := o.revise(ctx, tx, o.top, func(a *broadcast.Authority) { a.Certificates = certs }, root)
	if err != nil {
		return err
	}
	area, lawyers, err := lawyersOf(opt, o.placesAt(o.instant()))
	if err != nil {
		return err
	}
	policy := strict(area)
	if opt.Policy != nil {
		policy = *opt.Policy
	}
	policy.Revision = broadcast.Revision(o.instant())
	if err := publish(ctx, tx, o, a, broadcast.KindPolicy, policy, forever, staff[lawyers[0]], staff[lawyers[1]]); err != nil {
		return fmt.Errorf("first policy: %w", err)
	}
	for _, s := range opt.slots {
		s.doc.Revision = broadcast.Revision(o.instant())
		if err := publish(ctx, tx, o, a, broadcast.KindSlot, s.doc, s.doc.Until, staff[s.by]); err != nil {
			return fmt.Errorf("standing slot: %w", err)
		}
	}
	return nil
}

// certifyService has the root certify the key in the data folder for an epoch.
func (o *Office) certifyService(root []seal.Signer, epoch int64) (broadcast.Envelope, error) {
	s, err := readKey(filepath.Join(o.dir, serviceKeyName), holdsService, nil)
	if err != nil {
		return broadcast.Envelope{}, err
	}
	defer clear(s.Key)
	now := o.instant()
	level, err := o.placesAt(now).level([]broadcast.ID{o.top})
	if err != nil {
		return broadcast.Envelope{}, err
	}
	from := now.Add(-backdate)
	return seal.Seal(broadcast.KindCertificate, broadcast.Certificate{Person: "controller", Key: publicOf(s.Key), Level: level,
		Areas: []broadcast.ID{o.top}, Acts: broadcast.ServiceActs(), From: from, Until: from.Add(broadcast.MaxCertificateLife),
		Custody: broadcast.CustodyController, Epoch: epoch}, root...)
}

// publish seals a document of people, makes sure that nodes will believe it,
// and lists it in its own areas.
func publish[T broadcast.Validator](ctx context.Context, tx store.Tx, o *Office, a *authority, kind broadcast.Kind, doc T, until broadcast.Instant, signers ...seal.Signer) error {
	raw, err := sealed(kind, doc, signers...)
	if err != nil {
		return err
	}
	_, proof, err := seal.Open[T](a.ring, kind, raw, seal.Context{Places: o.Places()})
	if err != nil {
		return err
	}
	d := store.Document{Kind: kind, ID: proof.Claim.ID, Revision: proof.Claim.Revision, Raw: raw}
	if err := list(ctx, tx, d, until, proof.Claim.Areas...); err != nil {
		return err
	}
	return tx.Audit(ctx, store.Deed{At: o.instant(), Person: proof.Signers[0].Person, Act: string(kind) + ".publish", Subject: string(d.ID), Detail: proof.Digest})
}

// lawyersOf returns the area of the first policy and the two people who sign
// it: the area of the policy that was given, or the first named area in which
// two people with the act policy have rights.
func lawyersOf(opt *Options, places treeAt) (broadcast.ID, []broadcast.ID, error) {
	var areas []broadcast.ID
	var lawyers []NewPerson
	for _, n := range opt.Officers {
		if slices.Contains(n.Role.Acts(), broadcast.ActPolicy) {
			lawyers, areas = append(lawyers, n), append(areas, n.Areas...)
		}
	}
	if opt.Policy != nil {
		areas = []broadcast.ID{opt.Policy.Area}
	}
	for _, area := range areas {
		var able []broadcast.ID
		for _, n := range lawyers {
			if slices.ContainsFunc(n.Areas, func(up broadcast.ID) bool { return places.Covers(up, area) }) {
				able = append(able, n.ID)
			}
		}
		if len(able) >= 2 {
			return area, able[:2], nil
		}
	}
	return "", nil, errors.New("a policy takes two signatures: name at least two people who are administrator or approver in one area")
}

// strict is the policy of a house that has not written its own: two officers
// for everything, and quiet nights.
func strict(area broadcast.ID) broadcast.Policy {
	p := broadcast.Policy{Area: area, Quiet: []broadcast.Span{{From: 22 * 60, To: 4*60 + 30}}, Chimes: broadcast.Classes()}
	for _, c := range broadcast.Classes() {
		p.Thresholds = append(p.Thresholds, broadcast.Threshold{Class: c, Officers: 2})
	}
	return p
}
