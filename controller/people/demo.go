package people

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/store"
)

// demoSlot is the standing slot that the communes of a demo give the district.
const demoSlot broadcast.ID = "khung-gio-huyen"

// slotRenewal is how long before its end the demo's slot is given again.
const slotRenewal = 60 * 24 * time.Hour

// demoStaff are the people of a demo house: officers of the district over Bắc
// Quang, and one official of all its communes.
func demoStaff(places treeAt) []NewPerson {
	district := []broadcast.ID{broadcast.BacQuang}
	return []NewPerson{
		{ID: "bien-tap", Name: "Biên tập (demo)", Role: Editor, Areas: district},
		{ID: "duyet-1", Name: "Duyệt một (demo)", Role: Approver, Areas: district},
		{ID: "duyet-2", Name: "Duyệt hai (demo)", Role: Approver, Areas: district},
		{ID: "can-bo-xa", Name: "Cán bộ xã (demo)", Role: CommuneOfficial, Areas: places.tree.Children(broadcast.BacQuang, places.at)},
		{ID: "ky-thuat", Name: "Kỹ thuật (demo)", Role: Technician, Areas: district},
		{ID: "quan-tri", Name: "Quản trị (demo)", Role: Administrator, Areas: district},
		{ID: "kiem-tra", Name: "Kiểm tra (demo)", Role: Auditor, Areas: district},
	}
}

// demoPolicy lets one officer speak in every class with a reason, and leaves
// room for trying things. It asks for no chimes, so that what a node recorded
// can be laid beside the file that was announced.
func demoPolicy() *broadcast.Policy {
	p := strict(broadcast.BacQuang)
	p.Quiet = []broadcast.Span{{From: 2 * 60, To: 4 * 60}}
	p.OneOfficer = broadcast.Classes()
	p.Chimes = nil
	p.Minutes = []broadcast.Budget{{Class: broadcast.Normal, Minutes: 720}, {Class: broadcast.Priority, Minutes: 720}}
	return &p
}

func demoSlotOf(places treeAt) slot {
	from := places.at.Add(-backdate)
	return slot{by: "can-bo-xa", doc: broadcast.Slot{ID: demoSlot, Areas: places.tree.Children(broadcast.BacQuang, places.at),
		Level: broadcast.District, Spans: []broadcast.Span{{From: 0, To: 24 * 60}}, From: from, Until: from.Add(broadcast.MaxCertificateLife)}}
}

// demoFiles stand beside the data folder, not in it: who copies the folder of
// a demo can say as little as who copies that of a real house.
type demoFiles struct{ root, secrets string }

func demoFilesOf(dir string) demoFiles {
	dir = strings.TrimRight(dir, "/")
	return demoFiles{root: dir + ".root.key", secrets: dir + ".demo.json"}
}

// demoSecrets are the passphrases of a demo's people.
type demoSecrets struct {
	Note        string                  `json:"note"`
	Passphrases map[broadcast.ID]string `json:"passphrases"`
}

// InitDemo makes sure that a data folder holds a demo house: the root marked
// demo and kept in DIR.root.key, passphrases in DIR.demo.json, rights good for
// a month at least. It holds the folder's lock while it works. Called again it finishes what was broken off and renews what
// ends soon. A real house is left as it is, with an error.
func InitDemo(ctx context.Context, dir string, cfg Config) (Established, error) {
	files := demoFilesOf(dir)
	est := Established{RootFiles: []string{files.root}}
	err := func() (err error) {
		if err := refuseReal(ctx, dir, cfg); err != nil {
			return err
		}
		if err := files.complete(dir); err != nil {
			return err
		}
		unlock, err := store.Lock(dir)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, unlock()) }()
		secrets, err := files.prepare(dir, cfg)
		if err != nil {
			return err
		}
		if err := files.establish(ctx, dir, cfg, secrets); err != nil {
			return err
		}
		return withDemo(ctx, dir, cfg, store.Open, func(o *Office) error {
			est.Fingerprint = o.pin
			return o.refreshDemo(ctx, files, secrets)
		})
	}()
	if err != nil {
		return est, fmt.Errorf("demo house %s: %w", dir, err)
	}
	est.WriteDown = []string{"Demo root fingerprint: " + string(est.Fingerprint), "Passphrases of the demo's people: " + files.secrets}
	return est, nil
}

// refuseReal looks before anything is written.
func refuseReal(ctx context.Context, dir string, cfg Config) error {
	if _, err := os.Stat(filepath.Join(dir, serviceKeyName)); err != nil {
		return nil
	}
	err := withDemo(ctx, dir, cfg, store.OpenBeside, func(*Office) error { return nil })
	if errors.Is(err, ErrNoHouse) || errors.Is(err, store.ErrSchema) || errors.Is(err, fs.ErrNotExist) {
		return nil // whose it is shows under the lock
	}
	return err
}

