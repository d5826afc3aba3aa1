package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/audit"
	"github.com/loaxa/loaxa/controller/organisation"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

type adminCmd struct {
	Token   tokenCmd   `cmd:"" help:"Make a personal API token from a data folder and print it."`
	Code    codeCmd    `cmd:"" help:"Make a one-time sign-in code from a data folder, for the first administrator or one who forgot the password."`
	Session sessionCmd `cmd:"" help:"Sessions: list, end."`
	Person  personCmd  `cmd:"" help:"People: list, add, code, dismiss, renew."`
	Node    nodeCmd    `cmd:"" help:"Nodes: list, invite, confirm, revoke."`
	Audit   auditCmd   `cmd:"" help:"Verify the audit log of a data folder, also against what nodes were told of it."`
	Renew   renewCmd   `cmd:"" help:"The same as person renew."`
	Root    rootCmd    `cmd:"" help:"The keys above all others: rotate."`
}

type tokenCmd struct {
	Data        string        `help:"The data folder." required:"" type:"existingdir" placeholder:"DIR"`
	Role        string        `help:"administrator, editor, approver (or officer), commune-official, village-head, technician or auditor." required:"" placeholder:"ROLE"`
	Area        string        `help:"An area that the person must act in." placeholder:"ID"`
	Person      string        `help:"One person, where several fit." placeholder:"ID"`
	New         bool          `help:"In a demo: take the person in who is named."`
	Life        time.Duration `help:"How long the token lasts." default:"2160h"`
	Passphrases string        `help:"Read the passphrase from this file (a line ID=passphrase) instead of asking." type:"existingfile" placeholder:"FILE"`
}

// Run prints the token, and nothing else, on standard output.
func (c *tokenCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	secrets, err := readSecrets(c.Passphrases)
	if err != nil {
		return err
	}
	cfg, err := configOf(ctx, c.Data)
	if err != nil {
		return err
	}
	req := people.TokenRequest{Role: c.Role, Area: broadcast.ID(c.Area), Person: broadcast.ID(c.Person), New: c.New, Life: c.Life,
		Passphrase: func(p broadcast.ID) (string, error) { return s.secret(secrets, string(p), string(p)) }}
	token, err := people.AdminToken(ctx, c.Data, req, cfg)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(s.Out, token)
	return err
}

// withOffice opens a data folder beside a controller that may be running.
func withOffice(ctx context.Context, dir string, f func(*store.DB, *people.Office) error) (err error) {
	if err := people.HasHouse(dir); err != nil {
		return err
	}
	db, err := store.OpenBeside(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	cfg, err := configIn(ctx, db)
	if err != nil {
		return err
	}
	office, err := people.Open(ctx, dir, db, cfg)
	if err != nil {
		return err
	}
	return f(db, office)
}

// configIn is what an office over an open database takes from outside.
func configIn(ctx context.Context, db *store.DB) (people.Config, error) {
	seed, err := broadcast.BacQuangTree()
	if err != nil {
		return people.Config{}, err
	}
	tree, err := organisation.Read(ctx, db, seed)
	return people.Config{Tree: organisation.Fixed(tree), Now: time.Now}, err
}

// configOf is what an office over a data folder takes from outside. Of a folder
// in which no house is, whoever opens it complains.
func configOf(ctx context.Context, dir string) (cfg people.Config, err error) {
	if people.HasHouse(dir) != nil {
		return newConfig()
	}
	db, err := store.OpenBeside(ctx, dir)
	if err != nil {
		return cfg, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return configIn(ctx, db)
}

// newConfig is what the office of a new house takes from outside.
func newConfig() (people.Config, error) {
	seed, err := broadcast.BacQuangTree()
	return people.Config{Tree: organisation.Fixed(seed), Now: time.Now}, err
}

type auditCmd struct {
	Data string `help:"The data folder." required:"" type:"existingdir" placeholder:"DIR"`
}

// Run names the first row of the audit log that is missing or was changed, and
// who knows of it.
func (c *auditCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	return withOffice(ctx, c.Data, func(db *store.DB, _ *people.Office) error {
		cfg, err := configIn(ctx, db)
		if err != nil {
			return err
		}
		var areas []broadcast.ID
		for _, a := range cfg.Tree().Areas() {
			areas = append(areas, a.ID)
		}
		r, err := audit.Verify(ctx, db, areas)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(s.Out, "%d rows, unbroken, head %s\n", r.Head.Length, r.Head.Head)
		if err == nil {
			_, err = fmt.Fprintf(s.Err, "%d manifests and nodes that were told how long it was agree.\n", len(r.Witnesses))
		}
		return err
	})
}

type renewCmd struct {
	Data        string   `help:"The data folder." required:"" type:"existingdir" placeholder:"DIR"`
	Root        []string `help:"The root key files." required:"" type:"existingfile" placeholder:"FILE"`
	Passphrases string   `help:"Read the root's passphrase from this file (root=passphrase) instead of asking." type:"existingfile" placeholder:"FILE"`
}

// Run prints whose certificates got new dates.
func (c *renewCmd) Run(ctx context.Context, s Streams, _ *slog.Logger) error {
	secrets, err := readSecrets(c.Passphrases)
	if err != nil {
		return err
	}
	return withOffice(ctx, c.Data, func(_ *store.DB, office *people.Office) error {
		ids, err := office.Renew(ctx, c.Root, func(path string) (string, error) { return s.secret(secrets, "root", path) })
		for _, id := range ids {
			_, _ = fmt.Fprintln(s.Out, id)
		}
		return err
	})
}
