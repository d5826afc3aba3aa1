package speech

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// aWave is a wave of so many samples.
func aWave(rate, samples int) []byte {
	b := waveHead(rate, int64(2*samples))
	for i := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(i%2000))
	}
	return b
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// TestMain lets this binary be the speech server of its own tests.
func TestMain(m *testing.M) {
	if how := os.Getenv("SPEECH_SERVER"); how != "" {
		if err := serveSpeech(how); err != nil {
			_, _ = os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// serveSpeech answers as it is told until its standard input ends.
func serveSpeech(how string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	handlers := map[string]http.HandlerFunc{
		"well":     speakWell,
		"garbage":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>no</html>")) },
		"failing":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"refusing": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) },
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
		},
		"hanging":  func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"dripping": drip,
		"endless":  flood,
	}
	_, _ = os.Stdout.WriteString("http://" + l.Addr().String() + "/v1/audio/speech\n")
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); os.Exit(0) }()
	return http.Serve(l, handlers[how])
}

// speakWell gives a sample for every byte of the text.
func speakWell(w http.ResponseWriter, r *http.Request) {
	var q question
	if r.Method == http.MethodHead {
		return
	}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil || q.Format != "wav" || q.Voice != "nu-bac" || q.Model != "vi-1" || q.Speed != 0.8 ||
		r.Header.Get("Authorization") != "Bearer secret" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	_, _ = w.Write(aWave(16000, 100*len(q.Input)))
}

// drip sends a wave a byte at a time and never ends.
func drip(w http.ResponseWriter, r *http.Request) {
	_, _ = w.Write(waveHead(16000, 1<<20))
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
			_, _ = w.Write([]byte{0})
			_ = http.NewResponseController(w).Flush()
		}
	}
}

// flood sends a wave of five gigabytes.
func flood(w http.ResponseWriter, _ *http.Request) {
	_, _ = w.Write(waveHead(48000, 4<<30-100))
	block := make([]byte, 1<<20)
	for range 5 << 10 {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// aServer starts a speech server in a process of its own.
func aServer(t *testing.T, how string) string {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "SPEECH_SERVER="+how)
	in, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = command.Wait() })
	line := make([]byte, 200)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(line[:n]))
}

var nuBac = []Voice{{ID: "nu-bac", Language: "vi", Name: "Nữ Bắc"}}

func TestASpeechServerIsAskedAsItWants(t *testing.T) {
	e, err := NewServer(aServer(t, "well"), "vi-1", "secret", nuBac, 20*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	s, err := e.Speak(t.Context(), Utterance{Text: "xin chào", Voice: "nu-bac", Rate: 80})
	if err != nil || s.Rate != 16000 || len(s.PCM) != 200*len("xin chào") {
		t.Errorf("%d Hz, %d bytes, %v", s.Rate, len(s.PCM), err)
	}
	if v, err := e.Voices(t.Context()); err != nil || len(v) != 1 {
		t.Errorf("%v, %v", v, err)
	}
}

func TestASpeechServerThatFailsIsDownOrRefused(t *testing.T) {
	for how, want := range map[string]error{"garbage": ErrGarbage, "failing": ErrDown, "refusing": ErrGarbage, "elsewhere": ErrGarbage,
		"hanging": ErrDown, "dripping": ErrDown, "endless": ErrGarbage} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			e, err := NewServer(aServer(t, how), "vi-1", "secret", nuBac, 4*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.Speak(t.Context(), Utterance{Text: "xin chào", Voice: "nu-bac", Rate: 80}); !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		})
	}
}

func TestASpeechServerThatIsGoneIsDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := "http://" + l.Addr().String() + "/v1/audio/speech"
	_ = l.Close()
	e, err := NewServer(address, "", "", nuBac, time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Speak(t.Context(), Utterance{Text: "a", Voice: "nu-bac", Rate: 100}); !errors.Is(err, ErrDown) {
		t.Errorf("got %v", err)
	}
	if _, err := e.Voices(t.Context()); !errors.Is(err, ErrDown) {
		t.Errorf("its voices: %v", err)
	}
	for _, bad := range []string{"", "ftp://x/", "file:///etc/passwd", "http://"} {
		if _, err := NewServer(bad, "", "", nuBac, time.Second); err == nil {
			t.Errorf("%q is taken for an address", bad)
		}
	}
}

