package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// ErrPrivate: the address of a station is one of this house.
var ErrPrivate = errors.New("a private address; private = true in relays.toml lets it be one")

// containers are the kinds of streams that are understood, as ffmpeg calls them.
var containers = map[string]string{
	"audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/aac": "aac", "audio/aacp": "aac", "audio/x-aac": "aac",
	"audio/ogg": "ogg", "application/ogg": "ogg", "audio/opus": "ogg",
}

const (
	dialLimit   = 10 * time.Second
	headerLimit = 10 * time.Second
	// stallLimit ends a station that sends nothing.
	stallLimit   = 15 * time.Second
	maxRedirects = 3
)

// public refuses addresses of this machine and of private networks. It is asked
// about every address that is dialled, so no name and no redirect leads around it.
func public(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrPrivate, address)
	}
	ip := at.Addr().Unmap()
	shared := netip.MustParsePrefix("100.64.0.0/10") // RFC 6598
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || shared.Contains(ip) {
		return fmt.Errorf("%w: %s", ErrPrivate, ip)
	}
	return nil
}

// client makes the one connection of a pull.
func client(private bool) *http.Client {
	dialer := &net.Dialer{Timeout: dialLimit}
	if !private {
		dialer.Control = public
	}
	return &http.Client{
		Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true, TLSHandshakeTimeout: dialLimit,
			ResponseHeaderTimeout: headerLimit, MaxResponseHeaderBytes: 16 << 10},
		CheckRedirect: func(_ *http.Request, via []*http.Request) error {
			if len(via) > maxRedirects {
				return errors.New("too many redirects")
			}
			return nil
		},
	}
}

// fetch opens a station and says in which container its sound comes. Reading ends
// when nothing comes any more.
func fetch(ctx context.Context, s Station) (io.ReadCloser, string, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	if err != nil {
		cancel(nil)
		return nil, "", err
	}
	response, err := client(s.Private).Do(request)
	if err != nil {
		cancel(nil)
		return nil, "", err
	}
	kind, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type"))
	container := containers[kind]
	switch {
	case response.StatusCode != http.StatusOK:
		err = fmt.Errorf("it answers %.60q", response.Status)
	case container == "":
		err = fmt.Errorf("it sends %.60q: only MP3, AAC and Ogg are understood", response.Header.Get("Content-Type"))
	}
	if err != nil {
		cancel(nil)
		return nil, "", errors.Join(err, response.Body.Close())
	}
	stall := time.AfterFunc(stallLimit, func() { cancel(errors.New("it sends nothing")) })
	return &body{response.Body, stall, cancel}, container, nil
}

// body keeps the stall timer from running out.
type body struct {
	io.ReadCloser
	stall  *time.Timer
	cancel context.CancelCauseFunc
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.stall.Reset(stallLimit)
	}
	return n, err
}

func (b *body) Close() error {
	b.stall.Stop()
	b.cancel(nil)
	return b.ReadCloser.Close()
}
