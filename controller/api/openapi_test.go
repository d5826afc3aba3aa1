package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write openapi.json anew")

// TestOpenAPIIsWhatTheCodeAnswers compares the committed contract with the one
// that the code generates.
func TestOpenAPIIsWhatTheCodeAnswers(t *testing.T) {
	_, api, err := build(Config{})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(api.OpenAPI())
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := json.Indent(&got, raw, "", "  "); err != nil {
		t.Fatal(err)
	}
	got.WriteByte('\n')
	if *update {
		if err := os.WriteFile("openapi.json", got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("openapi.json is not what the code answers; run go test ./controller/api -run TestOpenAPI -update\n%s", diff)
	}
}
