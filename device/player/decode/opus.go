package decode

import (
	"errors"
	"fmt"
	"io"

	"github.com/pion/opus"
)

// preRoll is decoded and thrown away before the first wanted sample when
// playback joins in the middle, so that the codec's memory has settled (RFC
// 7845, section 4.6, names 80 ms).
const preRoll = rate * 80 / 1000

// sound decodes one examined content object from a chosen sample on.
type sound struct {
	packets *packets
	codec   opus.Decoder
	block   [maxPacketSamples]int16

	total int64 // samples of the whole content
	from  int64 // first sample wanted
	at    int64 // position of the next decoded sample, pre-skip included
}

// survey reads the whole content without decoding and returns its length in
// samples.
func survey(in io.Reader) (int64, error) {
	r, err := openPackets(in)
	if err != nil {
		return 0, err
	}
	for {
		if _, _, err = r.next(); err != nil {
			break
		}
	}
	if !errors.Is(err, io.EOF) {
		return 0, err
	}
	return r.end - r.preSkip, nil
}

// openSound examines the content and stands before sample from.
func openSound(in io.ReadSeeker, from int64) (*sound, error) {
	total, err := survey(in)
	if err != nil {
		return nil, err
	}
	if from < 0 || from >= total {
		return nil, refuse("asked to begin at %v of %v", length(from), length(total))
	}
	if _, err := in.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("%w: rewind: %w", ErrUnreadable, err)
	}
	s := &sound{total: total, from: from}
	if s.packets, err = openPackets(in); err != nil {
		return nil, err
	}
	if s.codec, err = opus.NewDecoderWithOutput(rate, 1); err != nil {
		return nil, fmt.Errorf("%w: make the codec: %w", ErrUnreadable, err)
	}
	return s, nil
}

// remaining is the number of samples from the wanted beginning to the end.
func (s *sound) remaining() int64 { return s.total - s.from }

// next returns the next samples, at least one, or io.EOF at the end. They are
// valid until the next call.
func (s *sound) next() ([]int16, error) {
	first, end := s.packets.preSkip+s.from, s.packets.preSkip+s.total
	for s.at < end {
		packet, n, err := s.packets.next()
		if err != nil {
			return nil, fmt.Errorf("at %v: %w", length(s.at), err)
		}
		begin := s.at
		s.at += int64(n)
		if s.at <= first-preRoll {
			continue
		}
		got, err := s.codec.DecodeToInt16(packet, s.block[:])
		if err != nil || got != n {
			return nil, refuse("the packet at %v gives %d of %d samples (%v)", length(begin), got, n, err)
		}
		lo, hi := max(first-begin, 0), min(end-begin, int64(n))
		if lo < hi {
			return s.block[lo:hi], nil
		}
	}
	return nil, io.EOF
}
