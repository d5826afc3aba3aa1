package seal_test

import (
	"errors"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
)

// by is the proof of a document of one kind, name and moment under a standing.
func by(kind broadcast.Kind, rev broadcast.Revision, body string, class broadcast.Class, level broadcast.Level) seal.Proof {
	return seal.Proof{Kind: kind, Digest: broadcast.Sum([]byte(body)), Claim: seal.Claim{ID: "x", Revision: rev, Class: class},
		Signers: []seal.Signatory{{Person: "p", Level: level}}}
}

func TestOnlyWhatStandsAsHighOutdates(t *testing.T) {
	r := broadcast.Revision(at)
	const note, silence = broadcast.KindAnnouncement, broadcast.KindSilence
	held := by(note, r, "held", broadcast.Priority, broadcast.District)
	quiet := by(silence, r, "held", "", broadcast.District)
	for _, c := range []struct {
		name        string
		first, then seal.Proof
		want        error
	}{
		{"older, lower class", held, by(note, r-1, "b", broadcast.Normal, broadcast.District), seal.ErrStale},
		{"older, lower level", held, by(note, r-1, "b", broadcast.Priority, broadcast.Commune), seal.ErrStale},
		{"older, same standing", held, by(note, r-1, "b", broadcast.Priority, broadcast.District), seal.ErrStale},
		{"older, higher class", held, by(note, r-1, "b", broadcast.Emergency, broadcast.Commune), nil},
		{"older, higher level", held, by(note, r-1, "b", broadcast.Priority, broadcast.Province), nil},
		{"same revision, lower class", held, by(note, r, "b", broadcast.Normal, broadcast.Province), seal.ErrEquivocation},
		{"same revision, lower level", held, by(note, r, "b", broadcast.Priority, broadcast.Village), seal.ErrEquivocation},
		{"same revision, higher class", held, by(note, r, "b", broadcast.Emergency, broadcast.Village), nil},
		{"same revision, higher level", held, by(note, r, "b", broadcast.Priority, broadcast.Province), nil},
		{"newer, lower level: the plan decides", held, by(note, r+1, "b", broadcast.Normal, broadcast.Commune), nil},
		{"a silence of a lower level under a higher one's name", quiet, by(silence, r+1, "b", "", broadcast.Commune), seal.ErrRight},
		{"a silence of a higher level, though older", quiet, by(silence, r-1, "b", "", broadcast.Province), nil},
		{"a silence of the same level", quiet, by(silence, r+1, "b", "", broadcast.District), nil},
		{"an older silence of the same level", quiet, by(silence, r-1, "b", "", broadcast.District), seal.ErrStale},
		{"a policy is of its area, whoever signs", by(broadcast.KindPolicy, r, "a", "", broadcast.District),
			by(broadcast.KindPolicy, r+1, "b", "", broadcast.Commune), nil},
		{"withdrawals stand side by side", by(broadcast.KindWithdrawal, r, "a", broadcast.Emergency, broadcast.District),
			by(broadcast.KindWithdrawal, r, "b", broadcast.Normal, broadcast.Commune), nil},
	} {
		f := seal.Floors{}
		if err := f.Admit(c.first, at); err != nil {
			t.Fatal(err)
		}
		if err := f.Admit(c.then, at); !errors.Is(err, c.want) {
			t.Errorf("%s: want %v, got %v", c.name, c.want, err)
		}
		if err := f.Admit(c.first, at); c.first.Kind != broadcast.KindWithdrawal && err == nil {
			t.Errorf("%s: the first was believed again", c.name)
		}
	}
}

func TestAStrongerDocumentBarsAllThatIsOlderAndWeaker(t *testing.T) {
	r := broadcast.Revision(at)
	f := seal.Floors{}
	for i, p := range []seal.Proof{
		by(broadcast.KindAnnouncement, r+9, "normal", broadcast.Normal, broadcast.Commune),
		by(broadcast.KindAnnouncement, r, "warning", broadcast.Emergency, broadcast.District),
	} {
		if err := f.Admit(p, at); err != nil {
			t.Fatalf("document %d: %v", i+1, err)
		}
	}
	for _, old := range []seal.Proof{
		by(broadcast.KindAnnouncement, r+8, "older normal", broadcast.Normal, broadcast.Commune),
		by(broadcast.KindAnnouncement, r-1, "older warning", broadcast.Emergency, broadcast.District),
	} {
		if err := f.Admit(old, at); !errors.Is(err, seal.ErrStale) {
			t.Errorf("revision %d: %v", old.Claim.Revision-r, err)
		}
	}
	subject := seal.Subject{Kind: broadcast.KindAnnouncement, ID: "x"}
	if len(f[subject]) != 2 || f.Outdates(subject, r) {
		t.Errorf("%d floors, revision 0 outdated for everybody: %v", len(f[subject]), f.Outdates(subject, r))
	}
	f.Forget(subject, broadcast.Sum([]byte("warning")))
	if err := f.Admit(by(broadcast.KindAnnouncement, r, "warning", broadcast.Emergency, broadcast.District), at); err != nil {
		t.Errorf("what was given up could not come again: %v", err)
	}
}

