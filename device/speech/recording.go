package speech

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
)

const (
	rate   = media.VoiceRate
	header = media.VoiceHeader
	// syncEvery is how much of a speech the power may take.
	syncEvery = 2 * time.Second
	// waiting is how many blocks wait for a card that hangs: 20 s.
	waiting = 1000
	// patience is how long the end of a speech waits for the card.
	patience = 5 * time.Second
	// readiness is how long its beginning does: somebody stands there.
	readiness = time.Second
	// room is what all recordings may take: more than half an hour.
	room = 64 << 20
)

var errHangs = errors.New("the card does not begin a recording")

var errFull = errors.New("no room for another recording: the older ones are not due to go yet")

// tape writes a recording beside whoever speaks.
type tape struct {
	file    *os.File
	samples int64 // written
	queue   chan []int16
	lost    int
	done    chan error
	log     *slog.Logger
}

// record makes the file of a recording.
func record(path string, log *slog.Logger) (*tape, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	used, err := used(filepath.Dir(path))
	if err == nil && used > room {
		err = errFull
	}
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	t := &tape{file: f, queue: make(chan []int16, waiting), done: make(chan error, 1), log: log}
	down, err := media.NewResampler(media.SampleRate, rate)
	if err = errors.Join(err, t.sync()); err != nil {
		return nil, errors.Join(err, f.Close(), os.Remove(path))
	}
	go func() { t.done <- t.write(down) }()
	return t, nil
}

// taped has a recording begun, and waits for no card that hangs: one that comes
// later ends empty.
func taped(begin func() (*tape, error)) (*tape, error) {
	var t *tape
	var err error
	begun := make(chan struct{})
	go func() {
		t, err = begin()
		close(begun)
	}()
	timer := time.NewTimer(readiness)
	defer timer.Stop()
	select {
	case <-begun:
		return t, err
	case <-timer.C:
	}
	go func() {
		if <-begun; err == nil {
			_ = t.close() // it holds nothing
		}
	}()
	return nil, errHangs
}

func used(dir string) (int64, error) {
	list, err := os.ReadDir(dir)
	total := int64(0)
	for _, e := range list {
		if info, err := e.Info(); err == nil {
			total += info.Size()
		}
	}
	return total, err
}

// take never waits: what a card does not take for so long is lost.
func (t *tape) take(pcm []int16) {
	select {
	case t.queue <- append([]int16(nil), pcm...):
	default:
		t.lost += len(pcm)
	}
}

// write puts blocks on the card until there are no more.
func (t *tape) write(down *media.Resampler) error {
	var err error
	for pcm, stated := []int16(nil), int64(0); ; {
		block, more := <-t.queue
		if !more {
			return errors.Join(err, t.append(down.Flush(pcm[:0])), t.sync(), t.file.Close())
		}
		if err != nil {
			continue // nothing after a hole
		}
		pcm = down.Append(pcm[:0], block)
		err = t.append(pcm)
		if err == nil && t.samples-stated >= int64(syncEvery/time.Second)*rate {
			stated, err = t.samples, t.sync()
		}
	}
}

func (t *tape) append(pcm []int16) error {
	raw := make([]byte, 0, 2*len(pcm))
	for _, v := range pcm {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(v))
	}
	_, err := t.file.WriteAt(raw, header+2*t.samples)
	t.samples += int64(len(pcm))
	return err
}

// sync states the length and has the card keep everything.
func (t *tape) sync() error {
	if _, err := t.file.WriteAt(media.VoiceHead(2*t.samples), 0); err != nil {
		return err
	}
	return t.file.Sync()
}

// close waits until the card has it all, or for as long as a sounding can wait.
func (t *tape) close() error {
	close(t.queue)
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case err := <-t.done:
		if t.lost > 0 {
			err = errors.Join(err, fmt.Errorf("%d samples of a recording were lost: the card is too slow", t.lost))
		}
		return err
	case <-timer.C:
		return errors.New("the card does not take the end of a recording")
	}
}

// whole corrects the header and sums the file up.
func whole(f *os.File) (broadcast.Content, error) {
	info, err := f.Stat()
	if err != nil {
		return broadcast.Content{}, err
	}
	length := max(0, info.Size()-header) / 2 * 2
	if length == 0 {
		return broadcast.Content{}, fmt.Errorf("%s holds no sound: %w", info.Name(), os.ErrNotExist)
	}
	have, want := make([]byte, header), media.VoiceHead(length)
	if _, err := f.ReadAt(have, 0); err != nil {
		return broadcast.Content{}, err
	}
	if string(have) != string(want) || info.Size() != header+length {
		_, err = f.WriteAt(want, 0)
		if err = errors.Join(err, f.Truncate(header+length), f.Sync()); err != nil {
			return broadcast.Content{}, err
		}
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(f, 0, header+length)); err != nil {
		return broadcast.Content{}, err
	}
	return broadcast.Content{SHA256: broadcast.Digest(hex.EncodeToString(sum.Sum(nil))), Bytes: header + length,
		Millis: max(1, length/2*1000/rate)}, nil
}
