package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/store"
)

// Template is one set of words that is approved in advance.
type Template struct {
	ID      string `json:"id"`
	Version int64  `json:"version" doc:"Name it when you edit; it changes with every step"`
	Author  string `json:"author"`
	// Draft waits for signatures, Standing is what nodes hold.
	Draft      *TemplateWords `json:"draft,omitempty" doc:"What waits for signatures"`
	Digest     string         `json:"digest,omitempty" doc:"What people sign of the draft; name it when you sign"`
	Needed     int            `json:"signatures_needed,omitempty"`
	Signatures []Signature    `json:"signatures" nullable:"false" doc:"Of the draft"`
	Standing   *TemplateWords `json:"standing,omitempty" doc:"What nodes hold"`
	Approved   []Signature    `json:"approved" nullable:"false" doc:"Who signed what stands"`
	Ready      bool           `json:"ready" doc:"It can be activated now"`
	SHA256     string         `json:"sha256,omitempty" doc:"The sealed document that stands, or stood"`
	Published  string         `json:"published,omitempty" format:"date-time"`
	Warning    *Reason        `json:"warning,omitempty" doc:"30-days, 7-days or ended: renew it"`
	Withdrawn  *Withdrawn     `json:"withdrawn,omitempty"`
	PINs       []PIN          `json:"pins,omitempty" nullable:"false" doc:"Of those who had none; shown this once, and kept nowhere"`
}

// TemplateWords are what a template says, where and until when.
type TemplateWords struct {
	Title    string         `json:"title"`
	Class    string         `json:"class" enum:"normal,priority,emergency"`
	Areas    []string       `json:"areas" nullable:"false"`
	Versions []Version      `json:"versions" nullable:"false"`
	Expires  string         `json:"expires" format:"date-time"`
	Revision int64          `json:"revision,omitempty" doc:"Set by the first signature"`
	Local    *TemplateLocal `json:"local,omitempty"`
}

// TemplateLocal says who may fire a template at the box of a node.
type TemplateLocal struct {
	Keys   []string       `json:"keys,omitempty" nullable:"false" maxItems:"8" doc:"Key switches, as the board's profile names them"`
	Codes  []TemplateCode `json:"codes,omitempty" nullable:"false" maxItems:"24" doc:"People at a keypad; who has no PIN yet gets one"`
	Hourly int64          `json:"hourly" minimum:"1" maximum:"60" doc:"How often an hour one node lets itself be told so"`
}

// TemplateCode is the number that one person types before the PIN.
type TemplateCode struct {
	Number string `json:"number" pattern:"^[1-9][0-9]{0,3}$"`
	Person string `json:"person" pattern:"^[a-z0-9-]{1,40}$"`
}

// PIN is one person's secret for a keypad.
type PIN struct {
	Number string `json:"number"`
	Person string `json:"person"`
	PIN    string `json:"pin"`
}

// NewTemplate is the body of a draft of a template.
type NewTemplate struct {
	Version  int64             `json:"version,omitempty" minimum:"0" doc:"The version that was read; left out for a new template"`
	Title    string            `json:"title" maxLength:"400"`
	Class    string            `json:"class,omitempty" enum:"normal,priority,emergency" doc:"Left out: emergency"`
	Areas    []string          `json:"areas" nullable:"false" minItems:"1" maxItems:"24" doc:"Where it may be activated"`
	Versions []TemplateVersion `json:"versions" nullable:"false" minItems:"1" maxItems:"6"`
	Expires  string            `json:"expires,omitempty" format:"date-time" doc:"The last moment at which it may be activated, at most 400 days ahead; left out: a year from now"`
	Local    *TemplateLocal    `json:"local,omitempty"`
}

// TemplateVersion names the recording in one language.
type TemplateVersion struct {
	Language string `json:"language,omitempty" pattern:"^[a-z]{2,3}$" doc:"ISO 639; left out: vi"`
	Content  string `json:"content" pattern:"^[0-9a-f]{64}$" doc:"SHA-256 of uploaded content"`
}

