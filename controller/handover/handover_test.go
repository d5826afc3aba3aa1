package handover_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/handover"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/programme"
	"github.com/loaxa/loaxa/controller/store"
)

const village = broadcast.ID("tan-lap")

// rig is a house in which a lot depends on its people.
type rig struct {
	*desktest.House
	*handover.Book
	t      *testing.T
	sound  broadcast.Digest
	before broadcast.Instant // before anybody signed anything
}

func newRig(t *testing.T) *rig {
	t.Helper()
	h := desktest.New(t)
	r := &rig{House: h, t: t, sound: h.Content(20 * time.Second), before: h.Now(), Book: handover.New(handover.Config{DB: h.DB, Office: h.Office, Keys: h.Office, Desk: h.Desk, Now: h.Clock.Now})}
	h.Clock.Add(time.Hour)
	h.Node("tan-lap-1", village)
	return r
}

func (r *rig) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// announced is a draft that some officers signed, of whom the first submitted it.
func (r *rig) announced(class broadcast.Class, reason string, by ...broadcast.ID) desk.Announcement {
	r.t.Helper()
	first := r.Named(by[0])
	d := desk.Draft{Title: "Lũ trên sông Lô", Class: class, Areas: []broadcast.ID{village}, Reason: reason,
		Versions: []desk.DraftVersion{{Content: r.sound}}, Timing: broadcast.Timing{Start: r.Now().Add(time.Hour)}}
	a, err := r.Desk.Create(r.t.Context(), first.Person, d, nil)
	r.must(err)
	_, err = r.Desk.Submit(r.t.Context(), first.Person, first.Credential, a.Document.ID, "")
	r.must(err)
	for _, id := range by {
		who := r.Named(id)
		a, err = r.Desk.Approve(r.t.Context(), who.Person, who.Credential, a.Document.ID, a.Digest, desk.Seen{Anything: true})
		r.must(err)
	}
	return a
}

// template is signed by some officers; duyet-1 has a PIN for it at boxes.
func (r *rig) template(id broadcast.ID, by ...broadcast.ID) {
	r.t.Helper()
	m, _, err := r.Desk.PutTemplate(r.t.Context(), r.Named("bien-tap").Person, id, 0, desk.TemplateDraft{Title: "Lũ quét", Areas: []broadcast.ID{village},
		Versions: []desk.DraftVersion{{Content: r.sound}}, Local: &broadcast.OnSite{Codes: []broadcast.Code{{Number: "11", Person: "duyet-1"}}, Hourly: 3}})
	r.must(err)
	for _, who := range by {
		_, err := r.Desk.SignTemplate(r.t.Context(), r.Named(who).Person, r.Named(who).Credential, id, m.Digest)
		r.must(err)
	}
}

// policy is signed by some officers, if there is anybody.
func (r *rig) policy(area broadcast.ID, by ...broadcast.ID) {
	r.t.Helper()
	p := broadcast.Policy{Area: area}
	for _, c := range broadcast.Classes() {
		p.Thresholds = append(p.Thresholds, broadcast.Threshold{Class: c, Officers: 2})
	}
	m, err := r.Desk.ProposePolicy(r.t.Context(), r.Named("duyet-1").Person, 0, p)
	r.must(err)
	for _, who := range by {
		_, err := r.Desk.SignPolicy(r.t.Context(), r.Named(who).Person, r.Named(who).Credential, area, m.Digest)
		r.must(err)
	}
}

// furnish puts something of every kind into the house.
func (r *rig) furnish() {
	r.t.Helper()
	ctx := r.t.Context()
	r.template("mau-lu", "duyet-1", "duyet-2")
	r.template("mau-cho", "duyet-1")
	r.policy(village, "duyet-1", "duyet-2")
	r.policy("xa-tan-quang", "duyet-1")
	r.announced(broadcast.Emergency, "", "duyet-1", "duyet-2")
	r.announced(broadcast.Emergency, "", "duyet-1")
	back := r.announced(broadcast.Emergency, "", "duyet-1", "duyet-2")
	_, err := r.Desk.Withdraw(ctx, r.Named("duyet-1").Person, r.Named("duyet-1").Credential, back.Document.ID, "nhầm")
	r.must(err)
	official := r.Named("can-bo-xa")
	_, err = r.Desk.Activate(ctx, official.Person, official.Credential, "mau-lu", desk.Activation{}, nil)
	r.must(err)
	programmes := programme.New(programme.Config{DB: r.DB, Keys: r.Office, Rights: r.Office, Fleet: r.Fleet, Desk: r.Desk, Tree: r.Tree, Wake: r.Woken, Now: r.Clock.Now})
	slot := broadcast.Slot{ID: "sang", Areas: []broadcast.ID{village}, Level: broadcast.District, Spans: []broadcast.Span{{From: 300, To: 360}}, From: r.Now(), Until: r.Now().Add(time.Hour)}
	r.must(programmes.GiveSlot(ctx, official.Person, official.Credential, slot, programme.Seen{Anything: true}))
	_, err = r.Office.AddPerson(ctx, r.Named("quan-tri").Credential, people.NewPerson{ID: "hoa", Name: "Hoa", Role: people.CommuneOfficial,
		Areas: []broadcast.ID{"xa-tan-quang"}, Passphrase: "chợ phiên Tân Quang"})
	r.must(err)
	r.Clock.Add(time.Minute)
}

// lines are what is told of a person's leaving, short.
func (r *rig) lines(id broadcast.ID) []string {
	r.t.Helper()
	list, err := r.Of(r.t.Context(), id, r.before)
	r.must(err)
	var out []string
	for _, i := range list {
		name := string(i.ID)
		if len(name) == 26 { // the id of an announcement
			name = "…"
		}
		out = append(out, fmt.Sprintf("%s %s %s/%s", i.Kind, name, i.Retired, i.Compromised))
	}
	return out
}

