package intake

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
)

// newIntake opens an intake on an empty folder, with other limits if change is given.
func newIntake(t *testing.T, change ...func(*Config)) *Intake {
	t.Helper()
	bounds := standard
	bounds.jobs = 16 // tests are parallel already
	config := Config{Dir: t.TempDir(), Log: slog.New(slog.DiscardHandler), limits: &bounds}
	for _, c := range change {
		c(&config)
	}
	in, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// take hands a file's bytes to an intake.
func take(t *testing.T, in *Intake, data []byte) (Content, error) {
	t.Helper()
	return in.Take(t.Context(), "tin.mp3", bytes.NewReader(data), nil)
}

// accepted is take for what must be accepted.
func accepted(t *testing.T, in *Intake, data []byte) Content {
	t.Helper()
	c, err := take(t, in, data)
	if err != nil {
		t.Fatalf("not accepted: %v", err)
	}
	return c
}

// sh runs a program with data as its input and returns its output.
func sh(t *testing.T, data []byte, program string, args ...string) []byte {
	t.Helper()
	command := exec.CommandContext(t.Context(), program, args...)
	command.Stdin = bytes.NewReader(data)
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s %q: %v: %s", program, args, err, said.String())
	}
	return out
}

// into converts with ffmpeg through a file, as muxers that seek back need; ext is the container.
func into(t *testing.T, data []byte, ext string, args ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "made."+ext)
	sh(t, data, "ffmpeg", append(append([]string{"-v", "error", "-i", "pipe:0"}, args...), out)...)
	made, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// lame encodes into a file, as people do: only then it writes how many frames there are.
func lame(t *testing.T, data []byte, args ...string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "made.mp3")
	sh(t, data, "lame", append(append([]string{"--quiet"}, args...), "-", out)...)
	made, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// speech is a sentence of about three seconds as espeak-ng says it: WAV, 22.05 kHz mono.
func speech(t *testing.T) []byte {
	t.Helper()
	return sh(t, []byte("Kính thưa bà con, sáng mai họp thôn."), "espeak-ng", "-v", "vi", "--stdin", "--stdout")
}

// wave is a WAV file of samples.
func wave(rate, channels int, samples []int16) []byte {
	var b bytes.Buffer
	size := 2 * len(samples)
	b.WriteString("RIFF")
	binary.Write(&b, binary.LittleEndian, uint32(36+size))
	b.WriteString("WAVEfmt ")
	for _, v := range []any{uint32(16), uint16(1), uint16(channels), uint32(rate), uint32(2 * rate * channels),
		uint16(2 * channels), uint16(16)} {
		binary.Write(&b, binary.LittleEndian, v)
	}
	b.WriteString("data")
	binary.Write(&b, binary.LittleEndian, uint32(size))
	binary.Write(&b, binary.LittleEndian, samples)
	return b.Bytes()
}

// chords is music of a kind: decaying chords with overtones, interleaved if stereo.
func chords(seconds float64, channels int) []int16 {
	samples := make([]int16, 0, int(seconds*44100)*channels)
	for i := range int(seconds * 44100) {
		at := float64(i) / 44100
		root := []float64{220, 174.6, 261.6, 196}[int(at*2)%4]
		decay := math.Exp(-3 * math.Mod(at, 0.5))
		for side := range channels {
			v := 0.0
			for k, ratio := range []float64{1, 1.26, 1.5} {
				for overtone := 1.0; overtone <= 4; overtone++ {
					v += math.Sin(2*math.Pi*root*ratio*overtone*at+float64(k+side)) / (overtone * overtone)
				}
			}
			samples = append(samples, int16(6000*decay*v))
		}
	}
	return samples
}

// sine is a tone at 48 kHz mono; level in dB below full scale.
func sine(seconds, level float64) []int16 {
	samples := make([]int16, int(seconds*48000))
	for i := range samples {
		samples[i] = int16(32767 * math.Pow(10, level/20) * math.Sin(2*math.Pi*997*float64(i)/48000))
	}
	return samples
}

// pcm decodes any file with ffmpeg alone: canonical samples, independent of the code under test.
func pcm(t *testing.T, data []byte) []int16 {
	t.Helper()
	file := filepath.Join(t.TempDir(), "any")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	raw := sh(t, nil, "ffmpeg", "-v", "error", "-nostdin", "-i", file, "-vn", "-ar", "48000", "-ac", "1", "-f", "s16le", "pipe:1")
	return words(raw)
}

