package intake

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/controller/box"
)

// secretTone is a neighbouring file that must never be heard: 3 s of a tone that nothing else has.
func secretTone(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret.wav")
	if err := os.WriteFile(file, wave(48000, 1, sine(3, -10)), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// decodeAs runs the measuring command line on bytes as if the sniffer had taken them for a
// container, and returns how much sound came out.
func decodeAs(t *testing.T, in *Intake, c media.Container, data []byte) int64 {
	t.Helper()
	upload, err := in.folder.receive(t.Context(), bytes.NewReader(data), 1<<20, func(Progress) {})
	if err != nil {
		t.Fatal(err)
	}
	defer upload.discard()
	opened, err := upload.open(0)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	got := int64(0)
	args := setting{mix: plainMono}.arguments(c, 60, rawOutput())
	_, err = in.engine.run(t.Context(), in.engine.ffmpeg, args, opened, func(r io.Reader) error {
		got, err = io.Copy(io.Discard, r)
		return err
	})
	var child *box.Failure
	if err != nil && !errors.As(err, &child) {
		t.Fatal(err)
	}
	return got
}

func TestAPlaylistNamedMP3NeverReadsItsNeighbour(t *testing.T) {
	t.Parallel()
	in, secret := newIntake(t), secretTone(t)
	concat := []byte("ffconcat version 1.0\nfile 'file:" + secret + "'\n")
	// The attack works on a converter that guesses:
	guessed := sh(t, concat, "ffmpeg", "-v", "error", "-safe", "0", "-protocol_whitelist", "file,pipe",
		"-f", "concat", "-i", "pipe:0", "-f", "s16le", "pipe:1")
	if len(guessed) < 96000 {
		t.Fatal("this ffmpeg does not follow ffconcat: the test proves nothing")
	}
	for name, playlist := range map[string][]byte{
		"ffconcat":     concat,
		"behind a tag": append(id3(100, 100), concat...),
		"m3u8":         []byte("#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nfile://" + secret + "\n#EXT-X-ENDLIST\n"),
	} {
		t.Run(name, func(t *testing.T) {
			mustRefuse(t, in, playlist, NotAudio)
		})
		for _, c := range []media.Container{media.MP3, media.WAV, media.M4A, media.Ogg, media.FLAC, media.WebM, media.AAC, media.AMR} {
			if n := decodeAs(t, in, c, playlist); n > 0 {
				t.Errorf("%s taken for %s gave %d bytes of sound", name, c, n)
			}
		}
	}
}

func TestAnMP4ThatPointsToAnotherFileReadsNothingOfIt(t *testing.T) {
	t.Parallel()
	in, secret := newIntake(t), secretTone(t)
	raw := wave(48000, 1, sine(3, -10))
	pointing := redirect(t, into(t, raw, "mov", "-c:a", "pcm_s16le"), secret)
	file := filepath.Join(t.TempDir(), "pointing.mov")
	if err := os.WriteFile(file, pointing, 0o600); err != nil {
		t.Fatal(err)
	}
	followed := sh(t, nil, "ffmpeg", "-v", "error", "-nostdin", "-enable_drefs", "1", "-use_absolute_path", "1", "-i", file, "-f", "s16le", "pipe:1")
	if len(followed) < 96000 || bytes.Count(followed, []byte{0}) == len(followed) {
		t.Fatal("this ffmpeg does not follow the reference: the test proves nothing")
	}
	if n := decodeAs(t, in, media.MP4, pointing); n > 0 {
		t.Errorf("%d bytes of sound came out of another file", n)
	}
	c, err := take(t, in, pointing)
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		t.Errorf("accepted as %+v, %v", c, err)
	}
}

// redirect replaces the data reference of a QuickTime file by an alias to an absolute path and
// removes its own sound, so that whatever is heard comes from there.
func redirect(t *testing.T, file []byte, target string) []byte {
	t.Helper()
	const alias = 4 + 150 // version and flags (not this file), then fields of fixed length
	entry := make([]byte, alias)
	path := append(binary.BigEndian.AppendUint16(nil, 2), binary.BigEndian.AppendUint16(nil, uint16(len(target)))...)
	path = append(path, target...)
	if len(target)%2 == 1 {
		path = append(path, 0)
	}
	body := append(append(entry, path...), 0xff, 0xff, 0, 0)
	made := append([]byte{0, 0, 0, 0}, "alis"...)
	made = append(made, body...)
	binary.BigEndian.PutUint32(made, uint32(len(made)))
	dref := bytes.Index(file, []byte("dref"))
	if dref < 0 || string(file[dref+16:dref+20]) != "url " {
		t.Fatalf("no data reference at %d", dref)
	}
	grown := uint32(len(made) - 12)
	for _, part := range []string{"moov", "trak", "mdia", "minf", "dinf", "dref"} {
		at := bytes.LastIndex(file[:dref+4], []byte(part)) - 4
		binary.BigEndian.PutUint32(file[at:], binary.BigEndian.Uint32(file[at:])+grown)
	}
	out := append(bytes.Clone(file[:dref+12]), made...)
	out = append(out, file[dref+24:]...)
	mdat := bytes.Index(out, []byte("mdat")) + 4
	clear(out[mdat : bytes.Index(out, []byte("moov"))-4])
	return out
}

func TestAChildHasNoNetworkNoFilesAndBounds(t *testing.T) {
	t.Parallel()
	var warned bytes.Buffer
	in := newIntake(t, func(c *Config) { c.Log = slog.New(slog.NewTextHandler(&warned, nil)) })
	ask := func(script string) (string, error) {
		var told bytes.Buffer
		_, err := in.engine.run(t.Context(), "/bin/sh", []string{"-c", script}, nil, bounded(&told))
		return told.String(), err
	}
	devices, err := ask("cat /proc/net/dev")
	if err != nil {
		t.Fatal(err)
	}
	if interfaces := strings.Count(devices, ":"); interfaces > 1 && !strings.Contains(warned.String(), "network namespace") {
		t.Errorf("%d interfaces and no warning: %s", interfaces, devices)
	}
	bounds, err := ask("ulimit -v; ulimit -t; ulimit -n; ulimit -f; ulimit -c; ls -A; env | wc -l")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Fields(bounds)
	if got := strings.Join(lines[:5], " "); got != "786432 900 64 0 0" {
		t.Errorf("bounds %q", got)
	}
	if n, _ := strconv.Atoi(lines[len(lines)-1]); len(lines) != 6 || n > 5 {
		t.Errorf("a child finds files or variables: %q", bounds)
	}
	if _, err := ask("echo x > here"); err == nil {
		t.Error("a child wrote a file")
	}
	if _, err := ask("kill -SEGV $$"); !errors.Is(err, box.ErrExhausted) {
		t.Errorf("a crash reads as %v", err)
	}
}

// actor makes an ffmpeg that answers the first question and then behaves as the script says.
func actor(t *testing.T, script string) func(*Config) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"ffprobe": `exec ffprobe "$@"`,
		"ffmpeg":  `case "$*" in *encoder=libopus*) exec ffmpeg "$@";; esac` + "\n" + script,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return func(c *Config) { c.FFmpeg = filepath.Join(dir, "ffmpeg") }
}

