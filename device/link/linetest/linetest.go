// Package linetest puts programs on the two ends of a bad line.
//
// What always holds: each end has a network of its own, which holds nothing but
// this line and a loopback, so nothing that runs there can reach anything else;
// and what the line does to a packet follows from its seed and its weather,
// which can change while programs talk. It needs no right that an ordinary
// account on Linux lacks, where such accounts may make user namespaces.
//
// How: the test starts itself once more for each end (see Main). That process
// makes a TUN device in its new network namespace, hands it to the test and
// starts the program. The test carries the packets between the two devices,
// late, at a rate, or not at all.
package linetest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The addresses of the two ends.
const (
	Office  = "10.98.0.1"
	Village = "10.98.0.2"
)

// Weather is what a line does to every packet, each way.
type Weather struct {
	// Loss is the share of packets that are lost, from 0 to 1; at 1 the line is
	// dead and nobody is told.
	Loss float64
	// Delay is the time from end to end.
	Delay time.Duration
	// Rate is in bits a second; 0 means without bound. Up to two seconds of
	// packets wait, the rest is lost, as in the queue of a modem.
	Rate int64
}

// Line joins two ends.
type Line struct {
	testing.TB
	dir     string
	weather atomic.Pointer[Weather]
	devices [2]chan *os.File
	over    chan struct{}
}

// New makes a line without any trouble.
func New(t testing.TB, seed uint64) *Line {
	t.Helper()
	dir, err := os.MkdirTemp("", "line-") // short: a socket's path may have 107 characters
	if err != nil {
		t.Fatal(err)
	}
	l := &Line{TB: t, dir: dir, devices: [2]chan *os.File{make(chan *os.File, 1), make(chan *os.File, 1)},
		over: make(chan struct{})}
	l.Turn(Weather{})
	t.Cleanup(func() {
		close(l.over)
		_ = os.RemoveAll(dir)
	})
	t.Logf("the line has seed %d", seed)
	go l.carry(seed)
	return l
}

// Turn changes the weather for packets from now on.
func (l *Line) Turn(w Weather) { l.weather.Store(&w) }

// Command is a program at one of the two addresses, to be started by the caller
// once. It gives the command of the process that makes the network and then
// runs the program as its child; killing its process group kills both.
func (l *Line) Command(address, program string, args ...string) *exec.Cmd {
	l.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		l.Fatal(err)
	}
	mine, theirs := os.NewFile(uintptr(pair[0]), "device"), os.NewFile(uintptr(pair[1]), "device")
	cmd := exec.Command("/proc/self/exe", append([]string{program}, args...)...)
	cmd.Env = append(os.Environ(), variable+"="+address+","+l.socket(address))
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid: true, Pdeathsig: syscall.SIGKILL, Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	at := 0
	if address == Village {
		at = 1
	}
	go l.receive(at, mine, theirs)
	return cmd
}

// socket is where programs outside reach servers inside of an end.
func (l *Line) socket(address string) string { return filepath.Join(l.dir, address) }

// Dial connects to a server of one end from outside, past the line: the test
// itself stands in neither network.
func (l *Line) Dial(ctx context.Context, hostport string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		return nil, err
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "unix", l.socket(host))
	if err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(c, "%s\n", hostport); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}
