package decode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// ogg is a file taken apart into pages, to be put together otherwise.
type ogg []page

func readOgg(t testing.TB, name string) ogg {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var o ogg
	p := newPages(bytes.NewReader(b))
	for {
		g, err := p.next()
		if errors.Is(err, io.EOF) {
			return o
		}
		if err != nil {
			t.Fatal(err)
		}
		g.lacing, g.body = slices.Clone(g.lacing), slices.Clone(g.body)
		o = append(o, g)
	}
}

// bytes puts the pages together with right checksums.
func (o ogg) bytes() []byte {
	var out []byte
	sum := newPages(nil)
	for _, g := range o {
		h := append([]byte("OggS\x00"), g.flags)
		h = binary.LittleEndian.AppendUint64(h, uint64(g.granule))
		h = binary.LittleEndian.AppendUint32(h, g.serial)
		h = binary.LittleEndian.AppendUint32(h, g.sequence)
		h = append(h, 0, 0, 0, 0, byte(len(g.lacing)))
		h = append(h, g.lacing...)
		binary.LittleEndian.PutUint32(h[22:], sum.checksum(h, g.body))
		out = append(append(out, h...), g.body...)
	}
	return out
}

func TestContentThatIsNotCanonicalIsRefusedWithItsReason(t *testing.T) {
	last := func(o ogg) *page { return &o[len(o)-1] }
	cases := []struct {
		name, reason string
		change       func(o ogg) []byte
	}{
		{"empty file", "is empty", func(ogg) []byte { return nil }},
		{"not Ogg", "not Ogg Opus", func(ogg) []byte { return bytes.Repeat([]byte("ID3\x04 not this"), 9) }},
		{"playlist in disguise", "cut short", func(ogg) []byte { return []byte("ffconcat version 1.0") }},
		{"another Ogg version", "Ogg version 7", func(o ogg) []byte { b := o.bytes(); b[4] = 7; return b }},
		{"other codec", "not an Opus header", func(o ogg) []byte { copy(o[0].body, "Speex   "); return o.bytes() }},
		{"future header", "header version", func(o ogg) []byte { o[0].body[8] = 0x20; return o.bytes() }},
		{"two channels in the header", "2 channels", func(o ogg) []byte { o[0].body[9] = 2; return o.bytes() }},
		{"mapping family", "family 255", func(o ogg) []byte { o[0].body[18] = 255; return o.bytes() }},
		{"hidden gain", "output gain", func(o ogg) []byte { o[0].body[17] = 0x7f; return o.bytes() }},
		{"no comment header", "comment header", func(o ogg) []byte {
			o = slices.Delete(o, 1, 2)
			for i := range o {
				o[i].sequence = uint32(i)
			}
			return o.bytes()
		}},
		{"damaged page", "damaged", func(o ogg) []byte { b := o.bytes(); b[len(b)/2] ^= 1; return b }},
		{"page missing", "page is missing", func(o ogg) []byte { return slices.Delete(o, 3, 4).bytes() }},
		{"page twice", "page is missing", func(o ogg) []byte { return slices.Insert(o, 3, o[3]).bytes() }},
		{"page of another stream", "another stream", func(o ogg) []byte { o[3].serial++; return o.bytes() }},
		{"chained stream", "chained", func(o ogg) []byte { b := o.bytes(); return append(b, b...) }},
		{"rubbish behind", "data follow the end", func(o ogg) []byte { return append(o.bytes(), "ID3 tag"...) }},
		{"rubbish between", "has other data in it", func(o ogg) []byte {
			b := o[:2].bytes()
			return append(append(b, make([]byte, 500)...), o[2:].bytes()...)
		}},
		{"second beginning", "begins exactly once", func(o ogg) []byte { o[3].flags |= pageFirst; return o.bytes() }},
		{"no beginning", "begins exactly once", func(o ogg) []byte { o[0].flags = 0; return o.bytes() }},
		{"no end", "no last page", func(o ogg) []byte { last(o).flags = 0; last(o).granule = sampleCount(o); return o.bytes() }},
		{"end too early", "data follow the end", func(o ogg) []byte { o[2].flags |= pageLast; return o.bytes() }},
		{"position beyond the samples", "possible are", func(o ogg) []byte { last(o).granule += 9999; return o.bytes() }},
		{"position going back", "possible are", func(o ogg) []byte { last(o).granule = 1; return o.bytes() }},
		{"position invented", "states position 77", func(o ogg) []byte { o[2].granule = 77; return o.bytes() }},
		{"position without a packet", "ends no packet", func(o ogg) []byte {
			empty := page{granule: o[2].granule, serial: o[2].serial}
			o = slices.Insert(o, 3, empty)
			for i := range o {
				o[i].sequence = uint32(i)
			}
			return o.bytes()
		}},
		{"continued from nowhere", "does not continue", func(o ogg) []byte { o[3].flags |= pageContinued; return o.bytes() }},
		{"last packet open", "inside a packet", func(o ogg) []byte {
			g := last(o)
			g.lacing = append(g.lacing, 255)
			g.body = append(g.body, make([]byte, 255)...)
			return o.bytes()
		}},
		{"stereo packet", "two channels", func(o ogg) []byte { o[2].body[0] |= 4; return o.bytes() }},
		{"empty packet", "empty", func(o ogg) []byte {
			o[2].lacing = append([]byte{0}, o[2].lacing...)
			return o.bytes()
		}},
		{"packet of no frames", "0 samples", func(o ogg) []byte { o[2].body[0] |= 3; o[2].body[1] = 0; return o.bytes() }},
		{"packet of 63 frames", "possible are", func(o ogg) []byte { o[2].body[0] |= 3; o[2].body[1] = 63; return o.bytes() }},
		{"giant packet", "larger than", func(o ogg) []byte {
			giant := page{serial: o[0].serial, sequence: 2, granule: noGranule, lacing: bytes.Repeat([]byte{255}, 255), body: make([]byte, 255*255)}
			return append(o[:2], giant).bytes()
		}},
		{"giant comment", "larger than", func(o ogg) []byte {
			giant := page{serial: o[0].serial, sequence: 1, lacing: bytes.Repeat([]byte{255}, 255), body: make([]byte, 255*255)}
			copy(giant.body, "OpusTags")
			return append(o[:1], giant).bytes()
		}},
		{"nothing but headers", "no last page", func(o ogg) []byte { return o[:2].bytes() }},
		{"no sound in it", "no sound", func(o ogg) []byte {
			o[2].flags, o[2].granule = pageLast, int64(binary.LittleEndian.Uint16(o[0].body[10:]))
			return o[:3].bytes()
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			n, err := survey(bytes.NewReader(c.change(readOgg(t, "sweep.opus"))))
			if !errors.Is(err, ErrRefused) {
				t.Fatalf("survey = %d samples, error %v; want a refusal", n, err)
			}
			if !strings.Contains(err.Error(), c.reason) {
				t.Errorf("refused with %q; want a reason with %q", err, c.reason)
			}
		})
	}
}

