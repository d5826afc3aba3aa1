package decode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/loaxa/loaxa/device/player"
)

// InProcess decodes in the caller's own process: cheap, and without the
// containment that a speaker node needs. It is for simulations of many nodes
// and for tests. A panic of the decoder is still turned into ErrCrashed.
type InProcess struct{}

// Open examines the content file and decodes the first second after sample
// from.
func (InProcess) Open(_ context.Context, path string, from int64) (_ player.Stream, err error) {
	f, err := openContent(path)
	if err != nil {
		return nil, err
	}
	s := &inProcessStream{file: f}
	if err := s.prepare(from); err != nil {
		return nil, errors.Join(fmt.Errorf("decode %s: %w", path, err), f.Close())
	}
	return s, nil
}

type inProcessStream struct {
	file  *os.File
	sound *sound
	rest  []int16
}

// prepare examines the content and decodes ahead.
func (s *inProcessStream) prepare(from int64) (err error) {
	defer caught(&err)
	if s.sound, err = openSound(s.file, from); err != nil {
		return err
	}
	ahead := make([]int16, 0, min(s.Samples(), aheadSamples+maxPacketSamples))
	for len(ahead) < aheadSamples {
		block, err := s.sound.next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		ahead = append(ahead, block...)
	}
	s.rest = ahead
	return nil
}

func (s *inProcessStream) Samples() int64 { return s.sound.remaining() }

func (s *inProcessStream) Read(_ context.Context, pcm []int16) (_ int, err error) {
	defer caught(&err)
	if len(s.rest) == 0 {
		if s.rest, err = s.sound.next(); err != nil {
			if errors.Is(err, io.EOF) {
				return 0, io.EOF
			}
			return 0, fmt.Errorf("decode: %w", err)
		}
	}
	n := copy(pcm, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *inProcessStream) Close() error { return s.file.Close() }

func caught(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("decode: %w: %v", ErrCrashed, r)
	}
}

// openContent opens a content file if it is one that could be canonical.
func openContent(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("decode: %w: %w", ErrUnreadable, err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		err = fmt.Errorf("decode: %w: %w", ErrUnreadable, err)
	case !info.Mode().IsRegular():
		err = fmt.Errorf("decode %s: %w: not a regular file", path, ErrUnreadable)
	case info.Size() > maxFileBytes:
		err = fmt.Errorf("decode %s: %w", path, refuse("%d bytes; at most %d are possible", info.Size(), maxFileBytes))
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
