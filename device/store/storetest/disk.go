// Package storetest is a card that dies on command.
//
// The promise: a Disk does everything a real one may do and nothing it may
// not. Until a file or folder is synced, any part of what was done to it may
// survive a power cut, in any order, in whole sectors; after the sync all of it
// does. A sync that fails loses what it should have kept, and the next one
// does not bring it back, as on Linux. Then: a Disk records every operation, Cut
// gives the card as it may be found after any of them, and EveryCut tries them
// all. Losses are drawn from the seed given, so a failure can be repeated.
package storetest

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/loaxa/loaxa/device/store"
)

// Kind is a kind of operation on a Disk.
type Kind string

// The kinds of operation. All but Read change the card and are places to cut.
const (
	Read     Kind = "read"
	Write    Kind = "write"
	Truncate Kind = "truncate"
	Sync     Kind = "sync"
	Create   Kind = "create"
	Rename   Kind = "rename"
	Remove   Kind = "remove"
	SyncDir  Kind = "syncdir"
)

// Op describes an operation that is about to happen.
type Op struct {
	// Kind is what is done.
	Kind Kind
	// Path is the file or folder it is done to, by the name it was opened with.
	Path string
	// Offset and Length are the bytes concerned, where that makes sense.
	Offset, Length int64
}

// Disk is a card in memory. It is safe for use by several goroutines.
type Disk struct {
	mu       sync.Mutex
	files    []*inode
	names    map[string]*inode
	start    map[string]*inode // names that are on the medium since before the log
	log      []entry
	notes    []note
	fault    func(Op) error
	capacity int64
	open     int
}

// inode is a file without its name. durable is what was on the medium before
// the log began, live what a reader sees now.
type inode struct{ durable, live []byte }

// entry is one recorded operation.
type entry struct {
	op   Op
	file *inode
	data []byte // Write
	to   string // Rename
	void bool   // a sync that should have kept it failed
}

type note struct {
	before int // length of the log when it was made
	text   string
}

// New returns an empty card without a size limit.
func New() *Disk {
	return &Disk{names: map[string]*inode{}, start: map[string]*inode{}}
}

// Fail makes every operation ask f first; an error of f is its result and it
// has no effect. nil stops that. f must not use the Disk.
func (d *Disk) Fail(f func(Op) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fault = f
}

// Limit sets the size of the card in bytes, 0 for none. A write that does not
// fit is cut short with ENOSPC.
func (d *Disk) Limit(bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.capacity = bytes
}

// Note records what the code under test has promised by now. A check after a
// cut is told the notes made before it.
func (d *Disk) Note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.notes = append(d.notes, note{len(d.log), fmt.Sprintf(format, args...)})
}

// Ops is the number of operations recorded: there are Ops()+1 places to cut.
func (d *Disk) Ops() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.log)
}

// Rot flips one bit of a file, on the medium and for every reader.
func (d *Disk) Rot(path string, offset int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.names[path]
	if f == nil || offset < 0 || offset >= int64(len(f.live)) {
		return fmt.Errorf("rot %s at %d: %w", path, offset, os.ErrNotExist)
	}
	f.live[offset] ^= 0x10
	op := Op{Kind: Write, Path: path, Offset: offset, Length: 1}
	d.log = append(d.log, entry{op: op, file: f, data: []byte{f.live[offset]}},
		entry{op: Op{Kind: Sync, Path: path}, file: f})
	return nil
}

// Files lists the paths of all files, sorted.
func (d *Disk) Files() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	paths := make([]string, 0, len(d.names))
	for path := range d.names {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

// Open is the number of files that are open now.
func (d *Disk) Open() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open
}

// FS is the Disk as the store sees it. Folders exist as soon as they are named.
func (d *Disk) FS() store.FS {
	return store.FS{
		OpenFile: d.openFile,
		Rename:   d.rename,
		Remove:   d.remove,
		Stat:     d.stat,
		ReadDir:  d.readDir,
		SyncDir:  func(dir string) error { return d.do(entry{op: Op{Kind: SyncDir, Path: dir}}, nil) },
		MkdirAll: func(string) error { return nil },
	}
}

// do asks for a fault, applies an operation and records it. d.mu is not held.
func (d *Disk) do(e entry, apply func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.doLocked(e, apply)
}

func (d *Disk) doLocked(e entry, apply func() error) error {
	if d.fault != nil {
		if err := d.fault(e.op); err != nil {
			if e.op.Kind == Sync {
				d.forget(e.file)
			}
			return &os.PathError{Op: string(e.op.Kind), Path: e.op.Path, Err: err}
		}
	}
	if apply != nil {
		if err := apply(); err != nil {
			return &os.PathError{Op: string(e.op.Kind), Path: e.op.Path, Err: err}
		}
	}
	if e.op.Kind != Read {
		d.log = append(d.log, e)
	}
	return nil
}

// forget is what the kernel does with dirty pages it could not write: it calls
// them clean.
func (d *Disk) forget(f *inode) {
	for i := len(d.log) - 1; i >= 0; i-- {
		e := &d.log[i]
		if e.file != f {
			continue
		}
		if e.op.Kind == Sync {
			return
		}
		if e.op.Kind == Write || e.op.Kind == Truncate {
			e.void = true
		}
	}
}

