package loaxa

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/desk"
	controller "github.com/loaxa/loaxa/controller/store"
)

// TestAScheduleMistypedIntoTheNightMakesNoSound is the mistake that woke a
// commune at 03:15, with a real desk, dispatch, link and node in virtual time. A
// programme for 15:15 is typed as 03:15, every day for a week, and one for 04:15
// beside it shows that this house can sound.
func TestAScheduleMistypedIntoTheNightMakesNoSound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		<-time.After(time.Until(time.Date(2026, 11, 23, 2, 50, 0, 0, broadcast.Local())))
		n := newNight(t)
		<-time.After(5 * time.Minute) // to be given everything
		mistake, first := n.draft("Tin mười lăm giờ mười lăm", 3), n.at(3)
		n.foretold(mistake, first)
		n.insist(mistake)
		meant := n.draft("Tin sáng", 4)
		if f := meant.Forecast; f == nil || f.Nowhere || f.Outcomes[0].Reason != nil {
			t.Fatalf("what is meant: %+v", f)
		}
		n.publish(meant, nil)
		n.planned(mistake, first)
		<-time.After(time.Until(n.at(4).Time().Add(5 * time.Minute)))
		n.proved(mistake, "refused", "quiet")
		n.proved(meant, "ended", "")
		for _, p := range n.player.Played() {
			if p.Powered.Before(n.at(4).Time().Add(-time.Minute)) {
				t.Errorf("the relay closed at %s", p.Powered.In(broadcast.Local()))
			}
		}
		if sounded := n.player.Sounded(); len(sounded) != 1 {
			t.Errorf("%d soundings, want the one that is meant", len(sounded))
		}
	})
}

// night is a controller with its interface and one node, in the small hours.
type night struct {
	*resting
	*testing.T
	handler http.Handler
	token   string
	content broadcast.Digest
}

