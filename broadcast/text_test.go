package broadcast_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
)

// texts says, for every field that people write, how a document looks with it.
func texts() map[string]func(string) broadcast.Validator {
	type v = broadcast.Validator
	content, _, _ := bodies()
	meta := func(set func(*broadcast.Metadata, string)) func(string) v {
		return func(s string) v { m := broadcast.Metadata{}; set(&m, s); return m }
	}
	announced, template := sample[broadcast.Announcement]("announcement-weekly")(), sample[broadcast.Template]("template")()
	silence, withdrawal := sample[broadcast.Silence]("silence")(), sample[broadcast.Withdrawal]("withdrawal")()
	placement, order := sample[broadcast.Placement]("placement")(), sample[broadcast.RunningOrder]("running-order")()
	return map[string]func(string) v{
		"announcement title":  func(s string) v { a := announced; a.Title = s; return a },
		"announcement reason": func(s string) v { a := announced; a.Reason = s; return a },
		"template title":      func(s string) v { x := template; x.Title = s; return x },
		"silence reason":      func(s string) v { x := silence; x.Reason = s; return x },
		"withdrawal reason":   func(s string) v { x := withdrawal; x.Reason = s; return x },
		"placed reason":       func(s string) v { placement.Items[1].Reason = s; return placement },
		"station":             func(s string) v { x := order; x.Station = s; return x },
		"segment title":       func(s string) v { return broadcast.Segment{Title: s, Content: &content} },
		"field":               meta(func(m *broadcast.Metadata, s string) { m.Field = s }),
		"genre":               meta(func(m *broadcast.Metadata, s string) { m.Genre = s }),
		"author":              meta(func(m *broadcast.Metadata, s string) { m.Author = s }),
		"source":              meta(func(m *broadcast.Metadata, s string) { m.Source = s }),
		"text":                meta(func(m *broadcast.Metadata, s string) { m.Text = s }),
		"document number":     meta(func(m *broadcast.Metadata, s string) { m.DocumentNumber = s }),
		"rights":              meta(func(m *broadcast.Metadata, s string) { m.Rights = s }),
	}
}

func TestOneTextIsOneByteString(t *testing.T) {
	bad := map[string]string{
		"decomposed letter":       "Ba\u0306c Quang",
		"decomposed below":        "xa\u0323",
		"Ohm for Omega":           "\u2126",
		"marks in another order":  "o\u0309\u0302",
		"null":                    "a\x00b",
		"tabulator":               "a\tb",
		"carriage return":         "a\r\nb",
		"escape":                  "a\x1bb",
		"delete":                  "a\x7fb",
		"C1 next line":            "a\u0085b",
		"C1 control sequence":     "a\u009bb",
		"line separator":          "a\u2028b",
		"paragraph separator":     "a\u2029b",
		"replacement character":   "a\ufffdb",
		"broken UTF-8":            "a\xffb",
		"cut UTF-8":               "xã"[:2],
		"overlong UTF-8":          "a\xc0\xafb",
		"surrogate":               "a\xed\xa0\x80b",
		"longer than any of them": strings.Repeat("a", 32<<10+1),
	}
	for field, of := range texts() {
		for name, s := range bad {
			if of(s).Validate() == nil {
				t.Errorf("%s with %s was accepted", field, name)
			}
		}
		for _, good := range []string{"a", "Bắc Quang – lũ quét ở Tân Lập", "dòng một\ndòng hai", `"<&>\`, "năm 2026, 1.000 ₫", "🔊"} {
			if err := of(good).Validate(); err != nil {
				t.Errorf("%s with %q: %v", field, good, err)
			}
		}
	}
}

func TestNormalTextMakesWhatPeopleTypeAcceptable(t *testing.T) {
	for typed, want := range map[string]string{"Ba\u0306\u0301c": "Bắc", "Bắc": "Bắc", "": "", "\u2126": "Ω"} {
		if got := broadcast.NormalText(typed); got != want {
			t.Errorf("%q became %q", typed, got)
		}
	}
	letters := rapid.SampledFrom([]rune("aăâbcdđeêoôơuưy\u0300\u0301\u0302\u0303\u0306\u0309\u031b\u0323 .,\n\"<>&"))
	rapid.Check(t, func(t *rapid.T) {
		typed := string(rapid.SliceOfN(letters, 0, 40).Draw(t, "typed"))
		if err := (broadcast.Metadata{Text: broadcast.NormalText(typed)}).Validate(); err != nil {
			t.Fatalf("%q: %v", typed, err)
		}
	})
}

// TestAcceptedTextsNeedOnlyThreeEscapes is what lets every other encoder of
// JSON write the same bytes: it has no choice between escapes.
func TestAcceptedTextsNeedOnlyThreeEscapes(t *testing.T) {
	escape := regexp.MustCompile(`\\.`)
	rapid.Check(t, func(t *rapid.T) {
		m := broadcast.Metadata{Text: string(rapid.SliceOfN(rapid.Rune(), 0, 30).Draw(t, "text"))}
		if m.Validate() != nil {
			m.Text = broadcast.NormalText(strings.Map(func(r rune) rune {
				if (broadcast.Metadata{Text: string(r)}).Validate() != nil {
					return -1
				}
				return r
			}, m.Text))
		}
		if m.Validate() != nil { // characters that compose only with each other
			m.Text = ""
		}
		b, err := broadcast.Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range escape.FindAllString(string(b), -1) {
			if e != `\n` && e != `\"` && e != `\\` {
				t.Fatalf("%q is written with %s", m.Text, e)
			}
		}
		var back broadcast.Metadata
		if err := json.Unmarshal(b, &back); err != nil || back != m {
			t.Fatalf("%q came back as %q, %v", m.Text, back.Text, err)
		}
	})
}
