package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// Streams are where a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Version is what the program calls itself.
	Version string
}

// commands is the command line, a type per command.
type commands struct {
	Serve    serveCmd     `cmd:"" help:"Run the controller of a real house."`
	Demo     demoCmd      `cmd:"" help:"Run a controller for training: its own root, which no real node obeys."`
	Init     initCmd      `cmd:"" help:"Set up a data folder: root key, service key, first officers."`
	Admin    adminCmd     `cmd:"" help:"People, nodes, tokens, certificates and the audit log."`
	Export   exportCmd    `cmd:"" help:"Pack what a node needs for the coming days onto a stick."`
	Import   importCmd    `cmd:"" help:"Take the receipts and recordings that nodes left on a stick."`
	Listen   listenCmd    `cmd:"" help:"What was spoken at boxes: list it, and fetch a recording."`
	Backup   backupCmd    `cmd:"" help:"One sealed file with everything that a house needs to come back."`
	Restore  restoreCmd   `cmd:"" help:"A house out of a backup, silent until an administrator accepts what the nodes hold."`
	Template templatesCmd `cmd:"" help:"Words approved in advance: who signs them, and who has them sound."`
	Schedule scheduleCmd  `cmd:"" help:"What will sound, and what a commune decides about it."`
	Diary    diaryCmd     `cmd:"" help:"One day of a commune: what sounded, who answers for it, what was proved."`
	Report   reportCmd    `cmd:"" help:"One month of an area, in numbers that receipts prove."`
	Policy   policyCmd    `cmd:"" help:"The rules of an area: show, propose and sign them."`
	Announce announceCmd  `cmd:"" help:"Upload, sign and publish an announcement, and watch what is proved."`
	Notify   notifyCmd    `cmd:"" help:"Who is told of faults, missed announcements and approvals."`
	Areas    areasCmd     `cmd:"" help:"The organisation tree: rename, merge, move and retire areas from a day on."`

	Verbose bool             `help:"Say more on standard error." short:"v"`
	Version kong.VersionFlag `help:"Print the version."`
}

// exitCode is an error that decides how the program ends.
type exitCode struct {
	code int
	err  error
}

func (e exitCode) Error() string { return e.err.Error() }
func (e exitCode) Unwrap() error { return e.err }

// Run runs one command line and returns the exit code of the program.
func Run(args []string, s Streams) int {
	var c commands
	code := -1
	parser, err := kong.New(&c, kong.Name("loaxa-controller"), kong.Vars{"version": s.Version},
		kong.Description("The centre of Loaxa: announcements in, proof of sound out."),
		kong.Writers(s.Out, s.Err), kong.Exit(func(n int) { code = n }))
	if err != nil {
		_, _ = fmt.Fprintln(s.Err, "loaxa-controller:", err)
		return 1
	}
	parsed, err := parser.Parse(args)
	if code >= 0 { // help or version was printed
		return code
	}
	if err != nil {
		_, _ = fmt.Fprintf(s.Err, "loaxa-controller: %v; --help says what there is\n", err)
		return 1
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	parsed.BindTo(ctx, (*context.Context)(nil))
	if err = parsed.Run(s, logger(s.Err, c.Verbose)); err == nil {
		return 0
	}
	_, _ = fmt.Fprintln(s.Err, "loaxa-controller:", err)
	var exit exitCode
	if errors.As(err, &exit) {
		return exit.code
	}
	return 1
}

func logger(w io.Writer, verbose bool) *slog.Logger {
	level := slog.LevelInfo
	if verbose {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
}
