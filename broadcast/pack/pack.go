package pack

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
)

// Suffix ends the name of every pack.
const Suffix = ".loaxa.tar"

// Bounds of a pack.
const (
	// MaxEntries is how many documents and objects one pack may hold.
	MaxEntries = 20_000
	// MaxDocument and MaxObject are the largest of each in bytes.
	MaxDocument = 256 << 10
	MaxObject   = 200 << 20
)

// Sort says what an entry is.
type Sort string

// The two sorts of entries. Their names are the folders in the archive.
const (
	// Document is a sealed document; its kind stands in its own header.
	Document Sort = "document"
	// Object is named by a digest inside a document: a recording or a running order.
	Object Sort = "object"
)

func (s Sort) limit() int64 {
	if s == Document {
		return MaxDocument
	}
	return MaxObject
}

// Entry is one thing in a pack.
type Entry struct {
	Sort Sort
	// Sum is what the entry is called. Nobody has checked that it is true.
	Sum  broadcast.Digest
	Size int64
}

// Errors that a reader tells apart.
var (
	// ErrForm means that the bytes are no pack, or are cut off.
	ErrForm = errors.New("not a pack")
	// ErrSum means that bytes are not those that their name promises.
	ErrSum = errors.New("the bytes are not those that their name promises")
)

// Writer makes a pack. Close it, or the pack is cut off.
type Writer struct {
	tar     *tar.Writer
	entries int
	objects bool
}

// NewWriter begins a pack.
func NewWriter(w io.Writer) *Writer { return &Writer{tar: tar.NewWriter(w)} }

// Document adds a sealed document. All documents come before the first object.
func (w *Writer) Document(raw []byte) error {
	if w.objects {
		return errors.New("pack: a document after an object")
	}
	return w.add(Entry{Document, broadcast.Sum(raw), int64(len(raw))}, strings.NewReader(string(raw)))
}

// Object adds size bytes from r under the digest that they must have. When they
// have another one the pack is spoiled and the error wraps ErrSum.
func (w *Writer) Object(sum broadcast.Digest, size int64, r io.Reader) error {
	w.objects = true
	return w.add(Entry{Object, sum, size}, r)
}

func (w *Writer) add(e Entry, r io.Reader) error {
	if err := e.validate(); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	if w.entries++; w.entries > MaxEntries {
		return fmt.Errorf("pack: more than %d entries", MaxEntries)
	}
	head := &tar.Header{Typeflag: tar.TypeReg, Name: string(e.Sort) + "/" + string(e.Sum), Size: e.Size, Mode: 0o444, Format: tar.FormatUSTAR}
	if err := w.tar.WriteHeader(head); err != nil {
		return fmt.Errorf("pack: %w", err)
	}
	hash := sha256.New()
	if _, err := io.CopyN(io.MultiWriter(w.tar, hash), r, e.Size); err != nil {
		return fmt.Errorf("pack: %s %s: %w", e.Sort, e.Sum.Short(), err)
	}
	if hex.EncodeToString(hash.Sum(nil)) != string(e.Sum) {
		return fmt.Errorf("pack: %s %s: %w", e.Sort, e.Sum.Short(), ErrSum)
	}
	return nil
}

// Close ends the pack; it does not close what is below.
func (w *Writer) Close() error { return w.tar.Close() }

func (e Entry) validate() error {
	if e.Sort != Document && e.Sort != Object {
		return fmt.Errorf("%q is no sort of entry", string(e.Sort))
	}
	if e.Size < 1 || e.Size > e.Sort.limit() {
		return fmt.Errorf("%s of %d bytes, allowed are 1 to %d", e.Sort, e.Size, e.Sort.limit())
	}
	return e.Sum.Validate()
}

// Reader reads a pack from a stranger.
type Reader struct {
	tar     *tar.Reader
	entries int
	objects bool
}

// NewReader reads a pack. If r is an io.Seeker, what is not read is skipped.
func NewReader(r io.Reader) *Reader { return &Reader{tar: tar.NewReader(r)} }

// Next returns the next entry, whose bytes are then read from the Reader; io.EOF
// after the last. Any other error ends the pack and wraps ErrForm: what came
// before stays as good as it was. A pack that was cut off between two entries
// ends like a whole one; what it lacks, the lists in it still name.
func (r *Reader) Next() (Entry, error) {
	head, err := r.tar.Next()
	if errors.Is(err, io.EOF) {
		return Entry{}, io.EOF
	}
	if err != nil {
		return Entry{}, fmt.Errorf("%w: %w", ErrForm, err)
	}
	if r.entries++; r.entries > MaxEntries {
		return Entry{}, fmt.Errorf("%w: more than %d entries", ErrForm, MaxEntries)
	}
	if head.Typeflag != tar.TypeReg || head.Format != tar.FormatUSTAR || len(head.PAXRecords) > 0 {
		return Entry{}, fmt.Errorf("%w: entry %d is no plain file", ErrForm, r.entries)
	}
	sort, sum, _ := strings.Cut(head.Name, "/")
	e := Entry{Sort(sort), broadcast.Digest(sum), head.Size}
	if err := e.validate(); err != nil {
		return Entry{}, fmt.Errorf("%w: entry %d: %w", ErrForm, r.entries, err)
	}
	if e.Sort == Document && r.objects {
		return Entry{}, fmt.Errorf("%w: a document after an object", ErrForm)
	}
	r.objects = r.objects || e.Sort == Object
	return e, nil
}

// Read reads of the entry that Next returned last.
func (r *Reader) Read(b []byte) (int, error) { return r.tar.Read(b) }
