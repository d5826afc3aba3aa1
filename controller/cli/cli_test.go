package cli

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite" // the driver named "sqlite"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/people/peopletest"
)

// TestMain makes this test the programs that its scripts call.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"loaxa-controller": func() {
			os.Exit(Run(os.Args[1:], Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Version: "v1.2.3"}))
		},
		"tamper": func() {
			if err := tamper(os.Args[1], os.Args[2]); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
		},
	})
}

// tamper changes a database as somebody would who has the disk in hand.
func tamper(path, statement string) error {
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	_, err = db.ExecContext(context.Background(), statement)
	return err
}

// TestCommandLine runs the scripts, which are the manual of the command line
// by example. Each finds in its folder: house, a real one, with its root key in
// house.key; aged, the same as it was set up 70 days ago; demo; an empty folder.
// Their passphrases, in the file secrets, cost next to nothing to try.
func TestCommandLine(t *testing.T) {
	houses := filepath.Join(t.TempDir(), "houses")
	if err := furnish(t, houses); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               func(env *testscript.Env) error { return move(houses, env.WorkDir) },
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"appears": appears, "mode": mode, "fromjson": fromJSON, "token": token},
	})
}

// furnish sets up the houses that scripts work on.
func furnish(t *testing.T, dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "empty"), 0o700); err != nil {
		return err
	}
	secrets := "an=cửa biển Thuận An\nlan=mưa nguồn suối lũ\nroot=\n"
	if err := os.WriteFile(filepath.Join(dir, "secrets"), []byte(secrets), 0o600); err != nil {
		return err
	}
	if _, err := people.InitDemo(t.Context(), filepath.Join(dir, "demo"), peopletest.Config(t, time.Now)); err != nil {
		return err
	}
	for name, age := range map[string]time.Duration{"house": 0, "aged": 70 * 24 * time.Hour} {
		opt := people.Options{Dir: filepath.Join(dir, name), RootFiles: []string{filepath.Join(dir, name+".key")}, Officers: []people.NewPerson{
			{ID: "an", Name: "Hà Văn An", Role: people.Administrator, Areas: []broadcast.ID{"bac-quang"}, Passphrase: "cửa biển Thuận An"},
			{ID: "lan", Name: "Hoàng Thị Lan", Role: people.Approver, Areas: []broadcast.ID{"bac-quang"}, Passphrase: "mưa nguồn suối lũ"},
			{ID: "kiem", Name: "Lý Kiểm", Role: people.Auditor, Areas: []broadcast.ID{"bac-quang"}}}}
		then := func() time.Time { return time.Now().Add(-age) }
		if _, err := people.Init(t.Context(), opt, peopletest.Config(t, then)); err != nil {
			return err
		}
	}
	return nil
}

// move copies a folder with the modes of its files, which key files depend on.
func move(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o600)
	})
}

// appears waits for a file.
func appears(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: appears file")
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(time.Minute); ; {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-end:
			ts.Fatalf("%s did not appear", args[0])
		}
	}
}

// fromJSON puts one text of a JSON file into the environment.
func fromJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: fromjson VARIABLE file field")
	}
	var values map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &values))
	ts.Setenv(args[0], fmt.Sprint(values[args[2]]))
}

// token puts a token of the demo's person with a role into the environment.
func token(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: token VARIABLE role")
	}
	ts.Check(ts.Exec("loaxa-controller", "admin", "token", "--data", "demo", "--role", args[1]))
	ts.Setenv(args[0], strings.TrimSpace(ts.ReadFile("stdout")))
}

// mode checks who may do what with a file.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: mode 0600 file")
	}
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, not %s", args[1], got, args[0])
	}
}

func TestOfficersAreReadFromOneLine(t *testing.T) {
	got, err := parseOfficer("lan:officer:bac-quang,vi-xuyen:Lan: trưởng phòng")
	if err != nil || got.ID != "lan" || got.Role != people.Approver || len(got.Areas) != 2 || got.Areas[1] != "vi-xuyen" || got.Name != "Lan: trưởng phòng" {
		t.Errorf("%+v %v", got, err)
	}
	for _, bad := range []string{"", "lan", "lan:approver", "lan:approver:bac-quang", "lan:boss:bac-quang:Lan"} {
		if _, err := parseOfficer(bad); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", bad)) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestAPassphraseIsTakenAsItStands(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secrets")
	if err := os.WriteFile(path, []byte("\nan= a=b \r\n\n lan =mưa nguồn\nroot="), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := readSecrets(path)
	if err != nil || len(got) != 3 || got["an"] != " a=b " || got["lan"] != "mưa nguồn" || got["root"] != "" {
		t.Errorf("%q %v", got, err)
	}
	if err := os.WriteFile(path, []byte("an=x\nlan\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readSecrets(path); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("%v", err)
	}
	if got, err := readSecrets(""); err != nil || len(got) != 0 {
		t.Errorf("no file: %v %v", got, err)
	}
}

func TestEveryQuestionGetsItsOwnLine(t *testing.T) {
	var asked strings.Builder
	s := Streams{In: strings.NewReader("first\r\nsecond\nlast"), Err: &asked}
	for _, want := range []string{"first", "second", "last"} {
		if got, err := s.secret(nil, "an", "Hà Văn An"); err != nil || got != want {
			t.Errorf("got %q %v, want %q", got, err, want)
		}
	}
	if _, err := s.secret(nil, "an", "Hà Văn An"); err == nil || !strings.Contains(err.Error(), "--passphrases") {
		t.Errorf("nobody there: %v", err)
	}
	if strings.Count(asked.String(), "Passphrase of Hà Văn An: ") != 4 {
		t.Errorf("asked %q", asked.String())
	}
	endless := Streams{In: io.LimitReader(zeros{}, 1<<20), Err: io.Discard}
	if got, err := endless.secret(nil, "an", "An"); err == nil && len(got) > 4096 {
		t.Errorf("a passphrase of %d bytes", len(got))
	}
}

// zeros never ends a line.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }
