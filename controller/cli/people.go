package cli

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/handover"
	"github.com/loaxa/loaxa/controller/people"
)

type personCmd struct {
	List     personListCmd     `cmd:"" help:"Everybody, with role, areas and how long they may sign."`
	Add      personAddCmd      `cmd:"" help:"Take somebody in, inside your own areas."`
	Code     personCodeCmd     `cmd:"" help:"Give somebody a one-time code to choose a password with; their sessions end."`
	Handover personHandoverCmd `cmd:"" help:"What depends on somebody, and what a dismissal would do to it."`
	Takeover personTakeoverCmd `cmd:"" help:"Sign anew, with your own key, what depends on somebody."`
	Dismiss  personDismissCmd  `cmd:"" help:"End somebody's rights, sessions and tokens."`
	Renew    renewCmd          `cmd:"" help:"Have the root give new dates to certificates that end within 30 days."`
}

type personListCmd struct{ caller }

// Run prints a line for each person.
func (c *personListCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var all struct{ Persons []api.Person }
	if err := c.get(ctx, s, "/api/v1/persons", &all); err != nil {
		return err
	}
	lines := [][]string{{"ID", "ROLE", "AREAS", "SIGNS UNTIL", "LEFT", "NAME"}}
	for _, p := range all.Persons {
		lines = append(lines, []string{p.ID, p.Role, strings.Join(p.Areas, ","), day(p.SignsUntil), day(p.Left), p.Name})
	}
	return columns(s.Out, lines)
}

type personAddCmd struct {
	caller
	Officer     string `arg:"" help:"Who: ID:ROLE:AREA[,AREA…]:NAME, as for init."`
	Code        bool   `help:"Ask for no passphrase: print a one-time code, with which the person chooses password and passphrase in a browser."`
	Passphrases string `help:"Read the passphrase from this file (a line ID=passphrase) instead of asking." type:"existingfile" placeholder:"FILE"`
}

// Run asks for the new person's passphrase, if the role has a key and there is
// to be no code.
func (c *personAddCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	p, err := parseOfficer(c.Officer)
	if err != nil {
		return err
	}
	secrets, err := readSecrets(c.Passphrases)
	if err != nil {
		return err
	}
	if len(p.Role.Acts()) > 0 && !c.Code {
		if p.Passphrase, err = s.newSecret(secrets, string(p.ID), p.Name, people.MinPassphrase); err != nil {
			return err
		}
	}
	n := api.NewPerson{ID: string(p.ID), Name: p.Name, Role: string(p.Role), Passphrase: p.Passphrase}
	for _, a := range p.Areas {
		n.Areas = append(n.Areas, string(a))
	}
	var added api.Taken
	if err := c.post(ctx, s, "/api/v1/persons", n, &added); err != nil {
		return err
	}
	if err := tellPerson(s, added.Person); err != nil || !c.Code {
		return err
	}
	return tellCode(s, *added.Code)
}

// tellPerson says who was taken in.
func tellPerson(s Streams, p api.Person) error {
	signs := ""
	if p.SignsUntil != "" {
		signs = " and signs until " + day(p.SignsUntil)
	}
	_, err := fmt.Fprintf(s.Out, "%s is %s over %s%s\n", p.ID, p.Role, strings.Join(p.Areas, ","), signs)
	return err
}

// tellCode prints the code alone on standard output, and what it is for beside.
func tellCode(s Streams, c api.Code) error {
	choice := "a password"
	if c.NewKey {
		choice = "a password and the passphrase of the new key"
	}
	if _, err := fmt.Fprintln(s.Out, c.Code); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.Err, "Good once, until %s, to choose %s. Give it to the person and to nobody else.\n", minute(c.Expires), choice)
	return err
}

type personCodeCmd struct {
	caller
	ID     string `arg:"" help:"Whose."`
	NewKey bool   `help:"The passphrase is lost, too: make a new key, and retire the old one."`
}

