// Package loaxa is the frame of the house: it holds no product code, only the
// tests that keep the whole tree to its rules.
//
// What always holds: a rule that is written down in docs/rules is enforced
// here, says in its failure how to mend the breach, and is itself tried on an
// example that must be flagged and on one that must not. What is never done:
// nothing imports this package, and no rule is loosened to let a change pass;
// a rule that has become wrong is changed through a decision in docs/adr.
//
// The product stands in three folders. Package broadcast says what both sides
// mean, device is the daemon at the loudspeaker, controller is the centre.
// Imports run one way, from device and controller towards broadcast; the two
// meet only there and on the network.
package loaxa
