package broadcast_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
)

const (
	milli  = broadcast.Instant(1)
	minute = 60000 * milli
	day    = 24 * 60 * minute
	// last is the last millisecond of the year 9999.
	last = broadcast.Instant(253402300799999)
)

// edge is one limit of a field: a change to the last value inside it, none if
// the sample itself stands there, and one to the first value outside. A field
// written a/b is the field a, whose refusal speaks of b.
type edge[T any] struct {
	field           string
	inside, outside func(*T)
}

// sample returns a maker of one document of the golden table.
func sample[T any](name string) func() T {
	return func() T {
		for _, d := range documents() {
			if d.name == name {
				return d.value.(T)
			}
		}
		panic("no document is called " + name)
	}
}

// holdEdges proves each edge on a fresh sample, and that no field is without
// one: flags cannot be wrong, and open lists fields that any value fits.
func holdEdges[T broadcast.Validator](t *testing.T, fresh func() T, edges []edge[T], open ...string) {
	t.Helper()
	tried := map[string]bool{}
	for _, name := range open {
		tried[name] = true
	}
	for _, e := range edges {
		field, says, other := strings.Cut(e.field, "/")
		if !other {
			says = field
		}
		tried[field] = true
		good, bad := fresh(), fresh()
		if e.inside != nil {
			e.inside(&good)
		}
		if err := good.Validate(); err != nil {
			t.Errorf("%s just inside its limit: %v", e.field, err)
		}
		e.outside(&bad)
		err := bad.Validate()
		if err == nil {
			t.Errorf("%s just outside its limit was accepted: %+v", e.field, bad)
		} else if !strings.Contains(err.Error(), says) {
			t.Errorf("the refusal does not name %s: %v", says, err)
		} else if strings.Contains(err.Error(), says+": "+says+": ") {
			t.Errorf("the refusal names %s twice: %v", says, err)
		}
	}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Type.Kind() != reflect.Bool && !tried[name] {
			t.Errorf("the field %s of %T has no edge", name, *new(T))
		}
	}
}

// ids returns n different ids.
func ids(n int) []broadcast.ID {
	return several(n, func(s string) broadcast.ID { return broadcast.ID(s) })
}

// digests returns n different digests.
func digests(n int) []broadcast.Digest {
	return several(n, func(s string) broadcast.Digest { return broadcast.Sum([]byte(s)) })
}

// several makes n different values from texts of one length.
func several[T any](n int, of func(string) T) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = of(string([]byte{'a' + byte(i/676%26), 'a' + byte(i/26%26), 'a' + byte(i%26)}))
	}
	return out
}

// long returns a text of n bytes in as many letters of two bytes as fit.
func long(n int) string { return strings.Repeat("ô", n/2) + strings.Repeat("a", n%2) }
