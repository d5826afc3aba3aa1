package sim

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/loaxa/loaxa/device/board"
	"github.com/loaxa/loaxa/device/panel"
	"github.com/loaxa/loaxa/device/speech"
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

// Microphone is that of a simulated box: it hears the WAV file "microphone.wav" in
// its folder, 48 kHz, mono and 16 bit, over and over.
func Microphone(dir string) speech.Source {
	return speech.Tape{Load: func() ([]int16, error) {
		raw, err := os.ReadFile(filepath.Join(dir, "microphone.wav"))
		if err != nil {
			return nil, err
		}
		at := bytes.Index(raw, []byte("data"))
		if at < 0 || at+8 > len(raw) {
			return nil, errors.New("microphone.wav is no WAV file")
		}
		pcm := make([]int16, len(raw[at+8:])/2)
		for i := range pcm {
			pcm[i] = int16(binary.LittleEndian.Uint16(raw[at+8+2*i:]))
		}
		return pcm, nil
	}}
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
