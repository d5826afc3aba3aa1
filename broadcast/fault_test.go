package broadcast_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/loaxa/loaxa/broadcast"
)

// travel is what a hint may take from the node's decision to the screen.
const travel = 15 * time.Second

func TestEveryFaultHasExactlyOneRow(t *testing.T) {
	declared := append(declaredCodes[broadcast.FaultCode](t, "faultsite.go", "FaultCode"),
		declaredCodes[broadcast.FaultCode](t, "faultcentre.go", "FaultCode")...)
	table := broadcast.Faults()
	if len(declared) != len(table) {
		t.Errorf("%d codes are declared, %d have rows", len(declared), len(table))
	}
	for _, c := range declared {
		if err := c.Validate(); err != nil {
			t.Errorf("%v: give it a row", err)
		}
		if n := len(slices.DeleteFunc(broadcast.Faults(), func(f broadcast.Fault) bool { return f.Code != c })); n != 1 {
			t.Errorf("%s has %d rows", c, n)
		}
		if err := broadcast.ID(c).Validate(); err != nil {
			t.Errorf("%s is no stable code: %v", c, err)
		}
	}
	accepts(t, func(s string) broadcast.FaultCode { return broadcast.FaultCode(s) }, []string{"", "broken", "Drift"}, []string{"drift", "store-full"})
}

func TestEveryFaultSaysWhatIsWrongAndWhatToDoInBothLanguages(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range broadcast.Faults() {
		for what, text := range map[string]string{"vi ": f.VI, "en ": f.EN, "do vi ": f.DoVI, "do en ": f.DoEN} {
			if text == "" || strings.TrimSpace(text) != text || broadcast.NormalText(text) != text || seen[what+text] {
				t.Errorf("%s: %s%q is empty, untidy or used twice", f.Code, what, text)
			}
			seen[what+text] = true
		}
		if foreign(f.EN+f.DoEN) || !foreign(f.VI) || !foreign(f.DoVI) {
			t.Errorf("%s: the languages are exchanged", f.Code)
		}
		if !strings.HasSuffix(f.DoVI, ".") || !strings.HasSuffix(f.DoEN, ".") {
			t.Errorf("%s: what to do is a sentence", f.Code)
		}
	}
	for _, p := range broadcast.Parts() {
		if p.EN == "" || !foreign(p.VI) || foreign(p.EN) {
			t.Errorf("part %s: %q, %q", p.Part, p.VI, p.EN)
		}
		if !slices.ContainsFunc(broadcast.Faults(), func(f broadcast.Fault) bool { return f.Part == p.Part }) {
			t.Errorf("part %s never fails", p.Part)
		}
	}
}

func foreign(s string) bool {
	return strings.IndexFunc(s, func(c rune) bool { return c > unicode.MaxASCII }) >= 0
}

func TestEveryFaultIsShownWithinAMinute(t *testing.T) {
	for _, f := range broadcast.Faults() {
		if f.Within <= 0 || f.Within > broadcast.MaxFaultDelay || f.Lasts+travel > f.Within || f.Lasts < 0 || f.Calm <= 0 {
			t.Errorf("%s lasts %v and is shown within %v", f.Code, f.Lasts, f.Within)
		}
		known := slices.ContainsFunc(broadcast.Parts(), func(p broadcast.PartText) bool { return p.Part == f.Part })
		if !known || !slices.Contains(broadcast.Gravities(), f.Gravity) ||
			!slices.Contains([]broadcast.Declarer{broadcast.ByNode, broadcast.ByController, broadcast.ByBoth}, f.By) {
			t.Errorf("%s: part %q, gravity %q, by %q", f.Code, f.Part, f.Gravity, f.By)
		}
	}
}

// A cause that is its own consequence would silence itself for ever, and a
// node cannot know what only the controller declares.
func TestCausesEndSomewhere(t *testing.T) {
	var above func(c broadcast.FaultCode, path []broadcast.FaultCode)
	above = func(c broadcast.FaultCode, path []broadcast.FaultCode) {
		f, known := broadcast.FaultOf(c)
		if !known || slices.Contains(path, c) {
			t.Fatalf("%v leads to %q", path, c)
		}
		for _, cause := range f.Behind {
			if why, _ := broadcast.FaultOf(cause); f.By == broadcast.ByNode && why.By == broadcast.ByController {
				t.Errorf("%s cannot be silenced on the node by %s", c, cause)
			}
			if why, _ := broadcast.FaultOf(cause); why.Calm > broadcast.MaxFaultDelay {
				t.Errorf("%s would be silent for %v after its cause %s is mended", f.Code, why.Calm, cause)
			}
			above(cause, append(slices.Clone(path), c))
		}
	}
	for _, f := range broadcast.Faults() {
		above(f.Code, nil)
	}
}

func TestTheTableOfFaultsIsWritten(t *testing.T) {
	path := filepath.Join("..", "docs", "faults.md")
	want := faultsPage()
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Error("docs/faults.md does not say what the table says: go test ./broadcast -run Fault -update")
	}
}

const faultsIntro = `# Faults / Sự cố

What a node or the controller declares when something fails, and what to do
about it. This page is written from the table in ` + "`broadcast`" + ` that the programs
use (` + "`go test ./broadcast -run Fault -update`" + `).

Each fault is shown at the controller, with its part named, no later than the
time in its row; it goes by itself when what failed is mended, and stays in the
history. While a cause is declared for a node, its consequences are silent: they
come to light if they outlast the cause. When a node is gone, what it said
before is shown as last known. A fault from a later version of the node, which
this table does not have, is shown by its code.

Gravity: **grave** – a site is silent, sounds unbidden, or may not be what it
says it is; **trouble** – something is lost, or will be if nobody comes;
**notice** – nothing is lost yet.

"Lasts" is how long the failure must last before it is declared, "calm" how long
it must be gone before it is cleared; for what comes and goes the calm doubles
up to half an hour, so that it is said once.
`

func faultsPage() string {
	var b strings.Builder
	b.WriteString(faultsIntro)
	for _, p := range broadcast.Parts() {
		fmt.Fprintf(&b, "\n## %s / %s\n\n", strings.ToUpper(p.EN[:1])+p.EN[1:], p.VI)
		b.WriteString("| code | gravity | declared by | shown within | lasts | calm | silenced by |\n|---|---|---|---|---|---|---|\n")
		var words strings.Builder
		for _, f := range broadcast.Faults() {
			if f.Part != p.Part {
				continue
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s | %v | %s | %s | %s |\n", f.Code, f.Gravity, f.By, span(f.Within), span(f.Lasts), span(f.Calm), quoted(f.Behind))
			fmt.Fprintf(&words, "\n- `%s`: %s. *%s*\n  %s. *%s*\n", f.Code, f.EN, f.DoEN, strings.ToUpper(string([]rune(f.VI)[:1]))+string([]rune(f.VI)[1:]), f.DoVI)
		}
		b.WriteString(words.String())
	}
	return b.String()
}

func span(d time.Duration) string {
	switch {
	case d == 0:
		return "at once"
	case d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d > time.Minute && d%time.Minute == 0:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}

func quoted(codes []broadcast.FaultCode) string {
	if len(codes) == 0 {
		return "–"
	}
	var out []string
	for _, c := range codes {
		out = append(out, "`"+string(c)+"`")
	}
	return strings.Join(out, ", ")
}
