package link

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Sum names what is fetched: the SHA-256 of all its bytes.
type Sum = [sha256.Size]byte

// Errors of a Fetcher that a caller tells apart.
var (
	// ErrNotFound means that every controller answered and none has it.
	ErrNotFound = errors.New("no controller has it")
	// ErrRefused means that a controller does not let this node have it.
	ErrRefused = errors.New("controller refuses")
	// ErrWrongBytes means that what came, again and again, was not what was
	// asked for.
	ErrWrongBytes = errors.New("bytes do not match the hash")
)

const (
	maxDocument  = 256 << 10        // a document is far smaller; this bounds a hostile answer
	stallLimit   = 20 * time.Second // no byte for so long ends an attempt
	maxAttempts  = 8                // without progress in between
	maxWrong     = 3                // whole downloads that turned out wrong
	progressSize = 64 << 10         // so many bytes in an attempt count as progress
	idleLimit    = 15 * time.Second
	urgentSlots  = 4
)

// Progress tells how far a download is and goes on with it.
type Progress interface {
	// Offset is the number of bytes held: where the download goes on.
	Offset() int64
}

// Verdict ends a download.
type Verdict interface {
	// Commit checks the hash of the whole and keeps it. When it fails, what was
	// written may be gone; the Fetcher opens the destination again.
	Commit() error
}

// Partial is where a content is written. Close keeps what is written for
// another attempt, unless Commit came before it.
type Partial interface {
	Progress
	Verdict
	io.WriteCloser
}

// Order is one content to fetch.
type Order struct {
	// Sum names the content.
	Sum Sum
	// Size is its length in bytes, as a sealed document gives it.
	Size int64
	// Urgent puts it before every order that is not, and those wait.
	Urgent bool
	// Open opens the destination; it is called once for each attempt.
	Open func() (Partial, error)
}

// FetchConfig is what a Fetcher needs. Controllers, Log and Rand must be set.
type FetchConfig struct {
	// Controllers are the base URLs in order of preference, https://host:port.
	Controllers []string
	// Credentials gives the node's id and secret, sent as HTTP Basic
	// (RFC 7617); ok false sends none. nil is the same.
	Credentials func() (user, password string, ok bool)
	// Transport makes the requests; nil for one that keeps no idle connection
	// for more than 15 seconds and uses no proxy.
	Transport http.RoundTripper
	// Log gets what a person on site wants to know.
	Log *slog.Logger
	// Rand spreads the pauses; it is used by the Fetcher alone.
	Rand *rand.Rand
}

// Fetcher gets documents and contents from the controllers, and brings them what
// was spoken at the box. It is safe for use by several goroutines.
type Fetcher struct {
	cfg    FetchConfig
	bases  []*url.URL
	client *http.Client
	lanes  *lanes
	bytes  atomic.Int64 // that came
	sent   atomic.Int64

	mu sync.Mutex // of cfg.Rand
}

// NewFetcher checks the configuration and makes a Fetcher.
func NewFetcher(cfg FetchConfig) (*Fetcher, error) {
	if cfg.Log == nil || cfg.Rand == nil || len(cfg.Controllers) == 0 {
		return nil, errors.New("new fetcher: Controllers, Log and Rand must be set")
	}
	f := &Fetcher{cfg: cfg, lanes: newLanes()}
	for _, text := range cfg.Controllers {
		u, err := url.Parse(text)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return nil, fmt.Errorf("new fetcher: controller %q: want https://HOST or http://HOST", text)
		}
		f.bases = append(f.bases, u)
	}
	transport := cfg.Transport
	if transport == nil {
		transport = newTransport()
	}
	f.client = &http.Client{
		Transport: transport,
		// A redirect could carry the node's secret, or the node's curiosity,
		// to a place that nobody configured.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return f, nil
}

// Received is the number of bytes of documents and contents that came so far,
// useful or not.
func (f *Fetcher) Received() int64 { return f.bytes.Load() }

