package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/store"
)

// hearing is how long a restored controller waits for nodes to say what they hold:
// they speak every five minutes, and at once when the controller comes back.
const hearing = 6 * time.Minute

// Errors that callers tell apart.
var (
	// ErrRestored: the database came out of a backup and nobody has accepted yet
	// what the nodes hold other than it.
	ErrRestored = errors.New("this controller was restored from a backup and gives nothing out yet: an administrator has to accept the difference first")
	// ErrHearing: nodes may still say what they hold.
	ErrHearing = errors.New("not every loudspeaker has said yet what it holds")
	// ErrDifference: the difference is not the one that was shown.
	ErrDifference = errors.New("the difference has changed since it was shown; look at it again")
)

// Difference is what the nodes hold other than a database that was restored.
type Difference struct {
	store.Restoration
	Nodes []Holder
	// Ended are announcements that the backup lists and that some node says to have
	// been withdrawn or replaced since. They are listed no more.
	Ended []Tombstone
	// Digest covers all of the above: it is what is accepted.
	Digest broadcast.Digest
	// Until is when nodes that said nothing are waited for no more; 0 if all spoke.
	Until broadcast.Instant
}

// Holder is one confirmed node beside the restored database.
type Holder struct {
	Node broadcast.ID `json:"node"`
	Area broadcast.ID `json:"area"`
	// Heard says that it gave its state since the restore; Same, that it holds what
	// the database says.
	Heard bool `json:"heard"`
	Same  bool `json:"same"`
	// Newer are areas whose lists were changed after the backup was made.
	Newer []broadcast.ID `json:"newer,omitempty"`
}

// Tombstone is an announcement that ended after the backup was made.
type Tombstone struct {
	Announcement broadcast.ID       `json:"announcement"`
	Revision     broadcast.Revision `json:"revision"`
	// Rung is withdrawn or superseded, Node the first that said so.
	Rung broadcast.Rung `json:"rung"`
	Node broadcast.ID   `json:"node"`
}

// restoration returns the restoration that waits to be accepted, nil for none.
// Once there is none there will be none: a folder is restored before it is served.
func (d *Dispatch) restoration(ctx context.Context) (*store.Restoration, error) {
	if d.released.Load() {
		return nil, nil
	}
	r, err := d.cfg.DB.Restoration(ctx)
	if errors.Is(err, store.ErrNotFound) {
		d.released.Store(true)
		return nil, nil
	}
	return &r, err
}

// speakOnly publishes what officers signed after a restore and what cannot wait: an
// emergency, and a withdrawal. Nothing of the backup is published, no list, and no
// node is told its place.
func (d *Dispatch) speakOnly(ctx context.Context, r store.Restoration, standings []fleet.Standing, wanted map[broadcast.ID][]store.Listing, all bool) {
	if d.placed == nil { // who is confirmed from now on is told when the wait ends
		d.placed = map[broadcast.ID]broadcast.Digest{}
		for _, s := range standings {
			d.placed[s.Node.ID] = s.Node.Assignment
		}
	}
	for id, rows := range wanted {
		fresh := slices.DeleteFunc(slices.Clone(rows), func(l store.Listing) bool { return !d.urgentSince(ctx, l, r.At) })
		if err := d.push(ctx, id, fresh, all); err != nil {
			d.cfg.Log.WarnContext(ctx, "push failed", "area", id, "err", err)
		}
	}
}

// urgentSince says whether a listing surely is a withdrawal that was signed, or an
// emergency that was published, since a moment.
func (d *Dispatch) urgentSince(ctx context.Context, l store.Listing, at broadcast.Instant) bool {
	if l.Kind == broadcast.KindWithdrawal {
		return l.Revision.IssuedAt() >= at
	}
	row, err := d.cfg.DB.Announcement(ctx, l.ID)
	if l.Kind != broadcast.KindAnnouncement || err != nil || row.Published < at || row.SHA256 != l.SHA256 {
		return false
	}
	doc, err := d.cfg.DB.Document(ctx, l.SHA256)
	if err != nil {
		return false
	}
	a, err := payloadOf[broadcast.Announcement](l.Kind, doc.Raw)
	return err == nil && a.Class == broadcast.Emergency
}

// Restored returns what the nodes hold other than the database that was restored,
// or store.ErrNotFound if it was not, or was accepted.
func (d *Dispatch) Restored(ctx context.Context) (Difference, error) {
	r, err := d.cfg.DB.Restoration(ctx)
	if err != nil {
		return Difference{}, err
	}
	out := Difference{Restoration: r}
	standings, err := d.cfg.Fleet.Overview(ctx)
	if err != nil {
		return out, err
	}
	silent := false
	for _, s := range standings {
		if s.Node.Status != store.Confirmed {
			continue
		}
		h, err := d.holder(ctx, s, r)
		if err != nil {
			return out, err
		}
		silent = silent || !h.Heard
		out.Nodes = append(out.Nodes, h)
	}
	if end := broadcast.InstantOf(d.began.Add(hearing)); silent && d.now() < end {
		out.Until = end
	}
	if out.Ended, err = d.tombstones(ctx); err != nil {
		return out, err
	}
	shown, err := broadcast.Encode(struct {
		At    broadcast.Instant `json:"at"`
		Nodes []Holder          `json:"nodes"`
		Ended []Tombstone       `json:"ended"`
	}{r.At, out.Nodes, out.Ended})
	out.Digest = broadcast.Sum(shown)
	return out, err
}

