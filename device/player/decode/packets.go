package decode

import (
	"encoding/binary"
	"errors"
	"io"
)

const (
	// maxPacketBytes is the largest Opus packet of one channel that a player
	// has to accept (RFC 7845, section 6).
	maxPacketBytes = 61440
	// maxPacketSamples is the longest packet: 120 ms (RFC 6716, section 3.2.5).
	maxPacketSamples = 5760
	// idHeaderBytes is the size of an identification header of one channel
	// (RFC 7845, section 5.1).
	idHeaderBytes = 19
)

// packets reads one logical Opus stream in order. It checks what a page says
// about itself against what has really been read, so that the position of
// every sample is known and not guessed.
type packets struct {
	pages *pages

	page    page
	lace    int  // next lacing value of the page
	at      int  // next byte of the page body
	begun   bool // a first page was read
	ended   bool // the last page of the stream was read to its end
	spans   bool // the last packet of the page goes on in the next page
	closes  bool // a packet ended on this page
	partial []byte

	preSkip int64
	samples int64 // decoded length of the audio packets read so far
	granule int64 // granule position of the last page on which a packet ended
	end     int64 // samples to keep, pre-skip included; known when ended
}

// openPackets reads both headers and stands before the first audio packet.
func openPackets(in io.Reader) (*packets, error) {
	r := &packets{pages: newPages(in)}
	if err := r.identify(); err != nil {
		return nil, err
	}
	if err := r.comment(); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *packets) identify() error {
	head, err := r.raw()
	if err != nil {
		return err
	}
	switch {
	case len(head) < idHeaderBytes || string(head[:8]) != "OpusHead":
		return refuse("the first packet is not an Opus header")
	case head[8]>>4 != 0:
		return refuse("Opus header version %d; only versions 0 to 15 are understood", head[8])
	case head[9] != 1 || head[18] != 0 || len(head) != idHeaderBytes:
		return refuse("%d channels in mapping family %d; canonical content has one channel", head[9], head[18])
	case binary.LittleEndian.Uint16(head[16:]) != 0:
		return refuse("the header asks for an output gain; canonical content is levelled before it is stored")
	case r.lace != len(r.page.lacing):
		return refuse("the first page holds more than the Opus header")
	}
	r.preSkip = int64(binary.LittleEndian.Uint16(head[10:]))
	return nil
}

func (r *packets) comment() error {
	tags, err := r.raw()
	if err != nil {
		return err
	}
	if len(tags) < 8 || string(tags[:8]) != "OpusTags" {
		return refuse("the second packet is not an Opus comment header")
	}
	if r.lace != len(r.page.lacing) || r.page.granule != 0 {
		return refuse("audio begins on the page of the comment header")
	}
	r.granule = 0
	return nil
}

// next returns the next audio packet and its decoded length in samples, or
// io.EOF after the proper end of the stream. The packet is valid until the
// next call.
func (r *packets) next() ([]byte, int, error) {
	packet, err := r.raw()
	if err != nil {
		return nil, 0, err
	}
	n, err := packetSamples(packet)
	if err != nil {
		return nil, 0, err
	}
	r.samples += int64(n)
	if r.samples > maxSamples {
		return nil, 0, refuse("longer than %v", length(maxSamples))
	}
	return packet, n, nil
}

// raw returns the next packet of either kind.
func (r *packets) raw() ([]byte, error) {
	r.partial = r.partial[:0]
	for {
		for r.lace < len(r.page.lacing) {
			n := int(r.page.lacing[r.lace])
			r.lace++
			r.partial = append(r.partial, r.page.body[r.at:r.at+n]...)
			r.at += n
			if len(r.partial) > maxPacketBytes {
				return nil, refuse("a packet is larger than %d bytes", maxPacketBytes)
			}
			if n < 255 {
				r.spans, r.closes = false, true
				return r.partial, nil
			}
			r.spans = true
		}
		if err := r.turn(); err != nil {
			return nil, err
		}
	}
}

