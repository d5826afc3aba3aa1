package notify

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// settings writes a settings file, with a secret beside it that has a mode.
func settings(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("mật khẩu gửi thư\nsecond line\n"), mode); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "notify.toml")
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(text, "SECRET", secret)), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const whole = `
[mail]
server = "smtp.example.vn:587"
from = "Loa xã <loa@example.vn>"
user = "loa"
password_file = "SECRET"
[webhook]
secret_file = "SECRET"
[command]
run = ["/usr/local/bin/sms", "--send"]
`

func TestSettingsAreReadWithTheirSecrets(t *testing.T) {
	s, err := ReadSettings(settings(t, whole, 0o600))
	if err != nil {
		t.Fatal(err)
	}
	if s.Mail.password != "mật khẩu gửi thư" || s.Mail.Security != "starttls" || s.Webhook.secret != s.Mail.password || len(s.Command.Run) != 2 {
		t.Errorf("%+v %+v %+v", s.Mail, s.Webhook, s.Command)
	}
}

func TestWrongSettingsAreNamed(t *testing.T) {
	for name, c := range map[string]struct{ from, to, want string }{
		"no port":                       {`"smtp.example.vn:587"`, `"smtp.example.vn"`, "mail.server"},
		"no sender":                     {`"Loa xã <loa@example.vn>"`, `"loa"`, "mail.from"},
		"a password in the clear":       {`user =`, "security = \"none\"\nuser =", "show the password"},
		"unknown security":              {`user =`, "security = \"ssl3\"\nuser =", "mail.security"},
		"a setting that does not exist": {`user =`, "port = 25\nuser =", "mail.port"},
		"a program without a path":      {`"/usr/local/bin/sms"`, `"sms"`, "command.run"},
		"a secret that is not there":    {`secret_file = "SECRET"`, `secret_file = "/nowhere"`, "secret"},
	} {
		_, err := ReadSettings(settings(t, strings.Replace(whole, c.from, c.to, 1), 0o600))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASecretThatOthersCanReadIsRefused(t *testing.T) {
	if _, err := ReadSettings(settings(t, whole, 0o644)); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("%v", err)
	}
}

func TestAddressesAreOfTheirWay(t *testing.T) {
	for _, c := range []struct {
		way     Way
		address string
		good    bool
	}{
		{Mail, "an@example.vn", true}, {Mail, "an", false}, {Mail, "a@x, b@x", false},
		{Webhook, "https://example.vn/loa", true}, {Webhook, "file:///etc/passwd", false}, {Webhook, "https://me:secret@example.vn/", false},
		{Command, "+84912345678", true}, {Command, "113", true}, {Command, "-f0912345678", false}, {Command, "0912 345", false},
		{"pigeon", "an", false},
	} {
		if err := checkAddress(c.way, c.address); (err == nil) != c.good {
			t.Errorf("%s %q: %v", c.way, c.address, err)
		}
	}
}
