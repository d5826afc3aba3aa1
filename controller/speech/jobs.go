package speech

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/speech/spoken"
	"github.com/loaxa/loaxa/controller/store"
)

// Text is what somebody wants to be spoken.
type Text struct {
	Area    broadcast.ID
	Title   string
	Written string
	Manner  Manner
	// Accept names every piece of the text that nobody understands and that shall
	// be said as it is.
	Accept []string
}

// mostWaiting is how many texts of one person may wait.
const mostWaiting = 50

// Create queues a text. If kept is not nil it is called in the same transaction.
func (s *Studio) Create(ctx context.Context, by people.Person, t Text, kept func(store.Tx, store.Speech) error) (store.Speech, error) {
	if err := s.cfg.Rights.Authorise(by, people.AnnouncementWrite, t.Area); err != nil {
		return store.Speech{}, err
	}
	waiting, err := s.cfg.DB.SpeechesWaiting(ctx, by.ID)
	if err != nil {
		return store.Speech{}, err
	}
	if waiting >= mostWaiting {
		return store.Speech{}, refuse(QueueFull, "", waiting)
	}
	id, err := s.newID()
	if err != nil {
		return store.Speech{}, err
	}
	row := store.Speech{ID: id, Version: 1, Person: by.ID, Area: t.Area, Title: strings.TrimSpace(t.Title), Created: s.now()}
	if err := s.queue(ctx, &row, t); err != nil {
		return store.Speech{}, err
	}
	err = s.cfg.DB.Update(ctx, func(tx store.Tx) error {
		if err := tx.AddSpeech(ctx, row); err != nil {
			return err
		}
		if kept != nil {
			if err := kept(tx, row); err != nil {
				return err
			}
		}
		return s.audit(ctx, tx, by.ID, "speech.create", row, t.Accept)
	})
	if err != nil {
		return store.Speech{}, err
	}
	s.changed(row.ID)
	return row, nil
}

// queue checks a text and puts it into a row that waits.
func (s *Studio) queue(ctx context.Context, row *store.Speech, t Text) error {
	p, err := s.preview(ctx, t.Area, t.Written, t.Manner)
	if err != nil {
		return err
	}
	if err := s.sayable(ctx, p, t.Manner, t.Accept); err != nil {
		return err
	}
	manner, err := json.Marshal(t.Manner)
	if err != nil {
		return err
	}
	accepted, err := json.Marshal(append([]string{}, p.Unknown...))
	if err != nil {
		return err
	}
	row.State, row.Written, row.Manner, row.Accepted = store.SpeechQueued, t.Written, string(manner), string(accepted)
	row.Reason, row.Tries, row.Next, row.Done, row.Content, row.Changed = "", 0, 0, 0, "", s.now()
	row.Total = int64(len(p.Reading.Units(t.Manner.parts())))
	return nil
}

// audit keeps what was done to which words, and what was let through.
func (s *Studio) audit(ctx context.Context, tx store.Tx, by broadcast.ID, act string, row store.Speech, accepted []string) error {
	return tx.Audit(ctx, store.Deed{At: s.now(), Person: by, Act: act, Subject: string(row.ID),
		Detail: map[string]string{"text": string(broadcast.Sum([]byte(row.Written))), "accepted": named(accepted)}})
}

// Job is a text on its way, with how it is said.
type Job struct {
	Row       store.Speech
	Manner    Manner
	Accepted  []string
	Sentences []spoken.Unit
	// Failure is why it waits or failed; nil if neither.
	Failure *Failure
}

// Failure is why a text waits or failed.
type Failure struct {
	English    string `json:"english"`
	Vietnamese string `json:"vietnamese"`
}

// Job returns one text.
func (s *Studio) Job(ctx context.Context, by people.Person, id broadcast.ID) (Job, error) {
	row, err := s.cfg.DB.Speech(ctx, id)
	if err != nil {
		return Job{}, err
	}
	if err := s.cfg.Rights.Authorise(by, people.AnnouncementRead, row.Area); err != nil {
		return Job{}, err
	}
	j, err := jobOf(row)
	if err != nil {
		return Job{}, err
	}
	p, err := s.preview(ctx, row.Area, row.Written, j.Manner)
	j.Sentences = p.Sentences
	return j, err
}

