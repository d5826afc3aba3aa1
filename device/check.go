package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/loaxa/loaxa/device/board"
	"github.com/loaxa/loaxa/device/config"
)

// check says what the board can and cannot do.
type check struct {
	Config string `type:"existingfile" help:"The provisioning file of this card."`
	Board  string `help:"A board profile instead, by name or path."`
	// Guard prints what the guard's service reads instead of looking at the board.
	Guard bool `name:"guard-env" help:"Only print what belongs into /etc/loaxa/guard.env."`
}

// errBoard means that at least one finding keeps the node from its work.
var errBoard = errors.New("this board cannot do its work as it is; see the lines marked fail")

// Run prints the findings.
func (c check) Run() error { return c.report(os.Stdout) }

func (c check) report(out io.Writer) error {
	ref, data, socket := c.Board, "/var/lib/loaxa", "/run/loaxa/guard.sock"
	if c.Config != "" {
		file, err := config.Load(c.Config)
		if err != nil {
			return err
		}
		data, socket = file.Data, file.Guard.Socket
		if ref == "" {
			ref = file.Board
		}
	}
	if ref == "" {
		return errors.New("say which board: --config FILE or --board NAME, one of " + strings.Join(board.Names(), ", "))
	}
	profile, err := board.Load(ref)
	if err != nil {
		return err
	}
	if c.Guard {
		_, err := fmt.Fprintf(out, "GUARD_FLAGS=\"%s -watchdog /dev/watchdog\"\n", strings.Join(profile.GuardFlags(socket), " "))
		return err
	}
	failed := false
	for _, f := range board.Check(profile, board.System(data, socket)) {
		fmt.Fprintf(out, "%-5s %-9s %s\n", f.Level, f.Part, f.Text)
		failed = failed || f.Level == board.Fail
	}
	if failed {
		return errBoard
	}
	return nil
}
