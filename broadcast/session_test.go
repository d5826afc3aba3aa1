package broadcast_test

import (
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
)

func aSession() broadcast.Session {
	return broadcast.Session{Key: sealtest.Public("session"), Station: "vov1", Signer: sealtest.Public("signer"), At: at, Until: at + 3600000}
}

func aRelay() broadcast.Live {
	return broadcast.Live{SessionKey: string(sealtest.Public("session")), Source: broadcast.Relay, Station: "vov1", Millis: 900000}
}

func TestASessionIsBounded(t *testing.T) {
	type s = broadcast.Session
	most := broadcast.Instant(broadcast.MaxSession.Milliseconds())
	holdEdges(t, aSession, []edge[s]{
		{"session_key", nil, func(s *s) { s.Key = "x" }},
		{"station", func(s *s) { s.Station = "1" }, func(s *s) { s.Station = "" }},
		{"signer", nil, func(s *s) { s.Signer = s.Signer[1:] }},
		{"signer", nil, func(s *s) { s.Signer = s.Key }},
		{"at", func(s *s) { s.At, s.Until = 1, 2 }, func(s *s) { s.At, s.Until = 0, 1 }},
		{"until", func(s *s) { s.Until = s.At + 1 }, func(s *s) { s.Until = s.At }},
		{"until", func(s *s) { s.Until = s.At + most }, func(s *s) { s.Until = s.At + most + 1 }},
	})
}

func TestASessionIsOfOneLiveBodyAlone(t *testing.T) {
	if !aSession().Of(aRelay()) {
		t.Error("not of its own")
	}
	for name, change := range map[string]func(*broadcast.Live){
		"another station":    func(l *broadcast.Live) { l.Station = "vov2" },
		"another session":    func(l *broadcast.Live) { l.SessionKey = string(sealtest.Public("other")) },
		"no relay at all":    func(l *broadcast.Live) { l.Source = broadcast.Microphone },
		"a session, unnamed": func(l *broadcast.Live) { l.SessionKey = "" },
	} {
		l := aRelay()
		change(&l)
		if aSession().Of(l) {
			t.Errorf("of %s", name)
		}
	}
}
