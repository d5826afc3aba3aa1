package loaxa

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// The limits of what a person reads in one go, and of what we test. Ninety of a hundred files and
// functions stay within the first two; no file passes the third.
const (
	fileLines     = 350
	functionLines = 40
	longestFile   = 600
	testPerLine   = 0.8
)

func TestFilesAreShort(t *testing.T) {
	obey(t, longFiles(thisTree(t)), "Split the file where its story changes: one type, message or endpoint per file.")
}

func TestFunctionsAreShort(t *testing.T) {
	house := thisTree(t)
	mend := "Name the steps and make them functions; turn branches into a table; let the happy path run down the left margin."
	obey(t, longFunctions("product", house.product()), mend)
	obey(t, longFunctions("tests", house.tests()), mend)
}

func TestThereIsEnoughTestPerLine(t *testing.T) {
	obey(t, thinTests(thisTree(t)), "Test what the package comment promises, the refusals first.")
}

func TestNoProgramCarriesCodeForTests(t *testing.T) {
	obey(t, fakesInPrograms(thisTree(t)), "Only tests import a package whose name ends in test; move what the product needs out of it.")
}

// fakesInPrograms finds files of the product that import a fake or a suite of ours.
func fakesInPrograms(t tree) []string {
	var breaches []string
	for _, f := range t.goFiles() {
		for _, imported := range f.syntax.Imports {
			name := strings.Trim(imported.Path.Value, `"`)
			if !f.isForTests() && strings.HasPrefix(name, modulePath+"/") && strings.HasSuffix(name, "test") {
				breaches = append(breaches, fmt.Sprintf("%s imports %s", f.path, name))
			}
		}
	}
	return breaches
}

// longFiles finds files above the limit for each, and all that stand between us and the limit for
// ninety of a hundred.
func longFiles(t tree) []string {
	var breaches []string
	measured := measure{limit: fileLines, unit: "file"}
	for _, f := range t.goFiles() {
		measured.add(f.path, f.lines())
		if f.lines() > longestFile {
			breaches = append(breaches, fmt.Sprintf("%s: %d lines, more than %d", f.path, f.lines(), longestFile))
		}
	}
	return append(breaches, measured.breach()...)
}

// longFunctions does the same for functions with a body.
func longFunctions(which string, t tree) []string {
	measured := measure{limit: functionLines, unit: "function of the " + which}
	for _, f := range t {
		for _, decl := range f.syntax.Decls {
			if function, ok := decl.(*ast.FuncDecl); ok && function.Body != nil {
				first, last := f.set.Position(function.Pos()).Line, f.set.Position(function.End()).Line
				measured.add(f.at(function)+" "+function.Name.Name, last-first+1)
			}
		}
	}
	return measured.breach()
}

// measure collects lengths and judges the one that ninety of a hundred stay within.
type measure struct {
	limit int
	unit  string
	all   []length
}

type length struct {
	where string
	lines int
}

func (m *measure) add(where string, lines int) { m.all = append(m.all, length{where, lines}) }

func (m *measure) breach() []string {
	if len(m.all) == 0 {
		return nil
	}
	slices.SortFunc(m.all, func(a, b length) int { return a.lines - b.lines })
	ninetieth := m.all[(len(m.all)*9+9)/10-1]
	if ninetieth.lines <= m.limit {
		return nil
	}
	said := fmt.Sprintf("the ninetieth %s of a hundred has %d lines, more than %d; the longest:", m.unit, ninetieth.lines, m.limit)
	for _, l := range slices.Backward(m.all[max(0, len(m.all)-8):]) {
		said += fmt.Sprintf("\n    %4d %s", l.lines, l.where)
	}
	return []string{said}
}

// thinTests compares the lines of tests, and of the fakes and suites that only tests use, with the lines
// of what they test. The root package's own tests count for nothing: they test no product.
func thinTests(t tree) []string {
	var tests, product int
	for _, f := range t.goFiles() {
		switch {
		case f.folder() == ".":
		case f.isForTests():
			tests += f.lines()
		default:
			product += f.lines()
		}
	}
	if float64(tests) >= testPerLine*float64(product) {
		return nil
	}
	said := fmt.Sprintf("%d lines of test for %d of product: %.2f a line, fewer than %.1f; least tested:", tests, product,
		float64(tests)/float64(product), testPerLine)
	for _, p := range leastTested(t) {
		said += "\n    " + p
	}
	return []string{said}
}

