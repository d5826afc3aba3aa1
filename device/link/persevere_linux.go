package link

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// persevere has TCP repeat what was lost at a steady pace. Options that a kernel
// does not know are left out: longestPause needs Linux 6.15.
func persevere(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) {
		for option, value := range map[int]int{
			unix.TCP_THIN_LINEAR_TIMEOUTS: 1,
			unix.TCP_RTO_MAX_MS:           int(longestPause.Milliseconds()),
			unix.TCP_USER_TIMEOUT:         int(silentLimit.Milliseconds()),
		} {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, option, value)
		}
	})
}
