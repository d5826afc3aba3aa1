package sim

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/loaxa/loaxa/device/board"
	"github.com/loaxa/loaxa/device/panel"
)

// Box makes what can be measured and pressed on a simulated board, in a folder:
// one file for each sensor, with the mains on, a full battery and a cool box to
// begin with, and the pipe "inputs" for buttons and keypads (see panel.Pipe). What is
// there already stays as it is. The pipe is for the caller to Serve.
func Box(dir string, p board.Profile) (*panel.Pipe, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("simulated box: %w", err)
	}
	for _, s := range p.Sensors {
		if err := begin(filepath.Join(dir, s.Path), normal(p, s)/s.Scale); err != nil {
			return nil, fmt.Errorf("simulated box: sensor %s: %w", s.Name, err)
		}
	}
	return panel.OpenPipe(filepath.Join(dir, "inputs"), p.Inputs...)
}

// normal is what a sensor shows on a good day.
func normal(p board.Profile, s board.Sensor) float64 {
	switch s.Kind {
	case board.Mains:
		return 1
	case board.Voltage:
		return p.Power.Full() + 0.8 // a charger feeds
	case board.Temperature:
		return 35
	}
	return 0
}

// begin writes a number into a file that is not there.
func begin(path string, v float64) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if os.IsExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%.1f\n", v)
	if closing := f.Close(); err == nil {
		err = closing
	}
	return err
}
