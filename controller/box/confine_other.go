//go:build unix && !linux

package box

import "syscall"

// OwnInput is standard input as a path that can be sought in.
const OwnInput = "file:/dev/fd/0"

// confinements knows process groups only: the protocols that ffmpeg is allowed remain the one
// barrier to the network.
func confinements() []confined {
	return []confined{{
		confinement: func() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} },
		lacks:       "a network namespace: this system has none",
	}}
}
