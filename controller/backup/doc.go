// Package backup writes a house into one file, and a file back into a house.
//
// It promises: the file can be read by nobody without its passphrase, and altered
// by nobody unseen, not even by cutting off its end. It is made beside a running
// controller, shows the database as it was at one moment, and holds every recording
// that this database names, unless it was asked to leave them out. A root key is
// never in it. What Restore makes is silent: tokens and sessions of the backup's
// day open nothing, and no document leaves the controller until an administrator
// has accepted what the nodes hold other than the backup.
//
// A backup is a header in the clear and a tar stream in sealed chunks. The header
// says how the key follows from the passphrase (argon2id, RFC 9106). Chunks are
// sealed with XChaCha20-Poly1305, each under its number and whether it is the
// last: the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizár (2015).
package backup
