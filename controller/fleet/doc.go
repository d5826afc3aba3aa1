// Package fleet knows the nodes: how they came, whether they are confirmed,
// what they last said of themselves, and whether they hold what they should.
//
// It promises that a node is one key: a one-time token makes exactly one key
// known under one name, and nothing that the node proves counts before a
// technician has confirmed on site that the key is in that box. What nodes say
// of themselves (presence, state, health) is kept as a hint with its age and is
// never taken for a proof.
package fleet
