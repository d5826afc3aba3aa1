package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

func TestOnlyARunWithoutFailuresAndSkipsPasses(t *testing.T) {
	for _, example := range []struct {
		name, events string
		ok           bool
		last         string
		says         []string
	}{
		{"all pass",
			`{"Action":"run","Package":"a","Test":"TestX"}
			 {"Action":"pass","Package":"a","Test":"TestX"}
			 {"Action":"pass","Package":"a","Elapsed":1.5}`,
			true, "1 passed, 0 failed, 0 skipped", []string{"ok", "1.50s"}},
		{"a failure shows what it said, a success does not",
			`{"Action":"run","Package":"a","Test":"TestX"}
			 {"Action":"output","Package":"a","Test":"TestX","Output":"x is wrong\n"}
			 {"Action":"fail","Package":"a","Test":"TestX"}
			 {"Action":"output","Package":"a","Test":"TestY","Output":"quiet\n"}
			 {"Action":"pass","Package":"a","Test":"TestY"}
			 {"Action":"fail","Package":"a"}`,
			false, "1 passed, 1 failed, 0 skipped", []string{"FAIL", "x is wrong", "1 failed"}},
		{"a skip fails the run",
			`{"Action":"pass","Package":"a","Test":"TestX"}
			 {"Action":"output","Package":"a","Test":"TestY","Output":"no card\n"}
			 {"Action":"skip","Package":"a","Test":"TestY"}
			 {"Action":"pass","Package":"a"}`,
			false, "1 passed, 0 failed, 1 skipped", []string{"no card", "1 skipped"}},
		{"a package that was not built",
			`{"ImportPath":"a [a.test]","Action":"build-output","Output":"a.go:1: undefined: b\n"}
			 {"ImportPath":"a [a.test]","Action":"build-fail"}
			 {"Action":"fail","Package":"a","FailedBuild":"a [a.test]"}
			 {"Action":"pass","Package":"b","Test":"TestX"}
			 {"Action":"pass","Package":"b"}`,
			false, "1 passed, 1 failed, 0 skipped", []string{"undefined: b"}},
		{"a test that never ended",
			`{"Action":"run","Package":"a","Test":"TestX"}
			 {"Action":"output","Package":"a","Test":"TestX","Output":"panic: timed out\n"}
			 {"Action":"fail","Package":"a"}`,
			false, "0 passed, 1 failed, 0 skipped", []string{"panic: timed out"}},
		{"a stream cut off in the middle",
			`{"Action":"pass","Package":"a","Test":"TestX"}`,
			false, "1 passed, 1 failed, 0 skipped", nil},
		{"a package without tests beside one with",
			`{"Action":"skip","Package":"a"}
			 {"Action":"pass","Package":"b","Test":"TestX"}
			 {"Action":"pass","Package":"b"}`,
			true, "1 passed, 0 failed, 0 skipped", []string{"no tests"}},
		{"nothing ran", ``, false, "0 passed, 0 failed, 0 skipped", []string{"no test ran"}},
		{"the go tool's own words", `go: cannot find main module`, false, "0 passed, 0 failed, 0 skipped",
			[]string{"cannot find main module"}},
	} {
		t.Run(example.name, func(t *testing.T) {
			var out strings.Builder
			ok, err := run(strings.NewReader(strings.ReplaceAll(example.events, "\t", "")), &out)
			if err != nil || ok != example.ok {
				t.Errorf("ok %v, %v; want %v", ok, err, example.ok)
			}
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			if last := lines[len(lines)-1]; last != example.last {
				t.Errorf("the last line is %q, want %q", last, example.last)
			}
			for _, part := range example.says {
				if !strings.Contains(out.String(), part) {
					t.Errorf("does not say %q:\n%s", part, &out)
				}
			}
			if strings.Contains(out.String(), "quiet") {
				t.Errorf("a passed test is quoted:\n%s", &out)
			}
		})
	}
}

func TestAnUnreadableStreamIsAnError(t *testing.T) {
	broken := errors.New("pipe broke")
	if ok, err := run(iotest.ErrReader(broken), io.Discard); ok || !errors.Is(err, broken) {
		t.Errorf("ok %v, error %v; want the broken pipe", ok, err)
	}
}

func TestWhatATestSaysIsBounded(t *testing.T) {
	long := strings.Repeat("é", keptOutput) + "the end"
	if got := kept(long); len(got) > keptOutput+16 || !strings.HasSuffix(got, "the end") {
		t.Errorf("%d bytes are kept, the end is %q", len(got), got[len(got)-20:])
	}
}

// The events above are what we believe of the go tool; these are what it says.
func TestTheGoToolsOwnEventsAreUnderstood(t *testing.T) {
	for _, example := range []struct{ name, body, last string }{
		{"passes", "", "1 passed, 0 failed, 0 skipped"},
		{"fails", "t.Fatal(1)", "0 passed, 1 failed, 0 skipped"},
		{"panics", "panic(1)", "0 passed, 1 failed, 0 skipped"},
		{"does not build", "undefined()", "0 passed, 1 failed, 0 skipped"},
	} {
		t.Run(example.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "go.mod", "module example.org/a\n")
			write(t, dir, "a_test.go", "package a\nimport \"testing\"\nfunc TestX(t *testing.T) {"+example.body+"}\n")
			test := exec.Command("go", "test", "-json", ".")
			test.Dir = dir
			events, err := test.Output()
			if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			var out strings.Builder
			if _, err := run(strings.NewReader(string(events)), &out); err != nil {
				t.Fatal(err)
			}
			if !strings.HasSuffix(out.String(), example.last+"\n") {
				t.Errorf("want %q at the end of:\n%s", example.last, &out)
			}
		})
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
