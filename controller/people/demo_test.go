package people_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
	"github.com/loaxa/loaxa/controller/store"
)

// listed opens the one listed document of a kind as a node would.
func listed[T broadcast.Validator](t *testing.T, h peopletest.House, c *clock, kind broadcast.Kind) (T, seal.Proof, []store.Listing) {
	t.Helper()
	ctx := context.Background()
	all := must[[]store.Listing](t)(h.DB.ListingsOf(ctx, kind, c.instant()))
	if len(all) == 0 {
		t.Fatalf("no %s is listed", kind)
	}
	d := must[store.Document](t)(h.DB.Document(ctx, all[0].SHA256))
	ring := must[*seal.Keyring](t)(h.Office.Ring(ctx))
	doc, proof, err := seal.Open[T](ring, kind, d.Raw, seal.Context{Places: h.Office.Places()})
	if err != nil {
		t.Fatal(err)
	}
	return doc, proof, all
}

func TestADemoNodeBelievesWhatTheDemoHouseSealed(t *testing.T) {
	c := newClock()
	h := peopletest.Demo(t, c.now)
	if demo, err := h.Office.Demo(context.Background()); err != nil || !demo {
		t.Fatalf("not marked demo: %v", err)
	}
	tree := h.Config.Tree()
	chain := broadcast.Assignment{Chain: must[[]broadcast.Place](t)(tree.Chain("tan-lap", c.instant()))}
	auth, _, where := listed[broadcast.Authority](t, h, c, broadcast.KindAuthority)
	if len(where) != 1 || where[0].Area != broadcast.TuyenQuang {
		t.Errorf("authority in %v", where)
	}
	if _, err := seal.NewKeyring(h.Office.Fingerprint(), auth.Roots, false); err == nil {
		t.Error("a real node believes the demo root")
	}
	ring := must[*seal.Keyring](t)(seal.NewKeyring(h.Office.Fingerprint(), auth.Roots, true))
	if err := ring.Learn(auth.Certificates, auth.Revocations, chain); err != nil {
		t.Fatal(err)
	}
	for kind, open := range map[broadcast.Kind]func([]byte) error{
		broadcast.KindAuthority: func(raw []byte) error {
			_, _, err := seal.Open[broadcast.Authority](ring, broadcast.KindAuthority, raw, seal.Context{Places: chain})
			return err
		},
		broadcast.KindPolicy: func(raw []byte) error {
			_, _, err := seal.Open[broadcast.Policy](ring, broadcast.KindPolicy, raw, seal.Context{Places: chain})
			return err
		},
		broadcast.KindSlot: func(raw []byte) error {
			_, _, err := seal.Open[broadcast.Slot](ring, broadcast.KindSlot, raw, seal.Context{Places: chain})
			return err
		},
	} {
		held := must[[]store.Listing](t)(h.DB.Listings(context.Background(), []broadcast.ID{"tuyen-quang", "bac-quang", "xa-tan-quang", "tan-lap"}, c.instant()))
		i := slices.IndexFunc(held, func(l store.Listing) bool { return l.Kind == kind })
		if i < 0 {
			t.Errorf("no %s reaches the node", kind)
			continue
		}
		if err := open(must[store.Document](t)(h.DB.Document(context.Background(), held[i].SHA256)).Raw); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func TestTheDemoPolicyAndSlotLetTheDistrictSpeakAllDay(t *testing.T) {
	c := newClock()
	h := peopletest.Demo(t, c.now)
	p, proof, _ := listed[broadcast.Policy](t, h, c, broadcast.KindPolicy)
	law := broadcast.LawOf(p)
	for _, class := range broadcast.Classes() {
		if n, may := law.Threshold(class, "thử loa"); n != 1 || !may {
			t.Errorf("%s with a reason needs %d", class, n)
		}
		if n, _ := law.Threshold(class, ""); n != 2 || law.Chime(class) {
			t.Errorf("%s without a reason needs %d", class, n)
		}
	}
	if len(proof.Signers) != 2 {
		t.Errorf("the policy has %d signers", len(proof.Signers))
	}
	s, proof, where := listed[broadcast.Slot](t, h, c, broadcast.KindSlot)
	if len(s.Areas) != 8 || len(where) != 8 || s.Level != broadcast.District || proof.Signers[0].Person != "can-bo-xa" || proof.Level() != broadcast.Commune {
		t.Errorf("%+v %+v", s, proof)
	}
	from, to, ok := s.Spans[0].On(c.instant())
	if !ok || to.Sub(from) != 24*time.Hour || s.From > c.instant() {
		t.Errorf("%v to %v from %v", from, to, s.From)
	}
}

func TestDemoCalledAgainChangesNothingAndRenewsInTime(t *testing.T) {
	c := newClock()
	h := peopletest.Demo(t, c.now)
	ctx := context.Background()
	token := h.Token(t, "officer", "")
	before := must[broadcast.AuditHead](t)(h.DB.AuditHead(ctx))
	again := func() people.Established { return must[people.Established](t)(people.InitDemo(ctx, h.Dir, h.Config)) }
	if est := again(); est.Fingerprint != h.Office.Fingerprint() {
		t.Error("another house")
	}
	if after := must[broadcast.AuditHead](t)(h.DB.AuditHead(ctx)); after != before {
		t.Errorf("something was done: %v", after)
	}
	for days := 0; days < 800; days += 50 { // two years of a demo started now and then
		c.forward(50 * 24 * time.Hour)
		again()
		if _, err := h.Office.Service(ctx); err != nil {
			t.Fatalf("day %d: %v", days, err)
		}
		if days < 35 {
			if _, err := speaks(h, c, "tan-lap", people.Credential{Token: token}); err != nil {
				t.Fatalf("day %d: a token from before the renewal: %v", days, err)
			}
		}
		if _, err := speaks(h, c, "tan-lap", people.Credential{Token: h.Token(t, "officer", "")}); err != nil {
			t.Fatalf("day %d: %v", days, err)
		}
		if s, _, _ := listed[broadcast.Slot](t, h, c, broadcast.KindSlot); s.Until < c.instant().Add(30*24*time.Hour) {
			t.Errorf("day %d: the slot ends on %s", days, s.Until)
		}
	}
	if err := h.DB.VerifyAudit(ctx, before); err != nil {
		t.Error(err)
	}
}

func TestDemoFinishesWhatWasBrokenOff(t *testing.T) {
	c := newClock()
	cfg := peopletest.Config(t, c.now)
	ctx := context.Background()
	for _, lost := range [][]string{{"data/loaxa.db"}, {"data"}, {"data/loaxa.db", "data.demo.json"}} {
		base := t.TempDir()
		dir := filepath.Join(base, "data")
		first := must[people.Established](t)(people.InitDemo(ctx, dir, cfg))
		for _, name := range lost {
			if err := os.RemoveAll(filepath.Join(base, name)); err != nil {
				t.Fatal(err)
			}
		}
		second := must[people.Established](t)(people.InitDemo(ctx, dir, cfg))
		if first.Fingerprint != second.Fingerprint {
			t.Errorf("without %v the cards' fingerprint changed", lost)
		}
		if _, err := people.AdminToken(ctx, dir, people.TokenRequest{Role: "officer"}, cfg); err != nil {
			t.Errorf("without %v: %v", lost, err)
		}
	}
}

func TestADemoKeepsItsSecretsBesideTheFolder(t *testing.T) {
	h := peopletest.Demo(t, newClock().now)
	for path, want := range map[string]os.FileMode{h.Dir: 0o700, h.Dir + ".root.key": 0o600, h.Dir + ".demo.json": 0o600,
		filepath.Join(h.Dir, "service.key"): 0o600, filepath.Join(h.Dir, "loaxa.db"): 0o600} {
		if info := must[os.FileInfo](t)(os.Stat(path)); info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, not %v", path, info.Mode(), want)
		}
	}
	est, err := people.InitDemo(context.Background(), h.Dir+"/", h.Config)
	if err != nil || est.RootFiles[0] != h.Dir+".root.key" || len(est.WriteDown) != 2 {
		t.Errorf("named with a slash: %+v %v", est, err)
	}
	if err := os.Remove(h.Dir + ".root.key"); err != nil {
		t.Fatal(err)
	}
	_, err = people.InitDemo(context.Background(), h.Dir, h.Config)
	complains(t, err, "root.key", "another folder")
}

func TestDemoLeavesARealHouseAlone(t *testing.T) {
	c := newClock()
	h, opt := real(t, c)
	before := names(t, filepath.Dir(h.Dir))
	_, err := people.InitDemo(context.Background(), h.Dir, h.Config)
	complains(t, err, "real house")
	if after := names(t, filepath.Dir(h.Dir)); !slices.Equal(before, after) {
		t.Errorf("%v, before %v", after, before)
	}
	stranger := filepath.Join(t.TempDir(), "data")
	if err := errors.Join(os.Mkdir(stranger, 0o755), os.WriteFile(filepath.Join(stranger, "thesis.txt"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	_, err = people.InitDemo(context.Background(), stranger, h.Config)
	complains(t, err, "thesis.txt")
	d := peopletest.Demo(t, c.now)
	if _, err := d.Office.Renew(context.Background(), opt.RootFiles, nil); err == nil {
		t.Error("renewed with the root key of another house")
	}
}

func TestAdminTokenOfADemoFindsOrTakesIn(t *testing.T) {
	c := newClock()
	h := peopletest.Demo(t, c.now)
	ctx := context.Background()
	for _, x := range []struct {
		req   people.TokenRequest
		who   broadcast.ID
		level broadcast.Level
		signs bool
	}{
		{people.TokenRequest{Role: "officer"}, "duyet-1", broadcast.District, true},
		{people.TokenRequest{Role: "approver", Area: "bac-quang"}, "duyet-1", broadcast.District, true},
		{people.TokenRequest{Role: "approver", Person: "duyet-2"}, "duyet-2", broadcast.District, true},
		{people.TokenRequest{Role: "admin"}, "quan-tri", broadcast.District, true},
		{people.TokenRequest{Role: "editor", Area: "tan-lap"}, "bien-tap", broadcast.District, true},
		{people.TokenRequest{Role: "technician"}, "ky-thuat", broadcast.District, true},
		{people.TokenRequest{Role: "auditor"}, "kiem-tra", broadcast.District, false},
		{people.TokenRequest{Role: "commune-official", Area: "xa-dong-tam"}, "can-bo-xa", broadcast.Commune, true},
		{people.TokenRequest{Role: "officer", Area: "tuyen-quang"}, "approver-tuyen-quang", broadcast.Province, true},
		{people.TokenRequest{Role: "officer", Area: "tuyen-quang"}, "approver-tuyen-quang", broadcast.Province, true},
		{people.TokenRequest{Role: "officer", Person: "lan", New: true}, "lan", broadcast.District, true},
		{people.TokenRequest{Role: "auditor", Area: "tuyen-quang"}, "auditor-tuyen-quang", broadcast.Province, false},
	} {
		token, err := people.AdminToken(ctx, h.Dir, x.req, h.Config)
		if err != nil {
			t.Errorf("%+v: %v", x.req, err)
			continue
		}
		b := must[people.Bearer](t)(h.Office.Bearer(ctx, token)) // seen by the office that was open before
		if b.Person.ID != x.who || b.Person.Level != x.level || b.Signs != x.signs {
			t.Errorf("%+v: %+v", x.req, b)
		}
	}
	for says, req := range map[string]people.TokenRequest{
		"mayor":             {Role: "mayor"},
		"organisation tree": {Role: "officer", Area: "atlantis"},
		"name another":      {Role: "officer", Person: "bien-tap"},
		"name one of ":      {Role: "officer", Person: "duyet-l"},
		"commune":           {Role: "official", Area: "bac-quang"},
	} {
		_, err := people.AdminToken(ctx, h.Dir, req, h.Config)
		complains(t, err, says)
	}
}

func TestOneDemoTokenMayAnnounceEveryClassUnlessItsRoleCannot(t *testing.T) {
	c := newClock()
	h := peopletest.Demo(t, c.now)
	for role, want := range map[string]error{"officer": nil, "admin": nil, "official": nil, "editor": seal.ErrRight, "technician": seal.ErrRight, "auditor": people.ErrCannotSign} {
		token := h.Token(t, role, "")
		b := must[people.Bearer](t)(h.Office.Bearer(context.Background(), token))
		forbidden := h.Office.Authorise(b.Person, people.AnnouncementApprove, "xa-tan-quang")
		if (forbidden == nil) != (want == nil) {
			t.Errorf("%s on the controller: %v", role, forbidden)
		}
		if _, err := speaks(h, c, "xa-tan-quang", people.Credential{Token: token}); !errors.Is(err, want) {
			t.Errorf("%s on the node: %v", role, err)
		}
	}
}

func TestManyShellsTakePeopleInAtOnce(t *testing.T) {
	c := newClock()
	h := peopletest.Demo(t, c.now)
	ctx := context.Background()
	var all sync.WaitGroup
	for _, who := range []broadcast.ID{"an", "binh", "cuc", "dung"} {
		all.Go(func() {
			if _, err := people.AdminToken(ctx, h.Dir, people.TokenRequest{Role: "officer", Person: who, New: true}, h.Config); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, who := range []broadcast.ID{"an", "binh", "cuc", "dung"} { // each is known, certified, and its passphrase kept
		token := must[string](t)(people.AdminToken(ctx, h.Dir, people.TokenRequest{Role: "officer", Person: who}, h.Config))
		if _, err := speaks(h, c, "tan-lap", people.Credential{Token: token}); err != nil {
			t.Errorf("%s: %v", who, err)
		}
	}
}

func TestAdminTokenOfARealHouseAsksForThePassphrase(t *testing.T) {
	c := newClock()
	h, _ := real(t, c)
	ctx := context.Background()
	asked := broadcast.ID("")
	ask := func(who broadcast.ID) (string, error) { asked = who; return lan.Passphrase, nil }
	token := must[string](t)(people.AdminToken(ctx, h.Dir, people.TokenRequest{Role: "officer", Area: "tan-lap", Passphrase: ask}, h.Config))
	if _, err := speaks(h, c, "tan-lap", people.Credential{Token: token}); err != nil || asked != "lan" {
		t.Errorf("asked %q: %v", asked, err)
	}
	for says, req := range map[string]people.TokenRequest{
		"take somebody in":     {Role: "technician", Passphrase: ask},
		"another role or area": {Role: "officer", Area: "tuyen-quang", Passphrase: ask},
		"no person mai":        {Role: "officer", Person: "mai", Passphrase: ask},
		"passphrase of lan":    {Role: "officer"},
		"person or passphrase": {Role: "admin", Passphrase: ask},
	} {
		_, err := people.AdminToken(ctx, h.Dir, req, h.Config)
		complains(t, err, says)
	}
}
