package doorstep_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pack"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/device/link/doorstep"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

// site is a node that is settled and then loses every line.
type site struct {
	*nodetest.Rig
	door http.Handler
}

func cutOff(t *testing.T, test func(t *testing.T, s site)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := nodetest.NewRig(t)
		r.Boot()
		defer r.Stop()
		r.Settle()
		flood := r.Announcement("flood", broadcast.Emergency, time.Hour, 3*time.Second)
		standing := broadcast.Template{ID: "mau-lu", Revision: r.Centre.Revision("mau-lu"), Class: broadcast.Emergency, Title: "Lũ quét", Areas: flood.Areas,
			Versions: flood.Versions, Expires: r.Centre.Instant().Add(300 * 24 * time.Hour)}
		r.Centre.Sealed(broadcast.KindTemplate, standing, nodetest.Top, r.Centre.Editor, r.Centre.Approver)
		r.List()
		pass(10 * time.Minute) // the recording of a template comes by itself
		r.Wire.Down()
		r.Fetcher.Refuse(func(broadcast.Digest) error { return errors.New("all data is blocked") })
		test(t, site{r, doorstep.New(doorstep.Config{Name: nodetest.NodeID, Node: r.Node, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}).Handler()})
		if err := r.Centre.Err(); err != nil {
			t.Error(err)
		}
	})
}

func pass(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
	synctest.Wait()
}

// activation is the template, spoken now by one officer.
func (s site) activation(id broadcast.ID) broadcast.Announcement {
	a := s.Announcement(id, broadcast.Emergency, 3*time.Second, 3*time.Second)
	flood := []byte("recording of flood")
	a.Versions[0].Content = &broadcast.Content{SHA256: broadcast.Sum(flood), Millis: 3000, Bytes: int64(len(flood))}
	a.Timing.Mode = broadcast.ModeNow
	a.Template = &broadcast.TemplateRef{ID: "mau-lu", Revision: broadcast.Revision(0)}
	for _, e := range s.Centre.Listed(nodetest.Top) {
		if e.Kind == broadcast.KindTemplate {
			a.Template.Revision = e.Revision
		}
	}
	return a
}

// ask knocks at the door.
func (s site) ask(method, path string, body []byte) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.door.ServeHTTP(w, httptest.NewRequest(method, path, bytes.NewReader(body)))
	return w
}

func TestWithAllDataBlockedATemplateSoundsWithinSecondsOfAPhonesWord(t *testing.T) {
	cutOff(t, func(t *testing.T, s site) {
		began := time.Now()
		raw := sealtest.Sealed(broadcast.KindAnnouncement, s.activation("now"), s.Centre.Approver)
		if w := s.ask("POST", "/document", raw); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		pass(30 * time.Second)
		got := s.Player.Sounded()
		if len(got) != 1 {
			t.Fatalf("%d soundings", len(got))
		}
		if after := got[0].First.Sub(began); after > 4*time.Second {
			t.Errorf("heard after %v", after)
		} else {
			t.Logf("heard after %v", after)
		}
		// The phone carries the proof away.
		w := s.ask("GET", "/receipts", nil)
		name := strings.Trim(strings.TrimPrefix(w.Header().Get("Content-Disposition"), "attachment; filename="), `"`)
		if of, ok := pack.ReceiptsOf(name); !ok || of != nodetest.NodeID {
			t.Errorf("a file called %q", name)
		}
		var rungs []broadcast.Rung
		_, err := pack.ReadReceipts(w.Body, func(line []byte) error {
			b, err := seal.OpenWithKey[broadcast.ReceiptBatch](broadcast.KindReceipts, line, s.Public())
			for _, one := range b.Receipts {
				rungs = append(rungs, one.Rung)
			}
			return err
		})
		if want := broadcast.Rungs()[:7]; err != nil || !slices.Equal(rungs, want) {
			t.Errorf("%v %v, want %v", rungs, err, want)
		}
		// And when the line is back the centre has it all.
		s.Wire.Up()
		pass(time.Minute)
		if got := s.Centre.Rungs(nodetest.NodeID, "now"); len(got) != 7 || got[6] != "ended" {
			t.Errorf("the centre knows %v", got)
		}
		if w := s.ask("GET", "/receipts", nil); w.Code != http.StatusNoContent {
			t.Errorf("%d after all was acknowledged", w.Code)
		}
	})
}

func TestARecordingOfAPhoneIsTakenOnlyForADocumentThatIsBelieved(t *testing.T) {
	cutOff(t, func(t *testing.T, s site) {
		a := s.Announcement("bridge", broadcast.Emergency, time.Minute, 3*time.Second)
		sound := []byte("recording of bridge")
		path := "/content/" + string(broadcast.Sum(sound))
		if w := s.ask("PUT", path, sound); w.Code != http.StatusConflict {
			t.Errorf("before its document: %d %s", w.Code, w.Body)
		}
		if w := s.ask("POST", "/document", sealtest.Sealed(broadcast.KindAnnouncement, a, s.Centre.Editor, s.Centre.Approver)); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if w := s.ask("PUT", path, []byte("recording of fridge")); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("other bytes of that length: %d %s", w.Code, w.Body)
		}
		if w := s.ask("PUT", path, sound); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		pass(5 * time.Minute)
		if got := s.Player.Sounded(); len(got) != 1 {
			t.Errorf("%d soundings", len(got))
		}
	})
}

