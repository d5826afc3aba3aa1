package notify

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// How the post goes about it.
const (
	lookEvery = 5 * time.Second
	// gather is how long a notice waits for others of its kind.
	gather       = 30 * time.Second
	gatherUrgent = 5 * time.Second
	// hourly is how many messages a subscription gets in an hour; what comes
	// above waits and is told together. Urgent ones have as many again.
	hourly = 6
	// memory is how long ended notices and sent messages are kept.
	memory      = 90 * 24 * time.Hour
	forgetEvery = time.Hour
)

// Rights says who may do what in which areas.
type Rights interface {
	Authorise(p people.Person, need people.Permission, areas ...broadcast.ID) error
}

// Persons knows people.
type Persons interface {
	Person(ctx context.Context, id broadcast.ID) (people.Person, error)
}

// Config is what a post works with. Every field is needed.
type Config struct {
	DB      *store.DB
	Rights  Rights
	Persons Persons
	// Tree is the organisation tree as it is known now.
	Tree     func() broadcast.Tree
	Sources  []Source
	Settings Settings
	Now      func() time.Time
	Log      *slog.Logger
}

// Post (bưu tá) tells subscribers. Make one with New; it is safe for concurrent use.
type Post struct {
	cfg  Config
	ways map[Way]carrier
}

// carrier hands one message over. A refusal says that trying again is useless.
type carrier interface {
	Send(ctx context.Context, m store.Message) error
}

// errRefused marks what will not go better the next time.
var errRefused = errors.New("refused")

// New returns a post with the ways that the settings give.
func New(cfg Config) *Post {
	p := &Post{cfg: cfg, ways: map[Way]carrier{}}
	if s := cfg.Settings.Mail; s != nil {
		p.ways[Mail] = mailer{settings: *s}
	}
	if s := cfg.Settings.Webhook; s != nil {
		p.ways[Webhook] = newHook(*s)
	}
	if s := cfg.Settings.Command; s != nil {
		p.ways[Command] = runner{run: s.Run}
	}
	return p
}

// Ways are those that are set up.
func (p *Post) Ways() []Way {
	var out []Way
	for _, w := range Ways() {
		if p.cfg.Settings.has(w) {
			out = append(out, w)
		}
	}
	return out
}

// Serve looks every few seconds for what there is to tell, and sends what is
// due, until ctx ends. A way that hangs holds up no other.
func (p *Post) Serve(ctx context.Context) error {
	for way := range p.ways {
		go p.every(ctx, lookEvery, "sending by "+string(way), func(ctx context.Context) error { return p.Deliver(ctx, way) })
	}
	go p.every(ctx, forgetEvery, "forgetting old messages", p.forget)
	p.every(ctx, lookEvery, "finding out what to tell", p.Look)
	return ctx.Err()
}

// every does something again and again until ctx ends; what failed is logged
// once for as long as it fails alike.
func (p *Post) every(ctx context.Context, pause time.Duration, what string, f func(context.Context) error) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	last := ""
	for {
		text := ""
		if err := f(ctx); err != nil && ctx.Err() == nil {
			text = err.Error()
		}
		if text != "" && text != last {
			p.cfg.Log.ErrorContext(ctx, what, "err", text)
		}
		last = text
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (p *Post) now() broadcast.Instant { return broadcast.InstantOf(p.cfg.Now()) }

func (p *Post) forget(ctx context.Context) error {
	return p.cfg.DB.Update(ctx, func(tx store.Tx) error { return tx.ForgetNotices(ctx, p.now().Add(-memory)) })
}

// newID returns a lower-case ULID of now.
func (p *Post) newID() broadcast.ID {
	return broadcast.ID(strings.ToLower(ulid.MustNew(ulid.Timestamp(p.cfg.Now()), rand.Reader).String()))
}

// Wish is what somebody asks to be told.
type Wish struct {
	Way      Way
	Address  string
	Areas    []broadcast.ID
	Topics   []Topic
	Language string
	// Quiet is from-to in local time, such as 22:00-05:30, or empty.
	Quiet string
}

// ErrWish is what every refusal of a wish wraps.
var ErrWish = errors.New("this cannot be subscribed to")

// maxSubscriptions is how many one person may have.
const maxSubscriptions = 20

// Subscribe keeps a wish. The person must be one who may see every topic in all
// of the areas, now and whenever something is told.
func (p *Post) Subscribe(ctx context.Context, by people.Person, w Wish) (store.Subscription, error) {
	if err := p.check(w); err != nil {
		return store.Subscription{}, fmt.Errorf("%w: %w", ErrWish, err)
	}
	for _, t := range w.Topics {
		if err := p.cfg.Rights.Authorise(by, topicRows()[t].need, w.Areas...); err != nil {
			return store.Subscription{}, err
		}
	}
	has, err := p.cfg.DB.Subscriptions(ctx, by.ID)
	if err != nil {
		return store.Subscription{}, err
	}
	if len(has) >= maxSubscriptions {
		return store.Subscription{}, fmt.Errorf("%w: you have %d; end one first", ErrWish, len(has))
	}
	s := store.Subscription{ID: p.newID(), Person: by.ID, Way: string(w.Way), Address: w.Address, Areas: w.Areas,
		Language: w.Language, Quiet: w.Quiet, Created: p.now()}
	for _, t := range w.Topics {
		s.Topics = append(s.Topics, string(t))
	}
	err = p.cfg.DB.Update(ctx, func(tx store.Tx) error {
		if err := tx.AddSubscription(ctx, s); err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: s.Created, Person: by.ID, Act: "subscription.create", Subject: string(s.ID)})
	})
	return s, err
}

