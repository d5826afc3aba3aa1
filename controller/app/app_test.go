package app

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
)

func TestDemoStartsAnswersStopsAndStartsAgain(t *testing.T) {
	dir := demoFolder(t)
	var last string
	for life := range 2 {
		r := run(t, demoOptions(dir))
		s := r.status()
		if s["demo"] != true || s["healthy"] != true || s["version"] != "test" {
			t.Errorf("life %d: %v", life, s)
		}
		if told, err := listening(t, dir); err != nil || told.HTTP != r.at.HTTP || told.MQTT != r.at.MQTT {
			t.Errorf("life %d: scripts are told %+v (%v), it is %+v", life, told, err, r.at)
		}
		if r.at.HTTP == last {
			t.Errorf("life %d: an old answer", life)
		}
		last = r.at.HTTP
		if took := r.stop(); took > 5*time.Second {
			t.Errorf("life %d: took %v to stop", life, took)
		}
		if _, err := net.Dial("tcp", strings.TrimPrefix(r.at.HTTP, "http://")); err == nil {
			t.Errorf("life %d: still listens", life)
		}
	}
}

// open begins a request that its client never ends, and returns once the
// controller answers it or has read its head.
func open(t *testing.T, r *running, head string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(r.at.HTTP, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, head); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestWatchersAndSlowUploadsDoNotHoldUpTheEnd(t *testing.T) {
	dir := demoFolder(t)
	r := run(t, demoOptions(dir))
	token, err := people.AdminToken(t.Context(), dir, people.TokenRequest{Role: "editor"}, peopletest.Config(t, time.Now))
	if err != nil {
		t.Fatal(err)
	}
	auth := "Host: x\r\nAuthorization: Bearer " + token + "\r\n"
	watcher := bufio.NewReader(open(t, r, "GET /api/v1/events HTTP/1.1\r\n"+auth+"\r\n"))
	if line, err := watcher.ReadString('\n'); err != nil || !strings.Contains(line, "200") {
		t.Fatalf("%q %v", line, err)
	}
	upload := bufio.NewReader(open(t, r, "POST /api/v1/contents HTTP/1.1\r\n"+auth+
		"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n"))
	if line, err := upload.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("%q %v", line, err)
	}
	if took := r.stop(); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestOneControllerServesAFolder(t *testing.T) {
	dir := demoFolder(t)
	r := run(t, demoOptions(dir))
	err := Serve(t.Context(), demoOptions(dir))
	if err == nil || !strings.Contains(err.Error(), "another controller serves it") {
		t.Errorf("a second one: %v", err)
	}
	if r.status()["healthy"] != true {
		t.Error("the second one hurt the first")
	}
	if told, err := listening(t, dir); err != nil || told.HTTP != r.at.HTTP {
		t.Errorf("the second one took away where the first listens: %v %v", told, err)
	}
	r.stop()
	run(t, demoOptions(dir)).stop()
}

func TestAFolderIsServedAsWhatItIs(t *testing.T) {
	demo := demoFolder(t)
	opt := demoOptions(demo)
	opt.Demo = false
	if err := Serve(t.Context(), opt); err == nil || !strings.Contains(err.Error(), "holds a demo") {
		t.Errorf("a demo served as a real house: %v", err)
	}
	real := realFolder(t)
	opt = demoOptions(real)
	if err := Serve(t.Context(), opt); err == nil || !strings.Contains(err.Error(), "real house") {
		t.Errorf("a real house served as a demo: %v", err)
	}
	opt.Demo = false
	r := run(t, opt)
	if r.status()["demo"] != false {
		t.Error("a real house calls itself a demo")
	}
	res, err := http.Post(r.at.HTTP+"/api/v1/demo/enrolment-tokens", "application/json", strings.NewReader(`{"nodes":[{"node":"a","area":"tan-lap"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("a real house gives tokens to strangers: %s", res.Status)
	}
	r.stop()
}

// realFolder sets up a house that is no demo.
func realFolder(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	opt := people.Options{Dir: dir, RootFiles: []string{filepath.Join(t.TempDir(), "root.key")}, Officers: []people.NewPerson{
		{ID: "an", Name: "An", Role: people.Administrator, Areas: []broadcast.ID{"bac-quang"}, Passphrase: "cửa biển Thuận An"},
		{ID: "lan", Name: "Lan", Role: people.Approver, Areas: []broadcast.ID{"bac-quang"}, Passphrase: "mưa nguồn suối lũ"}}}
	if _, err := people.Init(t.Context(), opt, peopletest.Config(t, time.Now)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestAFolderNamedByMistakeStaysAsItIs(t *testing.T) {
	for name, dir := range map[string]string{"empty": t.TempDir(), "absent": filepath.Join(t.TempDir(), "no")} {
		opt := demoOptions(dir)
		opt.Demo = false
		if err := Serve(t.Context(), opt); !errors.Is(err, people.ErrNoHouse) {
			t.Errorf("%s: %v", name, err)
		}
		if left, err := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("%s: left %v (%v)", name, left, err)
		}
	}
}

func TestTakenAddressesAreNamed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	dir := realFolder(t)
	for flag, opt := range map[string]Options{
		"--http": {HTTP: taken.Addr().String(), MQTT: "127.0.0.1:0"},
		"--mqtt": {HTTP: "127.0.0.1:0", MQTT: taken.Addr().String()},
	} {
		opt.Data, opt.Log = dir, quiet()
		if err := Serve(t.Context(), opt); err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

func TestADemoThatOthersReachWarns(t *testing.T) {
	for addr, warns := range map[string]bool{"127.0.0.1:0": false, "0.0.0.0:0": true} {
		var said diary
		opt := demoOptions(demoFolder(t))
		opt.HTTP, opt.Log = addr, said.log()
		run(t, opt).stop()
		if said.has("can be reached from other machines") != warns {
			t.Errorf("%s: %s", addr, said.buf.String())
		}
	}
}
