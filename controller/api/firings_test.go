package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/store"
)

// lan may fire what stands at a keypad.
var lan = broadcast.Code{Number: "11", Person: "lan", Lock: broadcast.Lock(strings.Repeat("A", 64))}

// standing stores a template that the key switch "flood" may fire in one area.
func (r *rig) standing(area broadcast.ID) (broadcast.Template, broadcast.Digest) {
	r.T.Helper()
	now := r.Now()
	m := broadcast.Template{ID: "mau-lu", Revision: broadcast.Revision(now), Class: broadcast.Emergency, Title: "Lũ quét", Areas: []broadcast.ID{area},
		Versions: []broadcast.Version{{Language: "vi", Content: &broadcast.Content{SHA256: broadcast.Digest(r.sound), Millis: 1000, Bytes: 10}}},
		Expires:  now.Add(300 * 24 * time.Hour), Local: &broadcast.OnSite{Keys: []broadcast.Switch{"flood"}, Codes: []broadcast.Code{lan}, Hourly: 3}}
	payload, err := broadcast.Encode(m)
	if err != nil {
		r.T.Fatal(err)
	}
	raw := sealtest.Sealed(broadcast.KindTemplate, m, seal.Signer{KID: broadcast.Sum([]byte("a")), Key: sealtest.Key("a")})
	r.Update(func(tx store.Tx) error {
		_, err := tx.PutDocument(r.T.Context(), store.Document{Kind: broadcast.KindTemplate, ID: m.ID, Revision: m.Revision, Raw: raw})
		return err
	})
	return m, broadcast.Sum(payload)
}

// fire stores what a node tells of one turn of a key, up to the end of its sound.
func (r *rig) fire(node, id broadcast.ID, f broadcast.Firing, m broadcast.Template) {
	r.T.Helper()
	payload, err := f.Digest()
	if err != nil {
		r.T.Fatal(err)
	}
	list := desktest.Sounded(f.Announcement(id, broadcast.Revision(f.Start), m))
	for i := range list {
		list[i].Payload, list[i].Clock = payload, broadcast.ClockUnset
		if list[i].Rung == broadcast.Sounded {
			list[i].Evidence.Recording = r.spoke
		}
	}
	list[0].Firing = &f
	for _, one := range list {
		one.Seq, one.Prev, one.Boot = 1, broadcast.Sum(nil), "boot"
		if err := one.Validate(); err != nil {
			r.T.Fatal(err)
		}
	}
	r.Prove(node, list...)
}

func TestWhatAKeySwitchFiredIsListedWithItsProof(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.Node("tan-quang-1", "tan-quang")
	list := func(query string) []api.Firing {
		var page struct{ Firings []api.Firing }
		r.get("/api/v1/firings"+query, &page)
		return page.Firings
	}
	if got := list(""); len(got) != 0 {
		t.Fatalf("before any key was turned: %+v", got)
	}
	m, payload := r.standing("tan-lap")
	good := broadcast.Firing{Template: broadcast.TemplateRef{ID: m.ID, Revision: m.Revision}, Payload: payload, Key: "flood", Start: r.Now()}
	r.fire("tan-lap-1", "f-good", good, m)
	for id, c := range map[broadcast.ID]struct {
		node   broadcast.ID
		change func(*broadcast.Firing)
	}{
		"f-elsewhere": {"tan-quang-1", func(*broadcast.Firing) {}},
		"f-key":       {"tan-lap-1", func(f *broadcast.Firing) { f.Key = "fire" }},
		"f-person":    {"tan-lap-1", func(f *broadcast.Firing) { f.Key, f.Person = "pad", "minh" }},
		"f-pin":       {"tan-lap-1", func(f *broadcast.Firing) { f.Key, f.Person = "pad", "lan" }},
		"f-words":     {"tan-lap-1", func(f *broadcast.Firing) { f.Payload = broadcast.Sum([]byte("other words")) }},
		"f-unknown":   {"tan-lap-1", func(f *broadcast.Firing) { f.Template.ID = "nobody-s" }},
	} {
		r.Clock.Add(time.Second)
		f := good
		c.change(&f)
		r.fire(c.node, id, f, m)
	}
	got := list("")
	if len(got) != 7 || got[6].Announcement != "f-good" {
		t.Fatalf("%+v", got)
	}
	for _, f := range got {
		if f.Allowed != (f.Announcement == "f-good" || f.Announcement == "f-pin") {
			t.Errorf("%s: allowed %v", f.Announcement, f.Allowed)
		}
		if f.Rung != "ended" || f.End != "ended" || f.Attempts != 1 || f.Evidence == nil || f.At == "" || f.Told == "" || f.Clock != "unset" {
			t.Errorf("%+v", f)
		}
		if known := f.Announcement != "f-words" && f.Announcement != "f-unknown"; (f.Title == "Lũ quét") != known {
			t.Errorf("%s has the title %q", f.Announcement, f.Title)
		}
	}
	for _, f := range got {
		if want := map[string]string{"f-pin": "lan", "f-person": "minh"}[f.Announcement]; f.Person != want {
			t.Errorf("%s names %q, want %q", f.Announcement, f.Person, want)
		}
	}
	if f := got[6]; f.Node != "tan-lap-1" || f.Key != "flood" || f.Class != "emergency" || f.AreaName == "" || f.Template != "mau-lu" {
		t.Errorf("%+v", f)
	}
	if got := list("?node=tan-quang-1"); len(got) != 1 || got[0].Announcement != "f-elsewhere" {
		t.Errorf("of one node: %+v", got)
	}
	if got := list("?limit=2"); len(got) != 2 {
		t.Errorf("at most two: %d", len(got))
	}
}
