package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/wire"
)

// Errors that callers tell apart.
var (
	// ErrUnknown: no station has that name.
	ErrUnknown = errors.New("no such station")
	// ErrElsewhere: the station is not for that area.
	ErrElsewhere = errors.New("the station is not for this area")
	// ErrBusy: as many nodes listen as may.
	ErrBusy = errors.New("too many listeners")
)

// mostListeners bounds those of all stations together.
const mostListeners = 2000

// Keys opens the service key.
type Keys interface {
	Service(ctx context.Context) (seal.Signer, error)
}

// Config is what Stations work with; every field is needed.
type Config struct {
	Stations []Station
	Keys     Keys
	// Covers says whether the second area is the first or lies below it now.
	Covers func(upper, area broadcast.ID) bool
	// Homes is where children are started.
	Homes string
	Now   func() time.Time
	Log   *slog.Logger
}

// Stations are those that may be relayed. They are safe for concurrent use.
type Stations struct {
	cfg     Config
	encoder *encoder // nil without stations

	mu        sync.Mutex
	pulls     map[broadcast.ID]*pull
	listeners int
	work      sync.WaitGroup
}

// New makes ready. It reaches no station.
func New(cfg Config) (*Stations, error) {
	s := &Stations{cfg: cfg, pulls: map[broadcast.ID]*pull{}}
	if len(cfg.Stations) == 0 {
		return s, nil
	}
	err := os.MkdirAll(cfg.Homes, 0o700)
	if err != nil {
		return nil, fmt.Errorf("stations: %w", err)
	}
	if s.encoder, err = newEncoder(cfg.Homes, cfg.Log); err != nil {
		return nil, err
	}
	return s, nil
}

// Standing is a station and what is known of it now.
type Standing struct {
	Station
	State State
	// Since is when it came to that state, the zero time at rest.
	Since time.Time
	// Why says what is wrong, if anything is.
	Why       string
	Listeners int
}

// Standings are those of all stations, as the file lists them.
func (s *Stations) Standings() []Standing {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Standing, len(s.cfg.Stations))
	for i, one := range s.cfg.Stations {
		out[i] = Standing{Station: one, State: AtRest}
		p := s.pulls[one.ID]
		if p == nil {
			continue
		}
		p.mu.Lock()
		if p.state != Gone || s.cfg.Now().Sub(p.since) < told {
			out[i].State, out[i].Since, out[i].Why, out[i].Listeners = p.state, p.since, p.why, p.listeners
		}
		p.mu.Unlock()
	}
	return out
}

// Lost says of each station that gave no sound when it was last listened to why
// not. One that nobody asked for within a day is left out.
func (s *Stations) Lost() map[broadcast.ID]string {
	out := map[broadcast.ID]string{}
	for _, one := range s.Standings() {
		if one.State == Silent || one.State == Gone {
			out[one.ID] = one.Why
		}
	}
	return out
}

// May says whether a station may be relayed in all of the areas: ErrUnknown or
// ErrElsewhere if it may not.
func (s *Stations) May(id broadcast.ID, areas ...broadcast.ID) error {
	one, err := s.find(id)
	if err != nil {
		return err
	}
	for _, area := range areas {
		if !slices.ContainsFunc(one.Areas, func(upper broadcast.ID) bool { return s.cfg.Covers(upper, area) }) {
			return fmt.Errorf("%w: %s in %s", ErrElsewhere, id, area)
		}
	}
	return nil
}

func (s *Stations) find(id broadcast.ID) (Station, error) {
	for _, one := range s.cfg.Stations {
		if one.ID == id {
			return one, nil
		}
	}
	return Station{}, fmt.Errorf("%w: %s", ErrUnknown, id)
}

// Listen writes the sound of a station to one listener under the name of a
// session, until ctx ends, the station does, or w fails. Each write is a whole
// number of frames, and follows the one before as soon as there is something.
func (s *Stations) Listen(ctx context.Context, id broadcast.ID, session broadcast.Key, w io.Writer) error {
	p, leave, err := s.join(ctx, id)
	if err != nil {
		return err
	}
	defer leave()
	head, err := s.session(ctx, p, session)
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, broadcast.MaxSession)
	defer cancel()
	for from := int64(0); ; {
		var list [][]byte
		if list, from, err = p.ring.next(ctx, from); err != nil {
			return err
		}
		if _, err := w.Write(slices.Concat(list...)); err != nil {
			return err
		}
	}
}

// session seals who signs the blocks of a pull, for one live body.
func (s *Stations) session(ctx context.Context, p *pull, name broadcast.Key) ([]byte, error) {
	service, err := s.cfg.Keys.Service(ctx)
	if err != nil {
		return nil, err
	}
	now := broadcast.InstantOf(s.cfg.Now())
	env, err := seal.Seal(broadcast.KindSession, broadcast.Session{Key: name, Station: p.station.ID, Signer: p.signer(),
		At: now, Until: now.Add(broadcast.MaxSession)}, service)
	if err != nil {
		return nil, err
	}
	raw, err := seal.Bytes(broadcast.KindSession, env)
	if err != nil {
		return nil, err
	}
	return wire.AppendFrame(nil, wire.SessionFrame, raw), nil
}

// join adds a listener to the pull of a station, which begins with the first.
func (s *Stations) join(ctx context.Context, id broadcast.ID) (*pull, func(), error) {
	station, err := s.find(id)
	if err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listeners >= mostListeners {
		return nil, nil, ErrBusy
	}
	p := s.pulls[id]
	if p == nil || p.ended() {
		if p, err = newPull(station, s.cfg.Now); err != nil {
			return nil, nil, err
		}
		s.begin(context.WithoutCancel(ctx), p)
		s.pulls[id] = p
	}
	s.listeners++
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listeners++
	if p.idle != nil {
		p.idle.Stop()
	}
	return p, func() { s.leave(p) }, nil
}

const (
	// again is how soon a station that went away is tried once more.
	again = 2 * time.Second
	// told is how long is said that it went away, if nobody asks for it any more.
	told = 24 * time.Hour
)

// ended says that the pull is over, and long enough for another.
func (p *pull) ended() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state == Gone && p.now().Sub(p.since) >= again
}

func (s *Stations) begin(ctx context.Context, p *pull) {
	ctx, p.cancel = context.WithCancelCause(ctx)
	s.work.Go(func() {
		err := p.run(ctx, s.encoder)
		p.cancel(nil)
		if errors.Is(err, errNobody) {
			s.forget(p)
			return
		}
		s.cfg.Log.Warn("a station is gone", "station", p.station.ID, "err", err)
	})
}

// leave takes a listener off; a pull without any ends a little later.
func (s *Stations) leave(p *pull) {
	s.mu.Lock()
	s.listeners--
	s.mu.Unlock()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.listeners--; p.listeners == 0 {
		p.idle = time.AfterFunc(linger, func() {
			if p.unheard() {
				p.cancel(errNobody)
			}
		})
	}
}

func (p *pull) unheard() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.listeners == 0
}

// forget lets a station be at rest.
func (s *Stations) forget(p *pull) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pulls[p.station.ID] == p {
		delete(s.pulls, p.station.ID)
	}
}

// Serve waits for ctx, and then ends whatever is still fetched.
func (s *Stations) Serve(ctx context.Context) error {
	<-ctx.Done()
	s.mu.Lock()
	for _, p := range s.pulls {
		p.cancel(ctx.Err())
	}
	s.mu.Unlock()
	s.work.Wait()
	return ctx.Err()
}
