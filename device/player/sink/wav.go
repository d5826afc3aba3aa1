package sink

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/device/player"
)

const (
	// maxName bounds the file name made from a sounding's name.
	maxName = 120
	// maxCopies bounds the recordings that share a name.
	maxCopies = 99
	// headerEvery is how often the header of a growing recording is
	// rewritten: what a killed process leaves behind is short by less.
	headerEvery = media.SampleRate
)

type wav struct{ cfg Config }

func newWAV(cfg Config) (player.Opener, error) {
	if cfg.Dir == "" {
		return nil, errors.New("sink: kind wav needs a folder for its recordings")
	}
	return wav{cfg}, nil
}

func (w wav) Open(_ context.Context, name string) (player.Sink, error) {
	if err := os.MkdirAll(w.cfg.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("sink: recordings: %w", err)
	}
	t := &recording{dir: w.cfg.Dir, name: fileName(name)}
	return &paced{now: w.cfg.Now, buffer: frames(w.cfg.Buffer), tape: t}, nil
}

// fileName keeps of a name what every file system takes.
func fileName(name string) string {
	safe := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_', r == '.':
			return r
		}
		return '-'
	}, name)
	safe = strings.TrimLeft(safe[:min(len(safe), maxName)], ".")
	if safe == "" {
		return "sounding"
	}
	return safe
}

// recording is one WAV file (RIFF, 48 kHz, mono, 16 bit). Its INFO chunk holds
// the instant of the first sample, in nanoseconds, as ICRD. A process that is
// killed leaves a file that can be read: the header on disk is right up to the
// last full second at any time.
type recording struct {
	dir, name string
	file      *os.File
	first     time.Time
	frames    int64
	stated    int64 // frames that the header on disk states
	raw       []byte
	start     int64 // where the samples begin
}

// begin creates the file; an earlier recording is never written over.
func (t *recording) begin(first time.Time) error {
	t.first = first
	t.start = int64(len(t.header()))
	path := filepath.Join(t.dir, t.name+".wav")
	for n := 2; ; n++ {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
		if err == nil {
			t.file = f
			return t.state()
		}
		if !errors.Is(err, fs.ErrExist) || n > maxCopies {
			return fmt.Errorf("sink: record: %w", err)
		}
		path = filepath.Join(t.dir, fmt.Sprintf("%s-%d.wav", t.name, n))
	}
}

func (t *recording) record(samples []int16) error {
	t.raw = t.raw[:0]
	for _, v := range samples {
		t.raw = binary.LittleEndian.AppendUint16(t.raw, uint16(v))
	}
	if _, err := t.file.WriteAt(t.raw, t.start+2*t.frames); err != nil {
		return fmt.Errorf("sink: record: %w", err)
	}
	t.frames += int64(len(samples))
	if t.frames-t.stated >= headerEvery {
		return t.state()
	}
	return nil
}

func (t *recording) finish(played int64) error {
	if t.file == nil {
		return nil
	}
	t.frames = min(t.frames, played)
	err := t.file.Truncate(t.start + 2*t.frames)
	if err = errors.Join(err, t.state(), t.file.Close()); err != nil {
		return fmt.Errorf("sink: end the recording: %w", err)
	}
	return nil
}

// state writes the header for the frames recorded so far.
func (t *recording) state() error {
	if _, err := t.file.WriteAt(t.header(), 0); err != nil {
		return fmt.Errorf("sink: record: %w", err)
	}
	t.stated = t.frames
	return nil
}

// header is of the same size for any number of frames.
func (t *recording) header() []byte {
	const layout = "2006-01-02T15:04:05.000000000Z07:00"
	date := append([]byte(t.first.UTC().Format(layout)), 0)
	if len(date)%2 == 1 {
		date = append(date, 0)
	}
	info := chunk("LIST", append([]byte("INFO"), chunk("ICRD", date)...))
	format := binary.LittleEndian.AppendUint16(nil, 1) // PCM
	format = binary.LittleEndian.AppendUint16(format, 1)
	format = binary.LittleEndian.AppendUint32(format, media.SampleRate)
	format = binary.LittleEndian.AppendUint32(format, 2*media.SampleRate)
	format = binary.LittleEndian.AppendUint16(format, 2)
	format = binary.LittleEndian.AppendUint16(format, 16)
	body := bytes.Join([][]byte{[]byte("WAVE"), chunk("fmt ", format), info, []byte("data")}, nil)
	body = binary.LittleEndian.AppendUint32(body, uint32(2*t.frames))
	head := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(int64(len(body))+2*t.frames))
	return append(head, body...)
}

func chunk(id string, body []byte) []byte {
	return append(binary.LittleEndian.AppendUint32([]byte(id), uint32(len(body))), body...)
}
