package cli

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strconv"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/people"
)

type sessionCmd struct {
	List sessionListCmd `cmd:"" help:"Who has signed in where: your own sessions, or somebody's."`
	End  sessionEndCmd  `cmd:"" help:"End a session; its browser becomes a stranger."`
}

type sessionListCmd struct {
	caller
	Person string `help:"Of somebody whom you manage; left out: your own." placeholder:"ID"`
}

// Run prints a line for each session.
func (c *sessionListCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	path := "/api/v1/sessions"
	if c.Person != "" {
		path += "?person=" + url.QueryEscape(c.Person)
	}
	var list struct{ Sessions []api.Session }
	if err := c.get(ctx, s, path, &list); err != nil {
		return err
	}
	lines := [][]string{{"ID", "PERSON", "SINCE", "LAST USED", "FROM", "DEVICE"}}
	for _, v := range list.Sessions {
		lines = append(lines, []string{v.ID, v.Person, minute(v.Created), minute(v.Seen), v.Address, printable(v.Device)})
	}
	return columns(s.Out, lines)
}

// printable leaves out what could move the cursor: strangers choose the text.
func printable(text string) string {
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}

type sessionEndCmd struct {
	caller
	ID string `arg:"" help:"Its id, as session list prints it."`
}

// Run says that it ended.
func (c *sessionEndCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	if err := c.remove(ctx, s, "/api/v1/sessions/"+url.PathEscape(c.ID)); err != nil {
		return err
	}
	_, err := fmt.Fprintln(s.Out, "ended")
	return err
}

type codeCmd struct {
	Data   string `help:"The data folder." required:"" type:"existingdir" placeholder:"DIR"`
	Person string `arg:"" help:"Whose."`
}

// Run prints a code from the folder itself, for whoever nobody else can help.
func (c *codeCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	cfg, err := configOf(ctx, c.Data)
	if err != nil {
		return err
	}
	code, err := people.AdminCode(ctx, c.Data, broadcast.ID(c.Person), cfg)
	if err != nil {
		return err
	}
	return tellCode(s, api.Code{Code: code.Text, Expires: code.Expires.String(), NewKey: code.NewKey})
}
