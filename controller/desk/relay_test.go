package desk_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/desk"
)

// oneStation is a house with one.
type oneStation struct{}

func (oneStation) May(station broadcast.ID, _ ...broadcast.ID) error {
	if station != "vov1" {
		return errors.New("no such station")
	}
	return nil
}

func TestAProgrammeWithARelayIsDraftedWithASessionOfItsOwn(t *testing.T) {
	r := newRig(t)
	r.Desk = desk.New(desk.Config{Relays: oneStation{}, DB: r.DB, Keys: r.Office, Rights: r.Office, Fleet: r.Fleet, Tree: r.Tree, Events: r.Hub, Wake: r.Woken,
		Now: r.Clock.Now, Log: slog.New(slog.DiscardHandler)})
	draft := func(station broadcast.ID) desk.Draft {
		d := r.notice()
		d.Versions = []desk.DraftVersion{{Programme: &desk.DraftProgramme{Segments: []desk.DraftSegment{{Title: "Tin", Content: r.sound},
			{Title: "Tiếp âm VOV1", Relay: station, Length: 20 * time.Minute}}}}}
		return d
	}
	seen := map[string]bool{}
	for range 2 {
		a, err := r.Desk.Create(t.Context(), r.first.Person, draft("vov1"), nil)
		if err != nil {
			t.Fatal(err)
		}
		orders, err := r.DB.RunningOrders(t.Context(), a.Document.ID)
		if err != nil || len(orders) != 1 {
			t.Fatal(orders, err)
		}
		order, err := broadcast.Decode[broadcast.RunningOrder](orders[0].Raw)
		if err != nil {
			t.Fatal(err)
		}
		live := order.Segments[1].Relay
		if live == nil || live.Station != "vov1" || live.Millis != 1200000 || seen[live.SessionKey] {
			t.Errorf("%+v", live)
		}
		seen[live.SessionKey] = true
	}
	if _, err := r.Desk.Create(t.Context(), r.first.Person, draft("radio-x"), nil); err == nil || !strings.Contains(err.Error(), "no such station") {
		t.Errorf("an unknown station: %v", err)
	}
	urgent := draft("vov1")
	urgent.Class = broadcast.Emergency
	if _, err := r.Desk.Create(t.Context(), r.first.Person, urgent, nil); err == nil || !strings.Contains(err.Error(), "never an emergency") {
		t.Errorf("an emergency: %v", err)
	}
}
