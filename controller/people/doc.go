// Package people knows who may do what, and lends officers their keys.
//
// It promises: a copy of the data folder speaks for nobody. An officer's private
// key is stored only wrapped: under the officer's own passphrase (argon2id), and
// once more under each personal token (HKDF); neither secret is stored. A key
// is in the clear only inside With, for one signature, and is zeroed after. The
// root key is never written into the data folder. A token belongs to one
// person, expires, and signs as that person only. What is changed here stands
// in the audit log, in the same transaction.
//
// A role is a row of one table: the acts that its certificate gives, which nodes
// enforce, and the permissions that it has on the controller, which Authorise
// enforces. An Office reads authority from where nodes get it too: the sealed
// authority documents, checked from the pinned root on.
//
// An Office is safe for concurrent use, also by several processes on one
// database.
package people
