package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loaxa/loaxa/device/link/counter"
	"github.com/loaxa/loaxa/device/link/stick"
)

func TestTakeSaysWhatWasTakenAndWhatToDo(t *testing.T) {
	for name, c := range map[string]struct {
		answer counter.Answer
		code   int
		says   []string
	}{
		"all":     {counter.Answer{Taken: stick.Taken{Documents: 7, Recordings: 2, Unneeded: 3}}, 0, []string{"đã nhận 7 văn bản và 2 bản ghi", "7 documents and 2 recordings taken", "3 bản ghi đã có sẵn", "3 recordings are on board already"}},
		"waiting": {counter.Answer{Taken: stick.Taken{Waiting: 1}}, exitRefused, []string{"hãy nạp trọn gói", "Take a whole pack of this node"}},
		"refused": {counter.Answer{Taken: stick.Taken{Refused: 1}, Refusals: []counter.Refusal{{What: "document ab", Why: "not valid", Do: counter.Advice{VI: "hãy hỏi văn phòng", EN: "ask the office"}}}}, exitRefused,
			[]string{"1 refused", "1 bị từ chối", "document ab: not valid", "hãy hỏi văn phòng", "ask the office"}},
		"torn": {counter.Answer{Taken: stick.Taken{Documents: 1}, Torn: "unexpected EOF"}, exitRefused, []string{"unexpected EOF", "copy it again"}},
	} {
		var out strings.Builder
		err := told(&out, "x.loaxa.tar", c.answer)
		var end exit
		if errors.As(err, &end); end.code != c.code {
			t.Errorf("%s: %v", name, err)
		}
		for _, says := range c.says {
			if !strings.Contains(out.String(), says) {
				t.Errorf("%s: %q lacks %q", name, out.String(), says)
			}
		}
	}
}

func TestTakePutsReceiptsBesideThePackOrSaysThatItCannot(t *testing.T) {
	dir := t.TempDir()
	told := counter.Answer{Receipts: "../tan-lap-1.c1.loaxa.receipts"}
	var out strings.Builder
	if err := putBack(&out, dir, told, []byte("{1}\n")); err != nil || !strings.Contains(out.String(), "Take it again after it was heard") {
		t.Errorf("%v %s", err, out.String())
	}
	if raw, err := os.ReadFile(filepath.Join(dir, "tan-lap-1.c1.loaxa.receipts")); err != nil || string(raw) != "{1}\n" {
		t.Errorf("%q %v", raw, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%v %v", left, err)
	}
	for name, err := range map[string]error{
		"no folder": putBack(&out, filepath.Join(dir, "gone"), told, nil),
		"mute":      putBack(&out, dir, counter.Answer{Mute: "the card is gone"}, nil),
	} {
		var end exit
		if !errors.As(err, &end) || end.code != exitReceipts {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheWorstDecidesTheExitCode(t *testing.T) {
	refused, receipts := exit{errors.New("refused"), exitRefused}, exit{errors.New("receipts"), exitReceipts}
	for _, c := range []struct {
		all  []error
		want error
	}{{nil, nil}, {[]error{nil, nil}, nil}, {[]error{nil, receipts}, receipts}, {[]error{receipts, refused, nil}, refused}, {[]error{refused, receipts}, refused}} {
		if got := worst(c.all); got != c.want {
			t.Errorf("%v: %v", c.all, got)
		}
	}
}

func TestTakeChoosesThePackOfThisNode(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"tan-lap-2.loaxa.tar", "tan-lap-1.loaxa.tar", "readme.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, folder, err := take{Path: dir}.files("tan-lap-1")
	if err != nil || folder != dir || len(files) != 1 || filepath.Base(files[0]) != "tan-lap-1.loaxa.tar" {
		t.Errorf("%v %s %v", files, folder, err)
	}
	if files, _, err := (take{Path: dir}).files("tan-lap-9"); err != nil || len(files) != 2 {
		t.Errorf("without one of its own: %v %v", files, err)
	}
	if _, _, err := (take{Path: t.TempDir()}).files("tan-lap-1"); err == nil || !strings.Contains(err.Error(), "tan-lap-1.loaxa.tar") {
		t.Error(err)
	}
	var out strings.Builder
	err = take{Path: dir}.hand(&out, "tan-lap-1", filepath.Join(dir, "none.sock"))
	var end exit
	if !errors.As(err, &end) || end.code != exitNobody || !strings.Contains(err.Error(), "systemctl start loaxa-device") {
		t.Errorf("without a daemon: %v", err)
	}
}
