package media

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Container is a file format that holds sound, named so that ffmpeg accepts it as a
// demuxer (`-f`, `-format_whitelist`).
type Container string

// The containers that people's recordings come in.
const (
	MP3      Container = "mp3" // MPEG-1, 2 and 2.5 audio, layers I to III
	WAV      Container = "wav" // RIFF, RIFX, RF64 and BW64
	M4A      Container = "m4a"
	MP4      Container = "mp4" // also QuickTime
	ThreeGP  Container = "3gp"
	Ogg      Container = "ogg" // Opus, Vorbis, FLAC or Speex inside
	FLAC     Container = "flac"
	AMR      Container = "amr" // narrow and wide band
	AAC      Container = "aac" // ADTS frames
	WebM     Container = "webm"
	Matroska Container = "matroska"
)

// Refusal says why bytes are not taken as a recording and what to do instead, for the
// person who sent them.
type Refusal struct {
	English, Vietnamese string
}

// Error returns the English reason.
func (r *Refusal) Error() string { return r.English }

// SniffLength is how much of a file's head, after its tags, Sniff needs to see to
// judge it as it would judge the whole.
const SniffLength = 64*1024 + 3*longestFrame

// Sniff names the container of a file by its first bytes; its name and its declared
// type play no part. It believes nothing that it does not see twice where that is
// possible: an MPEG or ADTS stream needs consistent frame headers in a row, after at
// most 64 KiB of junk. ID3v2 tags are skipped if they end inside head; a tag that
// claims more than head holds is not trusted, and frames are looked for behind its
// header instead. For files whose tag really is that long (cover pictures), skip
// TagLength bytes first. Everything else is a *Refusal.
func Sniff(head []byte) (Container, error) {
	body := head
	for {
		n := TagLength(body)
		if n == 0 {
			break
		}
		if n >= int64(len(body)) {
			return sniffBehindLongTag(body, n)
		}
		body = body[n:]
	}
	if len(body) == 0 {
		return "", refuseEmpty
	}
	for _, m := range magics {
		if !m.matches(body) {
			continue
		}
		if m.refusal != nil {
			return "", m.refusal
		}
		return m.container(body)
	}
	if c, ok := findFrames(body); ok {
		return c, nil
	}
	if isText(body) {
		return "", refuseText
	}
	return "", refuseUnknown
}

// sniffBehindLongTag judges a head that lies wholly inside a tag, going by its claim.
func sniffBehindLongTag(head []byte, claimed int64) (Container, error) {
	if c, ok := findFrames(head[min(tagHeader, len(head)):]); ok {
		return c, nil
	}
	return "", &Refusal{
		English:    fmt.Sprintf("the ID3 tag claims %d bytes and no sound was found inside the first %d: the file is cut off or its tag is damaged; export it again without a cover picture", claimed, len(head)),
		Vietnamese: fmt.Sprintf("Thẻ ID3 khai %d byte nhưng không thấy âm thanh trong %d byte đầu: tệp bị cắt cụt hoặc thẻ hỏng; hãy xuất lại tệp, bỏ ảnh bìa.", claimed, len(head)),
	}
}

// tagHeader is the length of the header of an ID3v2 tag, and of its footer.
const tagHeader = 10

// TagLength returns how many bytes the ID3v2 tag at the start of head claims, header
// and footer included, or 0 when there is none. The claim (up to 256 MiB) is a
// stranger's word: compare it with the size of the file before believing it.
func TagLength(head []byte) int64 {
	if len(head) < tagHeader || string(head[:3]) != "ID3" || head[3] == 0xff || head[4] == 0xff {
		return 0
	}
	size := int64(0)
	for _, b := range head[6:tagHeader] {
		if b > 0x7f {
			return 0
		}
		size = size<<7 | int64(b)
	}
	size += tagHeader
	if head[5]&0x10 != 0 {
		size += tagHeader
	}
	return size
}

// magic recognises a format by bytes at a fixed place, or a text by how it opens.
type magic struct {
	offset    int
	bytes     string
	opening   []string
	container func(head []byte) (Container, error)
	refusal   *Refusal
}

func (m magic) matches(head []byte) bool {
	if m.opening != nil {
		return opensWith(head, m.opening)
	}
	return len(head) >= m.offset && bytes.HasPrefix(head[m.offset:], []byte(m.bytes))
}

// is accepts a container that needs no further look.
func is(c Container) func([]byte) (Container, error) {
	return func([]byte) (Container, error) { return c, nil }
}

// sniffRIFF tells the sound among the RIFF formats.
func sniffRIFF(head []byte) (Container, error) {
	if len(head) >= 12 && string(head[8:12]) == "WAVE" {
		return WAV, nil
	}
	if len(head) >= 12 && string(head[8:12]) == "WEBP" {
		return "", refusePicture
	}
	return "", refuseVideo
}

// sniffFtyp tells phone recordings, films and pictures apart by their brand.
func sniffFtyp(head []byte) (Container, error) {
	if len(head) < 12 || binary.BigEndian.Uint32(head) < 12 {
		return "", refuseUnknown
	}
	brand := string(head[8:12])
	if c, ok := brands[brand[:3]]; ok {
		return c, nil
	}
	for _, picture := range []string{"heic", "heix", "hevc", "mif1", "msf1", "avif"} {
		if brand == picture {
			return "", refusePicture
		}
	}
	return MP4, nil
}

// brands maps the first three letters of a major brand (ISO/IEC 14496-12) to its
// container; all other brands but pictures are MP4.
var brands = map[string]Container{"M4A": M4A, "M4B": M4A, "3gp": ThreeGP, "3g2": ThreeGP}

// sniffOgg looks for a codec of sound among the first pages (RFC 3533): a film lists
// its picture first.
func sniffOgg(head []byte) (Container, error) {
	const pageHeader = 27
	for range 8 {
		if len(head) < pageHeader || string(head[:4]) != "OggS" {
			break
		}
		start := pageHeader + int(head[26])
		if len(head) < start {
			break
		}
		for _, codec := range []string{"OpusHead", "\x01vorbis", "\x7fFLAC", "Speex   "} {
			if bytes.HasPrefix(head[start:], []byte(codec)) {
				return Ogg, nil
			}
		}
		for _, segment := range head[pageHeader:start] {
			start += int(segment)
		}
		head = head[min(start, len(head)):]
	}
	return "", refuseSilentOgg
}

// sniffEBML reads the document type out of an EBML header (RFC 8794).
func sniffEBML(head []byte) (Container, error) {
	const docType = "\x42\x82"
	head = head[:min(len(head), 64)]
	at := bytes.Index(head, []byte(docType))
	if at < 0 || len(head) < at+3 {
		return "", refuseUnknown
	}
	name := head[at+3:]
	name = name[:min(len(name), int(head[at+2]&0x7f))]
	switch c := Container(bytes.TrimRight(name, "\x00")); c {
	case WebM, Matroska:
		return c, nil
	}
	return "", refuseUnknown
}
