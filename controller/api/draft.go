package api

import (
	"net/http"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
)

// draftOf turns the body of a create into a draft.
func draftOf(n NewAnnouncement) (desk.Draft, error) {
	d := desk.Draft{Title: n.Title, Class: broadcast.Class(n.Class), Volume: n.Volume, Reason: n.Reason, Meta: broadcast.Metadata(n.Meta)}
	for _, a := range n.Areas {
		d.Areas = append(d.Areas, broadcast.ID(a))
	}
	d.Versions = versionsOf(n.Versions)
	d.Timing = broadcast.Timing{Mode: broadcast.Mode(n.Timing.Mode), LateLimit: n.Timing.LateLimit, Window: n.Timing.Window, Repeat: n.Timing.Repeat}
	if n.Timing.Recurrence != "" {
		d.Timing.Recurrence = &broadcast.Recurrence{Rule: n.Timing.Recurrence, Except: n.Timing.Except}
	}
	var err error
	if d.Timing.Start, err = instant("timing.start", n.Timing.Start); err != nil {
		return d, err
	}
	d.Timing.Until, err = instant("timing.until", n.Timing.Until)
	return d, err
}

func versionsOf(list []NewVersion) []desk.DraftVersion {
	var out []desk.DraftVersion
	for _, v := range list {
		out = append(out, desk.DraftVersion{Language: broadcast.Language(v.Language), Content: broadcast.Digest(v.Content), Programme: programmeOf(v.Programme)})
	}
	return out
}

func programmeOf(n *NewProgramme) *desk.DraftProgramme {
	if n == nil {
		return nil
	}
	p := &desk.DraftProgramme{Station: n.Station}
	for _, s := range n.Segments {
		one := desk.DraftSegment{Title: s.Title, Content: broadcast.Digest(s.Content), Hard: time.Duration(s.Hard) * time.Millisecond}
		if s.Relay != nil {
			one.Relay, one.Length = broadcast.ID(s.Relay.Station), time.Duration(s.Relay.Millis)*time.Millisecond
		}
		p.Segments = append(p.Segments, one)
	}
	return p
}

// instant reads a moment in any zone; empty is none.
func instant(field, text string) (broadcast.Instant, error) {
	if text == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		p := problem(http.StatusUnprocessableEntity, "invalid", field+": use RFC 3339 such as 2026-11-22T17:30:00+07:00",
			field+": hãy dùng dạng RFC 3339, ví dụ 2026-11-22T17:30:00+07:00")
		p.Field = field
		return 0, p
	}
	return broadcast.InstantOf(t), nil
}
