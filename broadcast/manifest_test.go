package broadcast_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/loaxa/loaxa/broadcast"
)

func entry(id string) broadcast.Entry {
	return broadcast.Entry{Kind: broadcast.KindAnnouncement, ID: broadcast.ID(id), Revision: 1, SHA256: broadcast.Sum([]byte(id))}
}

func TestManifestKeepsItsLimits(t *testing.T) {
	type m = broadcast.Manifest
	nonce := func(string) string { return "AAAAAAAAAAAAAAAAAAAAAA" }
	two := func(a, b string) func(*m) { return func(m *m) { m.Documents = []broadcast.Entry{entry(a), entry(b)} } }
	holdEdges(t, sample[m]("manifest"), []edge[m]{
		{"area", nil, func(m *m) { m.Area = "" }},
		{"revision", nil, func(m *m) { m.Revision = 0 }},
		{"documents", func(m *m) { m.Documents = several(1000, entry) }, func(m *m) { m.Documents = several(1001, entry) }},
		{"documents", two("a", "b"), two("b", "a")},
		{"documents", func(m *m) { m.Documents = nil }, two("a", "a")},
		{"documents", nil, func(m *m) { m.Documents[0].SHA256 = "" }},
		{"audit", func(m *m) { m.Audit = broadcast.AuditHead{} }, func(m *m) { m.Audit.Length = -1 }},
		{"audit", func(m *m) { m.Audit.Length = 1 << 53 }, func(m *m) { m.Audit.Length = 1<<53 + 1 }},
		{"audit", nil, func(m *m) { m.Audit.Head = "x" }},
		{"nonces", func(m *m) { m.Nonces = several(500, nonce) }, func(m *m) { m.Nonces = several(501, nonce) }},
		{"nonces/nonce", func(m *m) { m.Nonces = nil }, func(m *m) { m.Nonces = []string{""} }},
	})
}

func TestManifestEntryNamesOneDocument(t *testing.T) {
	type e = broadcast.Entry
	fresh := func() e { return entry("tin-1") }
	holdEdges(t, fresh, []edge[e]{
		{"kind", func(e *e) { e.Kind = broadcast.KindDrill }, func(e *e) { e.Kind = "song" }},
		{"id", nil, func(e *e) { e.ID = "" }},
		{"revision", nil, func(e *e) { e.Revision = 0 }},
		{"sha256", nil, func(e *e) { e.SHA256 = "" }},
	})
}

// TestManifestHasOneOrder sorts drawn entries with Compare: any order that is
// not the sorted one is refused, and so is any entry that occurs twice.
func TestManifestHasOneOrder(t *testing.T) {
	kinds, names := rapid.SampledFrom(broadcast.Kinds()), rapid.SampledFrom(ids(4))
	drawn := rapid.Custom(func(t *rapid.T) broadcast.Entry {
		e := entry(string(names.Draw(t, "id")))
		e.Kind, e.Revision = kinds.Draw(t, "kind"), broadcast.Revision(rapid.Int64Range(1, 3).Draw(t, "revision"))
		return e
	})
	m := sample[broadcast.Manifest]("manifest")()
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(drawn, 1, 8).Draw(t, "entries")
		for _, a := range list {
			for _, b := range list {
				same := a.Kind == b.Kind && a.ID == b.ID
				if a.Compare(b) != -b.Compare(a) || (a.Compare(b) == 0) != same {
					t.Fatalf("%+v to %+v: %d, back %d", a, b, a.Compare(b), b.Compare(a))
				}
			}
		}
		sorted := slices.SortedFunc(slices.Values(list), broadcast.Entry.Compare)
		once := slices.CompactFunc(slices.Clone(sorted), func(a, b broadcast.Entry) bool { return a.Compare(b) == 0 })
		m.Documents = list
		if err := m.Validate(); (err == nil) != slices.Equal(list, once) {
			t.Fatalf("%+v: %v", list, err)
		}
		m.Documents = once
		if err := m.Validate(); err != nil {
			t.Fatalf("%+v: %v", once, err)
		}
		for _, want := range once {
			if got, ok := m.Find(want.Kind, want.ID); !ok || got != want {
				t.Fatalf("looked for %+v and found %+v, %v", want, got, ok)
			}
		}
		if got, ok := m.Find(broadcast.KindAnnouncement, "absent"); ok {
			t.Fatalf("found %+v", got)
		}
	})
}
