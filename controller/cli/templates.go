package cli

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"

	"github.com/loaxa/loaxa/controller/api"
)

type templatesCmd struct {
	Stand    templateCmd         `cmd:"" default:"withargs" help:"Seal words at once with the tokens of two people, beside the data folder; PINs are printed once."`
	List     templateListCmd     `cmd:"" help:"Every template: what stands, until when, and what waits for signatures."`
	Sign     templateSignCmd     `cmd:"" help:"Show what waits for signatures or, with the digest that was shown, sign it."`
	Renew    templateRenewCmd    `cmd:"" help:"Have what stands end a year from now; two officers sign that again."`
	Activate templateActivateCmd `cmd:"" help:"Have a template sound now."`
	Withdraw templateWithdrawCmd `cmd:"" help:"Take a template back."`
}

type templateListCmd struct{ caller }

// Run prints a line for each template.
func (c *templateListCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var list struct{ Templates []api.Template }
	if err := c.get(ctx, s, "/api/v1/templates", &list); err != nil {
		return err
	}
	lines := [][]string{{"ID", "CLASS", "STANDS UNTIL", "WAITS FOR", "TITLE"}}
	for _, t := range list.Templates {
		words, until, waits := t.Standing, "", ""
		if words != nil {
			until = minute(words.Expires)
		}
		if t.Withdrawn != nil {
			until = "withdrawn"
		}
		if t.Draft != nil {
			waits = fmt.Sprintf("%d of %d signatures", t.Needed-len(t.Signatures), t.Needed)
		}
		if words == nil {
			words = t.Draft
		}
		lines = append(lines, []string{t.ID, words.Class, until, waits, printable(words.Title)})
	}
	return columns(s.Out, lines)
}

// oneTemplate is a command about one template.
type oneTemplate struct {
	caller
	ID string `arg:"" help:"Its id, as template list prints it."`
}

func (c oneTemplate) path(step string) string {
	return "/api/v1/templates/" + url.PathEscape(c.ID) + step
}

// told says how a template is after a step.
func told(s Streams, t api.Template) error {
	_, err := fmt.Fprintf(s.Out, "%s: %s\n", t.ID, stateOf(t))
	return err
}

func stateOf(t api.Template) string {
	switch {
	case t.Withdrawn != nil:
		return "withdrawn"
	case t.Draft != nil:
		return fmt.Sprintf("%d of %d signatures; digest %s", len(t.Signatures), t.Needed, t.Digest)
	}
	return "stands until " + minute(t.Standing.Expires)
}

type templateSignCmd struct {
	oneTemplate
	Digest string `help:"What was shown; without it the words are shown and nothing is signed." placeholder:"DIGEST"`
}

// Run shows, or signs.
func (c *templateSignCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var t api.Template
	if c.Digest != "" {
		if err := c.post(ctx, s, c.path("/sign"), map[string]string{"digest": c.Digest}, &t); err != nil {
			return err
		}
		return told(s, t)
	}
	if err := c.get(ctx, s, c.path(""), &t); err != nil {
		return err
	}
	if t.Draft == nil {
		return fmt.Errorf("nothing of template %s waits for signatures", t.ID)
	}
	lines := [][]string{{"title", printable(t.Draft.Title)}, {"class", t.Draft.Class}, {"areas", strings.Join(t.Draft.Areas, ", ")}, {"until", minute(t.Draft.Expires)}}
	for _, v := range t.Draft.Versions {
		lines = append(lines, []string{"recording " + v.Language, v.Content})
	}
	if local := t.Draft.Local; local != nil {
		lines = append(lines, []string{"key switches", strings.Join(local.Keys, ", ")})
		for _, code := range local.Codes {
			lines = append(lines, []string{"PIN", code.Number + " " + code.Person})
		}
	}
	return columns(s.Out, append(lines, []string{"digest", t.Digest}))
}

type templateRenewCmd struct{ oneTemplate }

// Run keeps the draft, and prints what people have to sign.
func (c *templateRenewCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var t api.Template
	if err := c.get(ctx, s, c.path(""), &t); err != nil {
		return err
	}
	if err := c.post(ctx, s, c.path("/renew"), map[string]int64{"version": t.Version}, &t); err != nil {
		return err
	}
	return told(s, t)
}

type templateActivateCmd struct {
	oneTemplate
	Area     []string `help:"Where; left out: everywhere it was approved for." placeholder:"ID"`
	Language []string `help:"In which languages; left out: all." placeholder:"CODE"`
	Choice   string   `help:"If it sounds already: add the areas that do not have it, or repeat." enum:",add,repeat" default:""`
}

// Run says what was published.
func (c *templateActivateCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var a api.Announcement
	want := api.NewActivation{Areas: c.Area, Languages: c.Language, Choice: c.Choice}
	if err := c.post(ctx, s, c.path("/activate"), want, &a); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.Out, "published %s: starts %s in %s\n", a.ID, local(a.Timing.Start, "15:04:05 02/01/2006"), strings.Join(a.Areas, ", "))
	return err
}

type templateWithdrawCmd struct {
	oneTemplate
	Reason string `help:"Why." required:""`
}

// Run says that it is withdrawn.
func (c *templateWithdrawCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var t api.Template
	if err := c.post(ctx, s, c.path("/withdraw"), map[string]string{"reason": c.Reason}, &t); err != nil {
		return err
	}
	return told(s, t)
}
