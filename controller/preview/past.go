package preview

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/store"
)

// lookBack is how far before its window a plan needs the node's past.
const lookBack = 3 * 24 * time.Hour

// occurrence names one planned sounding.
type occurrence struct {
	announcement broadcast.ID
	revision     broadcast.Revision
	payload      broadcast.Digest
	start        broadcast.Instant
}

// past turns the node's receipts into its past. A node of which it is not sure
// which box gave them has none: it may be the past of another.
func (r *reader) past(ctx context.Context, node broadcast.ID) error {
	rows, err := r.src.DB.ReceiptsBy(ctx, node, r.in.Window.From.Add(-lookBack), maxPast)
	if err != nil {
		return err
	}
	if len(rows) == 0 || slices.ContainsFunc(rows, func(row store.ReceiptRow) bool { return row.Doubtful }) {
		r.in.WithoutHistory, r.in.Now = true, 0
		return nil
	}
	var names []occurrence // in the order in which they were told of
	told := map[occurrence][]plan.Past{}
	for _, row := range rows {
		receipt, err := broadcast.Decode[broadcast.Receipt](row.Raw)
		if err != nil {
			return fmt.Errorf("receipt %d of %s: %w", row.Seq, node, err)
		}
		name := occurrence{receipt.Announcement, receipt.Of, receipt.Payload, receipt.Start}
		if _, known := told[name]; !known {
			names = append(names, name)
		}
		told[name] = plan.Tell(told[name], receipt)
	}
	for _, name := range names {
		if len(told[name]) == 0 {
			continue
		}
		class, drill, err := r.class(ctx, name.announcement, name.revision)
		if errors.Is(err, store.ErrNotFound) {
			continue // another controller published it
		}
		if err != nil {
			return err
		}
		for _, p := range told[name] {
			p.Class, p.Drill = class, drill
			r.in.Past = append(r.in.Past, p)
		}
	}
	r.running()
	return nil
}

// running takes the newest attempt without an end for one that sounds now, if
// its item can still be sounding; older ones were lost with power or program.
func (r *reader) running() {
	newest := -1
	for i, p := range r.in.Past {
		if !p.Rung.Terminal() && p.Attempt > 0 && (newest < 0 || p.At > r.in.Past[newest].At) {
			newest = i
		}
	}
	if newest < 0 {
		return
	}
	p := &r.in.Past[newest]
	if ends := p.At.Add(r.length(p.Announcement)); ends > r.src.Now {
		p.Running, p.Ends = true, ends
	}
}

// length is how long an item sounds with everything around it.
func (r *reader) length(id broadcast.ID) time.Duration {
	for _, item := range r.in.Items {
		if item.Announcement.ID == id {
			d := r.in.Board.WarmUp + r.in.Board.Chimes[string(item.Announcement.Class)] + r.in.Board.Tail
			for _, v := range item.Announcement.Versions {
				d += v.Duration()
			}
			return d
		}
	}
	return 0
}

// class returns the class of one revision, and whether it was a drill.
func (r *reader) class(ctx context.Context, id broadcast.ID, of broadcast.Revision) (broadcast.Class, bool, error) {
	for _, item := range r.in.Items {
		if item.Announcement.ID == id && item.Announcement.Revision == of {
			return item.Announcement.Class, item.Drill, nil
		}
	}
	var err error
	for _, kind := range []broadcast.Kind{broadcast.KindAnnouncement, broadcast.KindDrill} {
		var doc store.Document
		if doc, err = r.src.DB.NewestDocument(ctx, kind, id); err != nil {
			continue
		}
		a, _, err := seal.Open[broadcast.Announcement](r.src.Ring, kind, doc.Raw, r.context())
		return a.Class, kind == broadcast.KindDrill, err
	}
	return "", false, err
}
