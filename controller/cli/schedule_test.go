package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/store"
)

func TestAScheduleFromAShell(t *testing.T) {
	h := apitest.New(t)
	h.Node("tan-lap-1", "tan-lap")
	h.Update(func(tx store.Tx) error { return tx.Unlist(t.Context(), broadcast.KindSlot, "khung-gio-huyen") })
	district, official := h.Named("duyet-1"), h.Named("can-bo-xa")
	offer, err := h.Desk.Create(t.Context(), district.Person, desk.Draft{Title: "Tin huyện", Areas: []broadcast.ID{broadcast.BacQuang}, Reason: "thử",
		Versions: []desk.DraftVersion{{Content: h.Content(time.Minute)}}, Timing: broadcast.Timing{Start: h.Now().Add(9 * time.Hour)}}, nil)
	if err == nil {
		_, err = h.Desk.Submit(t.Context(), district.Person, district.Credential, offer.Document.ID, "")
	}
	if err == nil {
		_, err = h.Desk.Approve(t.Context(), district.Person, district.Credential, offer.Document.ID, offer.Digest)
	}
	if err != nil {
		t.Fatal(err)
	}
	id := string(offer.Document.ID)
	run := func(want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		h.Clock.Add(time.Second)
		all := append([]string{"schedule", args[0], "--controller", h.Server.URL, "--token", official.Token, "--area", "xa-tan-quang"}, args[1:]...)
		if code := Run(all, Streams{Out: &out, Err: &out}); code != want {
			t.Fatalf("%v: exit %d, want %d: %s", args, code, want, out.String())
		}
		return out.String()
	}
	has := func(text string, words ...string) {
		t.Helper()
		for _, w := range words {
			if !strings.Contains(text, w) {
				t.Errorf("%q lacks %q", text, w)
			}
		}
	}
	has(run(0, "offers"), id, "district", "17:00 22/11/2026", "unanswered", "Tin huyện")
	has(run(0, "ahead"), "“Tin huyện”: silent: offered by a higher level")
	has(run(1, "place", id, "--start", "mai"), "dd/MM/yyyy HH:MM")
	has(run(1, "place", id, "x", "--start", "22/11/2026 11:30"), "one offer")
	has(run(1, "place", id, "--start", "22/11/2026 20:00"), "may begin until 17:01", "chỉ được phát đến 17:01")
	has(run(0, "place", id, "--start", "22/11/2026 11:30"), "placed 11:30 22/11/2026")
	has(run(0, "ahead", "--days", "1"), "“Tin huyện”: sounds 11:30")
	has(run(0, "decline", id, "--reason", "trùng lễ"), "declined", "trùng lễ")

	body := api.NewProgrammeDay{Title: "Buổi sáng", Start: "2026-11-23T05:30:00+07:00", Minutes: 1,
		Segments: []api.DaySegment{{Title: "Tin", Content: string(h.Content(2 * time.Minute))}}}
	added := h.Do(apitest.Call{Method: "POST", Path: "/api/v1/programmes", Token: official.Token, Body: struct {
		Area string `json:"area"`
		api.NewProgrammeDay
	}{"xa-tan-quang", body}})
	if added.Status != 201 {
		t.Fatalf("%d %s", added.Status, added.Body)
	}
	has(run(0, "programmes", "--from", "23/11/2026"), "05:30 23/11/2026", "2m0s", "1 min, does not fit", "not drafted", "Buổi sáng")
	has(run(0, "copy", "--from", "23/11/2026", "--to", "24/11/2026"), "1 copied", "05:30 24/11/2026")
	has(run(0, "copy", "--from", "23/11/2026", "--to", "24/11/2026"), "0 copied, 1 stand there already")
	has(run(1, "copy", "--from", "hôm qua", "--to", "24/11/2026"), "dd/MM/yyyy")
	has(run(0, "programmes"), "ID")
}
