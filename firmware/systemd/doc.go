// Package systemd is the folder of the services that a card or a hand install
// takes: copy the files, enable them, done.
//
// What always holds: the relay is told to open before anything else of a board
// runs, whenever its guard ends for whatever reason, and after everything else
// has stopped; a program that hangs or dies comes back, for ever; no service
// may do more than its work needs. The tests beside read the files as systemd
// does and hold them to it. docs/one-node.md says how to install them.
package systemd
