package counter

import (
	"errors"

	"github.com/loaxa/loaxa/broadcast/seal"
)

// advised is what to do about what a node refuses. The first that fits counts.
var advised = []struct {
	err error
	do  string
}{
	{seal.ErrElsewhere, "it is for another place: export a pack for this node"},
	{seal.ErrStale, "the node has a newer one: nothing is to be done"},
	{seal.ErrRevoked, "who signed it may no longer do so: ask the office for one that is signed anew"},
	{seal.ErrThreshold, "too few people signed it: ask the office"},
	{seal.ErrRight, "who signed it may not do so here: ask the office"},
	{seal.ErrSignature, "it was altered or damaged on its way: copy it again from where it was made"},
	{seal.ErrForm, "it was altered or damaged on its way: copy it again from where it was made"},
	{seal.ErrTooLarge, "it is larger than any of its kind: export the pack again"},
	{seal.ErrAhead, "it is from the future: see that the clocks of the office and of this node are right"},
	{seal.ErrEquivocation, "the office signed two different ones under one number: tell the office at once"},
}

// advice says what to do about an error.
func advice(err error) string {
	for _, a := range advised {
		if errors.Is(err, a.err) {
			return a.do
		}
	}
	return "export a new pack and take that; if it is refused too, tell the office these words"
}
