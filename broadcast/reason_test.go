package broadcast_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/loaxa/loaxa/broadcast"
)

// declaredCodes reads the codes of a type that a file declares, so that one
// without a row in its table cannot be forgotten.
func declaredCodes[C ~string](t *testing.T, name, kind string) []C {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var out []C
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if typ, ok := spec.Type.(*ast.Ident); ok && typ.Name == kind {
			code, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, C(code))
		}
		return true
	})
	return out
}

func TestEveryReasonHasWordsInBothLanguages(t *testing.T) {
	declared := declaredCodes[broadcast.Reason](t, "reason.go", "Reason")
	table := broadcast.ReasonTexts()
	if len(declared) != len(table) {
		t.Errorf("%d reasons are declared, %d have words", len(declared), len(table))
	}
	for _, r := range declared {
		if err := r.Validate(); err != nil {
			t.Errorf("%v: give it words in both languages", err)
		}
		if !slices.Contains(table, r.Words()) {
			t.Errorf("%s has other words: %+v", r, r.Words())
		}
	}
	if w := broadcast.Reason("tomorrow").Words(); w.Code != "tomorrow" || w.EN != "tomorrow" || w.VI != "tomorrow" {
		t.Errorf("a reason of tomorrow is told as %+v", w)
	}
	seen := map[string]bool{}
	for _, r := range table {
		for what, text := range map[string]string{"code ": string(r.Code), "vi ": r.VI, "en ": r.EN} {
			if text == "" || strings.TrimSpace(text) != text || broadcast.NormalText(text) != text || seen[what+text] {
				t.Errorf("%s: %q is empty, untidy or used twice", r.Code, text)
			}
			seen[what+text] = true
		}
		if err := broadcast.ID(r.Code).Validate(); err != nil {
			t.Errorf("%s is no stable code: %v", r.Code, err)
		}
		if strings.IndexFunc(r.EN, func(c rune) bool { return c > unicode.MaxASCII }) >= 0 || strings.IndexFunc(r.VI, func(c rune) bool { return c > unicode.MaxASCII }) < 0 {
			t.Errorf("%s: the languages are exchanged: %q, %q", r.Code, r.VI, r.EN)
		}
	}
	accepts(t, func(s string) broadcast.Reason { return broadcast.Reason(s) }, []string{"", "because", "Quiet"}, nil)
}
