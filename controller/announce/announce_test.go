package announce

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/api/apitest"
	"github.com/loaxa/loaxa/controller/desk/desktest"
	"github.com/loaxa/loaxa/controller/events"
	"github.com/loaxa/loaxa/controller/store"
)

// safe is a buffer for several writers.
type safe struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends.
func (s *safe) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(b)
}

// String returns what was written so far.
func (s *safe) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// rig is a served house, a file, and somebody at a terminal.
type rig struct {
	*apitest.House
	t        *testing.T
	out, err safe
	opt      Options
}

func newRig(t *testing.T) *rig {
	t.Helper()
	h := apitest.New(t)
	r := &rig{House: h, t: t}
	file := filepath.Join(t.TempDir(), "Tin lũ.mp3")
	if err := os.WriteFile(file, []byte("sound of water"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.opt = Options{Controller: h.Server.URL, Token: h.Named("duyet-1").Token, File: file, Areas: []string{"bac-quang"},
		Class: "emergency", Reason: "lũ lên nhanh", Out: &r.out, Err: &r.err, Now: h.Clock.Now,
		after: func(d time.Duration) <-chan time.Time { return time.After(min(d, time.Millisecond)) }}
	return r
}

// run makes the announcement, which must end with a code.
func (r *rig) run(code int) error {
	r.t.Helper()
	got, err := Run(r.t.Context(), r.opt)
	if got != code {
		r.t.Errorf("exit code %d, want %d: %v\n%s%s", got, code, err, r.out.String(), r.err.String())
	}
	return err
}

// answering has nodes answer to what is published, with receipts that a test
// makes.
func (r *rig) answering(receipts func(node broadcast.ID, a broadcast.Announcement) []broadcast.Receipt, nodes ...broadcast.ID) {
	r.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	changes := r.Hub.Watch(ctx)
	var wait sync.WaitGroup
	wait.Go(func() {
		for e := range changes {
			a, err := r.Desk.Announcement(ctx, e.ID)
			if e.Kind != events.Announcement || err != nil || a.State != store.Published {
				continue
			}
			for _, n := range nodes {
				r.Prove(n, receipts(n, a.Document)...)
			}
			return
		}
	})
	r.t.Cleanup(func() { stop(); wait.Wait() })
}

func sounded(_ broadcast.ID, a broadcast.Announcement) []broadcast.Receipt {
	return desktest.Sounded(a)
}

func TestAFileBecomesProofOfSound(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.Node("tan-quang-1", "tan-quang")
	r.answering(sounded, "tan-lap-1", "tan-quang-1")
	r.opt.Watch = true
	if err := r.run(AllEnded); err != nil {
		t.Error(err)
	}
	out := r.out.String()
	for _, want := range []string{"[##############################] 2 of 2 ended, 0 not to the end, 0 open", "tan-lap-1", "Xã Tân Quang", "10.0 s of 10.0 s", "ended"} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "\x1b") {
		t.Errorf("escapes without a terminal: %q", out)
	}
	if said := r.err.String(); !strings.Contains(said, "10.0 s of sound") || !strings.Contains(said, "note: mostly silent") || !strings.Contains(said, "published") {
		t.Errorf("%s", said)
	}
	page, err := r.Desk.Announcements(t.Context(), "", "", 10)
	if err != nil || len(page) != 1 || page[0].Document.Title != "Tin lũ" {
		t.Errorf("%v %+v", err, page)
	}
}

// TestWatchingGoesOnUntilNothingMoreMaySound has a node lose its power while it
// sounds an emergency, and sound it again.
func TestWatchingGoesOnUntilNothingMoreMaySound(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.opt.Watch = true
	looks := 0
	r.opt.after = func(time.Duration) <-chan time.Time {
		list, err := r.Desk.Announcements(t.Context(), "", "", 1)
		if err != nil {
			t.Fatal(err)
		}
		said := desktest.Sounded(list[0].Document)
		switch looks++; looks {
		case 1:
			lost := said[4]
			lost.Rung, lost.Reason, lost.Evidence = broadcast.Interrupted, broadcast.WhyCrash, nil
			r.Prove("tan-lap-1", append(said[:5], lost)...)
		case 5:
			for i := range said[3:] {
				said[3+i].Attempt, said[3+i].Reason, said[3+i].At = 2, broadcast.WhyRepeat, said[3+i].At.Add(time.Minute)
			}
			r.Prove("tan-lap-1", said[3:]...)
		}
		return time.After(0)
	}
	if err := r.run(AllEnded); err != nil {
		t.Error(err)
	}
	if out := r.out.String(); looks < 5 || !strings.Contains(out, "may sound again until") || !strings.Contains(out, "ended 10.0 s of 10.0 s") {
		t.Errorf("after %d looks:\n%s", looks, out)
	}
}

func TestASilentNodeIsExitCodeTwo(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.Node("tan-quang-1", "tan-quang")
	r.answering(func(node broadcast.ID, a broadcast.Announcement) []broadcast.Receipt {
		if node == "tan-lap-1" {
			return []broadcast.Receipt{desktest.Of(a, broadcast.Receipt{At: a.Timing.Start, Start: a.Timing.Start, Rung: broadcast.Skipped, Reason: broadcast.WhyPower})}
		}
		return desktest.Sounded(a)
	}, "tan-lap-1", "tan-quang-1")
	r.opt.Watch = true
	_ = r.run(SomeSilent)
	if out := r.out.String(); !strings.Contains(out, "power is kept for emergencies / dành nguồn điện cho khẩn cấp") {
		t.Errorf("%s", out)
	}
	if said := r.err.String(); !strings.Contains(said, "1 of 2 nodes sounded to the end; 1 did not, 0 never said") {
		t.Errorf("%s", said)
	}
}

// TestADoubtfulNodeIsNoSuccess has somebody copy the card of one of two nodes.
func TestADoubtfulNodeIsNoSuccess(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.Node("tan-quang-1", "tan-quang")
	r.answering(func(node broadcast.ID, a broadcast.Announcement) []broadcast.Receipt {
		if node == "tan-lap-1" {
			r.Prove(node, desktest.Sounded(a)...)
			r.Doubt(node)
			return nil
		}
		return desktest.Sounded(a)
	}, "tan-lap-1", "tan-quang-1")
	r.opt.Watch = true
	_ = r.run(SomeSilent)
	for _, want := range []string{"1 of 2 ended, 0 not to the end, 1 doubtful, 0 open", "doubtful / không chắc chắn: ended 10.0 s of 10.0 s"} {
		if out := r.out.String(); !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	if said := r.err.String(); !strings.Contains(said, "1 doubtful / không chắc chắn") || !strings.Contains(said, "1 of 2 nodes sounded to the end") {
		t.Errorf("%s", said)
	}
}

func TestNobodyInTheAreaIsNoSuccess(t *testing.T) {
	r := newRig(t)
	r.opt.Watch = true
	_ = r.run(SomeSilent)
	if said := r.err.String(); !strings.Contains(said, "no confirmed node") {
		t.Errorf("%s", said)
	}
}

func TestJSONIsTheDeliveries(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.answering(sounded, "tan-lap-1")
	r.opt.Watch, r.opt.JSON = true, true
	if err := r.run(AllEnded); err != nil {
		t.Error(err)
	}
	var d api.Deliveries
	if err := json.Unmarshal([]byte(r.out.String()), &d); err != nil || d.Summary.Ended != 1 || d.Nodes[0].End != "ended" {
		t.Errorf("%v %s", err, r.out.String())
	}
}

func TestWithoutWatchingOnlyTheIDIsPrinted(t *testing.T) {
	r := newRig(t)
	if err := r.run(AllEnded); err != nil {
		t.Error(err)
	}
	id := broadcast.ID(strings.TrimSpace(r.out.String()))
	if a, err := r.Desk.Announcement(t.Context(), id); err != nil || a.State != store.Published {
		t.Errorf("%v %q", err, id)
	}
}

func TestASecondPersonApproves(t *testing.T) {
	r := newRig(t)
	r.opt.Token, r.opt.ApproveToken = r.Named("bien-tap").Token, r.Named("duyet-2").Token
	r.opt.Class, r.opt.Reason, r.opt.Start = "priority", "", "8h30"
	if err := r.run(AllEnded); err != nil {
		t.Fatal(err)
	}
	if said := r.err.String(); !strings.HasPrefix(said, "to start at 08:30:00 22/11/2026 +07:00\n") {
		t.Errorf("the start is not read back first: %s", said)
	}
	page, err := r.Desk.Announcements(t.Context(), "", store.Published, 10)
	if err != nil || len(page) != 1 || len(page[0].Signatures) != 2 || page[0].Signatures[0].Person != "bien-tap" || page[0].Signatures[1].Person != "duyet-2" {
		t.Errorf("%v %+v", err, page)
	}
}

func TestErrorsSayWhatToDoNext(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*rig)
		want  []string
	}{
		"no token":         {func(r *rig) { r.opt.Token = "" }, []string{"--token", "admin token"}},
		"a bad token":      {func(r *rig) { r.opt.Token = "lx_nonsense" }, []string{"admin token --data", "Mã truy cập"}},
		"no area":          {func(r *rig) { r.opt.Areas = nil }, []string{"--area", "bac-quang"}},
		"an unknown area":  {func(r *rig) { r.opt.Areas = []string{"atlantis"} }, []string{`"atlantis"`, "/api/v1/areas"}},
		"no file":          {func(r *rig) { r.opt.File += "x" }, []string{"--file", "no such file"}},
		"a folder":         {func(r *rig) { r.opt.File = filepath.Dir(r.opt.File) }, []string{"--file", "folder"}},
		"not audio":        {func(r *rig) { r.opt.File = "announce_test.go" }, []string{"not audio"}},
		"a bad class":      {func(r *rig) { r.opt.Class = "urgent" }, []string{"--class", "normal, priority or emergency"}},
		"a bad address":    {func(r *rig) { r.opt.Controller = "localhost:8080" }, []string{"--controller", "http://"}},
		"a bad start":      {func(r *rig) { r.opt.Start = "half past eight" }, []string{"--start", "HH:MM", "17h30"}},
		"a past start":     {func(r *rig) { r.opt.Start = "2020-01-01T00:00:00Z" }, []string{"has passed"}},
		"a normal repeat":  {func(r *rig) { r.opt.Class, r.opt.Repeat = "normal", time.Minute }, []string{"--repeat"}},
		"two are needed":   {func(r *rig) { r.opt.Reason = "" }, []string{"1 of 2 signatures", "--approve-token"}},
		"cannot start now": {func(r *rig) { r.opt.Class, r.opt.Reason = "normal", "" }, []string{"choose a start time", "--start HH:MM"}},
		"an editor alone":  {func(r *rig) { r.opt.Token = r.Named("bien-tap").Token }, []string{"--approve-token"}},
		"another server":   {func(r *rig) { r.opt.Controller += "/elsewhere" }, []string{"no such address"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			c.spoil(r)
			err := r.run(Failed)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
		})
	}
}

