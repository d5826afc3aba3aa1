package lease

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// frameCases serve decoding and the fuzz seeds.
var frameCases = []struct {
	name, in string
	want     request
	err      error
}{
	{"close", `{"do":"renew","phase":"close"}`, request{Do: doRenew, Phase: Close}, nil},
	{"moving", `{"do":"renew","phase":"moving","frames":18446744073709551615}`, request{doRenew, Moving, 1<<64 - 1}, nil},
	{"release", `{"do":"release"}`, request{Do: doRelease}, nil},
	{"member of a later version", `{"do":"release","since":"2027"}`, request{Do: doRelease}, nil},
	{"not JSON", `renew please`, request{}, errFrame},
	{"negative frames", `{"do":"renew","frames":-1}`, request{}, errFrame},
	{"two objects", `{"do":"renew"}{"do":"release"}`, request{}, errFrame},
	{"empty line", ``, request{}, errFrame},
	{"too long", `{"do":"` + strings.Repeat("x", frameLimit) + `"}`, request{}, errFrame},
}

func TestFramesAreReadExactlyOrRefused(t *testing.T) {
	for _, c := range frameCases {
		t.Run(c.name, func(t *testing.T) {
			var got request
			err := readFrame(frameReader(strings.NewReader(c.in+"\n")), &got)
			if !errors.Is(err, c.err) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if err == nil && got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestAHalfFrameIsNoFrame(t *testing.T) {
	var q request
	if err := readFrame(frameReader(strings.NewReader(`{"do":"release"}`)), &q); !errors.Is(err, io.EOF) {
		t.Errorf("a line without its end was taken: %v", err)
	}
}

func TestEveryAnswerFitsAFrameAndArrivesWhole(t *testing.T) {
	long := strings.Repeat("\"\u2028", 400)
	cases := []struct {
		name   string
		err    error
		reason string
		retry  time.Duration
	}{
		{"granted", nil, "", 0},
		{"refused", &Refusal{Reason: maximumOn}, maximumOn, 0},
		{"wait is rounded up", &Refusal{Reason: minimumOff, RetryAfter: 1500001 * time.Nanosecond}, minimumOff, 2 * time.Millisecond},
		{"wrapped", fmt.Errorf("keeper: %w", &Refusal{Reason: expired}), expired, 0},
		{"other error", errors.New("bus stuck"), "bus stuck", 0},
		{"long", errors.New(long), string([]rune(long)[:64]), 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var wire bytes.Buffer
			if err := writeFrame(&wire, answerOf(c.err)); err != nil {
				t.Fatal(err)
			}
			if wire.Len() > frameLimit {
				t.Errorf("%d bytes on the wire, limit %d", wire.Len(), frameLimit)
			}
			var a answer
			if err := readFrame(frameReader(&wire), &a); err != nil {
				t.Fatal(err)
			}
			got := a.err()
			if c.err == nil {
				if got != nil {
					t.Errorf("granted became %v", got)
				}
				return
			}
			var no *Refusal
			if !errors.As(got, &no) || no.Reason != c.reason || no.RetryAfter != c.retry {
				t.Errorf("got %v, want %q after %v", got, c.reason, c.retry)
			}
		})
	}
}

func FuzzReadFrame(f *testing.F) {
	for _, c := range frameCases {
		f.Add(c.in + "\n")
	}
	f.Fuzz(func(t *testing.T, in string) {
		var q request
		if readFrame(frameReader(strings.NewReader(in)), &q) != nil {
			return
		}
		var wire bytes.Buffer
		if err := writeFrame(&wire, q); err != nil {
			t.Fatal(err)
		}
		var again request
		if wire.Len() <= frameLimit {
			if err := readFrame(frameReader(&wire), &again); err != nil || again != q {
				t.Errorf("%+v became %+v, %v", q, again, err)
			}
		}
	})
}
