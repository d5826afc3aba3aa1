package desk

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/store"
)

// Deliveries is what nodes proved of one announcement.
type Deliveries struct {
	Announcement Announcement
	// At is when this was read.
	At    broadcast.Instant
	Nodes []Delivery
}

// Delivery is what one node proved, in order of node.
type Delivery struct {
	Node broadcast.ID
	Area broadcast.ID
	// Expected says that the node stood in a target area at publishing.
	Expected bool
	Progress
	// Last is the newest sign of any kind from the node, a hint: presence,
	// state, health. Zero if there never was one. Its age is what a screen
	// shows of a node that proved nothing.
	Last broadcast.Instant
}

// Silent says whether the node ended without sounding to its end.
func (d Delivery) Silent() bool { return d.End != "" && d.End != broadcast.Ended }

// Doubted says whether the node ended only by receipts of which it is not sure
// which box gave them: neither sounded nor silent.
func (d Delivery) Doubted() bool { return d.End == "" && d.Claimed != nil && d.Claimed.End != "" }

// Open counts the expected nodes that did not prove that they have ended.
func (d Deliveries) Open() int {
	n := 0
	for _, node := range d.Nodes {
		if node.Expected && node.End == "" {
			n++
		}
	}
	return n
}

// Deliveries returns what every expected node proved, and every other that
// gave receipts.
func (d *Desk) Deliveries(ctx context.Context, id broadcast.ID) (Deliveries, error) {
	a, err := d.Announcement(ctx, id)
	if err != nil {
		return Deliveries{}, err
	}
	if a.SHA256 == "" {
		return Deliveries{Announcement: a, At: d.now()}, nil
	}
	rows, err := d.cfg.DB.ReceiptsOf(ctx, a.Document.ID, a.Document.Revision)
	if err != nil {
		return Deliveries{}, err
	}
	standings, err := d.cfg.Fleet.Overview(ctx)
	if err != nil {
		return Deliveries{}, err
	}
	return d.delivered(ctx, a, rows, standings)
}

// proofsAtOnce is how many announcements are read in one query.
const proofsAtOnce = 100

// Proofs hands f what was proved of published announcements, in order; those that
// are not there are left out. It is Deliveries for a whole month: nodes are read
// once, and receipts that only say that an announcement arrived not at all.
func (d *Desk) Proofs(ctx context.Context, ids []broadcast.ID, f func(Deliveries) error) error {
	standings, err := d.cfg.Fleet.Overview(ctx)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(ids, proofsAtOnce) {
		list, err := d.Named(ctx, some)
		if err != nil {
			return err
		}
		for _, a := range list {
			rows, err := d.cfg.DB.TellingReceipts(ctx, a.Document.ID, a.Document.Revision, a.Payload)
			if err != nil {
				return err
			}
			one, err := d.delivered(ctx, a, rows, standings)
			if err == nil && a.SHA256 != "" {
				err = f(one)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// delivered judges the receipts of an announcement that was published.
func (d *Desk) delivered(ctx context.Context, a Announcement, rows []store.ReceiptRow, standings []fleet.Standing) (Deliveries, error) {
	out := Deliveries{Announcement: a, At: d.now()}
	expected, err := d.cfg.DB.Expected(ctx, a.Document.ID, a.Document.Revision)
	if err != nil {
		return out, err
	}
	proved, err := entries(rows)
	if err != nil {
		return out, fmt.Errorf("announcement %s: %w", a.ID, err)
	}
	by := judge{announcement: a.Document, payload: a.Payload, now: out.At}
	for _, s := range standings {
		is := slices.Contains(expected, s.Node.ID)
		told, gave := proved[s.Node.ID]
		if is || gave {
			out.Nodes = append(out.Nodes, Delivery{Node: s.Node.ID, Area: s.Node.Area, Expected: is, Progress: by.fold(told), Last: s.LastSign})
		}
	}
	return out, nil
}

// entries are stored receipts by node.
func entries(rows []store.ReceiptRow) (map[broadcast.ID][]entry, error) {
	out := map[broadcast.ID][]entry{}
	for _, row := range rows {
		var r broadcast.Receipt // it was read strictly before it was stored
		if err := json.Unmarshal(row.Raw, &r); err != nil {
			return nil, fmt.Errorf("a receipt of %s: %w", row.Node, err)
		}
		out[row.Node] = append(out[row.Node], entry{chain: row.Chain, doubtful: row.Doubtful, Receipt: r})
	}
	return out, nil
}
