package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

// mpegFrames makes n frames of a stream: a header and silence up to its length.
func mpegFrames(header uint32, length, n int) []byte {
	one := make([]byte, length)
	binary.BigEndian.PutUint32(one, header)
	return bytes.Repeat(one, n)
}

// adtsFrames makes n ADTS frames of AAC-LC at 44.1 kHz.
func adtsFrames(length, n int) []byte {
	one := make([]byte, length)
	copy(one, []byte{0xff, 0xf1, 0x50, 0x80 | byte(length>>11), byte(length >> 3), byte(length<<5) | 0x1f, 0xfc})
	return bytes.Repeat(one, n)
}

// id3 makes an ID3v2.4 tag that claims a size and holds some body.
func id3(claimed int, body []byte) []byte {
	head := []byte{'I', 'D', '3', 4, 0, 0, byte(claimed >> 21 & 0x7f), byte(claimed >> 14 & 0x7f), byte(claimed >> 7 & 0x7f), byte(claimed & 0x7f)}
	return append(head, body...)
}

// oggPage makes a page that carries one packet.
func oggPage(packet string) []byte {
	page := append([]byte("OggS\x00\x02"), make([]byte, 20)...)
	page = append(page, 1, byte(len(packet)))
	return append(page, packet...)
}

func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

// MPEG-1 layer III, 128 kbit/s, 44.1 kHz: the frame most files are made of.
var plainMP3 = mpegFrames(0xfffb9000, 417, 4)

// junk is what no header begins with.
func junk(n int) []byte { return bytes.Repeat([]byte{0x5a, 0xff, 0x00}, n/3+1)[:n] }

