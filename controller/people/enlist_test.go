package people_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
	"github.com/loaxa/loaxa/controller/store"
)

var an = people.Credential{Person: "an", Passphrase: "cửa biển Thuận An"}

func mai() people.NewPerson {
	return people.NewPerson{ID: "mai", Name: "Mai", Role: people.Approver, Areas: []broadcast.ID{"xa-tan-quang"}, Passphrase: "đường lên Tân Quang"}
}

func TestAnAdministratorTakesSomebodyInWithinHisOwnRights(t *testing.T) {
	c := newClock()
	h, _ := real(t, c)
	ctx := context.Background()
	auth, _, _ := listed[broadcast.Authority](t, h, c, broadcast.KindAuthority)
	c.forward(10 * 24 * time.Hour)
	p := must[people.Person](t)(h.Office.AddPerson(ctx, an, mai()))
	if p.Level != broadcast.Commune {
		t.Errorf("%+v", p)
	}
	next, proof, _ := listed[broadcast.Authority](t, h, c, broadcast.KindAuthority)
	if next.Revision <= auth.Revision || len(next.Certificates) != len(auth.Certificates)+1 || proof.Signers[0].Person != "an" {
		t.Errorf("authority %d of %+v", next.Revision, proof.Signers)
	}
	cred := people.Credential{Person: "mai", Passphrase: mai().Passphrase}
	if _, err := speaks(h, c, "tan-lap", cred); err != nil {
		t.Error(err)
	}
	if _, err := speaks(h, c, "viet-quang", cred); !errors.Is(err, seal.ErrRight) {
		t.Errorf("outside the commune: %v", err)
	}
	c.forward(80 * 24 * time.Hour) // An's rights have ended, so have those that he gave
	if _, err := speaks(h, c, "tan-lap", cred); !errors.Is(err, people.ErrNoCertificate) {
		t.Errorf("after the delegate's end: %v", err)
	}
}

func TestNobodyElseTakesPeopleIn(t *testing.T) {
	h, _ := real(t, newClock())
	ctx := context.Background()
	wide := mai()
	wide.Areas = []broadcast.ID{"tuyen-quang"}
	twin := mai()
	twin.ID = "lan"
	for name, x := range map[string]struct {
		by   people.Credential
		n    people.NewPerson
		want error
	}{
		"an approver":            {lan, mai(), people.ErrForbidden},
		"beyond his area":        {an, wide, people.ErrForbidden},
		"with a wrong secret":    {people.Credential{Person: "an", Passphrase: "x"}, mai(), people.ErrCredential},
		"under an id that is in": {an, twin, store.ErrConflict},
	} {
		if _, err := h.Office.AddPerson(ctx, x.by, x.n); !errors.Is(err, x.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := h.Office.Person(ctx, "mai"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("half taken in: %v", err)
	}
}

func TestADelegateOfAPartRevisesThatPartsAuthority(t *testing.T) {
	c := newClock()
	h := peopletest.Demo(t, c.now)
	ctx := context.Background()
	admin := people.Credential{Token: h.Token(t, "admin", "")} // over Bắc Quang; the top is the province
	if _, err := h.Office.AddPerson(ctx, admin, mai()); err != nil {
		t.Fatal(err)
	}
	where := must[[]store.Listing](t)(h.DB.ListingsOf(ctx, broadcast.KindAuthority, c.instant()))
	if len(where) != 2 || where[0].Area != "bac-quang" || where[1].Area != "tuyen-quang" {
		t.Errorf("%v", where)
	}
	if _, err := speaks(h, c, "tan-lap", people.Credential{Person: "mai", Passphrase: mai().Passphrase}); err != nil {
		t.Error(err)
	}
	// A node that has this document alone believes it and everybody in it.
	raw := must[store.Document](t)(h.DB.Document(ctx, where[0].SHA256)).Raw
	auth, _, _ := listed[broadcast.Authority](t, h, c, broadcast.KindAuthority)
	alone := must[*seal.Keyring](t)(seal.NewKeyring(h.Office.Fingerprint(), auth.Roots, true))
	if err := alone.Learn(auth.Certificates, nil, h.Office.Places()); err != nil {
		t.Error(err)
	}
	if _, _, err := seal.Open[broadcast.Authority](alone, broadcast.KindAuthority, raw, seal.Context{Places: h.Office.Places()}); err != nil || len(auth.Certificates) != 2 {
		t.Errorf("%d certificates: %v", len(auth.Certificates), err)
	}
	_, again := peopletest.Open(t, h.Dir, h.Config) // another process reads both
	ring := must[*seal.Keyring](t)(again.Ring(ctx))
	envs, _ := ring.Certificates()
	if len(envs) != 8 { // six of the demo's people, the controller, and Mai
		t.Errorf("%d certificates", len(envs))
	}
}

func TestRightsRunOutAndTheRootRenewsThem(t *testing.T) {
	c := newClock()
	h, opt := real(t, c)
	ctx := context.Background()
	if who := must[[]broadcast.ID](t)(h.Office.Renew(ctx, opt.RootFiles, nil)); len(who) != 0 {
		t.Errorf("renewed on the first day: %v", who)
	}
	c.forward(90 * 24 * time.Hour)
	_, err := speaks(h, c, "tan-lap", lan)
	if !errors.Is(err, people.ErrNoCertificate) {
		t.Errorf("after 90 days: %v", err)
	}
	complains(t, err, "2027-02-20", "root key")
	who := must[[]broadcast.ID](t)(h.Office.Renew(ctx, opt.RootFiles, nil))
	if !slices.Equal(who, []broadcast.ID{"an", "ha", "lan"}) {
		t.Errorf("renewed %v", who)
	}
	if _, err := speaks(h, c, "tan-lap", lan); err != nil { // the passphrase is the old one
		t.Error(err)
	}
	c.forward(320 * 24 * time.Hour)
	if _, err := h.Office.Service(ctx); !errors.Is(err, people.ErrNoCertificate) {
		t.Errorf("the controller after 13 months: %v", err)
	}
	if who := must[[]broadcast.ID](t)(h.Office.Renew(ctx, opt.RootFiles, nil)); !slices.Contains(who, "controller") {
		t.Errorf("renewed %v", who)
	}
	if _, err := h.Office.Service(ctx); err != nil {
		t.Error(err)
	}
}

func TestEveryDeedIsInTheAuditLog(t *testing.T) {
	c := newClock()
	h, opt := real(t, c)
	ctx := context.Background()
	token := must[string](t)(h.Office.Mint(ctx, lan, 0, "phone"))
	person := must[people.Person](t)(h.Office.Person(ctx, "lan"))
	must[people.Person](t)(h.Office.AddPerson(ctx, an, mai()))
	c.forward(70 * 24 * time.Hour)
	must[[]broadcast.ID](t)(h.Office.Renew(ctx, opt.RootFiles, nil))
	if err := errors.Join(h.Office.Revoke(ctx, person, broadcast.Sum([]byte(token))), h.Office.Dismiss(ctx, an, "mai", broadcast.Retired, 0)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range must[[]store.AuditRow](t)(h.DB.AuditRows(ctx, 0, 100)) {
		got = append(got, string(row.Person)+" "+row.Act)
	}
	want := []string{" house.init", " person.add", " person.add", " person.add", "an policy.publish", "lan token.mint", "an person.add",
		" certificates.renew", "lan token.revoke", "an person.dismiss"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if err := h.DB.VerifyAudit(ctx); err != nil {
		t.Error(err)
	}
}
