package people

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/store"
)

// Options says what house to set up.
type Options struct {
	// Dir is the data folder; it must be empty or absent.
	Dir string
	// Top is the area that the house stands for; empty stands for the province.
	Top broadcast.ID
	// RootFiles is where each root key goes, outside Dir, one file a key.
	RootFiles []string
	// RootThreshold is how many root keys must sign; 0 stands for all of them.
	RootThreshold int
	// RootPassphrase wraps the root keys; empty leaves them in the clear, and
	// fewer than MinPassphrase characters are refused.
	RootPassphrase string
	// Officers are the first people; two of them must have the act policy.
	Officers []NewPerson
	// Policy is the first regulation; nil stands for a strict one over the first
	// area in which two officers may sign one. Its revision is filled in.
	Policy *broadcast.Policy

	demo  bool
	slots []slot
}

// slot is a standing slot and who gives it.
type slot struct {
	by  broadcast.ID
	doc broadcast.Slot
}

// Established is what a new house is known by.
type Established struct {
	// Fingerprint is what every card pins.
	Fingerprint broadcast.Digest
	RootFiles   []string
	// WriteDown says, a line each, what people must now do or keep.
	WriteDown []string
}

// Init sets up a house: root keys outside the data folder, the service key in
// it, the first people with their keys wrapped, the authority that the root
// sealed and a policy that two of them signed. It touches nothing that exists:
// a folder with content, or a root file that is there, is an error; what it
// made itself before a failure is taken away again.
func Init(ctx context.Context, opt Options, cfg Config) (Established, error) {
	if opt.Top == "" {
		opt.Top = broadcast.TuyenQuang
	}
	if err := opt.check(cfg); err != nil {
		return Established{}, fmt.Errorf("init: %w", err)
	}
	made, err := opt.makeKeys(cfg)
	if err == nil {
		err = opt.establish(ctx, cfg, made.root)
	}
	for _, s := range made.root {
		clear(s.Key)
	}
	if err != nil {
		return Established{}, fmt.Errorf("init: %w", errors.Join(err, made.undo(opt.Dir)))
	}
	pin, err := fingerprint(ctx, opt.Dir)
	if err != nil {
		return Established{}, err
	}
	return Established{Fingerprint: pin, RootFiles: opt.RootFiles, WriteDown: opt.writeDown(pin)}, nil
}

// check refuses before anything is written.
func (opt *Options) check(cfg Config) error {
	if err := EmptyFolder(opt.Dir); err != nil {
		return err
	}
	if len(opt.RootFiles) == 0 || len(opt.RootFiles) > broadcast.MaxSignatures {
		return fmt.Errorf("name 1 to %d files for the root keys", broadcast.MaxSignatures)
	}
	if opt.RootPassphrase != "" {
		if err := CheckPassphrase("root", opt.RootPassphrase); err != nil {
			return err
		}
	}
	if opt.RootThreshold == 0 {
		opt.RootThreshold = len(opt.RootFiles)
	}
	for i, path := range opt.RootFiles {
		if slices.Contains(opt.RootFiles[:i], path) {
			return fmt.Errorf("root key %s is named twice", path)
		}
		if err := outside(opt.Dir, path); err != nil {
			return err
		}
	}
	now := broadcast.InstantOf(cfg.Now())
	places := treeAt{tree: cfg.Tree(), at: now}
	for _, n := range opt.Officers {
		if err := n.check(places); err != nil {
			return err
		}
	}
	_, _, err := lawyersOf(opt, places)
	return err
}

// EmptyFolder refuses a folder in which there is something: a house is never set up
// over another. One that is absent is empty too; lost+found is the file system's
// own, and the lock says who looks.
func EmptyFolder(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for _, e := range entries {
		if e.Name() != "lost+found" && e.Name() != store.LockName {
			return fmt.Errorf("data folder %s already holds %s; name an empty folder, a house is never set up over another", dir, e.Name())
		}
	}
	return nil
}

