package broadcast_test

import (
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

func TestAnnouncementKeepsItsLimits(t *testing.T) {
	type a = broadcast.Announcement
	version := func(l string) broadcast.Version {
		return broadcast.Version{Language: broadcast.Language(l), Content: sample[a]("announcement-weekly")().Versions[0].Content}
	}
	holdEdges(t, sample[a]("announcement-weekly"), []edge[a]{
		{"id", func(a *a) { a.ID = broadcast.ID(strings.Repeat("a", 40)) }, func(a *a) { a.ID = broadcast.ID(strings.Repeat("a", 41)) }},
		{"revision", func(a *a) { a.Revision = broadcast.Revision(last) }, func(a *a) { a.Revision = broadcast.Revision(last + 1) }},
		{"revision", func(a *a) { a.Revision = 1 }, func(a *a) { a.Revision = 0 }},
		{"class", func(a *a) { a.Class = broadcast.Priority }, func(a *a) { a.Class = "urgent" }},
		{"title", func(a *a) { a.Title = long(200) }, func(a *a) { a.Title = long(201) }},
		{"title", func(a *a) { a.Title = "L" }, func(a *a) { a.Title = "" }},
		{"areas", func(a *a) { a.Areas = ids(24) }, func(a *a) { a.Areas = ids(25) }},
		{"areas", func(a *a) { a.Areas = ids(1) }, func(a *a) { a.Areas = nil }},
		{"areas", func(a *a) { a.Areas = ids(2) }, func(a *a) { a.Areas = append(ids(2), ids(1)...) }},
		{"versions", func(a *a) { a.Versions = several(6, version) }, func(a *a) { a.Versions = several(7, version) }},
		{"versions", nil, func(a *a) { a.Versions = nil }},
		{"versions", nil, func(a *a) { a.Versions = append(a.Versions, a.Versions[0]) }},
		{"timing", func(a *a) { a.Timing.LateLimit = 12 * 3600 }, func(a *a) { a.Timing.LateLimit = 12*3600 + 1 }},
		{"meta", nil, func(a *a) { a.Meta = a.Meta[1:] }},
		{"volume", func(a *a) { a.Volume = 100 }, func(a *a) { a.Volume = 101 }},
		{"volume", func(a *a) { a.Volume = 0 }, func(a *a) { a.Volume = -1 }},
		{"template", func(a *a) { a.Template = nil }, func(a *a) { a.Template = &broadcast.TemplateRef{ID: "lu"} }},
		{"template", nil, func(a *a) { a.Template = &broadcast.TemplateRef{Revision: 1} }},
		{"corrects", func(a *a) {
			a.Corrects, a.Timing.Recurrence, a.Timing.Until = &broadcast.AnnouncementRef{ID: "tin", Revision: 1}, nil, 0
		}, func(a *a) { a.Corrects = &broadcast.AnnouncementRef{ID: "tin", Revision: 1} }},
		{"corrects", nil, func(a *a) { a.Corrects = &broadcast.AnnouncementRef{ID: "tin"} }},
		{"reason", func(a *a) { a.Reason = long(300) }, func(a *a) { a.Reason = long(301) }},
	})
}

func TestVersionHasExactlyOneBody(t *testing.T) {
	type v = broadcast.Version
	content := *sample[broadcast.Announcement]("announcement-weekly")().Versions[0].Content
	programme := broadcast.Programme(content)
	live := *sample[broadcast.Announcement]("announcement-emergency")().Versions[0].Live
	recorded := func() v { return v{Language: "vi", Content: &content} }
	holdEdges(t, recorded, []edge[v]{
		{"language", func(v *v) { v.Language = "hmn" }, func(v *v) { v.Language = "hmnx" }},
		{"content/exactly one", nil, func(v *v) { v.Content = nil }},
		{"content/sha256", nil, func(v *v) { v.Content = &broadcast.Content{Millis: 1, Bytes: 1} }},
		{"programme/exactly one", func(v *v) { v.Content, v.Programme = nil, &programme }, func(v *v) { v.Programme = &programme }},
		{"programme/ms", nil, func(v *v) { v.Content, v.Programme = nil, &broadcast.Programme{SHA256: content.SHA256, Bytes: 1} }},
		{"live/exactly one", func(v *v) { v.Content, v.Live = nil, &live }, func(v *v) { v.Live = &live }},
		{"live/source", nil, func(v *v) { v.Content, v.Live = nil, &broadcast.Live{} }},
	})
}

func TestContentHasAPossibleSize(t *testing.T) {
	type c = broadcast.Content
	fresh := func() c { return c{SHA256: broadcast.Sum(nil), Millis: 1000, Bytes: 1000} }
	holdEdges(t, fresh, []edge[c]{
		{"sha256", nil, func(c *c) { c.SHA256 = "" }},
		{"ms", func(c *c) { c.Millis = 1 }, func(c *c) { c.Millis = 0 }},
		{"ms", func(c *c) { c.Millis = broadcast.MaxDuration.Milliseconds() }, func(c *c) { c.Millis = broadcast.MaxDuration.Milliseconds() + 1 }},
		{"bytes", func(c *c) { c.Bytes = 1 }, func(c *c) { c.Bytes = 0 }},
		{"bytes", func(c *c) { c.Bytes = 200 << 20 }, func(c *c) { c.Bytes = 200<<20 + 1 }},
	})
}

func TestLiveSoundIsBoundedAndHasAKey(t *testing.T) {
	type l = broadcast.Live
	fresh := func() l { return *sample[broadcast.Announcement]("announcement-emergency")().Versions[0].Live }
	hours := 4 * time.Hour.Milliseconds()
	holdEdges(t, fresh, []edge[l]{
		{"session_key", nil, func(l *l) { l.SessionKey = l.SessionKey[1:] }},
		{"source", func(l *l) { l.Source = broadcast.Conference }, func(l *l) { l.Source = "telephone" }},
		{"source", func(l *l) { l.Source, l.Station = broadcast.Relay, "vov1" }, func(l *l) { l.Source = "" }},
		{"station", nil, func(l *l) { l.Station = "vov1" }},
		{"station", nil, func(l *l) { l.Source = broadcast.Relay }},
		{"station", nil, func(l *l) { l.Source, l.Station = broadcast.Relay, "VOV 1" }},
		{"ms", func(l *l) { l.Millis = 1 }, func(l *l) { l.Millis = 0 }},
		{"ms", func(l *l) { l.Millis = hours }, func(l *l) { l.Millis = hours + 1 }},
	})
}

func TestRelayIsNeverAnEmergency(t *testing.T) {
	a := sample[broadcast.Announcement]("announcement-emergency")()
	for source, may := range map[broadcast.Source]bool{broadcast.Microphone: true, broadcast.Conference: true, broadcast.Relay: false} {
		a.Versions[0].Live.Source, a.Versions[0].Live.Station = source, ""
		if source == broadcast.Relay {
			a.Versions[0].Live.Station = "vov1"
		}
		if err := a.Validate(); (err == nil) != may {
			t.Errorf("%s in an emergency: %v", source, err)
		}
	}
	b := sample[broadcast.Announcement]("announcement-weekly")()
	relay := *a.Versions[0].Live
	relay.Source, relay.Station = broadcast.Relay, "vov1"
	b.Versions = []broadcast.Version{{Language: "vi", Live: &relay}}
	if err := b.Validate(); err != nil {
		t.Errorf("a relay in a normal announcement: %v", err)
	}
}

func TestVersionSoundsAsLongAsItsBody(t *testing.T) {
	for want, v := range map[time.Duration]broadcast.Version{
		0:                       {},
		1500 * time.Millisecond: {Content: &broadcast.Content{Millis: 1500}},
		2 * time.Minute:         {Programme: &broadcast.Programme{Millis: 120000}},
		4 * time.Hour:           {Live: &broadcast.Live{Millis: 14400000}},
	} {
		if got := v.Duration(); got != want {
			t.Errorf("%+v sounds %v, want %v", v, got, want)
		}
	}
}

func TestTemplateHoldsRecordedContentForAtMost400Days(t *testing.T) {
	type m = broadcast.Template
	live := *sample[broadcast.Announcement]("announcement-emergency")().Versions[0].Live
	issue := at
	holdEdges(t, sample[m]("template"), []edge[m]{
		{"id", nil, func(m *m) { m.ID = "Lũ" }},
		{"revision", nil, func(m *m) { m.Revision = -1 }},
		{"class", func(m *m) { m.Class = broadcast.Normal }, func(m *m) { m.Class = "" }},
		{"title", func(m *m) { m.Title = long(200) }, func(m *m) { m.Title = long(201) }},
		{"areas", func(m *m) { m.Areas = ids(24) }, func(m *m) { m.Areas = ids(25) }},
		{"versions", nil, func(m *m) { m.Versions = nil }},
		{"versions", nil, func(m *m) { m.Versions = []broadcast.Version{{Language: "vi", Live: &live}} }},
		{"expires", func(m *m) { m.Expires = issue + 1 }, func(m *m) { m.Expires = issue }},
		{"expires", func(m *m) { m.Expires = issue + 400*day }, func(m *m) { m.Expires = issue + 400*day + 1 }},
		{"expires", nil, func(m *m) { m.Expires = wrapped(issue) }},
		{"local", func(m *m) { m.Local = nil }, func(m *m) { m.Local.Hourly = 0 }},
		{"local", func(m *m) { m.Local.Hourly = 60 }, func(m *m) { m.Local.Hourly = 61 }},
		{"local", func(m *m) { m.Local.Keys = []broadcast.Switch{"A_b-9"} }, func(m *m) { m.Local.Keys = []broadcast.Switch{"A b"} }},
	})
}

func TestMetadataKeepsItsLimits(t *testing.T) {
	type m = broadcast.Metadata
	short := func(name string, of func(*m) *string) edge[m] {
		return edge[m]{name, func(m *m) { *of(m) = long(300) }, func(m *m) { *of(m) = long(301) }}
	}
	holdEdges(t, sample[m]("metadata"), []edge[m]{
		short("field", func(m *m) *string { return &m.Field }),
		short("genre", func(m *m) *string { return &m.Genre }),
		short("author", func(m *m) *string { return &m.Author }),
		short("source", func(m *m) *string { return &m.Source }),
		short("document_number", func(m *m) *string { return &m.DocumentNumber }),
		short("rights", func(m *m) *string { return &m.Rights }),
		{"text", func(m *m) { m.Text = long(32 << 10) }, func(m *m) { m.Text = long(32<<10 + 1) }},
	})
	if err := (m{}).Validate(); err != nil {
		t.Errorf("metadata without any word: %v", err)
	}
}

func TestEncodedMetadataFitsItsBound(t *testing.T) {
	frame := len(`{"text":""}`)
	fits := broadcast.Metadata{Text: strings.Repeat(`"`, (broadcast.MaxMetadata-frame)/2) + "a"}
	b, err := broadcast.Encode(fits)
	if err != nil || len(b) != broadcast.MaxMetadata {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	if err := fits.Validate(); err != nil {
		t.Errorf("metadata of exactly the bound: %v", err)
	}
	over := fits
	over.Text += "a"
	if err := over.Validate(); err == nil {
		t.Error("metadata one byte above the bound was accepted")
	}
}

func TestMetadataCannotChangeUnderItsDigest(t *testing.T) {
	m := sample[broadcast.Metadata]("metadata")()
	before, err := m.Digest()
	if err != nil {
		t.Fatal(err)
	}
	b, err := broadcast.Encode(m)
	if err != nil || broadcast.Sum(b) != before {
		t.Errorf("the digest is not that of the encoding: %v", err)
	}
	m.Rights = ""
	if after, err := m.Digest(); err != nil || after == before {
		t.Errorf("other rights, the same digest: %v", err)
	}
}
