// Package remote speaks to a running controller over its HTTP interface, for the
// commands that people type.
//
// It promises that an answer is either read whole or an error that says what to
// do next: a problem of the controller comes back as *api.Problem, word for
// word. What failed on the way is tried again for some seconds; what the
// controller refused is not.
package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/loaxa/loaxa/controller/api"
)

// Pauses between attempts of one request; after the last it is given up.
var pauses = []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}

// maxAnswer bounds an answer in bytes.
const maxAnswer = 16 << 20

// Client speaks to one controller. All of it is needed.
type Client struct {
	// Base is its address without a slash at the end.
	Base string
	HTTP *http.Client
	// After is time.After, unless a test has no time.
	After func(time.Duration) <-chan time.Time
	// Waiting is told before a pause.
	Waiting func(err error, pause time.Duration)
}

// Address returns the address of a controller as a Client takes it, or what is
// wrong with the one that somebody gave.
func Address(given string) (string, error) {
	u, err := url.Parse(given)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return "", fmt.Errorf("--controller %q: use an address such as http://localhost:8080", given)
	}
	return strings.TrimRight(given, "/"), nil
}

// Request is one request that may be sent several times.
type Request struct {
	Method, Path string
	// Token is the person's own; Key, if not empty, the Idempotency-Key.
	Token, Key string
	// Body makes the body anew for every attempt, with its media type; nil for none.
	Body func() (io.ReadCloser, string, error)
}

// errTransient marks what may go better the next time.
var errTransient = errors.New("the line to the controller failed")

// Do sends a request until it is answered and reads the answer into out.
func (c *Client) Do(ctx context.Context, r Request, out any) error {
	for _, pause := range pauses {
		err := c.once(ctx, r, out)
		if err == nil || !errors.Is(err, errTransient) || ctx.Err() != nil {
			return err
		}
		c.Waiting(err, pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.After(pause):
		}
	}
	return c.once(ctx, r, out)
}

func (c *Client) once(ctx context.Context, r Request, out any) error {
	answer, err := c.send(ctx, r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%w: %w", errTransient, err)
	}
	return read(answer, b, out)
}

// send sends a request once; the answer's body is for the caller to close.
func (c *Client) send(ctx context.Context, r Request) (*http.Response, error) {
	var body io.ReadCloser = http.NoBody
	media := ""
	if r.Body != nil {
		var err error
		if body, media, err = r.Body(); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, r.Method, c.Base+r.Path, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+r.Token)
	req.Header.Set("Accept", "application/json")
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	if r.Key != "" {
		req.Header.Set("Idempotency-Key", r.Key)
	}
	answer, err := c.HTTP.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: is it running at %s? %w", errTransient, c.Base, err)
	}
	return answer, nil
}

// Download streams an answer that is no JSON, once, and returns what followed
// its last byte. An error leaves a part of it in w.
func (c *Client) Download(ctx context.Context, token, path string, w io.Writer) (trailer http.Header, err error) {
	answer, err := c.send(ctx, Request{Method: "GET", Path: path, Token: token})
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode >= 300 {
		b, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errTransient, err)
		}
		return nil, read(answer, b, nil)
	}
	if _, err := io.Copy(w, answer.Body); err != nil {
		return nil, fmt.Errorf("%w: %w", errTransient, err)
	}
	return answer.Trailer, nil
}

// read turns an answer into a value or a problem.
func read(answer *http.Response, b []byte, out any) error {
	if answer.StatusCode < 300 {
		if out == nil || answer.StatusCode == http.StatusNoContent {
			return nil
		}
		if err := json.Unmarshal(b, out); err != nil {
			return fmt.Errorf("the answer is not that of a Loaxa controller; check --controller: %w", err)
		}
		return nil
	}
	p := &api.Problem{}
	if !strings.HasPrefix(answer.Header.Get("Content-Type"), "application/problem+json") || json.Unmarshal(b, p) != nil {
		p = &api.Problem{Status: answer.StatusCode, Code: "http", Detail: answer.Status + "; check --controller"}
	}
	switch answer.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return fmt.Errorf("%w: %w", errTransient, p)
	}
	return p
}

// Post sends a JSON body.
func (c *Client) Post(ctx context.Context, token, key, path string, in, out any) error {
	return c.write(ctx, Request{Method: "POST", Path: path, Token: token, Key: key}, in, out)
}

// Put sends a JSON body in place of what is there; it may be sent twice.
func (c *Client) Put(ctx context.Context, token, path string, in, out any) error {
	return c.write(ctx, Request{Method: "PUT", Path: path, Token: token}, in, out)
}

// write is Do with a JSON body.
func (c *Client) write(ctx context.Context, r Request, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	r.Body = func() (io.ReadCloser, string, error) {
		return io.NopCloser(bytes.NewReader(b)), "application/json", nil
	}
	return c.Do(ctx, r, out)
}

// Get asks for something.
func (c *Client) Get(ctx context.Context, token, path string, out any) error {
	return c.Do(ctx, Request{Method: "GET", Path: path, Token: token}, out)
}

// Delete ends something.
func (c *Client) Delete(ctx context.Context, token, path string) error {
	return c.Do(ctx, Request{Method: "DELETE", Path: path, Token: token}, nil)
}
