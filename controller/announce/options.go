package announce

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/remote"
)

// Options is what somebody asks for.
type Options struct {
	// Controller is its address, such as http://localhost:8080.
	Controller string
	// Token is the person's own; ApproveToken that of a second person, who
	// approves in place of the first.
	Token, ApproveToken string
	File                string
	Areas               []string
	// Class, Title and Language may be empty: normal, the name of the file, vi.
	Class, Title, Language string
	Reason                 string
	// Start is a moment as people write it, or a time of day for the next such
	// moment; empty means now.
	Start string
	// Repeat makes an emergency sound again so often inside its window.
	Repeat time.Duration
	// AcceptSilence are the reasons, such as quiet, for which it may stay silent
	// on every node.
	AcceptSilence []string
	// AcceptDifference publishes it whatever other announcements lose by it.
	AcceptDifference bool
	// Watch waits until every node has ended; JSON prints what they proved.
	Watch, JSON bool

	// Out gets the result, Err the progress. Live redraws the table in place.
	Out, Err io.Writer
	Live     bool
	Now      func() time.Time
	// Client may be nil.
	Client *http.Client
	// after is time.After, unless a test has no time.
	after func(time.Duration) <-chan time.Time
}

// check refuses what cannot work before anything is sent.
func (o *Options) check() error {
	base, err := remote.Address(o.Controller)
	if err != nil {
		return err
	}
	o.Controller = base
	if o.Token == "" {
		return errors.New("--token: missing; loaxa-controller admin token --data DIR --role officer prints one")
	}
	if len(o.Areas) == 0 {
		return errors.New("--area: missing; name one or more, such as bac-quang")
	}
	info, err := os.Stat(o.File)
	if err != nil {
		return fmt.Errorf("--file: %w", err)
	}
	if info.IsDir() {
		return fmt.Errorf("--file %s: is a folder; name one audio file", o.File)
	}
	if o.Class != "" {
		if err := broadcast.Class(o.Class).Validate(); err != nil {
			return fmt.Errorf("--class: %w", err)
		}
	}
	if o.Repeat != 0 && o.Class != string(broadcast.Emergency) {
		return errors.New("--repeat: only an emergency repeats; leave it out")
	}
	if o.Repeat != 0 && (o.Repeat < broadcast.MinRepeat || o.Repeat > broadcast.MaxWindow) {
		return fmt.Errorf("--repeat %s: choose %s to %s", o.Repeat, broadcast.MinRepeat, broadcast.MaxWindow)
	}
	if o.Title == "" {
		name := filepath.Base(o.File)
		o.Title = strings.TrimSuffix(name, filepath.Ext(name))
	}
	if o.Client == nil {
		o.Client = &http.Client{}
	}
	if o.after == nil {
		o.after = time.After
	}
	if o.Start == "" {
		return nil
	}
	at, err := start(o.Start, o.Now())
	o.Start = at.Format(time.RFC3339)
	return err
}
