// Package records keeps what an office answers for later: the diary of each
// commune, day by day, and the monthly report of any area.
//
// It promises that nothing counts as sounded that no receipt proves. What a node
// proved, what it did not, and what it said while it was not sure which box
// spoke (doubtful) are three numbers that are never added up; the time that
// somebody could hear something comes from samples that left a sound card, and
// shares are rounded down. A closed day is never changed: what is learned later,
// from a late receipt or from a person, is an addendum behind it, and both stand
// in a chain of digests, so that a changed page is found.
//
// A day is closed by itself half an hour after midnight. Receipts of a closed day
// that come later, by line or by hand, become an addendum by themselves.
package records
