package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// Look compares what there is to be told with what was known before, and queues
// messages for whoever was not told.
func (p *Post) Look(ctx context.Context) error {
	var all []Notice
	var errs []error // a source that fails hides what the others know from nobody
	broken := map[Topic]bool{}
	for _, src := range p.cfg.Sources {
		some, err := src.Notices(ctx)
		if err != nil {
			errs = append(errs, err)
			if t, ok := src.(topical); ok {
				broken[t.topic()] = true
			}
			continue
		}
		all = append(all, some...)
	}
	subs, err := p.cfg.DB.Subscriptions(ctx, "")
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	readers, err := p.readers(ctx, subs)
	if err != nil {
		return errors.Join(append(errs, err)...)
	}
	err = p.cfg.DB.Update(ctx, func(tx store.Tx) error {
		if err := p.keep(ctx, tx, all, broken); err != nil {
			return err
		}
		for _, r := range readers {
			if err := p.tell(ctx, tx, r); err != nil {
				return err
			}
		}
		return nil
	})
	return errors.Join(append(errs, err)...)
}

// topical is a source that speaks of one topic: while it fails, nothing of that
// topic is taken to be over.
type topical interface{ topic() Topic }

// keep stores what is new and what is over.
func (p *Post) keep(ctx context.Context, tx store.Tx, all []Notice, broken map[Topic]bool) error {
	open, err := tx.OpenNotices(ctx)
	if err != nil {
		return err
	}
	known := map[string]store.Notice{}
	for _, n := range open {
		name, _, _ := strings.Cut(n.Name, openedAt)
		known[name] = n
	}
	now := p.now()
	var changed []store.Notice
	for _, n := range all {
		row, err := rowOf(n, now)
		if err != nil {
			return err
		}
		old, ok := known[n.Name]
		if ok {
			row.Name = old.Name
		}
		if !ok || old.Words != row.Words || old.Subject != row.Subject || old.Urgent != row.Urgent || old.Passing != row.Passing {
			changed = append(changed, row)
		}
		delete(known, n.Name)
	}
	for _, n := range known {
		if !broken[Topic(n.Topic)] {
			n.Ended = now
			changed = append(changed, n)
		}
	}
	return tx.SaveNotices(ctx, changed)
}

// openedAt stands in stored names before the moment of coming: what comes again
// is told again.
const openedAt = "@"

func rowOf(n Notice, now broadcast.Instant) (store.Notice, error) {
	words, err := json.Marshal(n.Words)
	return store.Notice{Name: fmt.Sprintf("%s%s%d", n.Name, openedAt, now), Topic: string(n.Topic), Cause: n.Cause, Area: n.Area, Person: n.Person, Urgent: n.Urgent,
		Passing: n.Passing, Subject: n.Subject, Words: string(words), Since: n.Since, Shown: now}, err
}

// reader is a subscription with the person behind it.
type reader struct {
	store.Subscription
	person people.Person
}

// readers are the subscriptions of people who are still here.
func (p *Post) readers(ctx context.Context, subs []store.Subscription) ([]reader, error) {
	var out []reader
	for _, s := range subs {
		who, err := p.cfg.Persons.Person(ctx, s.Person)
		if err != nil {
			return nil, err
		}
		if who.Left == 0 {
			out = append(out, reader{s, who})
		}
	}
	return out, nil
}

// tell queues at most one message with everything that a reader was not told.
func (p *Post) tell(ctx context.Context, tx store.Tx, r reader) error {
	rows, err := tx.Untold(ctx, r.ID)
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(n store.Notice) bool { return !p.concerns(r, n) })
	urgent := slices.ContainsFunc(rows, func(n store.Notice) bool { return n.Urgent && n.Ended == 0 })
	if len(rows) == 0 || !p.ripe(rows, urgent) || !urgent && p.asleep(r) {
		return nil
	}
	n, err := tx.CountMessages(ctx, r.ID, p.now().Add(-time.Hour))
	if err != nil {
		return err
	}
	if n >= hourly && !urgent || n >= 2*hourly {
		return nil
	}
	m := p.message(r.Subscription)
	m.Urgent = urgent
	if m.Subject, m.Body, err = p.compose(r, rows); err != nil {
		return err
	}
	var told []store.Telling
	for _, row := range rows {
		told = append(told, store.Telling{Subscription: r.ID, Notice: row.Name, Ended: row.Ended > 0})
	}
	return errors.Join(tx.AddMessage(ctx, m), tx.Tell(ctx, told))
}

// ripe says whether what waits has waited long enough for its like.
func (p *Post) ripe(rows []store.Notice, urgent bool) bool {
	wait := gather
	if urgent {
		wait = gatherUrgent
	}
	first := p.now()
	for _, n := range rows {
		if urgent && !n.Urgent {
			continue
		}
		first = min(first, max(n.Shown, n.Ended))
	}
	return p.now().Sub(first) >= wait
}

// concerns says whether a reader asked for a notice and may see it today.
func (p *Post) concerns(r reader, n store.Notice) bool {
	if !slices.Contains(r.Topics, n.Topic) {
		return false
	}
	if n.Person == r.Subscription.Person && n.Person != "" {
		return true
	}
	area := n.Area
	if area == "" {
		area = p.top()
	}
	at := p.now()
	asked := slices.ContainsFunc(r.Areas, func(upper broadcast.ID) bool { return p.cfg.Tree().Covers(upper, area, at) })
	// What is wrong with the centre touches everybody who looks after a part of it.
	need := topicRows()[Topic(n.Topic)].need
	if n.Area == "" && Topic(n.Topic) == Faults {
		return slices.ContainsFunc(r.Areas, func(part broadcast.ID) bool { return p.cfg.Rights.Authorise(r.person, need, part) == nil })
	}
	if n.Person != "" {
		need = people.PersonManage
	}
	return asked && p.cfg.Rights.Authorise(r.person, need, area) == nil
}

// top is the area over all others.
func (p *Post) top() broadcast.ID {
	if all := p.cfg.Tree().Areas(); len(all) > 0 {
		return all[0].ID
	}
	return ""
}

// asleep says whether a reader wants to be left alone now.
func (p *Post) asleep(r reader) bool {
	q, err := readQuiet(r.Quiet)
	if err != nil || r.Quiet == "" {
		return false
	}
	t := p.cfg.Now().In(broadcast.Local())
	minute := t.Hour()*60 + t.Minute()
	if q[0] <= q[1] {
		return minute >= q[0] && minute < q[1]
	}
	return minute >= q[0] || minute < q[1]
}

// readQuiet reads from-to as minutes of the day.
func readQuiet(text string) ([2]int, error) {
	var out [2]int
	if text == "" {
		return out, nil
	}
	from, to, _ := strings.Cut(text, "-")
	for i, one := range []string{from, to} {
		t, err := time.Parse("15:04", one)
		if err != nil {
			return out, fmt.Errorf("quiet %q: use from-to such as 22:00-05:30", text)
		}
		out[i] = t.Hour()*60 + t.Minute()
	}
	return out, nil
}
