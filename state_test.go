package loaxa

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// pure are calls whose result never changes once made, so a package may keep it.
var pure = map[string][]string{
	"errors":          {"New"},
	"regexp":          {"MustCompile"},
	"time":            {"FixedZone", "Date"},
	"strings":         {"NewReplacer"},
	"sync":            {"OnceValue", "OnceValues"},
	"net/netip":       {"MustParseAddr", "MustParsePrefix"},
	"hash/crc32":      {"MakeTable"},
	"encoding/base32": {"NewEncoding"},
	"encoding/base64": {"NewEncoding"},
	"text/template":   {"Must"},
	"html/template":   {"Must"},
	"math/big":        {"NewInt"},
}

// packageState finds package-level variables that are not constants in all but name: neither a
// sentinel error, a compiled pattern, an embedded file, a compile-time assertion nor a table; and
// tables that somebody changes.
func packageState(t tree) []string {
	var breaches []string
	for _, files := range t.product().packages() {
		kept := map[string]bool{}
		for _, f := range files {
			for _, spec := range packageVars(f) {
				for i, name := range spec.Names {
					kept[name.Name] = true
					if !f.isConstantInAllButName(spec, i) {
						breaches = append(breaches, f.at(name)+": "+name.Name+" is a package-level variable")
					}
				}
			}
		}
		for _, f := range files {
			breaches = append(breaches, f.changes(kept)...)
		}
	}
	return breaches
}

// packageVars are the variables of a file's outermost level, without those that a directive fills
// with an embedded file.
func packageVars(f file) []*ast.ValueSpec {
	var specs []*ast.ValueSpec
	for _, decl := range f.syntax.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.VAR {
			continue
		}
		for _, spec := range group.Specs {
			value := spec.(*ast.ValueSpec)
			if !embeds(group.Doc) && !embeds(value.Doc) {
				specs = append(specs, value)
			}
		}
	}
	return specs
}

func embeds(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool {
		return strings.HasPrefix(c.Text, "//go:embed ")
	})
}

// isConstantInAllButName judges the i-th name of a declaration by what it is made of.
func (f file) isConstantInAllButName(spec *ast.ValueSpec, i int) bool {
	if spec.Names[i].Name == "_" {
		return true
	}
	if i >= len(spec.Values) {
		return false
	}
	switch value := spec.Values[i].(type) {
	case *ast.CompositeLit:
		return true
	case *ast.UnaryExpr:
		_, literal := value.X.(*ast.CompositeLit)
		return value.Op == token.AND && literal
	case *ast.BasicLit: // what the linker fills in with -X
		return f.isCommand() && spec.Names[i].Name == "version"
	case *ast.CallExpr:
		return f.isPure(value)
	}
	return false
}

func (f file) isPure(call *ast.CallExpr) bool {
	switch made := call.Fun.(type) {
	case *ast.ArrayType: // a conversion such as []byte("RIFF")
		return true
	case *ast.IndexExpr: // a generic such as sync.OnceValue[int]
		return f.isPure(&ast.CallExpr{Fun: made.X})
	default:
		for imported, names := range pure {
			if f.uses(made, imported, names...) {
				return true
			}
		}
	}
	return false
}

// changes finds, in one file, assignments to the package-level names, to their parts or through
// their addresses. A local variable of the same name is another thing.
func (f file) changes(kept map[string]bool) []string {
	var breaches []string
	flag := func(node ast.Node, target ast.Expr) {
		if name := root(target); name != nil && kept[name.Name] && f.isOutermost(name) {
			breaches = append(breaches, f.at(node)+": changes the package-level "+name.Name)
		}
	}
	ast.Inspect(f.syntax, func(node ast.Node) bool {
		switch node := node.(type) {
		case *ast.AssignStmt:
			for _, target := range node.Lhs {
				if node.Tok != token.DEFINE {
					flag(node, target)
				}
			}
		case *ast.IncDecStmt:
			flag(node, node.X)
		case *ast.UnaryExpr:
			if _, literal := node.X.(*ast.CompositeLit); node.Op == token.AND && !literal {
				flag(node, node.X)
			}
		case *ast.CallExpr:
			if builtin, ok := node.Fun.(*ast.Ident); ok && len(node.Args) > 0 &&
				slices.Contains([]string{"delete", "clear", "copy"}, builtin.Name) {
				flag(node, node.Args[0])
			}
		}
		return true
	})
	return breaches
}

// root is the variable that an expression such as table[key].field belongs to.
func root(target ast.Expr) *ast.Ident {
	for {
		switch part := target.(type) {
		case *ast.Ident:
			return part
		case *ast.IndexExpr:
			target = part.X
		case *ast.SelectorExpr:
			target = part.X
		case *ast.StarExpr:
			target = part.X
		case *ast.ParenExpr:
			target = part.X
		case *ast.SliceExpr:
			target = part.X
		default:
			return nil
		}
	}
}

// isOutermost reports whether a name means the package's variable: one that the parser could not
// resolve stands in another file of the package.
func (f file) isOutermost(name *ast.Ident) bool {
	return name.Obj == nil || f.syntax.Scope.Lookup(name.Name) == name.Obj
}
