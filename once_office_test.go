package loaxa

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

// office makes announcements; some it takes back, some it issues anew, and for a
// while now and then it has everybody be silent.
func (w *onceWorld) office(dice *rand.Rand) {
	for i := range 6 + dice.IntN(3) {
		<-time.After(time.Duration(dice.Int64N(int64(25 * time.Second))))
		draft := w.draft(i, dice)
		id, err := w.publish(draft)
		w.note("%s %s %s: %v", id, draft.Class, draft.Title, cmp.Or(err, errors.New("published")))
		for _, act := range [][]func(broadcast.ID, *rand.Rand){{w.withdraw}, {w.amend}, {w.amend, w.withdraw}, {w.amend, w.amend}, {w.silence}, {}, {}, {}}[dice.IntN(8)] {
			if err == nil {
				<-time.After(time.Duration(dice.Int64N(int64(15 * time.Second))))
				act(id, dice)
			}
		}
	}
}

func (w *onceWorld) withdraw(id broadcast.ID, _ *rand.Rand) {
	err := w.ask(func(c *onceCentre) error {
		_, err := c.desk.Withdraw(context.Background(), c.person, w.credential(), id, "đổi lịch")
		return err
	})
	w.note("%s withdrawn: %v", id, err)
}

// amend issues an announcement anew, with other words and often at another time.
func (w *onceWorld) amend(id broadcast.ID, dice *rand.Rand) {
	delay, moves := time.Duration(5+dice.IntN(40))*time.Second, dice.IntN(2) == 0
	err := w.ask(func(c *onceCentre) error {
		return c.issue(id, func(a *broadcast.Announcement) error {
			content, err := w.unused(id)
			if err != nil {
				return err
			}
			now := broadcast.InstantOf(time.Now())
			a.Revision = max(broadcast.Revision(now), a.Revision+1)
			a.Versions = []broadcast.Version{{Language: "vi", Content: &content}}
			switch {
			case a.Timing.Mode == broadcast.ModeNow:
				a.Timing.Start = now.Add(5 * time.Second)
			case moves || a.Timing.Start <= now:
				a.Timing.Start = now.Add(delay)
			}
			return nil
		})
	})
	w.note("%s issued anew: %v", id, err)
}

// unused is a recording that no revision of an announcement has had: by it a
// horn tells which of them it sounds.
func (w *onceWorld) unused(id broadcast.ID) (broadcast.Content, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, sum := range w.kit.contents {
		if !slices.Contains(w.used[id], sum) {
			w.used[id] = append(w.used[id], sum)
			return broadcast.Content{SHA256: sum, Millis: w.kit.long[sum].Milliseconds(), Bytes: int64(len(w.kit.recordings[sum]))}, nil
		}
	}
	return broadcast.Content{}, errors.New("no recording is left")
}

// silence bars some classes somewhere for a while. It names emergencies too,
// which one officer alone cannot silence.
func (w *onceWorld) silence(id broadcast.ID, dice *rand.Rand) {
	area, length := []broadcast.ID{broadcast.BacQuang, "tan-lap"}[dice.IntN(2)], time.Duration(10+dice.IntN(50))*time.Second
	classes := broadcast.Classes()[dice.IntN(2):]
	err := w.ask(func(c *onceCentre) error {
		now := broadcast.InstantOf(time.Now())
		s := broadcast.Silence{ID: "silence-" + id, Revision: broadcast.Revision(now), Areas: []broadcast.ID{area}, Classes: classes, Until: now.Add(length)}
		return c.office.With(context.Background(), w.credential(), func(signer seal.Signer) error {
			env, err := seal.Seal(broadcast.KindSilence, s, signer)
			if err != nil {
				return err
			}
			return c.db.Update(context.Background(), func(tx store.Tx) error {
				_, err := c.list(tx, broadcast.KindSilence, s.ID, s.Revision, env, s.Until, s.Areas)
				return err
			})
		})
	})
	w.note("%v silent in %s for %v: %v", classes, area, length, err)
}

