package broadcast

import "fmt"

// check is a named condition of a Validate table.
type check struct {
	field string
	err   error
}

// firstOf returns the first failed check with its field's name, or nil.
func firstOf(checks ...check) error {
	for _, c := range checks {
		if c.err != nil {
			return fmt.Errorf("%s: %w", c.field, c.err)
		}
	}
	return nil
}

// within refuses numbers outside lo..hi.
func within(n, lo, hi int64) error {
	if n < lo || n > hi {
		return fmt.Errorf("%d is outside %d to %d", n, lo, hi)
	}
	return nil
}

// distinct validates each value of a list, its length, and that none repeats.
func distinct[T interface {
	comparable
	Validate() error
}](list []T, lo, hi int) error {
	if len(list) < lo || len(list) > hi {
		return fmt.Errorf("%d entries, allowed are %d to %d", len(list), lo, hi)
	}
	seen := make(map[T]bool, len(list))
	for _, v := range list {
		if err := v.Validate(); err != nil {
			return err
		}
		if seen[v] {
			return fmt.Errorf("%v is listed twice", v)
		}
		seen[v] = true
	}
	return nil
}

// maybe validates v unless it is the zero value.
func maybe[T interface {
	comparable
	Validate() error
}](v T) error {
	var zero T
	if v == zero {
		return nil
	}
	return v.Validate()
}
