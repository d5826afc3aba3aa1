package people_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
	"github.com/loaxa/loaxa/controller/store"
)

// tamper runs SQL on a house's database as somebody with a shell could.
func tamper(t *testing.T, h peopletest.House, query string, args ...any) {
	t.Helper()
	db := must[*sql.DB](t)(sql.Open("sqlite", "file:"+filepath.Join(h.Dir, "loaxa.db")+"?_pragma=busy_timeout(10000)"))
	defer func() { _ = db.Close() }()
	res := must[sql.Result](t)(db.Exec(query, args...))
	if n := must[int64](t)(res.RowsAffected()); n == 0 {
		t.Fatalf("%s changed nothing", query)
	}
}

func TestAuthorityThatTheRootDidNotSealIsNotBelieved(t *testing.T) {
	c := newClock()
	stranger := peopletest.Demo(t, c.now) // a whole house, with another root
	foreign := must[[]store.Listing](t)(stranger.DB.ListingsOf(context.Background(), broadcast.KindAuthority, c.instant()))
	raw := must[store.Document](t)(stranger.DB.Document(context.Background(), foreign[0].SHA256)).Raw
	for name, x := range map[string]struct {
		query string
		args  []any
	}{
		"another house's document":  {"UPDATE documents SET raw = ? WHERE kind = 'authority'", []any{raw}},
		"a document cut short":      {"UPDATE documents SET raw = substr(raw, 1, 4000) WHERE kind = 'authority'", nil},
		"another pinned root":       {"UPDATE settings SET value = ? WHERE name = 'house.pin'", []any{string(stranger.Office.Fingerprint())}},
		"a document that is a list": {"UPDATE documents SET raw = '[]' WHERE kind = 'authority'", nil},
		"no document":               {"DELETE FROM listings WHERE kind = 'authority'", nil},
	} {
		t.Run(name, func(t *testing.T) {
			h := peopletest.Demo(t, c.now)
			tamper(t, h, x.query, x.args...)
			db := must[*store.DB](t)(store.Open(context.Background(), h.Dir))
			defer func() { _ = db.Close() }()
			if _, err := people.Open(context.Background(), h.Dir, db, h.Config); err == nil {
				t.Error("opened")
			}
		})
	}
}

func TestARowOfAPersonGivesNoRightOnNodes(t *testing.T) {
	c := newClock()
	h, _ := real(t, c)
	tamper(t, h, "UPDATE persons SET areas = '[\"tuyen-quang\"]', level = 'province', role = 'administrator' WHERE id = 'ha'")
	ha := people.Credential{Person: "ha", Passphrase: "cầu treo bản Mới"}
	if _, err := speaks(h, c, "viet-quang", ha); err == nil {
		t.Error("speaks outside the commune of the certificate")
	}
	proof := must[seal.Proof](t)(speaks(h, c, "dong-tam", ha))
	if proof.Level() != broadcast.Commune {
		t.Errorf("speaks as %s", proof.Level())
	}
	n := people.NewPerson{ID: "mai", Name: "Mai", Role: people.Approver, Areas: []broadcast.ID{"bac-quang"}, Passphrase: "đường lên Tân Quang"}
	if _, err := h.Office.AddPerson(context.Background(), ha, n); err == nil {
		t.Error("certifies others without the act delegate")
	}
}

func TestManyOfficersSignAtOnce(t *testing.T) {
	c := newClock()
	h, _ := real(t, c)
	token := must[string](t)(h.Office.Mint(context.Background(), lan, 0, ""))
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			cred := []people.Credential{lan, an, {Token: token}}[i%3]
			if _, err := speaks(h, c, "tan-lap", cred); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestARunningOfficeSeesWhatAnotherProcessDid(t *testing.T) {
	c := newClock()
	h, opt := real(t, c)
	ctx := context.Background()
	_, other := peopletest.Open(t, h.Dir, h.Config)
	before := must[*seal.Keyring](t)(h.Office.Ring(ctx))
	if again := must[*seal.Keyring](t)(h.Office.Ring(ctx)); again != before {
		t.Error("read anew although nothing changed")
	}
	must[people.Person](t)(other.AddPerson(ctx, an, mai()))
	if _, err := speaks(h, c, "tan-lap", people.Credential{Person: "mai", Passphrase: mai().Passphrase}); err != nil {
		t.Errorf("taken in elsewhere: %v", err)
	}
	if err := other.Dismiss(ctx, an, "mai", broadcast.Retired, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := speaks(h, c, "tan-lap", people.Credential{Person: "mai", Passphrase: mai().Passphrase}); err == nil {
		t.Error("dismissed elsewhere, still speaks here")
	}
	c.forward(89 * 24 * time.Hour)
	must[[]broadcast.ID](t)(other.Renew(ctx, opt.RootFiles, nil))
	c.forward(5 * 24 * time.Hour)
	if _, err := speaks(h, c, "tan-lap", lan); err != nil {
		t.Errorf("renewed elsewhere: %v", err)
	}
}

func TestAnAuthorityNeverGoesBackInTime(t *testing.T) {
	c := newClock()
	h, _ := real(t, c)
	ctx := context.Background()
	before, _, _ := listed[broadcast.Authority](t, h, c, broadcast.KindAuthority)
	c.forward(-30 * time.Minute) // somebody sets the clock back
	must[people.Person](t)(h.Office.AddPerson(ctx, an, mai()))
	after, _, _ := listed[broadcast.Authority](t, h, c, broadcast.KindAuthority)
	if after.Revision != before.Revision+1 {
		t.Errorf("revision %d after %d", after.Revision, before.Revision)
	}
}

func TestARootKeyIsReadOnlyWithItsPassphrase(t *testing.T) {
	c := newClock()
	_, opt := real(t, c)
	dir := t.TempDir()
	opt.Dir, opt.RootFiles, opt.RootPassphrase = filepath.Join(dir, "data"), []string{filepath.Join(dir, "usb.key")}, "chìa khoá gốc của xã"
	must[people.Established](t)(people.Init(context.Background(), opt, peopletest.Config(t, c.now)))
	_, o := peopletest.Open(t, opt.Dir, peopletest.Config(t, c.now))
	c.forward(70 * 24 * time.Hour)
	for _, word := range []string{"", "chìa khoá gốc", "x"} {
		if _, err := o.Renew(context.Background(), opt.RootFiles, func(string) (string, error) { return word, nil }); err == nil {
			t.Errorf("%q opens the root key", word)
		}
	}
	if _, err := o.Renew(context.Background(), opt.RootFiles, func(string) (string, error) { return "", os.ErrDeadlineExceeded }); err == nil {
		t.Error("opened although nobody answered")
	}
	asked := ""
	who, err := o.Renew(context.Background(), opt.RootFiles, func(path string) (string, error) { asked = path; return opt.RootPassphrase, nil })
	if err != nil || len(who) != 3 || asked != opt.RootFiles[0] {
		t.Errorf("%v %v, asked for %q", who, err, asked)
	}
}
