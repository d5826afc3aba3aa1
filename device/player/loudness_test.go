package player_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/device/player"
)

// loudness writes down how loud a sounding was, second by second.
type loudness struct {
	player.Events
	told []media.Decibel
}

func (l *loudness) Progress(p player.Progress) {
	l.Events.Progress(p)
	l.told = append(l.told, p.Level)
}

func TestProgressSaysHowLoudTheLastSecondWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		r.decoder.Samples = 6 * rate
		r.decoder.Value = func(n int64) int16 { // speech, then nothing for four seconds
			if n < 2*rate {
				return 8000
			}
			return 0
		}
		s := in(10 * time.Second)
		s.Content.Duration = 6 * time.Second
		prepared, err := r.player.Prepare(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		heard := &loudness{Events: r.journal}
		e, err := prepared.Play(t.Context(), heard)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(heard.told); n < 5 || heard.told[0] <= -3000 || heard.told[n-1] != media.Mute || e.RMS == media.Mute {
			t.Errorf("told %v, in all %v: want the first second loud, the last one silent", heard.told, e.RMS)
		}
	})
}
