// Package pack is the form in which documents, recordings and receipts travel
// on a stick.
//
// It promises that a pack is nothing but a box: whoever reads one learns bytes
// and the digest that they had to have, and believes neither. A document proves
// itself by its seals, everything else by a digest inside a sealed document.
// Nothing in a pack says what to do with it, so a forged, mixed, torn or old
// one can only be incomplete. What a reader takes from one entry is bounded
// before the entry is read, and so is the number of entries.
//
// A pack is a tar archive in the plain USTAR form (POSIX.1-1988): a technician
// can look into one with what every computer has. Documents come first, in the
// order in which a node should judge them; then whatever they name by digest.
// Receipts go the other way in a file of lines, one sealed batch in each.
package pack
