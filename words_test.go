package loaxa

import (
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// workplace are words of the places and tools we build with. The product speaks only of itself: a
// path or a name that exists on one desk means nothing to a stranger. The words are put together
// from halves so that this file passes its own test; each half-pair is a regular expression.
var workplace = []string{
	`/wo` + `rk/`,
	`\.\./sha` + `red`,
	`\.lib` + `rary/`,
	`bash_` + `jobs`,
	`(?i)\bclau` + `de\b`,
	`(?i)anth` + `ropic`,
	`(?i)chat` + `gpt`,
	`(?i)\bsub-?` + `agents?\b`,
	`(?i)\bA` + `I (agent|assistant|session)`,
	`(?i)\blanguage mo` + `del`,
	`GOPR` + `OXY`,
	`GONO` + `SUMDB`,
	`(?i)\biss` + `ue #?[0-9]`,
	`(?i)\bthe br` + `ief\b`,
	`\b(DES` + `IGN|TRU` + `ST|STY` + `LE|COMM` + `ON)(\.md\b| [0-9])`,
	`(?i)co-authored` + `-by`,
}

func TestTheProductSpeaksOnlyOfItself(t *testing.T) {
	obey(t, foreignWords(thisTree(t)), "Say it in words of the product: what holds, and why. Point only at what a clone contains.")
}

func TestEveryForeignWordIsSeen(t *testing.T) {
	examples := []string{
		"see /wo" + "rk/main", "in ../sha" + "red", ".lib" + "rary/x", "bash_" + "jobs", "Clau" + "de", "Anth" + "ropic",
		"Chat" + "GPT", "a sub-" + "agent", "an A" + "I assistant", "a language mo" + "del", "GOPR" + "OXY=off",
		"GONO" + "SUMDB", "iss" + "ue #2", "the br" + "ief", "TRU" + "ST.md", "Co-Authored" + "-By: x",
	}
	if len(examples) != len(workplace) {
		t.Fatalf("%d examples for %d words", len(examples), len(workplace))
	}
	for i, example := range examples {
		for _, name := range []string{"a/a.go", "docs/a.md", "scripts/a", "a/testdata/a.json"} {
			text := []byte("package a // " + example + "\n")
			if len(foreignWords(tree{parsed(t, name, text)})) == 0 {
				t.Errorf("%s: %q is not seen", name, example)
			}
			if found := regexp.MustCompile(workplace[i]).FindString(example); found == "" {
				t.Errorf("%q does not stand for %s", example, workplace[i])
			}
		}
	}
	innocent := "package a // a session of an officer, a registry of boards, a trusted design, an issued document, homework/\n"
	if found := foreignWords(tree{parsed(t, "a/a.go", []byte(innocent))}); len(found) > 0 {
		t.Errorf("innocent words are flagged: %q", found)
	}
}

// foreignWords finds them in every text of the tree but the list of checksums.
func foreignWords(t tree) []string {
	words := regexp.MustCompile(strings.Join(workplace, "|"))
	var breaches []string
	for _, f := range t {
		if path.Base(f.path) == "go.sum" {
			continue
		}
		for i, line := range strings.Split(string(f.text), "\n") {
			if found := words.FindString(line); found != "" {
				breaches = append(breaches, f.path+":"+strconv.Itoa(i+1)+": says "+strconv.Quote(found))
			}
		}
	}
	return breaches
}
