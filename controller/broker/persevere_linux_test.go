// Without this Go opens listeners for multipath TCP, as in a program that does not
// say so; see the main package of the controller.
//
//go:debug multipathtcp=0

package broker

import (
	"net"
	"os"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

func TestConnectionsOfNodesAreRepeatedAtASteadyPace(t *testing.T) {
	b := newEmbedded(t, everybody("n1"))
	_, service, err := net.SplitHostPort(b.addr())
	if err != nil {
		t.Fatal(err)
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, entry := range open {
		fd, err := strconv.Atoi(entry.Name())
		if err != nil || !listensAt(fd, service) {
			continue
		}
		found = true
		limit, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT)
		if err != nil || limit != int(silentLimit.Milliseconds()) {
			t.Errorf("a connection is given up after %d ms (%v), want %v", limit, err, silentLimit)
		}
		if steady, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_THIN_LINEAR_TIMEOUTS); err != nil || steady != 1 {
			t.Errorf("pauses grow: %d (%v)", steady, err)
		}
	}
	if !found {
		t.Error("the broker listens nowhere")
	}
	if err := persevereAt("127.0.0.1:1"); err == nil {
		t.Error("a listener was found where none is")
	}
}
