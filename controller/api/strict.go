package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

// formats is JSON with one reading: Go's decoder would take the last of two
// equal keys, and TITLE for title.
func formats() map[string]huma.Format {
	f := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: unmarshal}
	return map[string]huma.Format{"application/json": f, "json": f}
}

func unmarshal(b []byte, v any) error {
	if err := oneReading(json.NewDecoder(bytes.NewReader(b)), 0); err != nil {
		return err
	}
	return json.Unmarshal(b, v)
}

// maxNesting is how deep a body may be nested.
const maxNesting = 16

// oneReading walks one value and refuses keys that are given twice or that are
// not in lower case, which no field of ours is.
func oneReading(d *json.Decoder, depth int) error {
	if depth > maxNesting {
		return fmt.Errorf("nested more than %d deep", maxNesting)
	}
	token, err := d.Token()
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('{'):
		return members(d, depth)
	case json.Delim('['):
		for d.More() {
			if err := oneReading(d, depth+1); err != nil {
				return err
			}
		}
		_, err = d.Token()
	}
	return err
}

func members(d *json.Decoder, depth int) error {
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		key, _ := token.(string)
		if key != strings.ToLower(key) {
			return fmt.Errorf("%q is no field: names are in lower case", key)
		}
		if seen[key] {
			return fmt.Errorf("%q is given twice", key)
		}
		seen[key] = true
		if err := oneReading(d, depth+1); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}
