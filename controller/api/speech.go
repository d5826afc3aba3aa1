package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/intake"
	"github.com/loaxa/loaxa/controller/speech"
	"github.com/loaxa/loaxa/controller/speech/spoken"
	"github.com/loaxa/loaxa/controller/store"
)

// NewSpeech is a text that shall be spoken.
type NewSpeech struct {
	Area     string   `json:"area" pattern:"^[a-z0-9-]{1,40}$" doc:"Whose lexicon it is read with"`
	Title    string   `json:"title,omitempty" maxLength:"150"`
	Text     string   `json:"text" maxLength:"30720"`
	Engine   string   `json:"engine,omitempty" maxLength:"40" doc:"One of the list of voices"`
	Voice    string   `json:"voice,omitempty" maxLength:"100"`
	Rate     int      `json:"rate,omitempty" doc:"Speed in percent, 50 to 150; none is 100"`
	Outdoors bool     `json:"outdoors,omitempty" doc:"Longer pauses between phrases and a slower voice, for horns whose echoes meet"`
	Accept   []string `json:"accept,omitempty" nullable:"false" maxItems:"500" doc:"Every piece of the text marked unknown that shall be said as it is, as it is written"`
}

func (n NewSpeech) text() speech.Text {
	return speech.Text{Area: broadcast.ID(n.Area), Title: n.Title, Written: n.Text, Accept: n.Accept,
		Manner: speech.Manner{Engine: n.Engine, Voice: n.Voice, Rate: n.Rate, Outdoors: n.Outdoors}}
}

// Token is one piece of a text and how it is said.
type Token struct {
	From     int    `json:"from" doc:"Offset in bytes of UTF-8"`
	To       int    `json:"to"`
	Spoken   string `json:"spoken"`
	Kind     string `json:"kind"`
	Risk     string `json:"risk" enum:"none,check,unknown"`
	Why      string `json:"why,omitempty"`
	Reason   string `json:"reason,omitempty"`
	ReasonVI string `json:"reason_vi,omitempty"`
}

// SpokenSentence is a sentence of a text as it is said.
type SpokenSentence struct {
	From   int    `json:"from"`
	To     int    `json:"to"`
	Spoken string `json:"spoken"`
	Risk   string `json:"risk"`
}

// Speech is a text on its way to sound.
type Speech struct {
	ID        string           `json:"id"`
	Version   int64            `json:"version" doc:"Name it when a sentence is edited"`
	State     string           `json:"state" enum:"queued,speaking,done,failed"`
	Person    string           `json:"person"`
	Area      string           `json:"area"`
	Title     string           `json:"title,omitempty"`
	Text      string           `json:"text"`
	Engine    string           `json:"engine"`
	Voice     string           `json:"voice"`
	Rate      int              `json:"rate,omitempty"`
	Outdoors  bool             `json:"outdoors,omitempty"`
	Accepted  []string         `json:"accepted" nullable:"false" doc:"Pieces that nobody understands and that are said as they are"`
	Done      int64            `json:"done" doc:"So many pieces of total are spoken"`
	Total     int64            `json:"total"`
	Tries     int64            `json:"tries,omitempty" doc:"Failures in a row"`
	Next      string           `json:"next,omitempty" format:"date-time" doc:"When it is tried again"`
	Reason    string           `json:"reason,omitempty" doc:"Why it waits or failed"`
	ReasonVI  string           `json:"reason_vi,omitempty"`
	Content   string           `json:"content,omitempty" doc:"The recording, once it is done"`
	Sentences []SpokenSentence `json:"sentences,omitempty" nullable:"false" doc:"Counted from 1 when one is edited; not in lists"`
}

// Engine is a voice server or program as it is now.
type Engine struct {
	Name   string  `json:"name"`
	Well   bool    `json:"well"`
	Down   string  `json:"down,omitempty" doc:"Why it does not speak"`
	Voices []Voice `json:"voices" nullable:"false"`
}

// Voice is one of an engine.
type Voice struct {
	ID       string `json:"id"`
	Language string `json:"language"`
	Name     string `json:"name"`
}

