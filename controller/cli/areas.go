package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"strings"

	"github.com/loaxa/loaxa/controller/api"
)

type areasCmd struct {
	Show   areasShowCmd   `cmd:"" help:"Every area with what it was called, is called and will be, and the plans that say so."`
	Apply  areasApplyCmd  `cmd:"" help:"Show what follows of a plan file or, with the digest that was shown, have it take effect on its day."`
	Drop   areasDropCmd   `cmd:"" help:"Take a plan back whose day has not come."`
	Follow areasFollowCmd `cmd:"" help:"Sign today's places of all nodes that stand elsewhere in the tree than they were told."`
}

type areasShowCmd struct{ caller }

// Run prints a line for each time of each area.
func (c *areasShowCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var all struct {
		Areas []api.AreaHistory
		Plans []api.AppliedPlan
	}
	if err := c.get(ctx, s, "/api/v1/organisation", &all); err != nil {
		return err
	}
	lines := [][]string{{"AREA", "FROM", "LEVEL", "CODE", "IN", "NAME"}}
	for _, a := range all.Areas {
		for _, f := range a.Facts {
			level := f.Level
			if f.Ended {
				level = "ended"
			}
			lines = append(lines, []string{a.ID, day(f.From), level, f.Code, f.Parent, printable(f.Name)})
		}
	}
	if err := columns(s.Out, lines); err != nil {
		return err
	}
	for _, p := range all.Plans {
		_, _ = fmt.Fprintf(s.Err, "plan %s: %s, on %s, by %s\n", p.Plan, printable(p.Name), p.Day, p.Person)
	}
	return nil
}

type areasApplyCmd struct {
	caller
	Digest string `help:"Of what was shown; without it all that follows is shown and nothing is done." placeholder:"DIGEST"`
	File   string `arg:"" help:"The plan, as docs/organisation.md describes it." type:"existingfile"`
}

// maxPlan bounds a plan file in bytes.
const maxPlan = 100 << 10

// Run shows, or applies; what was applied to today signs the places of the nodes
// in the same breath.
func (c *areasApplyCmd) Run(ctx context.Context, s Streams, log *slog.Logger) error {
	plan, err := readPlan(c.File)
	if err != nil {
		return err
	}
	var e api.AreaEffects
	if c.Digest == "" {
		if err := c.post(ctx, s, "/api/v1/organisation/weigh", plan, &e); err != nil {
			return err
		}
		return showEffects(s, e)
	}
	if err := c.post(ctx, s, "/api/v1/organisation/plans", map[string]any{"plan": plan, "digest": c.Digest}, &e); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(s.Out, "%s takes effect on %s\n", printable(plan.Name), day(e.From)); err != nil {
		return err
	}
	return (&areasFollowCmd{c.caller}).Run(ctx, s, log)
}

func readPlan(path string) (api.AreaPlan, error) {
	var p api.AreaPlan
	f, err := os.Open(path)
	if err != nil {
		return p, err
	}
	defer func() { _ = f.Close() }() // opened for reading
	read := json.NewDecoder(io.LimitReader(f, maxPlan))
	read.DisallowUnknownFields()
	if err := read.Decode(&p); err != nil {
		return p, fmt.Errorf("%s: %w; docs/organisation.md shows a plan", path, err)
	}
	return p, nil
}

func showEffects(s Streams, e api.AreaEffects) error {
	lines := [][]string{{"AREA", "BEFORE", "FROM " + day(e.From)}}
	for _, step := range e.Steps {
		lines = append(lines, []string{step.Area, standingText(step.Before), standingText(step.After)})
	}
	for _, d := range e.Disputes {
		choice := d.Choice
		if choice == "" {
			choice = "CHOOSE in policies: own, " + strings.Join(d.Of, ", ")
		}
		lines = append(lines, []string{d.Area, "differing policies", choice})
	}
	for _, h := range e.Documents {
		lines = append(lines, []string{h.Area, h.Kind + " " + h.ID, "goes on until " + minute(h.Until)})
	}
	lines = append(lines, []string{"nodes", fmt.Sprint(len(e.Nodes), " get another place"), strings.Join(e.Nodes, " ")}, []string{"digest", e.Digest, ""})
	return columns(s.Out, lines)
}

func standingText(f *api.AreaFact) string {
	if f == nil {
		return "-"
	}
	return strings.TrimSpace(printable(f.Name) + " " + f.Code + " (" + f.Level + " in " + f.Parent + ")")
}

type areasDropCmd struct {
	caller
	Plan string `arg:"" help:"Its name, as areas show prints it."`
}

// Run says that it is gone.
func (c *areasDropCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	if err := c.remove(ctx, s, "/api/v1/organisation/plans/"+url.PathEscape(c.Plan)); err != nil {
		return err
	}
	_, err := fmt.Fprintln(s.Out, "dropped")
	return err
}

type areasFollowCmd struct{ caller }

// Run signs until nobody is left, or until what is left is refused.
func (c *areasFollowCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	signed, refused := 0, 0
	for {
		var got struct {
			Moves    []api.NodeMove
			Left     int
			Proposed []string
		}
		if err := c.post(ctx, s, "/api/v1/organisation/moves", map[string]any{}, &got); err != nil {
			return err
		}
		before := signed
		refused = 0
		for _, m := range got.Moves {
			if m.Done {
				signed++
				continue
			}
			refused++
			_, _ = fmt.Fprintf(s.Err, "%s: %s\n", m.Node, m.Why)
		}
		for _, area := range got.Proposed {
			_, _ = fmt.Fprintf(s.Err, "the policy chosen for %s waits for two signatures\n", area)
		}
		if got.Left == 0 || signed == before {
			break
		}
	}
	if _, err := fmt.Fprintf(s.Out, "%d nodes were given their places\n", signed); err != nil || refused == 0 {
		return err
	}
	return fmt.Errorf("%d nodes stay where they are; somebody has to sign who acts above what changed", refused)
}
