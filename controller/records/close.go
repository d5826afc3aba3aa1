package records

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

// The marks of the keeper.
const (
	markClosed = "closed" // the midnight that ends the last closed day
	markHeard  = "heard"  // until when receipts were held against closed days
	markSeen   = "seen"   // when the controller last ran
)

// Look closes every day that is over, and adds to closed ones what was learned
// of them since. Doing it twice changes nothing.
func (r *Records) Look(ctx context.Context) error {
	return errors.Join(r.watch(ctx), r.closeDays(ctx), r.late(ctx))
}

// watch notes that the controller runs and, if it did not for a while, when.
func (r *Records) watch(ctx context.Context) error {
	seen, err := r.cfg.DB.DiaryMark(ctx, markSeen)
	if err != nil {
		return err
	}
	now := r.now()
	return r.cfg.DB.Update(ctx, func(tx store.Tx) error {
		if seen != 0 && now.Sub(seen) > 2*lookEvery {
			if err := tx.AddBlindSpell(ctx, store.BlindSpell{From: seen, To: now}); err != nil {
				return err
			}
		}
		return tx.MarkDiary(ctx, markSeen, now)
	})
}

// closeDays closes the days that ended since the last look, the oldest first.
func (r *Records) closeDays(ctx context.Context) error {
	until, err := r.cfg.DB.DiaryMark(ctx, markClosed)
	if err != nil {
		return err
	}
	now := r.now()
	if until == 0 { // the first day of the house is today
		return r.cfg.DB.Update(ctx, func(tx store.Tx) error { return tx.MarkDiary(ctx, markClosed, midnight(now)) })
	}
	for day := until; day.Add(oneDay+closesAfter) <= now; day = day.Add(oneDay) {
		if err := r.closeDay(ctx, day); err != nil {
			return fmt.Errorf("close the diary of %s: %w", dayOf(day), err)
		}
	}
	return nil
}

// communes are the communes that there were at a moment, in order.
func (r *Records) communes(at broadcast.Instant) []broadcast.ID {
	var out []broadcast.ID
	for _, a := range r.cfg.Tree().Areas() {
		if f, was := a.At(at); was && f.Level == broadcast.Commune {
			out = append(out, a.ID)
		}
	}
	return out
}

// closeDay closes one day of every commune that has nodes or something to say.
func (r *Records) closeDay(ctx context.Context, from broadcast.Instant) error {
	s, err := r.scribe(ctx)
	if err != nil {
		return err
	}
	all, err := r.airings(ctx, from, from.Add(oneDay))
	if err != nil {
		return err
	}
	var days []Day
	for _, area := range r.communes(from) {
		day, err := s.day(ctx, area, from, all)
		if err != nil {
			return err
		}
		days = append(days, day)
	}
	return r.cfg.DB.Update(ctx, func(tx store.Tx) error {
		for _, day := range days {
			area := broadcast.ID(day.Area)
			entries, err := tx.DiaryEntries(ctx, area, day.Day)
			if err != nil {
				return err
			}
			day.Entries = s.entries(entries)
			if len(s.nodesIn(area, from))+len(day.Lines)+len(day.Entries) == 0 {
				continue
			}
			if err := r.addPage(ctx, tx, store.DiaryPage{Area: area, Day: day.Day, Kind: store.ClosedDay}, day); err != nil {
				return err
			}
		}
		return tx.MarkDiary(ctx, markClosed, from.Add(oneDay))
	})
}

// addPage adds a page with its row in the audit log, which also keeps where the
// diary ended.
func (r *Records) addPage(ctx context.Context, tx store.Tx, p store.DiaryPage, body any) error {
	var err error
	if p.Body, err = json.Marshal(body); err != nil {
		return err
	}
	p.At = r.now()
	if p, err = tx.AddDiaryPage(ctx, p); err != nil {
		return err
	}
	return tx.Audit(ctx, store.Deed{At: p.At, Person: p.Person, Act: pageAct, Subject: string(p.Area),
		Detail: pageDeed{Day: p.Day, Kind: p.Kind, Seq: p.Seq, Hash: p.Hash}})
}

// pageAct is the act of adding a page, and pageDeed what the audit log keeps of it.
const pageAct = "diary.page"

type pageDeed struct {
	Day  string           `json:"day"`
	Kind string           `json:"kind"`
	Seq  int64            `json:"seq"`
	Hash broadcast.Digest `json:"hash"`
}

func (s *scribe) entries(rows []store.DiaryEntry) []Entry {
	out := []Entry{}
	for _, e := range rows {
		out = append(out, Entry{Who: s.who(e.Person), At: moment(e.At), Text: e.Text})
	}
	return out
}

