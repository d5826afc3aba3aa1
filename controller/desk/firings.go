package desk

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
)

// Firing is one turn of a key switch in the box of a node, as that node's own
// key told it, and what its receipts prove of what followed.
type Firing struct {
	broadcast.Firing
	Announcement broadcast.ID
	Of           broadcast.Revision
	Node, Area   broadcast.ID
	// At is when the key was turned, by the node's clock, and Clock what that
	// rests on; Told is when the house learned of it.
	At, Told broadcast.Instant
	Clock    broadcast.Quality
	// Title and Class are the template's; empty if the house has no such template.
	Title string
	Class broadcast.Class
	// Allowed says that the house has the very template, that it names this key
	// switch or person, and that the node stands in its areas.
	Allowed bool
	// Doubtful says that it is not sure which box told of it.
	Doubtful bool
	// Rung, Reason and Evidence are those of a delivery.
	Progress
}

// Firings returns what key switches fired, the last that was told first, at
// most limit; of one node, or of all for "".
func (d *Desk) Firings(ctx context.Context, node broadcast.ID, limit int64) ([]Firing, error) {
	rows, err := d.cfg.DB.Firings(ctx, node, limit)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	standings, err := d.cfg.Fleet.Overview(ctx)
	if err != nil {
		return nil, err
	}
	areas := map[broadcast.ID]broadcast.ID{}
	for _, s := range standings {
		areas[s.Node.ID] = s.Node.Area
	}
	var out []Firing
	for _, row := range rows {
		var r broadcast.Receipt // it was read strictly before it was stored
		if err := json.Unmarshal(row.Raw, &r); err != nil || r.Firing == nil {
			return nil, fmt.Errorf("firing %d of %s: %w", row.Seq, row.Node, err)
		}
		f := Firing{Firing: *r.Firing, Announcement: r.Announcement, Of: r.Of, Node: row.Node, Area: areas[row.Node],
			At: r.At, Told: row.Stored, Clock: r.Clock, Doubtful: row.Doubtful}
		if err := d.prove(ctx, &f, r.Payload); err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// prove finds the template of a firing, and folds what its node told of it.
func (d *Desk) prove(ctx context.Context, f *Firing, payload broadcast.Digest) error {
	t, known, err := d.template(ctx, f.Firing)
	if err != nil {
		return err
	}
	if known {
		chain, err := d.cfg.Tree().Chain(f.Area, d.now())
		f.Title, f.Class = t.Title, t.Class
		f.Allowed = err == nil && t.Local.Allows(f.Key, f.Person) && broadcast.Assignment{Chain: chain}.Within(t.Areas)
	}
	a := f.Firing.Announcement(f.Announcement, f.Of, t)
	rows, err := d.cfg.DB.ReceiptsOf(ctx, a.ID, a.Revision)
	if err != nil {
		return err
	}
	proved, err := entries(rows)
	if err != nil {
		return err
	}
	f.Progress = judge{announcement: a, payload: payload, now: d.now()}.fold(proved[f.Node])
	return nil
}

// template is the very one that was fired, if the house has it.
func (d *Desk) template(ctx context.Context, f broadcast.Firing) (broadcast.Template, bool, error) {
	rows, err := d.cfg.DB.DocumentsOf(ctx, broadcast.KindTemplate, f.Template.ID, f.Template.Revision)
	if err != nil {
		return broadcast.Template{}, false, err
	}
	for _, row := range rows {
		env, err := seal.Parse(broadcast.KindTemplate, row.Raw)
		if err != nil {
			return broadcast.Template{}, false, err
		}
		payload, err := env.PayloadBytes()
		if err != nil {
			return broadcast.Template{}, false, err
		}
		if broadcast.Sum(payload) == f.Payload {
			t, err := broadcast.Decode[broadcast.Template](payload)
			return t, err == nil, err
		}
	}
	return broadcast.Template{}, false, nil
}
