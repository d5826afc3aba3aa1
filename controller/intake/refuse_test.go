package intake

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// mustRefuse checks a refusal, that it speaks to a person in both languages, and that nothing stays.
func mustRefuse(t *testing.T, in *Intake, data []byte, code Code) *Refusal {
	t.Helper()
	before := files(t, in)
	_, err := take(t, in, data)
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		t.Fatalf("got %v, wanted the refusal %s", err, code)
	}
	if refusal.Code != code {
		t.Errorf("refused as %s (%v), wanted %s", refusal.Code, err, code)
	}
	mustSpeak(t, refusal)
	if after := files(t, in); !slices.Equal(before, after) {
		t.Errorf("left behind: %q", after)
	}
	return refusal
}

// mustSpeak checks the texts of a refusal.
func mustSpeak(t *testing.T, r *Refusal) {
	t.Helper()
	for _, text := range []string{r.English, r.Vietnamese} {
		if len(text) < 20 || len(text) > 600 || strings.Contains(text, "%!") || strings.Contains(text, "/tmp") {
			t.Errorf("%s says %q", r.Code, text)
		}
	}
	if r.English == r.Vietnamese {
		t.Errorf("%s speaks one language", r.Code)
	}
}

func TestWhatIsNoRecordingIsRefusedWithItsReason(t *testing.T) {
	t.Parallel()
	said := speech(t)
	m4a := into(t, said, "m4a", "-c:a", "aac")
	mp3 := lame(t, said, "-b", "64")
	noise := make([]byte, 200_000)
	for i := range noise {
		noise[i] = byte(i * i >> 3)
	}
	cases := map[string]struct {
		data []byte
		code Code
	}{
		"nothing":            {nil, Empty},
		"text":               {[]byte("Kính thưa bà con, hôm nay họp thôn."), NotAudio},
		"m3u":                {[]byte("#EXTM3U\n#EXTINF:1\nfile:///etc/passwd\n"), NotAudio},
		"web page":           {[]byte("<!DOCTYPE html><html>login</html>"), NotAudio},
		"noise":              {noise, NotAudio},
		"only a tag":         {id3(500, 500), NotAudio},
		"wav without sample": {wave(48000, 1, nil), Empty},
		"digital silence":    {wave(48000, 2, make([]int16, 2*48000)), Silent},
		"faint hiss":         {wave(48000, 1, sine(2, -75)), Silent},
		"wav cut off":        {cut(wave(44100, 1, chords(3, 1)), 3), Truncated},
		"mp3 cut off":        {mp3[:len(mp3)/3], Truncated},
		"flac cut off":       {cut(into(t, said, "flac"), 3), Truncated},
		"m4a cut off":        {m4a[:len(m4a)/2], Undecodable},
		"free format":        {lame(t, wave(44100, 1, chords(1, 1)), "--freeformat", "-b", "400"), Undecodable},
		"two sounds":         {into(t, said, "webm", "-map", "0", "-map", "0", "-c:a", "libopus"), SeveralStreams},
		"film without sound": {into(t, said, "mp4", "-f", "lavfi", "-i", "color=c=red:s=32x32:d=1", "-map", "1:v"), NoSound},
		"1 Hz":               {wave(1, 1, make([]int16, 1000)), Undecodable},
		"header only":        {said[:44], Empty},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mustRefuse(t, newIntake(t), c.data, c.code)
		})
	}
}

// cut keeps the first part of a file.
func cut(file []byte, of int) []byte { return file[:len(file)/of] }

func TestAnHourIsTheLimitWhetherDeclaredOrNot(t *testing.T) {
	t.Parallel()
	t.Run("61 minutes declared", func(t *testing.T) {
		t.Parallel()
		refusal := mustRefuse(t, newIntake(t), wave(4000, 1, make([]int16, 4000*61*60)), TooLong)
		if !strings.Contains(refusal.English, "60 min") {
			t.Errorf("says %q", refusal.English)
		}
	})
	t.Run("found by decoding", func(t *testing.T) {
		t.Parallel()
		in := newIntake(t, func(c *Config) { c.limits.duration = time.Second })
		mustRefuse(t, in, amr(120), TooLong)
		accepted(t, in, amr(50))
	})
	t.Run("declared short, endless inside", func(t *testing.T) {
		t.Parallel()
		in := newIntake(t, func(c *Config) { c.limits.duration = time.Second })
		bomb := into(t, wave(48000, 1, make([]int16, 48000*3)), "flac", "-compression_level", "12")
		// The count of samples stands in 36 bits that end at byte 26.
		copy(bomb[22:26], []byte{0, 0, 0x5d, 0xc0})
		mustRefuse(t, in, bomb, TooLong)
	})
}

