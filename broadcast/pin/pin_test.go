package pin_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pin"
)

// seeded is the same entropy in every run.
func seeded(seed byte) *rand.ChaCha8 { return rand.NewChaCha8([32]byte{seed}) }

func TestAPINOpensItsOwnLockAndNoOther(t *testing.T) {
	entropy := seeded(1)
	digits, lock, err := pin.New(entropy)
	if err != nil || len(digits) != pin.Digits || strings.Trim(digits, "0123456789") != "" {
		t.Fatalf("%q, %v", digits, err)
	}
	if err := lock.Validate(); err != nil || strings.Contains(string(lock), digits) {
		t.Errorf("%s: %v", lock, err)
	}
	if !pin.Opens(lock, digits) {
		t.Error("a PIN does not open its lock")
	}
	other, second, err := pin.New(entropy)
	if err != nil || other == digits || second == lock {
		t.Fatalf("the second is %q, %v", other, err)
	}
	wrong := []byte(digits)
	wrong[7] = '0' + (wrong[7]-'0'+1)%10
	for name, try := range map[string]string{"one digit off": string(wrong), "of another": other, "too short": digits[:7], "longer": digits + "0",
		"nothing": "", "no digits": "abcdefgh", "over-long": strings.Repeat("1", 1<<16)} {
		if pin.Opens(lock, try) {
			t.Errorf("%s: opens", name)
		}
	}
	for _, broken := range []broadcast.Lock{"", "AAAA", broadcast.Lock(strings.Repeat("!", 64)), lock[:63]} {
		if pin.Opens(broken, digits) {
			t.Errorf("opens %q", broken)
		}
	}
}

// The same PIN behind two salts is two locks: nobody sees that two people share one.
func TestALockShowsNothingOfItsPIN(t *testing.T) {
	same := func(salt byte) (string, broadcast.Lock) {
		digits, lock, err := pin.New(strings.NewReader(strings.Repeat("d", 16) + strings.Repeat(string(rune(salt)), 16)))
		if err != nil {
			t.Fatal(err)
		}
		return digits, lock
	}
	a, one := same('a')
	b, two := same('b')
	if a != b || one[22:] == two[22:] {
		t.Errorf("PINs %q and %q behind %s and %s", a, b, one, two)
	}
}

func TestWithoutEntropyThereIsNoPIN(t *testing.T) {
	dry := errors.New("dry")
	if digits, _, err := pin.New(iotest.ErrReader(dry)); !errors.Is(err, dry) || digits != "" {
		t.Errorf("%q, %v", digits, err)
	}
}

func BenchmarkOpens(b *testing.B) {
	digits, lock, err := pin.New(seeded(1))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		pin.Opens(lock, digits)
	}
}
