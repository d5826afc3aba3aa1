package intake

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/pion/opus"
	"github.com/pion/opus/pkg/oggreader"
)

// attempt encodes the source with a setting and proves the result.
func (j *job) attempt(ctx context.Context, s setting) (attempt, error) {
	made, err := j.encode(ctx, s)
	if err != nil {
		return attempt{}, err
	}
	if made.measured, err = j.prove(ctx, made.path); err != nil {
		made.discard()
		return attempt{}, err
	}
	return made, nil
}

// encode makes one canonical file in the staging folder, flushed.
func (j *job) encode(ctx context.Context, s setting) (attempt, error) {
	in, err := j.source()
	if err != nil {
		return attempt{}, err
	}
	defer in.Close()
	length := max(duration(j.heard.samples), duration(shortest))
	usual := int64(length.Seconds()*bitRate/8) + 1
	out, err := j.folder.newSink("content-*", 2*usual+64<<10)
	if err != nil {
		return attempt{}, err
	}
	args := s.arguments(j.probed.container, length.Seconds(), canonicalOutput())
	_, err = j.engine.run(ctx, j.engine.ffmpeg, args, in, func(r io.Reader) error {
		return fill(ctx, out, r, func(p Progress) {
			j.progress(Progress{Encoding, min(1, float64(p.Bytes)/float64(usual)), j.upload.size})
		})
	})
	if err != nil {
		out.abandon()
		return attempt{}, undecodable(err)
	}
	hash, err := out.finish()
	made := attempt{setting: s, path: out.Name(), sha256: hash, size: out.size}
	if err != nil {
		made.discard()
		return attempt{}, err
	}
	return made, nil
}

// agreement is the least correlation of the two decodings of a canonical file.
const agreement = 0.999

// prove decodes a canonical file with the decoder that speakers use, measures what comes out, and
// compares it sample by sample with ffmpeg's rendering.
func (j *job) prove(ctx context.Context, path string) (measured, error) {
	ours, err := os.Open(path)
	if err != nil {
		return measured{}, fmt.Errorf("open what was encoded: %w", err)
	}
	defer ours.Close()
	theirs, err := os.Open(path)
	if err != nil {
		return measured{}, fmt.Errorf("open what was encoded: %w", err)
	}
	defer theirs.Close()
	speaker, err := newSpeaker(ours)
	if err != nil {
		return measured{}, err
	}
	meter, same := newMeter(), likeness{}
	args := append(append(quiet(), "-nostdin", "-threads", "1"), inputOf(media.Ogg, onlySound)...)
	args = append(append(args, rawOutput()...), "pipe:1")
	complaints, err := j.engine.run(ctx, j.engine.ffmpeg, args, theirs, func(r io.Reader) error {
		return samplesOf(r, func(reference []int16) error {
			rendered, err := speaker.next(len(reference))
			if err != nil {
				return err
			}
			meter.add(rendered)
			same.add(reference, rendered)
			j.progress(Progress{Proving, share(duration(meter.samples), duration(j.heard.samples)), j.upload.size})
			return nil
		})
	})
	if err != nil {
		return measured{}, fmt.Errorf("prove what was encoded: %w", err)
	}
	if complaints > 0 || same.correlation() < agreement {
		return measured{}, fmt.Errorf("prove what was encoded: %w: correlation %.5f", errDisagree, same.correlation())
	}
	return meter.result(), nil
}

// speaker renders a canonical file as a speaker does.
type speaker struct {
	pages   *oggreader.OggReader
	decoder opus.Decoder
	frame   []int16
	ready   []int16
	skip    int // samples before the sound begins (RFC 7845)
}

func newSpeaker(r io.Reader) (*speaker, error) {
	pages, header, err := oggreader.NewWith(r)
	if err != nil {
		return nil, fmt.Errorf("read what was encoded: %w", err)
	}
	decoder, err := opus.NewDecoderWithOutput(media.SampleRate, 1)
	if err != nil {
		return nil, fmt.Errorf("make a decoder: %w", err)
	}
	const longestPacket = media.SampleRate * 120 / 1000
	return &speaker{pages: pages, decoder: decoder, frame: make([]int16, longestPacket), skip: int(header.PreSkip)}, nil
}

// next returns exactly n more samples; they are valid until the next call.
func (s *speaker) next(n int) ([]int16, error) {
	rest := copy(s.ready, s.ready[min(s.skip, len(s.ready)):])
	s.skip -= len(s.ready) - rest
	s.ready = s.ready[:rest]
	for len(s.ready) < s.skip+n {
		packet, _, err := s.pages.ParseNextPacket()
		if err != nil {
			return nil, fmt.Errorf("%w: the speaker's decoder ends early: %w", errDisagree, err)
		}
		if bytes.HasPrefix(packet, []byte("OpusTags")) {
			continue
		}
		decoded, err := s.decoder.DecodeToInt16(packet, s.frame)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errDisagree, err)
		}
		s.ready = append(s.ready, s.frame[:decoded]...)
	}
	block := s.ready[s.skip : s.skip+n]
	s.skip += n
	return block, nil
}

// likeness correlates two renderings of equal length.
type likeness struct{ both, ours, theirs float64 }

func (l *likeness) add(a, b []int16) {
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		l.both += x * y
		l.ours += x * x
		l.theirs += y * y
	}
}

// correlation is 1 for the same wave. Two silences are alike; silence and sound are not.
func (l *likeness) correlation() float64 {
	if l.ours == 0 && l.theirs == 0 {
		return 1
	}
	if l.ours == 0 || l.theirs == 0 {
		return 0
	}
	return l.both / math.Sqrt(l.ours*l.theirs)
}

// share says how far a stage is; what is not known is 0.
func share(done, of time.Duration) float64 {
	if of <= 0 {
		return 0
	}
	return min(1, float64(done)/float64(of))
}
