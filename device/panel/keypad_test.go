package panel

import (
	"bytes"
	"context"
	"encoding/binary"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/device/board"
)

func TestACodeIsANumberAndAPINEachEndedByAHash(t *testing.T) {
	for typed, want := range map[string]string{
		"11#12345678#":                  "11 12345678",
		"11#12345678":                   "",
		"11#12*11#12345678#":            "11 12345678", // taken back and typed anew
		"##11#12345678#":                "",            // spoilt until a star
		"##*11#12345678#":               "11 12345678",
		"11##11#1#":                     "",
		"1111111111111#2#":              "",
		"11#1234567890123#*1#2#":        "1 2",
		"11#12345678#12#87654321#":      "11 12345678, 12 87654321",
		"11#x2#*1#2#":                   "1 2",
		"11#123456789012#":              "11 123456789012",
		strings.Repeat("7", 300) + "#1": "",
	} {
		var got []string
		k := typing{digits: make([]byte, 0, mostTyped)}
		for _, key := range []byte(typed) {
			if number, digits, complete := k.strike(key, time.Second); complete {
				got = append(got, number+" "+digits)
			}
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %q, want %q", typed, got, want)
		}
	}
}

func TestWhatIsTypedIsForgottenAfterAPauseAndWhenItIsDone(t *testing.T) {
	k := typing{digits: make([]byte, 0, mostTyped)}
	for i, key := range []byte("11#123456") {
		k.strike(key, time.Duration(i)*time.Second)
	}
	k.strike('7', 9*time.Second+pause)
	if _, digits, complete := k.strike(hash, 9*time.Second+pause); complete || digits != "" || k.number != "7" {
		t.Errorf("%q, %v, number %q", digits, complete, k.number)
	}
	for _, key := range []byte("*5#4321#") {
		k.strike(key, time.Hour)
	}
	if left := k.digits[:mostTyped]; !bytes.Equal(left, make([]byte, mostTyped)) || k.number != "" {
		t.Errorf("left in memory: %q, %q", left, k.number)
	}
}

// event is what the kernel says of one key.
func event(word int, kind, code uint16, value uint32) []byte {
	b := make([]byte, eventSize(word)-8)
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = binary.NativeEndian.AppendUint16(b, code)
	return binary.NativeEndian.AppendUint32(b, value)
}

func TestEventsOfBothWordSizesAreRead(t *testing.T) {
	if eventSize(32) != 16 || eventSize(64) != 24 {
		t.Fatalf("events of %d and %d bytes", eventSize(32), eventSize(64))
	}
	for _, word := range []int{32, 64} {
		var stream []byte
		for _, code := range []uint16{2, 79, 96, 0x203, 11, 82, 73, 28, 0x20b, 55} { // 1 1 # 3 0 0 9 # # *
			stream = append(stream, event(word, 4, 4, 458841)...) // a scan code comes before
			stream = append(stream, event(word, 1, code, 1)...)   // down
			stream = append(stream, event(word, 1, code, 2)...)   // held
			stream = append(stream, event(word, 1, code, 0)...)   // up
			stream = append(stream, event(word, 0, 0, 0)...)      // and that is all
			stream = append(stream, event(word, 1, 30, 1)...)     // a letter
			stream = append(stream, event(word, 2, code, 1)...)   // a mouse
			stream = append(stream, event(word, 1, 0xffff, 1)...) // no key at all
			stream = append(stream, event(word, 1, code, 1<<31)...)
		}
		var got []byte
		err := events(bytes.NewReader(append(stream, 1, 2, 3)), word, func(key byte) { got = append(got, key) })
		if string(got) != "11#3009##*" || err == nil {
			t.Errorf("%d bits: %q, %v", word, got, err)
		}
	}
}

// FuzzEvents: whatever a keypad sends, only the keys of a keypad come of it, one
// an event at most.
func FuzzEvents(f *testing.F) {
	f.Add(event(64, 1, 2, 1), true)
	f.Add(event(32, 1, 96, 1), false)
	f.Fuzz(func(t *testing.T, b []byte, wide bool) {
		word := map[bool]int{false: 32, true: 64}[wide]
		n := 0
		if err := events(bytes.NewReader(b), word, func(key byte) {
			n++
			if !strings.ContainsRune("0123456789#*", rune(key)) {
				t.Errorf("a key %q", key)
			}
		}); err == nil || n > len(b)/eventSize(word) {
			t.Errorf("%d keys, %v", n, err)
		}
	})
}

// A keypad on a real board: its device is a pipe here, which cannot be grabbed.
func TestAKeypadIsReadAndLookedForAgainWhenItIsGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "event3")
	var log bytes.Buffer
	w, err := Wire([]board.Input{{Name: "pad", Act: board.Keypad, Device: path}}, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if w.Struck("pad") == nil || w.Struck("other") != nil {
		t.Error("the keypad that is there is not the one")
	}
	if _, err := w.Active("pad"); err == nil {
		t.Error("a keypad is pressed or not")
	}
	synctest.Test(t, func(t *testing.T) { // it is not there, and comes later
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		e := &evdev{name: "pad", path: path, struck: make(chan byte), log: w.keypads["pad"].log}
		done := make(chan struct{})
		go func() { defer close(done); e.serve(ctx) }()
		<-time.After(3 * again)
		cancel()
		<-done
	})
	if strings.Count(log.String(), "cannot be read") != 1 {
		t.Errorf("the log: %s", log.String())
	}
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	finger, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer finger.Close()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.Serve(ctx) }()
	for _, code := range []uint16{2, 79, 96} {
		if _, err := finger.Write(event(strconv.IntSize, 1, code, 1)); err != nil {
			t.Fatal(err)
		}
	}
	got := []byte{<-w.Struck("pad"), <-w.Struck("pad"), <-w.Struck("pad")}
	cancel()
	if err := <-done; err == nil || string(got) != "11#" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestWhatIsTypedIsToldOnceAndStandsInNoLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "inputs")
	inputs := []board.Input{{Name: "red", Act: board.Stop}, {Name: "pad", Act: board.Keypad}}
	p, err := OpenPipe(path, inputs...)
	if err != nil {
		t.Fatal(err)
	}
	told := make(typist, 8)
	var log bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { _ = p.Serve(ctx) }()
	go func() {
		defer close(done)
		_ = New(inputs, p, told, slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))).Serve(ctx)
	}()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("pad type 11#4041\nred type 1#2#\nnone type 1#2#\npad hold\npad type 7236#" + strings.Repeat("9", 100) + "\n"); err != nil {
		t.Fatal(err)
	}
	if got := <-told; got != "pad 11 40417236" {
		t.Errorf("told %q", got)
	}
	cancel()
	<-done
	if log.Len() > 0 || len(told) > 0 {
		t.Errorf("the log: %s; %d more told", log.String(), len(told))
	}
}

// typist is told codes and nothing else.
type typist chan string

func (c typist) OnStop()                      {}
func (c typist) OnKey(string)                 {}
func (c typist) OnTalk(string, bool)          {}
func (c typist) OnStuck(string, bool, string) {}
func (c typist) OnCode(keypad, number, pin string) {
	c <- strings.Join([]string{keypad, number, pin}, " ")
}