// running reports whether any process has a word on its command line.
func running(t *testing.T, word string) bool {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range lines {
		line, _ := os.ReadFile(name) // it may have ended meanwhile
		if bytes.Contains(line, []byte(word)) {
			return true
		}
	}
	return false
}

func TestAConverterThatHangsIsKilled(t *testing.T) {
	t.Parallel()
	word := fmt.Sprintf("86399.%d", os.Getpid())
	in := newIntake(t, actor(t, "sleep "+word+" & sleep "+word), func(c *Config) { c.limits.step = time.Second })
	mustRefuse(t, in, speech(t), TooCostly)
	if running(t, word) {
		t.Error("a child of the child lives on")
	}
}

func TestAConverterThatShoutsIsNotHeardOut(t *testing.T) {
	t.Parallel()
	in := newIntake(t, actor(t, `head -c 5000000 /dev/zero | tr '\0' x >&2; exit 1`))
	refusal := mustRefuse(t, in, speech(t), Undecodable)
	if n := len(errors.Unwrap(refusal).Error()); n > 4096 {
		t.Errorf("%d bytes of its shouting were kept", n)
	}
}

func TestAConverterThatGrowsIsStopped(t *testing.T) {
	t.Parallel()
	in := newIntake(t, actor(t, `exec dd if=/dev/zero bs=1000000000 count=1`))
	_, err := take(t, in, speech(t))
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		t.Errorf("got %v", err)
	}
}
