package speech

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const threeEngines = `
[[engine]]
name = "espeak"
kind = "espeak"
[[engine]]
name = "piper"
kind = "command"
command = ["/usr/bin/piper", "--model", "/srv/{voice}.onnx", "--length_scale", "{pace}", "-f", "-"]
seconds = 60
[[engine.voice]]
id = "vi-vais1000"
language = "vi"
name = "Nữ Bắc"
[[engine]]
name = "may-chu"
kind = "server"
address = "http://127.0.0.1:8000/v1/audio/speech"
model = "vieneu"
key_file = "KEY"
[[engine.voice]]
id = "nu-bac"
`

func TestEnginesAreSetUpByAFile(t *testing.T) {
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(key, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "speech.toml"), []byte(strings.Replace(threeEngines, "KEY", key, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	engines, err := Open(dir, filepath.Join(dir, "homes"), quiet())
	if err != nil || len(engines) != 3 || engines["may-chu"].(*server).key != "secret" || engines["piper"].(*program).voices[0].Name != "Nữ Bắc" {
		t.Errorf("%v, %v", engines, err)
	}
	engines, err = Open(t.TempDir(), t.TempDir(), quiet())
	if err != nil || len(engines) != 1 || engines["espeak"] == nil {
		t.Errorf("without a file: %v, %v", engines, err)
	}
}

func TestAFileThatCannotBeUsedIsNamedWithWhatToMend(t *testing.T) {
	for text, says := range map[string]string{
		"":                           "0 engines",
		"x = 1":                      `"x" is not known`,
		"[[engine]]\nname = \"A B\"": "lower-case",
		"[[engine]]\nname = \"a\"":   "0 voices",
		"[[engine]]\nname = \"a\"\nkind=\"x\"\n[[engine.voice]]\nid=\"v\"":                                             "none of espeak",
		"[[engine]]\nname = \"a\"\nkind=\"command\"\ncommand=[\"piper\"]\n[[engine.voice]]\nid=\"v\"":                  "absolute path",
		"[[engine]]\nname = \"a\"\nkind=\"command\"\ncommand=[\"/p\"]\n[[engine.voice]]\nid=\"--help\"":                "voice",
		"[[engine]]\nname = \"a\"\nkind=\"server\"\naddress=\"x\"\n[[engine.voice]]\nid=\"v\"":                         "address",
		"[[engine]]\nname=\"a\"\nkind=\"espeak\"\n[[engine]]\nname=\"a\"\nkind=\"espeak\"":                             "twice",
		"[[engine]]\nname=\"a\"\nkind=\"espeak\"\nseconds=100000":                                                      "seconds",
		"[[engine]]\nname=\"a\"\nkind=\"server\"\naddress=\"http://x/\"\nkey_file=\"/no\"\n[[engine.voice]]\nid=\"v\"": "/no",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "speech.toml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(dir, t.TempDir(), quiet()); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q in it", text, err, says)
		}
	}
}

func FuzzSetup(f *testing.F) {
	f.Add([]byte(threeEngines))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseSetup(b)
		for _, e := range s.Engines {
			for _, v := range e.Voices {
				if err == nil && strings.HasPrefix(v.ID, "-") {
					t.Fatalf("voice %q", v.ID)
				}
			}
		}
	})
}