func TestAnUploadEndsAtItsLimit(t *testing.T) {
	t.Parallel()
	in := newIntake(t, func(c *Config) { c.limits.bytes = 100_000 })
	endless := &endless{}
	_, err := in.Take(t.Context(), "bomb.wav", endless, nil)
	var refusal *Refusal
	if !errors.As(err, &refusal) || refusal.Code != TooLarge {
		t.Fatalf("got %v", err)
	}
	mustSpeak(t, refusal)
	if endless.given > 300_000 {
		t.Errorf("%d bytes were read beyond a limit of 100000", endless.given)
	}
	if kept := files(t, in); len(kept) > 0 {
		t.Errorf("left behind: %q", kept)
	}
	if standard.bytes != 200_000_000 || standard.duration != time.Hour {
		t.Errorf("the limits are %+v", standard)
	}
}

// endless gives bytes for ever.
type endless struct{ given int }

func (e *endless) Read(p []byte) (int, error) {
	e.given += len(p)
	return len(p), nil
}

func TestAnUploadThatBreaksOffLeavesNothing(t *testing.T) {
	t.Parallel()
	in := newIntake(t)
	gone := errors.New("connection reset")
	_, err := in.Take(t.Context(), "a.mp3", &broken{speech(t)[:5000], gone}, nil)
	if !errors.Is(err, gone) || !strings.Contains(err.Error(), "5000 bytes") {
		t.Errorf("got %v", err)
	}
	if kept := files(t, in); len(kept) > 0 {
		t.Errorf("left behind: %q", kept)
	}
}

// broken gives some bytes and then an error.
type broken struct {
	data []byte
	err  error
}

func (b *broken) Read(p []byte) (int, error) {
	if len(b.data) == 0 {
		return 0, b.err
	}
	n := copy(p, b.data)
	b.data = b.data[n:]
	return n, nil
}

func TestEveryRefusalSpeaksBothLanguages(t *testing.T) {
	t.Parallel()
	for code, reason := range reasons {
		var detail []any
		for range strings.Count(reason.english, "%s") {
			detail = append(detail, "x")
		}
		refusal := refuse(code, os.ErrInvalid, detail...)
		mustSpeak(t, refusal)
		if !errors.Is(refusal, os.ErrInvalid) || !strings.HasPrefix(refusal.Error(), string(code)+": ") {
			t.Errorf("%v", refusal)
		}
		if code.Retry() != (code == Busy || code == DiskFull) {
			t.Errorf("%s: retry %v", code, code.Retry())
		}
	}
}

func TestAStrangersNameIsMadeHarmless(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"tin.mp3":                "tin.mp3",
		"Thông báo số 3.m4a":     "Thông báo số 3.m4a",
		"../../etc/passwd":       "passwd",
		`C:\Users\Lan\tin.mp3`:   "tin.mp3",
		"a\x00b\r\n\x1b[31m.mp3": "ab[31m.mp3",
		"":                       "unnamed",
		"/":                      "unnamed",
		"..":                     "unnamed",
		"\xff\xfe.mp3":           "\uFFFD.mp3",
		"\u202Egpj.mp3":          "gpj.mp3",
	} {
		if got := clean(given); got != want {
			t.Errorf("%q became %q, wanted %q", given, got, want)
		}
	}
	if got := clean(strings.Repeat("ạ", 500)); len([]rune(got)) != 200 {
		t.Errorf("%d characters stay", len([]rune(got)))
	}
}

func TestOnlyNamesOfContentOpen(t *testing.T) {
	t.Parallel()
	in := newIntake(t)
	c := accepted(t, in, speech(t))
	for _, name := range []string{"", "..", "../../etc/passwd", ".staging", strings.ToUpper(c.SHA256), c.SHA256[:63],
		c.SHA256 + "/", strings.Repeat("0", 64), fmt.Sprintf("%064s", "../../x")} {
		if opened, err := in.Open(name); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%q opened: %v, %v", name, opened, err)
		}
	}
}
