package api

import (
	"context"
	"net/http"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/speech/spoken"
	"github.com/loaxa/loaxa/controller/store"
)

// Lexeme is how an area says something written.
type Lexeme struct {
	Written string `json:"written" minLength:"1" maxLength:"120"`
	Spoken  string `json:"spoken" minLength:"1" maxLength:"240" doc:"Letters, spaces, commas and hyphens alone"`
	Exact   bool   `json:"exact,omitempty" doc:"Only in these capitals"`
	Check   bool   `json:"check,omitempty" doc:"Always shown to be checked"`
	Version int64  `json:"version,omitempty" minimum:"0" doc:"None for a new entry; that which was shown for a change"`
}

type (
	lexiconAnswer struct {
		Body struct {
			Entries []Lexeme `json:"entries" nullable:"false" doc:"Those of this area alone; areas above add theirs, and every office shares a base"`
		}
	}
	lexemeInput struct {
		ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
		Body Lexeme
	}
	lexemeAnswer struct{ Body Lexeme }
	dropInput    struct {
		ID      string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
		Written string `query:"written" required:"true" maxLength:"120"`
	}
	textAnswer struct {
		Body struct {
			Text     string `json:"text" doc:"As its author wrote it"`
			Spoken   string `json:"spoken" doc:"As it was said"`
			Person   string `json:"person"`
			Speech   string `json:"speech"`
			Listened bool   `json:"listened" doc:"Whether the caller said to have listened"`
		}
	}
	listenedInput struct {
		SHA256 string `path:"sha256" pattern:"^[0-9a-f]{64}$"`
		Body   struct {
			Listened bool `json:"listened" doc:"true: the caller has listened to the whole recording"`
		}
	}
)

func lexemeOf(l store.Lexeme) Lexeme {
	return Lexeme{Written: l.Written, Spoken: l.Spoken, Exact: l.Exact, Check: l.Doubtful, Version: l.Version}
}

func (s *server) listLexicon(ctx context.Context, in *idPath) (*lexiconAnswer, error) {
	rows, err := s.cfg.Speech.Lexicon(ctx, callerOf(ctx).Person, broadcast.ID(in.ID))
	if err != nil {
		return nil, err
	}
	out := &lexiconAnswer{}
	out.Body.Entries = []Lexeme{}
	for _, l := range rows {
		out.Body.Entries = append(out.Body.Entries, lexemeOf(l))
	}
	return out, nil
}

func (s *server) keepLexeme(ctx context.Context, in *lexemeInput) (*lexemeAnswer, error) {
	b := in.Body
	row, err := s.cfg.Speech.Keep(ctx, callerOf(ctx).Person, broadcast.ID(in.ID),
		spoken.Entry{Written: b.Written, Spoken: b.Spoken, Exact: b.Exact, Check: b.Check}, b.Version)
	if err != nil {
		return nil, err
	}
	return &lexemeAnswer{Body: lexemeOf(row)}, nil
}

func (s *server) dropLexeme(ctx context.Context, in *dropInput) (*struct{}, error) {
	return nil, s.cfg.Speech.Drop(ctx, callerOf(ctx).Person, broadcast.ID(in.ID), in.Written)
}

func (s *server) contentText(ctx context.Context, in *contentPath) (*textAnswer, error) {
	by := callerOf(ctx).Person
	w, err := s.cfg.Speech.Written(ctx, by, broadcast.Digest(in.SHA256))
	if err != nil {
		return nil, err
	}
	heard, err := s.cfg.DB.Listened(ctx, by.ID, w.SHA256)
	if err != nil {
		return nil, err
	}
	out := &textAnswer{}
	out.Body.Text, out.Body.Spoken, out.Body.Person, out.Body.Speech = w.Written, w.Spoken, string(w.Person), string(w.Speech)
	out.Body.Listened = len(heard) > 0
	return out, nil
}

func (s *server) confirmListened(ctx context.Context, in *listenedInput) (*struct{}, error) {
	if !in.Body.Listened {
		return nil, problem(http.StatusUnprocessableEntity, "listened", "say listened: true once you have heard the whole recording; it cannot be taken back",
			"Hãy gửi listened: true sau khi đã nghe hết bản ghi; không rút lại được.")
	}
	return nil, s.cfg.Speech.Listened(ctx, callerOf(ctx).Person, broadcast.Digest(in.SHA256))
}
