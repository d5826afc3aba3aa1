package doorstep

import (
	"net"
	"sync"
	"time"
)

// ration is how many requests are answered in a minute, whoever asks: on a LAN
// anybody can bear any address.
type ration struct {
	mu    sync.Mutex
	began time.Time
	taken int
}

func (r *ration) take(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.began) >= time.Minute {
		r.began, r.taken = now, 0
	}
	r.taken++
	return r.taken <= perMinute
}

// connections is how many may be open at a time; more wait in the kernel.
const connections = 16

// bounded is a listener that accepts only so many.
type bounded struct {
	net.Listener
	places chan struct{}
}

func limited(l net.Listener) net.Listener {
	return bounded{l, make(chan struct{}, connections)}
}

// Accept waits for a connection and for a place.
func (b bounded) Accept() (net.Conn, error) {
	conn, err := b.Listener.Accept()
	if err != nil {
		return nil, err
	}
	b.places <- struct{}{} // slow ones end by their deadlines
	return &placed{Conn: conn, leave: sync.OnceFunc(func() { <-b.places })}, nil
}

// placed gives its place back when it is closed.
type placed struct {
	net.Conn
	leave func()
}

// Close closes the connection.
func (p *placed) Close() error {
	p.leave()
	return p.Conn.Close()
}
