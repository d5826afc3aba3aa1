package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/loaxa/loaxa/controller/announce"
)

type announceCmd struct {
	Controller       string        `help:"The controller's address." default:"http://127.0.0.1:8080" placeholder:"URL"`
	Token            string        `help:"Your personal API token." required:"" env:"LOAXA_TOKEN" placeholder:"TOKEN"`
	ApproveToken     string        `help:"The token of a second person, who approves." env:"LOAXA_APPROVE_TOKEN" placeholder:"TOKEN"`
	File             string        `help:"A recording: MP3, WAV, M4A, OGG or what a phone made." required:"" type:"existingfile" placeholder:"FILE"`
	Area             []string      `help:"Where it shall be heard; several with commas." required:"" placeholder:"ID"`
	Class            string        `help:"normal, priority or emergency." default:"normal"`
	Title            string        `help:"What it is about; the file's name if not given."`
	Language         string        `help:"ISO 639 code of the language spoken." default:"vi"`
	Reason           string        `help:"Why one officer speaks alone, where the policy allows it."`
	Start            string        `help:"When, in Vietnam's time: HH:MM or 17h30 (the next such time), dd/MM/yyyy HH:MM, or RFC 3339; now if not given." placeholder:"TIME"`
	Repeat           time.Duration `help:"Sound an emergency again so often inside its window, 1m to 6h." placeholder:"5m"`
	AcceptSilence    []string      `help:"Publish although nothing of it will sound, for these reasons as they were shown, such as quiet." placeholder:"REASON"`
	AcceptDifference bool          `help:"Publish although other announcements will sound otherwise by it, or no longer."`
	Watch            bool          `help:"Show what every node proves until all have ended."`
	JSON             bool          `help:"Print what every node proved as JSON."`
}

// Run exits 0 if every node sounded to its end, 2 if at least one did not, and
// 3 if nothing was published because nothing of it would sound.
func (c *announceCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	out, isFile := s.Out.(*os.File)
	code, err := announce.Run(ctx, announce.Options{Controller: c.Controller, Token: c.Token, ApproveToken: c.ApproveToken, File: c.File,
		Areas: c.Area, Class: c.Class, Title: c.Title, Language: c.Language, Reason: c.Reason, Start: c.Start, Repeat: c.Repeat, AcceptSilence: c.AcceptSilence, AcceptDifference: c.AcceptDifference,
		Watch: c.Watch, JSON: c.JSON, Out: s.Out, Err: s.Err, Live: isFile && term.IsTerminal(int(out.Fd())), Now: time.Now})
	if err != nil {
		return exitCode{code: code, err: err}
	}
	if code != announce.AllEnded {
		return exitCode{code: code, err: errors.New("not every node sounded to its end")}
	}
	return nil
}
