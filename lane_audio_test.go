package loaxa

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// speech is what an office would say, of about twelve seconds.
const speech = "Đây là thông báo khẩn cấp của Ủy ban nhân dân huyện Bắc Quang. Nước sông Lô đang lên nhanh. " +
	"Đề nghị bà con ở vùng thấp khẩn trương di chuyển đến nơi an toàn, và làm theo hướng dẫn của cán bộ xã. Xin nhắc lại, nước đang lên nhanh."

// spokenMP3 has a text read in Vietnamese and makes an MP3 of it.
func spokenMP3(t testing.TB, text string) string {
	t.Helper()
	dir := t.TempDir()
	wav, mp3 := filepath.Join(dir, "tin.wav"), filepath.Join(dir, "tin.mp3")
	tool(t, nil, "espeak-ng", "-v", "vi", "-w", wav, text)
	tool(t, nil, "ffmpeg", "-v", "error", "-nostdin", "-i", wav, "-b:a", "64k", mp3)
	return mp3
}

// musicMP3 plays a tune of the given number of half seconds on two channels
// and makes an MP3 of it with LAME.
func musicMP3(t testing.TB, notes int) string {
	t.Helper()
	dir := t.TempDir()
	raw, mp3 := filepath.Join(dir, "nhac.raw"), filepath.Join(dir, "nhac.mp3")
	if err := os.WriteFile(raw, tune(notes), 0o644); err != nil {
		t.Fatal(err)
	}
	tool(t, nil, "lame", "--quiet", "-r", "-s", "44.1", "-m", "j", "--little-endian", "-b", "128", raw, mp3)
	return mp3
}

// tune is a melody in C over a bass, 44.1 kHz, stereo, 16 bit.
func tune(notes int) []byte {
	const rate, beat = 44100, 44100 / 2
	melody := []float64{0, 4, 7, 12, 11, 7, 9, 5, 4, 2, 7, 12, 16, 14, 12, 7}
	var out []byte
	for i := range notes * beat {
		n, at := i/beat, float64(i%beat)/rate
		high := 261.63 * math.Pow(2, melody[n%len(melody)]/12)
		tone := math.Exp(-3*at) * math.Min(1, at*200)
		left, right := 0.0, 0.0
		for h := 1.0; h <= 4; h++ {
			left += tone * math.Sin(2*math.Pi*high*h*at) / h
			right += tone * math.Sin(2*math.Pi*high*h*at+h) / h
		}
		bass := 0.6 * math.Sin(2*math.Pi*130.81*float64(i)/rate)
		out = binary.LittleEndian.AppendUint16(out, uint16(int16(9000*(left+bass))))
		out = binary.LittleEndian.AppendUint16(out, uint16(int16(9000*(right+bass))))
	}
	return out
}

// decoded is a recording as anybody else's player hears it: 48 kHz, mono.
func decoded(t testing.TB, path string) []int16 {
	t.Helper()
	raw := tool(t, nil, "ffmpeg", "-v", "error", "-nostdin", "-i", path, "-f", "s16le", "-ac", "1", "-ar", "48000", "-")
	pcm := make([]int16, len(raw)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(raw[2*i:]))
	}
	if len(pcm) == 0 {
		t.Fatalf("%s: no sound in it", path)
	}
	return pcm
}

// tool runs a program of the system.
func tool(t testing.TB, in []byte, name string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(name, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(in), &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v: %s (scripts/setup installs what is missing)", name, err, errs.Bytes())
	}
	return out.Bytes()
}
