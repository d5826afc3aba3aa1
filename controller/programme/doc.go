// Package programme is what a commune decides about its own loudspeakers: its
// programmes, its standing slots, which offers of higher levels it takes and
// when, and what comes first where items of one class meet.
//
// It promises: what nodes act on is signed by somebody of the commune or below,
// with a key that the nodes believe, and is opened again as a node would before it
// is kept; document, listing and audit row are one transaction. Before anybody
// signs, the plan of the nodes says what would become of everything else there,
// and what would be spoilt unseen is refused. A decision that was taken before
// stays as it was unless the new one names it. What a higher level offers is told
// from the documents themselves, as nodes tell it, never from a list beside them.
//
// A programme is a running order for one day and place until it becomes a draft
// at the desk; from then on it goes the way of every announcement. Two people who
// edit one are told of each other: the second gets both versions.
package programme
