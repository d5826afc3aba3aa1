package api_test

import (
	"strings"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api"
)

func wish(change func(*api.Wish)) api.Wish {
	w := api.Wish{Way: "mail", Address: "an@example.vn", Areas: []string{"bac-quang"}, Topics: []string{"faults"}, Language: "vi"}
	if change != nil {
		change(&w)
	}
	return w
}

func TestSubscriptionsComeAndGo(t *testing.T) {
	r := newRig(t)
	technician, admin, editor := r.Named("ky-thuat").Token, r.Named("quan-tri").Token, r.Named("bien-tap").Token
	var sub api.Subscription
	r.ok(r.post(technician, "/api/v1/subscriptions", wish(nil)), 201, &sub)
	for who, n := range map[string]int{technician: 1, admin: 1, editor: 0} {
		var all struct {
			Ways          []string
			Subscriptions []api.Subscription
		}
		r.ok(r.by(who, "/api/v1/subscriptions"), 200, &all)
		if len(all.Subscriptions) != n || len(all.Ways) != 1 || all.Ways[0] != "mail" {
			t.Errorf("%+v, want %d", all, n)
		}
	}
	var m api.Message
	r.ok(r.post(technician, "/api/v1/subscriptions/"+sub.ID+"/try", struct{}{}), 200, &m)
	for who, n := range map[string]int{technician: 1, admin: 1, editor: 0} {
		var all struct{ Messages []api.Message }
		r.ok(r.by(who, "/api/v1/messages"), 200, &all)
		if len(all.Messages) != n || n == 1 && (all.Messages[0].ID != m.ID || all.Messages[0].State != "queued") {
			t.Errorf("%+v, want %d", all, n)
		}
	}
	if got := r.post(editor, "/api/v1/subscriptions/"+sub.ID+"/end", struct{}{}); got.Status != 404 {
		t.Errorf("ended by somebody else: %d", got.Status)
	}
	r.ok(r.post(technician, "/api/v1/subscriptions/"+sub.ID+"/end", struct{}{}), 200, nil)
	if got := r.post(technician, "/api/v1/subscriptions/"+sub.ID+"/end", struct{}{}); got.Status != 404 {
		t.Errorf("ended twice: %d", got.Status)
	}
}

func TestWishesThatCannotBeAreAnsweredWithWhatToChange(t *testing.T) {
	r := newRig(t)
	for name, c := range map[string]struct {
		who    string
		change func(*api.Wish)
		status int
		code   string
	}{
		"a way that is not set up": {"quan-tri", func(w *api.Wish) { w.Way = "webhook" }, 422, "subscription"},
		"an address of two lines":  {"quan-tri", func(w *api.Wish) { w.Address = "an@example.vn\r\nBcc: x@example.vn" }, 422, "subscription"},
		"approvals for an editor":  {"bien-tap", func(w *api.Wish) { w.Topics = []string{"approvals"} }, 403, "forbidden"},
		"an unknown topic":         {"quan-tri", func(w *api.Wish) { w.Topics = []string{"<b>"} }, 422, "subscription"},
		"somebody unknown":         {"", nil, 401, "credential"},
	} {
		token := "nobody"
		if c.who != "" {
			token = r.Named(broadcast.ID(c.who)).Token
		}
		got := r.post(token, "/api/v1/subscriptions", wish(c.change))
		if p := got.Problem(t); got.Status != c.status || p.Code != c.code || p.DetailVI == "" {
			t.Errorf("%s: %d %+v", name, got.Status, p)
		}
	}
}

func TestMessagesComeInPages(t *testing.T) {
	r := newRig(t)
	admin := r.Named("quan-tri").Token
	var sub api.Subscription
	r.ok(r.post(admin, "/api/v1/subscriptions", wish(nil)), 201, &sub)
	for range 5 {
		r.ok(r.post(admin, "/api/v1/subscriptions/"+sub.ID+"/try", struct{}{}), 200, nil)
	}
	seen := map[string]bool{}
	cursor := ""
	for range 3 {
		var page struct {
			Messages []api.Message
			Next     string
		}
		r.ok(r.by(admin, "/api/v1/messages?limit=2"+cursor), 200, &page)
		for _, m := range page.Messages {
			seen[m.ID] = true
		}
		cursor = "&cursor=" + page.Next
	}
	if len(seen) != 5 || !strings.HasSuffix(cursor, "=") {
		t.Errorf("%d messages, then %q", len(seen), cursor)
	}
}
