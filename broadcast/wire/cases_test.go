package wire_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
)

var update = flag.Bool("update", false, "rewrite the golden files from the code")

// message is one kind of unsealed message: a complete value, and how it is read.
type message struct {
	name   string
	value  broadcast.Validator
	decode func([]byte) (broadcast.Validator, error)
	limit  int
}

func reader[T broadcast.Validator](f func([]byte) (T, error)) func([]byte) (broadcast.Validator, error) {
	return func(b []byte) (broadcast.Validator, error) { return f(b) }
}

// messages is the one table that encode, decode, golden bytes and fuzz seeds
// are driven by.
func messages() []message {
	at := broadcast.Instant(1795248000000)
	house := sealtest.NewHouse("tuyen-quang", at, true)
	return []message{
		{"presence", wire.Presence{State: wire.Ready, Connection: "c1", Boot: "b1", Nonce: "AAAAAAAAAAAAAAAAAAAAAA"}, reader(wire.DecodePresence), 1 << 10},
		{"state", wire.State{Boot: "b1", Version: "0.1.0", Board: "simulated", Clock: broadcast.ClockProved, Holding: broadcast.Sum(nil),
			Manifests: map[broadcast.ID]broadcast.Revision{"bac-quang": 1795248000000, "tan-lap": 1795248000001}, Plan: broadcast.Sum([]byte("plan")),
			Chain: "ch1", Seq: 7, Head: broadcast.Sum([]byte("head")), Acked: 5, Resync: true, Missing: 1, Free: 2, Sent: 3, Received: 4,
			Supply: &wire.Supply{Battery: &wire.Battery{Charge: 62, Hours: 31, Millivolts: new(int64(12400))}, Celsius: new(int64(-3))}}, reader(wire.DecodeState), 8 << 10},
		{"health", wire.Health{Boot: "b1", Faults: []wire.Fault{{Code: "store-full", Part: "sd", Since: at, Cause: "disk"}}}, reader(wire.DecodeHealth), 16 << 10},
		{"controller-state", wire.ControllerState{Online: true, Run: "r1"}, reader(wire.DecodeControllerState), 1 << 10},
		{"enrolment", wire.Enrolment{Node: "tan-lap-1", Token: "token", Board: "simulated"}.Prove(sealtest.Key("tan-lap-1")), reader(wire.DecodeEnrolment), 4 << 10},
		{"enrolled", wire.Enrolled{Node: "tan-lap-1", Secret: "secret", Roots: []broadcast.Envelope{house.Root}, ShortCode: "0123-4567",
			Controllers: []broadcast.Controller{{HTTP: "https://loa.example:8443", MQTT: "mqtts://loa.example:8883"}}}, reader(wire.DecodeEnrolled), 64 << 10},
	}
}

func TestMessagesHaveTheirGoldenBytes(t *testing.T) {
	for _, m := range messages() {
		got, err := broadcast.Encode(m.value)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", "golden", m.name+".json")
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
			t.Errorf("%s changed on the wire:\n%s\n%s", m.name, got, want)
		}
		back, err := m.decode(got)
		if err != nil {
			t.Errorf("%s: %v", m.name, err)
		}
		if diff := cmp.Diff(m.value, back); diff != "" {
			t.Errorf("%s: %s", m.name, diff)
		}
	}
}

func TestHintsIgnoreUnknownFields(t *testing.T) {
	for _, m := range messages() {
		b, err := broadcast.Encode(m.value)
		if err != nil {
			t.Fatal(err)
		}
		later := bytes.Replace(b, []byte("{"), []byte(`{"from_a_later_version":[1,{"x":null}],`), 1)
		back, err := m.decode(later)
		if err != nil || cmp.Diff(m.value, back) != "" {
			t.Errorf("%s: %v", m.name, err)
		}
	}
}

func TestIncompleteAndOversizedMessagesAreRefused(t *testing.T) {
	for _, m := range messages() {
		for _, bad := range []string{"", "null", "{}", "[]", "1", `"x"`, "{\"boot\":\"NOT AN ID\"}", strings.Repeat(" ", m.limit) + "{}"} {
			if _, err := m.decode([]byte(bad)); err == nil {
				t.Errorf("%s: %.40q was accepted", m.name, bad)
			}
		}
	}
}

func FuzzMessages(f *testing.F) {
	for _, m := range messages() {
		b, err := broadcast.Encode(m.value)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, m := range messages() {
			v, err := m.decode(b)
			if err != nil {
				continue
			}
			if err := v.Validate(); err != nil {
				t.Errorf("%s: read something that is not valid: %v", m.name, err)
			}
			again, err := broadcast.Encode(v)
			if err != nil {
				t.Errorf("%s: read something that cannot be written: %v", m.name, err)
			}
			if back, err := m.decode(again); err != nil || cmp.Diff(v, back) != "" {
				t.Errorf("%s: does not survive a second reading: %v", m.name, err)
			}
		}
	})
}

func TestEnrolmentNeedsTheKeyThatItNames(t *testing.T) {
	good := wire.Enrolment{Node: "n1", Token: "t", Board: "b"}.Prove(sealtest.Key("n1"))
	for name, change := range map[string]func(*wire.Enrolment){
		"other node":  func(e *wire.Enrolment) { e.Node = "n2" },
		"other token": func(e *wire.Enrolment) { e.Token = "u" },
		"other key":   func(e *wire.Enrolment) { e.Key = sealtest.Public("n2") },
		"no proof":    func(e *wire.Enrolment) { e.Proof = "" },
	} {
		bad := good
		change(&bad)
		if bad.Validate() == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	code, err := wire.ShortCode(good.Key)
	if err != nil || len(code) != 9 || code[4] != '-' {
		t.Errorf("short code %q: %v", code, err)
	}
}

func TestHoldingIsTheSameInAnyOrderAndChangesWithAnyDocument(t *testing.T) {
	e := func(id broadcast.ID, rev broadcast.Revision) broadcast.Entry {
		return broadcast.Entry{Kind: broadcast.KindPolicy, ID: id, Revision: rev, SHA256: broadcast.Sum([]byte(id))}
	}
	sum := func(list ...broadcast.Entry) broadcast.Digest {
		d, err := wire.Holding(list)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if sum(e("a", 1), e("b", 1)) != sum(e("b", 1), e("a", 1), e("a", 1)) {
		t.Error("order or repetition changed the digest")
	}
	if sum(e("a", 1), e("a", 2)) != sum(e("a", 2)) {
		t.Error("an older revision of a listed document counts")
	}
	seen := map[broadcast.Digest]bool{}
	for _, d := range []broadcast.Digest{sum(), sum(e("a", 1)), sum(e("a", 2)), sum(e("b", 1)), sum(e("a", 1), e("b", 1))} {
		if seen[d] {
			t.Error("two sets of documents have one digest")
		}
		seen[d] = true
	}
}
