package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api"
)

type policyCmd struct {
	Show    policyShowCmd    `cmd:"" help:"The policy of an area, what waits for signatures, and what that would change of the coming days."`
	Check   policyCheckCmd   `cmd:"" help:"Read a policy in a file and say what is wrong with it. No controller is asked: whether it loosens a rule from above is told when it is proposed."`
	Propose policyProposeCmd `cmd:"" help:"Keep the policy in a file as a draft, and show what it would change. Nothing changes before two people sign."`
	Sign    policySignCmd    `cmd:"" help:"Sign the draft whose digest show printed. The second person's signature makes it stand."`
}

type policyShowCmd struct {
	inArea
	JSON bool `help:"Print the rules alone, those of the draft if one waits: a file to edit and propose."`
}

// Run prints what stands and what waits.
func (c *policyShowCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var r api.Regulation
	if err := c.get(ctx, s, c.path("/policy"), &r); err != nil {
		return err
	}
	if !c.JSON {
		return c.policyTo(ctx, s, r)
	}
	rules := r.Draft
	if rules == nil {
		rules = r.Standing
	}
	if rules == nil {
		return fmt.Errorf("%s has no policy of its own; docs/policy.md says how to write one", c.Area)
	}
	delete(rules, "area")
	delete(rules, "revision")
	out := json.NewEncoder(s.Out)
	out.SetIndent("", "  ")
	return out.Encode(rules)
}

// policyTo prints where the policy of an area stands: a line for each field that
// a draft changes, and for each sounding of the coming days.
func (c inArea) policyTo(ctx context.Context, s Streams, r api.Regulation) error {
	stands := "no policy of its own"
	if r.Standing != nil {
		stands = "a policy stands"
	}
	lines := [][]string{{"area", r.Area}, {"version", fmt.Sprint(r.Version)}, {"state", stands}}
	if r.Draft == nil {
		return columns(s.Out, append(lines, []string{"draft", "none waits"}))
	}
	signed := "nobody yet"
	if r.Signer != "" {
		signed = r.Signer + " at " + minute(r.Signed) + "; somebody else has to sign too"
	}
	lines = append(lines, []string{"draft by", r.Author}, []string{"signed by", signed}, []string{"digest", r.Digest})
	for _, f := range r.Changes {
		lines = append(lines, []string{f.Field, written(f.Before) + " -> " + written(f.After)})
	}
	if err := columns(s.Out, lines); err != nil {
		return err
	}
	return c.differenceTo(ctx, s)
}

// differenceTo prints what would sound or stay silent otherwise under the draft,
// and fails if something was not looked at.
func (c inArea) differenceTo(ctx context.Context, s Streams) error {
	var d api.Difference
	if err := c.get(ctx, s, c.path("/policy/difference"), &d); err != nil {
		return err
	}
	for _, p := range d.Shifts {
		if _, err := fmt.Fprintln(s.Out, printable(p.Text.EN)); err != nil {
			return err
		}
	}
	if d.Unseen > 0 || d.Trouble != "" || d.More > 0 {
		return fmt.Errorf("%d nodes were not looked at, %d lines are left out; %s", d.Unseen, d.More, printable(d.Trouble))
	}
	_, err := fmt.Fprintf(s.Out, "%d changes in the coming 7 days on %d nodes\n", len(d.Shifts), d.Nodes)
	return err
}

// written is the value of a field as a terminal may show it.
func written(value string) string {
	if value == "" {
		return "none"
	}
	return strings.ReplaceAll(printable(value), `\"`, `"`)
}

// policyFile is a file with the rules of one policy.
type policyFile struct {
	File string `arg:"" help:"The rules as JSON; docs/policy.md has every field." type:"existingfile"`
}

// maxPolicyFile is more than any policy that a node takes, in bytes.
const maxPolicyFile = 256 << 10

// rules reads the file and refuses what no policy has: a rule with a typing error
// must not be a rule that nobody enforces.
func (f policyFile) rules() (broadcast.Policy, error) {
	var p broadcast.Policy
	file, err := os.Open(f.File)
	if err != nil {
		return p, err
	}
	defer func() { _ = file.Close() }()
	read := json.NewDecoder(io.LimitReader(file, maxPolicyFile))
	read.DisallowUnknownFields()
	if err := read.Decode(&p); err != nil {
		return p, fmt.Errorf("%s: %w; docs/policy.md has every field", f.File, err)
	}
	if _, err := read.Token(); !errors.Is(err, io.EOF) {
		return p, fmt.Errorf("%s: something follows the policy; leave one policy in the file", f.File)
	}
	whole := p
	whole.Area, whole.Revision = "any", 1
	if err := whole.Validate(); err != nil {
		return p, fmt.Errorf("%s: %w", f.File, err)
	}
	return p, nil
}

type policyCheckCmd struct{ policyFile }

// Run says that the file can be proposed, or why not.
func (c *policyCheckCmd) Run(s Streams, _ *slog.Logger) error {
	if _, err := c.rules(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.Out, "%s can be proposed\n", c.File)
	return err
}

type policyProposeCmd struct {
	inArea
	policyFile
	Edits int64 `help:"The version that was read, as show prints it; 0 before the first." default:"0" placeholder:"N"`
}

// Run keeps the draft and prints what it changes.
func (c *policyProposeCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	p, err := c.rules()
	if err != nil {
		return err
	}
	var r api.Regulation
	if err := c.put(ctx, s, c.path("/policy"), map[string]any{"version": c.Edits, "policy": p}, &r); err != nil {
		return err
	}
	return c.policyTo(ctx, s, r)
}

type policySignCmd struct {
	inArea
	Digest string `arg:"" help:"The digest that show printed."`
}

// Run signs, and prints where the policy stands then.
func (c *policySignCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var r api.Regulation
	if err := c.post(ctx, s, c.path("/policy/sign"), map[string]string{"digest": c.Digest}, &r); err != nil {
		return err
	}
	return c.policyTo(ctx, s, r)
}