func TestNothingAtTheDoorstepIsBelievedButForItsSeals(t *testing.T) {
	cutOff(t, func(t *testing.T, s site) {
		a := s.activation("lie")
		good := sealtest.Sealed(broadcast.KindAnnouncement, a, s.Centre.Approver)
		other := a
		other.Versions = []broadcast.Version{{Language: "vi", Content: &broadcast.Content{SHA256: broadcast.Sum(nil), Millis: 3000, Bytes: 18}}}
		plain, err := broadcast.Encode(a)
		if err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			method, path string
			body         []byte
			want         int
		}{
			"nothing":                   {"POST", "/document", nil, 422},
			"words":                     {"POST", "/document", []byte(`{"play":"flood"}`), 422},
			"unsealed":                  {"POST", "/document", plain, 422},
			"sealed by a stranger":      {"POST", "/document", sealtest.Sealed(broadcast.KindAnnouncement, a, sealtest.Bare("x")), 202},
			"sealed by the service key": {"POST", "/document", sealtest.Sealed(broadcast.KindAnnouncement, a, s.Centre.House.Service), 422},
			"another sound":             {"POST", "/document", sealtest.Sealed(broadcast.KindAnnouncement, other, s.Centre.Approver), 422},
			"an altered byte":           {"POST", "/document", bytes.Replace(good, []byte(`"payload":"e`), []byte(`"payload":"f`), 1), 422},
			"cut":                       {"POST", "/document", good[:len(good)/2], 422},
			"endless":                   {"POST", "/document", bytes.Repeat([]byte("x"), 300<<10), 413},
			"an endless recording":      {"PUT", "/content/" + string(broadcast.Sum(nil)), make([]byte, doorstep.MaxContent+1), 413},
			"a recording without name":  {"PUT", "/content/..%2f..%2fetc", []byte("x"), 404},
			"another way":               {"GET", "/document", nil, 405},
			"another place":             {"GET", "/", nil, 404},
		} {
			if w := s.ask(c.method, c.path, c.body); w.Code != c.want {
				t.Errorf("%s: %d %s, want %d", name, w.Code, w.Body, c.want)
			}
		}
		pass(10 * time.Minute)
		if got := s.Player.Sounded(); len(got) != 0 {
			t.Errorf("heard: %+v", got)
		}
		if w := s.ask("GET", "/receipts", nil); w.Code != http.StatusNoContent {
			t.Errorf("a lie left a receipt: %d %s", w.Code, w.Body)
		}
	})
}

func TestADocumentOfYesterdayIsNotHeardAgain(t *testing.T) {
	cutOff(t, func(t *testing.T, s site) {
		raw := sealtest.Sealed(broadcast.KindAnnouncement, s.activation("once"), s.Centre.Approver)
		for range 3 {
			s.ask("POST", "/document", raw)
			pass(10 * time.Hour)
		}
		if got := s.Player.Sounded(); len(got) != 1 {
			t.Errorf("%d soundings", len(got))
		}
	})
}

func TestKnockingWithoutEndIsAnsweredSoOftenAndNoMore(t *testing.T) {
	cutOff(t, func(t *testing.T, s site) {
		codes := map[int]int{}
		for range 1000 {
			codes[s.ask("POST", "/document", []byte("x")).Code]++
		}
		if codes[http.StatusUnprocessableEntity] != 240 || codes[http.StatusTooManyRequests] != 760 {
			t.Errorf("%v", codes)
		}
		pass(time.Minute)
		w := s.ask("GET", "/state", nil)
		var got doorstep.State
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || got.Node != nodetest.NodeID || got.Untold != 0 {
			t.Errorf("%d %+v %v", w.Code, got, err)
		}
	})
}

// busy never answers before it is told to.
type busy struct{ until chan struct{} }

func (b busy) Offer(ctx context.Context, _ []byte) error {
	select {
	case <-b.until:
	case <-ctx.Done():
	}
	return nil
}

func (b busy) Take(context.Context, broadcast.Digest, int64, io.ReadSeeker) error { return nil }

func (b busy) Receipts(context.Context) (node.Told, error) { return node.Told{}, nil }

func TestTheDoorstepEndsWithWhoeverStandsThere(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := busy{make(chan struct{})}
	d := doorstep.New(doorstep.Config{Name: "n", Node: b, Log: slog.New(slog.DiscardHandler)})
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- d.Serve(ctx, l) }()
	answers := make(chan int, 5)
	for range 5 {
		go func() {
			resp, err := http.Post("http://"+l.Addr().String()+"/document", "application/json", strings.NewReader("x"))
			if err != nil {
				answers <- 0
				return
			}
			_ = resp.Body.Close() // only the status counts
			answers <- resp.StatusCode
		}()
	}
	if code := <-answers; code != http.StatusServiceUnavailable {
		t.Errorf("the fifth at once got %d", code)
	}
	cancel()
	if err := <-served; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for range 4 {
		if code := <-answers; code != 0 && code != http.StatusOK {
			t.Errorf("got %d", code)
		}
	}
}
