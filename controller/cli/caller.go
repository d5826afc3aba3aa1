package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/remote"
)

// caller is somebody who asks a running controller for something, with the same
// rights that the token has everywhere else.
type caller struct {
	Controller string `help:"The controller's address." default:"http://127.0.0.1:8080" placeholder:"URL"`
	Token      string `help:"Your personal API token." required:"" env:"LOAXA_TOKEN" placeholder:"TOKEN"`
}

func (c caller) remote(s Streams) (*remote.Client, error) {
	base, err := remote.Address(c.Controller)
	return &remote.Client{Base: base, HTTP: &http.Client{Timeout: time.Minute}, After: time.After, Waiting: func(err error, pause time.Duration) {
		_, _ = fmt.Fprintf(s.Err, "%v; trying again in %s\n", err, pause)
	}}, err
}

func (c caller) get(ctx context.Context, s Streams, path string, out any) error {
	to, err := c.remote(s)
	if err != nil {
		return err
	}
	return spoken(to.Get(ctx, c.Token, path, out))
}

func (c caller) post(ctx context.Context, s Streams, path string, in, out any) error {
	to, err := c.remote(s)
	if err != nil {
		return err
	}
	return spoken(to.Post(ctx, c.Token, "", path, in, out))
}

func (c caller) put(ctx context.Context, s Streams, path string, in, out any) error {
	to, err := c.remote(s)
	if err != nil {
		return err
	}
	return spoken(to.Put(ctx, c.Token, path, in, out))
}

func (c caller) remove(ctx context.Context, s Streams, path string) error {
	to, err := c.remote(s)
	if err != nil {
		return err
	}
	return spoken(to.Delete(ctx, c.Token, path))
}

// spoken is a problem of the controller in the words for people, both languages.
func spoken(err error) error {
	var p *api.Problem
	if errors.As(err, &p) && p.DetailVI != "" {
		return fmt.Errorf("%s\n%s", p.Detail, p.DetailVI)
	}
	return err
}

// columns prints lines in columns that line up.
func columns(w io.Writer, lines [][]string) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, line := range lines {
		_, _ = fmt.Fprintln(t, strings.Join(line, "\t"))
	}
	return t.Flush()
}

// day and minute are moments as people in Vietnam write them; none stays empty.
func day(text string) string { return local(text, "02/01/2006") }

func minute(text string) string { return local(text, "15:04 02/01/2006") }

func local(text, layout string) string {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return text
	}
	return at.In(broadcast.Local()).Format(layout)
}
