package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pack"
	"github.com/loaxa/loaxa/controller/api"
)

type listenCmd struct {
	caller
	Recording string `help:"Fetch the one with this digest; otherwise all are listed." placeholder:"SHA256"`
	Out       string `help:"Its file, or the folder where it is named after its node." default:"." type:"path" placeholder:"FILE"`
}

// Run lists what was spoken, or fetches one recording and prints where it is.
func (c *listenCmd) Run(ctx context.Context, s Streams) error {
	to, err := c.remote(s)
	if err != nil {
		return err
	}
	var page struct{ Firings []api.Firing }
	if err := to.Get(ctx, c.Token, "/api/v1/firings?limit=200", &page); err != nil {
		return spoken(err)
	}
	var said []api.Firing
	for _, f := range page.Firings {
		if f.Evidence != nil && f.Evidence.Recording != nil {
			said = append(said, f)
		}
	}
	if c.Recording == "" {
		return list(s.Out, said)
	}
	for _, f := range said {
		if f.Evidence.Recording.SHA256 == c.Recording {
			to.HTTP.Timeout = carryTime
			return c.fetch(s, f, func(w io.Writer) error {
				_, err := to.Download(ctx, c.Token, "/api/v1/nodes/"+f.Node+"/recordings/"+c.Recording, w)
				return spoken(err)
			})
		}
	}
	return fmt.Errorf("no firing that you may see names the recording %q; say listen without --recording to see which there are", c.Recording)
}

// places says in words where a recording is.
var places = map[string]string{"here": "here", "card": "still on the card of the node", "gone": "gone"}

// list prints a line for each, the last that was told first.
func list(out io.Writer, said []api.Firing) error {
	if len(said) == 0 {
		_, err := fmt.Fprintln(out, "Nothing was spoken at a box.")
		return err
	}
	lines := [][]string{{"NODE", "AT", "PERSON", "LENGTH", "IT IS", "RECORDING"}}
	for _, f := range said {
		k := f.Evidence.Recording
		lines = append(lines, []string{f.Node, minute(f.At), f.Person, (time.Duration(k.Millis) * time.Millisecond).Round(time.Second).String(), places[k.Where], k.SHA256})
	}
	return columns(out, lines)
}

// fetch puts one recording into its file, if it is the one that the receipt names.
func (c *listenCmd) fetch(s Streams, f api.Firing, download func(io.Writer) error) error {
	if where := f.Evidence.Recording.Where; where != "here" {
		return fmt.Errorf("that recording is %s: %s", places[where], map[string]string{
			"card": "it comes when the node has a line and nothing else to do, or with a stick (import)",
			"gone": "its receipt still says when it was spoken, and for how long"}[where])
	}
	path := c.Out
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, pack.RecordingName(broadcast.ID(f.Node), broadcast.Digest(c.Recording)))
	}
	err := whole(path, func(file *os.File) error {
		sum := sha256.New()
		if err := download(io.MultiWriter(file, sum)); err != nil {
			return err
		}
		if hex.EncodeToString(sum.Sum(nil)) != c.Recording {
			return errors.New("what came is not what the receipt names: try again, and tell the administrator")
		}
		return nil
	})
	if err == nil {
		_, err = fmt.Fprintln(s.Out, path)
	}
	return err
}