// sampleCount counts the samples of all audio pages of 20 ms packets.
func sampleCount(o ogg) int64 {
	var n int64
	for _, g := range o[2:] {
		for _, lace := range g.lacing {
			if lace < 255 {
				n += 960
			}
		}
	}
	return n
}

func TestStereoFileIsRefused(t *testing.T) {
	if _, err := survey(bytes.NewReader(readOgg(t, "stereo.opus").bytes())); !errors.Is(err, ErrRefused) {
		t.Fatalf("survey = %v; want a refusal", err)
	}
}

func TestCutFileIsRefusedWhereverItIsCut(t *testing.T) {
	whole := readOgg(t, "speech.opus").bytes()
	for n := 0; n < len(whole); n += 61 {
		if _, err := survey(bytes.NewReader(whole[:n])); !errors.Is(err, ErrRefused) {
			t.Fatalf("cut to %d of %d bytes: %v; want a refusal", n, len(whole), err)
		}
	}
}

func TestNoFlippedBitGoesUnnoticed(t *testing.T) {
	whole := readOgg(t, "speech.opus").bytes()
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 500 {
		at, bit := rng.IntN(len(whole)), byte(1)<<rng.IntN(8)
		whole[at] ^= bit
		if _, err := survey(bytes.NewReader(whole)); !errors.Is(err, ErrRefused) {
			t.Fatalf("seed %d: bit %#x of byte %d flipped: %v; want a refusal", seed, bit, at, err)
		}
		whole[at] ^= bit
	}
}

