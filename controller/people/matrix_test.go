package people_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
)

// sample is one document of a kind about one commune, and how a node opens it.
type sample struct {
	doc  func(at broadcast.Instant, area broadcast.ID) broadcast.Validator
	open func(*seal.Keyring, broadcast.Kind, []byte, seal.Context) error
	// may says which roles can seal it, each alone, in the order of Roles;
	// together is for kinds that take two people of the role.
	may, together string
}

func opens[T broadcast.Validator](k *seal.Keyring, kind broadcast.Kind, raw []byte, ctx seal.Context) error {
	_, _, err := seal.Open[T](k, kind, raw, ctx)
	return err
}

// samples has a row for every kind that people seal.
func samples() map[broadcast.Kind]sample { // administrator editor approver commune-official village-head technician
	said := func(at broadcast.Instant, area broadcast.ID) broadcast.Validator {
		return sealtest.Announcement("a1", at, area)
	}
	return map[broadcast.Kind]sample{
		broadcast.KindAnnouncement: {doc: said, open: opens[broadcast.Announcement], may: "y-yy--"},
		broadcast.KindDrill:        {doc: said, open: opens[broadcast.Announcement], may: "y-yy--"},
		broadcast.KindTemplate:     {doc: templateOf, open: opens[broadcast.Template], may: "------", together: "y-yy--"},
		broadcast.KindWithdrawal: {open: opens[broadcast.Withdrawal], may: "y-yy--", doc: func(at broadcast.Instant, area broadcast.ID) broadcast.Validator {
			return broadcast.Withdrawal{ID: "w1", Revision: broadcast.Revision(at), Announcement: "a1", Upto: broadcast.Revision(at),
				Class: broadcast.Emergency, Areas: []broadcast.ID{area}}
		}},
		broadcast.KindSilence: {open: opens[broadcast.Silence], may: "y-yy--", doc: func(at broadcast.Instant, area broadcast.ID) broadcast.Validator {
			return broadcast.Silence{ID: "s1", Revision: broadcast.Revision(at), Areas: []broadcast.ID{area},
				Classes: []broadcast.Class{broadcast.Normal}, Until: at.Add(time.Hour)}
		}},
		broadcast.KindPolicy: {doc: policyOf, open: opens[broadcast.Policy], may: "------", together: "y-y---"},
		broadcast.KindPlacement: {open: opens[broadcast.Placement], may: "---y--", doc: func(at broadcast.Instant, area broadcast.ID) broadcast.Validator {
			return broadcast.Placement{ID: "p1", Revision: broadcast.Revision(at), Areas: []broadcast.ID{area}, Until: at.Add(time.Hour),
				Items: []broadcast.Placed{{Announcement: "a1", Revision: broadcast.Revision(at)}}}
		}},
		broadcast.KindSlot: {open: opens[broadcast.Slot], may: "---y--", doc: func(at broadcast.Instant, area broadcast.ID) broadcast.Validator {
			return broadcast.Slot{ID: "k1", Revision: broadcast.Revision(at), Areas: []broadcast.ID{area}, Level: broadcast.District,
				Spans: []broadcast.Span{{From: 0, To: 60}}, From: at, Until: at.Add(time.Hour)}
		}},
		broadcast.KindAssignment: {doc: assignmentOf, open: opens[broadcast.Assignment], may: "y----y"},
		broadcast.KindCommand: {open: opens[broadcast.Command], may: "y----y", doc: func(at broadcast.Instant, _ broadcast.ID) broadcast.Validator {
			return broadcast.Command{ID: "c1", Revision: broadcast.Revision(at), Node: "n1", Boot: "b1", Verb: broadcast.VerbTestTone, Expires: at.Add(time.Minute)}
		}},
		broadcast.KindManifest: {open: opens[broadcast.Manifest], may: "------", doc: func(at broadcast.Instant, area broadcast.ID) broadcast.Validator {
			return broadcast.Manifest{Area: area, Revision: broadcast.Revision(at)}
		}},
		broadcast.KindTime: {open: opens[broadcast.TimeAnswer], may: "------", doc: func(at broadcast.Instant, _ broadcast.ID) broadcast.Validator {
			return broadcast.TimeAnswer{Node: "n1", Boot: "b1", Nonce: "AAAAAAAAAAAAAAAAAAAAAA", At: at}
		}},
		broadcast.KindSession: {open: opens[broadcast.Session], may: "------", doc: func(at broadcast.Instant, _ broadcast.ID) broadcast.Validator {
			return broadcast.Session{Key: sealtest.Public("session"), Station: "vov1", Signer: sealtest.Public("signer"), At: at, Until: at.Add(time.Hour)}
		}},
		broadcast.KindRebase: {open: opens[broadcast.Rebase], may: "------", doc: func(at broadcast.Instant, _ broadcast.ID) broadcast.Validator {
			return broadcast.Rebase{Node: "n1", Revision: broadcast.Revision(at), Floor: at}
		}},
	}
}

func templateOf(at broadcast.Instant, area broadcast.ID) broadcast.Validator {
	a := sealtest.Announcement("t1", at, area)
	return broadcast.Template{ID: a.ID, Revision: a.Revision, Class: a.Class, Title: a.Title, Areas: a.Areas, Versions: a.Versions, Expires: at.Add(time.Hour)}
}

func policyOf(at broadcast.Instant, area broadcast.ID) broadcast.Validator {
	p := broadcast.Policy{Area: area, Revision: broadcast.Revision(at)}
	for _, c := range broadcast.Classes() {
		p.Thresholds = append(p.Thresholds, broadcast.Threshold{Class: c, Officers: 2})
	}
	return p
}

