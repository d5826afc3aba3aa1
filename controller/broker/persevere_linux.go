package broker

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Persevere has TCP, at every connection that a listener accepts, repeat what was
// lost at a steady pace. It is the Control of a net.ListenConfig without
// multipath TCP, which knows none of this. Options that a kernel does not know are
// left out: longestPause needs Linux 6.15.
func Persevere(_, _ string, c syscall.RawConn) error { return c.Control(persevere) }

func persevere(fd uintptr) {
	for option, value := range map[int]int{
		unix.TCP_THIN_LINEAR_TIMEOUTS: 1,
		unix.TCP_RTO_MAX_MS:           int(longestPause.Milliseconds()),
		unix.TCP_USER_TIMEOUT:         int(silentLimit.Milliseconds()),
	} {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, option, value)
	}
}

// persevereAt is Persevere for the listener of this process at an address. The
// server opens that one itself and shows it to nobody.
func persevereAt(addr string) error {
	_, service, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	open, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, entry := range open {
		fd, err := strconv.Atoi(entry.Name())
		if err == nil && listensAt(fd, service) {
			persevere(uintptr(fd))
			return nil
		}
	}
	return fmt.Errorf("no listener at %s", addr)
}

func listensAt(fd int, service string) bool {
	listens, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ACCEPTCONN)
	if err != nil || listens == 0 {
		return false
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		return false
	}
	switch at := name.(type) {
	case *unix.SockaddrInet4:
		return strconv.Itoa(at.Port) == service
	case *unix.SockaddrInet6:
		return strconv.Itoa(at.Port) == service
	}
	return false
}
