package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// feedEvery lies well within the shortest time-out of the watchdogs of our
// boards (15 s).
const feedEvery = 4 * time.Second

// feed keeps the hardware watchdog at path quiet for as long as alive answers,
// and disarms it when ctx ends. A guard that hangs stops feeding, and the
// board restarts with the relay open. An empty path means no watchdog.
func feed(ctx context.Context, path string, alive func()) error {
	if path == "" {
		<-ctx.Done()
		return nil
	}
	dog, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("watchdog: %w (does another program feed it?)", err)
	}
	tick := time.NewTicker(feedEvery)
	defer tick.Stop()
	for {
		alive()
		if _, err := dog.WriteString("."); err != nil {
			return errors.Join(fmt.Errorf("watchdog: feed: %w", err), dog.Close())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return disarm(dog)
		}
	}
}

// disarm tells the driver that the end is meant: without this letter closing
// the device restarts the board.
func disarm(dog *os.File) error {
	_, err := dog.WriteString("V")
	if err := errors.Join(err, dog.Close()); err != nil {
		return fmt.Errorf("watchdog: disarm: %w", err)
	}
	return nil
}
