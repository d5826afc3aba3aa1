package cli

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api/apitest"
	"github.com/loaxa/loaxa/controller/desk"
)

func TestATemplateFromAShell(t *testing.T) {
	h := apitest.New(t)
	editor, one, two := h.Named("bien-tap"), h.Named("duyet-1"), h.Named("duyet-2")
	draft := desk.TemplateDraft{Title: "Lũ \x1bquét", Areas: []broadcast.ID{broadcast.BacQuang}, Versions: []desk.DraftVersion{{Content: h.Content(7 * time.Second)}},
		Local: &broadcast.OnSite{Keys: []broadcast.Switch{"flood"}, Hourly: 3}}
	if _, _, err := h.Desk.PutTemplate(t.Context(), editor.Person, "lu", 0, draft); err == nil {
		t.Fatal("a title that moves the cursor was kept")
	}
	draft.Title = "Lũ quét"
	if _, _, err := h.Desk.PutTemplate(t.Context(), editor.Person, "lu", 0, draft); err != nil {
		t.Fatal(err)
	}
	run := func(token string, want int, args ...string) string {
		t.Helper()
		var out bytes.Buffer
		all := append([]string{"template", args[0], "--controller", h.Server.URL, "--token", token}, args[1:]...)
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
	has(run(one.Token, 0, "list"), "lu", "emergency", "2 of 2 signatures", "Lũ quét")
	shown := run(one.Token, 0, "sign", "lu")
	has(shown, "Lũ quét", "bac-quang", "flood", "08:00 22/11/2027", "recording vi")
	digest := regexp.MustCompile(`digest +([0-9a-f]{64})`).FindStringSubmatch(shown)
	if digest == nil {
		t.Fatalf("no digest: %s", shown)
	}
	has(run(one.Token, 1, "sign", "lu", "--digest", strings.Repeat("0", 64)), "read it again", "hãy đọc lại")
	has(run(one.Token, 0, "sign", "lu", "--digest", digest[1]), "1 of 2 signatures")
	has(run(two.Token, 0, "sign", "lu", "--digest", digest[1]), "stands until 08:00 22/11/2027")
	has(run(two.Token, 1, "sign", "lu"), "nothing of template lu waits")
	has(run(one.Token, 0, "activate", "lu", "--area", "xa-bac-quang"), "starts 08:00:03 22/11/2026 in xa-bac-quang")
	has(run(one.Token, 1, "activate", "lu"), "by Duyệt một", "đang phát do")
	if text := run(one.Token, 0, "activate", "lu", "--choice", "add"); strings.Contains(text, "xa-bac-quang") {
		t.Errorf("added where it sounds already: %s", text)
	}
	has(run(one.Token, 1, "withdraw", "lu", "--reason", "lời cũ"), "fall silent")
	h.Clock.Add(24 * time.Hour)
	has(run(editor.Token, 0, "renew", "lu"), "0 of 2 signatures")
	has(run(one.Token, 0, "withdraw", "lu", "--reason", "lời cũ"), "withdrawn")
	has(run(one.Token, 0, "list"), "withdrawn", "2 of 2 signatures")
}
