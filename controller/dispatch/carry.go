package dispatch

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pack"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/controller/store"
)

// MaxDays is for how many days ahead a pack may hold recordings.
const MaxDays = 60

// Sounds opens recordings by their digest; see intake.Stored.
type Sounds interface {
	Open(sha256 string) (*os.File, error)
}

// Packed is what went into a pack.
type Packed struct {
	Documents, Objects int
	// Absent are objects that documents name and this controller lacks.
	Absent []broadcast.Digest
	// Alone is how long the node acts on it without hearing of a newer list.
	Alone time.Duration
}

// ErrUnplaced means that a node has no place yet, so there is nothing to pack.
var ErrUnplaced = errors.New("the node is not confirmed, so it has no place yet: confirm it first")

// Pack writes everything that a node ought to hold, and what it needs to sound
// in the coming days: what the broker would bring it, in the order in which it is
// judged, and the acknowledgements of what it proved. Recordings come after
// all documents, those of emergencies and templates first.
func (d *Dispatch) Pack(ctx context.Context, id broadcast.ID, days int, sounds Sounds, w io.Writer) (Packed, error) {
	if days < 1 || days > MaxDays {
		return Packed{}, fmt.Errorf("%d days: choose 1 to %d", days, MaxDays)
	}
	restored, err := d.restoration(ctx)
	if err == nil && restored != nil {
		err = ErrRestored
	}
	if err != nil {
		return Packed{}, err
	}
	n, rows, err := d.wants(ctx, id)
	if err == nil && (n.Status != store.Confirmed || n.Assignment == "") {
		err = ErrUnplaced
	}
	if err != nil {
		return Packed{}, fmt.Errorf("node %s: %w", id, err)
	}
	p := packing{d: d, w: pack.NewWriter(w), until: d.now().Add(time.Duration(days) * 24 * time.Hour), sounds: sounds, wanted: map[broadcast.Digest]bool{}}
	for _, step := range []func(context.Context) error{
		func(ctx context.Context) error { return p.documents(ctx, n, rows) },
		func(ctx context.Context) error { return p.acknowledgements(ctx, id) },
		p.objects,
	} {
		if err := step(ctx); err != nil {
			return Packed{}, fmt.Errorf("node %s: %w", id, err)
		}
	}
	p.out.Alone = broadcast.LawOf(p.policies...).OfflineLimit()
	return p.out, p.w.Close()
}

// packing is one pack in the making.
type packing struct {
	d        *Dispatch
	w        *pack.Writer
	until    broadcast.Instant
	sounds   Sounds
	policies []broadcast.Policy
	needs    []need
	wanted   map[broadcast.Digest]bool
	out      Packed
}

// need is a recording or a running order, with what it is packed by.
type need struct {
	sum  broadcast.Digest
	size int64
	rank int
	due  broadcast.Instant
}

// packOrder is the order of documents in a pack: what others are judged by comes
// first, and lists before what they list.
func packOrder() []broadcast.Kind {
	return []broadcast.Kind{broadcast.KindAuthority, broadcast.KindAssignment, broadcast.KindPolicy, broadcast.KindManifest, broadcast.KindSilence,
		broadcast.KindWithdrawal, broadcast.KindTemplate, broadcast.KindAnnouncement, broadcast.KindDrill, broadcast.KindPlacement, broadcast.KindSlot}
}

func (p *packing) documents(ctx context.Context, n store.Node, rows []store.Listing) error {
	chain, err := p.d.cfg.Fleet.Chain(n.Area)
	if err != nil {
		return err
	}
	rows = append(rows, store.Listing{Kind: broadcast.KindAssignment, ID: n.ID, SHA256: n.Assignment})
	for _, place := range chain {
		m, err := p.d.cfg.DB.NewestDocument(ctx, broadcast.KindManifest, place.Area)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		rows = append(rows, store.Listing{Kind: broadcast.KindManifest, ID: place.Area, SHA256: m.SHA256})
	}
	rank := func(l store.Listing) int { return slices.Index(packOrder(), l.Kind) }
	slices.SortStableFunc(rows, func(a, b store.Listing) int { return cmp.Compare(rank(a), rank(b)) })
	seen := map[broadcast.Digest]bool{}
	for _, l := range rows {
		if rank(l) < 0 || seen[l.SHA256] {
			continue
		}
		seen[l.SHA256] = true
		doc, err := p.d.cfg.DB.Document(ctx, l.SHA256)
		if err == nil {
			err = p.document(ctx, l.Kind, doc.Raw)
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w", l.Kind, l.ID, err)
		}
	}
	return nil
}

