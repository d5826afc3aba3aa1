package pack_test

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pack"
)

// made is a pack of two documents and two objects.
func made(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	w := pack.NewWriter(&out)
	for _, doc := range []string{"authority", "manifest"} {
		if err := w.Document([]byte(doc)); err != nil {
			t.Fatal(err)
		}
	}
	for _, sound := range []string{"flood", strings.Repeat("fair ", 1000)} {
		if err := w.Object(broadcast.Sum([]byte(sound)), int64(len(sound)), strings.NewReader(sound)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// read returns what a reader finds until an error.
func read(raw io.Reader) (entries []pack.Entry, bodies []string, err error) {
	r := pack.NewReader(raw)
	for {
		e, err := r.Next()
		if err != nil {
			return entries, bodies, err
		}
		body, err := io.ReadAll(r)
		if err != nil {
			return entries, bodies, err
		}
		entries, bodies = append(entries, e), append(bodies, string(body))
	}
}

func TestAPackGivesBackWhatWasPutIn(t *testing.T) {
	entries, bodies, err := read(bytes.NewReader(made(t)))
	if !errors.Is(err, io.EOF) || len(entries) != 4 || bodies[1] != "manifest" || bodies[2] != "flood" {
		t.Fatalf("%v %d entries, %.40q", err, len(entries), bodies)
	}
	for i, e := range entries {
		want := pack.Entry{Sort: []pack.Sort{pack.Document, pack.Document, pack.Object, pack.Object}[i], Sum: broadcast.Sum([]byte(bodies[i])), Size: int64(len(bodies[i]))}
		if e != want {
			t.Errorf("entry %d is %+v, want %+v", i, e, want)
		}
	}
	// What nobody reads is skipped.
	r := pack.NewReader(bytes.NewReader(made(t)))
	for range 4 {
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Error(err)
	}
}

func TestAPackCutAnywhereGivesOnlyWholeEntries(t *testing.T) {
	whole := made(t)
	all, _, _ := read(bytes.NewReader(whole))
	for cut := 0; cut < len(whole)-1024; cut += 37 {
		entries, bodies, err := read(bytes.NewReader(whole[:cut]))
		if len(entries) > 4 || !slices.Equal(entries, all[:len(entries)]) {
			t.Fatalf("cut at %d: %+v", cut, entries)
		}
		for i, e := range entries {
			if broadcast.Sum([]byte(bodies[i])) != e.Sum {
				t.Errorf("cut at %d: entry %d is torn and looks whole", cut, i)
			}
		}
		if err == nil {
			t.Errorf("cut at %d: no end", cut)
		}
	}
}

func TestWhatIsNoPlainFileOfAPackIsRefused(t *testing.T) {
	sum := string(broadcast.Sum([]byte("x")))
	plain := func(name string, size int64) tar.Header {
		return tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Format: tar.FormatUSTAR}
	}
	with := func(h tar.Header, f func(*tar.Header)) tar.Header { f(&h); return h }
	good := plain("document/"+sum, 1)
	for name, h := range map[string]tar.Header{
		"a path":             plain("../etc/passwd", 1),
		"an absolute path":   plain("/document/"+sum, 1),
		"a folder below":     plain("document/x/"+sum, 1),
		"another sort":       plain("program/"+sum, 1),
		"no digest":          plain("document/abc", 1),
		"capitals":           plain("document/"+strings.ToUpper(sum), 1),
		"nothing in it":      plain("document/"+sum, 0),
		"too large":          plain("document/"+sum, pack.MaxDocument+1),
		"a larger object":    plain("object/"+sum, pack.MaxObject+1),
		"a link":             with(good, func(h *tar.Header) { h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, "/etc/passwd", 0 }),
		"a hard link":        with(good, func(h *tar.Header) { h.Typeflag, h.Linkname, h.Size = tar.TypeLink, "document/"+sum, 0 }),
		"a device":           with(good, func(h *tar.Header) { h.Typeflag, h.Size = tar.TypeBlock, 0 }),
		"a folder":           with(good, func(h *tar.Header) { h.Typeflag, h.Name, h.Size = tar.TypeDir, "document/", 0 }),
		"records of its own": with(good, func(h *tar.Header) { h.Format, h.PAXRecords = tar.FormatPAX, map[string]string{"LOAXA.x": "y"} }),
		"a GNU header":       with(good, func(h *tar.Header) { h.Format = tar.FormatGNU }),
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			w := tar.NewWriter(&out)
			if err := w.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
			if entries, _, err := read(&out); len(entries) > 0 || !errors.Is(err, pack.ErrForm) {
				t.Errorf("%+v %v", entries, err)
			}
		})
	}
}

func TestDocumentsComeBeforeWhatTheyName(t *testing.T) {
	w := pack.NewWriter(io.Discard)
	if err := w.Object(broadcast.Sum([]byte("x")), 1, strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	if err := w.Document([]byte("y")); err == nil {
		t.Error("a document was written after an object")
	}
	var out bytes.Buffer
	raw := tar.NewWriter(&out)
	for _, name := range []string{"object/", "document/"} {
		if err := raw.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name + string(broadcast.Sum(nil)), Size: 1, Format: tar.FormatUSTAR}); err != nil {
			t.Fatal(err)
		}
		if _, err := raw.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if entries, _, err := read(&out); len(entries) != 1 || !errors.Is(err, pack.ErrForm) {
		t.Errorf("%+v %v", entries, err)
	}
}

