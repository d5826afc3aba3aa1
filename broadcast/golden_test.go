package broadcast_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
)

var update = flag.Bool("update", false, "rewrite the golden files from the code")

const at broadcast.Instant = 1795248000000 // 21/11/2026 08:00:00 UTC

// document is one complete value of every type that is sealed or whose digest
// is signed, and how it is read.
type document struct {
	name   string
	value  broadcast.Validator
	decode func([]byte) (broadcast.Validator, error)
}

func doc[T broadcast.Validator](name string, v T) document {
	return document{name, v, func(b []byte) (broadcast.Validator, error) { return broadcast.Decode[T](b) }}
}

// household signs once for all tests: its bytes are the same in every run.
var household = sync.OnceValue(func() *sealtest.House {
	h := sealtest.NewHouse("tuyen-quang", at, true)
	h.Officer("lan", broadcast.District, "bac-quang")
	return h
})

// documents is the one table for encode, decode and golden bytes; other
// programs that sign (the console) are held to the same files.
func documents() []document {
	rev, area := broadcast.Revision(at), []broadcast.ID{"bac-quang"}
	content := broadcast.Content{SHA256: broadcast.Sum([]byte("audio")), Millis: 61500, Bytes: 372000}
	live := broadcast.Live{SessionKey: string(sealtest.Public("session")), Source: broadcast.Microphone, Millis: 600000}
	thresholds := []broadcast.Threshold{{Class: broadcast.Normal, Officers: 1}, {Class: broadcast.Priority, Officers: 1}, {Class: broadcast.Emergency, Officers: 2}}
	weekly := broadcast.Announcement{ID: "tin-1", Revision: rev, Class: broadcast.Normal, Title: "Lịch tiêm chủng tháng 12 – xã Tân Quang", Areas: area,
		Versions: []broadcast.Version{{Language: "vi", Content: &content}, {Language: "tyz", Programme: &broadcast.Programme{SHA256: broadcast.Sum([]byte("order")), Millis: 1, Bytes: 2}}},
		Timing: broadcast.Timing{Mode: broadcast.ModeStart, Start: at, Recurrence: &broadcast.Recurrence{Rule: "FREQ=WEEKLY;BYDAY=MO,FR", Except: []string{"2026-12-25"}},
			Until: at + 86400000*30, LateLimit: 120},
		Meta: broadcast.Sum([]byte("meta")), Volume: 80}
	flood := broadcast.Announcement{ID: "tin-2", Revision: rev, Class: broadcast.Emergency, Title: "Lũ <quét> & sạt lở", Areas: area,
		Versions: []broadcast.Version{{Language: "vi", Live: &live}}, Timing: broadcast.Timing{Mode: broadcast.ModeNow, Start: at + 3000, Window: 1800, Repeat: 300},
		Meta: broadcast.Sum([]byte("meta")), Template: &broadcast.TemplateRef{ID: "lu", Revision: rev}, Reason: "Nước lên nhanh"}
	correction := broadcast.Announcement{ID: "tin-4", Revision: rev, Class: broadcast.Normal, Title: "Đính chính", Areas: area,
		Versions: []broadcast.Version{{Language: "vi", Content: &content}}, Timing: broadcast.Timing{Mode: broadcast.ModeNow, Start: at + 5000},
		Meta: broadcast.Sum([]byte("meta")), Corrects: &broadcast.AnnouncementRef{ID: "tin-1", Revision: rev}}
	receipt := broadcast.Receipt{Seq: 1, Prev: broadcast.Sum(nil), At: at, Clock: broadcast.ClockProved, Boot: "b1", Announcement: "tin-2", Of: rev,
		Payload: broadcast.Sum([]byte("payload")), Start: at + 3000, Attempt: 2, Rung: broadcast.Sounded, Reason: broadcast.WhyRepeat, Evidence: &broadcast.Evidence{Samples: 2952000, Of: 2952000,
			Closed: at + 1500, First: at + 3000, Level: -1893, Line: true, Current: 1200, Microphone: -300, Languages: []broadcast.Language{"vi"}}}
	house := household()
	return []document{
		doc("announcement-weekly", weekly), doc("announcement-emergency", flood), doc("announcement-correction", correction),
		doc("template", broadcast.Template{ID: "lu", Revision: rev, Class: broadcast.Emergency, Title: "Lũ", Areas: area,
			Versions: []broadcast.Version{{Language: "vi", Content: &content}}, Expires: at + 86400000, Local: &broadcast.OnSite{Keys: []broadcast.Switch{"flood"}, Codes: []broadcast.Code{{Number: "11", Person: "lan", Lock: lock}}, Hourly: 4}}),
		doc("withdrawal", broadcast.Withdrawal{ID: "w1", Revision: rev, Announcement: "tin-1", Upto: rev, Class: broadcast.Normal, Areas: area, Reason: "Sai giờ"}),
		doc("silence", broadcast.Silence{ID: "s1", Revision: rev, Areas: area, Classes: []broadcast.Class{broadcast.Normal, broadcast.Priority}, Until: at + 3600000, Reason: "Tang lễ"}),
		doc("policy", broadcast.Policy{Area: "bac-quang", Revision: rev, Quiet: []broadcast.Span{{From: 21 * 60, To: 5 * 60}},
			Windows: []broadcast.Span{{Days: []broadcast.Weekday{"MO", "SU"}, From: 330, To: 390}}, Minutes: []broadcast.Budget{{Class: broadcast.Normal, Minutes: 120}},
			Special: []broadcast.SpecialDay{{Name: "Tết Nguyên đán", From: "2027-02-05", To: "2027-02-09", Windows: []broadcast.Span{{From: 360, To: 420}},
				Quiet: []broadcast.Span{{Season: &broadcast.Season{From: "12-01", To: "02-28"}, From: 720, To: 840}}, Minutes: []broadcast.Budget{{Class: broadcast.Normal, Minutes: 30}}, Ceiling: 60}},
			Sessions: []broadcast.Budget{{Class: broadcast.Normal, Minutes: 45}}, Ceilings: []broadcast.HourCeiling{{Hours: broadcast.Span{From: 300, To: 360}, Percent: 50}},
			Speakers: []broadcast.Speaker{{Class: broadcast.Priority, Levels: []broadcast.Level{broadcast.District, broadcast.Commune}}}, Minimum: 60, Retention: 24,
			Ceiling: 90, Thresholds: thresholds, OneOfficer: []broadcast.Class{broadcast.Emergency},
			Custodies: []broadcast.LeastCustody{{Class: broadcast.Emergency, Custody: broadcast.CustodyBrowser}}, OfflineDays: 14,
			Chimes: broadcast.Classes(), Corrections: []broadcast.Digest{content.SHA256}}),
		doc("placement", broadcast.Placement{ID: "p1", Revision: rev, Areas: area, Until: at + 1, Items: []broadcast.Placed{
			{Announcement: "tin-1", Revision: rev, Start: at}, {Announcement: "tin-3", Revision: rev, Decline: true, Reason: "Trùng lịch"}}}),
		doc("slot", broadcast.Slot{ID: "l1", Revision: rev, Areas: area, Level: broadcast.District, Spans: []broadcast.Span{{From: 0, To: 24 * 60}}, From: at, Until: at + 1}),
		doc("assignment", broadcast.Assignment{Node: "tan-lap-1", Revision: rev, Chain: []broadcast.Place{{Area: "bac-quang", Level: broadcast.District}, {Area: "tan-lap", Level: broadcast.Village}},
			Languages: []broadcast.Language{"vi", "tyz"}, Trim: -350, Ceiling: 80, Key: sealtest.Public("tan-lap-1"),
			Controllers: []broadcast.Controller{{HTTP: "https://loa.example:8443", MQTT: "mqtts://loa.example:8883"}}}),
		doc("command", broadcast.Command{ID: "c1", Revision: rev, Node: "tan-lap-1", Boot: "b1", Verb: broadcast.VerbTestTone, Expires: at + 60000}),
		doc("manifest", broadcast.Manifest{Area: "bac-quang", Revision: rev, Documents: []broadcast.Entry{{Kind: broadcast.KindAnnouncement, ID: "tin-1", Revision: rev, SHA256: content.SHA256}},
			Audit: broadcast.AuditHead{Length: 12, Head: content.SHA256}, Nonces: []string{"AAAAAAAAAAAAAAAAAAAAAA"}}),
		doc("authority", broadcast.Authority{Area: "bac-quang", Revision: rev, Roots: []broadcast.Envelope{house.Root}, Certificates: slices.Clone(house.Certs),
			Revocations: []broadcast.Revocation{{KID: content.SHA256, Mode: broadcast.Retired, At: at}}}),
		doc("certificate", broadcast.Certificate{Person: "lan", Key: sealtest.Public("lan"), Level: broadcast.Commune, Areas: area, Classes: []broadcast.Class{broadcast.Normal},
			Acts: []broadcast.Act{broadcast.ActAnnounce}, From: at, Until: at + 1, Custody: broadcast.CustodyToken}),
		doc("root", broadcast.Root{Version: 1, Threshold: 2, Keys: []broadcast.Key{sealtest.Public("a"), sealtest.Public("b")}, Demo: true}),
		doc("rebase", broadcast.Rebase{Node: "tan-lap-1", Revision: rev, Floor: at}),
		doc("time", broadcast.TimeAnswer{Node: "tan-lap-1", Boot: "b1", Nonce: "AAAAAAAAAAAAAAAAAAAAAA", At: at}),
		doc("receipts", broadcast.ReceiptBatch{Node: "tan-lap-1", Chain: "ch1", Receipts: []broadcast.Receipt{receipt}}),
		doc("receipts-firing", broadcast.ReceiptBatch{Node: "tan-lap-1", Chain: "ch1", Receipts: []broadcast.Receipt{fired()}}),
		doc("ack", broadcast.ReceiptAck{Node: "tan-lap-1", Chain: "ch1", Seq: 1, Hash: broadcast.Sum(nil), At: at}),
		doc("session", broadcast.Session{Key: sealtest.Public("session"), Station: "vov1", Signer: sealtest.Public("signer"), At: at, Until: at + 3600000}),
		doc("metadata", broadcast.Metadata{Field: "Y tế", Genre: "Thông báo", Author: "Hoàng Thị Lan", Source: "Trạm y tế", Text: "Dòng một\nDòng hai", DocumentNumber: "12/TB-UBND", Rights: "UBND xã"}),
		doc("running-order", broadcast.RunningOrder{Station: "Đài truyền thanh Bắc Quang", Segments: []broadcast.Segment{{Title: "Tin", Content: &content},
			{Title: "Tiếp âm", Relay: &broadcast.Live{SessionKey: live.SessionKey, Source: broadcast.Relay, Station: "vov1", Millis: 900000}, Hard: 600000},
			{Title: "Huyện", Offer: &broadcast.OfferRef{Announcement: "tin-1", Revision: rev, Content: content}}}}),
	}
}

