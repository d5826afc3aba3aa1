package intake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/loaxa/loaxa/controller/box"
)

// engine runs ffmpeg and ffprobe as boxed children.
type engine struct {
	ffmpeg, ffprobe string
	box             *box.Box
}

// expected stands in what ffmpeg says of pictures and captions, whose decoders it may not open.
const expected = "not on whitelist"

// newEngine finds the programs and the strongest confinement under which they run.
func newEngine(ffmpeg, homes string, step time.Duration, log *slog.Logger) (*engine, error) {
	if ffmpeg == "" {
		ffmpeg = "ffmpeg"
	}
	found, err := exec.LookPath(ffmpeg)
	if err != nil {
		return nil, fmt.Errorf("ffmpeg is needed to read uploads (on Debian: apt install ffmpeg): %w", err)
	}
	if found, err = filepath.Abs(found); err != nil {
		return nil, fmt.Errorf("find ffmpeg: %w", err)
	}
	e := &engine{ffmpeg: found, ffprobe: filepath.Join(filepath.Dir(found), "ffprobe")}
	if _, err := exec.LookPath(e.ffprobe); err != nil {
		return nil, fmt.Errorf("ffprobe is needed beside ffmpeg (on Debian: apt install ffmpeg): %w", err)
	}
	bounds := box.Config{Homes: homes, Step: time.Minute, Processor: 15 * time.Minute, Memory: 768, Expected: expected, Log: log}
	if e.box, err = box.New(bounds, e.try); err != nil {
		return nil, err
	}
	e.box.Step = step
	return e, nil
}

// try runs ffmpeg once without an upload and looks for the encoder.
func (e *engine) try(b *box.Box) error {
	var told bytes.Buffer
	_, err := b.Run(context.Background(), e.ffmpeg, []string{"-hide_banner", "-h", "encoder=libopus"}, nil, bounded(&told))
	if err == nil && !strings.Contains(told.String(), "libopus AVOptions") {
		err = errors.New("this ffmpeg was built without libopus: install one that has it (on Debian: apt install ffmpeg)")
	}
	if err != nil {
		return fmt.Errorf("try %s: %w", e.ffmpeg, err)
	}
	return nil
}

// bounded reads what a child says into a buffer, 64 KiB at most.
func bounded(into *bytes.Buffer) func(io.Reader) error {
	return func(r io.Reader) error {
		_, err := io.Copy(into, io.LimitReader(r, 64<<10))
		return err
	}
}

// run runs a program on a file and hands what it makes to out; see box.Box. A
// disk without room for its working directory is a refusal.
func (e *engine) run(ctx context.Context, program string, args []string, in *os.File, out func(io.Reader) error) (int, error) {
	var input io.Reader
	if in != nil {
		input = in
	}
	complaints, err := e.box.Run(ctx, program, args, input, out)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		err = storing("run a converter", err)
	}
	return complaints, err
}
