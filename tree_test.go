package loaxa

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// modulePath is the import path below which every package of ours stands.
const modulePath = "github.com/loaxa/loaxa"

// file is one text file of the tree. Files that are not Go have a nil syntax.
type file struct {
	path   string // slash-separated, relative to the root
	text   []byte
	set    *token.FileSet
	syntax *ast.File
}

// tree is what a rule judges: the repository, or a small example of one.
type tree []file

// outside are the folders of the root that hold nothing of ours.
var outside = []string{".git", "bin", "node_modules", ".idea", ".vscode"}

// thisTree reads the repository that the test stands in.
func thisTree(t *testing.T) tree {
	t.Helper()
	var read tree
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && slices.Contains(outside, entry.Name()) {
			return fs.SkipDir
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		text, err := os.ReadFile(name)
		if os.IsNotExist(err) { // an editor's or a test's temporary file that has just gone
			return nil
		}
		if err != nil || bytes.IndexByte(text, 0) >= 0 {
			return err
		}
		read = append(read, parsed(t, filepath.ToSlash(name), text))
		return nil
	})
	if err != nil {
		t.Fatalf("the tree cannot be read: %v", err)
	}
	if len(read.product()) == 0 {
		t.Fatal("the tree holds no Go file: the rules would be kept by nobody")
	}
	return read
}

// parsed is a file with its syntax if it is Go of ours; test data may be broken Go on purpose.
func parsed(t *testing.T, name string, text []byte) file {
	t.Helper()
	f := file{path: name, text: text}
	if path.Ext(name) != ".go" || strings.Contains("/"+name, "/testdata/") {
		return f
	}
	f.set = token.NewFileSet()
	syntax, err := parser.ParseFile(f.set, name, text, parser.ParseComments)
	if err != nil {
		t.Fatalf("%s is not Go: %v", name, err)
	}
	f.syntax = syntax
	return f
}

func (f file) folder() string { return path.Dir(f.path) }
func (f file) isTest() bool   { return strings.HasSuffix(f.path, "_test.go") }

// isForTests says whether only tests use the file: a test, or part of a fake or suite that stands in a
// package of its own named like what it serves, such as storetest.
func (f file) isForTests() bool {
	base := path.Base(f.folder())
	return f.isTest() || base != "test" && strings.HasSuffix(base, "test")
}

func (f file) isCommand() bool       { return f.syntax.Name.Name == "main" }
func (f file) lines() int            { return bytes.Count(f.text, []byte("\n")) }
func (f file) under(dir string) bool { return f.path == dir || strings.HasPrefix(f.path, dir+"/") }

// at says where a node of the syntax stands, as editors understand it.
func (f file) at(node ast.Node) string {
	return f.path + ":" + strconv.Itoa(f.set.Position(node.Pos()).Line)
}

// imports lists the paths a file imports.
func (f file) imports() []string {
	var paths []string
	for _, spec := range f.syntax.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err == nil {
			paths = append(paths, imported)
		}
	}
	return paths
}

// uses reports whether a node is a use of one of the names of an imported package, whatever the
// file calls that package.
func (f file) uses(node ast.Node, imported string, names ...string) bool {
	selector, ok := node.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	qualifier, ok := selector.X.(*ast.Ident)
	return ok && qualifier.Name == f.nameOf(imported) && slices.Contains(names, selector.Sel.Name)
}

// nameOf is the name under which a file knows an imported package, or "" if it does not.
func (f file) nameOf(imported string) string {
	for _, spec := range f.syntax.Imports {
		if spec.Path.Value != strconv.Quote(imported) {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return path.Base(imported)
	}
	return ""
}

// goFiles are all Go files of ours, product the ones that are not tests, tests the others.
func (t tree) goFiles() tree { return t.where(func(f file) bool { return true }) }
func (t tree) product() tree { return t.where(func(f file) bool { return !f.isTest() }) }
func (t tree) tests() tree   { return t.where(file.isTest) }

func (t tree) where(keep func(file) bool) tree {
	var kept tree
	for _, f := range t {
		if f.syntax != nil && keep(f) {
			kept = append(kept, f)
		}
	}
	return kept
}

// packages groups Go files by folder.
func (t tree) packages() map[string]tree {
	byFolder := map[string]tree{}
	for _, f := range t.goFiles() {
		byFolder[f.folder()] = append(byFolder[f.folder()], f)
	}
	return byFolder
}

// obey fails the test once for each breach, each with the way to mend it.
func obey(t *testing.T, breaches []string, mend string) {
	t.Helper()
	slices.Sort(breaches)
	for _, breach := range breaches {
		t.Errorf("%s", breach)
	}
	if len(breaches) > 0 {
		t.Logf("%d to mend:\n%s", len(breaches), mend)
	}
}
