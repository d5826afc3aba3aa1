package loaxa

import (
	"go/ast"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// namedTest is a test as documents name it.
var namedTest = regexp.MustCompile("`(Test[A-Z][A-Za-z0-9]+)`")

// missingTests are the tests that a text names and the tree does not have.
func missingTests(read tree, text string) []string {
	known := map[string]bool{}
	for _, f := range read {
		if f.syntax == nil || !strings.HasSuffix(f.path, "_test.go") {
			continue
		}
		for _, d := range f.syntax.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil {
				known[fn.Name.Name] = true
			}
		}
	}
	var missing []string
	for _, found := range namedTest.FindAllStringSubmatch(text, -1) {
		if !known[found[1]] {
			missing = append(missing, found[1])
		}
	}
	return missing
}

// TestEveryPromiseIsProvedByATestThatExists reads docs/promises.md: each row
// names a test, and each test that it names stands in the tree.
func TestEveryPromiseIsProvedByATestThatExists(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("docs", "promises.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range missingTests(thisTree(t), string(text)) {
		t.Errorf("docs/promises.md names %s, which no file has: name the test that proves the promise", name)
	}
	rows := 0
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| promise") {
			continue
		}
		rows++
		if !namedTest.MatchString(line) {
			t.Errorf("a promise without a test: %s", line)
		}
	}
	if rows < 25 {
		t.Errorf("%d promises were found: the table is not read", rows)
	}
}

func TestAPromiseWithoutItsTestIsSeen(t *testing.T) {
	here := thisTree(t)
	if got := missingTests(here, "`TestAPromiseWithoutItsTestIsSeen` and `TestThatNobodyWrote`"); len(got) != 1 || got[0] != "TestThatNobodyWrote" {
		t.Errorf("missing: %v", got)
	}
}
