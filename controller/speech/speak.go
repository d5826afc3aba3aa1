package speech

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/intake"
	"github.com/loaxa/loaxa/controller/speech/spoken"
	"github.com/loaxa/loaxa/controller/store"
)

// Times of trying again.
const (
	firstWait   = 5 * time.Second
	longest     = 5 * time.Minute
	look        = 20 * time.Second
	mostTries   = 5 // of answers that are no use
	mostMinutes = 60
)

// Serve speaks what waits, one text at a time, until ctx ends. What was being
// spoken when the program ended waits again first.
func (s *Studio) Serve(ctx context.Context) error {
	if err := s.cfg.DB.Update(ctx, func(tx store.Tx) error { return tx.RequeueSpeeches(ctx) }); err != nil {
		return err
	}
	for {
		for {
			worked, err := s.Work(ctx)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil {
				s.cfg.Log.Error("a text was not spoken", "error", err)
			}
			if !worked || err != nil {
				break
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.wake:
		case <-time.After(look):
		}
	}
}

// Work speaks the one text that is due, and reports whether there was one.
func (s *Studio) Work(ctx context.Context) (bool, error) {
	row, err := s.cfg.DB.SpeechDue(ctx, s.now())
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	row.State, row.Done, row.Reason = store.SpeechSpeaking, 0, ""
	if err := s.save(ctx, &row); err != nil {
		return true, ignoreConflict(err)
	}
	err = s.speak(ctx, &row)
	if err == nil || ctx.Err() != nil {
		return true, errors.Join(s.cache.trim(), ctx.Err())
	}
	return true, ignoreConflict(s.postpone(ctx, row, err))
}

// ignoreConflict: whoever edited the text in between has queued it again.
func ignoreConflict(err error) error {
	if errors.Is(err, store.ErrConflict) {
		return nil
	}
	return err
}

func (s *Studio) save(ctx context.Context, row *store.Speech) error {
	row.Changed = s.now()
	if err := s.cfg.DB.Update(ctx, func(tx store.Tx) error { return tx.SaveSpeech(ctx, *row) }); err != nil {
		return err
	}
	row.Version++
	s.cfg.Events.Publish(events.Event{Kind: events.Speech, ID: row.ID})
	return nil
}

// postpone lets a text wait, or fail when waiting does not help.
func (s *Studio) postpone(ctx context.Context, row store.Speech, why error) error {
	if errors.Is(why, store.ErrConflict) {
		return why
	}
	row.Tries++
	row.State, row.Next = store.SpeechQueued, s.now().Add(min(longest, firstWait<<min(row.Tries-1, 10)))
	f := Failure{English: "the voice is down; it is tried again by itself: " + why.Error(),
		Vietnamese: "Bộ đọc chưa hoạt động; hệ thống sẽ tự thử lại: " + why.Error()}
	var refused *intake.Refusal
	switch {
	case errors.As(why, &refused) && refused.Code.Retry():
		f = Failure{English: refused.English, Vietnamese: refused.Vietnamese}
	case errors.As(why, &refused):
		row.State, f = store.SpeechFailed, Failure{English: refused.English, Vietnamese: refused.Vietnamese}
	case errors.Is(why, ErrGarbage) && row.Tries >= mostTries:
		row.State = store.SpeechFailed
		f = Failure{English: "the voice cannot say this; choose another one or another rate: " + why.Error(),
			Vietnamese: "Bộ đọc không đọc được văn bản này; hãy chọn giọng hoặc tốc độ khác: " + why.Error()}
	}
	s.cfg.Log.Warn("a text was not spoken", "speech", row.ID, "state", row.State, "tries", row.Tries, "error", why)
	b, err := broadcast.Encode(f)
	if err != nil {
		return err
	}
	row.Reason = string(b)
	return s.save(ctx, &row)
}

// speak makes the recording of a row and notes it.
func (s *Studio) speak(ctx context.Context, row *store.Speech) error {
	j, err := jobOf(*row)
	if err != nil {
		return err
	}
	p, err := s.preview(ctx, row.Area, row.Written, j.Manner)
	if err != nil {
		return err
	}
	t, err := newTake(s.cfg.Dir, j.Manner)
	if err != nil {
		return err
	}
	defer t.file.Close()
	units := p.Reading.Units(j.Manner.parts())
	row.Total = int64(len(units))
	for i, u := range units {
		if err := s.sayUnit(ctx, t, u); err != nil {
			return err
		}
		if row.Done = int64(i + 1); row.Done%progressStep == 0 {
			if err := s.save(ctx, row); err != nil {
				return err
			}
		}
	}
	whole, err := t.wave()
	if err != nil {
		return err
	}
	content, err := s.cfg.Contents.Take(ctx, titled(*row), whole, nil)
	if err != nil {
		return err
	}
	return s.finish(ctx, row, p, content)
}

// progressStep is after how many sentences the database hears of it.
const progressStep = 5

func titled(row store.Speech) string {
	if row.Title != "" {
		return row.Title + ".wav"
	}
	return string(row.ID) + ".wav"
}

func (s *Studio) sayUnit(ctx context.Context, t *take, u spoken.Unit) error {
	text := plainText(u.Spoken)
	if text == "" {
		return nil
	}
	if len(text) > longestText {
		return fmt.Errorf("%w: a sentence of %d bytes", ErrGarbage, len(text))
	}
	sound, err := s.say(ctx, t.manner.Engine, Utterance{Text: text, Voice: t.manner.Voice, Rate: t.manner.rate()})
	if err != nil {
		return err
	}
	return t.add(sound, t.manner.pause(u.Pause))
}

// finish notes what was made, in one transaction.
func (s *Studio) finish(ctx context.Context, row *store.Speech, p Preview, c intake.Content) error {
	made, err := s.cfg.Row(c)
	if err != nil {
		return err
	}
	made.Person, made.Created = row.Person, s.now()
	row.State, row.Content, row.Done, row.Tries, row.Changed = store.SpeechDone, made.SHA256, row.Total, 0, s.now()
	beside := store.SpokenContent{SHA256: made.SHA256, Speech: row.ID, Person: row.Person, Area: row.Area, Written: row.Written,
		Spoken: p.Reading.Spoken(), Accepted: row.Accepted, Created: s.now()}
	err = s.cfg.DB.Update(ctx, func(tx store.Tx) error {
		return errors.Join(tx.SaveSpeech(ctx, *row), tx.AddContent(ctx, made), tx.AddSpokenContent(ctx, beside),
			tx.Audit(ctx, store.Deed{At: s.now(), Person: row.Person, Act: "speech.done", Subject: string(row.ID), Detail: map[string]string{"content": string(made.SHA256)}}))
	})
	if err != nil {
		return err
	}
	row.Version++
	s.cfg.Events.Publish(events.Event{Kind: events.Speech, ID: row.ID})
	s.cfg.Events.Publish(events.Event{Kind: events.Content, ID: broadcast.ID(made.SHA256)})
	return nil
}

// take is a recording in the making. Its file has no name, so that nothing of it
// is left whatever happens.
type take struct {
	manner Manner
	rate   int
	file   *os.File
	bytes  int64
}

func newTake(dir string, m Manner) (*take, error) {
	file, err := os.CreateTemp(dir, "take-*")
	if err != nil {
		return nil, fmt.Errorf("begin a recording: %w", err)
	}
	return &take{manner: m, file: file}, os.Remove(file.Name())
}

// add appends a sentence and the silence behind it.
func (t *take) add(s Sound, pause time.Duration) error {
	if t.rate == 0 {
		t.rate = s.Rate
	}
	if s.Rate != t.rate {
		return fmt.Errorf("%w: sentences of %d and of %d Hz", ErrGarbage, t.rate, s.Rate)
	}
	silence := make([]byte, 2*int(pause.Seconds()*float64(t.rate)))
	t.bytes += int64(len(s.PCM) + len(silence))
	if t.bytes > min(int64(mostMinutes*60*2*t.rate), mostRecording) {
		return &intake.Refusal{Code: intake.TooLong, English: "the recording would be longer than an hour: divide the text",
			Vietnamese: "Bản ghi sẽ dài hơn một giờ: hãy chia nhỏ văn bản."}
	}
	for _, part := range [][]byte{s.PCM, silence} {
		if _, err := t.file.Write(part); err != nil {
			return fmt.Errorf("record a sentence: %w", err)
		}
	}
	return nil
}

// mostRecording is what intake takes, in bytes.
const mostRecording = 190 << 20

// wave returns the whole recording.
func (t *take) wave() (io.Reader, error) {
	if _, err := t.file.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("read a recording again: %w", err)
	}
	return io.MultiReader(bytes.NewReader(waveHead(t.rate, t.bytes)), t.file), nil
}
