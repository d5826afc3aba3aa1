package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// event is one line of "go test -json" (documented by "go doc test2json"; ImportPath and FailedBuild
// by "go help buildjson").
type event struct {
	Action, Package, ImportPath, Test, Output, FailedBuild string
	Elapsed                                                float64 // seconds
}

// keptOutput bounds what is kept of one test's or package's words, in bytes; the end is kept, since
// a failure says last what went wrong.
const keptOutput = 64 << 10

// tally is what the events came to so far.
type tally struct {
	packages map[string]*result
	builds   map[string]string // what the compiler said, by import path
}

// result is what one package came to.
type result struct {
	passed, failed, skipped int
	seconds                 float64
	verdict                 string            // the package's own last action
	running                 map[string]bool   // tests that started and have not ended
	said                    map[string]string // output by test; "" is the package's own
	shown                   []string          // tests whose output a person must see
}

func newTally() *tally { return &tally{packages: map[string]*result{}, builds: map[string]string{}} }

// add counts one event. A line that is no event is what the go tool said on its own.
func (t *tally) add(line []byte) {
	var e event
	if err := json.Unmarshal(line, &e); err != nil {
		e = event{Action: "output", Package: "go", Output: string(line) + "\n"}
	}
	switch {
	case e.Action == "build-output":
		t.builds[e.ImportPath] = kept(t.builds[e.ImportPath] + e.Output)
	case e.Package == "":
	case e.Test == "":
		t.of(e.Package).packageEvent(e, t.builds)
	default:
		t.of(e.Package).testEvent(e)
	}
}

func (t *tally) of(name string) *result {
	if t.packages[name] == nil {
		t.packages[name] = &result{running: map[string]bool{}, said: map[string]string{}}
	}
	return t.packages[name]
}

func (r *result) packageEvent(e event, builds map[string]string) {
	switch e.Action {
	case "output":
		r.said[""] = kept(r.said[""] + e.Output)
	case "pass", "fail", "skip":
		r.verdict, r.seconds = e.Action, e.Elapsed
		r.said[""] = kept(builds[e.FailedBuild] + r.said[""])
	}
}

func (r *result) testEvent(e event) {
	switch e.Action {
	case "run":
		r.running[e.Test] = true
	case "output":
		r.said[e.Test] = kept(r.said[e.Test] + e.Output)
	case "pass":
		r.passed++
		delete(r.running, e.Test)
		delete(r.said, e.Test)
	case "fail", "skip":
		if e.Action == "fail" {
			r.failed++
		} else {
			r.skipped++
		}
		delete(r.running, e.Test)
		r.shown = append(r.shown, e.Test)
	}
}

// close settles what never ended, prints everything and reports whether all is well.
func (t *tally) close(out io.Writer) bool {
	passed, failed, skipped := 0, 0, 0
	for _, name := range slices.Sorted(maps.Keys(t.packages)) {
		r := t.packages[name]
		if name != "go" {
			r.settle()
			fmt.Fprintln(out, r.line(name))
		}
		fmt.Fprint(out, r.words())
		passed, failed, skipped = passed+r.passed, failed+r.failed, skipped+r.skipped
	}
	if passed+failed+skipped == 0 {
		fmt.Fprintln(out, "no test ran")
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", passed, failed, skipped)
	return passed > 0 && failed == 0 && skipped == 0
}

// settle turns tests that never ended, and a package that failed without a failed test, into
// failures.
func (r *result) settle() {
	for _, test := range slices.Sorted(maps.Keys(r.running)) {
		r.failed++
		r.shown = append(r.shown, test)
	}
	if r.verdict != "pass" && r.verdict != "skip" && r.failed == 0 {
		r.failed++
	}
}

// line is one package in one line.
func (r *result) line(name string) string {
	word := map[bool]string{true: "ok  ", false: "FAIL"}[r.failed+r.skipped == 0]
	if r.passed+r.failed+r.skipped == 0 {
		return fmt.Sprintf("%s  %-60s no tests", word, name)
	}
	said := fmt.Sprintf("%s  %-60s %4d tests %7.2fs", word, name, r.passed+r.failed+r.skipped, r.seconds)
	if r.failed > 0 {
		said += fmt.Sprintf("  %d failed", r.failed)
	}
	if r.skipped > 0 {
		said += fmt.Sprintf("  %d skipped", r.skipped)
	}
	return said
}

// words are what a person must read to mend the package.
func (r *result) words() string {
	said := ""
	for _, test := range r.shown {
		said += r.said[test]
	}
	if r.verdict == "pass" || r.verdict == "skip" {
		return said
	}
	return said + r.said[""]
}

func kept(text string) string {
	if len(text) <= keptOutput {
		return text
	}
	return "[…]" + strings.ToValidUTF8(text[len(text)-keptOutput:], "")
}
