package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
	"github.com/loaxa/loaxa/controller/store"
)

// bell counts who was woken.
type bell struct{ rung int }

func (b *bell) Changed() { b.rung++ }

// newWelcome returns a welcome over a demo house, with two nodes that wait.
func newWelcome(t *testing.T) (*welcome, *bell, peopletest.House) {
	t.Helper()
	h := peopletest.Demo(t, time.Now)
	f := fleet.New(fleet.Config{DB: h.DB, Office: h.Office, Tree: h.Config.Tree, Events: &events.Hub{}, Now: time.Now, Log: quiet(),
		Controllers: []broadcast.Controller{{HTTP: "http://127.0.0.1:1", MQTT: "mqtt://127.0.0.1:2"}}})
	for _, id := range []broadcast.ID{"n1", "n2"} {
		token, err := f.Invite(t.Context(), "ky-thuat", fleet.Invitation{Node: id, Area: "tan-lap"})
		if err != nil {
			t.Fatal(err)
		}
		e := wire.Enrolment{Node: id, Token: token, Board: "simulated"}.Prove(sealtest.Key(string(id)))
		if _, err := f.Enrol(t.Context(), e, h.Office.Roots()); err != nil {
			t.Fatal(err)
		}
	}
	b := &bell{}
	return &welcome{fleet: f, office: h.Office, events: &events.Hub{}, dispatch: b, technician: h.Token(t, "technician", ""), log: quiet()}, b, h
}

func statusOf(t *testing.T, h peopletest.House, id broadcast.ID) store.NodeStatus {
	t.Helper()
	n, err := h.DB.Node(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return n.Status
}

func TestADemoConfirmsWhoeverEnrols(t *testing.T) {
	w, b, h := newWelcome(t)
	for range 2 {
		if err := w.confirmPending(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if statusOf(t, h, "n1") != store.Confirmed || statusOf(t, h, "n2") != store.Confirmed || b.rung != 1 {
		t.Errorf("n1 is %s, n2 is %s, dispatch was told %d times", statusOf(t, h, "n1"), statusOf(t, h, "n2"), b.rung)
	}
}

func TestOneNodeThatCannotBeConfirmedKeepsNoOtherWaiting(t *testing.T) {
	w, b, h := newWelcome(t)
	err := h.DB.Update(t.Context(), func(tx store.Tx) error {
		n, err := tx.Node(t.Context(), "n1")
		if err != nil {
			return err
		}
		n.Area = "no-such-area"
		return tx.SaveNode(t.Context(), n)
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.confirmPending(t.Context()); err == nil {
		t.Error("nobody heard of the node that could not be confirmed")
	}
	if statusOf(t, h, "n1") != store.Pending || statusOf(t, h, "n2") != store.Confirmed || b.rung != 1 {
		t.Errorf("n1 is %s, n2 is %s", statusOf(t, h, "n1"), statusOf(t, h, "n2"))
	}
}

func TestAWelcomeWithoutAGoodTokenSaysSo(t *testing.T) {
	w, b, h := newWelcome(t)
	w.technician = "lx_" + "A"
	if err := w.confirmPending(t.Context()); !errors.Is(err, people.ErrCredential) {
		t.Errorf("%v", err)
	}
	if statusOf(t, h, "n1") != store.Pending || b.rung != 0 {
		t.Errorf("n1 is %s", statusOf(t, h, "n1"))
	}
}

// invite asks a running demo for a token without a login.
func (r *running) invite(node string) string {
	r.t.Helper()
	body := []byte(`{"nodes":[{"node":"` + node + `","area":"tan-lap"}]}`)
	res, err := http.Post(r.at.HTTP+"/api/v1/demo/enrolment-tokens", "application/json", bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var out struct{ Tokens []struct{ Token string } }
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || len(out.Tokens) != 1 {
		r.t.Fatalf("%s %v", res.Status, err)
	}
	return out.Tokens[0].Token
}

func TestANodeOfARunningDemoIsConfirmedAtOnce(t *testing.T) {
	r := run(t, demoOptions(demoFolder(t)))
	e := wire.Enrolment{Node: "n1", Token: r.invite("n1"), Board: "simulated"}.Prove(sealtest.Key("n1"))
	raw, err := broadcast.Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Post(r.at.HTTP+"/api/v1/enrolments", "application/json", bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		t.Fatal(res.Status)
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(patience); r.status()["nodes"] != 1.0; {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal("not confirmed in time")
		}
	}
	r.stop()
}
