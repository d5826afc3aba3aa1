package api_test

import (
	"bytes"
	"net/http"
	"strconv"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/recording"
	"github.com/loaxa/loaxa/controller/store"
)

// spoken is half a second as a node records it.
var spoken = append(media.VoiceHead(media.VoiceRate), bytes.Repeat([]byte{1, 2, 3, 4}, media.VoiceRate/4)...)

// tell has a receipt of a node name a recording.
func (r *rig) tell(node, firing broadcast.ID, raw []byte) string {
	r.t.Helper()
	n, err := r.DB.Node(r.t.Context(), node)
	if err != nil {
		r.t.Fatal(err)
	}
	row := store.Recording{Node: node, SHA256: broadcast.Sum(raw), Area: n.Area, Announcement: firing, Bytes: int64(len(raw)), Millis: 500, Told: r.Now()}
	r.Update(func(tx store.Tx) error { return tx.AddRecordings(r.t.Context(), []store.Recording{row}) })
	return string(row.SHA256)
}

// say has it named, and brought by hand.
func (r *rig) say(node, firing broadcast.ID, raw []byte) apitest.Answer {
	r.t.Helper()
	return r.bring(r.Named("ky-thuat").Token, string(node), r.tell(node, firing, raw), raw)
}

func (r *rig) bring(token, node, sum string, raw []byte) apitest.Answer {
	r.t.Helper()
	return r.Do(apitest.Call{Method: "POST", Path: "/api/v1/nodes/" + node + "/recordings/" + sum, Token: token, Body: raw,
		Header: map[string]string{"Content-Type": "application/octet-stream"}})
}

// sends has a node ask, send or lose.
func (r *rig) sends(method, node, secret, sum string, offset int, raw []byte) apitest.Answer {
	r.t.Helper()
	return r.Do(apitest.Call{Method: method, Path: "/recording/" + sum, Body: raw, Header: map[string]string{
		"Authorization": "Basic " + basic(node, secret), "Content-Type": "application/octet-stream", "Upload-Offset": strconv.Itoa(offset)}})
}

// hears asks for some of a recording.
func (r *rig) hears(token, node, sum, span string) apitest.Answer {
	r.t.Helper()
	return r.Do(apitest.Call{Method: "GET", Path: "/api/v1/nodes/" + node + "/recordings/" + sum, Token: token, Header: map[string]string{"Range": span}})
}

func TestANodeSendsWhatWasSpokenInPiecesAndItIsHeardInPieces(t *testing.T) {
	r := newRig(t)
	secret := r.Node("tan-lap-1", "tan-lap")
	sum := string(broadcast.Sum(spoken))
	if got := r.sends("GET", "tan-lap-1", secret, sum, 0, nil); got.Status != 404 {
		t.Errorf("before a receipt names it: %d %s", got.Status, got.Body)
	}
	r.tell("tan-lap-1", "f1", spoken)
	for _, part := range [][2]int{{0, 7000}, {7000, len(spoken)}} {
		var have api.Arrived
		if r.ok(r.sends("GET", "tan-lap-1", secret, sum, 0, nil), 200, &have); have != (api.Arrived{Held: int64(part[0]), Bytes: int64(len(spoken))}) {
			t.Errorf("%+v", have)
		}
		if got := r.hears(r.first, "tan-lap-1", sum, ""); got.Status != 404 {
			t.Errorf("a part is heard: %d", got.Status)
		}
		r.ok(r.sends("PATCH", "tan-lap-1", secret, sum, part[0], spoken[part[0]:part[1]]), 200, nil)
	}
	got := r.hears(r.first, "tan-lap-1", sum, "")
	if got.Status != 200 || !bytes.Equal(got.Body, spoken) || got.Header.Get("Content-Type") != "audio/wav" {
		t.Errorf("%d %v, %d bytes", got.Status, got.Header, len(got.Body))
	}
	if got := r.hears(r.first, "tan-lap-1", sum, "bytes=100-199"); got.Status != http.StatusPartialContent || !bytes.Equal(got.Body, spoken[100:200]) {
		t.Errorf("a piece: %d, %d bytes", got.Status, len(got.Body))
	}
	r.ok(r.sends("PATCH", "tan-lap-1", secret, sum, 0, spoken), 200, nil) // sent again, it is taken
	r.ok(r.sends("DELETE", "tan-lap-1", secret, sum, 0, nil), 204, nil)
	if got := r.hears(r.first, "tan-lap-1", sum, ""); got.Status != 200 {
		t.Errorf("what is gone from the card is gone here: %d", got.Status)
	}
}