// late holds receipts that came since the last look against closed days.
func (r *Records) late(ctx context.Context) error {
	until, err := r.cfg.DB.DiaryMark(ctx, markClosed)
	if err != nil {
		return err
	}
	since, err := r.cfg.DB.DiaryMark(ctx, markHeard)
	if err != nil {
		return err
	}
	now := r.now()
	learned, err := r.learned(ctx, since, now.Add(-remembers), until)
	if err != nil || len(learned) == 0 {
		return errors.Join(err, r.cfg.DB.Update(ctx, func(tx store.Tx) error { return r.heard(ctx, tx, err, now) }))
	}
	s, err := r.scribe(ctx)
	if err != nil {
		return err
	}
	return r.cfg.DB.Update(ctx, func(tx store.Tx) error {
		for day := midnight(now.Add(-remembers)); day < until; day = day.Add(oneDay) {
			some := slices.DeleteFunc(slices.Clone(learned), func(a airing) bool { return a.start < day || a.start >= day.Add(oneDay) })
			for _, area := range r.communes(day) {
				if err := s.amend(ctx, tx, area, day, some); err != nil {
					return err
				}
			}
		}
		return tx.MarkDiary(ctx, markHeard, now)
	})
}

// heard marks how far receipts were looked at, unless that failed.
func (r *Records) heard(ctx context.Context, tx store.Tx, failed error, now broadcast.Instant) error {
	if failed != nil {
		return nil
	}
	return tx.MarkDiary(ctx, markHeard, now)
}

// learned are the airings of closed days of which receipts came since a moment;
// all of them if it became doubtful since which box gave receipts.
func (r *Records) learned(ctx context.Context, since, from, until broadcast.Instant) ([]airing, error) {
	doubts, err := r.cfg.DB.Doubts(ctx)
	if err != nil {
		return nil, err
	}
	for _, d := range doubts {
		if d.Since >= since {
			return r.airings(ctx, from, until)
		}
	}
	names, err := r.cfg.DB.TalkedOf(ctx, since)
	if err != nil {
		return nil, err
	}
	rows, err := r.cfg.DB.RevisionsOf(ctx, names)
	if err != nil {
		return nil, err
	}
	out, err := r.proved(ctx, rows, from, until)
	if err != nil {
		return nil, err
	}
	published := map[broadcast.ID]bool{}
	for _, row := range rows {
		published[row.Document] = true
	}
	if !slices.ContainsFunc(names, func(name broadcast.ID) bool { return !published[name] }) {
		return out, nil
	}
	some, err := r.firings(ctx, from, until) // a box told of something, not the desk
	return append(out, some...), err
}

// amendment is the body of an addendum.
type amendment struct {
	Lines   []Line  `json:"lines,omitempty"`
	Entries []Entry `json:"entries,omitempty"`
}

// amend adds those lines to a closed day that say something else by now.
func (s *scribe) amend(ctx context.Context, tx store.Tx, area broadcast.ID, day broadcast.Instant, some []airing) error {
	var fresh []Line
	for _, a := range some {
		mine, meant := s.within(a, area)
		if !meant {
			continue
		}
		line, err := s.line(ctx, mine)
		if err != nil {
			return err
		}
		fresh = append(fresh, line)
	}
	if len(fresh) == 0 {
		return nil
	}
	pages, err := tx.DiaryOf(ctx, area, dayOf(day))
	if err != nil || len(pages) == 0 {
		return err
	}
	known, err := standing(pages)
	if err != nil {
		return err
	}
	fresh = slices.DeleteFunc(fresh, func(l Line) bool { return same(known[l.key()], l) })
	if len(fresh) == 0 {
		return nil
	}
	slices.SortFunc(fresh, func(a, b Line) int { return strings.Compare(a.From, b.From) })
	return s.addPage(ctx, tx, store.DiaryPage{Area: area, Day: dayOf(day), Kind: store.Addendum}, amendment{Lines: fresh})
}

// same says whether two lines tell of the same proof.
func same(a, b Line) bool {
	return a.Announcement == b.Announcement && a.Proof == b.Proof && reflect.DeepEqual(a.Missing, b.Missing)
}

// standing are the lines of a day as its last addendum has them, by their keys.
func standing(pages []store.DiaryPage) (map[string]Line, error) {
	out := map[string]Line{}
	for _, p := range pages {
		var body amendment // a closed day has lines too
		if err := json.Unmarshal(p.Body, &body); err != nil {
			return nil, fmt.Errorf("diary of %s, page %d: %w", p.Area, p.Seq, err)
		}
		for _, l := range body.Lines {
			out[l.key()] = l
		}
	}
	return out, nil
}
