package lease

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// maxClients bounds the connections. One more takes the place of the
	// oldest that holds nothing, so idle strangers never lock the daemon out.
	maxClients = 8
	// answerWithin bounds the writing of an answer to a client that does not read.
	answerWithin = time.Second
)

// Listen makes the guard's socket at path, readable by its owner and group
// only. A socket file left by a guard that died is replaced; one that answers
// is an error, because two guards must never serve one relay.
func Listen(path string) (*net.UnixListener, error) {
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		c.Close()
		return nil, fmt.Errorf("socket %s: another guard answers there: stop it first", path)
	}
	if info, err := os.Lstat(path); err == nil {
		if info.Mode()&os.ModeSocket == 0 {
			return nil, fmt.Errorf("socket %s: a file that is no socket is in the way: remove it or choose another path", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("socket %s: remove the old one: %w", path, err)
		}
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("socket: %w (does the folder %s exist?)", err, filepath.Dir(path))
	}
	if err := os.Chmod(path, 0o660); err != nil {
		return nil, errors.Join(fmt.Errorf("socket %s: %w", path, err), l.Close())
	}
	return l, nil
}

// Server lets processes hold leases of one Keeper. Each connection is a Tenant;
// when it ends, for whatever reason, what it held is opened at once.
type Server struct {
	listener net.Listener
	keeper   *Keeper
	log      *slog.Logger

	mu      sync.Mutex
	clients []*client // oldest first
	over    bool
}

// client is one connection and the tenant behind it.
type client struct {
	conn   net.Conn
	tenant *Tenant
}

// NewServer serves keeper on listener once Serve is called.
func NewServer(listener net.Listener, keeper *Keeper, log *slog.Logger) *Server {
	return &Server{listener: listener, keeper: keeper, log: log}
}

// Serve answers until ctx ends or the socket fails. When it returns, every
// connection is closed and the keeper is stopped: the line is open.
func (s *Server) Serve(ctx context.Context) error {
	var group sync.WaitGroup
	defer group.Wait()
	defer s.hangUp()
	defer context.AfterFunc(ctx, func() { s.listener.Close() })()
	for {
		conn, err := s.listener.Accept()
		if ctx.Err() != nil {
			return s.keeper.Stop()
		}
		if err != nil {
			return errors.Join(fmt.Errorf("accept: %w", err), s.keeper.Stop())
		}
		c := &client{conn: conn, tenant: s.keeper.Tenant()}
		s.admit(c)
		group.Go(func() { s.serve(c) })
	}
}

// serve answers one client. Should anything here panic, the line is opened
// before the process falls.
func (s *Server) serve(c *client) {
	clean := false
	defer func() {
		if !clean {
			_ = s.keeper.Stop() // the panic that follows tells the cause
		}
	}()
	err := s.converse(c)
	c.conn.Close()
	s.forget(c)
	if errors.Is(err, errFrame) {
		s.log.Warn("client dropped", "err", err)
	}
	if err := c.tenant.leave(); err != nil {
		s.log.Error("client left, the line does not open", "err", err)
	}
	clean = true
}

// converse reads requests and answers them until the connection ends.
func (s *Server) converse(c *client) error {
	in := frameReader(c.conn)
	for {
		if err := s.exchange(c, in); err != nil {
			return err
		}
	}
}

// exchange is one request and its answer.
func (s *Server) exchange(c *client, in *bufio.Reader) error {
	var q request
	if err := readFrame(in, &q); err != nil {
		return err
	}
	var a answer
	switch q.Do {
	case doRenew:
		a = answerOf(c.tenant.Renew(context.Background(), Lease{Phase: q.Phase, Frames: q.Frames}))
	case doRelease:
		a = answerOf(c.tenant.Release(context.Background()))
	case doLook:
		seen := s.keeper.Sight()
		a = answer{OK: true, Closed: seen.Closed, Fault: seen.Fault}
	default:
		return fmt.Errorf("%w: unknown request %q", errFrame, cut(q.Do))
	}
	if err := c.conn.SetWriteDeadline(time.Now().Add(answerWithin)); err != nil {
		return err
	}
	return writeFrame(c.conn, a)
}

// admit makes room for c and notes it.
func (s *Server) admit(c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		c.conn.Close()
		return
	}
	if len(s.clients) >= maxClients {
		for i, old := range s.clients {
			if !s.keeper.holds(old.tenant.id) {
				old.conn.Close()
				s.clients = append(s.clients[:i], s.clients[i+1:]...)
				s.log.Warn("too many clients: the oldest idle one was dropped", "limit", maxClients)
				break
			}
		}
	}
	s.clients = append(s.clients, c)
}

func (s *Server) forget(c *client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, other := range s.clients {
		if other == c {
			s.clients = append(s.clients[:i], s.clients[i+1:]...)
			return
		}
	}
}

// hangUp ends every connection.
func (s *Server) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	for _, c := range s.clients {
		c.conn.Close()
	}
}

// holds says whether the line is closed for holder.
func (k *Keeper) holds(holder uint64) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.term.closed && k.term.holder == holder
}
