package app

import (
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// lock makes sure that one controller serves a data folder: two would seal
// different manifests under one name. The lock ends with the process.
func lock(dir string) (unlock func() error, err error) {
	path := filepath.Join(dir, "controller.lock")
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
