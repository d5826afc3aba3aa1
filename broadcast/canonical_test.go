package broadcast_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
)

// announcements draws valid announcements of every class and body.
func announcements() *rapid.Generator[broadcast.Announcement] {
	session := string(sealtest.Public("session"))
	texts := rapid.Map(rapid.StringN(0, 40, 120), func(s string) string {
		if (broadcast.Metadata{Text: s}).Validate() != nil {
			return "Nước <lên> & \"sạt\" lở\n\\"
		}
		return s
	})
	digest := rapid.Map(rapid.Uint64(), func(n uint64) broadcast.Digest { return broadcast.Sum([]byte{byte(n), byte(n >> 8)}) })
	version := func(t *rapid.T, l broadcast.Language) broadcast.Version {
		c := broadcast.Content{SHA256: digest.Draw(t, "sha256"), Millis: rapid.Int64Range(1, 3600000).Draw(t, "ms"), Bytes: rapid.Int64Range(1, 200<<20).Draw(t, "bytes")}
		switch rapid.IntRange(0, 2).Draw(t, "body") {
		case 0:
			return broadcast.Version{Language: l, Content: &c}
		case 1:
			p := broadcast.Programme(c)
			return broadcast.Version{Language: l, Programme: &p}
		}
		return broadcast.Version{Language: l, Live: &broadcast.Live{SessionKey: session, Source: broadcast.Conference, Millis: c.Millis}}
	}
	return rapid.Custom(func(t *rapid.T) broadcast.Announcement {
		a := broadcast.Announcement{ID: "tin", Revision: broadcast.Revision(rapid.Int64Range(1, int64(last)).Draw(t, "revision")),
			Class: rapid.SampledFrom(broadcast.Classes()).Draw(t, "class"), Title: "T " + texts.Draw(t, "title"),
			Areas: ids(rapid.IntRange(1, 24).Draw(t, "areas")), Meta: digest.Draw(t, "meta"), Volume: rapid.Int64Range(0, 100).Draw(t, "volume"),
			Reason: texts.Draw(t, "reason"), Timing: broadcast.Timing{Mode: broadcast.ModeNow, Start: max(1, moments().Draw(t, "start")),
				LateLimit: rapid.Int64Range(0, 43200).Draw(t, "late")}}
		for _, l := range []broadcast.Language{"vi", "tyz", "hmn"}[:rapid.IntRange(1, 3).Draw(t, "versions")] {
			a.Versions = append(a.Versions, version(t, l))
		}
		if a.Class == broadcast.Emergency {
			a.Timing.Window, a.Timing.Repeat = rapid.Int64Range(0, 21600).Draw(t, "window"), 60*rapid.Int64Range(0, 360).Draw(t, "repeat")
		}
		return a
	})
}

// survives proves that a valid value has one encoding and comes back from it.
func survives[T broadcast.Validator](t *rapid.T, v T) []byte {
	b, err := broadcast.Encode(v)
	if err != nil {
		t.Fatal(err)
	}
	back, err := broadcast.Decode[T](b)
	if err != nil {
		t.Fatalf("%s: %v", b, err)
	}
	if diff := cmp.Diff(v, back); diff != "" {
		t.Fatalf("%s: %s", b, diff)
	}
	return b
}

func TestEveryAnnouncementSurvivesItsEncoding(t *testing.T) {
	drawn := announcements()
	rapid.Check(t, func(t *rapid.T) { survives(t, drawn.Draw(t, "announcement")) })
}

func TestEveryPolicySurvivesItsEncoding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := policies().Draw(t, "policy")
		survives(t, p)
	})
}

