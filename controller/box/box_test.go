package box

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"
)

// works is the smallest trial of a box.
func works(b *Box) error {
	_, err := b.Run(context.Background(), "/bin/true", nil, nil, func(io.Reader) error { return nil })
	return err
}

func newBox(t *testing.T, change func(*Config)) *Box {
	t.Helper()
	config := Config{Homes: t.TempDir(), Step: time.Minute, Processor: 30 * time.Second, Memory: 300, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&config)
	}
	b, err := New(config, works)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ask runs a script and returns what it says.
func ask(ctx context.Context, b *Box, script, in string) (string, error) {
	var told bytes.Buffer
	_, err := b.Run(ctx, "/bin/sh", []string{"-c", script}, strings.NewReader(in), func(r io.Reader) error {
		_, err := io.Copy(&told, io.LimitReader(r, 1<<20))
		return err
	})
	return told.String(), err
}

func TestAChildHasBoundsAndAnEmptyHome(t *testing.T) {
	b := newBox(t, nil)
	told, err := ask(t.Context(), b, "ulimit -v; ulimit -t; ulimit -n; ulimit -f; ulimit -c; ls -A; cat", "heard")
	if got := strings.Join(strings.Fields(told), " "); err != nil || got != "307200 30 64 0 0 heard" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := ask(t.Context(), b, "echo x > here", ""); err == nil {
		t.Error("a child wrote a file")
	}
	if left, err := os.ReadDir(b.Homes); err != nil || len(left) > 0 {
		t.Errorf("homes are left: %v, %v", left, err)
	}
}

func TestArgumentsAreNotReadByTheShell(t *testing.T) {
	var told bytes.Buffer
	odd := []string{"%s|", "$(echo no)", "-c", "; exit 1", "`no`", "a b"}
	_, err := newBox(t, nil).Run(t.Context(), "/usr/bin/printf", odd, nil, func(r io.Reader) error {
		_, err := io.Copy(&told, r)
		return err
	})
	if want := strings.Join(odd[1:], "|") + "|"; err != nil || told.String() != want {
		t.Errorf("got %q, %v, want %q", told.String(), err, want)
	}
}

func TestAChildThatMeetsABoundIsExhausted(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		change func(*Config)
	}{
		"time":      {"exec sleep 100", func(c *Config) { c.Step = 300 * time.Millisecond }},
		"processor": {"while :; do :; done", func(c *Config) { c.Processor = time.Second }},
		"a crash":   {"kill -SEGV $$", nil},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, c.change)
			_, err := b.Run(t.Context(), "/bin/sh", []string{"-c", c.script}, nil, func(out io.Reader) error {
				_, err := io.Copy(io.Discard, out)
				return err
			})
			if !errors.Is(err, ErrExhausted) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAFailureCarriesTheEndOfWhatWasSaid(t *testing.T) {
	_, err := ask(t.Context(), newBox(t, nil), "echo why >&2; exit 3", "")
	var failure *Failure
	if !errors.As(err, &failure) || failure.Said != "why" || errors.Is(err, ErrExhausted) {
		t.Errorf("got %v", err)
	}
}

func TestAReaderThatHadEnoughEndsTheChild(t *testing.T) {
	enough := errors.New("enough")
	_, err := newBox(t, nil).Run(t.Context(), "/bin/cat", []string{"/dev/zero"}, nil, func(r io.Reader) error {
		if _, err := io.CopyN(io.Discard, r, 1<<20); err != nil {
			return err
		}
		return enough
	})
	if !errors.Is(err, enough) {
		t.Errorf("got %v", err)
	}
}

func TestOnlyTheEndOfWhatAChildSaysIsKept(t *testing.T) {
	said := &tail{expected: "not meant"}
	for i := range 1000 {
		fmt.Fprintf(said, "line %d of many\n", i)
	}
	fmt.Fprintf(said, "[png @ 0x1] Codec (png) not meant 'aac'\n")
	if said.lines != 1000 || len(said.end) > 2048 || !strings.Contains(said.String(), "line 999 ") {
		t.Errorf("%d lines, %d bytes: %s", said.lines, len(said.end), said)
	}
	_, _ = said.Write(bytes.Repeat([]byte("y"), 10_000))
	if got := said.String(); got != strings.Repeat("y", 2048) {
		t.Errorf("kept %d bytes", len(got))
	}
}
