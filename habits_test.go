package loaxa

import (
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// inits finds functions that run before main where nobody called them.
func inits(t tree) []string {
	var breaches []string
	for _, f := range t.goFiles() {
		for _, decl := range f.syntax.Decls {
			if function, ok := decl.(*ast.FuncDecl); ok && function.Recv == nil && function.Name.Name == "init" {
				breaches = append(breaches, f.at(function)+": func init")
			}
		}
	}
	return breaches
}

// prints finds the old log package anywhere in the product, and writing to standard output outside
// of commands and packages named cli.
func prints(t tree) []string {
	var breaches []string
	for _, f := range t.product() {
		if slices.Contains(f.imports(), "log") {
			breaches = append(breaches, f.path+": imports log")
		}
		if f.isCommand() || path.Base(f.folder()) == "cli" {
			continue
		}
		ast.Inspect(f.syntax, func(node ast.Node) bool {
			if node != nil && f.uses(node, "fmt", "Print", "Printf", "Println") {
				breaches = append(breaches, f.at(node)+": writes to standard output")
			}
			return true
		})
	}
	return breaches
}

// sleeps finds tests that wait for a while instead of for what they test.
func sleeps(t tree) []string {
	var breaches []string
	for _, f := range t.tests() {
		ast.Inspect(f.syntax, func(node ast.Node) bool {
			if node != nil && f.uses(node, "time", "Sleep") {
				breaches = append(breaches, f.at(node)+": sleeps")
			}
			return true
		})
	}
	return breaches
}

// skips finds tests that may not run. Only the usual names of a test's T count, since decoders and
// readers skip things for a living.
func skips(t tree) []string {
	var breaches []string
	for _, f := range t.tests() {
		ast.Inspect(f.syntax, func(node ast.Node) bool {
			selector, ok := node.(*ast.SelectorExpr)
			if !ok || !strings.HasPrefix(selector.Sel.Name, "Skip") {
				return true
			}
			subject, ok := selector.X.(*ast.Ident)
			if ok && slices.Contains([]string{"t", "b", "f", "tb", "tt"}, subject.Name) {
				breaches = append(breaches, f.at(node)+": skips")
			}
			return true
		})
	}
	return breaches
}

// later matches the marks of unfinished work. It is put together from halves so that it does not
// find itself.
var later = regexp.MustCompile(strings.Join([]string{`TO` + `DO`, `FIX` + `ME`, `not ` + `implemented`,
	`un` + `implemented`, `\bst` + `ub(s|bed)?\b`}, "|"))

// leftovers finds such marks in code, scripts and documents.
func leftovers(t tree) []string {
	var breaches []string
	kinds := []string{".go", ".sh", ".ts", ".svelte", ".md", ".yaml", ".toml"}
	for _, f := range t {
		ext := path.Ext(f.path)
		if !slices.Contains(kinds, ext) && !(ext == "" && f.under("scripts")) && f.path != "Makefile" {
			continue
		}
		for i, line := range strings.Split(string(f.text), "\n") {
			if found := later.FindString(line); found != "" {
				breaches = append(breaches, f.path+":"+strconv.Itoa(i+1)+": says "+strconv.Quote(found))
			}
		}
	}
	return breaches
}

// folders are the rooms of the house.
var folders = []string{"broadcast", "controller", "device", "docs", "firmware", "scripts", ".ci", ".github"}

// strangeFolders finds others.
func strangeFolders(t tree) []string {
	var breaches []string
	for _, f := range t {
		top, _, found := strings.Cut(f.path, "/")
		if found && !slices.Contains(folders, top) {
			breaches = append(breaches, f.path+": stands in a folder of the root that the house does not know")
		}
	}
	return breaches
}
