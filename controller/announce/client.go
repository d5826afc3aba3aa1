package announce

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/loaxa/loaxa/controller/api"
)

// Pauses between attempts of one request; after the last it is given up.
var pauses = []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second}

// maxAnswer bounds an answer in bytes.
const maxAnswer = 16 << 20

// client speaks to one controller.
type client struct {
	base  string
	http  *http.Client
	after func(time.Duration) <-chan time.Time
	// waiting is told before a pause.
	waiting func(err error, pause time.Duration)
}

// request is one request that may be sent several times.
type request struct {
	method, path, token, key string
	// body makes the body anew for every attempt, with its media type.
	body func() (io.ReadCloser, string, error)
}

// errTransient marks what may go better the next time.
var errTransient = errors.New("the line to the controller failed")

// do sends a request until it is answered and reads the answer into out.
func (c *client) do(ctx context.Context, r request, out any) error {
	for _, pause := range pauses {
		err := c.once(ctx, r, out)
		if err == nil || !errors.Is(err, errTransient) || ctx.Err() != nil {
			return err
		}
		c.waiting(err, pause)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.after(pause):
		}
	}
	return c.once(ctx, r, out)
}

func (c *client) once(ctx context.Context, r request, out any) error {
	var body io.ReadCloser = http.NoBody
	media := ""
	if r.body != nil {
		var err error
		if body, media, err = r.body(); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	req.Header.Set("Accept", "application/json")
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	if r.key != "" {
		req.Header.Set("Idempotency-Key", r.key)
	}
	answer, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%w: is it running at %s? %w", errTransient, c.base, err)
	}
	defer func() { _ = answer.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%w: %w", errTransient, err)
	}
	return read(answer, b, out)
}

// read turns an answer into a value or a problem.
func read(answer *http.Response, b []byte, out any) error {
	if answer.StatusCode < 300 {
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

// post sends a JSON body.
func (c *client) post(ctx context.Context, token, key, path string, in, out any) error {
	b, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return c.do(ctx, request{method: "POST", path: path, token: token, key: key, body: func() (io.ReadCloser, string, error) {
		return io.NopCloser(bytes.NewReader(b)), "application/json", nil
	}}, out)
}

func (c *client) get(ctx context.Context, token, path string, out any) error {
	return c.do(ctx, request{method: "GET", path: path, token: token}, out)
}
