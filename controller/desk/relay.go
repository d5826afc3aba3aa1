package desk

import (
	"crypto/ed25519"
	"fmt"

	"github.com/loaxa/loaxa/broadcast"
)

// Relays knows the stations that may be relayed.
type Relays interface {
	// May says whether a station may be relayed in all of the areas.
	May(station broadcast.ID, areas ...broadcast.ID) error
}

// mayRelay refuses programmes with a station that is not for their areas, and any
// station in an emergency.
func (d *Desk) mayRelay(a broadcast.Announcement, p DraftProgramme) error {
	for _, s := range p.Segments {
		switch {
		case s.Relay == "":
			continue
		case s.Content != "" || s.Offer != "":
			return invalid("versions", "give a segment a content, an offer or a relay, and only one of them")
		case a.Class == broadcast.Emergency:
			return invalid("versions", "a relay is never an emergency")
		case d.cfg.Relays == nil:
			return invalid("versions", "no station may be relayed here: name them in relays.toml")
		}
		if err := d.cfg.Relays.May(s.Relay, a.Areas...); err != nil {
			return invalid("versions", err.Error())
		}
	}
	return nil
}

// relay is a live body with a session of its own. What would sign with the session
// key is thrown away: it is a name that nobody can guess or take twice.
func (d *Desk) relay(s DraftSegment) (*broadcast.Live, error) {
	session, _, err := ed25519.GenerateKey(d.cfg.Rand)
	if err != nil {
		return nil, fmt.Errorf("new session: %w", err)
	}
	return &broadcast.Live{SessionKey: string(broadcast.KeyOf(session)), Source: broadcast.Relay, Station: s.Relay, Millis: s.Length.Milliseconds()}, nil
}
