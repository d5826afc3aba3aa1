package broadcast

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ErrNotCanonical means that bytes decode to a value whose only encoding is
// other bytes: duplicate or case-folded keys, another key order, white space,
// an explicit zero, an escaped character that needs no escape.
var ErrNotCanonical = errors.New("not the canonical encoding")

// Validator is a value that can say whether it is complete and inside its
// limits. The error names the field and what is wrong with it.
type Validator interface{ Validate() error }

// Encode returns the one encoding of v: JSON (RFC 8259) with the fields in the
// order of their declaration, no white space, no HTML escapes and no floats.
func Encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}

// Decode reads one value of type T and refuses everything that has a second
// reading: unknown fields, trailing bytes, and any encoding but the canonical
// one (ErrNotCanonical). A decoded value also passed its own Validate.
func Decode[T Validator](b []byte) (T, error) {
	var v T
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&v); err != nil {
		return v, fmt.Errorf("decode %T: %w", v, err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return v, fmt.Errorf("decode %T: %w: bytes after the value", v, ErrNotCanonical)
	}
	again, err := Encode(v)
	if err != nil {
		return v, err
	}
	if !bytes.Equal(again, b) {
		return v, fmt.Errorf("decode %T: %w", v, ErrNotCanonical)
	}
	if err := v.Validate(); err != nil {
		return v, fmt.Errorf("decode %T: %w", v, err)
	}
	return v, nil
}