// leastTested names the packages that lack the most lines.
func leastTested(t tree) []string {
	var lacking measure
	for folder, files := range t.packages() {
		tests, product := 0, 0
		for _, f := range files {
			if f.isForTests() {
				tests += f.lines()
			} else {
				product += f.lines()
			}
		}
		if lack := int(testPerLine*float64(product)) - tests; lack > 0 {
			lacking.add(fmt.Sprintf("%s (%d of %d)", folder, tests, product), lack)
		}
	}
	slices.SortFunc(lacking.all, func(a, b length) int { return b.lines - a.lines })
	var named []string
	for _, l := range lacking.all[:min(8, len(lacking.all))] {
		named = append(named, fmt.Sprintf("%s lacks %d lines", l.where, l.lines))
	}
	return named
}

func TestSizesAreFlaggedJustAboveTheirLimits(t *testing.T) {
	for _, example := range []struct {
		name     string
		judge    func(tree) []string
		tree     tree
		breaches int
	}{
		{"a file of the longest length among short ones", longFiles, files(t, longestFile, 1, 1, 1, 1, 1, 1, 1, 1, 1), 0},
		{"one line more", longFiles, files(t, longestFile+1, 1, 1, 1, 1, 1, 1, 1, 1, 1), 1},
		{"two of ten long", longFiles, files(t, fileLines+1, fileLines+1, 1, 1, 1, 1, 1, 1, 1, 1), 1},
		{"all at the limit", longFiles, files(t, fileLines, fileLines, fileLines), 0},
		{"one long function of ten", functions, functionsOf(t, functionLines+1, 1, 1, 1, 1, 1, 1, 1, 1, 1), 0},
		{"two long functions of ten", functions, functionsOf(t, functionLines+1, functionLines+1, 1, 1, 1, 1, 1, 1, 1, 1), 1},
		{"functions at the limit", functions, functionsOf(t, functionLines, functionLines), 0},
		{"just enough test", thinTests, append(files(t, 10), parsed(t, "a/a_test.go", source(8))), 0},
		{"a line too few", thinTests, append(files(t, 10), parsed(t, "a/a_test.go", source(7))), 1},
		{"fakes count as tests", thinTests, append(files(t, 10), parsed(t, "a/atest/a.go", source(8))), 0},
		{"a fake in the product", fakesInPrograms, tree{parsed(t, "a/a.go", []byte("package a\nimport _ \""+modulePath+"/device/linktest\"\n"))}, 1},
		{"a fake in a fake", fakesInPrograms, tree{parsed(t, "a/atest/a.go", []byte("package atest\nimport _ \""+modulePath+"/device/linktest\"\n"))}, 0},
		{"tests of the root do not count", thinTests, append(files(t, 10), parsed(t, "a_test.go", source(80))), 1},
	} {
		t.Run(example.name, func(t *testing.T) {
			if breaches := example.judge(example.tree); len(breaches) != example.breaches {
				t.Errorf("%d breaches, want %d: %q", len(breaches), example.breaches, breaches)
			}
		})
	}
}

func functions(t tree) []string { return longFunctions("example", t) }

// files are Go files of the given lengths.
func files(t *testing.T, lengths ...int) tree {
	var made tree
	for i, lines := range lengths {
		made = append(made, parsed(t, fmt.Sprintf("a/f%d.go", i), source(lines)))
	}
	return made
}

func source(lines int) []byte { return []byte("package a\n" + strings.Repeat("\n", lines-1)) }

// functionsOf is a file with functions of the given lengths.
func functionsOf(t *testing.T, lengths ...int) tree {
	text := "package a\n"
	for i, lines := range lengths {
		text += fmt.Sprintf("func f%d() {%s}\n", i, strings.Repeat("\n", lines-1))
	}
	return tree{parsed(t, "a/f.go", []byte(text))}
}
