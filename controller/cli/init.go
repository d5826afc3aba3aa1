package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"

	"golang.org/x/term"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
)

type initCmd struct {
	Data          string   `help:"The data folder to make; it must be empty or absent." required:"" type:"path" placeholder:"DIR"`
	Root          []string `help:"Where a root key goes: a new file outside the data folder, best on a stick that is then locked away. Repeat for several keys." required:"" type:"path" placeholder:"FILE"`
	RootThreshold int      `help:"How many of the root keys must sign; all of them if not given." placeholder:"N"`
	Top           string   `help:"The area that this controller stands for (${default})." default:"tuyen-quang" placeholder:"AREA"`
	Officer       []string `help:"A first officer as ID:ROLE:AREA[,AREA…]:NAME. Two of them must be administrator or approver of one area. Roles: administrator, editor, approver, commune-official, village-head, technician, auditor." required:"" sep:"none" placeholder:"ID:ROLE:AREA:NAME"`
	Passphrases   string   `help:"Read passphrases from this file instead of asking: a line ID=passphrase for each officer, root=passphrase for the root keys." type:"existingfile" placeholder:"FILE"`
}

// Run sets up a house and says what to write down.
func (c *initCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	secrets, err := readSecrets(c.Passphrases)
	if err != nil {
		return err
	}
	opt := people.Options{Dir: c.Data, Top: broadcast.ID(c.Top), RootFiles: c.Root, RootThreshold: c.RootThreshold}
	if opt.RootPassphrase, err = s.newSecret(secrets, "root", "the root keys (at least 10 characters; empty leaves them unprotected)", 0); err != nil {
		return err
	}
	for _, text := range c.Officer {
		p, err := parseOfficer(text)
		if err != nil {
			return err
		}
		if len(p.Role.Acts()) > 0 {
			if p.Passphrase, err = s.newSecret(secrets, string(p.ID), p.Name, people.MinPassphrase); err != nil {
				return err
			}
		}
		opt.Officers = append(opt.Officers, p)
	}
	cfg, err := newConfig()
	if err != nil {
		return err
	}
	est, err := people.Init(ctx, opt, cfg)
	if err != nil {
		return err
	}
	for _, line := range est.WriteDown {
		_, _ = fmt.Fprintln(s.Err, line)
	}
	_, err = fmt.Fprintln(s.Out, est.Fingerprint)
	return err
}

// parseOfficer reads ID:ROLE:AREA[,AREA…]:NAME.
func parseOfficer(text string) (people.NewPerson, error) {
	parts := strings.SplitN(text, ":", 4)
	if len(parts) != 4 {
		return people.NewPerson{}, fmt.Errorf("officer %q: write ID:ROLE:AREA:NAME, such as lan:administrator:bac-quang:Hoàng Thị Lan", text)
	}
	role, err := people.ParseRole(parts[1])
	if err != nil {
		return people.NewPerson{}, fmt.Errorf("officer %q: %w", text, err)
	}
	p := people.NewPerson{ID: broadcast.ID(parts[0]), Role: role, Name: broadcast.NormalText(parts[3])}
	for _, a := range strings.Split(parts[2], ",") {
		p.Areas = append(p.Areas, broadcast.ID(a))
	}
	return p, nil
}

// readSecrets reads lines of NAME=passphrase; no file is no secrets. A
// passphrase is everything after the first equals sign, spaces included.
func readSecrets(path string) (map[string]string, error) {
	out := map[string]string{}
	if path == "" {
		return out, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	for i, line := range strings.Split(string(b), "\n") {
		line = strings.TrimRight(line, "\r")
		if strings.TrimSpace(line) == "" {
			continue
		}
		name, secret, ok := strings.Cut(line, "=")
		if !ok {
			return nil, fmt.Errorf("%s line %d: write NAME=passphrase", path, i+1)
		}
		out[strings.TrimSpace(name)] = secret
	}
	return out, nil
}

// newSecret returns a passphrase that a file gave, or asks for it, and asks a
// person at a terminal twice: what was mistyped unseen can never be reset. One
// that is too short is refused before the next question.
func (s Streams) newSecret(known map[string]string, name, whose string, least int) (string, error) {
	if least > 0 {
		whose = fmt.Sprintf("%s (at least %d characters)", whose, least)
	}
	secret, err := s.secret(known, name, whose)
	if err == nil && (least > 0 || secret != "") {
		err = people.CheckPassphrase(name, secret)
	}
	if err != nil {
		return "", err
	}
	if _, given := known[name]; given || !s.terminal() {
		return secret, err
	}
	again, err := s.secret(nil, name, name+", once more")
	if err == nil && again != secret {
		err = fmt.Errorf("the two passphrases for %s differ; nothing was set up, start again", name)
	}
	return secret, err
}

// terminal says whether a person types.
func (s Streams) terminal() bool {
	f, ok := s.In.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// secret returns a passphrase that a file gave, or asks for it.
func (s Streams) secret(known map[string]string, name, whose string) (string, error) {
	if secret, ok := known[name]; ok {
		return secret, nil
	}
	_, _ = fmt.Fprintf(s.Err, "Passphrase of %s: ", whose)
	if f, ok := s.In.(*os.File); ok && s.terminal() {
		b, err := term.ReadPassword(int(f.Fd()))
		_, _ = fmt.Fprintln(s.Err)
		return string(b), err
	}
	line, err := bufio.NewReader(io.LimitReader(oneByte{s.In}, 4096)).ReadString('\n')
	if err != nil && (line == "" || !errors.Is(err, io.EOF)) {
		_, _ = fmt.Fprintln(s.Err)
		return "", fmt.Errorf("no passphrase for %s: %w; type it, or give a file with --passphrases", name, err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// oneByte keeps a buffered reader from taking the next answer's bytes too.
type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	return o.r.Read(p[:1])
}
