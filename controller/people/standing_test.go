package people_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/controller/people"
)

func TestATemplateStandsWithTheKeysOfTwoPeopleAndNoFewer(t *testing.T) {
	c := newClock()
	h, _ := real(t, c)
	ctx := context.Background()
	lan := people.Credential{Person: "lan", Passphrase: "mưa nguồn suối lũ"}
	ha := people.Credential{Person: "ha", Passphrase: "cầu treo bản Mới"}
	m := broadcast.Template{ID: "mau-lu", Class: broadcast.Emergency, Title: "Lũ quét", Areas: []broadcast.ID{"viet-quang"},
		Versions: []broadcast.Version{{Language: "vi", Content: &broadcast.Content{SHA256: broadcast.Sum(nil), Millis: 1000, Bytes: 10}}},
		Expires:  c.instant().Add(300 * 24 * time.Hour),
		Local:    &broadcast.OnSite{Codes: []broadcast.Code{{Number: "11", Person: "lan", Lock: broadcast.Lock(strings.Repeat("A", 64))}}, Hourly: 3}}
	for name, second := range map[string]people.Credential{"one person twice": lan, "somebody of another commune": ha,
		"a wrong passphrase": {Person: "an", Passphrase: "wrong"}, "nobody": {}} {
		if _, err := h.Office.Stand(ctx, lan, second, m); err == nil {
			t.Errorf("%s: it stands", name)
		}
	}
	if _, err := h.Office.Stand(ctx, lan, ha, m); !errors.Is(err, seal.ErrRight) && !errors.Is(err, seal.ErrThreshold) {
		t.Errorf("somebody of another commune: %v", err)
	}
	if _, err := h.Office.Stand(ctx, an, lan, broadcast.Template{ID: "leer"}); err == nil {
		t.Error("a template without words stands")
	}
	if _, err := h.Office.Stand(ctx, an, lan, m); err != nil {
		t.Fatal(err)
	}
	got, proof, areas := listed[broadcast.Template](t, h, c, broadcast.KindTemplate)
	if got.ID != m.ID || got.Revision != broadcast.Revision(c.instant()) || len(proof.Signers) != 2 || len(areas) != 1 {
		t.Errorf("%+v, sealed by %+v, listed in %v", got, proof.Signers, areas)
	}
}
