package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// recordFile is how a record is written, and where.
type recordFile struct {
	Format string `help:"html is to be printed and signed." enum:"csv,xlsx,html" default:"csv"`
	Out    string `help:"The file, in place of what is there; standard output if not given." placeholder:"FILE"`
}

// save has a record written: all of it, or nothing.
func (f recordFile) save(ctx context.Context, c caller, s Streams, path string) error {
	if f.Format == "xlsx" && f.Out == "" {
		return errors.New("a workbook is no text: name a file with --out")
	}
	to, err := c.remote(s)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if _, err := to.Download(ctx, c.Token, path+"/"+f.Format, &b); err != nil {
		return spoken(err)
	}
	if f.Out == "" {
		_, err := io.Copy(s.Out, &b)
		return err
	}
	if err := whole(f.Out, func(file *os.File) error { _, err := io.Copy(file, &b); return err }); err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.Out, f.Out)
	return err
}

type reportCmd struct {
	caller
	recordFile
	Area  string `arg:"" help:"An area of any level; what lies below it counts too."`
	Month string `arg:"" help:"MM/yyyy, such as 11/2026."`
}

// Run writes the report.
func (c *reportCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	month, err := time.ParseInLocation("1/2006", c.Month, broadcast.Local())
	if err != nil {
		return fmt.Errorf("%q is no month: write MM/yyyy such as 11/2026", c.Month)
	}
	return c.save(ctx, c.caller, s, "/api/v1/areas/"+url.PathEscape(c.Area)+"/reports/"+month.Format("2006-01"))
}

type diaryCmd struct {
	caller
	recordFile
	Area string `arg:"" help:"A commune."`
	Day  string `arg:"" help:"dd/MM/yyyy, such as 22/11/2026."`
}

// Run writes one day.
func (c *diaryCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	day, err := readDay(c.Day)
	if err != nil {
		return err
	}
	return c.save(ctx, c.caller, s, "/api/v1/areas/"+url.PathEscape(c.Area)+"/diary/"+day.Format("2006-01-02"))
}
