package backup_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/backup"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
	"github.com/loaxa/loaxa/controller/store"
)

const phrase = "suối nguồn Tân Lập"

// house is a demo house with a recording in it.
func house(t *testing.T) (peopletest.House, string) {
	t.Helper()
	h := peopletest.Demo(t, time.Now)
	sound := []byte("sound of water")
	sum := broadcast.Sum(sound)
	for _, dir := range []string{"content/" + string(sum[:2]), "content/.staging", "broker", "speech"} {
		if err := os.MkdirAll(filepath.Join(h.Dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{"content/" + string(sum[:2]) + "/" + string(sum): string(sound), "content/.staging/half": "half",
		"broker/stream": "retained", "speech.toml": "# none", "listening.json": "{}"} {
		if err := os.WriteFile(filepath.Join(h.Dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err := h.DB.Update(t.Context(), func(tx store.Tx) error { return tx.AddContent(t.Context(), store.Content{SHA256: sum, Bytes: 14}) })
	if err != nil {
		t.Fatal(err)
	}
	return h, "content/" + string(sum[:2]) + "/" + string(sum)
}

func source(h peopletest.House) backup.Source {
	return backup.Source{Dir: h.Dir, DB: h.DB, Fingerprint: h.Office.Fingerprint(), Version: "test", Now: time.Now}
}

func made(t *testing.T, from backup.Source) []byte {
	t.Helper()
	var out bytes.Buffer
	if _, err := backup.Make(t.Context(), from, phrase, people.Cost{MemoryKiB: 8, Passes: 1, Lanes: 1}, &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// names are the files below a folder.
func names(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		text, err := os.ReadFile(path)
		out[rel] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAHouseComesBackOutOfItsBackup(t *testing.T) {
	h, recording := house(t)
	token := h.Token(t, "officer", "")
	file := made(t, source(h))
	report, err := backup.Verify(t.Context(), bytes.NewReader(file), phrase)
	if err != nil || report.Recorded != 1 || len(report.Absent) != 0 || report.Rows == 0 || report.Fingerprint != h.Office.Fingerprint() || report.Version != "test" {
		t.Errorf("%+v %v", report, err)
	}
	dir := filepath.Join(t.TempDir(), "back")
	got, err := backup.Restore(t.Context(), bytes.NewReader(file), phrase, backup.Target{Dir: dir, People: h.Config})
	if err != nil || got.Epoch != 0 {
		t.Fatalf("%+v %v", got, err)
	}
	files := names(t, dir)
	if files[recording] != "sound of water" || files["speech.toml"] != "# none" || files["service.key"] != names(t, h.Dir)["service.key"] {
		t.Error("something is missing or another")
	}
	for _, name := range []string{"broker/stream", "listening.json", "content/.staging/half"} {
		if _, there := files[name]; there {
			t.Errorf("%s came back", name)
		}
	}
	db, office := peopletest.Open(t, dir, h.Config)
	if office.Fingerprint() != h.Office.Fingerprint() {
		t.Error("another house")
	}
	if _, err := office.Service(t.Context()); err != nil {
		t.Error(err)
	}
	if err := office.With(t.Context(), people.Credential{Token: token}, func(seal.Signer) error { return nil }); !errors.Is(err, people.ErrCredential) {
		t.Errorf("a token of the backup's day: %v", err)
	}
	if r, err := db.Restoration(t.Context()); err != nil || r.Made != report.Made {
		t.Errorf("it may speak: %+v %v", r, err)
	}
}

func TestABackupTellsNothingWithoutItsPassphrase(t *testing.T) {
	h, _ := house(t)
	file := made(t, source(h))
	key := names(t, h.Dir)["service.key"]
	seed := strings.Split(strings.Split(key, `"seed": "`)[1], `"`)[0]
	raw, err := base64.StdEncoding.DecodeString(seed)
	if err != nil {
		t.Fatal(err)
	}
	for what, secret := range map[string][]byte{"service key": raw, "its text": []byte(seed), "passphrase": []byte(phrase), "recording": []byte("sound of water"),
		"a name": []byte("quan-tri"), "the database": []byte("SQLite format")} {
		if bytes.Contains(file, secret) {
			t.Errorf("the file holds the %s in the clear", what)
		}
	}
	if _, err := backup.Verify(t.Context(), bytes.NewReader(file), "một câu khác hẳn"); !errors.Is(err, backup.ErrOpen) {
		t.Errorf("another passphrase: %v", err)
	}
	if _, err := backup.Make(t.Context(), source(h), "ngắn", people.DefaultCost(), &bytes.Buffer{}); err == nil {
		t.Error("a passphrase of four letters was taken")
	}
	for name := range names(t, h.Dir) {
		if strings.Contains(name, ".backup-") {
			t.Errorf("%s was left behind", name)
		}
	}
}

func TestABackupIsWholeWhileTheHouseIsWrittenTo(t *testing.T) {
	h, _ := house(t)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			err := h.DB.Update(context.Background(), func(tx store.Tx) error {
				return tx.Audit(context.Background(), store.Deed{At: 1, Act: "test.write"})
			})
			if err != nil {
				t.Error(err)
				return
			}
		}
	})
	for range 3 {
		if _, err := backup.Verify(t.Context(), bytes.NewReader(made(t, source(h))), phrase); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
}

func TestWhatIsNotInsideIsSaid(t *testing.T) {
	h, recording := house(t)
	bare := source(h)
	bare.Bare = true
	r, err := backup.Verify(t.Context(), bytes.NewReader(made(t, bare)), phrase)
	if err != nil || r.Recordings || r.Recorded != 0 || len(r.Absent) != 1 || !strings.HasSuffix(recording, string(r.Absent[0])) {
		t.Errorf("%+v %v", r, err)
	}
	if err := os.WriteFile(filepath.Join(h.Dir, recording), []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := backup.Verify(t.Context(), bytes.NewReader(made(t, source(h))), phrase); err == nil || !strings.Contains(err.Error(), "damaged before") {
		t.Errorf("a damaged recording: %v", err)
	}
}

func TestARestoreThatFailsLeavesNoHouse(t *testing.T) {
	h, _ := house(t)
	file := made(t, source(h))
	for name, c := range map[string][]byte{"cut off": file[:len(file)-10], "half": file[:len(file)/2]} {
		dir := filepath.Join(t.TempDir(), "back")
		if _, err := backup.Restore(t.Context(), bytes.NewReader(c), phrase, backup.Target{Dir: dir, People: h.Config}); !errors.Is(err, backup.ErrOpen) {
			t.Errorf("%s: %v", name, err)
		}
		if err := people.HasHouse(dir); !errors.Is(err, people.ErrNoHouse) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := backup.Restore(t.Context(), bytes.NewReader(file), phrase, backup.Target{Dir: h.Dir, People: h.Config}); err == nil || !strings.Contains(err.Error(), "name an empty folder") {
		t.Errorf("over another house: %v", err)
	}
}

func TestARootKeyGivesTheRestoredHouseANewServiceKey(t *testing.T) {
	h, _ := house(t)
	dir := filepath.Join(t.TempDir(), "back")
	to := backup.Target{Dir: dir, People: h.Config, RootFiles: []string{h.Dir + ".root.key"}}
	got, err := backup.Restore(t.Context(), bytes.NewReader(made(t, source(h))), phrase, to)
	if err != nil || got.Epoch != 2 {
		t.Fatalf("%+v %v", got, err)
	}
	_, office := peopletest.Open(t, dir, h.Config)
	next, err := office.Service(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	old, err := h.Office.Service(t.Context())
	if err != nil || old.KID == next.KID || bytes.Equal(old.Key, next.Key) {
		t.Fatalf("the same key: %v", err)
	}
	ring, err := office.Ring(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	manifest := func(s seal.Signer, at time.Time) error {
		m := broadcast.Manifest{Area: "tan-lap", Revision: broadcast.Revision(broadcast.InstantOf(at))}
		env, err := seal.Seal(broadcast.KindManifest, m, s)
		if err != nil {
			return err
		}
		raw, err := seal.Bytes(broadcast.KindManifest, env)
		if err != nil {
			return err
		}
		_, proof, err := seal.Open[broadcast.Manifest](ring, broadcast.KindManifest, raw, seal.Context{Places: office.Places()})
		if err == nil && proof.Epoch() != 2 {
			return errors.New("of an old epoch")
		}
		return err
	}
	if err := manifest(next, time.Now().Add(time.Second)); err != nil {
		t.Error(err)
	}
	if err := manifest(old, time.Now().Add(time.Second)); err == nil {
		t.Error("the key of the backup still makes lists")
	}
	if who, err := office.Renew(t.Context(), to.RootFiles, nil); err != nil || len(who) != 0 {
		t.Errorf("renewed %v, %v", who, err)
	}
}