// Jobs returns those texts of a page that a person may see, newest first, without
// their sentences, and the id to go on from; empty at the end.
func (s *Studio) Jobs(ctx context.Context, by people.Person, before broadcast.ID, limit int) ([]Job, broadcast.ID, error) {
	rows, err := s.cfg.DB.SpeechesBefore(ctx, before, limit)
	if err != nil {
		return nil, "", err
	}
	var out []Job
	for _, row := range rows {
		if s.cfg.Rights.Authorise(by, people.AnnouncementRead, row.Area) != nil {
			continue
		}
		j, err := jobOf(row)
		if err != nil {
			return nil, "", err
		}
		out = append(out, j)
	}
	if len(rows) < limit {
		return out, "", nil
	}
	return out, rows[len(rows)-1].ID, nil
}

func jobOf(row store.Speech) (Job, error) {
	j := Job{Row: row}
	err := errors.Join(json.Unmarshal([]byte(row.Manner), &j.Manner), json.Unmarshal([]byte(row.Accepted), &j.Accepted))
	if row.Reason != "" {
		j.Failure = &Failure{}
		err = errors.Join(err, json.Unmarshal([]byte(row.Reason), j.Failure))
	}
	return j, err
}

// Edit replaces one sentence, counted from 1, and queues the text again: only
// what changed is spoken anew. A text that changed since that version is
// store.ErrConflict.
func (s *Studio) Edit(ctx context.Context, by people.Person, id broadcast.ID, version int64, sentence int, written string, accept []string) (store.Speech, error) {
	return s.change(ctx, by, id, version, "speech.edit", accept, func(j Job) (Text, error) {
		if sentence < 1 || sentence > len(j.Sentences) {
			return Text{}, refuse(NoSentence, "sentence", sentence, len(j.Sentences))
		}
		u := j.Sentences[sentence-1]
		text := j.Row.Written[:u.From] + strings.TrimSpace(written) + j.Row.Written[u.To:]
		return Text{Area: j.Row.Area, Written: text, Manner: j.Manner, Accept: slices.Concat(j.Accepted, accept)}, nil
	})
}

// Retry tries a text again at once.
func (s *Studio) Retry(ctx context.Context, by people.Person, id broadcast.ID) (store.Speech, error) {
	return s.change(ctx, by, id, 0, "speech.retry", nil, func(j Job) (Text, error) {
		if j.Row.State != store.SpeechFailed && j.Row.State != store.SpeechQueued {
			return Text{}, refuse(NotNow, "", string(j.Row.State))
		}
		return Text{Area: j.Row.Area, Written: j.Row.Written, Manner: j.Manner, Accept: j.Accepted}, nil
	})
}

// change queues a text again as next says. Version 0 is whatever it is.
func (s *Studio) change(ctx context.Context, by people.Person, id broadcast.ID, version int64, act string, accept []string, next func(Job) (Text, error)) (store.Speech, error) {
	j, err := s.Job(ctx, by, id)
	if err != nil {
		return store.Speech{}, err
	}
	if err := s.cfg.Rights.Authorise(by, people.AnnouncementWrite, j.Row.Area); err != nil {
		return store.Speech{}, err
	}
	if version != 0 && version != j.Row.Version {
		return store.Speech{}, store.ErrConflict
	}
	text, err := next(j)
	if err != nil {
		return store.Speech{}, err
	}
	row := j.Row
	if err := s.queue(ctx, &row, text); err != nil {
		return store.Speech{}, err
	}
	err = s.cfg.DB.Update(ctx, func(tx store.Tx) error {
		if err := tx.SaveSpeech(ctx, row); err != nil {
			return err
		}
		return s.audit(ctx, tx, by.ID, act, row, accept)
	})
	row.Version++
	if err == nil {
		s.changed(id)
	}
	return row, err
}

// Written returns the text beside a recording and how it was said; a Refusal if
// there is none.
func (s *Studio) Written(ctx context.Context, by people.Person, content broadcast.Digest) (store.SpokenContent, error) {
	found, err := s.cfg.DB.SpokenContents(ctx, content)
	if err != nil {
		return store.SpokenContent{}, err
	}
	if len(found) == 0 {
		return store.SpokenContent{}, refuse(NotSpoken, "")
	}
	return found[0], s.cfg.Rights.Authorise(by, people.AnnouncementRead, found[0].Area)
}

// Listened notes that a person has listened to a recording.
func (s *Studio) Listened(ctx context.Context, by people.Person, content broadcast.Digest) error {
	if _, err := s.cfg.DB.Content(ctx, content); err != nil {
		return err
	}
	return s.cfg.DB.Update(ctx, func(tx store.Tx) error {
		fresh, err := tx.AddListening(ctx, store.Listening{SHA256: content, Person: by.ID, At: s.now()})
		if err != nil || !fresh {
			return err
		}
		return tx.Audit(ctx, store.Deed{At: s.now(), Person: by.ID, Act: "content.listened", Subject: string(content)})
	})
}
