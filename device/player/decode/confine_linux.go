package decode

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// growth is the address space that the child may add to what the runtime
	// holds at its start. Decoding needs none of it; the room is for thread
	// stacks.
	growth = 96 << 20
	// spareCPU is what the child may use beyond the length of the sound, in
	// processor seconds: its own start and the survey of the file.
	spareCPU = 20
)

// confine makes the process harmless, in an order in which each step is still
// allowed to be made.
func confine() error {
	// A timer makes the runtime open its poll descriptors while it still may.
	<-time.After(time.Nanosecond)
	held, err := addressSpace()
	if err != nil {
		return fmt.Errorf("decode: read own size: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("decode: give up privileges: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0, 0, 0); err != nil {
		return fmt.Errorf("decode: tie to the parent: %w", err)
	}
	// Where memory runs out the kernel takes this process, not the daemon. A
	// kernel that offers no choice is no reason to stay silent.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0)
	limits := []struct {
		what     string
		resource int
		limit    uint64
	}{
		{"core dumps", unix.RLIMIT_CORE, 0},
		{"file size", unix.RLIMIT_FSIZE, 0},
		{"processor time", unix.RLIMIT_CPU, spareCPU + maxSamples/rate},
		{"memory", unix.RLIMIT_AS, held + growth},
		{"open files", unix.RLIMIT_NOFILE, 0},
	}
	for _, l := range limits {
		if err := unix.Setrlimit(l.resource, &unix.Rlimit{Cur: l.limit, Max: l.limit}); err != nil {
			return fmt.Errorf("decode: limit %s: %w", l.what, err)
		}
	}
	return nil
}

// allowCPU lowers the processor limit to what decoding n samples may cost:
// never slower than the sound itself, since such a board could not play it.
func allowCPU(n int64) error {
	limit := uint64(spareCPU + n/rate)
	if err := unix.Setrlimit(unix.RLIMIT_CPU, &unix.Rlimit{Cur: limit, Max: limit}); err != nil {
		return fmt.Errorf("decode: limit processor time: %w", err)
	}
	return nil
}

// addressSpace is the size of this process in bytes (proc(5), statm).
func addressSpace() (uint64, error) {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, err
	}
	var pages uint64
	if _, err := fmt.Sscan(string(b), &pages); err != nil {
		return 0, err
	}
	return pages * uint64(os.Getpagesize()), nil
}

// apart keeps the terminal's interrupt away from the child: the player fades
// out first and then ends it.
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// widen gives the pipe room for two and a half seconds of samples, so that a
// busy moment of the machine is not heard. The kernel may refuse; 64 KiB
// remain then.
func widen(pipe *os.File) {
	raw, err := pipe.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, pipeBytes) })
	runtime.KeepAlive(pipe)
}
