package loaxa

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// way says what of ours the files under a folder may import: themselves and these.
type way struct {
	from string
	may  []string
}

// ways are judged from the top; the first that fits a file is its law.
var ways = []way{
	{from: "device/guard", may: nil},
	{from: "broadcast", may: nil},
	{from: "device", may: []string{"broadcast", "firmware/update"}},
	{from: "controller", may: []string{"broadcast", "firmware/update"}},
	{from: "firmware", may: []string{"broadcast"}},
	{from: "scripts", may: nil},
}

// importsAgainstTheWay finds imports of ours that the law of a folder does not name, in tests too.
func importsAgainstTheWay(t tree) []string {
	var breaches []string
	for _, f := range t.goFiles() {
		law := slices.IndexFunc(ways, func(w way) bool { return f.under(w.from) })
		for _, imported := range f.imports() {
			ours, found := strings.CutPrefix(imported, modulePath+"/")
			if imported == modulePath {
				breaches = append(breaches, f.path+": imports the root package, which is only for tests")
			}
			if found && law >= 0 && !ways[law].allows(ours) {
				breaches = append(breaches, fmt.Sprintf("%s: a file under %s imports %s", f.path, ways[law].from, ours))
			}
		}
	}
	return breaches
}

func (w way) allows(ours string) bool {
	return slices.ContainsFunc(append([]string{w.from}, w.may...), func(dir string) bool {
		return ours == dir || strings.HasPrefix(ours, dir+"/")
	})
}

// worldly are the packages through which a program touches the world outside its memory.
var worldly = []string{"io/ioutil", "log", "log/slog", "net", "os", "path/filepath", "runtime", "syscall"}

// clock are the names of package time that read the clock or wait for it.
var clock = []string{"Now", "Since", "Until", "After", "AfterFunc", "Sleep", "NewTimer", "NewTicker", "Tick"}

// impurities finds, in the product files of broadcast, I/O, the clock and goroutines.
func impurities(t tree) []string {
	var breaches []string
	for _, f := range t.product() {
		if !f.under("broadcast") {
			continue
		}
		for _, imported := range f.imports() {
			if slices.ContainsFunc(worldly, func(w string) bool {
				return imported == w || strings.HasPrefix(imported, w+"/") && !pureParts[imported]
			}) {
				breaches = append(breaches, f.path+": imports "+imported)
			}
		}
		ast.Inspect(f.syntax, func(node ast.Node) bool {
			switch {
			case node == nil:
			case f.uses(node, "time", clock...):
				breaches = append(breaches, f.at(node)+": reads or waits for the clock")
			case isGo(node):
				breaches = append(breaches, f.at(node)+": starts a goroutine")
			}
			return true
		})
	}
	return breaches
}

// pureParts are pure although they stand under a worldly name.
var pureParts = map[string]bool{"net/url": true, "net/netip": true}

func isGo(node ast.Node) bool {
	_, ok := node.(*ast.GoStmt)
	return ok
}