func newEspeak(t *testing.T) Engine {
	t.Helper()
	e, err := NewEspeak(t.TempDir(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEspeakSpeaksVietnamese(t *testing.T) {
	e := newEspeak(t)
	for _, v := range espeakVoices {
		slow, err := e.Speak(t.Context(), Utterance{Text: "Kính mời bà con đến họp", Voice: v.ID, Rate: 70})
		if err != nil {
			t.Fatal(err)
		}
		quick, err := e.Speak(t.Context(), Utterance{Text: "Kính mời bà con đến họp", Voice: v.ID, Rate: 140})
		if err != nil || quick.Length() >= slow.Length() || slow.Length() < time.Second || slow.Length() > 10*time.Second {
			t.Errorf("%s: %v at 70, %v at 140, %v", v.ID, slow.Length(), quick.Length(), err)
		}
	}
}

// TestTextIsNeverAnOptionNorPhonemes: the same words sound the same however they
// are dressed up.
func TestTextIsNeverAnOptionNorPhonemes(t *testing.T) {
	e := newEspeak(t)
	say := func(text string) []byte {
		t.Helper()
		s, err := e.Speak(t.Context(), Utterance{Text: text, Voice: "vi", Rate: 100})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		return s.PCM
	}
	for dressed, plain := range map[string]string{"-f/etc/hostname": "f etc hostname", "[[kh'an]]": "kh an", "--help": "help", "<speak>a</speak>": "speak a speak",
		"-w\n/tmp/x": "w tmp x", "a; rm -rf $HOME `id`": "a rm rf HOME id"} {
		if !bytes.Equal(say(dressed), say(plain)) {
			t.Errorf("%q does not sound like %q", dressed, plain)
		}
	}
	if _, err := e.Speak(t.Context(), Utterance{Text: "a", Voice: "../../x", Rate: 100}); !errors.Is(err, ErrGarbage) {
		t.Errorf("an unknown voice: %v", err)
	}
	for _, u := range []Utterance{{Text: "", Voice: "vi", Rate: 100}, {Text: "[]", Voice: "vi", Rate: 100}, {Text: "a", Voice: "vi", Rate: 1000},
		{Text: strings.Repeat("a", longestText+1), Voice: "vi", Rate: 100}} {
		if _, err := e.Speak(t.Context(), u); !errors.Is(err, ErrGarbage) {
			t.Errorf("%.20q at %d: %v", u.Text, u.Rate, err)
		}
	}
}

// actor is a program that behaves as a script says.
func actor(t *testing.T, script string, wait time.Duration) Engine {
	t.Helper()
	path := filepath.Join(t.TempDir(), "actor")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	wave := filepath.Join(t.TempDir(), "a.wav")
	if err := os.WriteFile(wave, aWave(22050, 1000), 0o644); err != nil {
		t.Fatal(err)
	}
	e, err := NewCommand([]string{path, wave, "{voice}", "{pace}"}, nuBac, t.TempDir(), wait, quiet())
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestACommandGetsTheTextAndItsVoice(t *testing.T) {
	e := actor(t, `read line; [ "$line" = "xin chào, bà con" ] && [ "$2" = nu-bac ] && [ "$3" = 1.25 ] && exec cat "$1"`, 20*time.Second)
	s, err := e.Speak(t.Context(), Utterance{Text: "xin chào, bà con", Voice: "nu-bac", Rate: 80})
	if err != nil || s.Rate != 22050 || len(s.PCM) != 2000 {
		t.Errorf("%d Hz, %d bytes, %v", s.Rate, len(s.PCM), err)
	}
}

func TestACommandThatFailsIsDownOrRefused(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		want   error
	}{
		"ends badly":    {"exit 1", ErrDown},
		"fails midway":  {`head -c 1000 "$1"; exit 1`, ErrDown},
		"says nothing":  {"cat >/dev/null", ErrGarbage},
		"garbage":       {"echo no wave here, sorry", ErrGarbage},
		"hangs":         {"exec sleep 1000", ErrDown},
		"breaks off":    {`head -c 20 "$1"`, ErrGarbage},
		"without end":   {`head -c 44 "$1"; exec cat /dev/zero`, ErrDown},
		"an empty wave": {`head -c 44 "$1"`, ErrGarbage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := actor(t, c.script, 5*time.Second).Speak(t.Context(), Utterance{Text: "a", Voice: "nu-bac", Rate: 100})
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestAProgramThatIsGoneIsDown(t *testing.T) {
	e, err := NewCommand([]string{"/nowhere/piper"}, nuBac, t.TempDir(), time.Second, quiet())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Voices(t.Context()); !errors.Is(err, ErrDown) {
		t.Errorf("its voices: %v", err)
	}
	if _, err := e.Speak(t.Context(), Utterance{Text: "a", Voice: "nu-bac", Rate: 100}); err == nil {
		t.Error("it spoke")
	}
	if _, err := NewCommand([]string{"piper"}, nuBac, t.TempDir(), time.Second, quiet()); err == nil {
		t.Error("a path that is not absolute is taken")
	}
}

func TestAnUtteranceEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := newEspeak(t).Speak(ctx, Utterance{Text: "a", Voice: "vi", Rate: 100}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestWavesAreReadAsTheyAre(t *testing.T) {
	stereo := aWave(16000, 4)
	binary.LittleEndian.PutUint16(stereo[22:], 2)
	endless := aWave(16000, 4)
	binary.LittleEndian.PutUint32(endless[40:], 0x7fffffff)
	for name, c := range map[string]struct {
		wave []byte
		want int // bytes of sound; -1 for garbage
	}{
		"as it is": {aWave(16000, 100), 200}, "of unknown length": {endless, 8}, "stereo": {stereo, 4}, "nothing": {nil, -1}, "no wave": {[]byte("ID3 something else"), -1},
		"cut in its header": {aWave(16000, 1)[:30], -1}, "no samples": {aWave(16000, 0), -1}, "a rate of nobody": {aWave(1, 10), -1},
		"longer than a sentence": {aWave(8000, 8000*301), -1},
	} {
		s, err := ReadWave(bytes.NewReader(c.wave))
		if c.want < 0 && !errors.Is(err, ErrGarbage) || c.want >= 0 && (err != nil || len(s.PCM) != c.want) {
			t.Errorf("%s: %d bytes, %v", name, len(s.PCM), err)
		}
	}
}

func FuzzWave(f *testing.F) {
	f.Add(aWave(16000, 10))
	f.Add(aWave(48000, 3)[:40])
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ReadWave(bytes.NewReader(b))
		if err != nil && !errors.Is(err, ErrGarbage) || err == nil && (len(s.PCM) == 0 || len(s.PCM)%2 != 0 || len(s.PCM) > len(b) || s.Length() > longestSpoken) {
			t.Fatalf("%d bytes of %d, %v", len(s.PCM), len(b), err)
		}
	})
}