// document packs one and notes what it needs.
func (p *packing) document(ctx context.Context, kind broadcast.Kind, raw []byte) error {
	if err := p.w.Document(raw); err != nil {
		return err
	}
	p.out.Documents++
	switch kind {
	case broadcast.KindPolicy:
		policy, err := payloadOf[broadcast.Policy](kind, raw)
		p.policies = append(p.policies, policy)
		return err
	case broadcast.KindTemplate:
		t, err := payloadOf[broadcast.Template](kind, raw)
		if err != nil || t.Expires < p.d.now() {
			return err
		}
		return p.need(ctx, t.Versions, 4-t.Class.Rank(), 0)
	case broadcast.KindAnnouncement, broadcast.KindDrill:
		a, err := payloadOf[broadcast.Announcement](kind, raw)
		if err != nil {
			return err
		}
		due, ok := plan.Next(a.Timing, a.Class, p.d.now(), p.until)
		if a.Class == broadcast.Emergency && kind == broadcast.KindAnnouncement {
			return p.need(ctx, a.Versions, 0, due)
		}
		if !ok {
			return nil
		}
		return p.need(ctx, a.Versions, 4, due)
	}
	return nil
}

// need notes what versions are made of.
func (p *packing) need(ctx context.Context, versions []broadcast.Version, rank int, due broadcast.Instant) error {
	for _, v := range versions {
		switch {
		case v.Content != nil:
			p.want(need{v.Content.SHA256, v.Content.Bytes, rank, due})
		case v.Programme != nil:
			p.want(need{v.Programme.SHA256, 0, rank, due})
			doc, err := p.d.cfg.DB.Document(ctx, v.Programme.SHA256)
			if errors.Is(err, store.ErrNotFound) {
				continue // named as absent when it should be packed
			}
			if err != nil {
				return err
			}
			order, err := broadcast.Decode[broadcast.RunningOrder](doc.Raw)
			if err != nil {
				return err
			}
			for _, s := range order.Segments {
				switch {
				case s.Content != nil:
					p.want(need{s.Content.SHA256, s.Content.Bytes, rank, due})
				case s.Offer != nil:
					p.want(need{s.Offer.Content.SHA256, s.Offer.Content.Bytes, rank, due})
				}
			}
		}
	}
	return nil
}

func (p *packing) want(n need) {
	if !p.wanted[n.sum] {
		p.wanted[n.sum] = true
		p.needs = append(p.needs, n)
	}
}

// maxChains bounds the acknowledgements in one pack.
const maxChains = 64

// acknowledgements tells the node how far each of its chains is stored.
func (p *packing) acknowledgements(ctx context.Context, id broadcast.ID) error {
	chains, err := p.d.cfg.DB.ChainsOf(ctx, id, maxChains)
	if err != nil {
		return err
	}
	for _, c := range chains {
		raw, err := p.d.sealed(ctx, broadcast.KindAck, broadcast.ReceiptAck{Node: id, Chain: c.Chain, Seq: c.Seq, Hash: c.Head, At: p.d.now()})
		if err == nil {
			err = p.document(ctx, broadcast.KindAck, raw)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// objects packs running orders, which name recordings, and then recordings.
func (p *packing) objects(ctx context.Context) error {
	first := func(n need) int { return int(min(n.size, 1)) }
	slices.SortStableFunc(p.needs, func(a, b need) int {
		return cmp.Or(cmp.Compare(first(a), first(b)), cmp.Compare(a.rank, b.rank), cmp.Compare(a.due, b.due))
	})
	for _, n := range p.needs {
		err := p.object(ctx, n)
		if errors.Is(err, store.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
			p.out.Absent = append(p.out.Absent, n.sum)
			continue
		}
		if err != nil {
			return err
		}
		p.out.Objects++
	}
	return nil
}

func (p *packing) object(ctx context.Context, n need) error {
	if n.size == 0 {
		doc, err := p.d.cfg.DB.Document(ctx, n.sum)
		if err != nil {
			return err
		}
		return p.w.Object(n.sum, int64(len(doc.Raw)), bytes.NewReader(doc.Raw))
	}
	file, err := p.sounds.Open(string(n.sum))
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // opened for reading
	if err := ctx.Err(); err != nil {
		return err
	}
	return p.w.Object(n.sum, n.size, file)
}