// Run prints the code, and nothing else, on standard output.
func (c *personCodeCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var code api.Code
	if err := c.post(ctx, s, "/api/v1/persons/"+url.PathEscape(c.ID)+"/code", api.CodeRequest{NewKey: c.NewKey}, &code); err != nil {
		return err
	}
	return tellCode(s, code)
}

type personDismissCmd struct {
	caller
	ID          string `arg:"" help:"Who leaves."`
	Compromised string `help:"The key may have been in other hands since this moment (RFC 3339, or now): what it signed since then is void. Without this, earlier signatures stay good." placeholder:"TIME"`
}

// Run ends the rights of one person.
func (c *personDismissCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	d := api.Dismissal{Mode: string(broadcast.Retired)}
	if c.Compromised != "" {
		d.Mode, d.Since = string(broadcast.Compromised), c.Compromised
		if c.Compromised == "now" {
			d.Since = ""
		}
	}
	var left api.Dismissed
	if err := c.post(ctx, s, "/api/v1/persons/"+url.PathEscape(c.ID)+"/dismiss", d, &left); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.Out, "%s left on %s\n", left.ID, day(left.Left)); err != nil {
		return err
	}
	left.Depends = slices.DeleteFunc(left.Depends, func(x api.Dependence) bool { return became(x, d.Mode) == string(handover.Stays) })
	if len(left.Depends) == 0 {
		return nil
	}
	if _, err := fmt.Fprintln(s.Out, "What fell with it, and what to do about it:"); err != nil {
		return err
	}
	return tellDepends(s, left.Depends)
}

// became is what a dismissal of some mode does to something.
func became(x api.Dependence, mode string) string {
	if mode == string(broadcast.Compromised) {
		return x.Compromised
	}
	return x.Retired
}

type personHandoverCmd struct {
	caller
	ID    string `arg:"" help:"Who might leave."`
	Since string `help:"Since when the key may have been in other hands (RFC 3339); left out: now." placeholder:"TIME"`
}

// Run prints a line for everything that depends on the person; nothing is changed.
func (c *personHandoverCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	path := "/api/v1/persons/" + url.PathEscape(c.ID) + "/handover"
	if c.Since != "" {
		path += "?since=" + url.QueryEscape(c.Since)
	}
	var out api.Handover
	if err := c.get(ctx, s, path, &out); err != nil {
		return err
	}
	if len(out.Depends) == 0 {
		_, err := fmt.Fprintf(s.Out, "nothing depends on %s\n", c.ID)
		return err
	}
	return tellDepends(s, out.Depends)
}

// tellDepends prints a line for each thing.
func tellDepends(s Streams, list []api.Dependence) error {
	lines := [][]string{{"WHAT", "ID", "TITLE", "AREAS", "UNTIL", "RETIRED", "COMPROMISED", "WHAT TO DO"}}
	for _, x := range list {
		lines = append(lines, []string{x.What, x.ID, x.Title, strings.Join(x.Areas, ","), day(x.Until), x.Retired, x.Compromised, x.Do})
	}
	return columns(s.Out, lines)
}

type personTakeoverCmd struct {
	caller
	ID    string `arg:"" help:"Whose signatures your own take the place of."`
	Since string `help:"As for handover." placeholder:"TIME"`
}

// Run prints a line for each thing, with what came of it.
func (c *personTakeoverCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var out struct{ Items []api.Succeeded }
	if err := c.post(ctx, s, "/api/v1/persons/"+url.PathEscape(c.ID)+"/handover", api.Succession{Since: c.Since}, &out); err != nil {
		return err
	}
	lines := [][]string{{"KIND", "ID", "TITLE", "OUTCOME", "WHY"}}
	for _, x := range out.Items {
		why := map[string]string{string(handover.Awaits): "a second person signs the draft"}[x.Outcome]
		if x.Problem != nil {
			why = x.Problem.Detail
		}
		lines = append(lines, []string{x.Kind, x.ID, x.Title, x.Outcome, why})
	}
	return columns(s.Out, lines)
}