type (
	previewAnswer struct {
		Body struct {
			Tokens    []Token          `json:"tokens" nullable:"false"`
			Sentences []SpokenSentence `json:"sentences" nullable:"false"`
			Spoken    string           `json:"spoken"`
			Unknown   []string         `json:"unknown" nullable:"false" doc:"What accept must name"`
			Millis    int64            `json:"ms" doc:"An estimate of the length"`
		}
	}
	speechInput struct {
		Key  string `header:"Idempotency-Key" maxLength:"100" doc:"The same key and body give the same answer, also after a restart"`
		Body NewSpeech
	}
	speechAnswer struct{ Body Speech }
	sentenceEdit struct {
		ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
		Body struct {
			Version  int64    `json:"version" minimum:"1" doc:"The version that was shown; another one in between is a conflict"`
			Sentence int      `json:"sentence" minimum:"1"`
			Text     string   `json:"text" maxLength:"30720"`
			Accept   []string `json:"accept,omitempty" nullable:"false" maxItems:"500"`
		}
	}
	speechesInput struct {
		Cursor string `query:"cursor" pattern:"^[a-z0-9-]{1,40}$" doc:"next of the page before"`
		Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
	}
	speechesAnswer struct {
		Body struct {
			Speeches []Speech `json:"speeches" nullable:"false"`
			Next     string   `json:"next,omitempty" doc:"Cursor of the next page, if there is one"`
		}
	}
	voicesAnswer struct {
		Body struct {
			Engines []Engine `json:"engines" nullable:"false"`
		}
	}
)

func (s *server) speeches(r *registry) {
	on(r, "preview-speech", s.previewSpeech)
	on(r, "create-speech", s.createSpeech)
	on(r, "list-speeches", s.listSpeeches)
	on(r, "get-speech", s.getSpeech)
	on(r, "edit-sentence", s.editSentence)
	on(r, "retry-speech", s.retrySpeech)
	on(r, "list-voices", s.listVoices)
	on(r, "list-lexicon", s.listLexicon)
	on(r, "keep-lexeme", s.keepLexeme)
	on(r, "drop-lexeme", s.dropLexeme)
	on(r, "get-content-text", s.contentText)
	on(r, "confirm-listened", s.confirmListened)
}

// ContentRow makes the record of content that every upload gets; person and time
// are left to whoever keeps it.
func ContentRow(c intake.Content) (store.Content, error) {
	view := contentOf(c)
	measured, err := json.Marshal(view)
	return store.Content{SHA256: broadcast.Digest(view.SHA256), Bytes: view.Bytes, Millis: view.Millis, Name: view.Name, Measured: string(measured)}, err
}

func (s *server) previewSpeech(ctx context.Context, in *struct{ Body NewSpeech }) (*previewAnswer, error) {
	t := in.Body.text()
	p, err := s.cfg.Speech.Preview(ctx, callerOf(ctx).Person, t.Area, t.Written, t.Manner)
	if err != nil {
		return nil, err
	}
	out := &previewAnswer{}
	out.Body.Tokens, out.Body.Sentences, out.Body.Spoken = []Token{}, sentencesOf(p.Sentences), p.Reading.Spoken()
	out.Body.Unknown, out.Body.Millis = append([]string{}, p.Unknown...), p.Length.Milliseconds()
	for _, k := range p.Reading.Tokens {
		vi, en := k.Why.Sentences()
		out.Body.Tokens = append(out.Body.Tokens, Token{From: k.From, To: k.To, Spoken: k.Spoken, Kind: string(k.Kind), Risk: string(k.Risk),
			Why: string(k.Why), Reason: en, ReasonVI: vi})
	}
	return out, nil
}

func sentencesOf(units []spoken.Unit) []SpokenSentence {
	out := []SpokenSentence{}
	for _, u := range units {
		out = append(out, SpokenSentence{From: u.From, To: u.To, Spoken: u.Spoken, Risk: string(u.Risk)})
	}
	return out
}

func (s *server) createSpeech(ctx context.Context, in *speechInput) (*speechAnswer, error) {
	request, err := broadcast.Encode(in.Body)
	if err != nil {
		return nil, err
	}
	name, digest := once{person: callerOf(ctx).Person.ID, scope: "speech", key: in.Key}, broadcast.Sum(request)
	if old, found, err := s.answered(ctx, name); err != nil || found {
		return s.speechNamed(ctx, old, digest, err)
	}
	row, err := s.cfg.Speech.Create(ctx, callerOf(ctx).Person, in.Body.text(), func(tx store.Tx, row store.Speech) error {
		body, err := json.Marshal(map[string]string{"id": string(row.ID)})
		if err != nil {
			return err
		}
		return s.remember(ctx, tx, name, digest, http.StatusCreated, body)
	})
	if errors.Is(err, store.ErrConflict) && in.Key != "" { // another request with this key was quicker
		old, _, err := s.answered(ctx, name)
		return s.speechNamed(ctx, old, digest, err)
	}
	return s.speechAs(ctx, row, err)
}

