// Package desk takes announcements from a draft to the published document, and
// back.
//
// It promises: nothing is published that the house's own nodes would not
// believe. The sealed bytes are opened again with the controller's keyring
// before they are kept, under the policies of every target area and all areas
// above it. The document, the metadata and running orders that it names, its
// listing in every target area, the nodes that should sound it, the state and
// the audit row are one transaction: after it everything else follows from the
// database, before it nobody was told "accepted". A person approves exactly the
// digest that was shown to that person, signs once, and two signatures are two
// people. Whoever wrote an announcement does not approve it alone, except where
// the law lets one officer speak with a signed reason.
//
// A signature in mode now fixes the start: now plus a short lead. The officer's
// key is open only around that one transaction. Every step may be repeated after
// a crash; what was done already is answered as done.
//
// Before anybody signs, the desk says what an announcement would do on every
// node, by the plan that the nodes make themselves. What would sound nowhere is
// not taken unless somebody accepts that; an emergency always is.
//
// Templates are words that two people approve in advance. What stands is replaced
// only by what has all its signatures, and one officer has it sound; the same one
// twice within minutes is asked about, never by itself sounded again.
//
// Deliveries never says more of a node than the receipts that it proved.
package desk
