package people_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
)

// spellings are the ways in which a secret could lie about.
func spellings(secret []byte) [][]byte {
	return [][]byte{secret, []byte(hex.EncodeToString(secret)), []byte(strings.ToUpper(hex.EncodeToString(secret))),
		[]byte(base64.StdEncoding.EncodeToString(secret)), []byte(base64.RawURLEncoding.EncodeToString(secret))}
}

// folder returns the bytes of every file below a folder by its path.
func folder(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[path], err = os.ReadFile(path)
		return err
	})
	if err != nil || len(files) < 2 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	return files
}

// texts returns every text and blob of every row of the database.
func texts(t *testing.T, dir string) []string {
	t.Helper()
	db := must[*sql.DB](t)(sql.Open("sqlite", "file:"+filepath.Join(dir, "loaxa.db")))
	defer func() { _ = db.Close() }()
	var out []string
	for _, table := range column(t, db, "SELECT name FROM sqlite_master WHERE type = 'table'") {
		for _, name := range column(t, db, "SELECT name FROM pragma_table_info('"+table+"')") {
			out = append(out, column(t, db, `SELECT CAST("`+name+`" AS TEXT) FROM "`+table+`" WHERE "`+name+`" IS NOT NULL`)...)
		}
	}
	return out
}

func column(t *testing.T, db *sql.DB, query string) []string {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// rootSeed reads the demo's root key as its owner can.
func rootSeed(t *testing.T, dir string) []byte {
	t.Helper()
	var k struct{ Seed []byte }
	if err := json.Unmarshal(must[[]byte](t)(os.ReadFile(dir+".root.key")), &k); err != nil || len(k.Seed) != ed25519.SeedSize {
		t.Fatalf("root key: %v", err)
	}
	return k.Seed
}

func TestStolenDataDirCannotSpeak(t *testing.T) {
	c := newClock()
	h := peopletest.Demo(t, c.now)
	ctx := context.Background()
	secrets := map[string][]byte{"root key": rootSeed(t, h.Dir)}
	for _, role := range []string{"admin", "editor", "officer", "official", "technician"} {
		token := h.Token(t, role, "")
		secrets["token of "+role] = []byte(token)
		secrets["secret of the token of "+role] = must[[]byte](t)(base64.RawURLEncoding.DecodeString(strings.TrimPrefix(token, "lx_")))
		err := h.Office.With(ctx, people.Credential{Token: token}, func(s seal.Signer) error {
			secrets["key of "+role] = s.Key.Seed()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	var kept struct{ Passphrases map[string]string }
	if err := json.Unmarshal(must[[]byte](t)(os.ReadFile(h.Dir+".demo.json")), &kept); err != nil || len(kept.Passphrases) < 7 {
		t.Fatalf("%v %v", kept, err)
	}
	for who, pass := range kept.Passphrases {
		secrets["passphrase of "+who] = []byte(pass)
	}
	for path, content := range folder(t, h.Dir) {
		for what, secret := range secrets {
			if slices.ContainsFunc(spellings(secret), func(s []byte) bool { return bytes.Contains(content, s) }) {
				t.Errorf("%s holds the %s", filepath.Base(path), what)
			}
		}
	}
	t.Run("no text of the database opens a key", func(t *testing.T) { tryEverything(t, h, texts(t, h.Dir)) })
	t.Run("the service key announces nothing", func(t *testing.T) { serviceIsMute(t, h, c) })
}

// tryEverything uses every text that a thief finds as a token and as everybody's
// passphrase.
func tryEverything(t *testing.T, h peopletest.House, found []string) {
	if len(found) < 100 {
		t.Fatalf("only %d texts in the database", len(found))
	}
	tried := map[string]bool{}
	opened := func(seal.Signer) error { return errors.New("opened") }
	for _, text := range found {
		if len(text) > 200 || tried[text] {
			continue
		}
		tried[text] = true
		for _, token := range []string{text, "lx_" + text} {
			if err := h.Office.With(context.Background(), people.Credential{Token: token}, opened); token != "" && !errors.Is(err, people.ErrCredential) {
				t.Errorf("%q as a token: %v", token, err)
			}
		}
		for _, who := range []broadcast.ID{"duyet-1", "quan-tri"} {
			err := h.Office.With(context.Background(), people.Credential{Person: who, Passphrase: text}, opened)
			if !errors.Is(err, people.ErrCredential) {
				t.Errorf("%q as the passphrase of %s: %v", text, who, err)
			}
		}
	}
}

// serviceIsMute shows what the one key in the folder can do: lists and time.
func serviceIsMute(t *testing.T, h peopletest.House, c *clock) {
	s := must[seal.Signer](t)(h.Office.Service(context.Background()))
	if _, err := speak(h, c, "tan-lap", s); !errors.Is(err, seal.ErrRight) {
		t.Errorf("an announcement of the service key: %v", err)
	}
	ring := must[*seal.Keyring](t)(h.Office.Ring(context.Background()))
	m := broadcast.Manifest{Area: "tan-lap", Revision: broadcast.Revision(c.instant())}
	if _, _, err := seal.Open[broadcast.Manifest](ring, broadcast.KindManifest, sealtest.Sealed(broadcast.KindManifest, m, s), seal.Context{Places: h.Office.Places()}); err != nil {
		t.Errorf("a manifest of the service key: %v", err)
	}
	cert, _ := ring.Certificate(s.KID)
	if !slices.Equal(cert.Acts, broadcast.ServiceActs()) || len(cert.Classes) != 0 {
		t.Errorf("the service key may %v in %v", cert.Acts, cert.Classes)
	}
}

func TestAWrappedKeyMovedToAnotherPersonStaysShut(t *testing.T) {
	c := newClock()
	h, _ := real(t, c)
	db := must[*sql.DB](t)(sql.Open("sqlite", "file:"+filepath.Join(h.Dir, "loaxa.db")))
	defer func() { _ = db.Close() }()
	lan := people.Credential{Person: "lan", Passphrase: "mưa nguồn suối lũ"}
	if _, err := speaks(h, c, "tan-lap", lan); err != nil {
		t.Fatal(err)
	}
	for _, forge := range []string{ // each would let Lan sign as An, the administrator
		"UPDATE officer_keys SET wrapped = (SELECT wrapped FROM officer_keys WHERE person = 'lan') WHERE person = 'an'",
		"UPDATE officer_keys SET person = 'an', created_ms = created_ms + 1 WHERE person = 'lan'",
	} {
		if _, err := db.Exec(forge); err != nil {
			t.Fatal(err)
		}
		if _, err := speaks(h, c, "tan-lap", people.Credential{Person: "an", Passphrase: lan.Passphrase}); err == nil {
			t.Errorf("Lan signs as An after %s", forge)
		}
	}
}

func TestAKeyIsZeroedAfterUse(t *testing.T) {
	c := newClock()
	h, _ := real(t, c)
	var key ed25519.PrivateKey
	err := h.Office.With(context.Background(), people.Credential{Person: "lan", Passphrase: "mưa nguồn suối lũ"}, func(s seal.Signer) error {
		key = s.Key
		if bytes.Equal(key, make([]byte, len(key))) {
			t.Error("no key to sign with")
		}
		return nil
	})
	if err != nil || !bytes.Equal(key, make([]byte, ed25519.PrivateKeySize)) {
		t.Errorf("the key is still there: %v", err)
	}
}
