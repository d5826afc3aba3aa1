package seal_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
)

func openPolicy(k *seal.Keyring, raw []byte) error {
	_, _, err := seal.Open[broadcast.Policy](k, broadcast.KindPolicy, raw, seal.Context{Places: chain()})
	return err
}

func policyDoc() broadcast.Policy {
	return broadcast.Policy{Area: "xa-tan-quang", Revision: broadcast.Revision(at), Thresholds: []broadcast.Threshold{
		{Class: broadcast.Normal, Officers: 1}, {Class: broadcast.Priority, Officers: 1}, {Class: broadcast.Emergency, Officers: 2}}}
}

func TestTwoPeopleMeansTwoPeople(t *testing.T) {
	h := sealtest.NewHouse("tuyen-quang", at, true)
	lan, minh := h.Officer("lan", broadcast.Commune, "xa-tan-quang"), h.Officer("minh", broadcast.Commune, "xa-tan-quang")
	sameKey := h.Certify(broadcast.Certificate{Person: "hoa", Key: sealtest.Public("lan"), Level: broadcast.Commune,
		Areas: []broadcast.ID{"xa-tan-quang"}, Acts: []broadcast.Act{broadcast.ActPolicy}})
	sameKey.Key = sealtest.Key("lan")
	secondKey := h.Certify(broadcast.Certificate{Person: "lan", Key: sealtest.Public("lan-second"), Level: broadcast.Commune,
		Areas: []broadcast.ID{"xa-tan-quang"}, Acts: []broadcast.Act{broadcast.ActPolicy}})
	secondKey.Key = sealtest.Key("lan-second")
	noRight := h.Certify(broadcast.Certificate{Person: "tung", Level: broadcast.Commune,
		Areas: []broadcast.ID{"xa-tan-quang"}, Acts: []broadcast.Act{broadcast.ActCommand}})
	stranger := seal.Signer{KID: broadcast.Sum([]byte("nobody")), Key: sealtest.Key("nobody")}
	wrongKey := seal.Signer{KID: minh.KID, Key: sealtest.Key("lan")}
	ring := h.Keyring(chain())
	for _, c := range []struct {
		name    string
		signers []seal.Signer
		want    error
	}{
		{"two people", []seal.Signer{lan, minh}, nil},
		{"one person", []seal.Signer{lan}, seal.ErrThreshold},
		{"one person twice", []seal.Signer{lan, lan}, seal.ErrThreshold},
		{"one person with two keys", []seal.Signer{lan, secondKey}, seal.ErrThreshold},
		{"two people with one key", []seal.Signer{lan, sameKey}, seal.ErrThreshold},
		{"a third without right", []seal.Signer{lan, minh, noRight}, seal.ErrRight},
		{"a third unknown", []seal.Signer{lan, minh, stranger}, seal.ErrUnknownSigner},
		{"a third with another's name", []seal.Signer{lan, wrongKey}, seal.ErrSignature},
	} {
		if err := openPolicy(ring, sealtest.Sealed(broadcast.KindPolicy, policyDoc(), c.signers...)); !errors.Is(err, c.want) {
			t.Errorf("%s: want %v, got %v", c.name, c.want, err)
		}
	}
}

func TestOneDestroyedSignatureVoidsTheEnvelope(t *testing.T) {
	h := sealtest.NewHouse("tuyen-quang", at, true)
	signers := []seal.Signer{h.Officer("lan", broadcast.Commune, "xa-tan-quang"), h.Officer("minh", broadcast.Commune, "xa-tan-quang"), h.Officer("hoa", broadcast.Commune, "xa-tan-quang")}
	ring := h.Keyring(chain())
	for i := range signers {
		env, err := seal.Seal(broadcast.KindPolicy, policyDoc(), signers...)
		if err != nil {
			t.Fatal(err)
		}
		sig, err := base64.RawURLEncoding.DecodeString(env.Signatures[i].Signature)
		if err != nil {
			t.Fatal(err)
		}
		sig[10] ^= 1
		env.Signatures[i].Signature = base64.RawURLEncoding.EncodeToString(sig)
		raw, err := seal.Bytes(broadcast.KindPolicy, env)
		if err != nil {
			t.Fatal(err)
		}
		if err := openPolicy(ring, raw); !errors.Is(err, seal.ErrSignature) {
			t.Errorf("signature %d destroyed, two others good: %v", i, err)
		}
	}
}

// TestEveryByteCounts alters every byte of an envelope in turn.
func TestEveryByteCounts(t *testing.T) {
	h := sealtest.NewHouse("tuyen-quang", at, true)
	lan := h.Officer("lan", broadcast.District, "bac-quang")
	ring := h.Keyring(chain())
	raw := sealtest.Sealed(broadcast.KindAnnouncement, sealtest.Announcement("a1", at, "tan-lap"), lan)
	for i := range raw {
		for _, bit := range []byte{1, 2, 0x20, 0x80} {
			bad := append([]byte{}, raw...)
			bad[i] ^= bit
			if _, _, err := seal.Open[broadcast.Announcement](ring, broadcast.KindAnnouncement, bad, seal.Context{Places: chain()}); err == nil {
				t.Fatalf("byte %d changed by %#x and still believed", i, bit)
			}
		}
	}
}

