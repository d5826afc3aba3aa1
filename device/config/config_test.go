package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/config"
)

const good = `node = "tan-lap-1"
top = "bac-quang"
controller = "https://loaxa.example.vn"
root = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
board = "simulated"
`

func load(t *testing.T, text string) (config.Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "card.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return config.Load(path)
}

func TestShortFileGetsItsDefaults(t *testing.T) {
	got, err := load(t, good)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{Node: "tan-lap-1", Top: "bac-quang", Controller: "https://loaxa.example.vn",
		Root:  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		Board: "simulated", Data: "/var/lib/loaxa", Quota: 1024,
		Prefetch: config.Prefetch{Night: "00:00-04:30", Daily: 300}, Guard: config.Guard{Socket: "/run/loaxa/guard.sock"}, Carriers: config.Carriers{Stick: "/media/loaxa"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestExampleIsComplete(t *testing.T) {
	c, err := config.Load("testdata/example.toml")
	if err != nil {
		t.Fatal(err)
	}
	if c.Token == "" || c.Quota != 2048 || c.Demo {
		t.Errorf("%+v", c)
	}
	night, err := c.Prefetch.Span()
	if want := (broadcast.Span{From: 23 * 60, To: 5 * 60}); err != nil || !cmp.Equal(night, want) || c.Prefetch.Daily != 200 {
		t.Errorf("prefetch %+v, night %+v, %v", c.Prefetch, night, err)
	}
}

func TestEveryMistakeIsNamed(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "node"},
		{"all faults at once", "node = \"X\"\n", "top"},
		{"no TOML", good + "<", "card.toml"},
		{"a wrong key", good + "tokn = \"x\"\n", `unknown key "tokn"`},
		{"a wrong key below", good + "[guard]\npath = \"x\"\n", `unknown key "guard.path"`},
		{"a name that is none", strings.Replace(good, "tan-lap-1", "Tân Lập", 1), "node: id"},
		{"no web address", strings.Replace(good, "https://", "", 1), "controller"},
		{"a fingerprint that is none", strings.Replace(good, "e3b0", "zzzz", 1), "root: digest"},
		{"no board", strings.Replace(good, "board", "# board", 1), "board: missing"},
		{"no data", good + "data = \"\"\n", "data: missing"},
		{"too small a card", good + "quota_mb = 1\n", "quota_mb"},
		{"too large a card", good + "quota_mb = 99999999\n", "quota_mb"},
		{"a sound card that is none", good + "[sound]\nkind = \"pipe\"\n", "sound: kind"},
		{"a night that is none", good + "[prefetch]\nnight = \"late\"\n", "prefetch: night"},
		{"a night without an end", good + "[prefetch]\nnight = \"22:00\"\n", "such as 00:00-04:30"},
		{"an empty night", good + "[prefetch]\nnight = \"22:00-22:00\"\n", "prefetch: night"},
		{"less than no data", good + "[prefetch]\ndaily_mb = -1\n", "daily_mb"},
		{"a doorstep without a port", good + "[carriers]\nlan = \"192.168.4.1\"\n", "carriers: lan"},
		{"a stick somewhere", good + "[carriers]\nstick = \"media\"\n", "carriers: stick"},
		{"a number for a name", strings.Replace(good, `"simulated"`, "7", 1), "board"},
		{"too large", good + "# " + strings.Repeat("x", 70<<10), "larger than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := load(t, c.text); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q in it", err, c.want)
			}
		})
	}
	if _, err := config.Load(filepath.Join(t.TempDir(), "none.toml")); err == nil || !strings.Contains(err.Error(), "write one") {
		t.Errorf("a file that is not there: %v", err)
	}
}
