// Package announce makes an announcement from a terminal: upload, draft,
// signatures, publishing, and a table of what every node proved.
//
// It promises: it does nothing that the HTTP interface would refuse, and it is
// a client of it like any other. A step that a bad line broke off is repeated
// with the same Idempotency-Key, so nothing is made twice. What will sound and
// what will not is said before anything is published. The table shows the
// highest rung that a node proved, and an age for one that proved nothing. It
// says success only if every expected node sounded to its end.
package announce
