package decode

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
)

// Flags of an Ogg page (RFC 3533, section 6).
const (
	pageContinued = 1 << iota
	pageFirst
	pageLast
)

// pageHeaderBytes is the fixed part of a page header, before the lacing table.
const pageHeaderBytes = 27

// noGranule marks a page on which no packet ends.
const noGranule = -1

// page is one Ogg page. Its slices are valid until the next page is read.
type page struct {
	flags    byte
	granule  int64
	serial   uint32
	sequence uint32
	lacing   []byte
	body     []byte
}

// pages reads Ogg pages and nothing else: what stands between, before or
// behind pages is refused, because a file that was stored whole has nothing
// there. A page is at most 65,307 bytes by its own format, so memory is bounded.
type pages struct {
	in     *bufio.Reader
	crc    [256]uint32
	header [pageHeaderBytes + 255]byte
	body   []byte
	offset int64
}

func newPages(in io.Reader) *pages {
	p := &pages{in: bufio.NewReaderSize(in, 8<<10)}
	for i := range p.crc {
		r := uint32(i) << 24
		for range 8 {
			if r&0x80000000 != 0 {
				r = r<<1 ^ 0x04c11db7
			} else {
				r <<= 1
			}
		}
		p.crc[i] = r
	}
	return p
}

// next returns the next page, io.EOF where a page could begin and the file
// ends, or a refusal.
func (p *pages) next() (page, error) {
	at := p.offset
	fixed := p.header[:pageHeaderBytes]
	if n, err := io.ReadFull(p.in, fixed); err != nil {
		if n == 0 && errors.Is(err, io.EOF) {
			return page{}, io.EOF
		}
		return page{}, p.cut(at, err)
	}
	if string(fixed[:4]) != "OggS" {
		return page{}, refuse("no Ogg page at byte %d; the file is not Ogg Opus, or has other data in it", at)
	}
	if fixed[4] != 0 {
		return page{}, refuse("Ogg version %d at byte %d; only version 0 exists", fixed[4], at)
	}
	header := p.header[:pageHeaderBytes+int(fixed[26])]
	if _, err := io.ReadFull(p.in, header[pageHeaderBytes:]); err != nil {
		return page{}, p.cut(at, err)
	}
	size := 0
	for _, n := range header[pageHeaderBytes:] {
		size += int(n)
	}
	if cap(p.body) < size {
		p.body = make([]byte, size)
	}
	p.body = p.body[:size]
	if _, err := io.ReadFull(p.in, p.body); err != nil {
		return page{}, p.cut(at, err)
	}
	if want := binary.LittleEndian.Uint32(header[22:]); want != p.checksum(header, p.body) {
		return page{}, refuse("the checksum of the page at byte %d does not match: the file is damaged", at)
	}
	p.offset += int64(len(header) + size)
	return page{
		flags:    header[5],
		granule:  int64(binary.LittleEndian.Uint64(header[6:])),
		serial:   binary.LittleEndian.Uint32(header[14:]),
		sequence: binary.LittleEndian.Uint32(header[18:]),
		lacing:   header[pageHeaderBytes:],
		body:     p.body,
	}, nil
}

func (p *pages) cut(at int64, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return refuse("the file ends inside the page at byte %d: it is cut short", at)
	}
	return errors.Join(ErrUnreadable, err)
}

// checksum is the page's CRC-32 with its own field taken as zero (RFC 3533,
// section 6, field 7: polynomial 0x04c11db7, no reflection, no inversion).
func (p *pages) checksum(header, body []byte) uint32 {
	var sum uint32
	for i, b := range header {
		if i >= 22 && i < 26 {
			b = 0
		}
		sum = sum<<8 ^ p.crc[byte(sum>>24)^b]
	}
	for _, b := range body {
		sum = sum<<8 ^ p.crc[byte(sum>>24)^b]
	}
	return sum
}
