package lease

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// callWithin bounds one exchange with the guard. It is shorter than the
// default expiry: a guard that does not answer has lost the lease anyway.
const callWithin = time.Second

// Client is a holder of leases in another process than the guard. It connects
// when it is first needed and again after an error; a broken connection means
// that the guard has opened the line. It may be used by several goroutines,
// one exchange at a time.
type Client struct {
	path string
	turn chan struct{}

	conn net.Conn
	in   *bufio.Reader
}

// NewClient speaks to the guard whose socket is at path. It connects to
// nothing yet.
func NewClient(path string) *Client {
	return &Client{path: path, turn: make(chan struct{}, 1)}
}

// Renew asks the guard to begin or continue a lease. A *Refusal is the guard's
// answer; any other error means that the guard could not be asked, and the
// connection, with whatever it held, is gone.
func (c *Client) Renew(ctx context.Context, l Lease) error {
	_, err := c.call(ctx, request{Do: doRenew, Phase: l.Phase, Frames: l.Frames}, true)
	return err
}

// Release opens the line if this client holds it. Without a connection there
// is nothing to release.
func (c *Client) Release(ctx context.Context) error {
	_, err := c.call(ctx, request{Do: doRelease}, false)
	return err
}

// Look asks what the guard sees of its relay. It moves nothing. An error means
// that the guard could not be asked, and that any lease is gone with it.
func (c *Client) Look(ctx context.Context) (Sight, error) {
	a, err := c.call(ctx, request{Do: doLook}, true)
	return Sight{Closed: a.Closed, Fault: a.Fault}, err
}

// Close hangs up: the guard opens the line if this client held it. The client
// may be used again afterwards.
func (c *Client) Close() error {
	c.turn <- struct{}{}
	defer func() { <-c.turn }()
	return c.hangUp()
}

// call makes one exchange, connecting first if it may.
func (c *Client) call(ctx context.Context, q request, connect bool) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return answer{}, fmt.Errorf("guard: %w", ctx.Err())
	}
	if c.conn == nil && !connect {
		return answer{}, nil
	}
	a, err := c.exchange(ctx, q)
	if err != nil {
		return answer{}, fmt.Errorf("guard at %s: %w", c.path, errors.Join(err, c.hangUp()))
	}
	return a, a.err()
}

// exchange sends q and reads the answer. Any error leaves the connection
// unusable.
func (c *Client) exchange(ctx context.Context, q request) (answer, error) {
	if c.conn == nil {
		conn, err := new(net.Dialer).DialContext(ctx, "unix", c.path)
		if err != nil {
			return answer{}, fmt.Errorf("%w (is loaxa-guard running?)", err)
		}
		c.conn, c.in = conn, frameReader(conn)
	}
	deadline, _ := ctx.Deadline()
	if err := c.conn.SetDeadline(deadline); err != nil {
		return answer{}, err
	}
	if err := writeFrame(c.conn, q); err != nil {
		return answer{}, err
	}
	var a answer
	if err := readFrame(c.in, &a); err != nil {
		return answer{}, fmt.Errorf("read answer: %w", err)
	}
	return a, nil
}

func (c *Client) hangUp() error {
	if c.conn == nil {
		return nil
	}
	err := c.conn.Close()
	c.conn, c.in = nil, nil
	return err
}