func (s *server) speechAs(ctx context.Context, row store.Speech, err error) (*speechAnswer, error) {
	if err != nil {
		return nil, err
	}
	return s.getSpeech(ctx, &idPath{ID: string(row.ID)})
}

// speechNamed answers a repeated create with the text as it is now.
func (s *server) speechNamed(ctx context.Context, old store.Answer, request broadcast.Digest, err error) (*speechAnswer, error) {
	if err != nil {
		return nil, err
	}
	_, body, err := replay(old, request)
	if err != nil {
		return nil, err
	}
	var made struct{ ID string }
	if err := json.Unmarshal(body, &made); err != nil {
		return nil, err
	}
	return s.getSpeech(ctx, &idPath{ID: made.ID})
}

func (s *server) getSpeech(ctx context.Context, in *idPath) (*speechAnswer, error) {
	j, err := s.cfg.Speech.Job(ctx, callerOf(ctx).Person, broadcast.ID(in.ID))
	if err != nil {
		return nil, err
	}
	out := speechOf(j)
	out.Sentences = sentencesOf(j.Sentences)
	return &speechAnswer{Body: out}, nil
}

func speechOf(j speech.Job) Speech {
	out := Speech{ID: string(j.Row.ID), Version: j.Row.Version, State: string(j.Row.State), Person: string(j.Row.Person), Area: string(j.Row.Area),
		Title: j.Row.Title, Text: j.Row.Written, Engine: j.Manner.Engine, Voice: j.Manner.Voice, Rate: j.Manner.Rate, Outdoors: j.Manner.Outdoors,
		Accepted: append([]string{}, j.Accepted...), Done: j.Row.Done, Total: j.Row.Total, Tries: j.Row.Tries, Content: string(j.Row.Content)}
	if j.Failure != nil {
		out.Reason, out.ReasonVI = j.Failure.English, j.Failure.Vietnamese
	}
	if j.Row.State == store.SpeechQueued && j.Row.Next != 0 {
		out.Next = j.Row.Next.Time().Format(time.RFC3339)
	}
	return out
}

func (s *server) listSpeeches(ctx context.Context, in *speechesInput) (*speechesAnswer, error) {
	jobs, next, err := s.cfg.Speech.Jobs(ctx, callerOf(ctx).Person, broadcast.ID(in.Cursor), in.Limit)
	if err != nil {
		return nil, err
	}
	out := &speechesAnswer{}
	out.Body.Speeches, out.Body.Next = []Speech{}, string(next)
	for _, j := range jobs {
		out.Body.Speeches = append(out.Body.Speeches, speechOf(j))
	}
	return out, nil
}

func (s *server) editSentence(ctx context.Context, in *sentenceEdit) (*speechAnswer, error) {
	row, err := s.cfg.Speech.Edit(ctx, callerOf(ctx).Person, broadcast.ID(in.ID), in.Body.Version, in.Body.Sentence, in.Body.Text, in.Body.Accept)
	return s.speechAs(ctx, row, err)
}

func (s *server) retrySpeech(ctx context.Context, in *idPath) (*speechAnswer, error) {
	row, err := s.cfg.Speech.Retry(ctx, callerOf(ctx).Person, broadcast.ID(in.ID))
	return s.speechAs(ctx, row, err)
}

func (s *server) listVoices(ctx context.Context, _ *struct{}) (*voicesAnswer, error) {
	out := &voicesAnswer{}
	out.Body.Engines = []Engine{}
	for _, e := range s.cfg.Speech.Engines(ctx) {
		view := Engine{Name: e.Name, Well: e.Down == nil, Voices: []Voice{}}
		if e.Down != nil {
			view.Down = e.Down.Error()
		}
		for _, v := range e.Voices {
			view.Voices = append(view.Voices, Voice(v))
		}
		out.Body.Engines = append(out.Body.Engines, view)
	}
	return out, nil
}
