// Command loaxa-device is the daemon of a speaker site.
//
// What always holds: it makes no sound that it has not verified, the relay is
// open when it ends, and what it could prove is on the card. It starts one node
// (run), many simulated ones (sim), says what a board can and cannot do (check),
// or decodes one recording in a process that may do nothing else (decode). Beside a daemon that
// runs, it hands over what somebody brought to the box (take).
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"github.com/loaxa/loaxa/device/player/decode"
)

// commands are what a person can type.
type commands struct {
	Run     run              `cmd:"" help:"Run one speaker site."`
	Sim     simulate         `cmd:"" help:"Run many simulated speaker sites in one process."`
	Check   check            `cmd:"" help:"Say what this board can and cannot do. Exit code 0 if it can do its work, 1 if not."`
	Take    take             `cmd:"" help:"Hand a pack or a sealed document to the running daemon. Exit code 0 if all was taken, 2 if no daemon is there, 3 if something was refused, 4 if the receipts could not be put beside the pack, 1 for anything else."`
	Decode  decodeChild      `cmd:"" hidden:"" help:"Decode the recording on standard input."`
	Log     string           `enum:"debug,info,warn,error" default:"info" help:"How much to log (${enum})."`
	Version kong.VersionFlag `help:"Print the version."`
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "decode" {
		// Before anything else, because the child gives up what it could do.
		os.Exit(decode.Child(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	var c commands
	k := kong.Parse(&c, kong.Name("loaxa-device"), kong.Description("The daemon of a Loaxa speaker site."),
		kong.ShortUsageOnError(), kong.Vars{"version": version()}, kong.BindTo(ctx, (*context.Context)(nil)))
	err := k.Run(logger(c.Log))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "loaxa-device:", err)
		var end exit
		if errors.As(err, &end) {
			os.Exit(end.code)
		}
		os.Exit(1)
	}
}

// logger writes text to standard error.
func logger(level string) *slog.Logger {
	var l slog.Level
	if l.UnmarshalText([]byte(level)) != nil {
		l = slog.LevelInfo
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: l}))
}

// decodeChild is only for the list of commands: main answers before.
type decodeChild struct {
	First int64 `arg:"" optional:"" help:"The first sample wanted."`
}

// Run is never reached.
func (decodeChild) Run() error { return nil }