// lock has the form of one.
const lock = broadcast.Lock("AAECAwQFBgcICQoLDA0ODwAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")

// fired is the receipt of a key switch that fired a template.
func fired() broadcast.Receipt {
	f := broadcast.Firing{Template: broadcast.TemplateRef{ID: "lu", Revision: broadcast.Revision(at)}, Payload: broadcast.Sum([]byte("template")), Key: "flood", Start: at + 2000}
	payload, err := f.Digest()
	if err != nil {
		panic(err)
	}
	return broadcast.Receipt{Seq: 1, Prev: broadcast.Sum(nil), At: at, Clock: broadcast.ClockUnset, Boot: "b1", Announcement: "01k", Of: broadcast.Revision(at),
		Payload: payload, Rung: broadcast.Received, Firing: &f}
}

func TestDocumentsHaveTheirGoldenBytes(t *testing.T) {
	for _, d := range documents() {
		if err := d.value.Validate(); err != nil {
			t.Errorf("%s: %v", d.name, err)
			continue
		}
		got, err := broadcast.Encode(d.value)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", "golden", d.name+".json")
		if *update {
			if err := os.WriteFile(path, append(got, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(append(got, '\n'), want) {
			t.Errorf("%s has other bytes now; a change of a sealed document is a new version of its kind:\n%s\n%s", d.name, got, want)
		}
		back, err := d.decode(got)
		if err != nil {
			t.Errorf("%s: %v", d.name, err)
		}
		if diff := cmp.Diff(d.value, back); diff != "" {
			t.Errorf("%s: %s", d.name, diff)
		}
	}
}

// TestSealedDocumentsAcceptNothingUnknown adds, repeats and reorders in every
// golden document.
func TestSealedDocumentsAcceptNothingUnknown(t *testing.T) {
	for _, d := range documents() {
		b, err := broadcast.Encode(d.value)
		if err != nil {
			t.Fatal(err)
		}
		first := b[1:bytes.IndexByte(b, ',')]
		for name, bad := range map[string][]byte{
			"unknown field":  append(append([]byte{}, b[:len(b)-1]...), []byte(`,"new":1}`)...),
			"repeated field": append(append([]byte("{"), first...), append([]byte(","), b[1:]...)...),
			"white space":    bytes.Replace(b, []byte(":"), []byte(": "), 1),
			"two values":     append(append([]byte{}, b...), b...),
			"upper case key": bytes.Replace(b, b[1:4], bytes.ToUpper(b[1:4]), 1),
			"null":           []byte("null"),
			"truncated":      b[:len(b)-1],
		} {
			if _, err := d.decode(bad); err == nil {
				t.Errorf("%s with %s was accepted", d.name, name)
			}
		}
	}
}

func TestEnvelopeOfAnAnnouncementFitsTwoKilobytes(t *testing.T) {
	a := broadcast.Announcement{}
	for _, d := range documents() {
		if d.name == "announcement-weekly" {
			a = d.value.(broadcast.Announcement)
		}
	}
	if size := len(sealtest.Sealed(broadcast.KindAnnouncement, a, sealtest.Bare("a"), sealtest.Bare("b"))); size > 2048 {
		t.Errorf("%d bytes with two signatures", size)
	}
}

func TestApprovalIsOfEverythingButTheMoment(t *testing.T) {
	all := documents()
	flood := all[1].value.(broadcast.Announcement)
	digest := func(a broadcast.Announcement) broadcast.Digest {
		d, err := a.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	want := digest(flood)
	later := flood
	later.Revision++
	later.Timing.Start += 1000
	if digest(later) != want {
		t.Error("the moment of issue changed what was approved")
	}
	for name, change := range map[string]func(*broadcast.Announcement){
		"title":  func(a *broadcast.Announcement) { a.Title += "!" },
		"area":   func(a *broadcast.Announcement) { a.Areas = []broadcast.ID{"tuyen-quang"} },
		"class":  func(a *broadcast.Announcement) { a.Class = broadcast.Priority },
		"reason": func(a *broadcast.Announcement) { a.Reason = "" },
		"repeat": func(a *broadcast.Announcement) { a.Timing.Repeat = 600 },
		"meta":   func(a *broadcast.Announcement) { a.Meta = broadcast.Sum(nil) },
	} {
		changed := flood
		change(&changed)
		if digest(changed) == want {
			t.Errorf("%s is not part of what was approved", name)
		}
	}
	weekly := all[0].value.(broadcast.Announcement)
	moved := weekly
	moved.Timing.Start += 1000
	if digest(moved) == digest(weekly) {
		t.Error("a chosen start is part of what was approved")
	}
}

func TestReceiptChainsShowEveryGap(t *testing.T) {
	first := documents()[17].value.(broadcast.ReceiptBatch)
	link, err := first.Receipts[0].Digest()
	if err != nil {
		t.Fatal(err)
	}
	second := first.Receipts[0]
	second.Seq, second.Prev = 2, link
	good := first
	good.Receipts = []broadcast.Receipt{first.Receipts[0], second}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*broadcast.Receipt){
		"gap":                   func(r *broadcast.Receipt) { r.Seq = 3 },
		"other link":            func(r *broadcast.Receipt) { r.Prev = broadcast.Sum([]byte("x")) },
		"no reason":             func(r *broadcast.Receipt) { r.Rung, r.Reason = broadcast.Failed, "" },
		"odd reason":            func(r *broadcast.Receipt) { r.Reason = "because" },
		"silent second attempt": func(r *broadcast.Receipt) { r.Reason = "" },
	} {
		bad := good
		bad.Receipts = []broadcast.Receipt{first.Receipts[0], second}
		change(&bad.Receipts[1])
		if bad.Validate() == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := broadcast.Decode[broadcast.Receipt]([]byte("{}")); errors.Is(err, nil) {
		t.Error("an empty receipt was accepted")
	}
}
