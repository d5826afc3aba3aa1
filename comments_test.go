package loaxa

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// packageComments finds packages without exactly one comment that starts as godoc expects.
func packageComments(t tree) []string {
	var breaches []string
	for folder, files := range t.packages() {
		files = files.product()
		if len(files) == 0 {
			continue
		}
		want := "Package " + files[0].syntax.Name.Name + " "
		if files[0].isCommand() {
			want = "Command "
		}
		said := 0
		for _, f := range files {
			if f.syntax.Doc == nil {
				continue
			}
			said++
			if !strings.HasPrefix(f.syntax.Doc.Text(), want) {
				breaches = append(breaches, fmt.Sprintf("%s: the package comment does not start with %q", f.path, want))
			}
		}
		if said != 1 {
			breaches = append(breaches, fmt.Sprintf("%s: has %d package comments, not one", folder, said))
		}
	}
	return breaches
}

// undocumented finds exported names of product files without a comment of their own. One comment
// over a group of constants or variables speaks for the group.
func undocumented(t tree) []string {
	var breaches []string
	for _, f := range t.product() {
		for _, decl := range f.syntax.Decls {
			for _, name := range bareNames(decl) {
				breaches = append(breaches, f.at(name)+": "+name.Name+" is exported and has no comment")
			}
		}
	}
	return breaches
}

// bareNames are the exported names that a declaration leaves without a comment.
func bareNames(decl ast.Decl) []*ast.Ident {
	switch decl := decl.(type) {
	case *ast.FuncDecl:
		if decl.Doc != nil || !decl.Name.IsExported() || !ast.IsExported(receiver(decl)) {
			return nil
		}
		return []*ast.Ident{decl.Name}
	case *ast.GenDecl:
		var bare []*ast.Ident
		for _, spec := range decl.Specs {
			bare = append(bare, bareSpec(spec, decl.Doc != nil)...)
		}
		return bare
	}
	return nil
}

func bareSpec(spec ast.Spec, grouped bool) []*ast.Ident {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		if spec.Name.IsExported() && spec.Doc == nil && spec.Comment == nil && !grouped {
			return []*ast.Ident{spec.Name}
		}
	case *ast.ValueSpec:
		if spec.Doc == nil && spec.Comment == nil && !grouped {
			return slices.DeleteFunc(slices.Clone(spec.Names), func(n *ast.Ident) bool { return !n.IsExported() })
		}
	}
	return nil
}

// receiver is the name of a method's type; a plain function counts as a method of an exported one.
func receiver(decl *ast.FuncDecl) string {
	if decl.Recv == nil {
		return "Exported"
	}
	name := ""
	ast.Inspect(decl.Recv.List[0].Type, func(node ast.Node) bool {
		if ident, ok := node.(*ast.Ident); ok && name == "" {
			name = ident.Name
		}
		return true
	})
	return name
}
