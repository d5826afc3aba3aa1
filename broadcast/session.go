package broadcast

import (
	"errors"
	"time"
)

// MaxSession is how long the key of one session may sign.
const MaxSession = 5 * time.Hour

// Session is what the controller's service key says of a relay that is on the
// air: whose blocks of sound are the words of one live body, and until when. The
// key of the signer lives in the controller's memory alone, for one run of the
// station, and dies with it.
type Session struct {
	// Key is the session key that the live body names.
	Key Key `json:"session_key"`
	// Station is what is relayed; it is the one that the live body names.
	Station ID `json:"station"`
	// Signer signs every block.
	Signer Key     `json:"signer"`
	At     Instant `json:"at"`
	Until  Instant `json:"until"`
}

// Validate refuses incomplete sessions, and those longer than MaxSession.
func (s Session) Validate() error {
	if s.Key == s.Signer {
		return errors.New("signer: the session key is only a name; a key of its own signs")
	}
	return firstOf(check{"session_key", s.Key.Validate()}, check{"station", s.Station.Validate()}, check{"signer", s.Signer.Validate()},
		check{"at", within(int64(s.At), 1, int64(maxInstant))},
		check{"until", within(int64(s.Until-s.At), 1, MaxSession.Milliseconds())})
}

// Of says whether the session is that of a live body.
func (s Session) Of(l Live) bool {
	return l.Source == Relay && string(s.Key) == l.SessionKey && s.Station == l.Station
}
