package notify

import (
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// Way is how a message travels.
type Way string

// The ways.
const (
	Mail    Way = "mail"
	Webhook Way = "webhook"
	Command Way = "command" // such as an SMS modem
)

// Ways returns every way.
func Ways() []Way { return []Way{Mail, Webhook, Command} }

// Settings say which ways this house has. A way that is not set up is not
// offered. Secrets stand in files of their own, readable by their owner alone.
type Settings struct {
	Mail    *MailSettings    `toml:"mail"`
	Webhook *WebhookSettings `toml:"webhook"`
	Command *CommandSettings `toml:"command"`
}

// MailSettings is where mail is handed over (RFC 5321).
type MailSettings struct {
	// Server is host:port.
	Server string `toml:"server"`
	From   string `toml:"from"`
	// Security is starttls (the default), tls, or none for a server on this machine.
	Security string `toml:"security"`
	User     string `toml:"user"`
	// PasswordFile holds the password in its first line.
	PasswordFile string `toml:"password_file"`
	password     string
}

// WebhookSettings is how calls to other programs are signed.
type WebhookSettings struct {
	// SecretFile holds what calls are signed with (HMAC-SHA256).
	SecretFile string `toml:"secret_file"`
	// Private lets calls go to addresses of this machine and its network, which
	// are otherwise refused: whoever may subscribe could reach into the office.
	Private bool `toml:"private"`
	secret  string
}

// CommandSettings is a program that delivers a text to a telephone number.
type CommandSettings struct {
	// Run is the program with its fixed arguments. It finds the number in
	// LOAXA_TO, and the text on its standard input.
	Run []string `toml:"run"`
}

// ReadSettings reads a settings file (TOML). Errors name what to correct.
func ReadSettings(path string) (Settings, error) {
	var s Settings
	meta, err := toml.DecodeFile(path, &s)
	if err != nil {
		return s, fmt.Errorf("notification settings %s: %w", path, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return s, fmt.Errorf("notification settings %s: %s is not a setting", path, unknown[0])
	}
	if err := s.complete(); err != nil {
		return s, fmt.Errorf("notification settings %s: %w", path, err)
	}
	return s, nil
}

func (s *Settings) complete() error {
	var errs []error
	if s.Mail != nil {
		errs = append(errs, s.Mail.complete())
	}
	if s.Webhook != nil {
		secret, err := secretOf(s.Webhook.SecretFile)
		s.Webhook.secret = secret
		errs = append(errs, err)
	}
	if s.Command != nil && (len(s.Command.Run) == 0 || !strings.HasPrefix(s.Command.Run[0], "/")) {
		errs = append(errs, errors.New("command.run: name a program by its whole path, then its arguments"))
	}
	return errors.Join(errs...)
}

func (m *MailSettings) complete() (err error) {
	if m.Security == "" {
		m.Security = "starttls"
	}
	host, _, err := net.SplitHostPort(m.Server)
	switch {
	case err != nil || host == "":
		return fmt.Errorf("mail.server %q: use host:port", m.Server)
	case !slices.Contains([]string{"starttls", "tls", "none"}, m.Security):
		return fmt.Errorf("mail.security %q: use starttls, tls or none", m.Security)
	case m.Security == "none" && m.User != "":
		return errors.New("mail.security none would show the password to the network; use starttls or tls")
	}
	if _, err := mail.ParseAddress(m.From); err != nil {
		return fmt.Errorf("mail.from %q: use an address such as loa@example.vn", m.From)
	}
	if m.User != "" {
		m.password, err = secretOf(m.PasswordFile)
	}
	return err
}

// secretOf reads the first line of a file that nobody else may read.
func secretOf(path string) (string, error) {
	st, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("secret: %w", err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("secret %s: others can read it; chmod 600 it", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("secret: %w", err)
	}
	line, _, _ := strings.Cut(string(b), "\n")
	if line = strings.TrimSpace(line); len(line) < 8 {
		return "", fmt.Errorf("secret %s: its first line is shorter than 8 characters", path)
	}
	return line, nil
}

// has says whether a way is set up.
func (s Settings) has(w Way) bool {
	return w == Mail && s.Mail != nil || w == Webhook && s.Webhook != nil || w == Command && s.Command != nil
}

// checkAddress says whether something can be sent there.
func checkAddress(w Way, address string) error {
	if len(address) > 300 || strings.ContainsAny(address, "\r\n\x00") {
		return errors.New("address: too long, or of several lines")
	}
	switch w {
	case Mail:
		a, err := mail.ParseAddress(address)
		if err != nil || a.Name != "" || a.Address != address {
			return fmt.Errorf("address %q: use a bare e-mail address such as an@example.vn", address)
		}
	case Webhook:
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil {
			return fmt.Errorf("address %q: use an address such as https://example.vn/loa", address)
		}
	case Command:
		if !telephone(address) {
			return fmt.Errorf("address %q: use a telephone number such as 0912345678 or +84912345678", address)
		}
	default:
		return fmt.Errorf("way %q: use mail, webhook or command", string(w))
	}
	return nil
}

func telephone(s string) bool {
	digits := strings.TrimPrefix(s, "+")
	return len(digits) >= 3 && len(digits) <= 15 && strings.Trim(digits, "0123456789") == ""
}