func TestAnnouncementForAnotherAreaIsNotForThisNode(t *testing.T) {
	h := sealtest.NewHouse("tuyen-quang", at, true)
	lan := h.Officer("lan", broadcast.District, "bac-quang")
	raw := sealtest.Sealed(broadcast.KindAnnouncement, sealtest.Announcement("a1", at, "xa-hung-an"), lan)
	_, _, err := seal.Open[broadcast.Announcement](h.Keyring(chain()), broadcast.KindAnnouncement, raw, seal.Context{Places: chain()})
	if !errors.Is(err, seal.ErrElsewhere) {
		t.Errorf("%v", err)
	}
}

// confusions are envelopes and payloads with a second reading. They are also
// the seeds of the fuzz targets.
func confusions(raw string) map[string]string {
	sig := strings.Index(raw, `"signatures"`)
	return map[string]string{
		"white space":           strings.Replace(raw, ":", ": ", 1),
		"trailing bytes":        raw + "{}",
		"trailing newline":      raw + "\n",
		"leading space":         " " + raw,
		"duplicate payload":     strings.Replace(raw, "{", `{"payload":"e30",`, 1),
		"folded key":            strings.Replace(raw, `"payload"`, `"Payload"`, 1),
		"both forms":            raw[:len(raw)-1] + `,"protected":"e30","signature":"AA"}`,
		"unprotected header":    strings.Replace(raw, `{"protected"`, `{"header":{"kid":"x"},"protected"`, 1),
		"unknown field":         raw[:len(raw)-1] + `,"x":1}`,
		"other order":           "{" + raw[sig:len(raw)-1] + "," + raw[1:sig-1] + "}",
		"no signature":          raw[:sig] + `"signatures":[]}`,
		"null signatures":       raw[:sig] + `"signatures":null}`,
		"padded base64":         strings.Replace(raw, `","signatures"`, `=","signatures"`, 1),
		"escaped character":     strings.Replace(raw, `"payload"`, `"p\u0061yload"`, 1),
		"array":                 "[" + raw + "]",
		"empty":                 "",
		"not JSON":              "loaxa",
		"payload not a string":  strings.Replace(raw, `"payload":"`, `"payload":1,"y":"`, 1),
		"byte order mark":       "\ufeff" + raw,
		"compact serialisation": "e30.e30.AA",
	}
}

func TestEnvelopesWithASecondReadingAreRefused(t *testing.T) {
	h := sealtest.NewHouse("tuyen-quang", at, true)
	lan := h.Officer("lan", broadcast.District, "bac-quang")
	ring := h.Keyring(chain())
	good := string(sealtest.Sealed(broadcast.KindAnnouncement, sealtest.Announcement("a1", at, "tan-lap"), lan))
	for name, raw := range confusions(good) {
		_, _, err := seal.Open[broadcast.Announcement](ring, broadcast.KindAnnouncement, []byte(raw), seal.Context{Places: chain()})
		if !errors.Is(err, seal.ErrForm) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSignedPayloadWithASecondReadingIsRefused signs odd payloads with a good
// key: even an officer cannot make bytes that two readers read differently.
func TestSignedPayloadWithASecondReadingIsRefused(t *testing.T) {
	h := sealtest.NewHouse("tuyen-quang", at, true)
	lan := h.Officer("lan", broadcast.District, "bac-quang")
	ring := h.Keyring(chain())
	good, err := broadcast.Encode(sealtest.Announcement("a1", at, "tan-lap"))
	if err != nil {
		t.Fatal(err)
	}
	for name, payload := range map[string]string{
		"duplicate class": strings.Replace(string(good), `"class":"emergency"`, `"class":"normal","class":"emergency"`, 1),
		"folded class":    strings.Replace(string(good), `"class"`, `"CLASS"`, 1),
		"explicit zero":   strings.Replace(string(good), `"meta"`, `"volume":0,"meta"`, 1),
		"unknown field":   strings.Replace(string(good), `"meta"`, `"loud":true,"meta"`, 1),
		"float":           strings.Replace(string(good), `"ms":4000`, `"ms":4000.0`, 1),
		"exponent":        strings.Replace(string(good), `"ms":4000`, `"ms":4e3`, 1),
		"HTML escape":     strings.Replace(string(good), "Lũ", `\u004cũ`, 1),
		"not NFC":         strings.Replace(string(good), "ũ", "u\u0303", 1),
		"space":           strings.Replace(string(good), ",", ", ", 1),
		"later time text": strings.Replace(string(good), ".000Z", "Z", 1),
		"null list":       strings.Replace(string(good), `["tan-lap"]`, `null`, 1),
	} {
		if payload == string(good) {
			t.Fatalf("%s: the payload did not change", name)
		}
		env, err := seal.Cosign(broadcast.KindAnnouncement, broadcast.Envelope{Payload: base64.RawURLEncoding.EncodeToString([]byte(payload))}, lan)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := seal.Bytes(broadcast.KindAnnouncement, env)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := seal.Open[broadcast.Announcement](ring, broadcast.KindAnnouncement, raw, seal.Context{Places: chain()}); !errors.Is(err, seal.ErrForm) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestInputAboveTheLimitIsNotParsed(t *testing.T) {
	for _, k := range broadcast.Kinds() {
		if _, err := seal.Parse(k, make([]byte, k.Limit()+1)); !errors.Is(err, seal.ErrTooLarge) {
			t.Errorf("%s: %v", k, err)
		}
	}
}
