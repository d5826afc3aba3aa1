// Package spoken turns what an office writes into what a voice says.
//
// Its promises: every piece of the author's text becomes a [Token] that names
// the bytes it came from, what will be said, and how sure that is. A piece is
// sure only if it is a Vietnamese syllable, stands in the lexicon, or has a shape
// that can be read in one way where it stands (a date after "ngày", a phone
// number, an article of a law). What could be read in two ways is marked to be
// checked. What is neither is [Unknown]: it is never silently read as letters and
// nothing is dropped without a token that says so. The same text and lexicon give
// the same reading. No text makes it fail, and the time grows with the length of
// the text alone.
//
// It does no I/O and reads no clock.
//
// How: the text is composed (NFC, with a map back to the author's bytes), cut
// into words, digits and marks, and read from left to right. At each place the
// ways to read it are tried in one fixed order, the narrower before the wider:
// links, the lexicon with the longest match, then tables of shapes for whatever
// starts with a digit, then Roman numerals, single letters and words. Shapes see a
// bounded window of the text. Numbers are read as in the North: nghìn, linh,
// mốt, tư, lăm.
package spoken
