package speech

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loaxa/loaxa/controller/box"
)

// program is an engine that is started for each utterance: text on its standard
// input, a wave on its standard output.
type program struct {
	box    *box.Box
	path   string
	voices []Voice
	// arguments are fixed but for the voice and the rate, which are checked.
	arguments func(Utterance) []string
}

// Speak runs the program once.
func (p *program) Speak(ctx context.Context, u Utterance) (Sound, error) {
	text, err := p.accept(u)
	if err != nil {
		return Sound{}, err
	}
	var s Sound
	var unusable error
	_, err = p.box.Run(ctx, p.path, p.arguments(u), strings.NewReader(text+"\n"), func(r io.Reader) error {
		s, unusable = ReadWave(r)
		return nil // how it ends says whether it failed or has nothing better to give
	})
	switch {
	case ctx.Err() != nil:
		return Sound{}, ctx.Err()
	case err != nil:
		return Sound{}, fmt.Errorf("%w: %w", ErrDown, err)
	}
	return s, unusable
}

// accept returns a text that no program can take for anything else.
func (p *program) accept(u Utterance) (string, error) {
	return acceptable(u, p.voices)
}

func acceptable(u Utterance, voices []Voice) (string, error) {
	known := slices.ContainsFunc(voices, func(v Voice) bool { return v.ID == u.Voice })
	text := plainText(u.Text)
	switch {
	case !known:
		return "", fmt.Errorf("%w: it has no voice %q", ErrGarbage, u.Voice)
	case u.Rate < slowest || u.Rate > fastest:
		return "", fmt.Errorf("%w: the rate %d is not between %d and %d", ErrGarbage, u.Rate, slowest, fastest)
	case text == "" || len(text) > longestText:
		return "", fmt.Errorf("%w: a text of %d bytes", ErrGarbage, len(text))
	}
	return text, nil
}

// Rates in percent.
const (
	slowest = 50
	fastest = 150
)

// plainText leaves letters, digits, spaces, commas and hyphens inside of words: an
// author's brackets, marks and line ends mean nothing to a voice but trouble.
func plainText(s string) string {
	var out strings.Builder
	for _, r := range s {
		switch {
		case r == ',', letterOrDigit(r):
			out.WriteRune(r)
		default:
			out.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(out.String()), " ")
}

// Voices answers without starting anything but a look for the program.
func (p *program) Voices(context.Context) ([]Voice, error) {
	if _, err := exec.LookPath(p.path); err != nil {
		return p.voices, fmt.Errorf("%w: %w", ErrDown, err)
	}
	return p.voices, nil
}

// boxFor makes the box of a program. What it may use is more than a voice of
// today needs and less than harms the controller.
func boxFor(homes string, memory int, wait time.Duration, log *slog.Logger) (*box.Box, error) {
	config := box.Config{Homes: homes, Step: wait, Processor: wait, Memory: memory, Log: log}
	return box.New(config, func(b *box.Box) error {
		var said bytes.Buffer
		_, err := b.Run(context.Background(), "/bin/echo", []string{"-n", "works"}, nil, func(r io.Reader) error {
			_, err := said.ReadFrom(io.LimitReader(r, 16))
			return err
		})
		if err == nil && said.String() != "works" {
			err = errors.New("a boxed program says nothing")
		}
		return err
	})
}

// espeakVoices are those of eSpeak NG for Vietnamese.
var espeakVoices = []Voice{
	{ID: "vi", Language: "vi", Name: "Miền Bắc (eSpeak)"},
	{ID: "vi-vn-x-central", Language: "vi", Name: "Miền Trung (eSpeak)"},
	{ID: "vi-vn-x-south", Language: "vi", Name: "Miền Nam (eSpeak)"},
}

// espeakWords is how many words a minute eSpeak NG speaks at 100 percent: slower
// than its own, since horns answer one another.
const espeakWords = 140

// NewEspeak returns eSpeak NG, which needs no model and runs on any computer. homes
// is a folder for empty working directories.
func NewEspeak(homes string, log *slog.Logger) (Engine, error) {
	b, err := boxFor(homes, 512, speakingTime, log)
	if err != nil {
		return nil, err
	}
	return &program{box: b, path: "espeak-ng", voices: espeakVoices, arguments: func(u Utterance) []string {
		return []string{"-v", u.Voice, "-s", strconv.Itoa(espeakWords * u.Rate / 100), "-g", "2", "--stdin", "--stdout"}
	}}, nil
}

// NewCommand returns a program that reads a sentence from its standard input and
// writes a wave to its standard output, such as Piper. In its arguments {voice}
// and {rate} stand for those asked for, {pace} for the time a sound takes against
// the voice's own (1.00 at 100 percent).
func NewCommand(command []string, voices []Voice, homes string, wait time.Duration, log *slog.Logger) (Engine, error) {
	if len(command) == 0 || !filepath.IsAbs(command[0]) {
		return nil, errors.New("a command begins with the absolute path of a program")
	}
	const memory = 4096
	b, err := boxFor(homes, memory, wait, log)
	if err != nil {
		return nil, err
	}
	return &program{box: b, path: command[0], voices: voices, arguments: func(u Utterance) []string {
		fill := strings.NewReplacer("{voice}", u.Voice, "{rate}", strconv.Itoa(u.Rate), "{pace}", fmt.Sprintf("%.2f", 100/float64(u.Rate)))
		var args []string
		for _, a := range command[1:] {
			args = append(args, fill.Replace(a))
		}
		return args
	}}, nil
}