func assignmentOf(at broadcast.Instant, area broadcast.ID) broadcast.Validator {
	return broadcast.Assignment{Node: "n1", Revision: broadcast.Revision(at), Languages: []broadcast.Language{"vi"}, Key: sealtest.Public("n1"),
		Chain:       []broadcast.Place{{Area: "tuyen-quang", Level: broadcast.Province}, {Area: "bac-quang", Level: broadcast.District}, {Area: area, Level: broadcast.Commune}},
		Controllers: []broadcast.Controller{{HTTP: "http://a:1", MQTT: "mqtt://a:2"}}}
}

// signing are the roles with a key, in the order of the table.
func signing() []people.Role {
	var out []people.Role
	for _, r := range people.Roles() {
		if len(r.Acts()) > 0 {
			out = append(out, r)
		}
	}
	return out
}

// pair unlocks two people of one role over the commune's area.
func pair(t *testing.T, h peopletest.House, role people.Role, f func(one, two seal.Signer)) {
	t.Helper()
	ctx := context.Background()
	var tokens []string
	for _, who := range []broadcast.ID{"mot-" + broadcast.ID(role), "hai-" + broadcast.ID(role)} {
		req := people.TokenRequest{Role: string(role), Person: who, New: true}
		if role == people.VillageHead { // which no commune has
			req.Area = "tan-lap"
		}
		tokens = append(tokens, must[string](t)(people.AdminToken(ctx, h.Dir, req, h.Config)))
	}
	err := h.Office.With(ctx, people.Credential{Token: tokens[0]}, func(one seal.Signer) error {
		return h.Office.With(ctx, people.Credential{Token: tokens[1]}, func(two seal.Signer) error {
			f(one, two)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNodesBelieveOfEveryRoleExactlyWhatIsItsOwn(t *testing.T) {
	c := newClock()
	h := peopletest.Demo(t, c.now)
	rows := samples()
	for _, right := range seal.Rights() {
		if _, known := rows[right.Kind]; !known && !right.NodeOnly && right.Kind != broadcast.KindAuthority && right.Kind != broadcast.KindAck &&
			right.Kind != broadcast.KindCertificate && right.Kind != broadcast.KindRoot {
			t.Errorf("no row for %s", right.Kind)
		}
	}
	for i, role := range signing() {
		pair(t, h, role, func(one, two seal.Signer) {
			ring := must[*seal.Keyring](t)(h.Office.Ring(context.Background()))
			ctx := seal.Context{Places: h.Office.Places(), Here: "xa-tan-quang"}
			for kind, x := range rows {
				doc := x.doc(c.instant(), "xa-tan-quang")
				alone := x.open(ring, kind, sealtest.Sealed(kind, doc, one), ctx)
				if want := x.may[i] == 'y'; (alone == nil) != want {
					t.Errorf("one %s seals %s: %v", role, kind, alone)
				}
				if x.together == "" {
					continue
				}
				both := x.open(ring, kind, sealtest.Sealed(kind, doc, one, two), ctx)
				if want := x.together[i] == 'y'; (both == nil) != want {
					t.Errorf("two %ss seal %s: %v", role, kind, both)
				}
			}
		})
	}
}

func TestEveryCertificateSaysItsRoleAndNoMore(t *testing.T) {
	c := newClock()
	h := peopletest.Demo(t, c.now)
	ring := must[*seal.Keyring](t)(h.Office.Ring(context.Background()))
	for _, role := range signing() {
		pair(t, h, role, func(one, _ seal.Signer) {
			ring = must[*seal.Keyring](t)(h.Office.Ring(context.Background()))
			cert, known := ring.Certificate(one.KID)
			if !known || len(cert.Acts) != len(role.Acts()) || cert.Service() || cert.Custody != broadcast.CustodyController {
				t.Errorf("%s: %+v", role, cert)
			}
			longest := broadcast.MaxEmergencyLife
			if role == people.Technician || role == people.VillageHead { // who say no emergencies
				longest = broadcast.MaxCertificateLife
			}
			if life := cert.Until.Sub(cert.From); life != longest || cert.From > c.instant() {
				t.Errorf("%s for %s from %s", role, life, cert.From)
			}
		})
	}
}

func TestNoPermissionLeavesItsSubtree(t *testing.T) {
	h := peopletest.Demo(t, newClock().now)
	at := broadcast.InstantOf(h.Config.Now())
	var ids []broadcast.ID
	for _, a := range h.Config.Tree().Areas() {
		ids = append(ids, a.ID)
	}
	rapid.Check(t, func(t *rapid.T) {
		p := people.Person{ID: "lan", Role: rapid.SampledFrom(people.Roles()).Draw(t, "role"),
			Areas: rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 1, 4, rapid.ID[broadcast.ID]).Draw(t, "areas")}
		area := rapid.SampledFrom(ids).Draw(t, "area")
		need := rapid.SampledFrom(people.Permissions()).Draw(t, "permission")
		below := false
		for _, up := range p.Areas {
			below = below || up == area || h.Config.Tree().Covers(up, area, at)
		}
		err := h.Office.Authorise(p, need, area)
		if err == nil && !below {
			t.Fatalf("%s in %v may %s in %s", p.Role, p.Areas, need, area)
		}
		if err != nil && !errors.Is(err, people.ErrForbidden) {
			t.Fatalf("another kind of error: %v", err)
		}
		if err != nil && below && h.Office.Authorise(p, need) == nil {
			t.Fatalf("%s in %v may %s, but not in %s: %v", p.Role, p.Areas, need, area, err)
		}
	})
}
