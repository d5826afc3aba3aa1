// Package dispatch makes the fleet hold what the database says, and the
// database know what the fleet proved.
//
// It promises that nothing depends on a message having arrived: every area's
// manifest is derived from the listings in the database, sealed when they
// change, published again after every start and every reconnection, and given
// to a node whenever that node's own digest differs. Receipts are believed only
// when the node's confirmed key sealed them and they continue its chain; they
// are acknowledged, by the hash of the chain, only after the transaction that
// stored them was committed. The broker in between may lose, repeat, reorder
// or invent messages as it likes.
package dispatch
