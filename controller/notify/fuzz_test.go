package notify

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzSettings: whatever stands in a settings file is an error or settings that
// name a server, a program and their secrets whole.
func FuzzSettings(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("[mail]\nserver = \":25\"\n"))
	f.Add([]byte("[command]\nrun = []\n"))
	path := filepath.Join(f.TempDir(), "notify.toml")
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := ReadSettings(path)
		if err != nil {
			return
		}
		if s.Mail != nil && (s.Mail.Server == "" || s.Mail.From == "" || s.Mail.User != "" && s.Mail.password == "") {
			t.Errorf("accepted: %+v", s.Mail)
		}
		if s.Webhook != nil && s.Webhook.secret == "" || s.Command != nil && len(s.Command.Run) == 0 {
			t.Errorf("accepted: %+v %+v", s.Webhook, s.Command)
		}
	})
}