func (d *Disk) openFile(path string, flag int) (store.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.names[path]
	switch {
	case f == nil && flag&os.O_CREATE == 0:
		return nil, &os.PathError{Op: "open", Path: path, Err: os.ErrNotExist}
	case f != nil && flag&os.O_EXCL != 0:
		return nil, &os.PathError{Op: "open", Path: path, Err: os.ErrExist}
	case f == nil:
		f = &inode{}
		err := d.doLocked(entry{op: Op{Kind: Create, Path: path}, file: f}, func() error {
			d.files, d.names[path] = append(d.files, f), f
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	h := &handle{d: d, f: f, path: path}
	d.open++
	if flag&os.O_TRUNC != 0 && len(f.live) > 0 {
		e := entry{op: Op{Kind: Truncate, Path: path}, file: f}
		if err := d.doLocked(e, func() error { f.live = nil; return nil }); err != nil {
			d.open--
			return nil, err
		}
	}
	return h, nil
}

func (d *Disk) rename(from, to string) error {
	e := entry{op: Op{Kind: Rename, Path: from}, to: to}
	d.mu.Lock()
	defer d.mu.Unlock()
	e.file = d.names[from]
	return d.doLocked(e, func() error {
		if e.file == nil {
			return os.ErrNotExist
		}
		delete(d.names, from)
		d.names[to] = e.file
		return nil
	})
}

func (d *Disk) remove(path string) error {
	return d.do(entry{op: Op{Kind: Remove, Path: path}}, func() error {
		if d.names[path] == nil {
			return os.ErrNotExist
		}
		delete(d.names, path)
		return nil
	})
}

func (d *Disk) stat(path string) (store.Entry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.names[path]
	if f == nil {
		return store.Entry{}, &os.PathError{Op: "stat", Path: path, Err: os.ErrNotExist}
	}
	return d.entry(path, f), nil
}

// entry dates a file by the order of its creation, which is all a store may use.
func (d *Disk) entry(path string, f *inode) store.Entry {
	age := slices.Index(d.files, f)
	return store.Entry{Name: filepath.Base(path), Size: int64(len(f.live)), Modified: time.Unix(int64(age), 0)}
}

func (d *Disk) readDir(dir string) ([]store.Entry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var list []store.Entry
	for path, f := range d.names {
		if filepath.Dir(path) == filepath.Clean(dir) {
			list = append(list, d.entry(path, f))
		}
	}
	slices.SortFunc(list, func(a, b store.Entry) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// used is the room all named files take.
func (d *Disk) used() int64 {
	var sum int64
	for _, f := range d.names {
		sum += int64(len(f.live))
	}
	return sum
}

// handle is an open file. It goes on working when its name is gone.
type handle struct {
	d      *Disk
	f      *inode
	path   string
	closed bool
}

func (h *handle) ReadAt(p []byte, off int64) (n int, err error) {
	op := Op{Kind: Read, Path: h.path, Offset: off, Length: int64(len(p))}
	err = h.d.do(entry{op: op, file: h.f}, func() error {
		if off < int64(len(h.f.live)) {
			n = copy(p, h.f.live[off:])
		}
		return nil
	})
	if err == nil && n < len(p) {
		err = io.EOF
	}
	return n, err
}

func (h *handle) WriteAt(p []byte, off int64) (n int, err error) {
	d := h.d
	d.mu.Lock()
	defer d.mu.Unlock()
	full := false
	if d.capacity > 0 {
		grow := max(0, off+int64(len(p))-int64(len(h.f.live)))
		if over := d.used() + grow - d.capacity; over > 0 {
			p, full = p[:max(0, int64(len(p))-over)], true
		}
	}
	op := Op{Kind: Write, Path: h.path, Offset: off, Length: int64(len(p))}
	err = d.doLocked(entry{op: op, file: h.f, data: slices.Clone(p)}, func() error {
		h.f.live = overlay(h.f.live, off, p)
		return nil
	})
	if err != nil {
		return 0, err
	}
	if full {
		return len(p), &os.PathError{Op: "write", Path: h.path, Err: syscall.ENOSPC}
	}
	return len(p), nil
}

func (h *handle) Sync() error {
	return h.d.do(entry{op: Op{Kind: Sync, Path: h.path}, file: h.f}, nil)
}

func (h *handle) Truncate(size int64) error {
	e := entry{op: Op{Kind: Truncate, Path: h.path, Length: size}, file: h.f}
	return h.d.do(e, func() error { h.f.live = resize(h.f.live, size); return nil })
}

func (h *handle) Close() error {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	if h.closed {
		return os.ErrClosed
	}
	h.closed = true
	h.d.open--
	return nil
}

func resize(data []byte, size int64) []byte {
	if int64(len(data)) >= size {
		return data[:size:size]
	}
	return append(slices.Clone(data), make([]byte, size-int64(len(data)))...)
}

func overlay(data []byte, off int64, p []byte) []byte {
	if end := off + int64(len(p)); end > int64(len(data)) {
		data = resize(data, end)
	}
	copy(data[off:], p)
	return data
}
