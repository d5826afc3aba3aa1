package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/broadcast/pack"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
	"github.com/loaxa/loaxa/controller/recording"
	"github.com/loaxa/loaxa/controller/store"
)

// centre answers with one firing whose recording is somewhere.
func centre(t *testing.T, where string, sound []byte) (url string, asked func() []string) {
	t.Helper()
	var paths []string
	sum := string(broadcast.Sum([]byte("spoken")))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/v1/firings", func(w http.ResponseWriter, _ *http.Request) {
		f := api.Firing{Node: "tan-lap-1", Person: "lan", At: "2026-11-23T01:00:00Z",
			Evidence: &api.Evidence{Recording: &api.Kept{SHA256: sum, Millis: 61_000, Bytes: 6, Where: where}}}
		_ = json.NewEncoder(w).Encode(map[string]any{"firings": []api.Firing{f, {Node: "tan-lap-2"}}})
	})
	mux.HandleFunc("GET /api/v1/nodes/tan-lap-1/recordings/"+sum, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(sound) })
	mux.HandleFunc("POST /", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		paths = append(paths, r.URL.Path+" "+string(body))
		_, _ = io.WriteString(w, "{}")
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL, func() []string { return paths }
}

// command runs a command line and returns what it printed.
func command(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	code = Run(args, Streams{In: strings.NewReader(""), Out: &o, Err: &e, Version: "test"})
	return code, o.String(), e.String()
}

func TestWhatWasSpokenIsListedAndFetchedOnlyAsItsReceiptNamesIt(t *testing.T) {
	sum := string(broadcast.Sum([]byte("spoken")))
	for name, c := range map[string]struct {
		where, sound, sum string
		code              int
		says              string
	}{
		"here":        {"here", "spoken", sum, 0, ""},
		"other bytes": {"here", "spokem", sum, 1, "not what the receipt names"},
		"on its card": {"card", "spoken", sum, 1, "still on the card"},
		"gone":        {"gone", "spoken", sum, 1, "is gone"},
		"another":     {"here", "spoken", strings.Repeat("0", 64), 1, "listen without --recording"},
	} {
		t.Run(name, func(t *testing.T) {
			url, _ := centre(t, c.where, []byte(c.sound))
			dir := t.TempDir()
			if code, out, errs := command(t, "listen", "--controller", url, "--token", "lx_x"); code != 0 || !strings.Contains(out, sum) || !strings.Contains(out, "1m1s") || strings.Contains(out, "tan-lap-2") {
				t.Errorf("%d %s%s", code, out, errs)
			}
			code, out, errs := command(t, "listen", "--controller", url, "--token", "lx_x", "--recording", c.sum, "--out", dir)
			if code != c.code || !strings.Contains(errs, c.says) {
				t.Errorf("%d %s%s", code, out, errs)
			}
			raw, err := os.ReadFile(filepath.Join(dir, pack.RecordingName("tan-lap-1", broadcast.Digest(sum))))
			if (err == nil) != (c.code == 0) || err == nil && string(raw) != "spoken" {
				t.Errorf("the file: %q, %v", raw, err)
			}
			if left, _ := os.ReadDir(dir); c.code != 0 && len(left) != 0 {
				t.Errorf("left behind: %v", left)
			}
		})
	}
}

func TestReceiptsAreImportedBeforeTheRecordingsThatTheyName(t *testing.T) {
	url, asked := centre(t, "card", nil)
	dir, sum := t.TempDir(), broadcast.Sum([]byte("spoken"))
	var files []string
	for _, name := range []string{pack.RecordingName("tan-lap-1", sum), pack.ReceiptsName("tan-lap-1", "c1")} {
		files = append(files, filepath.Join(dir, name))
		if err := os.WriteFile(files[len(files)-1], []byte(name[10:12]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	code, out, errs := command(t, append([]string{"import", "--controller", url, "--token", "lx_x"}, files...)...)
	want := []string{"/api/v1/nodes/tan-lap-1/receipts c1", "/api/v1/nodes/tan-lap-1/recordings/" + string(sum) + " " + string(sum[:2])}
	if code != 0 || !slices.Equal(asked(), want) || !strings.Contains(out, "is here") {
		t.Errorf("%d %s%s: %q, want %q", code, out, errs, asked(), want)
	}
	if code, _, errs := command(t, "import", "--controller", url, "--token", "lx_x", os.DevNull); code != 1 || !strings.Contains(errs, pack.RecordingSuffix) {
		t.Errorf("another file: %d %s", code, errs)
	}
}

// aStick is a folder with a recording of tan-lap-1, beside a data folder in which a
// receipt names it.
func aStick(t *testing.T) (data, path string, wave []byte) {
	t.Helper()
	data = t.TempDir()
	if _, err := people.InitDemo(t.Context(), data, peopletest.Config(t, time.Now)); err != nil {
		t.Fatal(err)
	}
	wave = append(media.VoiceHead(media.VoiceRate), bytes.Repeat([]byte{1, 2, 3, 4}, media.VoiceRate/4)...)
	sum := broadcast.Sum(wave)
	db, err := store.OpenBeside(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), func(tx store.Tx) error {
		return tx.AddRecordings(t.Context(), []store.Recording{{Node: "tan-lap-1", SHA256: sum, Area: "tan-lap", Announcement: "f1", Bytes: int64(len(wave)), Millis: 500, Told: 7}})
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return data, filepath.Join(t.TempDir(), pack.RecordingName("tan-lap-1", sum)), wave
}

func TestWhatAStickBringsIsTakenIntoTheDataFolderIfItIsWhatAReceiptNamed(t *testing.T) {
	data, path, wave := aStick(t)
	brings := func(as string, raw []byte) (int, string, string) {
		t.Helper()
		if err := os.WriteFile(as, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		return command(t, "import", "--data", data, as)
	}
	other := bytes.Clone(wave)
	other[100]++
	elsewhere := filepath.Join(filepath.Dir(path), pack.RecordingName("tan-lap-2", broadcast.Sum(wave)))
	for name, c := range map[string]struct {
		as  string
		raw []byte
	}{"other bytes": {path, other}, "cut off": {path, wave[:5000]}, "of a node whose receipts name no such thing": {elsewhere, wave}} {
		if code, out, errs := brings(c.as, c.raw); code != 1 || out != "" || !strings.Contains(errs, "after the receipts of its node") {
			t.Errorf("%s: %d %s%s", name, code, out, errs)
		}
		if all := filesIn(t, filepath.Join(data, recording.Folder)); len(all) > 0 {
			t.Errorf("%s: left behind %q", name, all)
		}
	}
	for range 2 { // the second time it is here already
		if code, out, errs := brings(path, wave); code != 0 || !strings.Contains(out, "what was spoken at tan-lap-1 is here") {
			t.Fatalf("%d %s%s", code, out, errs)
		}
		all := filesIn(t, filepath.Join(data, recording.Folder))
		if len(all) != 1 {
			t.Fatalf("%q", all)
		}
		if raw, err := os.ReadFile(all[0]); err != nil || !bytes.Equal(raw, wave) {
			t.Errorf("%d bytes, %v", len(raw), err)
		}
	}
}

func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
