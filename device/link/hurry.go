package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
)

const (
	// pieceSize is what a server sends at once, before it waits for an answer
	// (RFC 6928), with room for the head of the answer.
	pieceSize = 8 << 10
	// abreast is how many pieces are on their way at once. Their connections are
	// closed as soon as there is nothing left for them: every node of a district
	// asks in the same second.
	abreast   = 12
	idleConns = 2
)

// errNoRanges means that a controller sends everything when asked for a part.
var errNoRanges = errors.New("the controller knows no ranges")

// hurry fetches what is missing of an urgent content in pieces, several at once
// and each by as many connections as it takes, and writes them in their order.
func (f *Fetcher) hurry(ctx context.Context, n, others int, o Order, p Partial) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	line := &pace{}
	var under []*piece // way, in their order
	defer func() {
		cancel()
		for _, one := range under {
			<-one.done
		}
	}()
	for next := p.Offset(); p.Offset() < o.Size; {
		for ; next < o.Size && len(under) < abreast; next = under[len(under)-1].to {
			one := &piece{span: span{next, min(next+pieceSize, o.Size)}, done: make(chan struct{})}
			under = append(under, one)
			go one.fetch(ctx, f, line, n, others, o)
		}
		first := under[0]
		<-first.done
		under = under[1:]
		if first.err != nil {
			return first.err
		}
		if _, err := (destination{p}).Write(first.bytes); err != nil {
			return err
		}
	}
	return nil
}

// piece is a part of a content on its way. All requests for it fill the same
// bytes, each from where the others stood when it began.
type piece struct {
	span
	done chan struct{} // closed when it is whole, or err says why it is not
	err  error

	mu    sync.Mutex
	bytes []byte
}

func (p *piece) fetch(ctx context.Context, f *Fetcher, line *pace, n, others int, o Order) {
	defer close(p.done)
	p.err = line.hedge(ctx, func(ctx context.Context, beside int, heard func()) error {
		return p.request(ctx, f, n+others*beside, o, heard)
	})
}

// request is one of the requests for a piece.
func (p *piece) request(ctx context.Context, f *Fetcher, n int, o Order, heard func()) error {
	at := p.from + p.held()
	if at == p.to {
		return nil
	}
	body, err := f.get(ctx, f.base(n), "content", o.Sum, span{at, p.to})
	if err != nil {
		return err
	}
	defer body.close()
	switch {
	case body.total >= 0 && body.total != o.Size:
		return fmt.Errorf("%w: the controller has %d bytes, %d are announced", errWrong, body.total, o.Size)
	case body.whole && p.to-p.from < o.Size:
		return errNoRanges
	}
	at = body.from
	buffer := make([]byte, 4<<10)
	for in := (listener{body, heard}); at < p.to; {
		n, err := in.Read(buffer[:min(int64(len(buffer)), p.to-at)])
		if p.take(at, buffer[:n]) {
			return nil
		}
		at += int64(n)
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *piece) held() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return int64(len(p.bytes))
}

// take adds what is new of the bytes at an offset, which joins or overlaps what
// is there, and says whether the piece is whole.
func (p *piece) take(at int64, b []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.from + int64(len(p.bytes)) - at; known < int64(len(b)) {
		p.bytes = append(p.bytes, b[known:]...)
	}
	return int64(len(p.bytes)) >= p.to-p.from
}

// newTransport makes the connections of a Fetcher. It speaks HTTP/1.1 alone:
// with HTTP/2 all requests share one connection, and stand still together.
func newTransport() *http.Transport {
	protocols := &http.Protocols{}
	protocols.SetHTTP1(true)
	return &http.Transport{
		DialContext: dial, Protocols: protocols,
		MaxIdleConnsPerHost: idleConns, IdleConnTimeout: idleLimit, DisableCompression: true,
		TLSHandshakeTimeout: stallLimit, MaxResponseHeaderBytes: 16 << 10,
	}
}