// turn leaves the current page and takes the next one.
func (r *packets) turn() error {
	if r.begun {
		if err := r.settle(); err != nil {
			return err
		}
	}
	next, err := r.pages.next()
	if r.ended {
		return r.after(err)
	}
	if errors.Is(err, io.EOF) && !r.begun {
		return refuse("the file is empty")
	}
	if errors.Is(err, io.EOF) {
		return refuse("the stream has no last page: the file is cut short")
	}
	if err != nil {
		return err
	}
	if err := r.follows(next); err != nil {
		return err
	}
	r.page, r.lace, r.at, r.closes, r.begun = next, 0, 0, false, true
	return nil
}

// settle compares a page's granule position, the count of samples up to the
// last packet that ends on it, with the count of what was read. Only the last
// page may say less, which trims the end (RFC 7845, section 4.4).
func (r *packets) settle() error {
	g := r.page.granule
	last := r.page.flags&pageLast != 0
	switch {
	case last && r.spans:
		return refuse("the last page ends inside a packet")
	case !r.closes && !last && g != noGranule && (g != 0 || r.samples != 0):
		return refuse("page %d states a position but ends no packet", r.page.sequence)
	case r.closes && !last && g != r.samples:
		return refuse("page %d states position %d after %d samples", r.page.sequence, g, r.samples)
	case last && (g < r.granule || g > r.samples):
		return refuse("the last page states position %d; possible are %d to %d", g, r.granule, r.samples)
	case last && g <= r.preSkip:
		return refuse("there is no sound in it")
	}
	if r.closes {
		r.granule = g
	}
	if last {
		r.ended, r.end = true, g
	}
	return nil
}

// after judges what follows the last page: nothing may.
func (r *packets) after(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return refuse("data follow the end of the stream; chained streams are not canonical")
}

func (r *packets) follows(next page) error {
	first := next.flags&pageFirst != 0
	switch {
	case first == r.begun:
		return refuse("page %d: a stream begins exactly once", next.sequence)
	case r.begun && next.serial != r.page.serial:
		return refuse("page %d belongs to another stream; canonical content has one", next.sequence)
	case r.begun && next.sequence != r.page.sequence+1:
		return refuse("page %d follows page %d: a page is missing", next.sequence, r.page.sequence)
	case r.spans != (next.flags&pageContinued != 0):
		return refuse("page %d does not continue where the page before it stopped", next.sequence)
	}
	return nil
}

// packetSamples reads the duration of a packet from its first two bytes
// (RFC 6716, section 3.1), in samples at 48 kHz.
func packetSamples(packet []byte) (int, error) {
	if len(packet) == 0 {
		return 0, refuse("an audio packet is empty")
	}
	toc := packet[0]
	if toc&4 != 0 {
		return 0, refuse("a packet holds two channels; canonical content has one")
	}
	frames := 1
	switch toc & 3 {
	case 1, 2:
		frames = 2
	case 3:
		if len(packet) < 2 {
			return 0, refuse("an audio packet lacks its frame count")
		}
		frames = int(packet[1] & 63)
	}
	n := frames * frameSamples(toc>>3)
	if n == 0 || n > maxPacketSamples {
		return 0, refuse("an audio packet of %d samples; possible are 120 to %d", n, maxPacketSamples)
	}
	return n, nil
}

// frameSamples is the frame length of an Opus configuration number (RFC 6716,
// table 2), in samples at 48 kHz.
func frameSamples(config byte) int {
	switch {
	case config < 12: // SILK: 10, 20, 40, 60 ms
		return [...]int{480, 960, 1920, 2880}[config&3]
	case config < 16: // hybrid: 10, 20 ms
		return [...]int{480, 960}[config&1]
	default: // CELT: 2.5, 5, 10, 20 ms
		return [...]int{120, 240, 480, 960}[config&3]
	}
}
