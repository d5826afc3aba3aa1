package api

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestJSONHasOneReading(t *testing.T) {
	for body, want := range map[string]string{
		`{"title":"a","areas":["b"],"timing":{"mode":"now"}}`: "",
		`{"title":"{\"Title\":1}"}`:                           "",
		`[]`:                                                  "",
		`null`:                                                "",
		`{"title":"a","title":"b"}`:                           `"title" is given twice`,
		`{"a":{"b":1,"b":2}}`:                                 `"b" is given twice`,
		`{"a":[{"b":1},{"b":1,"b":2}]}`:                       `"b" is given twice`,
		`{"Title":"a"}`:                                       `"Title" is no field`,
		`{"a":[[{"B":1}]]}`:                                   `"B" is no field`,
		`{"title":"a","\u0074itle":"b"}`:                      `"title" is given twice`,
		``:                                                    "EOF",
		`{`:                                                   "EOF",
		`{"a":}`:                                              "invalid",
		`{} {}`:                                               "after top-level value",
		strings.Repeat(`{"a":`, 20) + "1" + strings.Repeat("}", 20):             "deep",
		strings.Repeat("[", maxNesting) + "1" + strings.Repeat("]", maxNesting): "",
	} {
		var v any
		err := unmarshal([]byte(body), &v)
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %q", body, err, want)
		}
	}
}

// FuzzWhatIsReadIsReadTheSameAgain: whatever passes reads into the same value
// whichever of two equal keys a reader takes, because there are none.
func FuzzWhatIsReadIsReadTheSameAgain(f *testing.F) {
	for _, seed := range []string{`{"title":"a"}`, `{"a":1,"a":2}`, `{"A":1}`, `[{"a":[]}]`, `"x"`, `{`, `{"a":{"a":{"a":1}}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var v map[string]json.RawMessage
		if unmarshal(body, &v) != nil {
			return
		}
		again, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		var w map[string]json.RawMessage
		if err := unmarshal(again, &w); err != nil || len(w) != len(v) {
			t.Fatalf("%q became %q: %v", body, again, err)
		}
	})
}
