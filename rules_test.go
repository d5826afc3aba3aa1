package loaxa

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// rule is one house rule that reads the source. Its reason, its mending and its examples stand in
// docs/rules/<name>.txtar.
type rule struct {
	name     string
	breaches func(tree) []string
}

// rules are all of them. Rules that count or ask the go tool stand beside: sizes, budgets, words.
var rules = []rule{
	{"imports-run-one-way", importsAgainstTheWay},
	{"broadcast-is-pure", impurities},
	{"one-package-comment", packageComments},
	{"exports-are-documented", undocumented},
	{"no-package-state", packageState},
	{"no-init", inits},
	{"libraries-do-not-print", prints},
	{"tests-do-not-sleep", sleeps},
	{"tests-are-not-skipped", skips},
	{"nothing-is-left-for-later", leftovers},
	{"known-folders-only", strangeFolders},
}

func TestHouseRules(t *testing.T) {
	house := thisTree(t)
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			obey(t, rule.breaches(house), page(t, rule.name).Text())
		})
	}
}

func TestEveryRuleFlagsItsBadExamplesAndOnlyThose(t *testing.T) {
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			bad, good := 0, 0
			for name, example := range page(t, rule.name).examples(t) {
				breaches := rule.breaches(example)
				switch {
				case strings.HasPrefix(name, "bad"):
					bad++
					if len(breaches) == 0 {
						t.Errorf("example %q breaks the rule and is not flagged", name)
					}
				case strings.HasPrefix(name, "good"):
					good++
					if len(breaches) > 0 {
						t.Errorf("example %q keeps the rule and is flagged: %q", name, breaches)
					}
				default:
					t.Errorf("example %q: begin the name with bad or good", name)
				}
			}
			if bad == 0 || good == 0 {
				t.Errorf("%d bad and %d good examples: a rule needs one of each to be believed", bad, good)
			}
		})
	}
}

func TestEveryPageOfTheRulesIsEnforced(t *testing.T) {
	pages, err := filepath.Glob("docs/rules/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range pages {
		name = strings.TrimSuffix(filepath.Base(name), ".txtar")
		if !slices.ContainsFunc(rules, func(r rule) bool { return r.name == name }) {
			t.Errorf("docs/rules/%s.txtar states a rule that no test enforces: add it to the table of rules", name)
		}
	}
}

// rulePage is a rule as people read it: its text, then examples whose first folder names them.
type rulePage struct{ *txtar.Archive }

func page(t *testing.T, name string) rulePage {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("docs", "rules", name+".txtar"))
	if err != nil {
		t.Fatalf("the rule has no page: %v", err)
	}
	return rulePage{txtar.Parse(text)}
}

func (p rulePage) Text() string { return string(p.Comment) }

func (p rulePage) examples(t *testing.T) map[string]tree {
	t.Helper()
	examples := map[string]tree{}
	for _, part := range p.Files {
		name, rest, found := strings.Cut(part.Name, "/")
		if !found {
			t.Fatalf("%s: an example file is named <example>/<path in the tree>", part.Name)
		}
		examples[name] = append(examples[name], parsed(t, rest, part.Data))
	}
	return examples
}
