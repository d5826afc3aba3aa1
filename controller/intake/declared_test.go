package intake

import (
	"math"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
)

func TestAFileIsAskedForItsOwnLength(t *testing.T) {
	t.Parallel()
	three := wave(44100, 2, chords(3, 2))
	for name, c := range map[string]struct {
		container media.Container
		data      []byte
		want      float64
	}{
		"wav":                 {media.WAV, three, 3},
		"wav, endless":        {media.WAV, lying(three, 0xffffffff), 0},
		"wav, cut header":     {media.WAV, three[:30], 0},
		"mp3, constant":       {media.MP3, lame(t, three, "-b", "128"), 3},
		"mp3, variable":       {media.MP3, lame(t, three, "-V", "5"), 3},
		"mp3, MPEG-2 mono":    {media.MP3, lame(t, three, "--resample", "22.05", "-m", "m", "-b", "64"), 3},
		"mp3, MPEG-2.5":       {media.MP3, lame(t, three, "--resample", "8"), 3},
		"mp3, does not say":   {media.MP3, lame(t, three, "-t", "-b", "64"), 0},
		"another kind":        {media.FLAC, three, 0},
		"nothing":             {media.WAV, nil, 0},
		"mp3, word in a song": {media.MP3, []byte("....Info....Xing\x00\x00\x00\x01\x00\x00\x00\x09"), 0},
	} {
		if got := declaredBy(c.container, c.data).Seconds(); math.Abs(got-c.want) > 0.2 {
			t.Errorf("%s: %.2f s, wanted %.2f", name, got, c.want)
		}
	}
}

func FuzzDeclaredLengthsAreSane(f *testing.F) {
	f.Add(wave(8000, 1, make([]int16, 10)))
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEdata\xff\xff\xff\x7f"))
	f.Add([]byte("\xff\xfb\x90\x64\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00Xing\x00\x00\x00\x0f\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, head []byte) {
		for _, c := range []media.Container{media.WAV, media.MP3} {
			if d := declaredBy(c, head); d < 0 || d > 1e6*time.Second {
				t.Errorf("%s: %v", c, d)
			}
		}
	})
}
