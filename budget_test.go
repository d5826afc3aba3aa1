package loaxa

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// program is one binary and what it may stand on. Direct modules are those that code of ours in
// the binary imports; each is one more stranger whose mistakes become ours.
type program struct {
	folder string
	direct int      // how many modules our code may import
	only   []string // if any: the only packages outside the standard library, with all below them
}

var programs = []program{
	{folder: "device", direct: 16},
	{folder: "controller", direct: 24},
	{folder: "device/guard", direct: 1, only: []string{
		modulePath + "/device/guard", "github.com/warthog618/go-gpiocdev", "golang.org/x/sys",
	}},
}

func TestEveryProgramKeepsItsBudget(t *testing.T) {
	for _, program := range programs {
		t.Run(program.folder, func(t *testing.T) {
			stands := standsOn(t, program.folder)
			t.Logf("%d direct modules of %d: %s", len(direct(stands)), program.direct, strings.Join(direct(stands), " "))
			obey(t, program.overBudget(stands),
				"Write the few lines that you need of it, or take another module out. The guard stays readable in one sitting.")
		})
	}
}

func TestEveryProgramHasABudget(t *testing.T) {
	for folder, files := range thisTree(t).packages() {
		budgeted := slices.ContainsFunc(programs, func(p program) bool { return p.folder == folder })
		product := files.product()
		if len(product) > 0 && product[0].isCommand() && !budgeted && !strings.HasPrefix(folder, "scripts/") {
			t.Errorf("%s is a program without a budget: add it to the table of programs", folder)
		}
	}
}

// pkg is what the go tool says of one package that a program is made of.
type pkg struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Module     *struct{ Path string }
}

// standsOn asks the go tool what a program for a board or a server is made of.
func standsOn(t *testing.T, folder string) []pkg {
	t.Helper()
	list := exec.Command("go", "list", "-deps", "-json=ImportPath,Standard,Imports,Module", "./"+folder)
	list.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	var said bytes.Buffer
	list.Stderr = &said
	text, err := list.Output()
	if err != nil {
		t.Fatalf("%v: %v: %s", list, err, said.Bytes())
	}
	var all []pkg
	for decoder := json.NewDecoder(bytes.NewReader(text)); ; {
		var one pkg
		if err := decoder.Decode(&one); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatalf("%v: %v", list, err)
		}
		all = append(all, one)
	}
}

// overBudget names what a program stands on and should not.
func (p program) overBudget(stands []pkg) []string {
	var breaches []string
	if modules := direct(stands); len(modules) > p.direct {
		breaches = append(breaches, fmt.Sprintf("%s imports %d modules directly, more than %d: %s",
			p.folder, len(modules), p.direct, strings.Join(modules, " ")))
	}
	for _, one := range stands {
		allowed := slices.ContainsFunc(p.only, func(dir string) bool {
			return one.ImportPath == dir || strings.HasPrefix(one.ImportPath, dir+"/")
		})
		if len(p.only) > 0 && !one.Standard && !allowed {
			breaches = append(breaches, p.folder+" stands on "+one.ImportPath)
		}
	}
	return breaches
}

// direct lists the modules of others that our packages in a program import, sorted.
func direct(stands []pkg) []string {
	moduleOf := map[string]string{}
	for _, one := range stands {
		if one.Module != nil && one.Module.Path != modulePath {
			moduleOf[one.ImportPath] = one.Module.Path
		}
	}
	modules := map[string]bool{}
	for _, one := range stands {
		if one.Module == nil || one.Module.Path != modulePath {
			continue
		}
		for _, imported := range one.Imports {
			if module := moduleOf[imported]; module != "" {
				modules[module] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(modules))
}

func TestProgramsOverBudgetAreFlagged(t *testing.T) {
	ours, gpio, other := &struct{ Path string }{modulePath}, &struct{ Path string }{"github.com/warthog618/go-gpiocdev"},
		&struct{ Path string }{"example.org/other"}
	main := pkg{ImportPath: modulePath + "/device/guard", Module: ours, Imports: []string{"os", gpio.Path}}
	line := pkg{ImportPath: gpio.Path, Module: gpio, Imports: []string{"os", other.Path}}
	std := pkg{ImportPath: "os", Standard: true}
	more := pkg{ImportPath: other.Path, Module: other}
	wide := pkg{ImportPath: main.ImportPath, Module: ours, Imports: []string{gpio.Path, other.Path}}
	guard := programs[slices.IndexFunc(programs, func(p program) bool { return p.folder == "device/guard" })]
	free := program{folder: "device", direct: 1}
	for _, example := range []struct {
		name     string
		program  program
		stands   []pkg
		breaches int
	}{
		{"the guard on its line", guard, []pkg{main, line, std}, 0},
		{"the guard on a stranger behind the line", guard, []pkg{main, line, std, more}, 1},
		{"the guard on the daemon", guard, []pkg{main, line, {ImportPath: modulePath + "/device/board", Module: ours}}, 1},
		{"a program on one module and what that needs", free, []pkg{main, line, std, more}, 0},
		{"a program on one module too many", free, []pkg{wide, line, more}, 1},
	} {
		t.Run(example.name, func(t *testing.T) {
			if breaches := example.program.overBudget(example.stands); len(breaches) != example.breaches {
				t.Errorf("%d breaches, want %d: %q", len(breaches), example.breaches, breaches)
			}
		})
	}
}
