package broadcast

import (
	"errors"
	"fmt"
	"time"
)

// MaxSegments is how many segments one programme may have.
const MaxSegments = 64

// RunningOrder is what sounds in a programme (buổi phát), in order, under one
// closing of the relay. It is fetched by its digest, which the announcement
// carries, so it needs no signature of its own.
type RunningOrder struct {
	// Station is the name that the opening speaks.
	Station  string    `json:"station,omitempty"`
	Segments []Segment `json:"segments"`
}

// Segment is one part of a programme. It starts when the one before has ended,
// or exactly Hard after the start of the programme.
type Segment struct {
	Title string `json:"title"`
	// Content, Relay and Offer exclude each other.
	Content *Content `json:"content,omitempty"`
	Relay   *Live    `json:"relay,omitempty"`
	// Offer places an announcement of a higher level here.
	Offer *OfferRef `json:"offer,omitempty"`
	// Hard is the latest start after that of the programme, in milliseconds; 0
	// means that the segment follows the one before.
	Hard int64 `json:"hard_ms,omitempty"`
}

// OfferRef names the announcement that a commune placed into its programme.
type OfferRef struct {
	Announcement ID       `json:"announcement"`
	Revision     Revision `json:"revision"`
	Content      Content  `json:"content"`
}

// Duration is how long the segment sounds at most.
func (s Segment) Duration() time.Duration {
	switch {
	case s.Content != nil:
		return time.Duration(s.Content.Millis) * time.Millisecond
	case s.Relay != nil:
		return time.Duration(s.Relay.Millis) * time.Millisecond
	case s.Offer != nil:
		return time.Duration(s.Offer.Content.Millis) * time.Millisecond
	}
	return 0
}

// Validate refuses segments with no body or several.
func (s Segment) Validate() error {
	bodies := 0
	var err error
	if s.Content != nil {
		bodies, err = bodies+1, s.Content.Validate()
	}
	if s.Relay != nil {
		bodies, err = bodies+1, errors.Join(err, s.Relay.Validate())
	}
	if s.Offer != nil {
		bodies, err = bodies+1, errors.Join(err, s.Offer.Announcement.Validate(), s.Offer.Revision.Validate(), s.Offer.Content.Validate())
	}
	if bodies != 1 {
		return errors.New("exactly one of content, relay and offer is needed")
	}
	return firstOf(check{"title", checkText(s.Title, maxTitle)}, check{"body", err},
		check{"hard_ms", within(s.Hard, 0, (4 * MaxDuration).Milliseconds())})
}

// Validate refuses empty and over-long running orders and hard starts that go back.
func (r RunningOrder) Validate() error {
	if len(r.Segments) == 0 || len(r.Segments) > MaxSegments {
		return fmt.Errorf("segments: %d, allowed are 1 to %d", len(r.Segments), MaxSegments)
	}
	var last int64
	for i, s := range r.Segments {
		if err := s.Validate(); err != nil {
			return fmt.Errorf("segment %d: %w", i+1, err)
		}
		if s.Hard != 0 && s.Hard < last {
			return fmt.Errorf("segment %d: its hard start lies before that of an earlier segment", i+1)
		}
		last = max(last, s.Hard)
	}
	return firstOf(check{"station", checkText(r.Station, maxTitle)})
}