func TestCommentOverSeveralPagesIsAccepted(t *testing.T) {
	o := readOgg(t, "sweep.opus")
	want, err := survey(bytes.NewReader(o.bytes()))
	if err != nil {
		t.Fatal(err)
	}
	head := page{serial: o[0].serial, lacing: bytes.Repeat([]byte{255}, 20), body: make([]byte, 20*255)}
	copy(head.body, "OpusTags")
	rest := page{serial: o[0].serial, flags: pageContinued, lacing: []byte{3}, body: make([]byte, 3)}
	for _, granule := range []int64{0, noGranule} {
		head.granule = granule
		long := append(ogg{o[0], head, rest}, o[2:]...)
		for i := range long {
			long[i].sequence = uint32(i)
		}
		if got, err := survey(bytes.NewReader(long.bytes())); err != nil || got != want {
			t.Errorf("granule %d: survey = %d, %v; want %d", granule, got, err, want)
		}
	}
}

// FuzzDecode holds that whatever a file contains, decoding in this process
// ends with samples or an error, and gives exactly as many as it promised. The
// checksums are mended, or no mutation would come further than the first page.
func FuzzDecode(f *testing.F) {
	for _, name := range []string{"sweep.opus", "speech.opus", "stereo.opus"} {
		f.Add(readOgg(f, name)[:4].bytes(), int64(0))
		f.Add(readOgg(f, name).bytes(), int64(4800))
	}
	f.Fuzz(func(t *testing.T, b []byte, from int64) {
		n, err := drainSound(mend(b), from)
		if err != nil && !errors.Is(err, ErrRefused) && !errors.Is(err, ErrCrashed) {
			t.Fatalf("error of no kind: %v", err)
		}
		if err == nil && n == 0 {
			t.Fatal("neither samples nor an error")
		}
	})
}

// mend gives the pages at the beginning of b right checksums.
func mend(b []byte) []byte {
	b = slices.Clone(b)
	sum := newPages(nil)
	for rest := b; len(rest) >= pageHeaderBytes && string(rest[:4]) == "OggS"; {
		head := pageHeaderBytes + int(rest[26])
		if len(rest) < head {
			break
		}
		size := head
		for _, n := range rest[pageHeaderBytes:head] {
			size += int(n)
		}
		if len(rest) < size {
			break
		}
		binary.LittleEndian.PutUint32(rest[22:], sum.checksum(rest[:head], rest[head:size]))
		rest = rest[size:]
	}
	return b
}

func TestMendedFileIsTheSameFile(t *testing.T) {
	want := readOgg(t, "speech.opus").bytes()
	broken := slices.Clone(want)
	broken[22], broken[len(broken)/2] = broken[22]^1, broken[len(broken)/2]^1
	broken[len(broken)/2] ^= 1
	if !bytes.Equal(mend(broken), want) {
		t.Error("mending a checksum changed something else")
	}
}

func drainSound(b []byte, from int64) (n int64, err error) {
	defer caught(&err)
	s, err := openSound(bytes.NewReader(b), from)
	if err != nil {
		return 0, err
	}
	for {
		block, err := s.next()
		if errors.Is(err, io.EOF) && n != s.remaining() {
			return n, errors.New("another number of samples than promised")
		}
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		n += int64(len(block))
	}
}
