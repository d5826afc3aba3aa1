package loaxa

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAnExternalBrokerCarriesTheSame runs Mosquitto with the files that
// docs/external-broker.md tells operators to write, and nothing else.
func TestAnExternalBrokerCarriesTheSame(t *testing.T) {
	t.Parallel()
	house, nodes := freePort(t), freePort(t)
	mosquitto(t, house, nodes)
	public := fmt.Sprintf("mqtt://127.0.0.1:%d", nodes)
	w := newWorld(t, 3, "--broker", fmt.Sprintf("mqtt://controller:pass-of-the-house@127.0.0.1:%d", house), "--public-mqtt", public)
	if told := "mqtt://" + w.mqtt; told != public {
		t.Errorf("nodes are told to use %s, want %s", told, public)
	}
	file := musicMP3(t, 6)
	out, said, err := w.run(w.announcing(file, "emergency", "Qua máy chủ khác", "--watch", "--json")...)
	var d deliveries
	if decodeErr := json.Unmarshal([]byte(out), &d); err != nil || decodeErr != nil || d.Summary.Ended != 3 {
		t.Fatalf("%v, %v: %+v: %s", err, decodeErr, d.Summary, said)
	}
	j := judge{world: w, source: decoded(t, file), watched: tardy, known: map[[32]byte]float64{}}
	for _, n := range d.Nodes {
		for _, r := range w.recordings(n.Node) {
			j.sound(n.Node, r)
		}
	}
	if n := w.traces().recordings; n != 3 {
		t.Errorf("%d recordings, want one a node", n)
	}
}

// mosquitto starts a broker with the documented configuration on two ports.
func mosquitto(t *testing.T, house, nodes int) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range documented(t) {
		text = strings.NewReplacer("listener 1884 127.0.0.1", fmt.Sprintf("listener %d 127.0.0.1", house),
			"listener 1883", fmt.Sprintf("listener %d 127.0.0.1", nodes), "/etc/mosquitto/loaxa/", dir+"/",
			"/var/lib/mosquitto/", dir+"/").Replace(text)
		if name == "loaxa.conf" && os.Getuid() == 0 {
			text = "user root\n" + text // else it could not read this folder
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tool(t, nil, "mosquitto_passwd", "-c", "-b", filepath.Join(dir, "passwords"), "controller", "pass-of-the-house")
	start(t, filepath.Join(dir, "mosquitto.log"), "mosquitto", "-c", filepath.Join(dir, "loaxa.conf"))
	w := world{TB: t}
	w.until("mosquitto listens", func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", nodes))
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// documented are the files that the document shows, by name.
func documented(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("docs", "external-broker.md"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, found := range regexp.MustCompile("(?s)`/etc/mosquitto/loaxa/([a-z.]+)`:\n\n```\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		files[found[1]] = found[2]
	}
	if len(files) != 3 {
		t.Fatalf("the document shows %d files, want the configuration and two access lists", len(files))
	}
	return files
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}