// Document fetches a sealed document by its hash; it counts as urgent. Only
// bytes with that hash are returned, at most 256 KiB.
func (f *Fetcher) Document(ctx context.Context, sum Sum) ([]byte, error) {
	var document []byte
	err := f.lanes.urgent(ctx, func(ctx context.Context) error {
		return f.attempts(ctx, func(ctx context.Context, n int) error {
			var once sync.Once
			return new(pace).hedge(ctx, func(ctx context.Context, beside int, heard func()) error {
				data, err := f.document(ctx, f.base(n+beside), sum, heard)
				if err == nil {
					once.Do(func() { document = data })
				}
				return err
			})
		})
	})
	if err != nil {
		return nil, fmt.Errorf("fetch document %x: %w", sum[:4], err)
	}
	return document, nil
}

func (f *Fetcher) document(ctx context.Context, base *url.URL, sum Sum, heard func()) ([]byte, error) {
	body, err := f.get(ctx, base, "document", sum, span{})
	if err != nil {
		return nil, err
	}
	defer body.close()
	data, err := io.ReadAll(io.LimitReader(listener{body, heard}, maxDocument+1))
	switch {
	case err != nil:
		return nil, err
	case len(data) > maxDocument:
		return nil, fmt.Errorf("%w: more than %d bytes", errWrong, maxDocument)
	case sha256.Sum256(data) != sum:
		return nil, errWrong
	}
	return data, nil
}

// Content fetches a content into its destination and commits it there. It goes
// on after interruptions where it stopped, also where an earlier call left off.
// Errors of the destination itself are returned at once.
func (f *Fetcher) Content(ctx context.Context, o Order) error {
	lane := f.lanes.background
	if o.Urgent {
		lane = f.lanes.urgent
	}
	err := lane(ctx, func(ctx context.Context) error {
		others := 1 // is 0 once bytes were wrong: who mixes them cannot tell whose
		return f.attempts(ctx, func(ctx context.Context, n int) error {
			err := f.content(ctx, n, others, o)
			if errors.Is(err, errWrong) {
				others = 0
			}
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("fetch content %x: %w", o.Sum[:4], err)
	}
	return nil
}

// content is one attempt, at the controller in the nth place; what is asked for
// beside it goes to the next others places on.
func (f *Fetcher) content(ctx context.Context, n, others int, o Order) (err error) {
	p, err := o.Open()
	if err != nil {
		return local{err}
	}
	defer func() {
		if cerr := p.Close(); err == nil && cerr != nil {
			err = local{cerr}
		}
	}()
	if began := p.Offset(); began < o.Size {
		if o.Urgent {
			err = f.hurry(ctx, n, others, o, p)
		}
		if !o.Urgent || errors.Is(err, errNoRanges) {
			err = f.download(ctx, f.base(n), o, p)
		}
		if err != nil && p.Offset()-began >= progressSize {
			err = progress{err}
		}
		if err != nil {
			return err
		}
	}
	if err := p.Commit(); err != nil {
		if errno := syscall.Errno(0); errors.As(err, &errno) {
			return local{err} // the machine's, whoever sent the bytes
		}
		return fmt.Errorf("%w: %w", errWrong, err)
	}
	return nil
}

func (f *Fetcher) download(ctx context.Context, base *url.URL, o Order, p Partial) error {
	began := p.Offset()
	body, err := f.get(ctx, base, "content", o.Sum, span{from: began})
	if err != nil {
		return err
	}
	defer body.close()
	if body.total >= 0 && body.total != o.Size {
		return fmt.Errorf("%w: the controller has %d bytes, %d are announced", errWrong, body.total, o.Size)
	}
	// A server that knows no ranges sends everything: what is held already is
	// read over, which costs no more data than to begin again.
	if _, err := io.CopyN(io.Discard, body, began-body.from); err != nil {
		return err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{destination{p}}, struct{ io.Reader }{io.LimitReader(body, o.Size-began)}, make([]byte, 16<<10))
	if err == nil && p.Offset() < o.Size {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// destination marks errors of writing, which no other attempt can mend.
type destination struct{ p Partial }

func (d destination) Write(b []byte) (int, error) {
	n, err := d.p.Write(b)
	if err != nil {
		return n, local{err}
	}
	return n, nil
}

// target is where a document or content is found.
func target(base *url.URL, what string, sum Sum) string {
	return strings.TrimSuffix(base.String(), "/") + "/" + what + "/" + hex.EncodeToString(sum[:])
}
