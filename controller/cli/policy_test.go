package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/controller/api/apitest"
)

// officeRules are the rules of a usual office.
const officeRules = `{"windows":[{"from":"05:30","to":"06:30"}],"special":[{"name":"Tết “vui”","from":"2027-02-05","to":"2027-02-09","minutes":[{"class":"normal","minutes":20}]}],
"thresholds":[{"class":"normal","officers":2},{"class":"priority","officers":2},{"class":"emergency","officers":2}]}`

// rulesIn writes a file with rules.
func rulesIn(t *testing.T, rules string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "quy-che.json")
	if err := os.WriteFile(path, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAPolicyFromAShell(t *testing.T) {
	h := apitest.New(t)
	h.Node("tan-lap-1", "tan-lap")
	one, two := h.Named("duyet-1"), h.Named("duyet-2")
	run := func(token string, want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		h.Clock.Add(time.Second)
		all := append([]string{"policy", args[0], "--controller", h.Server.URL, "--token", token, "--area", "tan-lap"}, args[1:]...)
		if code := Run(all, Streams{Out: &out, Err: &out}); code != want {
			t.Fatalf("%v: exit %d, want %d: %s", args, code, want, out.String())
		}
		return out.String()
	}
	has := func(text string, words ...string) {
		t.Helper()
		for _, w := range words {
			if !strings.Contains(text, w) {
				t.Errorf("%q lacks %q", text, w)
			}
		}
	}
	has(run(one.Token, 0, "show"), "no policy of its own", "none waits")
	has(run(one.Token, 1, "show", "--json"), "has no policy of its own")
	has(run(one.Token, 1, "propose", rulesIn(t, strings.Replace(officeRules, `officers":2`, `officers":1`, 1))), "thresholds")
	shown := run(one.Token, 0, "propose", rulesIn(t, officeRules))
	has(shown, "nobody yet", `none -> [{"from":"05:30","to":"06:30"}]`, "Tết “vui”", "changes in the coming 7 days on 1 nodes")
	digest := regexp.MustCompile(`digest +([0-9a-f]{64})`).FindStringSubmatch(shown)
	if digest == nil {
		t.Fatalf("no digest: %s", shown)
	}
	has(run(two.Token, 1, "propose", rulesIn(t, strings.Replace(officeRules, "06:30", "06:00", 1))), "duyet-1")
	has(run(one.Token, 0, "sign", digest[1]), "duyet-1 at", "no policy of its own")
	has(run(one.Token, 0, "sign", digest[1]), "somebody else has to sign too")
	has(run(two.Token, 1, "sign", strings.Repeat("0", 64)), "read it again")
	waiting := regexp.MustCompile(`digest +([0-9a-f]{64})`).FindStringSubmatch(run(two.Token, 0, "show"))
	has(run(two.Token, 0, "sign", waiting[1]), "a policy stands", "none waits")

	file := run(one.Token, 0, "show", "--json")
	var rules map[string]any
	if err := json.Unmarshal([]byte(file), &rules); err != nil || rules["area"] != nil || rules["revision"] != nil {
		t.Fatalf("%v: %s", err, file)
	}
	version := regexp.MustCompile(`version +(\d+)`).FindStringSubmatch(run(one.Token, 0, "show"))
	has(run(two.Token, 0, "propose", "--edits", version[1], rulesIn(t, strings.Replace(file, "06:30", "06:00", 1))), "06:30", "06:00", "draft by", "duyet-2")
}

func TestAPolicyInAFileIsReadBeforeAnythingIsSent(t *testing.T) {
	for name, c := range map[string]struct {
		rules, says string
		code        int
	}{
		"good":          {officeRules, "can be proposed", 0},
		"typing error":  {strings.Replace(officeRules, "windows", "window", 1), `unknown field "window"`, 1},
		"no such hour":  {strings.Replace(officeRules, "05:30", "25:30", 1), "HH:MM", 1},
		"no thresholds": {"{}", "thresholds", 1},
		"no JSON":       {"quiet: 21:00", "docs/policy.md", 1},
		"two policies":  {officeRules + officeRules, "leave one policy", 1},
		"no end":        {`{"windows":[` + strings.Repeat(" ", maxPolicyFile), "docs/policy.md", 1},
	} {
		var out bytes.Buffer
		if code := Run([]string{"policy", "check", rulesIn(t, c.rules)}, Streams{Out: &out, Err: &out}); code != c.code || !strings.Contains(out.String(), c.says) {
			t.Errorf("%s: exit %d: %s", name, code, out.String())
		}
	}
}
