package speech

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// Sound is mono sound of 16 bits, little endian.
type Sound struct {
	Rate int // samples a second
	PCM  []byte
}

// Length returns how long it sounds.
func (s Sound) Length() time.Duration {
	if s.Rate == 0 {
		return 0
	}
	return time.Duration(len(s.PCM)/2) * time.Second / time.Duration(s.Rate)
}

// format is what a wave says of itself.
type format struct{ kind, channels, rate, bits int }

// ReadWave reads a wave of 16 bits with one or two channels. Programs that write
// to a pipe do not know how much will follow, so the length in a header is an
// upper bound and never a promise; what follows mostSound is not read. The error is
// ErrGarbage.
func ReadWave(r io.Reader) (Sound, error) {
	var head [12]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[:4]) != "RIFF" || string(head[8:]) != "WAVE" {
		return Sound{}, fmt.Errorf("%w: it does not begin like a wave", ErrGarbage)
	}
	var f format
	const mostChunks = 32
	for range mostChunks {
		var chunk [8]byte
		if _, err := io.ReadFull(r, chunk[:]); err != nil {
			return Sound{}, fmt.Errorf("%w: the wave has no sound in it", ErrGarbage)
		}
		length := int64(binary.LittleEndian.Uint32(chunk[4:]))
		switch string(chunk[:4]) {
		case "fmt ":
			var err error
			if f, err = readFormat(r, length); err != nil {
				return Sound{}, err
			}
		case "data":
			return readSamples(r, f, length)
		default:
			if _, err := io.CopyN(io.Discard, r, min(length+length%2, mostSound)); err != nil {
				return Sound{}, fmt.Errorf("%w: the wave breaks off", ErrGarbage)
			}
		}
	}
	return Sound{}, fmt.Errorf("%w: the wave has no sound in it", ErrGarbage)
}

func readFormat(r io.Reader, length int64) (format, error) {
	const shortest, longest = 16, 64
	if length < shortest || length > longest {
		return format{}, fmt.Errorf("%w: its format has %d bytes", ErrGarbage, length)
	}
	b := make([]byte, length+length%2)
	if _, err := io.ReadFull(r, b); err != nil {
		return format{}, fmt.Errorf("%w: the wave breaks off", ErrGarbage)
	}
	word := binary.LittleEndian
	f := format{kind: int(word.Uint16(b)), channels: int(word.Uint16(b[2:])), rate: int(word.Uint32(b[4:])), bits: int(word.Uint16(b[14:]))}
	const plain, extended = 1, 0xfffe
	if f.kind != plain && f.kind != extended || f.bits != 16 || f.channels < 1 || f.channels > 2 || f.rate < 8000 || f.rate > 48000 {
		return f, fmt.Errorf("%w: kind %d, %d channels, %d Hz, %d bits; 16 bits, 8000 to 48000 Hz and at most two channels are read",
			ErrGarbage, f.kind, f.channels, f.rate, f.bits)
	}
	return f, nil
}

func readSamples(r io.Reader, f format, length int64) (Sound, error) {
	if f.rate == 0 {
		return Sound{}, fmt.Errorf("%w: sound before its format", ErrGarbage)
	}
	most := int64(longestSpoken.Seconds()) * int64(f.rate*f.channels*2)
	b, err := io.ReadAll(io.LimitReader(r, min(length, most, mostSound)+1))
	switch {
	case err != nil:
		return Sound{}, fmt.Errorf("%w: %w", ErrGarbage, err)
	case int64(len(b)) > min(most, mostSound):
		return Sound{}, fmt.Errorf("%w: more than %s of sound for one sentence", ErrGarbage, longestSpoken)
	}
	b = b[:min(int64(len(b)), length)/int64(2*f.channels)*int64(2*f.channels)]
	if len(b) == 0 {
		return Sound{}, fmt.Errorf("%w: the wave is empty", ErrGarbage)
	}
	if f.channels == 2 {
		b = mono(b)
	}
	return Sound{Rate: f.rate, PCM: b}, nil
}

// mono mixes two channels.
func mono(b []byte) []byte {
	out := make([]byte, 0, len(b)/2)
	for i := 0; i+3 < len(b); i += 4 {
		left, right := int16(binary.LittleEndian.Uint16(b[i:])), int16(binary.LittleEndian.Uint16(b[i+2:]))
		out = binary.LittleEndian.AppendUint16(out, uint16((int32(left)+int32(right))/2))
	}
	return out
}

// waveHead is the header of a wave of that many bytes of samples.
func waveHead(rate int, samples int64) []byte {
	b := append([]byte("RIFF"), 0, 0, 0, 0)
	binary.LittleEndian.PutUint32(b[4:], uint32(36+samples))
	b = append(b, "WAVEfmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint16(b, 1)
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(2*rate))
	b = binary.LittleEndian.AppendUint16(b, 2)
	b = binary.LittleEndian.AppendUint16(b, 16)
	b = append(b, "data"...)
	return binary.LittleEndian.AppendUint32(b, uint32(samples))
}
