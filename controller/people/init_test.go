package people_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
	"github.com/loaxa/loaxa/controller/store"
)

func TestInitKeepsRootOutside(t *testing.T) {
	c := newClock()
	h, opt := real(t, c)
	for path, want := range map[string]os.FileMode{h.Dir: 0o700, opt.RootFiles[0]: 0o600,
		filepath.Join(h.Dir, "service.key"): 0o600, filepath.Join(h.Dir, "loaxa.db"): 0o600} {
		if info := must[os.FileInfo](t)(os.Stat(path)); info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, not %v", path, info.Mode(), want)
		}
	}
	root := string(must[[]byte](t)(os.ReadFile(opt.RootFiles[0])))
	_, seed, _ := strings.Cut(root, `"seed": "`)
	for path, content := range folder(t, h.Dir) {
		if len(seed) < 40 || strings.Contains(string(content), seed[:40]) {
			t.Errorf("%s holds the root key", path)
		}
	}
	if demo, err := h.Office.Demo(context.Background()); err != nil || demo {
		t.Errorf("a real house is marked demo: %v", err)
	}
}

func TestInitRefusesWhatItCouldHarm(t *testing.T) {
	c := newClock()
	_, good := real(t, c)
	cfg := peopletest.Config(t, c.now)
	ctx := context.Background()
	for name, x := range map[string]struct {
		spoil func(dir string, opt *people.Options)
		says  string
	}{
		"a folder with content": {func(dir string, _ *people.Options) {
			_ = os.WriteFile(filepath.Join(dir, "data", "photo.jpg"), nil, 0o600)
		}, "photo.jpg"},
		"root inside": {func(dir string, opt *people.Options) {
			opt.RootFiles = []string{filepath.Join(dir, "data", "root.key")}
		}, "inside the data folder"},
		"root inside through a link": {func(dir string, opt *people.Options) {
			_ = os.Symlink(filepath.Join(dir, "data"), filepath.Join(dir, "usb"))
			opt.RootFiles = []string{filepath.Join(dir, "usb", "root.key")}
		}, "inside the data folder"},
		"root file there already":       {func(dir string, opt *people.Options) { _ = os.WriteFile(opt.RootFiles[0], []byte("x"), 0o600) }, "not written over"},
		"no root file":                  {func(_ string, opt *people.Options) { opt.RootFiles = nil }, "root keys"},
		"one root file twice":           {func(_ string, opt *people.Options) { opt.RootFiles = append(opt.RootFiles, opt.RootFiles[0]) }, "twice"},
		"a threshold out of reach":      {func(_ string, opt *people.Options) { opt.RootThreshold = 2 }, "threshold"},
		"one officer":                   {func(_ string, opt *people.Options) { opt.Officers = opt.Officers[:1] }, "two signatures"},
		"short passphrase":              {func(_ string, opt *people.Options) { opt.Officers[1].Passphrase = "ngắn" }, "10 characters"},
		"unknown area":                  {func(_ string, opt *people.Options) { opt.Officers[1].Areas = []broadcast.ID{"xx"} }, "organisation tree"},
		"no area":                       {func(_ string, opt *people.Options) { opt.Officers[1].Areas = nil }, "areas"},
		"unknown role":                  {func(_ string, opt *people.Options) { opt.Officers[1].Role = "king" }, "king"},
		"no name":                       {func(_ string, opt *people.Options) { opt.Officers[1].Name = "" }, "name"},
		"bad id":                        {func(_ string, opt *people.Options) { opt.Officers[1].ID = "Lan!" }, "Lan!"},
		"two of one id":                 {func(_ string, opt *people.Options) { opt.Officers[1].ID = "an" }, "another id"},
		"a district's commune official": {func(_ string, opt *people.Options) { opt.Officers[2].Areas = []broadcast.ID{"bac-quang"} }, "role of the commune"},
		"a policy for elsewhere":        {func(_ string, opt *people.Options) { opt.Policy = &broadcast.Policy{Area: "ha-giang"} }, "policy"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			opt := good
			opt.Dir, opt.RootFiles, opt.Officers = filepath.Join(dir, "data"), []string{filepath.Join(dir, "usb.key")}, slices.Clone(good.Officers)
			if err := os.Mkdir(opt.Dir, 0o755); err != nil {
				t.Fatal(err)
			}
			x.spoil(dir, &opt)
			before := names(t, dir)
			_, err := people.Init(ctx, opt, cfg)
			complains(t, err, x.says)
			if after := names(t, dir); !slices.Equal(before, after) {
				t.Errorf("left behind: %v, before %v", after, before)
			}
		})
	}
}