func TestAnEarlyDateNeedsAWitness(t *testing.T) {
	h := sealtest.NewHouse("tuyen-quang", at.Add(-time.Hour), true)
	ended := h.Certify(broadcast.Certificate{Person: "ended", Level: broadcast.District, Areas: []broadcast.ID{"bac-quang"},
		Classes: broadcast.Classes(), Acts: []broadcast.Act{broadcast.ActApprove, broadcast.ActSilence}, Until: at.Add(time.Hour)})
	thief := h.Officer("robbed", broadcast.District, "bac-quang")
	ring := h.Keyring(chain())
	since := at.Add(30 * time.Minute)
	if err := ring.Learn(nil, []broadcast.Revocation{{KID: thief.KID, Mode: broadcast.Compromised, At: since}}, chain()); err != nil {
		t.Fatal(err)
	}
	open := func(by seal.Signer, ctx seal.Context) error {
		ctx.Places = chain()
		_, _, err := seal.Open[broadcast.Announcement](ring, broadcast.KindAnnouncement,
			sealtest.Sealed(broadcast.KindAnnouncement, sealtest.Announcement("a1", at, "tan-lap"), by), ctx)
		return err
	}
	later := at.Add(2 * time.Hour)
	for _, c := range []struct {
		name string
		by   seal.Signer
		ctx  seal.Context
		want error
	}{
		{"in time", ended, seal.Context{Now: at.Add(time.Hour)}, nil},
		{"after the end, unknown", ended, seal.Context{Now: later}, seal.ErrRight},
		{"after the end, listed", ended, seal.Context{Now: later, Listed: true}, nil},
		{"after the end, held", ended, seal.Context{Now: later, Held: at}, nil},
		{"nobody knows the time", ended, seal.Context{}, nil},
		{"stolen, unknown", thief, seal.Context{}, seal.ErrRevoked},
		{"stolen, listed", thief, seal.Context{Listed: true}, nil},
		{"stolen, held before the theft", thief, seal.Context{Held: since - 1}, nil},
		{"stolen, held since", thief, seal.Context{Held: since}, seal.ErrRevoked},
	} {
		if err := open(c.by, c.ctx); !errors.Is(err, c.want) {
			t.Errorf("%s: want %v, got %v", c.name, c.want, err)
		}
	}
	silence := broadcast.Silence{ID: "s1", Revision: broadcast.Revision(at), Areas: []broadcast.ID{"tan-lap"}, Until: at.Add(time.Hour)}
	if _, _, err := seal.Open[broadcast.Silence](ring, broadcast.KindSilence, sealtest.Sealed(broadcast.KindSilence, silence, ended),
		seal.Context{Places: chain(), Now: later}); err != nil {
		t.Errorf("what does not sound is judged at its issue alone: %v", err)
	}
}

func TestRevocationReachesDownOnly(t *testing.T) {
	h := sealtest.NewHouse("tuyen-quang", at.Add(-time.Hour), true)
	district := h.Officer("district", broadcast.District, "bac-quang")
	other := h.Officer("other", broadcast.District, "bac-quang")
	commune := h.Officer("commune", broadcast.Commune, "xa-tan-quang")
	village := h.Officer("village", broadcast.Village, "tan-lap")
	ring := h.Keyring(chain())
	signed := func(level broadcast.Level, s seal.Signer) seal.Proof {
		return seal.Proof{Kind: broadcast.KindAuthority, Signers: []seal.Signatory{{KID: s.KID, Level: level}}}
	}
	for _, c := range []struct {
		name string
		by   seal.Proof
		whom broadcast.Digest
		want bool
	}{
		{"root, anybody", seal.Proof{Kind: broadcast.KindAuthority}, h.Service.KID, true},
		{"root, somebody not known yet", seal.Proof{}, broadcast.Sum(nil), true},
		{"district, its commune", signed(broadcast.District, district), commune.KID, true},
		{"district, its fellow", signed(broadcast.District, district), other.KID, true},
		{"district, the service", signed(broadcast.District, district), h.Service.KID, false},
		{"district, somebody not known", signed(broadcast.District, district), broadcast.Sum(nil), false},
		{"commune, its village", signed(broadcast.Commune, commune), village.KID, true},
		{"commune, its district", signed(broadcast.Commune, commune), district.KID, false},
		{"village, its commune", signed(broadcast.Village, village), commune.KID, false},
	} {
		if got := ring.MayRevoke(c.by, c.whom, chain()); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
