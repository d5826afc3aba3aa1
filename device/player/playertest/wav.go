package playertest

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// ReadWAV reads a recording of the wav sink: the instant at which its first
// sample left, and the samples. It reads no further than the header says, as
// any other program would, and refuses what such a program would refuse.
func ReadWAV(path string) (first time.Time, samples []int16, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return first, nil, err
	}
	if len(b) < 12 || string(b[:4]) != "RIFF" || string(b[8:12]) != "WAVE" {
		return first, nil, fmt.Errorf("%s is not a WAV file", path)
	}
	if size := int(binary.LittleEndian.Uint32(b[4:])); size+8 > len(b) {
		return first, nil, fmt.Errorf("%s: the header says %d bytes, there are %d", path, size+8, len(b))
	}
	for rest := b[12:]; len(rest) >= 8; {
		id, size := string(rest[:4]), int(binary.LittleEndian.Uint32(rest[4:]))
		rest = rest[8:]
		if size > len(rest) {
			return first, nil, fmt.Errorf("%s: chunk %q is cut short", path, id)
		}
		body := rest[:size]
		switch id {
		case "fmt ":
			err = checkFormat(body)
		case "LIST":
			first, err = readDate(body)
		case "data":
			return first, pcm(body), nil
		}
		if err != nil {
			return first, nil, fmt.Errorf("%s: %w", path, err)
		}
		rest = rest[size+size%2:]
	}
	return first, nil, fmt.Errorf("%s has no samples chunk", path)
}

// checkFormat accepts 48 kHz, mono, 16 bit, whose header is always the same.
func checkFormat(body []byte) error {
	const canonical = "\x01\x00\x01\x00\x80\xbb\x00\x00\x00\x77\x01\x00\x02\x00\x10\x00"
	if string(body) != canonical {
		return fmt.Errorf("format % x is not 48 kHz, mono, 16 bit", body)
	}
	return nil
}

func readDate(body []byte) (time.Time, error) {
	if len(body) < 12 || string(body[:8]) != "INFOICRD" {
		return time.Time{}, errors.New("the INFO chunk does not begin with a date")
	}
	return time.Parse(time.RFC3339Nano, strings.TrimRight(string(body[12:]), "\x00"))
}

func pcm(body []byte) []int16 {
	samples := make([]int16, len(body)/2)
	for i := range samples {
		samples[i] = int16(binary.LittleEndian.Uint16(body[2*i:]))
	}
	return samples
}
