package records

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Desk says what nodes proved, and how long an area has to and may sound.
type Desk interface {
	Proofs(ctx context.Context, ids []broadcast.ID, f func(desk.Deliveries) error) error
	Firings(ctx context.Context, node broadcast.ID, limit int64) ([]desk.Firing, error)
	Law(ctx context.Context, area broadcast.ID) (broadcast.Law, error)
}

// Fleet knows every node.
type Fleet interface {
	Overview(ctx context.Context) ([]fleet.Standing, error)
}

// Persons knows what people are called.
type Persons interface {
	Persons(ctx context.Context) ([]people.Person, error)
}

// Chapter adds a table to the monthly report, out of what another package keeps.
type Chapter interface {
	Chapter(ctx context.Context, p Period) (Table, error)
}

// Period is a time in an area and everything below it.
type Period struct {
	Area broadcast.ID
	// From is the first moment, To the one after the last.
	From, To broadcast.Instant
	// Nodes are those that stand in the area today, in order.
	Nodes []broadcast.ID
}

// Config is what records are made of. Chapters may be left out.
type Config struct {
	DB      *store.DB
	Desk    Desk
	Fleet   Fleet
	Persons Persons
	// Tree is the organisation tree as it is known now.
	Tree     func() broadcast.Tree
	Chapters []Chapter
	Now      func() time.Time
	Log      *slog.Logger
}

// Records writes diaries and reports. It is safe for concurrent use and keeps
// nothing outside of the database.
type Records struct{ cfg Config }

// New returns records over a database.
func New(cfg Config) *Records { return &Records{cfg: cfg} }

const (
	// lookEvery lies between two looks for days to close and late receipts.
	lookEvery = 5 * time.Minute
	// closesAfter is how long after midnight a day is closed.
	closesAfter = 30 * time.Minute
	// remembers is how long after a day a late receipt is still looked for in it:
	// longer than a node may act on its own.
	remembers = (broadcast.MaxOfflineDays + 5) * 24 * time.Hour
	// dateLayout is how a day is named.
	dateLayout = "2006-01-02"
)

// Serve closes days and takes late receipts in, until ctx ends. What fails is
// tried again at the next look.
func (r *Records) Serve(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		if err := r.Look(ctx); err != nil && ctx.Err() == nil {
			r.cfg.Log.ErrorContext(ctx, "the diary could not be kept", "error", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

func (r *Records) now() broadcast.Instant { return broadcast.InstantOf(r.cfg.Now()) }

func (r *Records) newID() (broadcast.ID, error) {
	id, err := ulid.New(ulid.Timestamp(r.cfg.Now()), rand.Reader)
	if err != nil {
		return "", fmt.Errorf("new id: %w", err)
	}
	return broadcast.ID(strings.ToLower(id.String())), nil
}

// midnight is the first moment of the local day that holds i.
func midnight(i broadcast.Instant) broadcast.Instant {
	t := i.Time().In(broadcast.Local())
	return broadcast.InstantOf(time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, broadcast.Local()))
}

// dayOf names the local day that holds i.
func dayOf(i broadcast.Instant) string { return i.Time().In(broadcast.Local()).Format(dateLayout) }

// oneDay is as long as every local day: there is no daylight saving.
const oneDay = 24 * time.Hour

// parse reads a local date or month strictly, as the layout has it.
func parse(layout, text string) (time.Time, error) {
	t, err := time.ParseInLocation(layout, text, broadcast.Local())
	if err == nil && t.Format(layout) != text {
		err = fmt.Errorf("%q is not written like %s", text, layout)
	}
	return t, err
}

// moment is the text of an instant, empty for none.
func moment(i broadcast.Instant) string {
	if i == 0 {
		return ""
	}
	return i.String()
}
