package counter_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pack"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/device/link/counter"
	"github.com/loaxa/loaxa/device/link/stick"
	"github.com/loaxa/loaxa/device/node"
)

// judge believes what its table says, and needs every recording but "old".
type judge struct {
	verdicts map[string]error
	taken    []string
	told     node.Told
	mute     error
}

func (j *judge) Offer(_ context.Context, raw []byte) error { return j.verdicts[string(raw)] }

func (j *judge) Take(_ context.Context, _ broadcast.Digest, _ int64, r io.ReadSeeker) error {
	raw, err := io.ReadAll(r)
	if err != nil || string(raw) == "old" {
		return errors.Join(err, node.ErrUnwanted)
	}
	j.taken = append(j.taken, string(raw))
	return nil
}

func (j *judge) Receipts(context.Context) (node.Told, error) { return j.told, j.mute }

// opened is a counter that serves until the test ends.
func opened(t *testing.T, j *judge) (socket string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "counter-") // sockets have short names
	if err != nil {
		t.Fatal(err)
	}
	socket = filepath.Join(dir, counter.Socket)
	l, err := counter.Listen(socket)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = counter.New(counter.Config{Name: "tan-lap-1", Node: j, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}).Serve(ctx, l)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		_ = os.RemoveAll(dir)
	})
	return socket
}

// file is an open file with some bytes.
func file(t *testing.T, raw []byte) *os.File {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "x"))
	if err == nil {
		_, err = f.Write(raw)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func packed(t *testing.T, documents, objects []string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := pack.NewWriter(&out)
	for _, d := range documents {
		if err := w.Document([]byte(d)); err != nil {
			t.Fatal(err)
		}
	}
	for _, o := range objects {
		if err := w.Object(broadcast.Sum([]byte(o)), int64(len(o)), strings.NewReader(o)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestWhatIsHandedOverIsAnsweredEntryByEntry(t *testing.T) {
	j := &judge{verdicts: map[string]error{"early": fmt.Errorf("%w: x", node.ErrWaits), "forged": seal.ErrSignature, "elsewhere": seal.ErrElsewhere},
		told: node.Told{Chain: "c1", Upto: 2, Batches: [][]byte{[]byte("{1}"), []byte("{2}")}}}
	socket := opened(t, j)
	whole := packed(t, []string{"good", "early", "forged", "elsewhere"}, []string{"flood", "old", "fair"})
	a, receipts, err := counter.Hand(socket, file(t, whole))
	if want := (stick.Taken{Documents: 1, Waiting: 1, Refused: 2, Recordings: 2, Unneeded: 1}); err != nil || a.Taken != want || a.Torn != "" {
		t.Errorf("%+v %v, want %+v", a, err, want)
	}
	if !slices.Equal(j.taken, []string{"flood", "fair"}) {
		t.Errorf("taken %q", j.taken)
	}
	for i, do := range []string{"altered or damaged", "another place"} {
		if i >= len(a.Refusals) || !strings.HasPrefix(a.Refusals[i].What, "document ") || a.Refusals[i].Why == "" || !strings.Contains(a.Refusals[i].Do.EN, do) || a.Refusals[i].Do.VI == "" {
			t.Errorf("refusal %d: %+v, want %q", i, a.Refusals, do)
		}
	}
	if a.Receipts != "tan-lap-1.c1.loaxa.receipts" || string(receipts) != "{1}\n{2}\n" {
		t.Errorf("%s %q", a.Receipts, receipts)
	}
	j.told, j.mute = node.Told{}, errors.New("the card is gone")
	a, receipts, err = counter.Hand(socket, file(t, whole[:len(whole)-2000]))
	if err != nil || a.Torn == "" || a.Documents != 1 || a.Mute != "the card is gone" || receipts != nil {
		t.Errorf("torn: %+v %q %v", a, receipts, err)
	}
}

func TestOneSealedDocumentIsJudgedByItself(t *testing.T) {
	socket := opened(t, &judge{verdicts: map[string]error{"{bad}": seal.ErrThreshold}})
	for raw, want := range map[string]stick.Taken{"{good}": {Documents: 1}, "{bad}": {Refused: 1}} {
		if a, _, err := counter.Hand(socket, file(t, []byte(raw))); err != nil || a.Taken != want || len(a.Refusals) != want.Refused || a.Torn != "" {
			t.Errorf("%s: %+v %v", raw, a, err)
		}
	}
	for name, raw := range map[string][]byte{"too large": bytes.Repeat([]byte("{"), 1<<20), "no pack": []byte("flood!"), "noise": bytes.Repeat([]byte("x"), 2000)} {
		if a, _, err := counter.Hand(socket, file(t, raw)); err != nil || a.Taken != (stick.Taken{}) || a.Torn == "" {
			t.Errorf("%s: %+v %v", name, a, err)
		}
	}
}

// TestWhoeverComesToTheCounterHoldsUpNobody passes what is no file, and nothing.
func TestWhoeverComesToTheCounterHoldsUpNobody(t *testing.T) {
	socket := opened(t, &judge{})
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = errors.Join(reader.Close(), writer.Close()) }()
	folder, err := os.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = folder.Close() }()
	for _, f := range []*os.File{reader, folder} {
		if a, _, err := counter.Hand(socket, f); err != nil || a.Torn != "not a plain file" {
			t.Errorf("%+v %v", a, err)
		}
	}
	conn, err := net.Dial("unix", socket)
	if err == nil {
		_, err = conn.Write([]byte("let me in"))
	}
	if err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(conn); len(rest) != 0 {
		t.Errorf("answered %q %v", rest, err)
	}
	_ = conn.Close()
	if a, _, err := counter.Hand(socket, file(t, []byte("{good}"))); err != nil || a.Documents != 1 {
		t.Errorf("after them: %+v %v", a, err)
	}
}

// TestFilesThatNobodyAskedForAreClosed: what is passed belongs to whoever
// receives it, and a daemon that keeps it runs out of files one day.
func TestFilesThatNobodyAskedForAreClosed(t *testing.T) {
	socket := opened(t, &judge{})
	for _, n := range []int{2, 3} {
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = reader.Close() }()
		conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		fds := slices.Repeat([]int{int(writer.Fd())}, n)
		if _, _, err := conn.WriteMsgUnix([]byte{0}, syscall.UnixRights(fds...), nil); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(conn); len(rest) != 0 {
			t.Errorf("answered %q %v", rest, err)
		}
		_ = errors.Join(conn.Close(), writer.Close())
		// The pipe ends when nobody has its other end any more.
		_ = reader.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := reader.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("%d files were passed, and one is still open: %v", n, err)
		}
	}
}

func TestOnlyTheOwnerReachesTheCounterAndADeadOneIsReplaced(t *testing.T) {
	dir, err := os.MkdirTemp("", "counter-")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	socket := filepath.Join(dir, counter.Socket)
	if _, _, err := counter.Hand(socket, file(t, nil)); !errors.Is(err, counter.ErrNobody) {
		t.Errorf("without a daemon: %v", err)
	}
	for range 2 {
		l, err := counter.Listen(socket)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(socket)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v %v", info, err)
		}
		l.SetUnlinkOnClose(false) // as after kill -9
		_ = l.Close()
		if _, _, err := counter.Hand(socket, file(t, nil)); !errors.Is(err, counter.ErrNobody) {
			t.Errorf("after the daemon died: %v", err)
		}
	}
	if err := errors.Join(os.Remove(socket), os.WriteFile(socket, []byte("a file of somebody"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := counter.Listen(socket); err == nil {
		t.Error("a plain file was replaced")
	}
}