// recordings are heads that must be recognised; the fuzzer starts from them.
var recordings = []struct {
	name string
	head []byte
	want Container
}{
	{"MPEG-1 layer III", plainMP3, MP3},
	{"MPEG-1 layer III, padded and not in turn", join(mpegFrames(0xfffb9200, 418, 1), mpegFrames(0xfffb9000, 417, 2)), MP3},
	{"MPEG-1 layer III, changing bit rate", join(mpegFrames(0xfffb9000, 417, 1), mpegFrames(0xfffbb000, 626, 1), mpegFrames(0xfffb5000, 208, 2)), MP3},
	{"MPEG-1 layer III with CRC, 48 kHz", mpegFrames(0xfffa9400, 384, 3), MP3},
	{"MPEG-2 layer III, 22.05 kHz, 32 kbit/s", mpegFrames(0xfff34000, 104, 3), MP3},
	{"MPEG-2 layer III, 16 kHz, 24 kbit/s", mpegFrames(0xfff33800, 108, 3), MP3},
	{"MPEG-2.5 layer III, 8 kHz, 16 kbit/s", mpegFrames(0xffe32800, 144, 3), MP3},
	{"MPEG-2.5 layer III, 11.025 kHz", mpegFrames(0xffe32000, 104, 3), MP3},
	{"MPEG-1 layer II, 192 kbit/s, 48 kHz", mpegFrames(0xfffda400, 576, 3), MP3},
	{"MPEG-1 layer I, 384 kbit/s, 48 kHz", mpegFrames(0xffffc400, 384, 3), MP3},
	{"free format", mpegFrames(0xfffb0000, 700, 4), MP3},
	{"free format of 640 kbit/s at 32 kHz", mpegFrames(0xfffb0800, 2880, 4), MP3},
	{"free format, padding", join(mpegFrames(0xfffb0000, 700, 1), mpegFrames(0xfffb0200, 701, 1), mpegFrames(0xfffb0000, 700, 1)), MP3},
	{"junk before the first frame", join(junk(5000), plainMP3), MP3},
	{"a lone header, then junk, then frames", join(mpegFrames(0xfffb9000, 100, 1), junk(333), plainMP3), MP3},
	{"zeros before the first frame", join(make([]byte, 60000), plainMP3), MP3},
	{"a stream ripper's words before the first frame", join([]byte("ICY 200 OK\r\nicy-br:128\r\n\r\n"), plainMP3), MP3},
	{"ID3 tag", join(id3(500, make([]byte, 500)), plainMP3), MP3},
	{"two ID3 tags", join(id3(50, make([]byte, 50)), id3(7, make([]byte, 7)), plainMP3), MP3},
	{"ID3 tag with footer", join([]byte("ID3\x04\x00\x10\x00\x00\x00\x05"), make([]byte, 15), plainMP3), MP3},
	{"ID3 tag that claims 256 MiB", id3(1<<28-1, plainMP3), MP3},
	{"ID3 tag that claims all there is", id3(len(plainMP3), plainMP3), MP3},
	{"ID3 tag whose size breaks the rules", join([]byte("ID3\x04\x00\x00\xff\xff\xff\xff"), plainMP3), MP3},
	{"ID3 tag before FLAC", join(id3(20, make([]byte, 20)), []byte("fLaC\x00\x00\x00\x22")), FLAC},
	{"ADTS", adtsFrames(371, 3), AAC},
	{"ADTS behind a tag and junk", join(id3(63, make([]byte, 63)), junk(99), adtsFrames(200, 2), adtsFrames(250, 2)), AAC},
	{"WAV", []byte("RIFF\x24\x00\x00\x00WAVEfmt "), WAV},
	{"WAV beyond 4 GB", []byte("RF64\xff\xff\xff\xffWAVEds64"), WAV},
	{"iPhone voice memo", []byte("\x00\x00\x00\x1cftypM4A \x00\x00\x00\x00"), M4A},
	{"audio book", []byte("\x00\x00\x00\x1cftypM4B \x00\x00\x00\x00"), M4A},
	{"MP4", []byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00"), MP4},
	{"QuickTime", []byte("\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00"), MP4},
	{"QuickTime without a brand", []byte("\x00\x00\x10\x00moov\x00\x00\x00\x6cmvhd"), MP4},
	{"Android recording", []byte("\x00\x00\x00\x18ftyp3gp4\x00\x00\x00\x00"), ThreeGP},
	{"CDMA telephone recording", []byte("\x00\x00\x00\x18ftyp3g2a\x00\x00\x00\x00"), ThreeGP},
	{"Ogg Opus", oggPage("OpusHead\x01\x01"), Ogg},
	{"Ogg Vorbis", oggPage("\x01vorbis\x00"), Ogg},
	{"Ogg film, picture first", join(oggPage("\x80theora"), oggPage("\x01vorbis")), Ogg},
	{"FLAC", []byte("fLaC\x00\x00\x00\x22"), FLAC},
	{"AMR", []byte("#!AMR\n\x3c"), AMR},
	{"AMR wide band", []byte("#!AMR-WB\n\x44"), AMR},
	{"WebM", []byte("\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\x82\x84webm"), WebM},
	{"Matroska", []byte("\x1a\x45\xdf\xa3\xa3\x42\x86\x81\x01\x42\x82\x88matroska"), Matroska},
}

func TestSniffNamesWhatPeopleRecord(t *testing.T) {
	for _, c := range recordings {
		if got, err := Sniff(c.head); err != nil || got != c.want {
			t.Errorf("%s: %q, error %v; want %q", c.name, got, err, c.want)
		}
	}
}

// strangers are heads that must be refused, each with a word of its reason.
var strangers = []struct{ name, head, reason string }{
	{"nothing", "", "empty"},
	{"only a tag", string(id3(3, []byte{0, 0, 0})), "ID3"},
	{"two tags and nothing else", string(join(id3(0, nil), id3(0, nil))), "ID3"},
	{"ffconcat", "ffconcat version 1.0\nfile /etc/passwd\n", "playlist"},
	{"ffconcat behind a tag", string(join(id3(4, make([]byte, 4)), []byte("ffconcat version 1.0"))), "playlist"},
	{"ffconcat before frames", "ffconcat version 1.0\nfile x\n" + string(plainMP3), "playlist"},
	{"HLS playlist", "#EXTM3U\n#EXT-X-VERSION:3\n", "playlist"},
	{"m3u with a byte order mark", "\xef\xbb\xbf#extm3u\nhttp://example.org/a.mp3", "playlist"},
	{"pls", "[playlist]\nFile1=http://example.org", "playlist"},
	{"web page", "\r\n <!DOCTYPE HTML><title>Login</title>", "web page"},
	{"web page in lower case", "<html lang=vi>", "web page"},
	{"DASH", "<?xml version=\"1.0\"?><MPD>", "web page"},
	{"Vietnamese text", "Ủy ban nhân dân xã thông báo lịch tiêm phòng", "text"},
	{"plain m3u", "/music/bai-hat.mp3\n/music/khac.mp3\n", "text"},
	{"ZIP", "PK\x03\x04\x14\x00\x06\x00[Content_Types].xml", "archive"},
	{"ZIP that holds an MP3", "PK\x03\x04\x14\x00\x00\x00" + string(plainMP3), "archive"},
	{"RAR", "Rar!\x1a\x07\x01\x00", "archive"},
	{"PDF", "%PDF-1.7\n%\xe2\xe3\xcf\xd3", "document"},
	{"old Word", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", "document"},
	{"Windows program", "MZ\x90\x00\x03\x00", "program"},
	{"Linux program", "\x7fELF\x02\x01\x01", "program"},
	{"script", "#!/bin/sh\nrm -rf /\n", "program"},
	{"JPEG", "\xff\xd8\xff\xe0\x00\x10JFIF", "picture"},
	{"PNG", "\x89PNG\r\n\x1a\n", "picture"},
	{"HEIC", "\x00\x00\x00\x24ftypheic\x00\x00\x00\x00", "picture"},
	{"WebP", "RIFF\x24\x00\x00\x00WEBPVP8 ", "picture"},
	{"AVI", "RIFF\x24\x00\x00\x00AVI LIST", "film"},
	{"Windows Media", "\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9", "Windows Media"},
	{"AIFF", "FORM\x00\x00\x00\x00AIFF", "AIFF"},
	{"Ogg without sound", string(oggPage("\x80theora")), "Ogg"},
	{"Ogg cut in its header", "OggS\x00\x02", "Ogg"},
	{"EBML of another kind", "\x1a\x45\xdf\xa3\x8a\x42\x82\x87unknown", "not a recording"},
	{"ftyp box too small", "\x00\x00\x00\x04ftypM4A ", "not a recording"},
	{"one frame alone", string(plainMP3[:417]), "not a recording"},
	{"two frames of different streams", string(join(plainMP3[:417], mpegFrames(0xfffb9400, 384, 1))), "not a recording"},
	{"free format seen twice only", string(mpegFrames(0xfffb0000, 700, 2)), "not a recording"},
	{"frames behind too much junk", string(join(make([]byte, maxJunk), plainMP3)), "not a recording"},
	{"a giant tag and no frames", string(id3(1<<28-1, make([]byte, 500))), "claims 268435465 bytes"},
	{"zeros", string(make([]byte, 5000)), "not a recording"},
	{"0xff without end", strings.Repeat("\xff", 5000), "not a recording"},
}

func TestSniffRefusesWithAReasonForAPerson(t *testing.T) {
	for _, c := range strangers {
		got, err := Sniff([]byte(c.head))
		var refusal *Refusal
		if !errors.As(err, &refusal) || got != "" {
			t.Errorf("%s: %q, error %v", c.name, got, err)
			continue
		}
		if !strings.Contains(refusal.English, c.reason) {
			t.Errorf("%s: %q does not speak of %q", c.name, refusal.English, c.reason)
		}
		if !strings.ContainsFunc(refusal.Vietnamese, func(r rune) bool { return r > unicode.MaxLatin1 }) {
			t.Errorf("%s: no Vietnamese reason: %q", c.name, refusal.Vietnamese)
		}
	}
}

func TestEveryMagicHasExactlyOneAnswer(t *testing.T) {
	for _, m := range magics {
		if (m.container == nil) == (m.refusal == nil) || (m.bytes == "") == (m.opening == nil) {
			t.Errorf("%q %v: accepts and refuses, or neither", m.bytes, m.opening)
		}
	}
}

func TestFrameLengthsMatchTheStandard(t *testing.T) {
	for header, want := range map[uint32]int{
		0xfffb9000: 417, 0xfffb9200: 418, 0xfffbe400: 960, 0xfffb1800: 144, 0xfff34000: 104,
		0xfff38400: 192, 0xffe31800: 72, 0xfffda400: 576, 0xfff5a000: 626, 0xffffc400: 384, 0xfffb0000: 0,
	} {
		f, ok := parseFrame(binary.BigEndian.AppendUint32(nil, header))
		if !ok || f.length != want {
			t.Errorf("%08x: %d bytes (%v), want %d", header, f.length, ok, want)
		}
	}
	for _, header := range []uint32{0xffeb9000, 0xfff99000, 0xfffbf000, 0xfffb9c00, 0xfffb9002, 0xfedb9000} {
		if f, ok := parseFrame(binary.BigEndian.AppendUint32(nil, header)); ok {
			t.Errorf("%08x is taken for a frame: %+v", header, f)
		}
	}
}

func TestTagLengthIsTheClaim(t *testing.T) {
	for name, c := range map[string]struct {
		head []byte
		want int64
	}{
		"none":          {plainMP3, 0},
		"cut header":    {[]byte("ID3\x04\x00\x00\x00\x00\x00"), 0},
		"empty":         {id3(0, nil), 10},
		"greatest":      {id3(1<<28-1, nil), 1<<28 + 9},
		"with a footer": {[]byte("ID3\x04\x00\x10\x00\x00\x02\x01"), 277},
		"not syncsafe":  {[]byte("ID3\x04\x00\x00\x80\x00\x00\x00"), 0},
		"version 255":   {[]byte("ID3\xff\x00\x00\x00\x00\x00\x01"), 0},
	} {
		if got := TagLength(c.head); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
}

func TestChanceDoesNotMakeAStream(t *testing.T) {
	// Random bytes, as in a compressed picture inside a tag, are almost never taken for
	// frames: seeds 0 to 63 at full length.
	taken := 0
	for seed := range uint64(64) {
		if c, ok := findFrames(littleEndian(noise(SniffLength/2, 1, seed))); ok {
			taken++
			t.Logf("seed %d: %s", seed, c)
		}
	}
	if taken > 1 {
		t.Errorf("%d of 64 random heads are taken for sound", taken)
	}
}

func TestJunkAndTagsDoNotChangeTheAnswer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		stream := rapid.SampledFrom(recordings[:13]).Draw(t, "stream")
		head := append(junk(rapid.IntRange(0, 3000).Draw(t, "junk")), stream.head...)
		for range rapid.IntRange(0, 3).Draw(t, "tags") {
			body := make([]byte, rapid.IntRange(0, 300).Draw(t, "tag"))
			head = join(id3(len(body), body), head)
		}
		if got, err := Sniff(head); err != nil || got != stream.want {
			t.Fatalf("%q, error %v", got, err)
		}
	})
}

func FuzzSniff(f *testing.F) {
	for _, c := range recordings {
		f.Add(c.head)
	}
	for _, c := range strangers {
		f.Add([]byte(c.head))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		c, err := Sniff(head)
		if (c == "") == (err == nil) {
			t.Fatalf("%q, error %v", c, err)
		}
		if n := TagLength(head); n < 0 || n > 1<<28+20 {
			t.Errorf("a tag of %d bytes", n)
		}
	})
}

func ExampleSniff() {
	_, err := Sniff([]byte("ffconcat version 1.0\nfile /etc/passwd\n"))
	fmt.Println(err)
	// Output: this is a playlist that points to other files, not a recording: upload the audio files themselves
}
