package app

import (
	"net"
	"sync"
)

// maxConnections bounds what may be connected for HTTP at once. Without a bound
// strangers could use up the open files of the process, which the database and
// the broker need in an emergency. A node fetches what is urgent over a dozen
// connections: a district of 345 takes 4,140 for a moment, and people come beside.
const maxConnections = 8192

// boundedListener accepts a connection only when one of its places is free.
type boundedListener struct {
	net.Listener
	places chan struct{}
	closed chan struct{}
	once   sync.Once
}

func bounded(l net.Listener, most int) net.Listener {
	return &boundedListener{Listener: l, places: make(chan struct{}, most), closed: make(chan struct{})}
}

// Accept waits for a free place, then for a connection.
func (l *boundedListener) Accept() (net.Conn, error) {
	select {
	case l.places <- struct{}{}:
	case <-l.closed:
		return nil, net.ErrClosed
	}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.places
		return nil, err
	}
	return &placedConn{Conn: c, leave: sync.OnceFunc(func() { <-l.places })}, nil
}

// Close ends a waiting Accept, too.
func (l *boundedListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// placedConn gives its place back when it is closed.
type placedConn struct {
	net.Conn
	leave func()
}

// Close closes the connection and frees its place.
func (c *placedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
