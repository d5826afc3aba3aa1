// Package trial tells whether a new version of a card's programs holds.
//
// What always holds: a version on trial is good only after it has run for Holds
// without a break, and then its record goes; until the record goes, a program of
// another version, or one that started more often than Tries, is an update that
// failed. Nothing is installed, started or taken back here, and nothing that is
// wrong with the record keeps the node from running.
//
// How: whoever updates a card puts the record (File) into the data folder before
// the first start of the new version. Each start of that version counts itself in,
// unless the card takes nothing.
package trial

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

const (
	// File is the record's name in the data folder.
	File = "on-trial.json"
	// Holds is how long a version runs without a break before it is good.
	Holds = 10 * time.Minute
	// Tries is how often it may start until then.
	Tries = 3

	maxRecord = 4 << 10 // bytes
)

// Record is what is on trial.
type Record struct {
	// Version is the one that the programs of the update name.
	Version string `json:"version"`
	// Starts is how often it was started; whoever updates writes 0.
	Starts int `json:"starts"`
}

// Trial is the judgement over the record of one data folder.
type Trial struct {
	path, running string
}

// Begin counts this start of a running version in, if that is on trial. Its error
// says that the record could not be read or counted; the trial is usable all the
// same.
func Begin(dir, running string) (Trial, error) {
	t := Trial{filepath.Join(dir, File), running}
	r, err := t.read()
	if err != nil || r == nil || r.Version != running {
		return t, err
	}
	r.Starts++
	return t, t.write(*r)
}

// See says that the update failed; nil if none is known to have, as with a record
// that cannot be read: that is told by Begin.
func (t Trial) See() error {
	r, err := t.read()
	switch {
	case err != nil || r == nil:
		return nil
	case r.Version != t.running:
		return fmt.Errorf("version %s was put on trial and %s runs: it was taken back, or never started", r.Version, t.running)
	case r.Starts > Tries:
		return fmt.Errorf("version %s started %d times and never ran for %v", r.Version, r.Starts, Holds)
	}
	return nil
}

// Serve ends the trial of the running version once it has held, and returns; it
// returns the cause of ctx if that ends first, and what kept the record there.
func (t Trial) Serve(ctx context.Context) error {
	timer := time.NewTimer(Holds)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
	}
	r, err := t.read()
	if err != nil || r == nil || r.Version != t.running {
		return err
	}
	return os.Remove(t.path)
}

// read returns nil for no record.
func (t Trial) read() (*Record, error) {
	f, err := os.Open(t.path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("trial: %w", err)
	}
	defer func() { _ = f.Close() }() // opened for reading
	raw, err := io.ReadAll(io.LimitReader(f, maxRecord+1))
	if err != nil {
		return nil, fmt.Errorf("trial: %w", err)
	}
	var r Record
	if err := json.Unmarshal(raw, &r); err != nil || len(raw) > maxRecord || r.Version == "" || r.Starts < 0 {
		return nil, fmt.Errorf("trial: %s says nothing that can be read: update the card again, or delete the file", t.path)
	}
	return &r, nil
}

// write replaces the record, whole or not at all.
func (t Trial) write(r Record) error {
	raw, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("trial: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(t.path), ".on-trial-*")
	if err != nil {
		return fmt.Errorf("trial: %w", err)
	}
	_, err = f.Write(raw)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), t.path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the record of before stands
		return fmt.Errorf("trial: %w", err)
	}
	return nil
}
