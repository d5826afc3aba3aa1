// Listeners take no multipath TCP: no node speaks it, and it knows nothing of the
// patience that controller/broker gives to the connections of nodes.
//
//go:debug multipathtcp=0

// Command loaxa-controller is the centre of Loaxa.
package main

import (
	"os"

	"github.com/loaxa/loaxa/controller/cli"
)

func main() {
	os.Exit(cli.Run(os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Version: version()}))
}
