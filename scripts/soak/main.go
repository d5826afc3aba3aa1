// Command soak runs the long forms of the tests, stage by stage, and says what each came to.
//
// What always holds: every stage has its own time limit and gets one line of result, whatever became
// of the others; the last lines are a table of all of them, and the exit code is 0 only if all passed.
// The seed of a stage is printed before it begins, with what repeats it. What is never done: a stage
// that is unknown, or a run in which nothing was tested, counts as passed.
//
// How: soak [-time 10m] [-seed N] [STAGE...]; without a stage all run, in the order of the table in
// stages.go; "soak -list" names them. A stage is "go test" with LOAXA_SOAK, which is how often a test
// plays, and LOAXA_SEED, which is its first seed; its events are counted by scripts/tally.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ok, err := run(ctx, os.Args[1:], os.Stdout, goTest)
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// play runs one stage once and returns the count of its tests, and all that was said if it failed.
type play func(ctx context.Context, s stage, seed uint64) (count, said string, err error)

// result is what one stage came to.
type result struct {
	stage
	seed  uint64
	count string
	took  time.Duration
	err   error
}

// run plays the stages that are asked for and reports whether all passed.
func run(ctx context.Context, args []string, out io.Writer, test play) (bool, error) {
	flags := flag.NewFlagSet("soak", flag.ContinueOnError)
	flags.SetOutput(out)
	length := flags.Duration("time", 10*time.Minute, "how long the stage \"order\" repeats everything")
	seed := flags.Uint64("seed", 0, "first seed of every stage; drawn if it is 0")
	list := flags.Bool("list", false, "name the stages")
	if err := flags.Parse(args); err != nil {
		return false, fmt.Errorf("say: soak [-time 10m] [-seed N] [STAGE...]: %w", err)
	}
	chosen, err := choose(flags.Args())
	if err != nil || *list {
		for _, s := range stages {
			fmt.Fprintf(out, "%-10s %s, at most %v\n", s.name, s.what, s.limit)
		}
		return err == nil, err
	}
	var results []result
	for _, s := range chosen {
		r := result{stage: s, seed: *seed}
		if r.seed == 0 {
			r.seed = uint64(rand.Uint32()) + 1
		}
		fmt.Fprintf(out, "== %s: %s, at most %v; seed %d, repeat with: go run ./scripts/soak -seed %d %s\n", s.name, s.what, s.limit, r.seed, r.seed, s.name)
		r = r.played(ctx, *length, out, test)
		fmt.Fprintln(out, r)
		results = append(results, r)
	}
	fmt.Fprintln(out, "\nsoak:")
	for _, r := range results {
		fmt.Fprintln(out, r)
	}
	return !slices.ContainsFunc(results, func(r result) bool { return r.err != nil }), nil
}

// choose returns the stages of some names, or all of them.
func choose(names []string) ([]stage, error) {
	if len(names) == 0 {
		return stages, nil
	}
	var chosen []stage
	for _, name := range names {
		i := slices.IndexFunc(stages, func(s stage) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("there is no stage %q; choose among those above", name)
		}
		chosen = append(chosen, stages[i])
	}
	return chosen, nil
}

// played plays a stage: once, or with other seeds until the time is up or it fails.
func (r result) played(ctx context.Context, length time.Duration, out io.Writer, test play) result {
	began, seed := time.Now(), r.seed
	for round := 1; ; round++ {
		limited, cancel := context.WithTimeout(ctx, r.limit+farewell)
		count, said, err := test(limited, r.stage, seed)
		cancel()
		r.took = time.Since(began)
		r.count = count
		if r.repeats {
			r.count = fmt.Sprintf("%d rounds, the last: %s", round, count)
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			r.seed, r.err = seed, err
			fmt.Fprint(out, said)
			return r
		}
		if !r.repeats || r.took >= length {
			return r
		}
		seed++
	}
}

// String is the one line of a stage.
func (r result) String() string {
	word := "ok  "
	if r.err != nil {
		word = "FAIL"
	}
	said := fmt.Sprintf("%s  %-10s %8v  seed %-10d  %s", word, r.name, r.took.Round(time.Second), r.seed, r.count)
	if r.err != nil {
		said += ": " + strings.ReplaceAll(r.err.Error(), "\n", "; ")
	}
	return said
}
