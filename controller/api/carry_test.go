package api_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pack"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
	"github.com/loaxa/loaxa/controller/people"
)

// export asks for a pack, and returns what followed its last byte.
func (r *rig) export(token, path string) (apitest.Answer, http.Header) {
	r.t.Helper()
	req, err := http.NewRequest(http.MethodGet, r.Server.URL+path, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	got, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	body, err := io.ReadAll(got.Body)
	if err := errors.Join(err, got.Body.Close()); err != nil {
		r.t.Fatal(err)
	}
	return apitest.Answer{Status: got.StatusCode, Header: got.Header, Body: body}, got.Trailer
}

// carry sends a file of receipts.
func (r *rig) carry(token string, node string, file []byte) apitest.Answer {
	r.t.Helper()
	return r.Do(apitest.Call{Method: "POST", Path: "/api/v1/nodes/" + node + "/receipts", Token: token, Body: file,
		Header: map[string]string{"Content-Type": "application/octet-stream"}})
}

// proof is a file of one receipt, sealed by a key.
func proof(t *testing.T, node broadcast.ID, by string) []byte {
	t.Helper()
	receipt := broadcast.Receipt{Seq: 1, Prev: broadcast.Sum(nil), Boot: "b1", At: 1, Clock: broadcast.ClockProved, Announcement: "loa-1", Of: 1,
		Payload: broadcast.Sum([]byte("x")), Rung: broadcast.Received}
	var out bytes.Buffer
	raw := sealtest.Sealed(broadcast.KindReceipts, broadcast.ReceiptBatch{Node: node, Chain: "c1", Receipts: []broadcast.Receipt{receipt}}, sealtest.Bare(by))
	if err := pack.WriteReceipts(&out, [][]byte{raw}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestAPackOfOneNodeIsStreamedWithWhatWentIntoIt(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	a := r.published(r.flood())
	got, trailer := r.export(r.Named("ky-thuat").Token, "/api/v1/nodes/tan-lap-1/pack?days=3")
	if got.Status != http.StatusOK || got.Header.Get("Content-Type") != "application/x-tar" || !strings.Contains(got.Header.Get("Content-Disposition"), `"tan-lap-1.loaxa.tar"`) {
		t.Fatalf("%d %v %.200s", got.Status, got.Header, got.Body)
	}
	kinds, objects := map[broadcast.Kind]int{}, map[string]int{}
	documents := 0
	for in := pack.NewReader(bytes.NewReader(got.Body)); ; {
		e, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		if e.Sort == pack.Object {
			objects[string(body)]++
			continue
		}
		documents++
		kind, err := seal.Peek(body)
		if err != nil {
			t.Fatal(err)
		}
		kinds[kind]++
		if kind == broadcast.KindAnnouncement && string(e.Sum) != a.SHA256 {
			t.Errorf("another announcement: %s", e.Sum)
		}
	}
	if kinds[broadcast.KindAssignment] != 1 || kinds[broadcast.KindAnnouncement] != 1 || objects["sound of water"] != 1 {
		t.Errorf("documents %v, objects %v", kinds, objects)
	}
	var made api.Packed
	if err := json.Unmarshal([]byte(trailer.Get(api.PackedTrailer)), &made); err != nil || made.Documents != documents || made.Objects != 1 || made.Alone < 1 || made.Missing != 0 {
		t.Errorf("%+v %v: %v", made, err, trailer)
	}
}

// TestAPackThatFailsOnItsWayIsSeenToBeCutOff loses a recording half-way.
func TestAPackThatFailsOnItsWayIsSeenToBeCutOff(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.published(r.flood())
	if err := r.Contents.Spoil(r.sound); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.Server.URL+"/api/v1/nodes/tan-lap-1/pack", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.first)
	got, err := http.DefaultClient.Do(req)
	if err == nil {
		_, err = io.Copy(io.Discard, got.Body)
		err = errors.Join(err, got.Body.Close())
	}
	if err == nil {
		t.Errorf("a torn pack came as a whole one, trailer %v", got.Trailer)
	}
}

func TestReceiptsThatCameByHandAreStoredOnce(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	technician := r.Named("ky-thuat").Token
	for i, want := range []api.Carried{{Batches: 1, Believed: 1, New: 1}, {Batches: 1, Believed: 1}} {
		var got api.Carried
		if r.ok(r.carry(technician, "tan-lap-1", proof(t, "tan-lap-1", "tan-lap-1")), 200, &got); got != want {
			t.Errorf("import %d: %+v, want %+v", i+1, got, want)
		}
	}
	var got api.Carried
	if r.ok(r.carry(technician, "tan-lap-1", proof(t, "tan-lap-1", "stranger")), 200, &got); got != (api.Carried{Batches: 1}) {
		t.Errorf("of a stranger: %+v", got)
	}
	for name, c := range map[string]struct {
		file   []byte
		status int
		code   string
	}{
		"an endless line": {bytes.Repeat([]byte("x"), 100<<10), 422, "receipts-form"},
		"too many lines":  {bytes.Repeat([]byte("x\n"), pack.MaxBatches+1), 422, "receipts-form"},
		"too large":       {bytes.Repeat(append(bytes.Repeat([]byte("x"), 60<<10), '\n'), 420), 413, "too-large"},
	} {
		if got := r.carry(technician, "tan-lap-1", c.file); got.Status != c.status || got.Problem(t).Code != c.code || got.Problem(t).DetailVI == "" {
			t.Errorf("%s: %d %s", name, got.Status, got.Body)
		}
	}
	if got := r.carry(technician, "tan-lap-9", proof(t, "tan-lap-9", "tan-lap-9")); got.Status != http.StatusNotFound {
		t.Errorf("an unknown node: %d %s", got.Status, got.Body)
	}
}

// TestWhoCarriesForANode has every role try both ways, in the node's own area,
// above it and beside it.
func TestWhoCarriesForANode(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	may := map[people.Role]bool{people.Administrator: true, people.Approver: true, people.Technician: true}
	for _, role := range people.Roles() {
		for area, within := range map[broadcast.ID]bool{broadcast.BacQuang: true, "tan-lap": true, "viet-quang": false} {
			if area == broadcast.BacQuang && (role == people.CommuneOfficial || role == people.VillageHead) {
				continue // there are none
			}
			id := string(role) + "-" + string(area)
			r.ok(r.post(r.Named("quan-tri").Token, "/api/v1/persons", newcomer(func(n *api.NewPerson) {
				n.ID, n.Role, n.Areas = id, string(role), []string{string(area)}
			})), 201, nil)
			token, err := r.Office.Mint(t.Context(), people.Credential{Person: broadcast.ID(id), Passphrase: phrase}, time.Hour, "")
			if len(role.Acts()) == 0 { // who has no key has no passphrase
				token, err = r.Token(t, string(role), area), nil
			}
			if err != nil {
				t.Fatal(err)
			}
			want := http.StatusForbidden
			if may[role] && within {
				want = http.StatusOK
			}
			out, trailer := r.export(token, "/api/v1/nodes/tan-lap-1/pack")
			in := r.carry(token, "tan-lap-1", proof(t, "tan-lap-1", "tan-lap-1"))
			if out.Status != want || in.Status != want {
				t.Errorf("%s of %s: pack %d, receipts %d, want %d", role, area, out.Status, in.Status, want)
			}
			if whole := trailer.Get(api.PackedTrailer) != ""; whole != (want == http.StatusOK) {
				t.Errorf("%s of %s: %v", role, area, trailer)
			}
		}
	}
}

func TestOnlyAConfirmedNodeIsPackedForAsManyDaysAsThereAre(t *testing.T) {
	r := newRig(t)
	technician := r.Named("ky-thuat").Token
	r.ok(r.post(technician, "/api/v1/enrolment-tokens", api.Invitations{Nodes: []api.Invitation{{Node: "tan-lap-2", Area: "tan-lap"}}}), 201, nil)
	for path, want := range map[string]struct {
		status int
		code   string
	}{
		"/api/v1/nodes/tan-lap-2/pack":         {409, "node-status"},
		"/api/v1/nodes/tan-lap-3/pack":         {404, "not-found"},
		"/api/v1/nodes/tan-lap-2/pack?days=0":  {422, "invalid"},
		"/api/v1/nodes/tan-lap-2/pack?days=61": {422, "invalid"},
	} {
		got, trailer := r.export(technician, path)
		if got.Status != want.status || got.Problem(t).Code != want.code || trailer.Get(api.PackedTrailer) != "" {
			t.Errorf("%s: %d %s", path, got.Status, got.Body)
		}
	}
}
