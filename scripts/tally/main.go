// Command tally reads the events of "go test -json" on standard input and says what they come to.
//
// What always holds: a run passes only if every package was built, at least one test ran, none
// failed and none was skipped; the last line is the plain count "N passed, N failed, N skipped" and
// the exit code agrees with it. Before it stands one line per package, and everything that a failed
// or skipped test printed. What is never done: a test that started and never ended, or a package
// that failed without naming a test, counts as a failure, not as nothing.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
)

func main() {
	ok, err := run(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// run tallies what it reads and reports whether all is well.
func run(events io.Reader, out io.Writer) (bool, error) {
	counted := newTally()
	lines := bufio.NewScanner(events)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		counted.add(lines.Bytes())
	}
	if err := lines.Err(); err != nil {
		return false, fmt.Errorf("reading the events of go test: %w", err)
	}
	return counted.close(out), nil
}
