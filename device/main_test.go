package main

import (
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/board"
	"github.com/loaxa/loaxa/device/config"
)

// TestMain makes this test the program that its scripts call, and the decoder
// that the program starts of itself.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"loaxa-device": main})
}

func TestCommandsSayWhatTheyDoAndWhatIsWrong(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script"})
}

func TestEveryBoardHasASoundCardThatCanBeNamed(t *testing.T) {
	for _, name := range board.Names() {
		profile, err := board.Named(name)
		if err != nil {
			t.Fatal(err)
		}
		open := sinks(config.Config{Data: t.TempDir()}, profile, nil)
		if _, err := open(time.Now); err != nil && !strings.Contains(err.Error(), "alsa") {
			t.Errorf("%s: %v", name, err)
		}
	}
	profile, err := board.Named("simulated")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sinks(config.Config{Sound: config.Sound{Kind: "pipe"}}, profile, nil)(time.Now); err == nil {
		t.Error("a card that does not exist is opened")
	}
}

func TestNoClockIsOlderThanTheProgram(t *testing.T) {
	if at := built(); at < broadcast.InstantOf(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("built %s", at)
	}
	if version() == "" {
		t.Error("no version")
	}
}
