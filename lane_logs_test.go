package loaxa

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/player/playertest"
	"github.com/loaxa/loaxa/device/store"
)

// deliveries is what the controller says that nodes proved.
type deliveries struct {
	Announcement struct{ ID, State string }
	Summary      struct{ Expected, Ended, Silent, Open int }
	Nodes        []delivery
}

// delivery is what it says of one node.
type delivery struct {
	Node, Rung, End string
	Expected        bool
	Reason          struct{ Code broadcast.Reason }
	Attempts        int64
	Evidence        struct {
		Samples, Of   int64
		Closed, First time.Time
		Level         float64 `json:"level_dbfs"`
	}
	Times []struct {
		Rung broadcast.Rung
		At   time.Time
	}
}

// deliveries asks the controller.
func (w *world) deliveries(id string) (deliveries, error) {
	var d deliveries
	err := w.get("/api/v1/announcements/"+id+"/deliveries", &d)
	return d, err
}

// relayEdge is one line of a node's relay log.
type relayEdge struct {
	At     time.Time `json:"at"`
	Closed bool      `json:"closed"`
}

// heard is one line of what a node's sound card played to its end or to a stop.
type heard struct {
	Announcement string
	Attempt      int64
	First, Last  time.Time
	Samples      int64
}

// lines decodes a file of one JSON value a line.
func lines[T any](t testing.TB, path string) []T {
	t.Helper()
	b, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	var out []T
	for _, line := range bytes.Split(bytes.TrimSpace(b), []byte("\n")) {
		var v T
		if len(line) == 0 {
			continue
		}
		if err := json.Unmarshal(line, &v); err != nil {
			continue // a line cut by a kill
		}
		out = append(out, v)
	}
	return out
}

// recording is one WAV file of a node.
type recording struct {
	announcement string
	start        broadcast.Instant
	attempt      int64
	first        time.Time
	pcm          []int16
}

// recordingName is announcement, start and attempt. A file with a further
// number would be the same attempt sounding once more.
var recordingName = regexp.MustCompile(`^([0-9a-z]+)-([0-9]+)-([0-9]+)\.wav$`)

// recordings reads every WAV of a node.
func (w *world) recordings(node string) []recording {
	w.Helper()
	files, err := filepath.Glob(filepath.Join(w.out(), node, "*.wav"))
	if err != nil {
		w.Fatal(err)
	}
	var out []recording
	for _, f := range files {
		name := recordingName.FindStringSubmatch(filepath.Base(f))
		if name == nil {
			w.Errorf("%s: %s: one attempt was recorded more than once", node, filepath.Base(f))
			continue
		}
		start, _ := strconv.ParseInt(name[2], 10, 64)
		attempt, _ := strconv.ParseInt(name[3], 10, 64)
		first, pcm, err := playertest.ReadWAV(f)
		if err != nil {
			w.Errorf("%s: %v", node, err)
		}
		out = append(out, recording{name[1], broadcast.Instant(start), attempt, first, pcm})
	}
	return out
}

// edges are a node's relay edges.
func (w *world) edges(node string) []relayEdge {
	return lines[relayEdge](w, filepath.Join(w.out(), node, "relay.jsonl"))
}

// heard are a node's soundings as its sound card ended them.
func (w *world) heard(node string) []heard {
	return lines[heard](w, filepath.Join(w.out(), node, "sound.jsonl"))
}

// names are the nodes that have a folder.
func (w *world) names() []string {
	w.Helper()
	entries, err := os.ReadDir(w.out())
	if err != nil {
		w.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	if len(out) != w.nodes {
		w.Fatalf("%d nodes have a folder, want %d", len(out), w.nodes)
	}
	return out
}

// journal reads the receipts of a node from its own card. The node must not
// run meanwhile.
func (w *world) journal(node string) []broadcast.Receipt {
	w.Helper()
	j, err := store.OpenJournal(store.OS(), filepath.Join(w.out(), node, "store", "journal"),
		store.JournalLimits{Record: 256 << 10, Segment: 128 << 10, Total: 16 << 20})
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	var out []broadcast.Receipt
	err = j.Read(0, 1<<20, func(_ uint64, raw []byte) error {
		var page struct {
			Lines []struct{ Receipt broadcast.Receipt }
		}
		err := json.Unmarshal(raw, &page)
		for _, line := range page.Lines {
			if line.Receipt.Seq > 0 { // else it keeps a document
				out = append(out, line.Receipt)
			}
		}
		return err
	})
	if err != nil || len(out) == 0 {
		w.Fatalf("%s: %d receipts in its journal (%v)", node, len(out), err)
	}
	return out
}
