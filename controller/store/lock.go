package store

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// LockName is the file in a data folder that says who serves it.
const LockName = "controller.lock"

// Lock makes sure that one controller serves a data folder, or sets one up in
// it: two would seal different manifests under one name. It does not wait. The
// lock ends with unlock or with the process; the file stays.
func Lock(dir string) (unlock func() error, err error) {
	path := filepath.Join(dir, LockName)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the data folder: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("data folder %s: another controller serves it; stop that one first", dir)
	}
	return f.Close, nil
}
