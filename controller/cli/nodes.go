package cli

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"

	"github.com/loaxa/loaxa/controller/api"
)

type nodeCmd struct {
	List    nodeListCmd    `cmd:"" help:"Every node, with what it last said of itself."`
	Invite  nodeInviteCmd  `cmd:"" help:"Make a one-time enrolment token for a new, lost or revoked node."`
	Confirm nodeConfirmCmd `cmd:"" help:"Take a pending node in, after its short code was compared on site."`
	Revoke  nodeRevokeCmd  `cmd:"" help:"End a node's credential and the trust in its key."`
}

type nodeListCmd struct{ caller }

// Run prints a line for each node.
func (c *nodeListCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var all struct{ Nodes []api.Node }
	if err := c.get(ctx, s, "/api/v1/nodes", &all); err != nil {
		return err
	}
	lines := [][]string{{"ID", "AREA", "STATUS", "CODE", "HERE", "LAST SIGN", "REMARKS"}}
	for _, n := range all.Nodes {
		lines = append(lines, []string{n.ID, n.Area, n.Status, n.ShortCode, yes(n.Present), minute(n.LastSign), remarks(n)})
	}
	return columns(s.Out, lines)
}

// remarks are what is wrong with a node, in the words of the controller.
func remarks(n api.Node) string {
	text := ""
	add := func(s string) {
		if text != "" {
			text += "; "
		}
		text += s
	}
	if n.Doubt != nil {
		add(n.Doubt.Code + " since " + minute(n.Doubt.Since))
	}
	if n.Drift {
		add("holds something else than it ought to")
	}
	for _, f := range n.Faults {
		add(f.Code)
	}
	return text
}

func yes(is bool) string {
	if is {
		return "yes"
	}
	return "no"
}

type nodeInviteCmd struct {
	caller
	Node string `arg:"" help:"The node's id."`
	Area string `arg:"" help:"Where it stands."`
}

// Run prints the token, and nothing else, on standard output; the fingerprint
// that the card needs too comes from init, not from the network.
func (c *nodeInviteCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	var invited api.Invited
	in := api.Invitations{Nodes: []api.Invitation{{Node: c.Node, Area: c.Area}}}
	if err := c.post(ctx, s, "/api/v1/enrolment-tokens", in, &invited); err != nil {
		return err
	}
	for _, t := range invited.Tokens {
		_, _ = fmt.Fprintln(s.Out, t.Token)
	}
	_, err := fmt.Fprintln(s.Err, "Good for one enrolment within 90 days. Write it on the card with the root fingerprint that init printed.")
	return err
}

type nodeConfirmCmd struct {
	caller
	Node string `arg:"" help:"The node's id."`
	Code string `arg:"" help:"The short code that the device shows, such as 1f17-5b91."`
}

// Run confirms one node.
func (c *nodeConfirmCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	in := map[string]string{"short_code": c.Code}
	return c.change(ctx, s, c.Node, "confirm", in)
}

type nodeRevokeCmd struct {
	caller
	Node string `arg:"" help:"The node's id."`
}

// Run revokes one node.
func (c *nodeRevokeCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	return c.change(ctx, s, c.Node, "revoke", nil)
}

// change asks for something to be done with a node and prints what it is then.
func (c caller) change(ctx context.Context, s Streams, node, what string, in any) error {
	var all struct{ Nodes []api.Node }
	if err := c.post(ctx, s, "/api/v1/nodes/"+url.PathEscape(node)+"/"+what, in, &all); err != nil {
		return err
	}
	for _, n := range all.Nodes {
		if n.ID == node {
			_, err := fmt.Fprintf(s.Out, "%s in %s is %s\n", n.ID, n.Area, n.Status)
			return err
		}
	}
	return nil
}
