package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// played is a play that takes a minute and fails at the stages of some names. It notes what was played.
func played(fails ...string) (play, *[]string) {
	var names []string
	return func(_ context.Context, s stage, _ uint64) (string, string, error) {
		names = append(names, s.name)
		<-time.After(time.Minute)
		if slices.Contains(fails, s.name) {
			return "0 passed, 1 failed, 0 skipped", "x is wrong\n", errors.New("exit status 1")
		}
		return "3 passed, 0 failed, 0 skipped", "quiet", nil
	}, &names
}

func TestEveryStageGetsItsLineAndOneFailureFailsTheRun(t *testing.T) {
	for _, c := range []struct {
		name, args string
		fails      []string
		ok         bool
		plays      []string
		says       []string
	}{
		{"all pass", "-time 150s", nil, true, []string{"once", "guard", "fortnight", "kill", "line", "card", "order", "order", "order"},
			[]string{"3 rounds, the last: 3 passed", "ok    once           1m0s"}},
		{"one fails and the others go on", "-time 1s", []string{"guard"}, false, []string{"once", "guard", "fortnight", "kill", "line", "card", "order"},
			[]string{"x is wrong", "FAIL  guard", "exit status 1", "ok    order"}},
		{"a failure ends the repetition", "-time 10m order", []string{"order"}, false, []string{"order"}, []string{"FAIL  order"}},
		{"by name", "-seed 7 line once", nil, true, []string{"line", "once"}, []string{"seed 7, repeat with: go run ./scripts/soak -seed 7 line"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				test, names := played(c.fails...)
				var out strings.Builder
				ok, err := run(t.Context(), strings.Fields(c.args), &out, test)
				if err != nil || ok != c.ok {
					t.Errorf("ok %v, %v; want %v", ok, err, c.ok)
				}
				if !slices.Equal(*names, c.plays) {
					t.Errorf("played %v, want %v", *names, c.plays)
				}
				for _, part := range c.says {
					if !strings.Contains(out.String(), part) {
						t.Errorf("does not say %q:\n%s", part, &out)
					}
				}
				if strings.Contains(out.String(), "quiet") {
					t.Errorf("a stage that passed is quoted:\n%s", &out)
				}
				_, table, _ := strings.Cut(out.String(), "\nsoak:\n")
				if got := strings.Count(table, "\n"); got != len(slices.Compact(slices.Clone(c.plays))) {
					t.Errorf("a table of %d lines:\n%s", got, table)
				}
			})
		})
	}
}

func TestAStageIsStoppedAfterItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		hangs := func(ctx context.Context, _ stage, _ uint64) (string, string, error) {
			<-ctx.Done()
			return "", "", ctx.Err()
		}
		began := time.Now()
		ok, err := run(t.Context(), []string{"line"}, &out, hangs)
		if took := time.Since(began); ok || err != nil || took > 32*time.Minute {
			t.Errorf("ok %v, %v after %v", ok, err, took)
		}
	})
}

func TestWhatIsMistypedIsSaidWithWhatIsThere(t *testing.T) {
	for _, args := range [][]string{{"onse"}, {"-time", "soon"}, {"once", "guard", "nothing"}} {
		var out strings.Builder
		test, names := played()
		if ok, err := run(t.Context(), args, &out, test); ok || err == nil || len(*names) > 0 {
			t.Errorf("%v: ok %v, %v, played %v", args, ok, err, *names)
		}
		if !strings.Contains(out.String(), "fortnight") && !strings.Contains(out.String(), "-seed") {
			t.Errorf("%v: does not say what is there: %s", args, &out)
		}
	}
}

// A stage whose tests were renamed would run nothing.
func TestEveryStageNamesTestsThatExist(t *testing.T) {
	for _, s := range stages {
		for _, name := range s.tests {
			found := false
			for _, dir := range s.packages {
				files, err := filepath.Glob(filepath.Join("..", "..", dir, "*_test.go"))
				if err != nil {
					t.Fatal(err)
				}
				for _, file := range files {
					text, err := os.ReadFile(file)
					if err != nil {
						t.Fatal(err)
					}
					found = found || regexp.MustCompile(`(?m)^func `+name+`\(`).Match(text)
				}
			}
			if !found {
				t.Errorf("stage %s runs %s, which none of %v has", s.name, name, s.packages)
			}
		}
	}
}

func TestAStageTellsItsTestsHowOftenAndFromWhichSeed(t *testing.T) {
	s := stage{tests: []string{"TestA", "TestB"}, packages: []string{"./a"}, times: 13, count: 1, limit: time.Minute}
	if got := strings.Join(s.args(9), " "); got != "test -json -count=1 -timeout=1m0s -shuffle=9 -run ^(TestA|TestB)$ ./a" {
		t.Error(got)
	}
	if got := strings.Join(s.env(9), " "); got != "LOAXA_SOAK=13 LOAXA_SEED=9" {
		t.Error(got)
	}
	if got := (stage{}).env(9); got != nil {
		t.Errorf("a stage without a measure tells %v", got)
	}
}

// What runs must have passed; a run of nothing has not.
func TestGoTestCountsWhatRan(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	for name, want := range map[string]struct {
		last string
		ok   bool
	}{"TestWhatATestSaysIsBounded": {"1 passed, 0 failed, 0 skipped", true}, "TestThatNobodyWrote": {"0 passed, 0 failed, 0 skipped", false}} {
		s := stage{tests: []string{name}, packages: []string{"./scripts/tally"}, count: 1, limit: time.Minute}
		count, said, err := goTest(t.Context(), s, 1)
		if count != want.last || (err == nil) != want.ok {
			t.Errorf("%s: %q, %v:\n%s", name, count, err, said)
		}
	}
}
