package desk

import (
	"context"
	"slices"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

// heard refuses an emergency from a machine's voice that its author has not
// listened to: a misreading sounds as sure as the truth.
func (d *Desk) heard(ctx context.Context, a Announcement) error {
	if a.Document.Class != broadcast.Emergency || a.State != store.Draft {
		return nil
	}
	contents, err := d.contentsOf(ctx, a)
	if err != nil {
		return err
	}
	return d.listened(ctx, a.Author, contents)
}

// listened refuses recordings of a machine's voice that somebody has not
// listened to.
func (d *Desk) listened(ctx context.Context, author broadcast.ID, contents []broadcast.Digest) error {
	machine, err := d.cfg.DB.SpokenContents(ctx, contents...)
	if err != nil {
		return err
	}
	listened, err := d.cfg.DB.Listened(ctx, author, contents...)
	if err != nil {
		return err
	}
	var open []string
	for _, m := range machine {
		if !slices.ContainsFunc(listened, func(l store.Listening) bool { return l.SHA256 == m.SHA256 }) {
			open = append(open, string(m.SHA256))
		}
	}
	if len(open) == 0 {
		return nil
	}
	r := refuse(NotListened, "versions", string(author), broadcast.Digest(open[0]).Short())
	r.Errors = open
	return r
}

// contentsOf are all recordings of an announcement, those in its programmes too.
func (d *Desk) contentsOf(ctx context.Context, a Announcement) ([]broadcast.Digest, error) {
	var out []broadcast.Digest
	for _, v := range a.Document.Versions {
		if v.Content != nil {
			out = append(out, v.Content.SHA256)
		}
	}
	orders, err := d.cfg.DB.RunningOrders(ctx, a.ID)
	if err != nil {
		return nil, err
	}
	for _, o := range orders {
		order, err := broadcast.Decode[broadcast.RunningOrder](o.Raw)
		if err != nil {
			return nil, err
		}
		for _, s := range order.Segments {
			if s.Content != nil {
				out = append(out, s.Content.SHA256)
			}
		}
	}
	return out, nil
}

// words fills the text of a draft that its author left out with those that its
// recordings were spoken from, if they fit.
func (d *Desk) words(ctx context.Context, draft Draft) (string, error) {
	if draft.Meta.Text != "" {
		return draft.Meta.Text, nil
	}
	var texts []string
	for _, v := range draft.Versions {
		if v.Content == "" {
			continue
		}
		found, err := d.cfg.DB.SpokenContents(ctx, v.Content)
		if err != nil {
			return "", err
		}
		for _, f := range found {
			texts = append(texts, text(f.Written))
		}
	}
	all := strings.Join(texts, "\n\n")
	if (broadcast.Metadata{Text: all}).Validate() != nil {
		return "", nil
	}
	return all, nil
}
