package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
)

// ErrUnreached means that no controller answered at all.
var ErrUnreached = errors.New("no controller was reached")

// Live asks the controllers, one after the other, for an answer that goes on as
// long as there is something to hear, and returns the first that begins. Reading
// fails as with a download: after 20 s without a byte. Whoever reads closes it.
// Nothing of it is proved; an error wraps ErrUnreached unless a controller answered.
func (f *Fetcher) Live(ctx context.Context, path string) (io.ReadCloser, error) {
	errs, answered := []error{}, false
	for _, base := range f.bases {
		b, err := f.ask(ctx, strings.TrimSuffix(base.String(), "/")+"/"+path, span{})
		if err == nil {
			return stream{b}, nil
		}
		answered = answered || !unreached(err)
		errs = append(errs, err)
	}
	if !answered {
		errs = append([]error{ErrUnreached}, errs...)
	}
	return nil, fmt.Errorf("live %s: %w", path, errors.Join(errs...))
}

// unreached tells a line that is not there from an answer that was not wanted.
func unreached(err error) bool {
	var dialled *net.OpError
	var asked *url.Error
	return errors.As(err, &dialled) || errors.As(err, &asked) || errors.Is(err, errStalled)
}

// stream is an answer under way.
type stream struct{ *body }

// Close ends it.
func (s stream) Close() error {
	s.body.close()
	return nil
}
