package intake

import (
	"bytes"
	"encoding/binary"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
)

// declaredBy reads how long a file itself says it is, where a converter that reads from a pipe does
// not tell: the data length of WAV and the frame count of MP3. 0 when it does not say, or says what
// recorders write while they do not know yet.
func declaredBy(c media.Container, head []byte) time.Duration {
	switch c {
	case media.WAV:
		return declaredByWAV(head)
	case media.MP3:
		return declaredByMP3(head)
	}
	return 0
}

// declaredByWAV walks the chunks of a RIFF file up to its data.
func declaredByWAV(head []byte) time.Duration {
	const endless = 0x7f000000 // streaming writers put such lengths
	if len(head) < 12 || string(head[:4]) != "RIFF" {
		return 0
	}
	perSecond := uint32(0)
	for at := int64(12); at+8 <= int64(len(head)); {
		body := head[at+8:]
		length := binary.LittleEndian.Uint32(head[at+4:])
		switch string(head[at : at+4]) {
		case "fmt ":
			if len(body) >= 12 {
				perSecond = binary.LittleEndian.Uint32(body[8:])
			}
		case "data":
			if perSecond == 0 || length >= endless {
				return 0
			}
			return seconds(float64(length) / float64(perSecond))
		}
		at += 8 + int64(length) + int64(length&1)
	}
	return 0
}

// declaredByMP3 reads the frame count that encoders leave in the first frame (Xing for variable,
// Info for constant bit rates). The four bytes stand within the first frame, which follows what
// junk the sniffer tolerated.
func declaredByMP3(head []byte) time.Duration {
	for _, mark := range []string{"Xing", "Info"} {
		at := bytes.Index(head, []byte(mark))
		if at < 0 || at+12 > len(head) || head[at+7]&1 == 0 {
			continue
		}
		frame, ok := firstFrame(head[:at])
		if !ok {
			continue
		}
		frames := binary.BigEndian.Uint32(head[at+8:])
		return seconds(float64(frames) * frame.samples / frame.rate)
	}
	return 0
}

// frame is what a frame header of MPEG audio layer III says about time.
type frame struct{ samples, rate float64 }

// firstFrame finds the header that precedes the mark: 13 to 40 bytes before it (ISO/IEC 11172-3 and
// 13818-3: header, perhaps a checksum, side information).
func firstFrame(before []byte) (frame, bool) {
	rates := [3]float64{44100, 48000, 32000}
	for back := 13; back <= 40 && back <= len(before); back++ {
		h := before[len(before)-back:]
		version, rate := h[1]>>3&3, h[2]>>2&3
		if h[0] != 0xff || h[1]&0xe6 != 0xe2 || version == 1 || rate == 3 {
			continue
		}
		switch version {
		case 3:
			return frame{1152, rates[rate]}, true
		case 2:
			return frame{576, rates[rate] / 2}, true
		}
		return frame{576, rates[rate] / 4}, true
	}
	return frame{}, false
}
