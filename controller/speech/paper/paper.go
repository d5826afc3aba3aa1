package paper

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/loaxa/loaxa/controller/box"
)

// Bounds of a paper.
const (
	mostFile  = 20 << 20 // bytes of the file
	mostText  = 1 << 20  // bytes of its text
	mostLines = 20_000
)

// ErrPaper is a file whose words cannot be read; the error says why.
var ErrPaper = errors.New("this paper cannot be read")

// Paper is what a file says.
type Paper struct {
	// Text has a line per paragraph.
	Text string
	// Dropped are the lines that are not to be said, in their order.
	Dropped []Dropped
}

// Dropped is a line that was left out.
type Dropped struct {
	Text string
	Why  Why
}

// Why says why a line was left out.
type Why string

// The reasons.
const (
	PageNumber  Why = "page-number"
	RunningHead Why = "running-head"
	StateHead   Why = "state-head"
	Signature   Why = "signature"
)

// Reader reads papers. It may be used at the same time.
type Reader struct{ box *box.Box }

// NewReader returns a reader whose children get their homes in a folder.
func NewReader(homes string, log *slog.Logger) (*Reader, error) {
	config := box.Config{Homes: homes, Step: time.Minute, Processor: 30 * time.Second, Memory: 512, Log: log}
	b, err := box.New(config, func(b *box.Box) error {
		_, err := b.Run(context.Background(), "/bin/true", nil, nil, func(io.Reader) error { return nil })
		return err
	})
	return &Reader{box: b}, err
}

// Read reads a .docx or a PDF. The error is ErrPaper when the file is the reason.
func (r *Reader) Read(ctx context.Context, from io.Reader) (Paper, error) {
	file, err := io.ReadAll(io.LimitReader(from, mostFile+1))
	if err != nil {
		return Paper{}, err
	}
	switch {
	case len(file) > mostFile:
		return Paper{}, fmt.Errorf("%w: it is larger than %d MB", ErrPaper, mostFile>>20)
	case bytes.HasPrefix(file, []byte("PK\x03\x04")):
		pages, heads, err := readDocx(file)
		if err != nil {
			return Paper{}, err
		}
		return clean(pages, heads, false)
	case bytes.HasPrefix(file, []byte("%PDF-")):
		pages, err := r.readPDF(ctx, file)
		if err != nil {
			return Paper{}, err
		}
		return clean(pages, nil, true)
	}
	return Paper{}, fmt.Errorf("%w: it is neither a .docx nor a PDF; save it as .docx", ErrPaper)
}

// readPDF returns the lines of each page.
func (r *Reader) readPDF(ctx context.Context, file []byte) ([][]string, error) {
	program, err := exec.LookPath("pdftotext")
	if err != nil {
		return nil, fmt.Errorf("pdftotext is needed to read PDF (on Debian: apt install poppler-utils): %w", err)
	}
	var text bytes.Buffer
	_, err = r.box.Run(ctx, program, []string{"-q", "-enc", "UTF-8", "-", "-"}, bytes.NewReader(file), func(out io.Reader) error {
		_, err := io.Copy(&text, io.LimitReader(out, mostText+1))
		if err == nil && text.Len() > mostText {
			err = fmt.Errorf("%w: its text is longer than %d KB", ErrPaper, mostText>>10)
		}
		return err
	})
	var failure *box.Failure
	switch {
	case errors.As(err, &failure):
		return nil, fmt.Errorf("%w: %s", ErrPaper, "the PDF is damaged, locked or too large; save it anew")
	case err != nil:
		return nil, err
	case strings.TrimSpace(text.String()) == "":
		return nil, fmt.Errorf("%w: the PDF has pictures and no text; ask for the original file", ErrPaper)
	}
	var pages [][]string
	for page := range strings.SplitSeq(strings.ToValidUTF8(text.String(), "\uFFFD"), "\f") {
		pages = append(pages, strings.Split(page, "\n"))
	}
	return pages, nil
}

// lineCount counts the lines of pages.
func lineCount(pages [][]string) int {
	n := 0
	for _, p := range pages {
		n += len(p)
	}
	return n
}

func first(s string) rune { r, _ := utf8.DecodeRuneInString(s); return r }
