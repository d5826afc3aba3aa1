// Command loaxa-controller is the centre of Loaxa.
package main

import (
	"os"

	"github.com/loaxa/loaxa/controller/cli"
)

func main() {
	os.Exit(cli.Run(os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Version: version()}))
}
