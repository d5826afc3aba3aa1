package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/accounts"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
	"github.com/loaxa/loaxa/controller/store"
)

const (
	password   = "mật khẩu hằng ngày"
	passphrase = "câu dài để ký phát"
)

// rig is a demo house with accounts, and a clock that the test moves.
type rig struct {
	peopletest.House
	*accounts.Accounts
	t  *testing.T
	at time.Time
	// site is where people open the console.
	site string
	// admin is the credential of the house's administrator.
	admin people.Credential
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, at: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC), site: site}
	r.House = peopletest.Demo(t, func() time.Time { return r.at })
	r.admin = people.Credential{Token: r.Token(t, "admin", "")}
	r.restart()
	return r
}

// restart forgets what only the process knows.
func (r *rig) restart() {
	r.t.Helper()
	a, err := accounts.New(accounts.Config{DB: r.DB, Office: r.Office, Now: r.Config.Now, Site: r.site, Cost: r.Config.Cost, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		r.t.Fatal(err)
	}
	r.Accounts = a
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (r *rig) code(id broadcast.ID, newKey bool) people.Code {
	r.t.Helper()
	return must[people.Code](r.t)(r.Office.IssueCode(r.t.Context(), r.admin, id, newKey))
}

// settled has somebody choose the password of these tests.
func (r *rig) settled(id broadcast.ID, v accounts.Visit) accounts.Entry {
	r.t.Helper()
	c := r.code(id, false)
	return must[accounts.Entry](r.t)(r.EnterFirst(r.t.Context(), accounts.First{Person: id, Code: c.Text, Password: password}, v))
}

func (r *rig) person(e accounts.Entry) people.Person {
	r.t.Helper()
	return must[people.Person](r.t)(r.Office.Person(r.t.Context(), e.Session.Person))
}

// ended says whether a cookie opens nothing any more.
func (r *rig) ended(cookie string) bool {
	r.t.Helper()
	_, _, err := r.Session(r.t.Context(), cookie, home())
	if err != nil && !errors.Is(err, people.ErrCredential) {
		r.t.Fatal(err)
	}
	return err != nil
}

func home() accounts.Visit { return accounts.Visit{Address: "10.1.0.7", Device: "Firefox"} }

func TestNobodyHasAPasswordThatHeDidNotChoose(t *testing.T) {
	r := newRig(t)
	for _, p := range must[[]people.Person](t)(r.Office.Persons(t.Context())) {
		if _, err := r.DB.Password(t.Context(), p.ID); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s has a password: %v", p.ID, err)
		}
		for _, guess := range []string{"", string(p.ID), "admin", password} {
			r.restart()
			if _, err := r.Enter(t.Context(), p.ID, guess, home()); !errors.Is(err, accounts.ErrSignIn) {
				t.Errorf("%s with %q: %v", p.ID, guess, err)
			}
		}
	}
}

func TestACodeLetsOneIntoChooseAPasswordOnce(t *testing.T) {
	r := newRig(t)
	c := r.code("duyet-1", false)
	typed := strings.ToUpper(strings.ReplaceAll(c.Text, "-", " "))
	e := must[accounts.Entry](t)(r.EnterFirst(t.Context(), accounts.First{Person: "duyet-1", Code: typed, Password: password}, home()))
	if e.Person.ID != "duyet-1" || r.ended(e.Cookie) || c.NewKey {
		t.Errorf("%+v %+v", e, c)
	}
	if _, err := r.EnterFirst(t.Context(), accounts.First{Person: "duyet-1", Code: c.Text, Password: password}, home()); !errors.Is(err, accounts.ErrSignIn) {
		t.Errorf("twice: %v", err)
	}
	again := must[accounts.Entry](t)(r.Enter(t.Context(), "duyet-1", password, home()))
	if again.Cookie == e.Cookie || r.ended(again.Cookie) {
		t.Errorf("%+v", again)
	}
	// Letters composed by another keyboard are the same letters.
	if _, err := r.Enter(t.Context(), "duyet-1", "m\u00e2\u0323t kh\u00e2\u0309u h\u0103\u0300ng ng\u00e0y", home()); err != nil {
		t.Errorf("decomposed: %v", err)
	}
}

func TestCodesThatAreNotGoodLetNobodyIn(t *testing.T) {
	r := newRig(t)
	first := r.code("duyet-1", false)
	second := r.code("duyet-1", false)
	good := accounts.First{Person: "duyet-1", Code: second.Text, Password: password}
	for name, change := range map[string]func(*accounts.First){
		"an earlier one":     func(f *accounts.First) { f.Code = first.Text },
		"somebody else's":    func(f *accounts.First) { f.Person = "duyet-2" },
		"a made-up one":      func(f *accounts.First) { f.Code = people.NewCode() },
		"nobody's":           func(f *accounts.First) { f.Person = "nobody" },
		"a short password":   func(f *accounts.First) { f.Password = "ngắn" },
		"no password at all": func(f *accounts.First) { f.Password = "" },
	} {
		f := good
		change(&f)
		if _, err := r.EnterFirst(t.Context(), f, home()); !errors.Is(err, accounts.ErrSignIn) && !errors.Is(err, accounts.ErrPassword) {
			t.Errorf("%s: %v", name, err)
		}
		r.restart()
	}
	r.at = r.at.Add(people.CodeLife)
	if _, err := r.EnterFirst(t.Context(), good, home()); !errors.Is(err, accounts.ErrSignIn) {
		t.Errorf("after three days: %v", err)
	}
}

func TestANewcomersKeyOpensOnlyWithWhatTheyChose(t *testing.T) {
	r := newRig(t)
	ctx, code := t.Context(), people.NewCode()
	n := people.NewPerson{ID: "hoa", Name: "Hoa", Role: people.Approver, Areas: []broadcast.ID{"tan-lap"}, Code: code}
	must[people.Person](t)(r.Office.AddPerson(ctx, r.admin, n))
	signs := func(c people.Credential) error {
		return r.Office.With(ctx, c, func(seal.Signer) error { return nil })
	}
	if err := signs(people.Credential{Person: "hoa", Passphrase: code}); !errors.Is(err, people.ErrCredential) {
		t.Errorf("the code signs: %v", err)
	}
	first := accounts.First{Person: "hoa", Code: code, Password: password, Passphrase: password}
	if _, err := r.EnterFirst(ctx, first, home()); !errors.Is(err, accounts.ErrPassword) {
		t.Errorf("password and passphrase alike: %v", err)
	}
	first.Passphrase = "ngắn"
	if _, err := r.EnterFirst(ctx, first, home()); !errors.Is(err, people.ErrPerson) {
		t.Errorf("a short passphrase: %v", err)
	}
	first.Passphrase = passphrase
	e := must[accounts.Entry](t)(r.EnterFirst(ctx, first, home()))
	for secret, want := range map[string]error{code: people.ErrPassphrase, password: people.ErrPassphrase, "": people.ErrPassphrase, passphrase: nil} {
		if err := signs(people.Credential{Person: "hoa", Passphrase: secret, Session: e.Session.ID}); !errors.Is(err, want) {
			t.Errorf("%q: %v", secret, err)
		}
	}
}

func TestALostPassphraseIsANewKey(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	old := must[store.Key](t)(r.DB.KeyOf(ctx, "duyet-1"))
	token := r.Token(t, "officer", "")
	r.at = r.at.Add(-time.Minute) // a clock set back
	c := r.code("duyet-1", true)
	must[accounts.Entry](t)(r.EnterFirst(ctx, accounts.First{Person: "duyet-1", Code: c.Text, Password: password, Passphrase: passphrase}, home()))
	k := must[store.Key](t)(r.DB.KeyOf(ctx, "duyet-1"))
	if k.Public == old.Public || !c.NewKey {
		t.Errorf("the same key: %+v", c)
	}
	if err := r.Office.With(ctx, people.Credential{Person: "duyet-1", Passphrase: passphrase}, func(s seal.Signer) error {
		ring := must[*seal.Keyring](t)(r.Office.Ring(ctx))
		if cert, known := ring.Certificate(s.KID); !known || cert.Key != k.Public || cert.Person != "duyet-1" {
			t.Errorf("%+v", cert)
		}
		_, revoked := ring.Certificates()
		if len(revoked) != 1 || revoked[0].Mode != broadcast.Retired {
			t.Errorf("the old one: %+v", revoked)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if _, err := r.Office.Bearer(ctx, token); !errors.Is(err, people.ErrCredential) {
		t.Errorf("a token of the old key: %v", err)
	}
}

func TestACodeThatWasNeverUsedIsReplacedWithItsKey(t *testing.T) {
	r := newRig(t)
	lost := people.NewCode()
	n := people.NewPerson{ID: "hoa", Name: "Hoa", Role: people.Approver, Areas: []broadcast.ID{"tan-lap"}, Code: lost}
	must[people.Person](t)(r.Office.AddPerson(t.Context(), r.admin, n))
	r.at = r.at.Add(people.CodeLife)
	c := r.code("hoa", false)
	if !c.NewKey {
		t.Error("the key would stay under the lost code")
	}
	must[accounts.Entry](t)(r.EnterFirst(t.Context(), accounts.First{Person: "hoa", Code: c.Text, Password: password, Passphrase: passphrase}, home()))
}

func TestCodesAreGivenOutByWhoManagesPeopleThere(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	for name, x := range map[string]struct {
		by   people.Credential
		who  broadcast.ID
		want error
	}{
		"an approver": {people.Credential{Token: r.Token(t, "officer", "")}, "duyet-2", people.ErrForbidden},
		"oneself":     {r.admin, "quan-tri", people.ErrOneself},
		"nobody":      {r.admin, "nobody", store.ErrNotFound},
		"a stranger":  {people.Credential{Token: "lx_x"}, "duyet-1", people.ErrCredential},
	} {
		if _, err := r.Office.IssueCode(ctx, x.by, x.who, false); !errors.Is(err, x.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c, err := people.AdminCode(ctx, r.Dir, "quan-tri", r.Config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.EnterFirst(ctx, accounts.First{Person: "quan-tri", Code: c.Text, Password: password}, home()); err != nil {
		t.Errorf("from a shell: %v", err)
	}
}

func TestASessionEndsWithItsTime(t *testing.T) {
	r := newRig(t)
	e := r.settled("duyet-1", home())
	for range 9 { // used every third day but a minute
		r.at = r.at.Add(3*24*time.Hour - time.Minute)
		if r.ended(e.Cookie) {
			t.Fatalf("ended after %s although it was used", r.at)
		}
	}
	s, _, err := r.Session(t.Context(), e.Cookie, accounts.Visit{Address: "10.9.9.9"})
	if err != nil || s.Seen != broadcast.InstantOf(r.at) {
		t.Errorf("%+v %v", s, err)
	}
	r.at = r.at.Add(3 * 24 * time.Hour)
	if !r.ended(e.Cookie) {
		t.Error("three idle days later it goes on")
	}
	e = must[accounts.Entry](t)(r.Enter(t.Context(), "duyet-1", password, home()))
	for range 15 {
		r.at = r.at.Add(2 * 24 * time.Hour)
		_ = r.ended(e.Cookie)
	}
	if !r.ended(e.Cookie) {
		t.Error("a month later it goes on")
	}
}

func TestASessionEndsWithWhateverItRestsOn(t *testing.T) {
	for name, end := range map[string]func(*rig, accounts.Entry) error{
		"its owner leaves": func(r *rig, e accounts.Entry) error { return r.Leave(context.Background(), e.Session) },
		"its owner ends it": func(r *rig, e accounts.Entry) error {
			_, err := r.End(context.Background(), r.person(e), e.Session.ID)
			return err
		},
		"an administrator ends it": func(r *rig, e accounts.Entry) error {
			by, err := r.Office.Person(context.Background(), "quan-tri")
			_, also := r.End(context.Background(), by, e.Session.ID)
			return errors.Join(err, also)
		},
		"the person is dismissed": func(r *rig, e accounts.Entry) error {
			return r.Office.Dismiss(context.Background(), r.admin, e.Person.ID, broadcast.Retired, 0)
		},
		"a code is given out": func(r *rig, e accounts.Entry) error {
			_, err := r.Office.IssueCode(context.Background(), r.admin, e.Person.ID, false)
			return err
		},
		"the password changes elsewhere": func(r *rig, e accounts.Entry) error {
			other, err := r.Enter(context.Background(), e.Person.ID, password, home())
			return errors.Join(err, r.SetPassword(context.Background(), other.Session, password, "một mật khẩu khác"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			e := r.settled("duyet-1", home())
			other := r.settled("duyet-2", home())
			if r.ended(e.Cookie) {
				t.Fatal("it never began")
			}
			if err := end(r, e); err != nil {
				t.Fatal(err)
			}
			if !r.ended(e.Cookie) || r.ended(other.Cookie) {
				t.Errorf("ended %v, somebody else's %v", r.ended(e.Cookie), r.ended(other.Cookie))
			}
			if err := r.Leave(t.Context(), e.Session); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("ended twice: %v", err)
			}
		})
	}
}

func TestSessionsAreTheBusinessOfTheirOwnerAndTheAdministrator(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	e := r.settled("duyet-1", accounts.Visit{Address: "10.1.0.7", Device: "Điện thoại"})
	other := r.settled("duyet-2", home())
	admin := must[people.Person](t)(r.Office.Person(ctx, "quan-tri"))
	for _, by := range []people.Person{e.Person, admin} {
		list := must[[]accounts.Session](t)(r.Sessions(ctx, by, "duyet-1"))
		if len(list) != 1 || list[0].ID != e.Session.ID || list[0].Device != "Điện thoại" || list[0].Address != "10.1.0.7" {
			t.Errorf("%s sees %+v", by.ID, list)
		}
	}
	if _, err := r.Sessions(ctx, other.Person, "duyet-1"); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("somebody else: %v", err)
	}
	if _, err := r.End(ctx, other.Person, e.Session.ID); !errors.Is(err, people.ErrForbidden) || r.ended(e.Cookie) {
		t.Errorf("somebody else ends it: %v", err)
	}
	far := admin
	far.Areas = []broadcast.ID{"tan-lap"}
	if _, err := r.Sessions(ctx, far, "duyet-1"); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("an administrator of another area: %v", err)
	}
}

func TestPasswordAndPassphraseAreChangedByWhoKnowsThem(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	c := r.code("duyet-1", true)
	e := must[accounts.Entry](t)(r.EnterFirst(ctx, accounts.First{Person: "duyet-1", Code: c.Text, Password: password, Passphrase: passphrase}, home()))
	for name, err := range map[string]error{
		"a wrong old password": r.SetPassword(ctx, e.Session, "x", "một mật khẩu khác"),
		"a short one":          r.SetPassword(ctx, e.Session, password, "ngắn"),
		"the passphrase":       r.SetPassword(ctx, e.Session, password, passphrase),
		"the password":         r.SetPassphrase(ctx, e.Session, passphrase, password),
	} {
		if !errors.Is(err, accounts.ErrPassword) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := r.SetPassphrase(ctx, e.Session, password, "câu mới dài hơn"); !errors.Is(err, people.ErrPassphrase) {
		t.Errorf("a wrong old passphrase: %v", err)
	}
	if err := errors.Join(r.SetPassword(ctx, e.Session, password, "một mật khẩu khác"), r.SetPassphrase(ctx, e.Session, passphrase, "câu mới dài hơn")); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Enter(ctx, "duyet-1", password, home()); !errors.Is(err, accounts.ErrSignIn) {
		t.Errorf("the old password: %v", err)
	}
	if err := r.Office.With(ctx, people.Credential{Person: "duyet-1", Passphrase: "câu mới dài hơn"}, func(seal.Signer) error { return nil }); err != nil {
		t.Errorf("the new passphrase: %v", err)
	}
}

func TestWhatIsStoredLetsNobodyIn(t *testing.T) {
	r := newRig(t)
	c := r.code("duyet-2", false)
	e := r.settled("duyet-1", home())
	row := must[store.Session](t)(r.DB.Session(t.Context(), e.Session.ID))
	pass := must[store.Password](t)(r.DB.Password(t.Context(), "duyet-1"))
	code := must[store.Code](t)(r.DB.Code(t.Context(), people.CodeDigest("duyet-2", c.Text)))
	stored := fmt.Sprintf("%+v %+v %+v", row, pass, code)
	for _, secret := range []string{e.Cookie, e.Browser, password, c.Text, strings.ReplaceAll(c.Text, "-", "")} {
		if strings.Contains(stored, secret) {
			t.Errorf("%q stands in the database", secret)
		}
	}
	if !r.ended(string(e.Session.ID)) || !r.ended("") {
		t.Error("what names a session opens it")
	}
}