// issue seals the next revision of a published announcement.
func (c *onceCentre) issue(id broadcast.ID, change func(*broadcast.Announcement) error) error {
	defer c.dispatch.Changed()
	return c.office.With(context.Background(), c.w.credential(), func(signer seal.Signer) error {
		return c.db.Update(context.Background(), func(tx store.Tx) error {
			row, err := tx.Announcement(context.Background(), id)
			if err != nil {
				return err
			}
			if row.State != store.Published {
				return fmt.Errorf("it is %s", row.State)
			}
			before := row
			a, err := broadcast.Decode[broadcast.Announcement]([]byte(row.Body))
			if err != nil {
				return err
			}
			if err := change(&a); err != nil {
				return err
			}
			env, err := seal.Seal(broadcast.KindAnnouncement, a, signer)
			if err != nil {
				return err
			}
			row.Until = max(row.Until, a.Timing.Deadline(a.Class).Add(2*time.Minute))
			if row.SHA256, err = c.list(tx, broadcast.KindAnnouncement, id, a.Revision, env, row.Until, a.Areas); err != nil {
				return err
			}
			body, err := broadcast.Encode(a)
			row.Body, row.Revision = string(body), a.Revision
			var nodes []broadcast.ID
			for _, n := range onceNodes {
				nodes = append(nodes, n.id)
			}
			if err := errors.Join(err, tx.Expect(context.Background(), id, a.Revision, nodes), tx.SaveAnnouncement(context.Background(), row)); err != nil {
				return err
			}
			c.w.mu.Lock()
			defer c.w.mu.Unlock()
			c.w.earlier = append(c.w.earlier, before)
			return nil
		})
	})
}

// list keeps a sealed document and lists it in its areas.
func (c *onceCentre) list(tx store.Tx, kind broadcast.Kind, id broadcast.ID, revision broadcast.Revision, env broadcast.Envelope, until broadcast.Instant, areas []broadcast.ID) (broadcast.Digest, error) {
	raw, err := seal.Bytes(kind, env)
	if err != nil {
		return "", err
	}
	sum, err := tx.PutDocument(context.Background(), store.Document{Kind: kind, ID: id, Revision: revision, Raw: raw})
	for _, area := range areas {
		err = errors.Join(err, tx.List(context.Background(), store.Listing{Area: area, Kind: kind, ID: id, Revision: revision, SHA256: sum, Until: until}))
	}
	return sum, err
}

func (w *onceWorld) credential() people.Credential { return people.Credential{Token: w.kit.token} }

func (w *onceWorld) draft(i int, dice *rand.Rand) desk.Draft {
	class := []broadcast.Class{broadcast.Emergency, broadcast.Priority, broadcast.Normal, broadcast.Emergency}[dice.IntN(4)]
	content := w.kit.contents[dice.IntN(len(w.kit.contents))]
	timing := broadcast.Timing{Mode: broadcast.ModeNow}
	if class == broadcast.Emergency {
		timing.Window = 150
		timing.Repeat = []int64{0, 0, 60}[dice.IntN(3)]
	} else if dice.IntN(2) == 0 {
		timing = broadcast.Timing{Mode: broadcast.ModeStart, Start: broadcast.InstantOf(time.Now().Add(time.Duration(5+dice.IntN(40)) * time.Second))}
	}
	return desk.Draft{Title: fmt.Sprintf("Bản tin %d", i), Class: class, Areas: []broadcast.ID{broadcast.BacQuang}, Reason: "trực một mình",
		Versions: []desk.DraftVersion{{Language: "vi", Content: content}}, Timing: timing}
}

// publish makes an announcement, asking again for every step that was not
// answered.
func (w *onceWorld) publish(draft desk.Draft) (id broadcast.ID, err error) {
	var a desk.Announcement
	steps := []func(c *onceCentre) error{
		func(c *onceCentre) error { a, err = c.found(draft); return err },
		func(c *onceCentre) error {
			a, err = c.desk.Submit(context.Background(), c.person, w.credential(), a.Document.ID, "", broadcast.WhyQuiet)
			return err
		},
		func(c *onceCentre) error {
			a, err = c.desk.Approve(context.Background(), c.person, w.credential(), a.Document.ID, a.Digest)
			return err
		},
	}
	for _, step := range steps {
		if err := w.ask(step); err != nil {
			return a.Document.ID, err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.accepted[a.Document.ID] = draft.Title
	w.used[a.Document.ID] = []broadcast.Digest{draft.Versions[0].Content}
	return a.Document.ID, nil
}

// found is the draft of a title, made if it is not there: nobody knows whether
// one that was not answered is.
func (c *onceCentre) found(draft desk.Draft) (desk.Announcement, error) {
	all, err := c.desk.Announcements(context.Background(), "", "", desk.MaxPage)
	if err != nil {
		return desk.Announcement{}, err
	}
	for _, a := range all {
		if a.Document.Title == draft.Title {
			return a, nil
		}
	}
	return c.desk.Create(context.Background(), c.person, draft, nil)
}
