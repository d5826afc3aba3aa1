package backup

import (
	"bufio"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/loaxa/loaxa/controller/people"
)

const (
	// format is the first word of every backup.
	format = "loaxa-backup.v1"
	// chunk is how much is sealed at a time, in bytes.
	chunk = 64 << 10
	// maxHeader bounds the line before the first chunk.
	maxHeader = 1 << 10
	saltSize  = 16
)

// Errors that callers tell apart.
var (
	// ErrFormat: the file is no backup of this program.
	ErrFormat = errors.New("this is no backup; name a file that the command backup wrote")
	// ErrOpen: another passphrase, or the file was altered or cut off; these cannot
	// be told apart.
	ErrOpen = errors.New("the passphrase is another one, or the file is damaged or was altered")
)

// header is what anybody may read of a backup.
type header struct {
	Format string      `json:"format"`
	Cost   people.Cost `json:"argon2id"`
	Salt   []byte      `json:"salt"`
}

// box makes the cipher of one file. Its salt is fresh, so the key seals nothing
// else, and the number of a chunk is enough of a nonce.
func (h header) box(passphrase string) (cipher.AEAD, error) {
	key, err := h.Cost.Key(passphrase, h.Salt)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	return chacha20poly1305.NewX(key)
}

// nonce is that of a chunk: its number, and whether it is the last.
func nonce(number uint64, last bool) []byte {
	n := make([]byte, chacha20poly1305.NonceSizeX)
	binary.BigEndian.PutUint64(n, number)
	if last {
		n[len(n)-1] = 1
	}
	return n
}

// sealer seals what is written to it.
type sealer struct {
	to     io.Writer
	box    cipher.AEAD
	bound  []byte
	buf    []byte
	number uint64
}

// newSealer writes a header and returns what seals the rest. Nothing is whole
// before Close.
func newSealer(to io.Writer, passphrase string, cost people.Cost) (*sealer, error) {
	h := header{Format: format, Cost: cost, Salt: make([]byte, saltSize)}
	_, _ = rand.Read(h.Salt) // never fails; it would stop the program
	box, err := h.box(passphrase)
	if err != nil {
		return nil, err
	}
	line, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	line = append(line, '\n')
	bound := sha256.Sum256(line)
	if _, err := to.Write(line); err != nil {
		return nil, err
	}
	return &sealer{to: to, box: box, bound: bound[:], buf: make([]byte, 0, chunk)}, nil
}

// Write seals what fills chunks and keeps the rest for later.
func (s *sealer) Write(p []byte) (int, error) {
	all := len(p)
	for len(p) > 0 {
		if len(s.buf) == chunk {
			if err := s.flush(false); err != nil {
				return all - len(p), err
			}
		}
		n := min(chunk-len(s.buf), len(p))
		s.buf, p = append(s.buf, p[:n]...), p[n:]
	}
	return all, nil
}

func (s *sealer) flush(last bool) error {
	_, err := s.to.Write(s.box.Seal(nil, nonce(s.number, last), s.buf, s.bound))
	s.number, s.buf = s.number+1, s.buf[:0]
	return err
}

// Close seals the last chunk, which says that it is the last.
func (s *sealer) Close() error { return s.flush(true) }

// opener reads what a sealer wrote. It gives no byte that it has not checked, and
// io.EOF only after the last chunk.
type opener struct {
	from   *bufio.Reader
	box    cipher.AEAD
	bound  []byte
	sealed []byte
	rest   []byte
	number uint64
	done   bool
}

func newOpener(from io.Reader, passphrase string) (*opener, error) {
	in := bufio.NewReaderSize(from, chunk)
	line, err := in.Peek(maxHeader)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	size := 0
	for size < len(line) && line[size] != '\n' {
		size++
	}
	var h header
	if size == len(line) || json.Unmarshal(line[:size], &h) != nil || h.Format != format || len(h.Salt) != saltSize {
		return nil, ErrFormat
	}
	bound := sha256.Sum256(line[:size+1])
	box, err := h.box(passphrase)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	_, err = in.Discard(size + 1)
	return &opener{from: in, box: box, bound: bound[:], sealed: make([]byte, chunk+chacha20poly1305.Overhead)}, err
}

// Read returns opened bytes.
func (o *opener) Read(p []byte) (int, error) {
	for len(o.rest) == 0 {
		if o.done {
			return 0, io.EOF
		}
		if err := o.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, o.rest)
	o.rest = o.rest[n:]
	return n, nil
}

// next opens one chunk. The last is the one after which there is nothing.
func (o *opener) next() error {
	n, err := io.ReadFull(o.from, o.sealed)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return err
	}
	_, end := o.from.Peek(1)
	if end != nil && !errors.Is(end, io.EOF) {
		return end
	}
	o.done = end != nil
	if o.rest, err = o.box.Open(o.sealed[:0], nonce(o.number, o.done), o.sealed[:n], o.bound); err != nil {
		return ErrOpen
	}
	o.number++
	return nil
}