// complete makes the folder, unless there is something else in it than a demo
// with all that belongs to it.
func (f demoFiles) complete(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, serviceKeyName)); errors.Is(err, os.ErrNotExist) {
		if err := EmptyFolder(dir); err != nil {
			return err
		}
	} else if _, err := os.Stat(f.root); err != nil {
		return fmt.Errorf("holds a house whose demo root key is not beside it (%w); to begin anew, name another folder", err)
	}
	return os.MkdirAll(dir, 0o700)
}

// prepare makes the keys and passphrases that are not there yet.
func (f demoFiles) prepare(dir string, cfg Config) (demoSecrets, error) {
	var none demoSecrets
	for path, holds := range map[string]string{f.root: holdsRoot, filepath.Join(dir, serviceKeyName): holdsService} {
		s, err := newKeyFile(path, holds, "", cfg.Cost)
		if err != nil && !errors.Is(err, os.ErrExist) {
			return none, err
		}
		clear(s.Key)
	}
	secrets, err := f.read()
	if err != nil {
		return none, err
	}
	missing := false
	for _, n := range demoStaff(treeAt{tree: cfg.Tree(), at: broadcast.InstantOf(cfg.Now())}) {
		if secrets.Passphrases[n.ID] == "" {
			secrets.Passphrases[n.ID], missing = newPassphrase(), true
		}
	}
	if !missing {
		return secrets, nil
	}
	return secrets, f.write(secrets)
}

func newPassphrase() string { return base64.RawURLEncoding.EncodeToString(random(12)) }

func (f demoFiles) read() (demoSecrets, error) {
	s := demoSecrets{Note: "Passphrases of a demo house. No real loudspeaker obeys its people.", Passphrases: map[broadcast.ID]string{}}
	file, err := os.Open(f.secrets)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	defer func() { _ = file.Close() }()
	if err := json.NewDecoder(io.LimitReader(file, 1<<20)).Decode(&s); err != nil {
		return s, fmt.Errorf("%s: %w", f.secrets, err)
	}
	return s, nil
}

// write replaces the file as a whole.
func (f demoFiles) write(s demoSecrets) error {
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	next := f.secrets + ".new"
	if err := os.Remove(next); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := writeNew(next, append(b, '\n')); err != nil {
		return err
	}
	return errors.Join(os.Rename(next, f.secrets), syncDir(filepath.Dir(f.secrets)))
}

// add keeps one more passphrase.
func (f demoFiles) add(person broadcast.ID, passphrase string) error {
	s, err := f.read()
	if err != nil {
		return err
	}
	s.Passphrases[person] = passphrase
	return f.write(s)
}

// establish fills the database if no house is in it yet.
func (f demoFiles) establish(ctx context.Context, dir string, cfg Config, secrets demoSecrets) error {
	if _, err := fingerprint(ctx, dir); !errors.Is(err, store.ErrNotFound) {
		return err
	}
	root, err := readKey(f.root, holdsRoot, nil)
	if err != nil {
		return err
	}
	defer clear(root.Key)
	places := treeAt{tree: cfg.Tree(), at: broadcast.InstantOf(cfg.Now())}
	opt := &Options{Dir: dir, Top: broadcast.TuyenQuang, RootThreshold: 1, Policy: demoPolicy(), demo: true, slots: []slot{demoSlotOf(places)}}
	for _, n := range demoStaff(places) {
		n.Passphrase = secrets.Passphrases[n.ID]
		opt.Officers = append(opt.Officers, n)
	}
	return opt.establish(ctx, cfg, []seal.Signer{root})
}

// withDemo opens the office of a demo house for f.
func withDemo(ctx context.Context, dir string, cfg Config, open func(context.Context, string) (*store.DB, error), f func(*Office) error) (err error) {
	db, err := open(ctx, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	o, err := Open(ctx, dir, db, cfg)
	if err != nil {
		return err
	}
	if demo, err := o.Demo(ctx); err != nil || !demo {
		return errors.Join(err, errors.New("is a real house; demo does not touch it"))
	}
	return f(o)
}

// refreshDemo renews what ends soon: certificates, then the slot.
func (o *Office) refreshDemo(ctx context.Context, files demoFiles, secrets demoSecrets) error {
	if _, err := o.Renew(ctx, []string{files.root}, nil); err != nil {
		return err
	}
	held, err := o.db.ListingsOf(ctx, broadcast.KindSlot, o.instant().Add(slotRenewal))
	if err != nil || slices.ContainsFunc(held, func(l store.Listing) bool { return l.ID == demoSlot }) {
		return err
	}
	next := demoSlotOf(o.placesAt(o.instant()))
	next.doc.Revision = broadcast.Revision(o.instant())
	a, err := o.authority(ctx)
	if err != nil {
		return err
	}
	c := Credential{Person: next.by, Passphrase: secrets.Passphrases[next.by]}
	return o.With(ctx, c, func(s seal.Signer) error {
		return o.db.Update(ctx, func(tx store.Tx) error {
			return publish(ctx, tx, o, a, broadcast.KindSlot, next.doc, next.doc.Until, s)
		})
	})
}
