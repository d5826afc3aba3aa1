package broadcast_test

import (
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

func bodies() (broadcast.Content, broadcast.Live, broadcast.OfferRef) {
	s := sample[broadcast.RunningOrder]("running-order")().Segments
	return *s[0].Content, *s[1].Relay, *s[2].Offer
}

func TestSegmentHasExactlyOneBody(t *testing.T) {
	type s = broadcast.Segment
	content, relay, offer := bodies()
	fresh := func() s { return s{Title: "Tin", Content: &content} }
	hours := (4 * time.Hour).Milliseconds()
	holdEdges(t, fresh, []edge[s]{
		{"title", func(s *s) { s.Title = long(200) }, func(s *s) { s.Title = long(201) }},
		{"content/exactly one", nil, func(s *s) { s.Content = nil }},
		{"content/body", nil, func(s *s) { s.Content = &broadcast.Content{} }},
		{"relay/exactly one", func(s *s) { s.Content, s.Relay = nil, &relay }, func(s *s) { s.Relay = &relay }},
		{"relay/body", nil, func(s *s) { s.Content, s.Relay = nil, &broadcast.Live{} }},
		{"offer/exactly one", func(s *s) { s.Content, s.Offer = nil, &offer }, func(s *s) { s.Offer = &offer }},
		{"offer/body", nil, func(s *s) { s.Content, s.Offer = nil, &broadcast.OfferRef{Announcement: "tin-1", Revision: 1} }},
		{"offer/body", nil, func(s *s) { s.Content, s.Offer = nil, &broadcast.OfferRef{Announcement: "tin-1", Content: content} }},
		{"offer/body", nil, func(s *s) { s.Content, s.Offer = nil, &broadcast.OfferRef{Revision: 1, Content: content} }},
		{"hard_ms", func(s *s) { s.Hard = hours }, func(s *s) { s.Hard = hours + 1 }},
		{"hard_ms", func(s *s) { s.Hard = 0 }, func(s *s) { s.Hard = -1 }},
	})
}

func TestRunningOrderKeepsItsLimits(t *testing.T) {
	type r = broadcast.RunningOrder
	content, _, _ := bodies()
	segment := func(title string) broadcast.Segment { return broadcast.Segment{Title: title, Content: &content} }
	holdEdges(t, sample[r]("running-order"), []edge[r]{
		{"station", func(r *r) { r.Station = long(200) }, func(r *r) { r.Station = long(201) }},
		{"segments", func(r *r) { r.Segments = several(64, segment) }, func(r *r) { r.Segments = several(65, segment) }},
		{"segments", func(r *r) { r.Segments = several(1, segment) }, func(r *r) { r.Segments = nil }},
		{"segments/segment 2", nil, func(r *r) { r.Segments[1].Relay = nil }},
	})
}

func TestHardStartsNeverGoBack(t *testing.T) {
	content, _, _ := bodies()
	for _, c := range []struct {
		name  string
		hard  []int64
		wrong bool
	}{
		{"none", []int64{0, 0, 0}, false},
		{"rising", []int64{1000, 2000, 3000}, false},
		{"equal", []int64{1000, 1000}, false},
		{"with followers between", []int64{1000, 0, 2000, 0}, false},
		{"falling", []int64{2000, 1999}, true},
		{"falling behind a follower", []int64{2000, 0, 1999}, true},
	} {
		var r broadcast.RunningOrder
		for _, h := range c.hard {
			r.Segments = append(r.Segments, broadcast.Segment{Title: "Tin", Content: &content, Hard: h})
		}
		if err := r.Validate(); (err != nil) != c.wrong {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestSegmentSoundsAsLongAsItsBody(t *testing.T) {
	for want, s := range map[time.Duration]broadcast.Segment{
		0:               {},
		time.Second:     {Content: &broadcast.Content{Millis: 1000}},
		2 * time.Second: {Relay: &broadcast.Live{Millis: 2000}},
		3 * time.Second: {Offer: &broadcast.OfferRef{Content: broadcast.Content{Millis: 3000}}},
	} {
		if got := s.Duration(); got != want {
			t.Errorf("%+v sounds %v, want %v", s, got, want)
		}
	}
}
