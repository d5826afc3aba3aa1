// Package counter is where a technician who stands at the box with a shell hands
// a pack or a sealed document to the running daemon.
//
// It promises that a shell gives no right: what is handed over goes before the
// same judge as what the network or a stick brings, and who may open the socket
// may only offer. Every handing is answered: what was taken, what was refused
// and why, and what the node has proved that no controller acknowledged. One is
// served at a time, and nothing is read that is not a plain file.
//
// How: a unix socket in the node's data folder, which only its owner and root
// can open. The caller passes the open file (SCM_RIGHTS, unix(7)), so the daemon
// needs no right to the folder it lies in, reads it in place as from a stick,
// and holds no recording in memory. It answers with one line of JSON, and after
// it the receipts as a file of lines, for the caller to put beside the pack.
package counter

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/pack"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/link/stick"
)

// Socket is the name of the socket in a node's data folder.
const Socket = "counter.sock"

const (
	// patience is how long one handing may take: a stick is slow, a card is
	// slower.
	patience = 30 * time.Minute
	// greeting is how long a caller may take to pass its file.
	greeting = 10 * time.Second
	// maxRefusals is how many are told word for word; all are counted.
	maxRefusals = 20
)

// Config is what a counter works with; all of it is needed.
type Config struct {
	// Name is the node's.
	Name broadcast.ID
	Node stick.Node
	Log  *slog.Logger
}

// Answer is what became of what was handed over.
type Answer struct {
	stick.Taken
	// Refusals are the first of what was refused.
	Refusals []Refusal `json:"refusals"`
	// Torn says why the file was not read to its end; empty if it was.
	Torn string `json:"torn"`
	// Receipts is the name of the file of receipts that follows; empty if there
	// is nothing to tell. Mute says why they cannot be given.
	Receipts string `json:"receipts"`
	Mute     string `json:"mute"`
}

// Refusal is one thing that was not taken.
type Refusal struct {
	What string `json:"what"`
	Why  string `json:"why"`
	Do   Advice `json:"do"`
}

// Counter serves. Make one with New.
type Counter struct{ cfg Config }

// New returns a counter that does nothing until Serve.
func New(cfg Config) *Counter { return &Counter{cfg} }

// Listen opens the socket at a path, in place of one that a daemon which died
// left there. Only its owner and root can reach it.
func Listen(path string) (*net.UnixListener, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == os.ModeSocket {
		_ = os.Remove(path) // or Listen says what is wrong
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err == nil {
		err = os.Chmod(path, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("counter: %w", err)
	}
	return l, nil
}

// Serve answers until ctx ends, and closes the listener.
func (c *Counter) Serve(ctx context.Context, l *net.UnixListener) error {
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	for {
		conn, err := l.AcceptUnix()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			_ = l.Close()
			return fmt.Errorf("counter: %w", err)
		}
		if err := c.serve(ctx, conn); err != nil {
			c.cfg.Log.Warn("a handing at the counter broke off", "err", err)
		}
	}
}

// serve answers one caller.
func (c *Counter) serve(ctx context.Context, conn *net.UnixConn) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	defer func() { _ = conn.Close() }()
	_ = conn.SetReadDeadline(time.Now().Add(greeting))
	f, err := received(conn)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // opened for reading
	answer := c.take(ctx, f)
	c.cfg.Log.Info("something was handed over at the box", "documents", answer.Documents, "waiting", answer.Waiting,
		"recordings", answer.Recordings, "not_needed", answer.Unneeded, "refused", answer.Refused, "torn", answer.Torn)
	var receipts bytes.Buffer
	told, err := c.cfg.Node.Receipts(ctx)
	if err == nil && len(told.Batches) > 0 {
		answer.Receipts = pack.ReceiptsName(c.cfg.Name, told.Chain)
		err = pack.WriteReceipts(&receipts, told.Batches)
	}
	if err != nil {
		answer.Receipts, answer.Mute = "", err.Error()
		receipts.Reset()
	}
	if err := json.NewEncoder(conn).Encode(answer); err != nil {
		return err
	}
	_, err = receipts.WriteTo(conn)
	return err
}

// take reads what lies on the counter.
func (c *Counter) take(ctx context.Context, f *os.File) (a Answer) {
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a plain file")
	}
	if err == nil {
		err = c.read(ctx, io.NewSectionReader(f, 0, info.Size()), &a)
	}
	if err != nil {
		a.Torn = err.Error()
	}
	return a
}

func (c *Counter) read(ctx context.Context, file *io.SectionReader, a *Answer) (err error) {
	refused := func(what string, err error) {
		if len(a.Refusals) < maxRefusals {
			a.Refusals = append(a.Refusals, Refusal{what, err.Error(), advice(err)})
		}
	}
	if !sealed(file) {
		a.Taken, err = stick.Unpack(ctx, c.cfg.Node, file, refused)
		return err
	}
	if file.Size() > wire.MaxMessage {
		return fmt.Errorf("a document of %d bytes is larger than any", file.Size())
	}
	raw, err := io.ReadAll(file)
	if err != nil {
		return err
	}
	if err := a.Hand(ctx, c.cfg.Node, raw); err != nil {
		refused("document", err)
	}
	return nil
}

// sealed says that a file begins like a sealed document and not like a pack,
// whose first bytes are the name of an entry.
func sealed(file *io.SectionReader) bool {
	var first [1]byte
	n, _ := file.ReadAt(first[:], 0)
	return n == 1 && first[0] == '{'
}

// received takes the one file that a caller passes.
func received(conn *net.UnixConn) (*os.File, error) {
	var word [1]byte
	rights := make([]byte, syscall.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(word[:], rights)
	if err != nil {
		return nil, err
	}
	files := passed(rights[:n])
	if len(files) != 1 {
		for _, fd := range files { // they are this program's, wanted or not
			_ = syscall.Close(fd)
		}
		return nil, fmt.Errorf("%d files were passed: pass one", len(files))
	}
	return os.NewFile(uintptr(files[0]), "handed over"), nil
}

// passed are all files that came with a message.
func passed(rights []byte) (files []int) {
	messages, err := syscall.ParseSocketControlMessage(rights)
	if err != nil {
		return nil
	}
	for _, m := range messages {
		some, err := syscall.ParseUnixRights(&m)
		if err == nil {
			files = append(files, some...)
		}
	}
	return files
}