// TestNoSecondEncodingIsRead re-encodes drawn announcements as other programs
// might: sorted keys, indented, with escapes, with explicit zeros.
func TestNoSecondEncodingIsRead(t *testing.T) {
	drawn := announcements()
	rapid.Check(t, func(t *rapid.T) {
		b := survives(t, drawn.Draw(t, "announcement"))
		var loose map[string]any
		dec := json.NewDecoder(bytes.NewReader(b))
		dec.UseNumber()
		if err := dec.Decode(&loose); err != nil {
			t.Fatal(err)
		}
		sorted, err := broadcast.Encode(loose)
		if err != nil {
			t.Fatal(err)
		}
		var indented bytes.Buffer
		if err := json.Indent(&indented, b, "", " "); err != nil {
			t.Fatal(err)
		}
		i := rapid.IntRange(0, len(b)).Draw(t, "cut")
		for name, other := range map[string][]byte{
			"sorted": sorted, "indented": indented.Bytes(), "cut": b[:min(i, len(b)-1)], "line feed": append(slices.Clone(b), '\n'),
			"byte order mark": append([]byte("\xef\xbb\xbf"), b...),
			"escaped letter":  bytes.Replace(b, []byte(`"title":"T`), []byte(`"title":"\u0054`), 1),
			"null":            bytes.Replace(b, []byte(`"meta":`), []byte(`"template":null,"meta":`), 1),
			"explicit zero":   bytes.Replace(b, []byte(`"mode":`), []byte(`"window_s":0,"mode":`), 1),
			"float":           bytes.Replace(b, []byte(`,"class":`), []byte(`.0,"class":`), 1),
			"exponent":        bytes.Replace(b, []byte(`,"class":`), []byte(`e0,"class":`), 1),
			"folded key":      bytes.Replace(b, []byte(`"areas":`), []byte(`"Areas":`), 1),
			"doubled key":     bytes.Replace(b, []byte(`"areas":`), []byte(`"areas":["zz"],"areas":`), 1),
		} {
			if _, err := broadcast.Decode[broadcast.Announcement](other); err == nil {
				t.Fatalf("%s was read: %s", name, other)
			}
		}
	})
}

func TestSecondEncodingsAreNamedAsSuch(t *testing.T) {
	for name, other := range map[string]string{
		"order":   `{"revision":1795248000000,"node":"n","floor":"2026-11-21T08:00:00.000Z"}`,
		"space":   `{"node":"n", "revision":1795248000000,"floor":"2026-11-21T08:00:00.000Z"}`,
		"escape":  `{"node":"\u006e","revision":1795248000000,"floor":"2026-11-21T08:00:00.000Z"}`,
		"double":  `{"node":"m","node":"n","revision":1795248000000,"floor":"2026-11-21T08:00:00.000Z"}`,
		"trailer": `{"node":"n","revision":1795248000000,"floor":"2026-11-21T08:00:00.000Z"}{}`,
	} {
		if _, err := broadcast.Decode[broadcast.Rebase]([]byte(other)); !errors.Is(err, broadcast.ErrNotCanonical) {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := broadcast.Decode[broadcast.Rebase]([]byte(`{"node":"N","revision":1795248000000,"floor":"2026-11-21T08:00:00.000Z"}`))
	if err == nil || errors.Is(err, broadcast.ErrNotCanonical) || !strings.Contains(err.Error(), "node") {
		t.Errorf("a canonical document outside its limits: %v", err)
	}
}

// damages returns a text with one byte dropped, doubled, or changed to its
// neighbour, its other case, punctuation and what is no UTF-8.
func damages(whole []byte, i int) [][]byte {
	out := [][]byte{slices.Delete(slices.Clone(whole), i, i+1), slices.Insert(slices.Clone(whole), i, whole[i])}
	for _, bit := range []byte{0x01, 0x10, 0x20, 0x80} {
		flipped := slices.Clone(whole)
		flipped[i] ^= bit
		out = append(out, flipped)
	}
	return out
}

// TestEveryDamagedByteIsRefusedOrMeansWhatItSays damages every byte of every
// golden document. What is still read is another valid value whose one encoding
// is exactly the damaged bytes.
func TestEveryDamagedByteIsRefusedOrMeansWhatItSays(t *testing.T) {
	for _, d := range documents() {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			whole, err := broadcast.Encode(d.value)
			if err != nil {
				t.Fatal(err)
			}
			stride := 1 + len(whole)/1024 // of the one long document, base64 for the most part, every other
			for i := 0; i < len(whole); i += stride {
				for _, b := range damages(whole, i) {
					v, err := d.decode(b)
					if err != nil {
						continue
					}
					if again, err := broadcast.Encode(v); err != nil || !bytes.Equal(again, b) || v.Validate() != nil {
						t.Fatalf("byte %d: %s was read as %s, %v, %v", i, b, again, err, v.Validate())
					}
				}
			}
		})
	}
}

func TestEncodingEscapesNothingForBrowsers(t *testing.T) {
	b, err := broadcast.Encode(broadcast.Metadata{Text: "<b>lũ & sạt lở</b>"})
	if err != nil || string(b) != `{"text":"<b>lũ & sạt lở</b>"}` {
		t.Errorf("%s, %v", b, err)
	}
	if b, err := broadcast.Encode(broadcast.Rebase{Floor: -1}); err == nil {
		t.Errorf("a moment without a text was written: %s", b)
	}
}