func TestAPackHasAnEnd(t *testing.T) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for range pack.MaxEntries + 1 {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "object/" + string(broadcast.Sum(nil)), Size: 1, Format: tar.FormatUSTAR}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if entries, _, err := read(&out); len(entries) != pack.MaxEntries || !errors.Is(err, pack.ErrForm) {
		t.Errorf("%d entries, %v", len(entries), err)
	}
}

func TestAWriterPacksNothingUnderAFalseName(t *testing.T) {
	w := pack.NewWriter(io.Discard)
	if err := w.Object(broadcast.Sum([]byte("flood")), 5, strings.NewReader("fever")); !errors.Is(err, pack.ErrSum) {
		t.Error(err)
	}
	for name, err := range map[string]error{
		"too short":      pack.NewWriter(io.Discard).Object(broadcast.Sum([]byte("flood")), 5, strings.NewReader("flo")),
		"empty":          pack.NewWriter(io.Discard).Document(nil),
		"large":          pack.NewWriter(io.Discard).Document(make([]byte, pack.MaxDocument+1)),
		"without a name": pack.NewWriter(io.Discard).Object("", 5, strings.NewReader("flood")),
	} {
		if err == nil {
			t.Errorf("%s: packed", name)
		}
	}
}

func TestReceiptsTravelInLines(t *testing.T) {
	var out bytes.Buffer
	if err := pack.WriteReceipts(&out, [][]byte{[]byte(`{"a":1}`), []byte(`{"b":2}`)}); err != nil {
		t.Fatal(err)
	}
	var got []string
	take := func(raw []byte) error { got = append(got, string(raw)); return nil }
	if n, err := pack.ReadReceipts(strings.NewReader(out.String()+`{"c"`), take); n != 3 || err != nil || fmt.Sprint(got) != `[{"a":1} {"b":2} {"c"]` {
		t.Errorf("%d %v %q", n, err, got)
	}
	for name, raw := range map[string]string{"a line without an end": strings.Repeat("x", 100<<10), "too many": strings.Repeat("x\n", pack.MaxBatches+1)} {
		if n, err := pack.ReadReceipts(strings.NewReader(raw), func([]byte) error { return nil }); !errors.Is(err, pack.ErrForm) || n > pack.MaxBatches {
			t.Errorf("%s: %d %v", name, n, err)
		}
	}
	if _, err := pack.ReadReceipts(strings.NewReader("x\n"), func([]byte) error { return io.ErrNoProgress }); !errors.Is(err, io.ErrNoProgress) {
		t.Error(err)
	}
	for _, bad := range [][][]byte{{nil}, {[]byte("a\nb")}, {make([]byte, 65<<10)}, make([][]byte, pack.MaxBatches+1)} {
		if err := pack.WriteReceipts(io.Discard, bad); err == nil {
			t.Errorf("%d batches were written that nobody could read", len(bad))
		}
	}
}

func TestAFileOfReceiptsIsCalledAfterNodeAndChain(t *testing.T) {
	if node, ok := pack.ReceiptsOf(pack.ReceiptsName("tan-lap-1", "01jd")); !ok || node != "tan-lap-1" {
		t.Error(node, ok)
	}
	for _, bad := range []string{"", "x", "a.b", "..loaxa.receipts", "a" + pack.ReceiptsSuffix, "A.b" + pack.ReceiptsSuffix, "a.b.c" + pack.ReceiptsSuffix, "../a.b" + pack.ReceiptsSuffix} {
		if node, ok := pack.ReceiptsOf(bad); ok {
			t.Errorf("%q is of node %q", bad, node)
		}
	}
}

func TestARecordingIsCalledAfterNodeAndDigest(t *testing.T) {
	sum := broadcast.Sum([]byte("spoken"))
	if node, got, ok := pack.RecordingOf(pack.RecordingName("tan-lap-1", sum)); !ok || node != "tan-lap-1" || got != sum {
		t.Error(node, got, ok)
	}
	for _, bad := range []string{"", "a.b" + pack.RecordingSuffix, "A." + string(sum) + pack.RecordingSuffix, "../a." + string(sum) + pack.RecordingSuffix,
		"a." + string(sum) + ".x" + pack.RecordingSuffix, "a." + string(sum), "a." + string(sum) + pack.ReceiptsSuffix} {
		if _, _, ok := pack.RecordingOf(bad); ok {
			t.Errorf("%q is one", bad)
		}
	}
}

// FuzzReader feeds a reader what anybody may have put on a stick.
func FuzzReader(f *testing.F) {
	whole := made(f)
	f.Add(whole)
	f.Add(whole[:700])
	f.Add(bytes.Repeat([]byte{0}, 1024))
	f.Fuzz(func(t *testing.T, raw []byte) {
		entries, bodies, err := read(bytes.NewReader(raw))
		if err == nil || len(entries) > pack.MaxEntries {
			t.Fatalf("%d entries, %v", len(entries), err)
		}
		for i, e := range entries {
			if e.Sum.Validate() != nil || int64(len(bodies[i])) != e.Size || e.Sort == pack.Document && e.Size > pack.MaxDocument {
				t.Errorf("%+v with %d bytes", e, len(bodies[i]))
			}
		}
	})
}

// FuzzReceipts feeds it what anybody may have written back.
func FuzzReceipts(f *testing.F) {
	f.Add([]byte("{}\n{}\n"))
	f.Add([]byte("\r\n\n\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		total := 0
		n, _ := pack.ReadReceipts(bytes.NewReader(raw), func(line []byte) error {
			total += len(line)
			return nil
		})
		if n > pack.MaxBatches || total > len(raw) {
			t.Errorf("%d lines of %d bytes from %d", n, total, len(raw))
		}
	})
}