// TestABadLineMakesNothingTwice cuts the connection after the controller has
// done what was asked, once for every step.
func TestABadLineMakesNothingTwice(t *testing.T) {
	r := newRig(t)
	target, err := url.Parse(r.Server.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	var mu sync.Mutex
	cut := map[string]bool{}
	proxy.ModifyResponse = func(resp *http.Response) error {
		mu.Lock()
		defer mu.Unlock()
		if step := resp.Request.Method + resp.Request.URL.Path; !cut[step] {
			cut[step] = true
			panic(http.ErrAbortHandler)
		}
		return nil
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: proxy, ReadHeaderTimeout: time.Second}
	go func() { _ = srv.Serve(listener) }()
	defer func() { _ = srv.Close() }()
	r.opt.Controller = "http://" + listener.Addr().String()
	if err := r.run(AllEnded); err != nil {
		t.Fatal(err)
	}
	if len(cut) != 4 || !strings.Contains(r.err.String(), "trying again") {
		t.Errorf("cut %v\n%s", cut, r.err.String())
	}
	page, err := r.Desk.Announcements(t.Context(), "", "", 10)
	if err != nil || len(page) != 1 || page[0].State != store.Published || len(page[0].Signatures) != 1 || r.Contents.Taken() != 1 {
		t.Errorf("%v: %d announcements, %d uploads", err, len(page), r.Contents.Taken())
	}
}

func TestAControllerThatIsGoneIsNamed(t *testing.T) {
	r := newRig(t)
	r.Server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	code, err := Run(ctx, r.opt)
	if code != Failed || err == nil || !strings.Contains(r.err.String()+err.Error(), r.opt.Controller) {
		t.Errorf("%d %v %s", code, err, r.err.String())
	}
}

func TestWatchingMayStopWithoutStoppingTheAnnouncement(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.opt.Watch = true
	ctx, cancel := context.WithCancel(t.Context())
	r.answering(func(broadcast.ID, broadcast.Announcement) []broadcast.Receipt { cancel(); return nil }, "tan-lap-1")
	code, err := Run(ctx, r.opt)
	if code != Failed || err == nil {
		t.Fatalf("%d %v", code, err)
	}
	page, failed := r.Desk.Announcements(t.Context(), "", store.Published, 10)
	if failed != nil || len(page) != 1 {
		t.Errorf("%v %v", failed, page)
	}
}

func TestJSONWithoutWatchingIsOneLook(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.opt.JSON = true
	if err := r.run(AllEnded); err != nil {
		t.Error(err)
	}
	var d api.Deliveries
	if err := json.Unmarshal([]byte(r.out.String()), &d); err != nil || d.Summary.Open != 1 || d.Announcement.State != "published" {
		t.Errorf("%v %s", err, r.out.String())
	}
}

func TestATerminalSeesTheUploadGrow(t *testing.T) {
	r := newRig(t)
	if err := os.WriteFile(r.opt.File, append([]byte("sound"), make([]byte, 300<<10)...), 0o600); err != nil {
		t.Fatal(err)
	}
	r.opt.Live = true
	if err := r.run(AllEnded); err != nil {
		t.Error(err)
	}
	if said := r.err.String(); !strings.Contains(said, "\rTin lũ.mp3: 100 % of 0.3 MB sent") || strings.Count(said, "%") < 3 {
		t.Errorf("%q", said)
	}
}

func TestARepeatedEmergencyCarriesItsGrid(t *testing.T) {
	r := newRig(t)
	r.opt.Repeat, r.opt.Title, r.opt.Language = 5*time.Minute, "Lũ về", "tyz"
	if err := r.run(AllEnded); err != nil {
		t.Fatal(err)
	}
	page, err := r.Desk.Announcements(t.Context(), "", store.Published, 10)
	if err != nil || len(page) != 1 || page[0].Document.Timing.Repeat != 300 || page[0].Document.Versions[0].Language != "tyz" || page[0].Document.Title != "Lũ về" {
		t.Errorf("%v %+v", err, page)
	}
}

func TestANodeThatNeverSaidAnythingIsNoSuccess(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.opt.Watch = true
	ctx, stop := context.WithCancel(context.Background())
	changes := r.Hub.Watch(ctx)
	var wait sync.WaitGroup
	wait.Go(func() {
		for e := range changes {
			a, err := r.Desk.Announcement(ctx, e.ID)
			if e.Kind == events.Announcement && err == nil && a.State == store.Published {
				r.Clock.Add(2 * time.Hour) // its window ends
				if err := r.Desk.Close(ctx); err != nil {
					t.Error(err)
				}
				return
			}
		}
	})
	_ = r.run(SomeSilent)
	stop()
	wait.Wait()
	if said := r.err.String(); !strings.Contains(said, "0 of 1 nodes sounded to the end; 0 did not, 1 never said") {
		t.Errorf("%s", said)
	}
	if out := r.out.String(); !strings.Contains(out, "no sign of it yet") {
		t.Errorf("%s", out)
	}
}
