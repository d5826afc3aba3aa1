package app

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
)

func TestNodesAreToldAddressesThatTheyCanDial(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name       string
		opt        Options
		http, mqtt string
		want       broadcast.Controller
	}{
		{"bound", Options{}, "127.0.0.1:8080", "127.0.0.1:1883", broadcast.Controller{HTTP: "http://127.0.0.1:8080", MQTT: "mqtt://127.0.0.1:1883"}},
		{"all interfaces", Options{}, "0.0.0.0:80", "[::]:1883", broadcast.Controller{HTTP: "http://" + name + ":80", MQTT: "mqtt://" + name + ":1883"}},
		{"public", Options{PublicHTTP: "https://loa.example", PublicMQTT: "mqtts://loa.example:8883"}, "127.0.0.1:1", "127.0.0.1:2",
			broadcast.Controller{HTTP: "https://loa.example", MQTT: "mqtts://loa.example:8883"}},
		{"a foreign broker", Options{Broker: "mqtts://loaxa:secret@broker.example:8883"}, "127.0.0.1:80", "",
			broadcast.Controller{HTTP: "http://127.0.0.1:80", MQTT: "mqtts://broker.example:8883"}},
	} {
		if got, err := reachable(c.opt, c.http, c.mqtt); err != nil || got != c.want {
			t.Errorf("%s: got %+v %v, want %+v", c.name, got, err, c.want)
		}
	}
	if _, err := reachable(Options{PublicHTTP: "loa.example"}, "127.0.0.1:1", "127.0.0.1:2"); err == nil || !strings.Contains(err.Error(), "where nodes report") {
		t.Errorf("an address without a scheme: %v", err)
	}
}

func TestTheControllersPasswordIsNeverTold(t *testing.T) {
	for url, want := range map[string]string{
		"mqtt://broker:1883":               "mqtt://broker:1883",
		"mqtt://me@broker:1883":            "mqtt://broker:1883",
		"mqtt://me:pass@broker:1883":       "mqtt://broker:1883",
		"mqtts://me:p@ss@broker.example:1": "mqtts://broker.example:1",
		"mqtt://:@broker":                  "mqtt://broker",
		"broker":                           "broker",
	} {
		if got := withoutUser(url); got != want {
			t.Errorf("%s: got %s", url, got)
		}
	}
}

func TestAnAddressIsDialable(t *testing.T) {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[string]string{
		"127.0.0.1:80": "127.0.0.1:80", "[::1]:80": "[::1]:80", "loa.example:80": "loa.example:80",
		":80": name + ":80", "0.0.0.0:80": name + ":80", "[::]:80": name + ":80", "no port": "no port",
	} {
		if got := dialable(addr); got != want {
			t.Errorf("%s: got %s, want %s", addr, got, want)
		}
	}
}

func TestOnlyThisMachineReachesALoopback(t *testing.T) {
	for addr, want := range map[string]bool{"127.0.0.1:80": true, "127.9.9.9:80": true, "[::1]:80": true, "localhost:80": true,
		"0.0.0.0:80": false, "[::]:80": false, ":80": false, "192.168.1.1:80": false, "loa.example:80": false, "": false} {
		if got := loopback(addr); got != want {
			t.Errorf("%q: %v", addr, got)
		}
	}
}

func TestOnlyADemoGivesWay(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	addr := taken.Addr().String()
	if _, err := freeAddress(addr, false); err == nil || !strings.Contains(err.Error(), "--mqtt") {
		t.Errorf("a real house: %v", err)
	}
	got, err := freeAddress(addr, true)
	if err != nil || got == addr || !strings.HasPrefix(got, "127.0.0.1:") {
		t.Errorf("a demo: %s %v", got, err)
	}
	if _, err := freeAddress("not an address", true); err == nil {
		t.Error("nonsense was taken")
	}
}

func TestWhereItListensIsReplacedAsAWhole(t *testing.T) {
	dir := t.TempDir()
	if err := removeListening(dir); err != nil {
		t.Errorf("nothing to take away: %v", err)
	}
	for _, c := range []broadcast.Controller{{HTTP: "http://a:1", MQTT: "mqtt://a:2"}, {HTTP: "http://b:1", MQTT: "mqtt://b:2"}} {
		if err := writeListening(dir, c); err != nil {
			t.Fatal(err)
		}
		if got, err := listening(t, dir); err != nil || got != c {
			t.Errorf("%+v %v", got, err)
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("left behind: %v %v", files, err)
	}
	if err := removeListening(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := listening(t, dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("still there: %v", err)
	}
	if err := writeListening(filepath.Join(dir, "absent"), broadcast.Controller{}); err == nil {
		t.Error("written into nothing")
	}
}

func TestConnectionsWaitForAFreePlace(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := bounded(inner, 1)
	accepted := make(chan net.Conn)
	failed := make(chan error, 1)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				failed <- err
				return
			}
			accepted <- c
		}
	}()
	for range 3 {
		out, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = out.Close() }()
	}
	places := l.(*boundedListener).places
	for range 3 { // each gets in only when the one before has left
		c := <-accepted
		if len(places) != 1 {
			t.Errorf("%d places taken of 1", len(places))
		}
		for range 2 { // closing twice frees one place
			_ = c.Close()
		}
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if err := <-failed; !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
}

func TestPasskeysBelongToWhereTheConsoleIsOpened(t *testing.T) {
	for _, c := range []struct{ public, at, want string }{
		{"", "127.0.0.1:8080", "http://localhost:8080"},
		{"", "0.0.0.0:8080", ""},
		{"https://loa.example", "0.0.0.0:8080", "https://loa.example"},
	} {
		if got := site(Options{PublicHTTP: c.public}, c.at); got != c.want {
			t.Errorf("%q at %s: %q, want %q", c.public, c.at, got, c.want)
		}
	}
}
