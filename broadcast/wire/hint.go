package wire

import (
	"encoding/json"
	"fmt"

	"github.com/loaxa/loaxa/broadcast"
)

// decodeHint reads an unsealed message of at most limit bytes. Unknown fields
// are ignored; the value must pass its own Validate.
func decodeHint[T broadcast.Validator](raw []byte, limit int) (T, error) {
	var v T
	if len(raw) > limit {
		return v, fmt.Errorf("%T of %d bytes, at most %d", v, len(raw), limit)
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return v, fmt.Errorf("%T: %w", v, err)
	}
	if err := v.Validate(); err != nil {
		return v, fmt.Errorf("%T: %w", v, err)
	}
	return v, nil
}

// bounded refuses text above n bytes.
func bounded(name, s string, n int) error {
	if len(s) > n {
		return fmt.Errorf("%s: %d bytes, at most %d", name, len(s), n)
	}
	return nil
}
