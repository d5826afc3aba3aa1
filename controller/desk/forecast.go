package desk

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/preview"
	"github.com/loaxa/loaxa/controller/store"
)

// How long a forecast may take: a step waits for it, and an emergency next to
// nothing.
const (
	emergencyPatience = 200 * time.Millisecond
	patience          = time.Second
)

// Forecast says what an announcement would do on the nodes that it names, as
// far as that can be told in a second. Whatever was not looked at it says; the
// only error is an announcement that is not there.
func (d *Desk) Forecast(ctx context.Context, id broadcast.ID) (preview.Forecast, error) {
	a, err := d.Announcement(ctx, id)
	if err != nil {
		return preview.Forecast{}, err
	}
	return *d.foresee(ctx, a, nil), nil
}

// foresee makes the forecast of an announcement, with the running orders of a
// draft that is not kept yet. It never fails: a forecast that cannot be made is
// no reason not to speak.
func (d *Desk) foresee(ctx context.Context, a Announcement, orders []store.RunningOrder) *preview.Forecast {
	limit := patience
	if a.Document.Class == broadcast.Emergency {
		limit = emergencyPatience
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	f, err := d.tryForesee(ctx, a, orders)
	if err != nil {
		f = preview.Forecast{At: d.now(), Trouble: err.Error()}
	}
	if f.Trouble != "" {
		d.cfg.Log.Warn("forecast is not complete", "announcement", a.ID, "unseen", f.Unseen, "error", f.Trouble)
	}
	return &f
}

func (d *Desk) tryForesee(ctx context.Context, a Announcement, orders []store.RunningOrder) (preview.Forecast, error) {
	ring, err := d.cfg.Keys.Ring(ctx)
	if err != nil {
		return preview.Forecast{}, err
	}
	nodes, err := d.standing(ctx, a.Document.Areas)
	if err != nil {
		return preview.Forecast{}, err
	}
	s, err := d.subject(ctx, ring, a, orders)
	if err != nil {
		return preview.Forecast{}, err
	}
	return preview.Foresee(ctx, preview.Source{DB: d.cfg.DB, Ring: ring, Now: d.now(), Places: d.places()}, s, nodes), nil
}

// subject is the announcement as it will be once everybody has signed: those
// who have not are taken for people of its author's level with the best keys.
func (d *Desk) subject(ctx context.Context, ring *seal.Keyring, a Announcement, orders []store.RunningOrder) (preview.Subject, error) {
	s := preview.Subject{Announcement: a.Document, Published: a.SHA256 != "", Orders: map[broadcast.Digest]broadcast.RunningOrder{}}
	if s.Published {
		return s, nil
	}
	if len(a.Signatures) == 0 {
		s.Announcement = d.dated(a.Document)
	}
	r, err := d.rule(ctx, ring, a.Document)
	if err != nil {
		return s, err
	}
	author, err := d.cfg.DB.Person(ctx, a.Author)
	if err != nil {
		return s, err
	}
	for _, signed := range a.Signatures {
		if c, ok := ring.Certificate(signed.KID); ok {
			s.Signers = append(s.Signers, plan.Signer{Person: c.Person, Level: c.Level, Custody: c.Custody})
		}
	}
	for i := len(s.Signers); i < r.officers; i++ {
		s.Signers = append(s.Signers, plan.Signer{Person: broadcast.ID(fmt.Sprint("signer-", i)), Level: author.Level, Custody: broadcast.CustodyToken})
	}
	if orders == nil {
		if orders, err = d.cfg.DB.RunningOrders(ctx, a.ID); err != nil {
			return s, err
		}
	}
	for _, o := range orders {
		if s.Orders[o.SHA256], err = broadcast.Decode[broadcast.RunningOrder](o.Raw); err != nil {
			return s, err
		}
	}
	return s, nil
}

// mayBeSilent refuses a draft that would sound nowhere, unless somebody was
// shown why and accepts those reasons, which it returns. An emergency goes on:
// who raises an alarm is warned, not kept from it.
func mayBeSilent(a Announcement, f *preview.Forecast, accept []broadcast.Reason) (accepted string, err error) {
	if a.State != store.Draft || a.Document.Class == broadcast.Emergency || !f.Nowhere() {
		return "", nil
	}
	var english, vietnamese, reasons []string
	for _, o := range f.Outcomes {
		w, change := o.Words(), o.Advice()
		english = append(english, line(w.English, change.English))
		vietnamese = append(vietnamese, line(w.Vietnamese, change.Vietnamese))
		if !slices.Contains(reasons, string(o.Reason)) {
			reasons = append(reasons, string(o.Reason))
		}
	}
	named := strings.Join(reasons, ",")
	if f.Accepts(accept) {
		return named, nil
	}
	r := refuse(SoundsNowhere, "", word{strings.Join(english, "; "), strings.Join(vietnamese, "; ")}, named)
	r.Errors = english
	return "", r
}

func line(what, change string) string {
	if change == "" {
		return what
	}
	return what + ": " + change
}