// holder lays what a node says beside what it ought to hold.
func (d *Dispatch) holder(ctx context.Context, s fleet.Standing, r store.Restoration) (Holder, error) {
	h := Holder{Node: s.Node.ID, Area: s.Node.Area, Heard: s.State != nil && s.Hints.StateAt >= r.At}
	if !h.Heard {
		return h, nil
	}
	want, err := d.Holding(ctx, s.Node.ID)
	if err != nil {
		return h, err
	}
	h.Same = want == s.State.Holding
	for area, revision := range s.State.Manifests {
		m, err := d.cfg.DB.NewestDocument(ctx, broadcast.KindManifest, area)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return h, err
		}
		if revision > m.Revision {
			h.Newer = append(h.Newer, area)
		}
	}
	slices.Sort(h.Newer)
	return h, nil
}

// tombstones finds among the receipts what ended while the database knew nothing of
// it. A node whose receipts are doubtful ends nothing.
func (d *Dispatch) tombstones(ctx context.Context) ([]Tombstone, error) {
	rows, err := d.cfg.DB.AllListings(ctx, d.now())
	if err != nil {
		return nil, err
	}
	var out []Tombstone
	seen := map[broadcast.ID]bool{}
	for _, l := range rows {
		if l.Kind != broadcast.KindAnnouncement || seen[l.ID] {
			continue
		}
		seen[l.ID] = true
		receipts, err := d.cfg.DB.ReceiptsOf(ctx, l.ID, l.Revision)
		if err != nil {
			return nil, err
		}
		for _, row := range receipts {
			t, ended, err := tombstone(row)
			if err != nil {
				return nil, err
			}
			if ended {
				out = append(out, t)
				break
			}
		}
	}
	slices.SortFunc(out, func(a, b Tombstone) int { return cmp.Compare(a.Announcement, b.Announcement) })
	return out, nil
}

func tombstone(row store.ReceiptRow) (Tombstone, bool, error) {
	r, err := broadcast.Decode[broadcast.Receipt](row.Raw)
	if err != nil {
		return Tombstone{}, false, fmt.Errorf("receipt %d of %s: %w", row.Seq, row.Node, err)
	}
	ended := !row.Doubtful && (r.Rung == broadcast.Withdrawn && r.Reason == broadcast.WhyWithdrawn ||
		r.Rung == broadcast.Superseded && r.Reason == broadcast.WhySuperseded)
	return Tombstone{Announcement: r.Announcement, Revision: r.Of, Rung: r.Rung, Node: row.Node}, ended, nil
}

// Accept lets a restored controller speak again: what nodes say has ended is taken
// out of the lists first. It takes the digest of the difference that was shown.
func (d *Dispatch) Accept(ctx context.Context, by broadcast.ID, shown broadcast.Digest) error {
	diff, err := d.Restored(ctx)
	switch {
	case err != nil:
		return err
	case diff.Digest != shown:
		return ErrDifference
	case diff.Until != 0:
		return fmt.Errorf("%w; those that say nothing are waited for until %s", ErrHearing, diff.Until)
	}
	err = d.cfg.DB.Update(ctx, func(tx store.Tx) error {
		if err := tx.AcceptRestoration(ctx); err != nil {
			return err
		}
		for _, t := range diff.Ended {
			if err := d.bury(ctx, tx, by, t); err != nil {
				return err
			}
		}
		return tx.Audit(ctx, store.Deed{At: d.now(), Person: by, Act: "house.accept", Subject: string(diff.Digest), Detail: diff.Ended})
	})
	if err != nil {
		return err
	}
	d.cfg.Log.InfoContext(ctx, "the restored controller speaks again", "accepted_by", by, "ended", len(diff.Ended))
	select {
	case d.up <- struct{}{}:
	default: // it is asked for already
	}
	return nil
}

// bury takes an announcement out of the lists that ended after the backup was made.
func (d *Dispatch) bury(ctx context.Context, tx store.Tx, by broadcast.ID, t Tombstone) error {
	if err := tx.Unlist(ctx, broadcast.KindAnnouncement, t.Announcement); err != nil {
		return err
	}
	row, err := tx.RevisionOf(ctx, t.Announcement, t.Revision)
	if errors.Is(err, store.ErrNotFound) || err == nil && row.State != store.Published {
		return nil
	}
	if err != nil {
		return err
	}
	row.State, row.Withdrawn, row.WithdrawnBy = store.Withdrawn, d.now(), by
	row.WithdrawnWhy = fmt.Sprintf("Sau khi khôi phục: cụm loa %s báo bản tin đã kết thúc (%s).", t.Node, t.Rung)
	return tx.SaveAnnouncement(ctx, row)
}
