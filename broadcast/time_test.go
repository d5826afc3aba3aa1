package broadcast_test

import (
	"testing"

	"github.com/loaxa/loaxa/broadcast"
)

func TestClockRestsOnOneOfFourQualities(t *testing.T) {
	accepts(t, func(s string) broadcast.Quality { return broadcast.Quality(s) },
		[]string{"", "Proved", "ntp", "synchronised"}, []string{"proved", "plausible", "unverified", "unset"})
}

func TestTimeAnswerIsForOneNonceOfOneBoot(t *testing.T) {
	type a = broadcast.TimeAnswer
	holdEdges(t, sample[a]("time"), []edge[a]{
		{"node", nil, func(a *a) { a.Node = "" }},
		{"boot", nil, func(a *a) { a.Boot = "" }},
		{"nonce", nil, func(a *a) { a.Nonce = "" }},
		{"at", func(a *a) { a.At = 1 }, func(a *a) { a.At = 0 }},
		{"at", func(a *a) { a.At = last }, func(a *a) { a.At = last + 1 }},
	})
}

func TestRebaseNamesOneNodeAndAFloor(t *testing.T) {
	type r = broadcast.Rebase
	holdEdges(t, sample[r]("rebase"), []edge[r]{
		{"node", nil, func(r *r) { r.Node = "" }},
		{"revision", nil, func(r *r) { r.Revision = 0 }},
		{"floor", func(r *r) { r.Floor = 1 }, func(r *r) { r.Floor = 0 }},
		{"floor", func(r *r) { r.Floor = last }, func(r *r) { r.Floor = last + 1 }},
	})
}