// NewActivation says where a template shall sound now.
type NewActivation struct {
	Areas     []string `json:"areas,omitempty" nullable:"false" maxItems:"24" doc:"Left out: everywhere the template was approved for"`
	Languages []string `json:"languages,omitempty" nullable:"false" maxItems:"6" doc:"Left out: every language of the template"`
	Choice    string   `json:"choice,omitempty" enum:"add,repeat" doc:"If it sounded in the last 10 minutes: add the areas that do not have it yet, or repeat everywhere. Left out, that is a conflict"`
}

type templateAnswer struct{ Body Template }

type templatesAnswer struct {
	Body struct {
		Templates []Template `json:"templates" nullable:"false"`
	}
}

type templateInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body NewTemplate
}

type renewInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Body struct {
		Version int64 `json:"version" minimum:"1" doc:"The version that was read"`
	}
}

type activateInput struct {
	ID   string `path:"id" pattern:"^[a-z0-9-]{1,40}$"`
	Key  string `header:"Idempotency-Key" maxLength:"100" doc:"The same key and body give the same answer, also after a restart"`
	Body NewActivation
}

func (s *server) templates(r *registry) {
	on(r, "list-templates", s.listTemplates)
	on(r, "get-template", func(ctx context.Context, in *idPath) (*templateAnswer, error) {
		t, err := s.cfg.Desk.Template(ctx, broadcast.ID(in.ID))
		if err == nil && !s.knows(ctx, t) {
			err = fmt.Errorf("template %s: %w", in.ID, store.ErrNotFound)
		}
		return templated(t, err)
	})
	on(r, "put-template", s.putTemplate)
	on(r, "renew-template", func(ctx context.Context, in *renewInput) (*templateAnswer, error) {
		return templated(s.cfg.Desk.RenewTemplate(ctx, callerOf(ctx).Person, broadcast.ID(in.ID), in.Body.Version))
	})
	on(r, "sign-template", func(ctx context.Context, in *approveInput) (*templateAnswer, error) {
		c := callerOf(ctx)
		return templated(s.cfg.Desk.SignTemplate(ctx, c.Person, c.credential(), broadcast.ID(in.ID), broadcast.Digest(in.Body.Digest)))
	})
	on(r, "withdraw-template", func(ctx context.Context, in *withdrawInput) (*templateAnswer, error) {
		c := callerOf(ctx)
		return templated(s.cfg.Desk.WithdrawTemplate(ctx, c.Person, c.credential(), broadcast.ID(in.ID), in.Body.Reason))
	})
	on(r, "activate-template", s.activate)
}

func (s *server) listTemplates(ctx context.Context, _ *struct{}) (*templatesAnswer, error) {
	list, err := s.cfg.Desk.Templates(ctx)
	if err != nil {
		return nil, err
	}
	out := &templatesAnswer{}
	out.Body.Templates = []Template{}
	for _, t := range list {
		if !s.knows(ctx, t) {
			continue
		}
		out.Body.Templates = append(out.Body.Templates, templateOf(t))
	}
	return out, nil
}

func (s *server) putTemplate(ctx context.Context, in *templateInput) (*templateAnswer, error) {
	n := in.Body
	draft := desk.TemplateDraft{Title: n.Title, Class: broadcast.Class(n.Class)}
	for _, a := range n.Areas {
		draft.Areas = append(draft.Areas, broadcast.ID(a))
	}
	for _, v := range n.Versions {
		draft.Versions = append(draft.Versions, desk.DraftVersion{Language: broadcast.Language(v.Language), Content: broadcast.Digest(v.Content)})
	}
	if n.Local != nil {
		draft.Local = &broadcast.OnSite{Hourly: n.Local.Hourly}
		for _, k := range n.Local.Keys {
			draft.Local.Keys = append(draft.Local.Keys, broadcast.Switch(k))
		}
		for _, c := range n.Local.Codes {
			draft.Local.Codes = append(draft.Local.Codes, broadcast.Code{Number: broadcast.Number(c.Number), Person: broadcast.ID(c.Person)})
		}
	}
	var err error
	if draft.Expires, err = instant("expires", n.Expires); err != nil {
		return nil, err
	}
	t, pins, err := s.cfg.Desk.PutTemplate(ctx, callerOf(ctx).Person, broadcast.ID(in.ID), n.Version, draft)
	out, err := templated(t, err)
	for _, p := range pins {
		out.Body.PINs = append(out.Body.PINs, PIN{Number: string(p.Number), Person: string(p.Person), PIN: p.Digits})
	}
	return out, err
}

