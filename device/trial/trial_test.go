package trial

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func put(t *testing.T, dir, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, File), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func begin(t *testing.T, dir, running string) Trial {
	t.Helper()
	trial, err := Begin(dir, running)
	if err != nil {
		t.Fatal(err)
	}
	return trial
}

func TestAnUpdateThatDoesNotHoldIsAFault(t *testing.T) {
	for name, c := range map[string]struct {
		record  string
		running string
		starts  int
		says    string // empty for no fault
	}{
		"nothing on trial":        {"", "v2", 1, ""},
		"it runs":                 {`{"version":"v2"}`, "v2", 1, ""},
		"its third start":         {`{"version":"v2"}`, "v2", Tries, ""},
		"it starts over and over": {`{"version":"v2"}`, "v2", Tries + 1, "started 4 times"},
		"the one before runs":     {`{"version":"v2"}`, "v1", 1, "version v2 was put on trial and v1 runs"},
		"a later record's field":  {`{"version":"v2","from":"v1"}`, "v2", 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if c.record != "" {
				put(t, dir, c.record)
			}
			var trial Trial
			for range c.starts {
				trial = begin(t, dir, c.running)
			}
			err := trial.See()
			if (err != nil) != (c.says != "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("it says %v, want %q", err, c.says)
			}
		})
	}
}

func TestAVersionThatRanLongEnoughIsOnTrialNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, `{"version":"v2"}`)
		cut, cancel := context.WithTimeout(t.Context(), Holds-time.Second)
		defer cancel()
		if err := begin(t, dir, "v2").Serve(cut); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		var r Record
		raw, err := os.ReadFile(filepath.Join(dir, File))
		if err = errors.Join(err, json.Unmarshal(raw, &r)); err != nil || r.Starts != 1 {
			t.Fatalf("after a run that was too short: %s, %v", raw, err)
		}
		trial := begin(t, dir, "v2")
		if err := trial.Serve(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, File)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the record is still there: %v", err)
		}
		if err := trial.See(); err != nil {
			t.Error(err)
		}
	})
}

func TestTheVersionBeforeDoesNotEndTheTrialOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		put(t, dir, `{"version":"v2"}`)
		trial := begin(t, dir, "v1")
		if err := trial.Serve(t.Context()); err != nil {
			t.Fatal(err)
		}
		if trial.See() == nil {
			t.Error("the fault went by itself although the update did not hold")
		}
		put(t, dir, `{"version":"v1"}`) // who updates decided for the one that runs
		if err := trial.See(); err != nil {
			t.Error(err)
		}
	})
}

func TestARecordThatCannotBeReadIsToldAndProvesNoFailure(t *testing.T) {
	for _, text := range []string{"", "{", "[]", `{"version":""}`, `{"version":"v2","starts":-1}`, `{"version":"` + strings.Repeat("v", maxRecord) + `"}`} {
		dir := t.TempDir()
		put(t, dir, text)
		trial, err := Begin(dir, "v2")
		if err == nil || !strings.Contains(err.Error(), "update the card again, or delete the file") {
			t.Errorf("%.20q: %v", text, err)
		}
		if err := trial.See(); err != nil {
			t.Errorf("%.20q proves nothing, and is said to: %v", text, err)
		}
	}
}

func TestAStartThatCannotBeCountedLeavesTheRecord(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, `{"version":"v2","starts":1}`)
	trial := Trial{filepath.Join(dir, "gone", File), "v2"}
	if err := trial.write(Record{"v2", 2}); err == nil {
		t.Error("written into a folder that is not there")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%v %v", left, err)
	}
}
