package broadcast_test

import (
	"crypto/ed25519"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
)

// accepts proves that each text is refused or taken as the table says.
func accepts[T broadcast.Validator](t *testing.T, of func(string) T, bad, good []string) {
	t.Helper()
	for _, s := range bad {
		if of(s).Validate() == nil {
			t.Errorf("%T %q was accepted", of(s), s)
		}
	}
	for _, s := range good {
		if err := of(s).Validate(); err != nil {
			t.Errorf("%T %q: %v", of(s), s, err)
		}
	}
}

func TestIDIsSafeInTopicsFilesAndAddresses(t *testing.T) {
	accepts(t, func(s string) broadcast.ID { return broadcast.ID(s) },
		[]string{"", "A", "xã", "a b", "a/b", "a.b", "..", "a_b", "a+b", "a#b", "a\n", "\na", "a\x00", "a\u200b", strings.Repeat("a", 41)},
		[]string{"a", "0", "-", "tan-lap-1", strings.Repeat("z", 40)})
}

func TestDigestIsLowerCaseHexadecimal(t *testing.T) {
	sum := string(broadcast.Sum([]byte("loaxa")))
	accepts(t, func(s string) broadcast.Digest { return broadcast.Digest(s) },
		[]string{"", sum[1:], sum + "0", strings.ToUpper(sum), sum[:63] + "g", sum + "\n", " " + sum[1:], "0x" + sum[2:]},
		[]string{sum, strings.Repeat("0", 64), strings.Repeat("f", 64)})
	if sum := broadcast.Sum(nil); sum != "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" {
		t.Errorf("SHA-256 of nothing is %s", sum)
	}
	for d, want := range map[broadcast.Digest]string{broadcast.Sum(nil): "e3b0c442", "e3b0": "e3b0", "": ""} {
		if got := d.Short(); got != want {
			t.Errorf("short of %q is %q", d, got)
		}
	}
}

func TestLanguageIsTwoOrThreeLowerCaseLetters(t *testing.T) {
	accepts(t, func(s string) broadcast.Language { return broadcast.Language(s) },
		[]string{"", "v", "VI", "Vi", "viet", "vi-VN", "v1", "vi\n", " vi", "tày"}, []string{"vi", "tyz", "nut", "ium", "hmn"})
}

func TestKeyHasOneText(t *testing.T) {
	k := string(sealtest.Public("lan"))
	accepts(t, func(s string) broadcast.Key { return broadcast.Key(s) },
		[]string{"", k[1:], k + "A", k + "=", k[:20] + "\n" + k[20:], k + "\n", k + "\r", "\r\n" + k, " " + k, k[:42] + "_",
			strings.Repeat("+", 43), strings.Repeat("/", 43), strings.Repeat("A", 42) + "B", strings.Repeat("0", 64)},
		[]string{k, strings.Repeat("A", 43)})
}

func TestKeySurvivesItsTextAndIsNamedByItsBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), ed25519.PublicKeySize, ed25519.PublicKeySize).Draw(t, "key")
		k := broadcast.KeyOf(raw)
		back, err := broadcast.ParseKey(string(k))
		if err != nil || !back.Equal(ed25519.PublicKey(raw)) || len(k) != 43 {
			t.Fatalf("%x became %q became %x, %v", raw, k, back, err)
		}
		if id, err := k.ID(); err != nil || id != broadcast.Sum(raw) {
			t.Fatalf("%q is named %s, %v", k, id, err)
		}
	})
	if id, err := broadcast.Key("short").ID(); err == nil {
		t.Errorf("a key that is none is named %s", id)
	}
}

// TestTwoTextsAreTwoKeys is why line breaks in keys matter: two people must
// have two keys, and keys are compared by their text.
func TestTwoTextsAreTwoKeys(t *testing.T) {
	k := string(sealtest.Public("lan"))
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, len(k)).Draw(t, "where")
		other := k[:i] + rapid.StringMatching(`[\x00-\x7f]{1,2}`).Draw(t, "what") + k[min(len(k), i+rapid.IntRange(0, 2).Draw(t, "instead of")):]
		got, err := broadcast.ParseKey(other)
		if err == nil && broadcast.KeyOf(got) != broadcast.Key(other) {
			t.Fatalf("%q and %q are one key", other, broadcast.KeyOf(got))
		}
	})
}

func TestNonceIsSixteenBytesInOneText(t *testing.T) {
	good := "AAAAAAAAAAAAAAAAAAAAAA"
	accepts(t, func(s string) broadcast.TimeAnswer {
		return broadcast.TimeAnswer{Node: "n", Boot: "b", Nonce: s, At: at}
	}, []string{"", good[1:], good + "A", good + "==", good + "\n", good[:4] + "\r\n" + good[4:], good[:21] + "B", good[:21] + "+"},
		[]string{good, "_-__________________Aw"[:21] + "w"})
}

func TestClassesAndLevelsAndCustodiesAreOrdered(t *testing.T) {
	accepts(t, func(s string) broadcast.Class { return broadcast.Class(s) },
		[]string{"", "Normal", "urgent", "drill"}, []string{"normal", "priority", "emergency"})
	accepts(t, func(s string) broadcast.Level { return broadcast.Level(s) },
		[]string{"", "nation", "Commune"}, []string{"province", "district", "commune", "village"})
	accepts(t, func(s string) broadcast.Custody { return broadcast.Custody(s) },
		[]string{"", "paper", "Token"}, []string{"controller", "browser", "token"})
	for i, c := range broadcast.Classes() {
		if c.Rank() != i+1 {
			t.Errorf("%s has rank %d", c, c.Rank())
		}
	}
	for i, l := range []broadcast.Level{broadcast.Province, broadcast.District, broadcast.Commune, broadcast.Village} {
		if l.Rank() != i+1 {
			t.Errorf("%s has rank %d", l, l.Rank())
		}
	}
	for i, c := range []broadcast.Custody{broadcast.CustodyController, broadcast.CustodyBrowser, broadcast.CustodyToken} {
		if c.Rank() != i+1 {
			t.Errorf("%s has rank %d", c, c.Rank())
		}
	}
}
