package dispatch

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pack"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/store"
)

// shelf is a folder with recordings under their digests.
type shelf string

func (s shelf) Open(sum string) (*os.File, error) { return os.Open(filepath.Join(string(s), sum)) }

func (s shelf) put(t *testing.T, text string) broadcast.Content {
	t.Helper()
	sum := broadcast.Sum([]byte(text))
	if err := os.WriteFile(filepath.Join(string(s), string(sum)), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return broadcast.Content{SHA256: sum, Millis: 1000, Bytes: int64(len(text))}
}

// publish lists a document in the district.
func (r *rig) publish(kind broadcast.Kind, doc broadcast.Validator) {
	r.t.Helper()
	claim, _ := seal.ClaimOf(doc)
	raw := sealtest.Sealed(kind, doc, r.house.Officer("lan", broadcast.District, "bac-quang"), r.house.Officer("minh", broadcast.District, "bac-quang"))
	err := r.db.Update(r.t.Context(), func(tx store.Tx) error {
		sha, err := tx.PutDocument(r.t.Context(), store.Document{Kind: kind, ID: claim.ID, Revision: claim.Revision, Raw: raw})
		return errors.Join(err, tx.List(r.t.Context(), store.Listing{Area: "bac-quang", Kind: kind, ID: claim.ID, Revision: claim.Revision, SHA256: sha,
			Until: broadcast.InstantOf(r.clock).Add(400 * 24 * time.Hour)}))
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

// said is an announcement of one recording, due after a while.
func (r *rig) said(id broadcast.ID, class broadcast.Class, in time.Duration, c broadcast.Content) broadcast.Announcement {
	now := broadcast.InstantOf(r.clock)
	return broadcast.Announcement{ID: id, Revision: broadcast.Revision(now), Class: class, Title: "Tin", Areas: []broadcast.ID{"bac-quang"}, Meta: broadcast.Sum(nil),
		Versions: []broadcast.Version{{Language: "vi", Content: &c}}, Timing: broadcast.Timing{Mode: broadcast.ModeStart, Start: now.Add(in)}}
}

// contents reads a pack, whose names must be true.
func contents(t *testing.T, raw []byte) (kinds []broadcast.Kind, objects []string) {
	t.Helper()
	for in := pack.NewReader(bytes.NewReader(raw)); ; {
		e, err := in.Next()
		if errors.Is(err, io.EOF) {
			return kinds, objects
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(in)
		if err != nil || broadcast.Sum(body) != e.Sum {
			t.Fatalf("%+v: %v", e, err)
		}
		if e.Sort == pack.Object {
			objects = append(objects, string(body))
			continue
		}
		kind, err := seal.Peek(body)
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, kind)
	}
}

func TestAPackHoldsWhatTheNodeNeedsInTheOrderOfNeed(t *testing.T) {
	r := newRig(t)
	day := 24 * time.Hour
	sounds := shelf(t.TempDir())
	fair, market, flood, late := sounds.put(t, "fair"), sounds.put(t, "market"), sounds.put(t, "flood"), sounds.put(t, "late")
	standing := sounds.put(t, "standing order")
	lost := broadcast.Content{SHA256: broadcast.Sum([]byte("lost")), Millis: 1000, Bytes: 4}
	order := broadcast.RunningOrder{Station: "Đài", Segments: []broadcast.Segment{{Title: "Chợ", Content: &market}}}
	rawOrder, err := broadcast.Encode(order)
	if err != nil {
		t.Fatal(err)
	}
	err = r.db.Update(t.Context(), func(tx store.Tx) error {
		_, err := tx.PutDocument(t.Context(), store.Document{Kind: store.Blob, Raw: rawOrder})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	programme := r.said("buoi-phat", broadcast.Normal, 2*day, market)
	programme.Versions[0] = broadcast.Version{Language: "vi", Programme: &broadcast.Programme{SHA256: broadcast.Sum(rawOrder), Millis: 1000, Bytes: 4}}
	r.publish(broadcast.KindAnnouncement, programme)
	r.publish(broadcast.KindAnnouncement, r.said("fair", broadcast.Normal, day, fair))
	r.publish(broadcast.KindAnnouncement, r.said("late", broadcast.Normal, 40*day, late))
	r.publish(broadcast.KindAnnouncement, r.said("lost", broadcast.Normal, day, lost))
	r.publish(broadcast.KindAnnouncement, r.said("flood", broadcast.Emergency, 3*day, flood))
	r.publish(broadcast.KindTemplate, broadcast.Template{ID: "mau-lu", Revision: broadcast.Revision(r.clock.UnixMilli()), Class: broadcast.Emergency, Title: "Lũ",
		Areas: []broadcast.ID{"bac-quang"}, Versions: []broadcast.Version{{Language: "vi", Content: &standing}}, Expires: broadcast.InstantOf(r.clock).Add(300 * day)})
	r.scan(t.Context(), false)

	var out bytes.Buffer
	made, err := r.Pack(t.Context(), node, 30, sounds, &out)
	if err != nil {
		t.Fatal(err)
	}
	kinds, objects := contents(t, out.Bytes())
	want := []broadcast.Kind{"assignment", "manifest", "manifest", "manifest", "manifest", "template", "announcement", "announcement", "announcement", "announcement", "announcement"}
	if kinds = slices.DeleteFunc(kinds, func(k broadcast.Kind) bool { return k == broadcast.KindAuthority }); !slices.Equal(kinds, want) {
		t.Errorf("documents %v, want %v", kinds, want)
	}
	if want := []string{string(rawOrder), "flood", "standing order", "fair", "market"}; !slices.Equal(objects, want) {
		t.Errorf("objects %q, want %q", objects, want)
	}
	if made.Objects != 5 || made.Documents < 11 || !slices.Equal(made.Absent, []broadcast.Digest{lost.SHA256}) || made.Alone != 14*day {
		t.Errorf("%+v", made)
	}
}

func TestReceiptsFromAStickAreAcknowledgedByTheNextPack(t *testing.T) {
	r := newRig(t)
	r.scan(t.Context(), false)
	all := receipts(t, 5, "")
	batch := func(by string, list []broadcast.Receipt) []byte {
		return sealtest.Sealed(broadcast.KindReceipts, broadcast.ReceiptBatch{Node: node, Chain: "c1", Receipts: list}, sealtest.Bare(by))
	}
	var file bytes.Buffer
	if err := pack.WriteReceipts(&file, [][]byte{batch(string(node), all[:2]), batch("stranger", all[2:]), batch(string(node), all[2:4]), []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []Carried{{4, 2, 4}, {4, 2, 0}} { // twice is as good as once
		if got, err := r.Carry(t.Context(), node, bytes.NewReader(file.Bytes())); err != nil || got != want {
			t.Errorf("import %d: %+v %v, want %+v", i+1, got, err, want)
		}
	}
	if r.stored() != 4 {
		t.Errorf("%d receipts are stored", r.stored())
	}
	if got, err := r.Carry(t.Context(), "tan-lap-2", bytes.NewReader(file.Bytes())); err != nil || got.Believed != 0 {
		t.Errorf("under another name: %+v %v", got, err)
	}
	if _, err := r.Carry(t.Context(), node, strings.NewReader(strings.Repeat("x", 100<<10))); !errors.Is(err, pack.ErrForm) {
		t.Errorf("an endless line: %v", err)
	}
	if left := r.bus.on(wire.Node(node, "receipt/ack")); len(left) != 0 {
		t.Errorf("the broker was told %d times", len(left))
	}

	var out bytes.Buffer
	if _, err := r.Pack(t.Context(), node, 1, shelf(t.TempDir()), &out); err != nil {
		t.Fatal(err)
	}
	in := pack.NewReader(&out)
	for {
		if _, err := in.Next(); err != nil {
			t.Fatalf("no acknowledgement in the pack: %v", err)
		}
		raw, _ := io.ReadAll(in)
		if kind, _ := seal.Peek(raw); kind != broadcast.KindAck {
			continue
		}
		ack, _, err := seal.Open[broadcast.ReceiptAck](r.house.Keyring(places()), broadcast.KindAck, raw, seal.Context{Places: places()})
		hash, _ := all[3].Digest()
		if err != nil || ack.Node != node || ack.Chain != "c1" || ack.Seq != 4 || ack.Hash != hash {
			t.Errorf("%+v %v", ack, err)
		}
		return
	}
}

func TestNothingIsPackedForANodeWithoutAPlace(t *testing.T) {
	r := newRig(t)
	for name, c := range map[string]struct {
		node broadcast.ID
		days int
		want error
	}{"unknown": {"tan-lap-2", 30, store.ErrNotFound}, "no day": {node, 0, nil}, "a year": {node, 365, nil}} {
		var out bytes.Buffer
		if _, err := r.Pack(t.Context(), c.node, c.days, shelf(""), &out); err == nil || c.want != nil && !errors.Is(err, c.want) || out.Len() > 0 {
			t.Errorf("%s: %v, %d bytes", name, err, out.Len())
		}
	}
	err := r.db.Update(t.Context(), func(tx store.Tx) error {
		n, err := tx.Node(t.Context(), node)
		n.Status = store.Revoked
		return errors.Join(err, tx.SaveNode(t.Context(), n))
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Pack(t.Context(), node, 30, shelf(""), io.Discard); !errors.Is(err, ErrUnplaced) {
		t.Error(err)
	}
}
