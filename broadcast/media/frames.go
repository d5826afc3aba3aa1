package media

// frame is what the header of one MPEG audio or ADTS frame says.
type frame struct {
	container Container
	kind      uint32 // the header bits that never change within a stream
	length    int    // bytes from this header to the next; 0: free format, not stated
}

const (
	// maxJunk is how far into a head frames are looked for; ffmpeg gives up there too.
	maxJunk = 64 * 1024
	// longestFrame is beyond the longest frame: free format of 640 kbit/s, ADTS of 13
	// bits.
	longestFrame = 1 << 13
	// maxGuesses bounds how many free-format headers are followed up, each through
	// longestFrame bytes; chance puts about one into maxJunk.
	maxGuesses = 64
	// frameHeader is the length of an MPEG audio header; ADTS needs frameHeaderADTS.
	frameHeader     = 4
	frameHeaderADTS = 7
)

// findFrames looks for the first place where consistent frame headers follow one
// another: two of stated length, three at equal distances in free format, where the
// distance itself is a guess.
func findFrames(head []byte) (Container, bool) {
	guesses := 0
	for at := 0; at < len(head) && at < maxJunk; at++ {
		f, ok := parseFrame(head[at:])
		if !ok {
			continue
		}
		if f.length > 0 && f.followedAt(head[at:], f.length) {
			return f.container, true
		}
		if f.length > 0 || guesses == maxGuesses {
			continue
		}
		if guesses++; f.repeats(head[at:]) {
			return f.container, true
		}
	}
	return "", false
}

// followedAt reports whether a header of the same stream stands at a distance.
func (f frame) followedAt(from []byte, distance int) bool {
	if distance >= len(from) {
		return false
	}
	next, ok := parseFrame(from[distance:])
	return ok && next.container == f.container && next.kind == f.kind
}

// repeats reports whether a free-format stream shows two more headers at one distance,
// give or take the padding.
func (f frame) repeats(from []byte) bool {
	const shortest = 24
	for distance := shortest; distance < min(longestFrame, len(from)); distance++ {
		if !f.followedAt(from, distance) {
			continue
		}
		for _, padding := range []int{0, 1, -1, 4, -4} {
			if f.followedAt(from, 2*distance+padding) {
				return true
			}
		}
	}
	return false
}

// parseFrame reads the header at the start of from.
func parseFrame(from []byte) (frame, bool) {
	if len(from) < frameHeader || from[0] != 0xff || from[1]&0xe0 != 0xe0 {
		return frame{}, false
	}
	if from[1]&0xf6 == 0xf0 {
		return parseADTS(from)
	}
	return parseMPEG(from)
}

// The tables of ISO/IEC 11172-3 and 13818-3, and the unofficial MPEG-2.5, by the
// version bits of the header: 0 is MPEG-2.5, 1 reserved, 2 MPEG-2, 3 MPEG-1.
var (
	mpegRates = [4][3]int{
		0: {11025, 12000, 8000},
		2: {22050, 24000, 16000},
		3: {44100, 48000, 32000},
	}
	// mpegBitRates in kbit/s: MPEG-1 by layer bits (1 is layer III, 3 is layer I), then
	// the lower versions likewise.
	mpegBitRates = [2][4][15]int{
		{
			1: {0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
			2: {0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
			3: {0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
		},
		{
			1: {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
			2: {0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
			3: {0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
		},
	}
	// mpegFrameSamples by [lower version][layer bits].
	mpegFrameSamples = [2][4]int{{1: 1152, 2: 1152, 3: 384}, {1: 576, 2: 1152, 3: 384}}
)

// parseMPEG reads an MPEG audio header. Sync, version, layer and sample rate stay the
// same through a stream; in free format so does the absence of a bit rate.
func parseMPEG(from []byte) (frame, bool) {
	version, layer := from[1]>>3&3, from[1]>>1&3
	bitRate, rate, padding := from[2]>>4, from[2]>>2&3, int(from[2]>>1&1)
	emphasis := from[3] & 3
	if version == 1 || layer == 0 || bitRate == 15 || rate == 3 || emphasis == 2 {
		return frame{}, false
	}
	f := frame{container: MP3, kind: uint32(from[1]&0xfe)<<8 | uint32(from[2]&0x0c)}
	if bitRate == 0 {
		f.kind |= 1 << 31
		return f, true
	}
	lower := 0
	if version != 3 {
		lower = 1
	}
	slot := 1
	if layer == 3 {
		slot = 4
	}
	bits := mpegFrameSamples[lower][layer] * mpegBitRates[lower][layer][bitRate] * 1000
	f.length = (bits/(8*slot)/mpegRates[version][rate] + padding) * slot
	return f, true
}

// parseADTS reads an ADTS header (ISO/IEC 14496-3, 1.A.3.2). Everything but the
// length, buffer fullness and block count stays the same through a stream.
func parseADTS(from []byte) (frame, bool) {
	if len(from) < frameHeaderADTS || from[2]>>2&0x0f > 12 {
		return frame{}, false
	}
	length := int(from[3]&3)<<11 | int(from[4])<<3 | int(from[5])>>5
	if length < frameHeaderADTS {
		return frame{}, false
	}
	kind := uint32(from[1])<<16 | uint32(from[2]&0xfd)<<8 | uint32(from[3]&0xc0)
	return frame{container: AAC, kind: kind, length: length}, true
}
