package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loaxa/loaxa/controller/api/apitest"
)

func TestDiaryAndReportFromAShell(t *testing.T) {
	h := apitest.New(t)
	h.Node("tan-lap-1", "tan-lap")
	dir := t.TempDir()
	book := filepath.Join(dir, "bao-cao.xlsx")
	run := func(args ...string) (int, string) {
		var out bytes.Buffer
		all := append([]string{args[0], "--controller", h.Server.URL, "--token", h.Named("kiem-tra").Token}, args[1:]...)
		return Run(all, Streams{Out: &out, Err: &out}), out.String()
	}
	for i, c := range []struct {
		args []string
		code int
		has  string
	}{
		{[]string{"report", "xa-tan-quang", "11/2026"}, 0, "11/2026"},
		{[]string{"report", "bac-quang", "11/2026", "--format", "html"}, 0, "<!doctype html>"},
		{[]string{"report", "xa-tan-quang", "11/2026", "--format", "xlsx", "--out", book}, 0, book},
		{[]string{"report", "xa-tan-quang", "11/2026", "--format", "xlsx", "--out", book}, 0, book}, // in place of the one before
		{[]string{"report", "xa-tan-quang", "11/2026", "--format", "xlsx"}, 1, "--out"},
		{[]string{"report", "xa-tan-quang", "2026"}, 1, "MM/yyyy"},
		{[]string{"report", "xa-tan-quang", "12/2026"}, 1, "Không có nhật ký hoặc báo cáo"},
		{[]string{"report", "nowhere", "11/2026"}, 1, "Không tìm thấy"},
		{[]string{"diary", "xa-tan-quang", "22/11/2026"}, 0, "Nhật ký phát thanh / Diary"},
		{[]string{"diary", "xa-tan-quang", "2026-11-22"}, 1, "dd/MM/yyyy"},
		{[]string{"diary", "tan-lap", "22/11/2026"}, 1, "communes keep diaries"},
	} {
		code, out := run(c.args...)
		if code != c.code || !strings.Contains(out, c.has) {
			t.Errorf("%d %v: exit %d: %s", i, c.args, code, out)
		}
	}
	b, err := os.ReadFile(book)
	if err != nil || !bytes.HasPrefix(b, []byte("PK")) {
		t.Errorf("no workbook: %.8q %v", b, err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("%v %v", left, err)
	}
}
