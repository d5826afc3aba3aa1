package loaxa

import (
	"go/ast"
	"maps"
	"slices"
	"strings"
	"testing"
)

// strangers are folders that read bytes from outside, each with fuzz targets that it must not lose. Outside is whatever this program has not just made: the network, uploads, files that a
// person wrote, and the card after a power cut.
var strangers = map[string][]string{
	"broadcast":                {"FuzzDocuments", "FuzzTexts"},
	"broadcast/media":          {"FuzzSniff"},
	"broadcast/pack":           {"FuzzReader", "FuzzReceipts"},
	"broadcast/plan":           {"FuzzRecurrence"},
	"broadcast/seal":           {"FuzzOpen"},
	"broadcast/wire":           {"FuzzMessages", "FuzzTopic", "FuzzLive"},
	"controller/announce":      {"FuzzStart"},
	"controller/api":           {"FuzzWhatIsReadIsReadTheSameAgain"},
	"controller/backup":        {"FuzzOpen"},
	"controller/broker":        {"FuzzPackets", "FuzzAddress"},
	"controller/intake":        {"FuzzDeclaredLengthsAreSane"},
	"controller/notify":        {"FuzzSettings"},
	"controller/people":        {"FuzzKeyFile"},
	"controller/relay":         {"FuzzStations"},
	"controller/speech":        {"FuzzWave", "FuzzSetup"},
	"controller/speech/paper":  {"FuzzDocx"},
	"controller/speech/spoken": {"FuzzRead"},
	"device/board":             {"FuzzProfile"},
	"device/config":            {"FuzzLoad"},
	"device/guard/lease":       {"FuzzReadFrame"},
	"device/link":              {"FuzzAnswers", "FuzzGuard"},
	"device/node":              {"FuzzCard"},
	"device/panel":             {"FuzzEvents"},
	"device/player/decode":     {"FuzzDecode"},
	"device/sim":               {"FuzzPlaces"},
	"device/store":             {"FuzzSegment", "FuzzRegister"},
}

// familiar are folders that parse only what this program or a peer that it has authenticated wrote, or
// that hand bytes on to a folder above; each with the reason.
var familiar = map[string]string{
	"controller/calendar":  "bodies that the desk made and checked before it kept them",
	"controller/cli":       "the last line of an answer to the command line, from the controller that a person named",
	"controller/desk":      "receipts that were opened and checked before they were stored",
	"controller/programme": "bodies that it made and checked before it kept them",
	"controller/records":   "pages of the diary, which it wrote itself, and of which the digests are checked",
	"controller/remote":    "answers to the command line, from the controller that a person named and whose size is bounded",
	"controller/store":     "bodies that the desk made and checked before it kept them",
	"device/link/counter":  "the answer of the daemon, over a socket that only its own user opens; what is handed over is read elsewhere",
	"device/live":          "the name of a relay, which the node made itself; what lines bring is read by broadcast/wire",
	"device/trial":         "a record of a few words that root wrote into the data folder; spoiled ones have a test",
	"device/speech":        "the name of a speech, which the node made itself",
	"scripts/tally":        "what go test prints",
}

// parsers are the library functions that make sense of bytes.
var parsers = map[string][]string{
	"encoding/json":              {"Unmarshal", "NewDecoder"},
	"encoding/xml":               {"Unmarshal", "NewDecoder"},
	"encoding/csv":               {"NewReader"},
	"encoding/gob":               {"NewDecoder"},
	"archive/zip":                {"NewReader", "OpenReader"},
	"archive/tar":                {"NewReader"},
	"github.com/BurntSushi/toml": {"Unmarshal", "Decode", "DecodeFile", "NewDecoder"},
	"bufio":                      {"NewScanner"},
	"encoding/binary":            {"Read"},
}

// readers are the exported functions of a file that take bytes or a stream and make sense of them.
func readers(f file) []string {
	var found []string
	for _, decl := range f.syntax.Decls {
		function, ok := decl.(*ast.FuncDecl)
		if !ok || !function.Name.IsExported() || function.Recv != nil {
			continue
		}
		for _, verb := range []string{"Parse", "Decode", "Read", "Sniff", "Peek", "Load", "Unmarshal"} {
			if strings.HasPrefix(function.Name.Name, verb) && slices.ContainsFunc(function.Type.Params.List, f.takesBytes) {
				found = append(found, function.Name.Name)
			}
		}
	}
	return found
}

// takesBytes says whether a parameter is text, bytes or a stream of them.
func (f file) takesBytes(p *ast.Field) bool {
	switch kind := p.Type.(type) {
	case *ast.ArrayType:
		element, ok := kind.Elt.(*ast.Ident)
		return ok && element.Name == "byte"
	case *ast.Ident:
		return kind.Name == "string"
	}
	return f.uses(p.Type, "io", "Reader", "ReadCloser", "ReadSeeker")
}

// reading are the folders of the product that parse, each with what shows it.
func reading(t tree) map[string]string {
	found := map[string]string{}
	for _, f := range t.product() {
		if f.isForTests() {
			continue
		}
		for _, name := range readers(f) {
			found[f.folder()] = name
		}
		ast.Inspect(f.syntax, func(node ast.Node) bool {
			for path, names := range parsers {
				if node != nil && f.uses(node, path, names...) {
					found[f.folder()] = f.at(node)
				}
			}
			return true
		})
	}
	return found
}

func TestEveryParserOfForeignBytesIsFuzzed(t *testing.T) {
	house := thisTree(t)
	targets := map[string][]string{}
	for _, f := range house.tests() {
		for _, decl := range f.syntax.Decls {
			if function, ok := decl.(*ast.FuncDecl); ok && strings.HasPrefix(function.Name.Name, "Fuzz") {
				targets[f.folder()] = append(targets[f.folder()], function.Name.Name)
			}
		}
	}
	found := reading(house)
	for _, folder := range slices.Sorted(maps.Keys(found)) {
		if _, excused := familiar[folder]; targets[folder] == nil && !excused {
			t.Errorf("%s parses (%s) and has no fuzz target: write one, or say in familiar why its bytes are not foreign", folder, found[folder])
		}
	}
	for folder := range familiar {
		if found[folder] == "" {
			t.Errorf("%s parses nothing any more: take it out of the table", folder)
		}
	}
	for folder, names := range strangers {
		for _, name := range names {
			if !slices.Contains(targets[folder], name) {
				t.Errorf("%s has lost its target %s", folder, name)
			}
		}
	}
}

func TestAParserWithoutAFuzzTargetIsSeen(t *testing.T) {
	for name, text := range map[string]string{
		"a library's parser": "package p\n\nimport \"encoding/json\"\n\nfunc f(b []byte, v any) error { return json.Unmarshal(b, v) }\n",
		"bytes":              "package p\n\nfunc ParsePack(b []byte) error { return nil }\n",
		"a stream":           "package p\n\nimport \"io\"\n\nfunc ReadPack(from io.Reader) error { return nil }\n",
		"text":               "package p\n\nfunc ParseTopic(s string) error { return nil }\n",
	} {
		if got := reading(tree{parsed(t, "device/pack/pack.go", []byte(text))}); got["device/pack"] == "" {
			t.Errorf("%s is not seen", name)
		}
	}
	for _, text := range []string{"package p\n\nfunc Read(n int) error { return nil }\n", "package p\n\nfunc Wipe(b []byte) {}\n"} {
		if got := reading(tree{parsed(t, "device/pack/pack.go", []byte(text))}); len(got) > 0 {
			t.Errorf("%q is taken for a parser", text)
		}
	}
}
