package link

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"
)

// loop is the life of the Link: connect, stay, pause, connect.
func (l *Link) loop(ctx context.Context) {
	failures := 0
	for ctx.Err() == nil {
		// The very first attempt waits as well: after a mains failure a whole
		// district starts in the same second.
		if !pause(ctx, jitter(l.cfg.Rand, failures/len(l.brokers))) {
			return
		}
		b := l.brokers[failures%len(l.brokers)]
		s, err := l.connect(ctx, b)
		if err != nil {
			failures++
			l.cfg.Log.Info("no connection to the broker", "broker", b.address, "attempt", failures, "reason", err)
			continue
		}
		began := time.Now()
		l.traffic.connections.Add(1)
		l.cfg.Log.Info("connected to the broker", "broker", b.address, "connection", s.id)
		err = l.stay(ctx, s)
		l.cfg.Log.Info("connection to the broker ended", "broker", b.address, "connection", s.id, "reason", err)
		// A broker that accepts and then throws the node off is a failure like
		// any other, or it would be asked again without a pause.
		failures++
		if time.Since(began) >= stable {
			failures = 0
		}
	}
}

// jitter is a pause between nothing and the limit of this round, so that many
// nodes that lost one broker do not come back in step.
func jitter(r *rand.Rand, round int) time.Duration {
	limit := MaxWait
	if round < 7 {
		limit = firstWait << round
	}
	return time.Duration(r.Int64N(int64(min(limit, MaxWait)) + 1))
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

var errAllRefused = errors.New("broker refuses every subscription")

// stay holds a connection until it ends: subscribes, tells the listener, keeps
// the subscriptions in tune and tries refused ones again.
func (l *Link) stay(ctx context.Context, s *session) error {
	var have []string
	announced := false
	for round := 0; ; round++ {
		want, changed := l.wanted()
		granted, refused, err := s.tune(ctx, have, want)
		if err == nil && len(granted) == 0 && len(refused) > 0 {
			err = fmt.Errorf("%w: %v", errAllRefused, refused)
		}
		l.setRefused(refused)
		if err != nil {
			s.end(err)
		}
		have = granted
		if err == nil && !announced {
			announced = true
			l.setSession(s)
			l.queue.state(event{kind: up, connection: s.id})
		}
		if len(refused) > 0 {
			l.cfg.Log.Warn("broker refuses subscriptions; the node does not hear these topics", "topics", refused, "connection", s.id)
		}
		if again := l.hold(ctx, s, changed, len(refused) > 0, round); again {
			continue
		}
		l.setSession(nil)
		if announced {
			l.queue.state(event{kind: down, connection: s.id, why: s.reason()})
		}
		return s.reason()
	}
}

// hold waits until the subscriptions need work (true) or the connection is over.
func (l *Link) hold(ctx context.Context, s *session, changed <-chan struct{}, refused bool, round int) bool {
	var retry <-chan time.Time
	if refused {
		timer := time.NewTimer(firstWait + jitter(l.cfg.Rand, round))
		defer timer.Stop()
		retry = timer.C
	}
	select {
	case <-s.lost:
		return false
	case <-ctx.Done():
		s.goodbye()
		return false
	case <-changed:
	case <-retry:
	}
	return true
}

func (l *Link) setSession(s *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.session = s
}

func (l *Link) setRefused(topics []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused = topics
}
