package loaxa

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestWrongInputIsRefusedAndNothingIsLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 2)
	good := musicMP3(t, 4)
	editor := w.tokenOf("editor")
	with := func(name, value string, more ...string) []string {
		return append(replaced(w.announcing(good, "normal", "Tin thử"), name, value), more...)
	}
	for _, example := range []struct {
		name string
		args []string
		says []string // what the person is told, in one language and in the other
	}{
		{"a text called MP3", with("file", written(t, "Đây không phải là âm thanh.\n")), []string{"text, not a recording", "bản ghi âm"}},
		{"a list of files called MP3", with("file", written(t, "ffconcat version 1.0\nfile /etc/passwd\n")), []string{"playlist", "danh sách phát"}},
		{"an empty file", with("file", written(t, "")), []string{"no sound at all", "ghi âm"}},
		{"silence", with("file", silence(t)), []string{"silent", "micrô"}},
		{"no file", with("file", filepath.Join(t.TempDir(), "khong-co.mp3")), []string{"no such file"}},
		{"an area that never was", with("area", "sao-hoa"), []string{`"sao-hoa"`, "/api/v1/areas", "địa bàn"}},
		{"a title as long as a page", with("title", strings.Repeat("dài ", 80)), []string{"title", "at most 200"}},
		{"a class that the law does not know", with("class", "urgent"), []string{"--class", "normal, priority or emergency"}},
		{"a start that is no time", with("file", good, "--start", "25:99"), []string{"--start", "HH:MM"}},
		{"a start in the past", with("file", good, "--start", "2020-01-01T00:00:00Z"), []string{"has passed", "đã qua"}},
		{"a token that nobody was given", with("token", "lx_nobody"), []string{"admin token", "mã truy cập"}},
		{"an editor who approves", with("token", editor), []string{"--approve-token", "quyền"}},
		{"no address of a controller", with("controller", "ftp://127.0.0.1"), []string{"--controller", "http://"}},
	} {
		t.Run(example.name, func(t *testing.T) {
			out, said, err := w.run(example.args...)
			if exitCodeOf(err) != 1 || out != "" {
				t.Errorf("exit code %d, printed %q, want 1 and nothing", exitCodeOf(err), out)
			}
			for _, want := range example.says {
				if !strings.Contains(strings.ToLower(said), strings.ToLower(want)) {
					t.Errorf("nothing is said of %q:\n%s", want, said)
				}
			}
		})
	}
	out, said, err := w.run(with("accept-silence", "budget", "--start", "3h15")...)
	if exitCodeOf(err) != 3 || out != "" || !strings.Contains(said, "inside quiet hours (02:00–04:00)") || !strings.Contains(said, "trong giờ yên tĩnh") {
		t.Errorf("the middle of the night: exit code %d, printed %q, said:\n%s", exitCodeOf(err), out, said)
	}
	w.secondPerson(good, editor)
	if n := w.traces(); n != (traces{}) {
		t.Errorf("something sounded: %+v", n)
	}
	out, said, err = w.run(w.announcing(good, "emergency", "Sau tất cả", "--watch", "--json")...)
	if err != nil || !strings.Contains(out, `"ended": 2`) {
		t.Errorf("a good announcement after the bad ones: %v: %s", err, said)
	}
}

// secondPerson shows that what one person may not finish waits for another,
// and is not lost.
func (w *world) secondPerson(file, editor string) {
	w.Helper()
	var list struct {
		Announcements []struct{ Title, State string }
	}
	if err := w.get("/api/v1/announcements?state=submitted", &list); err != nil {
		w.Fatal(err)
	}
	if len(list.Announcements) != 1 || list.Announcements[0].Title != "Tin thử" {
		w.Errorf("what the editor submitted: %+v, want the one, waiting", list.Announcements)
	}
	noon := time.Now().Add(24*time.Hour).Format("02/01/2006") + " 12h"
	args := w.announcing(file, "normal", "Tin ngày mai", "--start", noon, "--approve-token", w.token)
	if out, said, err := w.run(replaced(args, "token", editor)...); err != nil || strings.TrimSpace(out) == "" {
		w.Errorf("an officer approves what the editor wrote: %v: %s", err, said)
	}
}

// exitCodeOf is how a program ended.
func exitCodeOf(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

// replaced are arguments in which one has another value.
func replaced(args []string, name, value string) []string {
	out := slices.Clone(args)
	for i := range out {
		if out[i] == "--"+name {
			out[i+1] = value
		}
	}
	return out
}

// written is a file of that text with the name of a recording.
func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tin.mp3")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// silence is an MP3 of nothing.
func silence(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "im-lang.mp3")
	tool(t, nil, "ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "anullsrc", "-t", "5", path)
	return path
}
