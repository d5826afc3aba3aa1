// Package cli is what a person types at the controller's machine.
//
// It promises that a command prints only its result on standard output, says
// everything else on standard error, exits 0 only if it did what was asked, and
// names the next step when it did not. Passphrases are asked for on the
// terminal or read from a file, never taken from the command line, where other
// users of the machine could read them.
package cli
