// Package store is what a node keeps on its card.
//
// The promise: after a power cut at any write the node finds the state before
// that write or the state after it, never a third; what a call reported as
// kept is still there; what a call reported as failed is never counted as
// kept; and a sector that rots costs the record in it, not its neighbours, and
// is reported. Nothing is mapped into memory, so a bad sector is an error and
// never a signal. Everything has a limit.
//
// Three shapes are enough for a node. A Journal is an append-only log of small
// records with sequence numbers that never go back. Registers are small named
// values, each replaced as a whole. Contents is a cache of files named by their
// SHA-256, filled by downloads that resume. All three speak to the card through
// an FS, so that a test can cut the power or fail a sector where it likes.
//
// All is bytes here: what the records and values mean is the caller's affair.
package store
