package feedback

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/oklog/ulid/v2"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/guess"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Kind is what a report is about.
type Kind string

// The kinds of reports.
const (
	TooLoud  Kind = "too-loud"
	NotHeard Kind = "not-heard"
	Broken   Kind = "broken"
	Other    Kind = "other"
)

// kinds are all of them, as people read them.
var kinds = map[Kind]string{TooLoud: "loa quá to / too loud", NotHeard: "không nghe được / not heard", Broken: "loa hỏng / broken", Other: "khác / other"}

// Report is what somebody has to say.
type Report struct {
	// Area is the commune or the village in which it was heard, or was not.
	Area    broadcast.ID
	Kind    Kind
	Text    string
	Contact string
}

// Bounds of a report and its answer, in characters.
const (
	maxText    = 1000
	maxContact = 100
)

// Bounds of what strangers may add.
const (
	strangersInArea = 50
	strangersInAll  = 500
	strangersFor    = 24 * time.Hour
	// sameFor is how long the same words of strangers count as one report.
	sameFor = time.Hour
)

// Sites know how loud nodes are set.
type Sites interface {
	// TrimOf is what a node adds to every volume, in hundredths of a decibel.
	TrimOf(ctx context.Context, node broadcast.ID) (int64, error)
}

// Persons knows what people are called.
type Persons interface {
	Persons(ctx context.Context) ([]people.Person, error)
}

// Config is what a register is made of. Every field is needed.
type Config struct {
	DB      *store.DB
	Sites   Sites
	Persons Persons
	// Tree is the organisation tree as it is known now.
	Tree func() broadcast.Tree
	Now  func() time.Time
}

// Register keeps feedback. It is safe for concurrent use.
type Register struct {
	cfg Config
	// strangers counts their reports by network.
	strangers *guess.Limit
}

// New returns a register over a database.
func New(cfg Config) *Register {
	return &Register{cfg: cfg, strangers: guess.New(guess.Rule{Free: 3, First: time.Minute, Most: time.Hour})}
}

func (r *Register) now() broadcast.Instant { return broadcast.InstantOf(r.cfg.Now()) }

// Take writes down what somebody told a person of the office; kept, if not nil,
// runs in the same transaction. What cannot be kept is a *Refusal.
func (r *Register) Take(ctx context.Context, by broadcast.ID, in Report, kept func(store.Tx, store.Feedback) error) (store.Feedback, error) {
	row, err := r.rowOf(in)
	if err != nil {
		return row, err
	}
	row.TakenBy = by
	return row, r.cfg.DB.Update(ctx, func(tx store.Tx) error {
		if err := r.add(ctx, tx, row); err != nil || kept == nil {
			return err
		}
		return kept(tx, row)
	})
}

// Hear takes what a stranger reports from an address. Too many of one network
// are a *people.Patience, too many in all a *Refusal. Who sends the same again
// within an hour gets the entry that is there.
func (r *Register) Hear(ctx context.Context, address string, in Report) (store.Feedback, error) {
	row, err := r.rowOf(in)
	if err != nil {
		return row, err
	}
	if wait := r.strangers.Try(r.cfg.Now(), guess.Network(address)); wait > 0 {
		return row, &people.Patience{Wait: wait}
	}
	err = r.cfg.DB.Update(ctx, func(tx store.Tx) error {
		same, err := tx.SameFeedback(ctx, row, row.Created.Add(-sameFor))
		if err == nil {
			row = same
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := r.room(ctx, tx, row); err != nil {
			return err
		}
		return r.add(ctx, tx, row)
	})
	return row, err
}

// room refuses what strangers report beyond the bounds of a day.
func (r *Register) room(ctx context.Context, tx store.Tx, row store.Feedback) error {
	for area, most := range map[broadcast.ID]int64{row.Area: strangersInArea, "": strangersInAll} {
		n, err := tx.CountStrange(ctx, area, row.Created.Add(-strangersFor))
		if err != nil {
			return err
		}
		if n >= most {
			return refuse(TooMany, "")
		}
	}
	return nil
}

func (r *Register) add(ctx context.Context, tx store.Tx, row store.Feedback) error {
	if err := tx.AddFeedback(ctx, row); err != nil {
		return err
	}
	return r.audit(ctx, tx, "feedback.take", row, row.TakenBy, row.Text)
}

// audit keeps who did what; the words themselves stay out of the log, in which
// nothing can ever be taken back.
func (r *Register) audit(ctx context.Context, tx store.Tx, act string, row store.Feedback, by broadcast.ID, words string) error {
	return tx.Audit(ctx, store.Deed{At: r.now(), Person: by, Act: act, Subject: string(row.ID),
		Detail: deed{Area: row.Area, Kind: row.Kind, Node: row.Node, Words: broadcast.Sum([]byte(words))}})
}

// deed is what the audit log keeps of a step.
type deed struct {
	Area  broadcast.ID     `json:"area"`
	Kind  string           `json:"kind"`
	Node  broadcast.ID     `json:"node,omitempty"`
	Words broadcast.Digest `json:"words"`
}

// rowOf makes the row of a report, or refuses it.
func (r *Register) rowOf(in Report) (store.Feedback, error) {
	row := store.Feedback{Version: 1, Area: in.Area, Kind: string(in.Kind), Created: r.now()}
	if kinds[in.Kind] == "" {
		return row, flaw("kind", "the kind is too-loud, not-heard, broken or other", "Loại phản ánh là too-loud, not-heard, broken hoặc other.")
	}
	if err := r.local(in.Area); err != nil {
		return row, err
	}
	var err error
	if row.Text, err = words("text", in.Text, maxText); err != nil {
		return row, err
	}
	if row.Contact, err = words("contact", in.Contact, maxContact); err != nil {
		return row, err
	}
	if row.Text == "" && in.Kind == Other {
		return row, flaw("text", "say what is wrong", "Hãy ghi nội dung phản ánh.")
	}
	id, err := ulid.New(ulid.Timestamp(r.cfg.Now()), rand.Reader)
	if err != nil {
		return row, fmt.Errorf("new id: %w", err)
	}
	row.ID = broadcast.ID(strings.ToLower(id.String()))
	return row, nil
}

// local refuses areas that no loudspeaker stands in by itself.
func (r *Register) local(area broadcast.ID) error {
	a, known := r.cfg.Tree().Find(area)
	f, is := a.At(r.now())
	switch {
	case !known || !is:
		return refuse(AreaUnknown, "area", string(area))
	case f.Level.Rank() < broadcast.Commune.Rank():
		return refuse(AreaLevel, "area", f.Name)
	}
	return nil
}

// words are a text in the form that every other text here has.
func words(field, text string, most int) (string, error) {
	text = strings.TrimSpace(broadcast.NormalText(strings.ReplaceAll(text, "\r\n", "\n")))
	if n := utf8.RuneCountInString(text); n > most {
		return "", flaw(field, fmt.Sprintf("the text has %d characters, at most %d are kept: shorten it", n, most),
			fmt.Sprintf("Nội dung dài %d ký tự, tối đa %d: hãy viết ngắn lại.", n, most))
	}
	if err := (broadcast.Metadata{Text: text}).Validate(); err != nil {
		return "", flaw(field, "the text holds signs that cannot be kept: "+err.Error(), "Nội dung có ký tự không lưu được: hãy xoá ký tự lạ.")
	}
	return text, nil
}
