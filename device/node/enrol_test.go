package node_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/store"
	"github.com/loaxa/loaxa/device/store/storetest"
)

func card(t *testing.T, d *storetest.Disk) *store.Registers {
	t.Helper()
	r, err := store.OpenRegisters(d.FS(), "registers", store.RegisterLimits{Value: 260 << 10, Count: 100, Total: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNodeKeepsTheKeyOfItsFirstBoot(t *testing.T) {
	d := storetest.New()
	first, err := node.OwnKey(card(t, d), nil)
	if err != nil {
		t.Fatal(err)
	}
	again, err := node.OwnKey(card(t, d), nil)
	if err != nil || !first.Equal(again) {
		t.Errorf("another key at the second boot (%v)", err)
	}
	for _, f := range d.Files() {
		if err := d.Rot(f, 30); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := node.OwnKey(card(t, d), nil); !errors.Is(err, store.ErrCorrupt) || !strings.Contains(err.Error(), "fresh card") {
		t.Errorf("a damaged key: %v", err)
	}
}

func TestEnrolmentBelievesOnlyThePinnedRoot(t *testing.T) {
	centre := nodetest.NewCentre(time.Now, false)
	at := []broadcast.Controller{{HTTP: "http://c", MQTT: "mqtt://c"}}
	good := wire.Enrolled{Node: "tan-lap-1", Secret: "s", Controllers: at, Roots: []broadcast.Envelope{centre.House.Root}, ShortCode: "1"}
	other := good
	other.Roots = []broadcast.Envelope{nodetest.NewCentre(time.Now, true).House.Root}
	foreign := good
	foreign.Node = "viet-vinh-1"
	for _, c := range []struct {
		name  string
		code  int
		body  any
		want  string // "" for success
		final bool
	}{
		{"good", http.StatusCreated, good, "", false},
		{"another root", http.StatusCreated, other, "not the authority", true},
		{"another node", http.StatusCreated, foreign, "for node viet-vinh-1", false},
		{"nothing", http.StatusOK, map[string]any{}, "not understood", false},
		{"a spent token", http.StatusForbidden, map[string]any{"title": "token spent", "detail": "ask for a new one"}, "token spent: ask for a new one", true},
		{"an error that passes", http.StatusServiceUnavailable, "not now", "503", false},
		{"too many", http.StatusTooManyRequests, "", "429", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got wire.Enrolment
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
					t.Error(err)
				}
				w.WriteHeader(c.code)
				if err := json.NewEncoder(w).Encode(c.body); err != nil {
					t.Error(err)
				}
			}))
			defer server.Close()
			r := card(t, storetest.New())
			key, err := node.OwnKey(r, nil)
			if err != nil {
				t.Fatal(err)
			}
			who := node.Candidate{Controller: server.URL + "/", Node: "tan-lap-1", Token: "token", Board: "simulated", Pin: centre.House.Pin}
			_, err = node.Enrol(t.Context(), server.Client(), who, key, r)
			if got.Validate() != nil || got.Token != "token" || got.Node != "tan-lap-1" {
				t.Errorf("it showed %+v", got)
			}
			kept, done, errKept := node.Enrolled(r)
			if errKept != nil || done != (c.want == "") {
				t.Errorf("kept: %v, %v", done, errKept)
			}
			if c.want == "" {
				if err != nil || kept.Secret != "s" {
					t.Errorf("%v; kept %+v", err, kept)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, node.ErrRefusedEnrolment) != c.final {
				t.Errorf("got %v (final: %v), want %q (final: %v)", err, errors.Is(err, node.ErrRefusedEnrolment), c.want, c.final)
			}
		})
	}
}

func TestEnrolmentOfAnAbsentControllerCanBeTriedAgain(t *testing.T) {
	r := card(t, storetest.New())
	key, err := node.OwnKey(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = node.Enrol(ctx, http.DefaultClient, node.Candidate{Controller: "http://127.0.0.1:1", Node: "tan-lap-1"}, key, r)
	if err == nil || errors.Is(err, node.ErrRefusedEnrolment) {
		t.Errorf("got %v, want an error that is not final", err)
	}
}

func TestShortCodeIsSaidAtEveryStartUntilTheNodeHasAPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := nodetest.NewRig(t)
		var said strings.Builder
		r.Change = func(cfg *node.Config) { cfg.Log = slog.New(slog.NewTextHandler(&said, nil)) }
		code, err := wire.ShortCode(r.Public())
		if err != nil {
			t.Fatal(err)
		}
		for life, want := range []bool{true, true, false} {
			said.Reset()
			r.Boot()
			pass(time.Second)
			if life == 1 {
				r.Settle()
				pass(time.Second)
			}
			r.Stop()
			if got := strings.Contains(said.String(), "code="+code); got != want {
				t.Errorf("life %d: the short code was said: %v, want %v", life, got, want)
			}
		}
	})
}