func TestEverythingThatRestsOnSomebodyIsTold(t *testing.T) {
	r := newRig(t)
	r.furnish()
	for who, want := range map[broadcast.ID][]string{
		"duyet-1": {"template mau-lu stays/falls", "announcement … stays/falls", "announcement … stays/falls", "withdrawal … stays/falls",
			"waiting … falls/falls", "waiting mau-cho falls/falls", "box-pin mau-lu stays/falls", "policy bac-quang stays/falls", "policy tan-lap stays/falls",
			"waiting xa-tan-quang falls/falls"},
		"can-bo-xa": {"announcement … stays/falls", "slot khung-gio-huyen stays/falls", "slot sang stays/falls"},
		"ky-thuat":  {"assignment tan-lap-1 stays/faulty"},
		"quan-tri":  {"rights hoa stays/falls"},
		"bien-tap":  nil,
		"kiem-tra":  nil,
	} {
		got := r.lines(who)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s:\n%s\nwant\n%s", who, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	list, err := r.Of(t.Context(), "duyet-1", 0)
	r.must(err)
	if list[0].Class != broadcast.Emergency || list[0].Title != "Lũ quét" || list[0].Officers != 2 || list[0].Until == 0 || len(list[0].Signers) != 2 {
		t.Errorf("first is %+v", list[0])
	}
	for _, i := range list {
		if i.SHA256 != "" && i.Compromised != handover.Stays {
			t.Errorf("signed before the key was lost: %+v", i)
		}
	}
}

// TestWhatIsToldIsWhatComesOfIt dismisses people both ways, and opens what was
// told of with what the house believes then.
func TestWhatIsToldIsWhatComesOfIt(t *testing.T) {
	for _, who := range []broadcast.ID{"duyet-1", "can-bo-xa"} {
		for _, mode := range []broadcast.RevocationMode{broadcast.Retired, broadcast.Compromised} {
			t.Run(string(who)+" "+string(mode), func(t *testing.T) {
				r := newRig(t)
				r.furnish()
				list, err := r.Of(t.Context(), who, r.before)
				r.must(err)
				r.must(r.Office.Dismiss(t.Context(), r.Named("quan-tri").Credential, who, mode, r.before))
				ring, err := r.Office.Ring(t.Context())
				r.must(err)
				seen := 0
				for _, i := range list {
					if i.SHA256 == "" || i.Kind == handover.Kind(broadcast.KindAnnouncement) && len(i.Signers) == 1 && who == "duyet-1" {
						continue // the activation has nobody's second signature; with its template both end
					}
					d, err := r.DB.Document(t.Context(), i.SHA256)
					r.must(err)
					told := map[broadcast.RevocationMode]handover.Fate{broadcast.Retired: i.Retired, broadcast.Compromised: i.Compromised}[mode]
					if believed := r.believed(ring, d); believed != (told == handover.Stays) {
						t.Errorf("%s %s: told that it %s, believed: %v", i.Kind, i.ID, told, believed)
					}
					seen++
				}
				if seen == 0 {
					t.Error("nothing was compared")
				}
			})
		}
	}
}

// believed opens a document as nodes do.
func (r *rig) believed(ring *seal.Keyring, d store.Document) bool {
	r.t.Helper()
	at := seal.Context{Places: r.Office.Places(), Listed: true}
	var err error
	switch d.Kind {
	case broadcast.KindTemplate:
		_, _, err = seal.Open[broadcast.Template](ring, d.Kind, d.Raw, at)
	case broadcast.KindAnnouncement:
		_, _, err = seal.Open[broadcast.Announcement](ring, d.Kind, d.Raw, at)
	case broadcast.KindWithdrawal:
		_, _, err = seal.Open[broadcast.Withdrawal](ring, d.Kind, d.Raw, at)
	case broadcast.KindPolicy:
		_, _, err = seal.Open[broadcast.Policy](ring, d.Kind, d.Raw, at)
	case broadcast.KindSlot:
		_, _, err = seal.Open[broadcast.Slot](ring, d.Kind, d.Raw, at)
	default:
		r.t.Fatalf("%s has no row here", d.Kind)
	}
	return err == nil
}

// TestOnesOwnPINOnAPhoneEnds: of phones that are shared only those on which the
// person signs are told.
func TestOnesOwnPINOnAPhoneEnds(t *testing.T) {
	r := newRig(t)
	_, code, err := r.Office.InvitePhone(t.Context(), r.Named("quan-tri").Person, "Trực xã", "xa-tan-quang")
	r.must(err)
	_, _, err = r.Office.InvitePhone(t.Context(), r.Named("quan-tri").Person, "Khác", "xa-tan-quang")
	r.must(err)
	_, secret, err := r.Office.EnrolPhone(t.Context(), code.Text)
	r.must(err)
	_, err = r.Office.AddPerson(t.Context(), r.Named("quan-tri").Credential, people.NewPerson{ID: "hoa", Name: "Hoa", Role: people.CommuneOfficial,
		Areas: []broadcast.ID{"xa-tan-quang"}, Passphrase: "chợ phiên Tân Quang"})
	r.must(err)
	r.must(r.Office.SetPIN(t.Context(), people.Credential{Person: "hoa", Passphrase: "chợ phiên Tân Quang"}, secret, "739164"))
	if got := r.lines("hoa"); len(got) != 1 || !strings.HasPrefix(got[0], "phone") || !strings.HasSuffix(got[0], "falls/falls") {
		t.Errorf("%q", got)
	}
	if got := r.lines("can-bo-xa"); slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "phone") }) {
		t.Errorf("%q", got)
	}
}