func newNight(t *testing.T) *night {
	t.Helper()
	n := &night{resting: newResting(t), T: t}
	n.token, n.recording = n.house.Token(t, "approver", broadcast.BacQuang), []byte("recording of a morning")
	n.content = broadcast.Sum(n.recording)
	err := n.house.DB.Update(t.Context(), func(tx controller.Tx) error {
		return tx.AddContent(t.Context(), controller.Content{SHA256: n.content, Bytes: int64(len(n.recording)), Millis: 10000, Name: "tin.mp3",
			Person: "bien-tap", Measured: "{}", Created: broadcast.InstantOf(time.Now())})
	})
	if err != nil {
		t.Fatal(err)
	}
	log, tree := slog.New(slog.DiscardHandler), n.house.Config.Tree
	d := desk.New(desk.Config{DB: n.house.DB, Keys: n.house.Office, Rights: n.house.Office, Fleet: n.fleet, Tree: tree, Events: n.hub,
		Wake: n.dispatch, Now: time.Now, Log: log})
	n.handler, err = api.New(api.Config{DB: n.house.DB, Desk: d, Office: n.house.Office, Fleet: n.fleet, Events: n.hub, Tree: tree,
		Holdings: n.dispatch, Version: "test", Now: time.Now, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// at is a quarter past some hour of this night.
func (n *night) at(hour int) broadcast.Instant {
	return broadcast.InstantOf(time.Date(2026, 11, 23, hour, 15, 0, 0, broadcast.Local()))
}

// call asks the interface, which must answer with a status.
func (n *night) call(method, path string, in any, status int, out any) {
	n.Helper()
	body, err := json.Marshal(in)
	if err != nil {
		n.Fatal(err)
	}
	req := httptest.NewRequest(method, path, bytes.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+n.token)
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	answer := httptest.NewRecorder()
	n.handler.ServeHTTP(answer, req)
	if answer.Code != status {
		n.Fatalf("%s %s: %d %s", method, path, answer.Code, answer.Body)
	}
	if err := json.Unmarshal(answer.Body.Bytes(), out); err != nil {
		n.Fatal(err)
	}
}

// draft writes a daily announcement for a quarter past some hour.
func (n *night) draft(title string, hour int) (a api.Announcement) {
	n.Helper()
	start := n.at(hour)
	n.call("POST", "/api/v1/announcements", api.NewAnnouncement{Title: title, Class: "priority", Areas: []string{"bac-quang"}, Reason: "trực một mình",
		Versions: []api.NewVersion{{Content: string(n.content)}},
		Timing:   api.NewTiming{Start: start.String(), Recurrence: "FREQ=DAILY", Until: start.Add(6 * 24 * time.Hour).String()}}, http.StatusCreated, &a)
	return a
}

// foretold checks that the office sees before anybody signed that nothing of it
// will sound, and why.
func (n *night) foretold(a api.Announcement, first broadcast.Instant) {
	n.Helper()
	f := a.Forecast
	if f == nil || !f.Nowhere || f.Nodes != 1 || f.Occurrences != 7 || len(f.Outcomes) != 1 {
		n.Fatalf("foretold: %+v", f)
	}
	if o := f.Outcomes[0]; o.Sounds || o.Reason.Code != "quiet" || o.Nodes != 1 || o.Occurrences != 7 || o.First != first.String() ||
		o.Last != first.Add(6*24*time.Hour).String() {
		n.Errorf("foretold: %+v", o)
	}
}

// insist shows that it is not published by mistake, and publishes it although
// its silence was seen: what the office lets through, the node still judges.
func (n *night) insist(a api.Announcement) {
	n.Helper()
	var p api.Problem
	n.call("POST", "/api/v1/announcements/"+a.ID+"/submit", map[string]any{"digest": a.Digest}, http.StatusUnprocessableEntity, &p)
	if p.Code != "sounds-nowhere" || p.DetailVI == "" {
		n.Errorf("%+v", p)
	}
	n.publish(a, []string{"quiet"})
}

func (n *night) publish(a api.Announcement, accept []string) {
	n.Helper()
	n.call("POST", "/api/v1/announcements/"+a.ID+"/submit", map[string]any{"accept_silence": accept}, http.StatusOK, &a)
	n.call("POST", "/api/v1/announcements/"+a.ID+"/approve", map[string]any{"digest": a.Digest}, http.StatusOK, &a)
	if a.State != "published" {
		n.Fatalf("%+v", a)
	}
}

// planned checks that the plan of the node says the same of every occurrence.
func (n *night) planned(a api.Announcement, first broadcast.Instant) {
	n.Helper()
	var p api.Plan
	n.call("GET", "/api/v1/nodes/"+string(restingNode)+"/plan?to="+first.Add(7*24*time.Hour).String(), nil, http.StatusOK, &p)
	seen := 0
	for _, e := range p.Entries {
		if e.Announcement != a.ID {
			continue
		}
		if seen++; e.Rung != "refused" || e.Reason == nil || e.Reason.Code != "quiet" || len(e.Soundings) != 0 {
			n.Errorf("planned: %+v", e)
		}
	}
	if seen != 7 {
		n.Errorf("%d occurrences are planned, want 7", seen)
	}
}

// proved checks where the occurrence of this night ended by the node's own
// receipt.
func (n *night) proved(a api.Announcement, end, why string) {
	n.Helper()
	var d api.Deliveries
	n.call("GET", "/api/v1/announcements/"+a.ID+"/deliveries", nil, http.StatusOK, &d)
	if len(d.Nodes) != 1 || len(d.Nodes[0].Occurrences) != 1 {
		n.Fatalf("%s: %+v", a.Title, d.Nodes)
	}
	o := d.Nodes[0].Occurrences[0]
	if o.End != end || (o.Reason == nil) != (why == "") || o.Reason != nil && o.Reason.Code != why || o.Start != a.Timing.Start {
		n.Errorf("%s: %+v", a.Title, o)
	}
}