func (p *Post) check(w Wish) error {
	if !p.cfg.Settings.has(w.Way) {
		return fmt.Errorf("way %q is not set up here; whoever runs the controller names it in the notification settings", string(w.Way))
	}
	if err := checkAddress(w.Way, w.Address); err != nil {
		return err
	}
	if len(w.Areas) == 0 || len(w.Areas) > broadcast.MaxAreas || len(w.Topics) == 0 || len(w.Topics) > len(Topics()) {
		return errors.New("areas or topics: name at least one, and not too many")
	}
	for _, a := range w.Areas {
		if _, ok := p.cfg.Tree().Find(a); !ok {
			return fmt.Errorf("area %q is not known", string(a))
		}
	}
	for _, t := range w.Topics {
		if err := t.Validate(); err != nil {
			return err
		}
	}
	if w.Language != "vi" && w.Language != "en" {
		return errors.New("language: use vi or en")
	}
	_, err := readQuiet(w.Quiet)
	return err
}

// Unsubscribe ends a wish: one's own, or that of somebody whom one manages.
func (p *Post) Unsubscribe(ctx context.Context, by people.Person, id broadcast.ID) (store.Subscription, error) {
	s, err := p.subscription(ctx, by, id)
	if err != nil {
		return s, err
	}
	return s, p.cfg.DB.Update(ctx, func(tx store.Tx) error {
		if err := tx.DropSubscription(ctx, s.ID); err != nil {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: p.now(), Person: by.ID, Act: "subscription.end", Subject: string(s.ID)})
	})
}

// subscription returns one that a person may touch; any other is not found.
func (p *Post) subscription(ctx context.Context, by people.Person, id broadcast.ID) (store.Subscription, error) {
	all, err := p.cfg.DB.Subscriptions(ctx, "")
	if err != nil {
		return store.Subscription{}, err
	}
	for _, s := range all {
		if s.ID == id && (s.Person == by.ID || p.manages(ctx, by, s.Person)) {
			return s, nil
		}
	}
	return store.Subscription{}, fmt.Errorf("subscription %s: %w", id, store.ErrNotFound)
}

// manages says whether one person manages another.
func (p *Post) manages(ctx context.Context, by people.Person, id broadcast.ID) bool {
	other, err := p.cfg.Persons.Person(ctx, id)
	return err == nil && p.cfg.Rights.Authorise(by, people.PersonManage, other.Areas...) == nil
}

// Try queues a message that says nothing but that messages arrive.
func (p *Post) Try(ctx context.Context, by people.Person, id broadcast.ID) (store.Message, error) {
	s, err := p.subscription(ctx, by, id)
	if err != nil {
		return store.Message{}, err
	}
	m := p.message(s)
	m.Subject = pick(s.Language, "Loaxa: tin thử", "Loaxa: a test message")
	m.Body = pick(s.Language, "Đây là tin thử theo yêu cầu của "+by.Name+". Không cần làm gì.\n", by.Name+" asked for this test message. There is nothing to do.\n")
	err = p.cfg.DB.Update(ctx, func(tx store.Tx) error {
		n, err := tx.CountMessages(ctx, s.ID, p.now().Add(-time.Hour))
		if err != nil {
			return err
		}
		if n >= 2*hourly {
			return fmt.Errorf("%w: %d messages went there within the hour; try again later", ErrWish, n)
		}
		return tx.AddMessage(ctx, m)
	})
	return m, err
}

// message begins a message for a subscription.
func (p *Post) message(s store.Subscription) store.Message {
	now := p.now()
	return store.Message{ID: p.newID(), Subscription: s.ID, Person: s.Person, Way: s.Way, Address: s.Address,
		State: store.MessageQueued, Next: now, Created: now}
}

func pick(language, vi, en string) string {
	if language == "en" {
		return en
	}
	return vi
}
