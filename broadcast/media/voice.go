package media

import "encoding/binary"

// What is spoken at a box is kept as a wave: mono, 16 bit, a third of the rate of
// the room. A header of one format and one chunk stands before the samples.
const (
	VoiceRate   = 16_000
	VoiceHeader = 44
)

// VoiceHead is the header of so many bytes of sound. There is no other: whoever
// keeps such a recording compares all of it.
func VoiceHead(sound int64) []byte {
	b := append([]byte("RIFF"), binary.LittleEndian.AppendUint32(nil, uint32(VoiceHeader-8+sound))...)
	b = append(b, "WAVEfmt "...)
	for _, v := range []any{uint32(16), uint16(1), uint16(1), uint32(VoiceRate), uint32(2 * VoiceRate), uint16(2), uint16(16)} {
		b, _ = binary.Append(b, binary.LittleEndian, v) // numbers of fixed size
	}
	return binary.LittleEndian.AppendUint32(append(b, "data"...), uint32(sound))
}