// outside refuses a root key that would travel with the data folder.
func outside(dir, path string) error {
	d, err := resolved(dir)
	if err != nil {
		return err
	}
	p, err := resolved(path)
	if err != nil {
		return err
	}
	if rel, err := filepath.Rel(d, p); err != nil || rel == "." || rel != ".." && !strings.HasPrefix(rel, "../") {
		return fmt.Errorf("root key %s lies inside the data folder; keep it elsewhere, best on a medium that is taken out", path)
	}
	if _, err := os.Lstat(path); !errors.Is(err, os.ErrNotExist) {
		return errors.Join(fmt.Errorf("root key %s: there is something already; it is not written over", path), err)
	}
	return nil
}

// resolved returns a path without links, as far up as it exists.
func resolved(path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	real, err := filepath.EvalSymlinks(abs)
	if errors.Is(err, os.ErrNotExist) && abs != filepath.Dir(abs) {
		up, err := resolved(filepath.Dir(abs))
		return filepath.Join(up, filepath.Base(abs)), err
	}
	return real, err
}

// keysMade are the root's signers and the files that were written.
type keysMade struct {
	root  []seal.Signer
	files []string
}

func (opt *Options) makeKeys(cfg Config) (keysMade, error) {
	var made keysMade
	if err := os.MkdirAll(opt.Dir, 0o700); err != nil {
		return made, err
	}
	if err := os.Chmod(opt.Dir, 0o700); err != nil {
		return made, err
	}
	cost := cfg.Cost
	if cost == (Cost{}) {
		cost = DefaultCost()
	}
	for _, path := range opt.RootFiles {
		s, err := newKeyFile(path, holdsRoot, opt.RootPassphrase, cost)
		if err != nil {
			return made, err
		}
		made.root, made.files = append(made.root, s), append(made.files, path)
	}
	service := filepath.Join(opt.Dir, serviceKeyName)
	s, err := newKeyFile(service, holdsService, "", cost)
	if err != nil {
		return made, err
	}
	clear(s.Key)
	made.files = append(made.files, service)
	return made, nil
}

// newKeyFile makes a key, writes it, and returns it as a bare signer.
func newKeyFile(path, holds, passphrase string, cost Cost) (seal.Signer, error) {
	public, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return seal.Signer{}, err
	}
	if err := writeKey(path, holds, key, passphrase, cost); err != nil {
		return seal.Signer{}, err
	}
	id, err := broadcast.KeyOf(public).ID()
	return seal.Signer{KID: id, Key: key}, err
}

// undo takes away keys that nothing was signed for, and the database.
func (k keysMade) undo(dir string) error {
	var errs []error
	stale, _ := filepath.Glob(filepath.Join(dir, "loaxa.db*"))
	for _, path := range append(k.files, stale...) {
		errs = append(errs, os.Remove(path))
	}
	return errors.Join(errs...)
}

func fingerprint(ctx context.Context, dir string) (broadcast.Digest, error) {
	db, err := store.Open(ctx, dir)
	if err != nil {
		return "", err
	}
	pin, err := db.Setting(ctx, settingPin)
	return broadcast.Digest(pin), errors.Join(err, db.Close())
}

func (opt *Options) writeDown(pin broadcast.Digest) []string {
	lines := []string{
		"Root fingerprint, to be written on every card: " + string(pin),
		"Root key: " + strings.Join(opt.RootFiles, ", ") + ". Copy it to two media, store them apart, and delete it here. Who has it can make any officer; without it nobody can renew rights, which end after 90 days.",
	}
	if opt.RootPassphrase == "" {
		lines = append(lines, "The root key has no passphrase: whoever holds the file holds the house.")
	}
	for _, n := range opt.Officers {
		lines = append(lines, fmt.Sprintf("%s (%s, %s over %s): the passphrase is stored nowhere and cannot be reset; who loses it is dismissed and added anew.", n.ID, n.Name, n.Role, joined(n.Areas)))
	}
	return lines
}
