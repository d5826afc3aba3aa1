package seal_test

import (
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
)

// sample is one valid document of a kind with the function that opens it.
type sample struct {
	kind broadcast.Kind
	doc  broadcast.Validator
	open func(*seal.Keyring, broadcast.Kind, []byte) error
}

func opener[T broadcast.Validator](k *seal.Keyring, kind broadcast.Kind, raw []byte) error {
	_, _, err := seal.Open[T](k, kind, raw, seal.Context{Places: chain(), Here: "tan-lap"})
	return err
}

// samples has a row for every kind that officers, services or the root seal.
func samples() []sample {
	area, rev := []broadcast.ID{"xa-tan-quang"}, broadcast.Revision(at)
	note := sealtest.Announcement("a1", at, "xa-tan-quang")
	a := chain()
	a.Node, a.Revision, a.Languages, a.Key = "n1", rev, []broadcast.Language{"vi"}, sealtest.Public("n1")
	a.Controllers = []broadcast.Controller{{HTTP: "http://127.0.0.1:8080", MQTT: "mqtt://127.0.0.1:1883"}}
	thresholds := []broadcast.Threshold{{Class: broadcast.Normal, Officers: 1}, {Class: broadcast.Priority, Officers: 1}, {Class: broadcast.Emergency, Officers: 2}}
	root := sealtest.NewHouse("tuyen-quang", at, true).Root
	nonce := "AAAAAAAAAAAAAAAAAAAAAA"
	return []sample{
		{broadcast.KindAnnouncement, note, opener[broadcast.Announcement]},
		{broadcast.KindDrill, note, opener[broadcast.Announcement]},
		{broadcast.KindTemplate, broadcast.Template{ID: "t1", Revision: rev, Class: note.Class, Title: note.Title, Areas: area, Versions: note.Versions, Expires: at.Add(time.Hour)}, opener[broadcast.Template]},
		{broadcast.KindWithdrawal, broadcast.Withdrawal{ID: "w1", Revision: rev, Announcement: "a1", Upto: rev, Class: note.Class, Areas: area}, opener[broadcast.Withdrawal]},
		{broadcast.KindSilence, broadcast.Silence{ID: "s1", Revision: rev, Areas: area, Classes: []broadcast.Class{broadcast.Normal}, Until: at.Add(time.Hour)}, opener[broadcast.Silence]},
		{broadcast.KindPolicy, broadcast.Policy{Area: "xa-tan-quang", Revision: rev, Thresholds: thresholds}, opener[broadcast.Policy]},
		{broadcast.KindPlacement, broadcast.Placement{ID: "p1", Revision: rev, Areas: area, Items: []broadcast.Placed{{Announcement: "a1", Revision: rev}}, Until: at.Add(time.Hour)}, opener[broadcast.Placement]},
		{broadcast.KindSlot, broadcast.Slot{ID: "l1", Revision: rev, Areas: area, Level: broadcast.District, Spans: []broadcast.Span{{From: 330, To: 360}}, From: at, Until: at.Add(time.Hour)}, opener[broadcast.Slot]},
		{broadcast.KindAssignment, a, opener[broadcast.Assignment]},
		{broadcast.KindCommand, broadcast.Command{ID: "c1", Revision: rev, Node: "n1", Boot: "b1", Verb: broadcast.VerbResync, Expires: at.Add(time.Minute)}, opener[broadcast.Command]},
		{broadcast.KindManifest, broadcast.Manifest{Area: "xa-tan-quang", Revision: rev}, opener[broadcast.Manifest]},
		{broadcast.KindAuthority, broadcast.Authority{Area: "xa-tan-quang", Revision: rev, Roots: []broadcast.Envelope{root}}, opener[broadcast.Authority]},
		{broadcast.KindTime, broadcast.TimeAnswer{Node: "n1", Boot: "b1", Nonce: nonce, At: at}, opener[broadcast.TimeAnswer]},
		{broadcast.KindRebase, broadcast.Rebase{Node: "n1", Revision: rev, Floor: at}, opener[broadcast.Rebase]},
		{broadcast.KindAck, broadcast.ReceiptAck{Node: "n1", Chain: "c1", Seq: 1, Hash: broadcast.Sum(nil), At: at}, opener[broadcast.ReceiptAck]},
		{broadcast.KindSession, broadcast.Session{Key: sealtest.Public("session"), Station: "vov1", Signer: sealtest.Public("signer"), At: at, Until: at.Add(time.Hour)}, opener[broadcast.Session]},
	}
}

// keyKinds are opened by other means than Open: certificates and roots by the
// keyring, receipts with the node's own key.
func keyKinds() []broadcast.Kind {
	return []broadcast.Kind{broadcast.KindCertificate, broadcast.KindRoot, broadcast.KindReceipts}
}

func TestEveryKindHasASampleAndARow(t *testing.T) {
	have := map[broadcast.Kind]bool{}
	for _, s := range samples() {
		have[s.kind] = true
	}
	for _, k := range keyKinds() {
		have[k] = true
	}
	for _, k := range broadcast.Kinds() {
		if !have[k] {
			t.Errorf("kind %s has no sample: a new kind needs one here and a row in Rights", k)
		}
		if _, ok := seal.RightFor(k); !ok {
			t.Errorf("kind %s has no row in Rights", k)
		}
	}
}
