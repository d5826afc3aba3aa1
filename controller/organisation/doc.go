// Package organisation keeps the dated tree of areas.
//
// It promises that there is one tree: whoever asks for it anywhere in the
// controller gets the same one, with every change that was made a moment ago;
// and that what an area was called on a day that has begun is never changed, so
// that old diaries and reports keep their names.
//
// A new house begins with the embedded facts of the program. From then on the
// tree stands in the database.
package organisation