// names lists everything below a folder.
func names(t *testing.T, dir string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		out = append(out, path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestInitSaysWhatToWriteDown(t *testing.T) {
	c := newClock()
	dir := t.TempDir()
	_, opt := real(t, c)
	opt.Dir, opt.RootFiles = filepath.Join(dir, "data"), []string{filepath.Join(dir, "a.key"), filepath.Join(dir, "b.key"), filepath.Join(dir, "c.key")}
	opt.RootThreshold, opt.RootPassphrase = 2, "ba chìa hai người"
	est := must[people.Established](t)(people.Init(context.Background(), opt, peopletest.Config(t, c.now)))
	text := strings.Join(est.WriteDown, "\n")
	for _, want := range []string{string(est.Fingerprint), opt.RootFiles[2], "an (An, administrator over bac-quang)"} {
		if !strings.Contains(text, want) {
			t.Errorf("nothing about %s in:\n%s", want, text)
		}
	}
	_, o := peopletest.Open(t, opt.Dir, peopletest.Config(t, c.now))
	if o.Fingerprint() != est.Fingerprint || o.Top() != "bac-quang" || len(o.Roots()) != 1 {
		t.Errorf("%s %s", o.Fingerprint(), o.Top())
	}
	ring := must[*seal.Keyring](t)(o.Ring(context.Background()))
	if r := ring.Root(); r.Threshold != 2 || len(r.Keys) != 3 || r.Demo {
		t.Errorf("%+v", r)
	}
	// Two of the three keys renew, one does not, and none without its passphrase.
	c.forward(70 * 24 * time.Hour)
	ask := func(string) (string, error) { return opt.RootPassphrase, nil }
	if _, err := o.Renew(context.Background(), opt.RootFiles[:1], ask); !errors.Is(err, seal.ErrThreshold) {
		t.Errorf("one key of two: %v", err)
	}
	if _, err := o.Renew(context.Background(), opt.RootFiles[:2], nil); err == nil {
		t.Error("opened without a passphrase")
	}
	who := must[[]broadcast.ID](t)(o.Renew(context.Background(), opt.RootFiles[1:], ask))
	if !slices.Equal(who, []broadcast.ID{"an", "ha", "lan"}) {
		t.Errorf("renewed %v", who)
	}
}

func TestAFolderWithoutAHouseSaysSo(t *testing.T) {
	cfg := peopletest.Config(t, newClock().now)
	dir := t.TempDir()
	db := must[*store.DB](t)(store.Open(context.Background(), dir))
	defer func() { _ = db.Close() }()
	if _, err := people.Open(context.Background(), dir, db, cfg); !errors.Is(err, people.ErrNoHouse) {
		t.Errorf("%v", err)
	}
	_, err := people.AdminToken(context.Background(), filepath.Join(dir, "x"), people.TokenRequest{Role: "officer"}, cfg)
	complains(t, err, "run init")
}

func TestAKeyFileThatOthersReadIsRefused(t *testing.T) {
	h, _ := real(t, newClock())
	path := filepath.Join(h.Dir, "service.key")
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	_, err := h.Office.Service(context.Background())
	complains(t, err, "chmod 600", "0640")
	for text, says := range map[string]string{"": "no such key file", "{}": "no such key file",
		`{"holds":"loaxa service key: signs lists and time, never an announcement","public":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`:                                                       "no whole key",
		`{"holds":"loaxa service key: signs lists and time, never an announcement","public":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","seed":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}`: "belong together"} {
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, 0o600)); err != nil {
			t.Fatal(err)
		}
		_, err := h.Office.Service(context.Background())
		complains(t, err, says)
	}
}
