package intake

import (
	"context"
	"encoding/binary"
	"errors"
	"io"

	"github.com/loaxa/loaxa/broadcast/media"
)

// measured is what one pass over sound tells.
type measured struct {
	samples  int64
	loudness media.LUFS
	audible  bool // whether loudness is defined at all
	peak     media.Decibel
	silence  float64 // share of the time below -50 dBFS
}

// heard is what decoding the whole source told.
type heard struct {
	measured
	mix        mix
	complaints int // lines in which the decoder complained
}

// headroom keeps peaks above full scale, as lossy formats have them, measurable in 16 bits.
const headroom = media.Decibel(600)

// listen decodes the whole source once and refuses what is not worth encoding.
func (j *job) listen(ctx context.Context) (heard, error) {
	h, err := j.listenTo(ctx, mixOf(j.probed.channels))
	if err == nil && h.samples > 0 && !h.audible && j.probed.channels == 2 {
		h, err = j.listenTo(ctx, leftSide)
	}
	if err != nil {
		return heard{}, err
	}
	return h, j.worth(h)
}

// worth refuses sound that is too long, cut beyond use, absent or silent.
func (j *job) worth(h heard) error {
	length, whole := duration(h.samples), j.probed.declared
	switch {
	case length > j.limits.duration:
		return refuse(TooLong, nil, spoken(j.limits.duration))
	case h.samples == 0 && h.complaints > 0:
		return refuse(Undecodable, nil, "no part of it is intact")
	case h.samples == 0:
		return refuse(Empty, nil)
	case whole > 0 && length.Seconds() < cutBeyondUse*whole.Seconds():
		return refuse(Truncated, nil, clock(length)+" / "+clock(whole))
	case !h.audible:
		return refuse(Silent, nil)
	}
	return nil
}

// listenTo decodes and measures one mix. One second more than allowed is decoded to tell what is
// longer.
func (j *job) listenTo(ctx context.Context, m mix) (heard, error) {
	in, err := j.source()
	if err != nil {
		return heard{}, err
	}
	defer in.Close()
	args := setting{mix: m, gain: -headroom}.arguments(j.probed.container, j.limits.duration.Seconds()+1, rawOutput())
	meter := newMeter()
	complaints, err := j.engine.run(ctx, j.engine.ffmpeg, args, in, func(r io.Reader) error {
		return samplesOf(r, func(block []int16) error {
			meter.add(block)
			j.progress(Progress{Measuring, share(duration(meter.samples), j.probed.expected), j.upload.size})
			return nil
		})
	})
	if err != nil {
		return heard{}, undecodable(err)
	}
	h := heard{measured: meter.result(), mix: m, complaints: complaints}
	h.loudness += media.LUFS(headroom)
	h.peak += headroom
	return h, nil
}

// samplesOf hands over raw sound in blocks of at most a tenth of a second.
func samplesOf(r io.Reader, take func([]int16) error) error {
	raw := make([]byte, media.SampleRate/10*2)
	block := make([]int16, len(raw)/2)
	for {
		n, err := io.ReadFull(r, raw)
		for i := range n / 2 {
			block[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
		}
		if n > 1 {
			if err := take(block[:n/2]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// meter measures sound block by block.
type meter struct {
	loudness      *media.Meter
	samples       int64
	slice         []int16 // the current tenth of a second
	slices, quiet int64
}

func newMeter() *meter { return &meter{loudness: media.NewMeter()} }

// add measures the next samples.
func (m *meter) add(block []int16) {
	m.samples += int64(len(block))
	m.loudness.Add(block)
	for len(block) > 0 {
		n := min(len(block), media.SampleRate/10-len(m.slice))
		m.slice = append(m.slice, block[:n]...)
		block = block[n:]
		if len(m.slice) == media.SampleRate/10 {
			m.endSlice()
		}
	}
}

// endSlice judges a tenth of a second: silence stays below -50 dBFS.
func (m *meter) endSlice() {
	const silence = media.Decibel(-5000)
	m.slices++
	if media.RMS(m.slice) < silence {
		m.quiet++
	}
	m.slice = m.slice[:0]
}

// result ends the measurement. Sound too short for a loudness is measured as if silence followed,
// which is how its canonical form will be.
func (m *meter) result() measured {
	found := measured{samples: m.samples, peak: m.loudness.TruePeak()}
	if m.samples < shortest {
		m.loudness.Add(make([]int16, shortest-m.samples))
	}
	found.loudness, found.audible = m.loudness.Integrated()
	if len(m.slice) > 0 {
		m.endSlice()
	}
	if m.slices > 0 {
		found.silence = float64(m.quiet) / float64(m.slices)
	}
	return found
}