// stored reads what an intake keeps under a name.
func stored(t *testing.T, in *Intake, name string) []byte {
	t.Helper()
	opened, err := in.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	data, err := io.ReadAll(opened)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// judge128 decodes canonical bytes with ffmpeg and measures loudness and true peak with its ebur128;
// neither shares anything with ours.
func judge128(t *testing.T, data []byte) (samples []int16, loudness, peak float64) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "ffmpeg", "-hide_banner", "-nostats", "-i", "pipe:0",
		"-af", "ebur128=peak=true:framelog=verbose", "-ar", "48000", "-ac", "1", "-f", "s16le", "pipe:1")
	command.Stdin = bytes.NewReader(data)
	var said bytes.Buffer
	command.Stderr = &said
	raw, err := command.Output()
	if err != nil {
		t.Fatalf("ebur128: %v: %s", err, said.String())
	}
	if !strings.Contains(said.String(), "Audio: opus, 48000 Hz, mono") || strings.Contains(said.String(), "Bí thư") {
		t.Errorf("not Ogg Opus, 48 kHz mono, without tags: %s", said.String())
	}
	_, summary, _ := strings.Cut(said.String(), "Summary:")
	number := func(label string) float64 {
		found := regexp.MustCompile(label + `:\s+(-?[0-9.]+)`).FindStringSubmatch(summary)
		if found == nil {
			t.Fatalf("no %s in %s", label, said.String())
		}
		v, _ := strconv.ParseFloat(found[1], 64)
		return v
	}
	return words(raw), number("I"), number("Peak")
}

// words reads raw sound.
func words(raw []byte) []int16 {
	samples := make([]int16, len(raw)/2)
	for i := range samples {
		samples[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	return samples
}

// mustBeCanonical checks one stored object against all that the package promises of its bytes, and
// returns what it sounds like.
func mustBeCanonical(t *testing.T, in *Intake, c Content) []int16 {
	t.Helper()
	data := stored(t, in, c.SHA256)
	if !holds(must(in.folder.path(c.SHA256)), c.SHA256) || int64(len(data)) != c.Bytes {
		t.Errorf("name or size do not fit the bytes: %s, %d of %d", c.SHA256, len(data), c.Bytes)
	}
	samples, loudness, peak := judge128(t, data)
	if math.Abs(loudness+16) > 1 || math.Abs(loudness-float64(c.Loudness)/100) > 0.5 {
		t.Errorf("ffmpeg measures %.1f LUFS, we say %v, wanted -16 ±1", loudness, c.Loudness)
	}
	if peak > -0.9 || c.TruePeak > -100 || math.Abs(peak-float64(c.TruePeak)/100) > 0.5 {
		t.Errorf("ffmpeg measures %.1f dBTP, we say %v, wanted at most -1", peak, c.TruePeak)
	}
	if math.Abs(float64(len(samples))/48000-c.Duration.Seconds()) > 0.0001 {
		t.Errorf("%d samples, but a duration of %v", len(samples), c.Duration)
	}
	return samples
}

// mustKeepTheWave compares canonical sound with its source as ffmpeg decodes it.
func mustKeepTheWave(t *testing.T, source []byte, got []int16) {
	t.Helper()
	want := pcm(t, source)
	// From a pipe the padding that an encoder put behind the end stays: up to 50 ms of silence.
	if more := len(got) - len(want); more < -len(want)/100 || more > max(len(want)/100, media.SampleRate/20) {
		t.Errorf("%d samples became %d", len(want), len(got))
	}
	if alike, lag := media.Correlate(want, got); alike < 0.9 {
		t.Errorf("correlation with the source %.3f at lag %d, wanted 0.9", alike, lag)
	}
}

// remarked reports whether content carries a remark.
func remarked(c Content, code RemarkCode) bool {
	for _, r := range c.Remarks {
		if r.Code == code && r.English != "" && r.Vietnamese != "" {
			return true
		}
	}
	return false
}

// files lists all regular files below an intake's folder.
func files(t *testing.T, in *Intake) []string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(in.folder.dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && (!d.IsDir() || filepath.Dir(p) == in.folder.staging) {
			found = append(found, p)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// soon bounds what must not hang.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}
