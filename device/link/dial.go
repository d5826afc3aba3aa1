package link

import (
	"context"
	"net"
	"sync"
	"time"
)

// dialPatience is how long a connection may take until another is tried beside
// it: what opens one costs 60 bytes, and when that is lost TCP repeats it after a
// second at the earliest.
const dialPatience = 250 * time.Millisecond

// Over a bad line TCP waits twice as long after each loss, for minutes in the
// end. A message that was lost thrice shall not come a minute late.
const (
	// longestPause lies between two repetitions, above what a slow line takes
	// there and back.
	longestPause = 3 * time.Second
	// silentLimit is when TCP gives a connection up whose other side confirms
	// nothing; MQTT notices as soon when nothing is sent.
	silentLimit = keepAlive + pingTimeout
)

// dial connects over TCP.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	// MQTT asks whether the other side is there; TCP asking as well would cost
	// 3 MB a month more.
	dialer := net.Dialer{KeepAlive: -1, Control: persevere}
	var first net.Conn
	var mu sync.Mutex
	err := hedge(ctx, func() time.Duration { return dialPatience }, func(ctx context.Context, _ int, _ func()) error {
		conn, err := dialer.DialContext(ctx, network, address)
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil:
			return err
		case first != nil:
			return conn.Close()
		}
		first = conn
		return nil
	})
	if err != nil {
		return nil, err
	}
	return first, nil
}
