package line

import (
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"
)

// stamp is RFC 3339 with all nine digits, so that lines sort as text.
const stamp = "2006-01-02T15:04:05.000000000Z07:00"

// edge is one line of the file.
type edge struct {
	At     string `json:"at"`
	Closed bool   `json:"closed"`
}

// File is the relay of a simulated node. Each change is one JSON object on one
// line, {"at":RFC 3339 in UTC with nanoseconds,"closed":bool}, written in one
// piece before Set returns. The first line says that the relay is open: like a
// real one it may have stayed closed when its last owner died. Setting what is
// already set writes nothing.
type File struct {
	now func() time.Time

	mu     sync.Mutex
	file   *os.File
	closed bool
}

// OpenFile appends to the file at path, making it if need be, and opens the
// relay.
func OpenFile(path string, now func() time.Time) (*File, error) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("simulated relay: %w", err)
	}
	f := &File{now: now, file: file}
	if err := f.write(false); err != nil {
		file.Close()
		return nil, err
	}
	return f, nil
}

// Set closes or opens the relay and records the edge. When the edge cannot be
// recorded, the relay did not move.
func (f *File) Set(closed bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if closed == f.closed {
		return nil
	}
	return f.write(closed)
}

// Close opens the relay and closes the file.
func (f *File) Close() error {
	if err := f.Set(false); err != nil {
		f.file.Close()
		return err
	}
	if err := f.file.Close(); err != nil {
		return fmt.Errorf("simulated relay: %w", err)
	}
	return nil
}

func (f *File) write(closed bool) error {
	b, err := json.Marshal(edge{At: f.now().UTC().Format(stamp), Closed: closed})
	if err != nil {
		return fmt.Errorf("simulated relay: %w", err)
	}
	if _, err := f.file.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("simulated relay: %w", err)
	}
	f.closed = closed
	return nil
}
