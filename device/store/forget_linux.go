package store

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// osFile is a file of the machine.
type osFile struct{ *os.File }

// forget has the kernel give up what it remembers of the file, so that the next
// reading is one of the medium. It may refuse; then memory answers.
func (f osFile) forget() {
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { _ = unix.Fadvise(int(fd), 0, 0, unix.FADV_DONTNEED) })
	runtime.KeepAlive(f)
}