func (s *server) activate(ctx context.Context, in *activateInput) (*createAnswer, error) {
	c := callerOf(ctx)
	request, err := broadcast.Encode(struct {
		Template string        `json:"template"`
		Body     NewActivation `json:"body"`
	}{in.ID, in.Body})
	if err != nil {
		return nil, err
	}
	name, digest := once{person: c.Person.ID, scope: "activation", key: in.Key}, broadcast.Sum(request)
	if old, found, err := s.answered(ctx, name); err != nil || found {
		return again(old, digest, err)
	}
	want := desk.Activation{Choice: desk.Choice(in.Body.Choice)}
	for _, a := range in.Body.Areas {
		want.Areas = append(want.Areas, broadcast.ID(a))
	}
	for _, l := range in.Body.Languages {
		want.Languages = append(want.Languages, broadcast.Language(l))
	}
	made, err := s.cfg.Desk.Activate(ctx, c.Person, c.credential(), broadcast.ID(in.ID), want, func(tx store.Tx, a desk.Announcement) error {
		body, err := json.Marshal(announcementOf(a))
		if err != nil {
			return err
		}
		return s.remember(ctx, tx, name, digest, http.StatusCreated, body)
	})
	if errors.Is(err, store.ErrConflict) && in.Key != "" { // another request with this key was quicker
		if old, found, err := s.answered(ctx, name); err != nil || found {
			return again(old, digest, err)
		}
	}
	if err != nil {
		return nil, err
	}
	return &createAnswer{Status: http.StatusCreated, Body: announcementOf(made)}, nil
}

func templated(t desk.Template, err error) (*templateAnswer, error) {
	if err != nil {
		return nil, err
	}
	return &templateAnswer{Body: templateOf(t)}, nil
}

func templateOf(t desk.Template) Template {
	out := Template{ID: string(t.ID), Version: t.Version, Author: string(t.Author), Draft: wordsOf(t.Draft), Needed: t.Officers,
		Signatures: signedBy(t.Signatures), Standing: wordsOf(t.Standing), Approved: signedBy(t.Approved), Ready: t.Activatable(),
		SHA256: string(t.SHA256), Published: moment(t.Published)}
	if t.Draft != nil {
		out.Digest = string(t.Digest)
	}
	if t.Warning != "" {
		at := t.Expires.Time().In(broadcast.Local()).Format("15:04 02/01/2006")
		out.Warning = &Reason{Code: string(t.Warning), VI: "mẫu có hiệu lực đến " + at + ": hãy gia hạn và để hai cán bộ ký",
			EN: "it stands until " + at + ": renew it, and have two officers sign"}
	}
	if t.Withdrawn != 0 {
		out.Withdrawn = &Withdrawn{At: moment(t.Withdrawn), Person: string(t.WithdrawnBy), Reason: t.WithdrawnWhy}
	}
	return out
}

func signedBy(list []store.TemplateSignature) []Signature {
	out := []Signature{}
	for _, s := range list {
		out = append(out, Signature{Person: string(s.Person), At: moment(s.At)})
	}
	return out
}

func wordsOf(t *broadcast.Template) *TemplateWords {
	if t == nil {
		return nil
	}
	out := &TemplateWords{Title: t.Title, Class: string(t.Class), Areas: texts(t.Areas), Versions: []Version{}, Expires: moment(t.Expires), Revision: int64(t.Revision)}
	for _, v := range t.Versions {
		out.Versions = append(out.Versions, versionOf(v))
	}
	if t.Local != nil {
		out.Local = &TemplateLocal{Hourly: t.Local.Hourly, Keys: texts(t.Local.Keys)}
		for _, c := range t.Local.Codes {
			out.Local.Codes = append(out.Local.Codes, TemplateCode{Number: string(c.Number), Person: string(c.Person)})
		}
	}
	return out
}