func TestNobodySendsARecordingThatIsNotHis(t *testing.T) {
	r := newRig(t)
	mine, other := r.Node("tan-lap-1", "tan-lap"), r.Node("tan-lap-2", "tan-lap")
	sum := r.tell("tan-lap-1", "f1", spoken)
	large := store.Recording{Node: "tan-lap-1", SHA256: broadcast.Sum([]byte("large")), Announcement: "f2", Bytes: recording.Longest + 1}
	r.Update(func(tx store.Tx) error { return tx.AddRecordings(t.Context(), []store.Recording{large}) })
	wrong := bytes.Clone(spoken)
	wrong[100]++
	technician := r.Named("ky-thuat").Token
	for name, c := range map[string]struct {
		got    apitest.Answer
		status int
		code   string
	}{
		"another node's digest": {r.sends("PATCH", "tan-lap-2", other, sum, 0, spoken), 404, "not-found"},
		"asked by another node": {r.sends("GET", "tan-lap-2", other, sum, 0, nil), 404, "not-found"},
		"lost by another node":  {r.sends("DELETE", "tan-lap-2", other, sum, 0, nil), 404, "not-found"},
		"with its secret":       {r.sends("PATCH", "tan-lap-1", other, sum, 0, spoken), 401, "credential"},
		"never told":            {r.sends("PATCH", "tan-lap-1", mine, string(broadcast.Sum(wrong)), 0, wrong), 404, "not-found"},
		"other bytes":           {r.sends("PATCH", "tan-lap-1", mine, sum, 0, wrong), 422, "recording-bytes"},
		"one byte more":         {r.sends("PATCH", "tan-lap-1", mine, sum, 0, append(bytes.Clone(spoken), 0)), 413, "too-large"},
		"a hole":                {r.sends("PATCH", "tan-lap-1", mine, sum, 10, spoken[10:]), 409, "recording-offset"},
		"more than is spoken":   {r.sends("PATCH", "tan-lap-1", mine, string(large.SHA256), 0, spoken), 413, "too-large"},
		"a person as a node":    {r.Do(apitest.Call{Method: "PATCH", Path: "/recording/" + sum, Token: technician, Body: spoken}), 403, "forbidden"},
		"by hand, never told":   {r.bring(technician, "tan-lap-2", sum, spoken), 404, "not-found"},
		"by hand, other bytes":  {r.bring(technician, "tan-lap-1", sum, wrong), 422, "recording-bytes"},
		"by hand, by halves":    {r.bring(technician, "tan-lap-1", sum, spoken[:99]), 400, "upload-broken"},
		"by hand, too much":     {r.bring(technician, "tan-lap-1", sum, make([]byte, recording.Longest+1)), 413, "too-large"},
		"by an auditor":         {r.bring(r.Named("kiem-tra").Token, "tan-lap-1", sum, spoken), 403, "forbidden"},
	} {
		if p := c.got.Problem(t); c.got.Status != c.status || p.Code != c.code || p.DetailVI == "" {
			t.Errorf("%s: %d %s", name, c.got.Status, c.got.Body)
		}
	}
	for node, sum := range map[string]string{"tan-lap-1": sum, "tan-lap-2": sum} {
		if got := r.hears(technician, node, sum, ""); got.Status != 404 {
			t.Errorf("%s has it: %d", node, got.Status)
		}
	}
	r.ok(r.bring(technician, "tan-lap-1", sum, spoken), 200, nil)
}

func TestWhatWasSpokenIsHeardByThoseOfItsPlaceAlone(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.ok(r.say("tan-lap-1", "f1", spoken), 200, nil)
	sum := string(broadcast.Sum(spoken))
	of := func(area broadcast.ID) string { // of this place alone
		t.Helper()
		token, err := people.AdminToken(t.Context(), r.Dir, people.TokenRequest{Role: "auditor", Area: area, Person: "nghe-" + area, New: true}, r.Config)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	foreign := of("dong-tam")
	for area, want := range map[broadcast.ID]int{"tan-lap": 200, "xa-tan-quang": 200} {
		if got := r.hears(of(area), "tan-lap-1", sum, ""); got.Status != want {
			t.Errorf("an auditor of %s: %d %.200s", area, got.Status, got.Body)
		}
	}
	if got := r.hears(foreign, "tan-lap-1", sum, ""); got.Status != 403 {
		t.Errorf("an auditor of dong-tam: %d", got.Status)
	}
	// The node moves: what it said here stays with those who heard it.
	r.Update(func(tx store.Tx) error {
		n, err := tx.Node(t.Context(), "tan-lap-1")
		if err == nil {
			n.Area = "dong-tam"
			err = tx.SaveNode(t.Context(), n)
		}
		return err
	})
	if got := r.hears(foreign, "tan-lap-1", sum, ""); got.Status != 403 {
		t.Errorf("after the node moved there: %d", got.Status)
	}
}

func TestAFiringSaysWhereItsRecordingIs(t *testing.T) {
	r := newRig(t)
	secret := r.Node("tan-lap-1", "tan-lap")
	m, payload := r.standing("tan-lap")
	said := broadcast.Content{SHA256: broadcast.Sum(spoken), Bytes: int64(len(spoken)), Millis: 500}
	r.spoke = &said
	r.fire("tan-lap-1", "f-good", broadcast.Firing{Template: broadcast.TemplateRef{ID: m.ID, Revision: m.Revision}, Payload: payload, Key: "flood", Start: r.Now()}, m)
	r.tell("tan-lap-1", "f-good", spoken)
	where := func() (api.Kept, string) {
		t.Helper()
		var page struct{ Firings []api.Firing }
		r.get("/api/v1/firings", &page)
		if len(page.Firings) != 1 || page.Firings[0].Evidence == nil || page.Firings[0].Evidence.Recording == nil {
			t.Fatalf("%+v", page)
		}
		k := *page.Firings[0].Evidence.Recording
		return k, k.Where
	}
	if _, at := where(); at != "card" {
		t.Errorf("before it came it is at %q", at)
	}
	r.ok(r.sends("DELETE", "tan-lap-1", secret, string(said.SHA256), 0, nil), 204, nil)
	if _, at := where(); at != "gone" {
		t.Errorf("after it was lost it is at %q", at)
	}
	r.ok(r.sends("PATCH", "tan-lap-1", secret, string(said.SHA256), 0, spoken), 200, nil)
	if k, at := where(); at != "here" || k.Came == "" || k.SHA256 != string(said.SHA256) {
		t.Errorf("%+v", k)
	}
}
