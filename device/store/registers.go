package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Errors that a caller of Registers tells apart.
var (
	// ErrAbsent means that nothing was ever put under the name.
	ErrAbsent = errors.New("no such register")
	// ErrCorrupt means that the card spoiled the value. Put mends it.
	ErrCorrupt = errors.New("register is damaged")
	// ErrName means that a name is not made of parts of a-z, 0-9, '.', '_' and
	// '-' with slashes between them, at most 120 bytes long.
	ErrName = errors.New("not a register name: use a-z, 0-9, '.', '_', '-' and '/' between parts, at most 120 bytes")
)

// RegisterLimits bound Registers. All must be positive.
type RegisterLimits struct {
	// Value is the longest value in bytes.
	Value int
	// Count is the largest number of registers.
	Count int
	// Total bounds all values together in bytes.
	Total int64
}

// Registers are small named values, each replaced as a whole: after a cut a
// register has its old value or its new one. Nothing is kept in memory.
type Registers struct {
	fs  FS
	dir string
	lim RegisterLimits

	mu    sync.Mutex
	count int
	total int64
}

const (
	registerSuffix = ".reg"
	scratchSuffix  = ".tmp"
	registerMagic  = "lxr1"
	// registerHeader is magic, name length, value length and checksum.
	registerHeader = 4 + 4 + 4 + 4
	maxName        = 120
)

// OpenRegisters opens the registers in dir, making the folder when it is
// missing, and sweeps away what an interrupted Put left.
func OpenRegisters(fs FS, dir string, lim RegisterLimits) (*Registers, error) {
	if lim.Value <= 0 || lim.Count <= 0 || lim.Total <= 0 {
		return nil, fmt.Errorf("open registers %s: limits %+v make no sense: all must be positive", dir, lim)
	}
	if err := fs.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("open registers: make %s: %w", dir, err)
	}
	entries, err := fs.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open registers %s: %w", dir, err)
	}
	r := &Registers{fs: fs, dir: dir, lim: lim}
	for _, e := range entries {
		switch {
		case strings.HasSuffix(e.Name, registerSuffix):
			r.count++
			r.total += e.Size
		case strings.HasSuffix(e.Name, scratchSuffix):
			_ = fs.Remove(filepath.Join(dir, e.Name)) // on a read-only card it just stays
		}
	}
	return r, nil
}

// Put replaces the value of a register. A nil error means that the new value
// is on the medium. After an error the register has its old value, or, when
// only the last step failed, possibly the new one: put it again.
func (r *Registers) Put(name string, value []byte) error {
	file, err := registerFile(name)
	if err != nil {
		return err
	}
	if len(value) > r.lim.Value {
		return fmt.Errorf("put register %s: %d bytes, limit %d: %w", name, len(value), r.lim.Value, ErrTooLarge)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	data := encodeRegister(name, value)
	old, held, err := r.stat(file)
	if err != nil {
		return fmt.Errorf("put register %s: %w", name, err)
	}
	if (!held && r.count >= r.lim.Count) || r.total-old+int64(len(data)) > r.lim.Total {
		return fmt.Errorf("put register %s: %d values, %d bytes in use: %w", name, r.count, r.total, ErrFull)
	}
	path := filepath.Join(r.dir, file)
	scratch := strings.TrimSuffix(path, registerSuffix) + scratchSuffix
	if err := r.fs.writeWhole(scratch, data); err != nil {
		return fmt.Errorf("put register %s: %w", name, err)
	}
	if err := r.fs.Rename(scratch, path); err != nil {
		_ = r.fs.Remove(scratch) // swept at the next opening otherwise
		return fmt.Errorf("put register %s: %w", name, err)
	}
	r.total += int64(len(data)) - old
	if !held {
		r.count++
	}
	if err := r.fs.SyncDir(r.dir); err != nil {
		return fmt.Errorf("put register %s: %w", name, err)
	}
	return nil
}

// Get returns the value of a register. The error wraps ErrAbsent or ErrCorrupt
// where that is the reason, and neither when the card gave no answer.
func (r *Registers) Get(name string) ([]byte, error) {
	file, err := registerFile(name)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	size, held, err := r.stat(file)
	if err != nil {
		return nil, fmt.Errorf("get register %s: %w", name, err)
	}
	if !held {
		return nil, fmt.Errorf("get register %s: %w", name, ErrAbsent)
	}
	if size > int64(registerHeader+maxName+r.lim.Value) {
		return nil, fmt.Errorf("get register %s: %d bytes: %w", name, size, ErrCorrupt)
	}
	data, gap, err := r.fs.readAll(filepath.Join(r.dir, file), size)
	if err = errors.Join(err, gap); err != nil {
		return nil, fmt.Errorf("get register %s: %w", name, err)
	}
	value, ok := decodeRegister(name, data)
	if !ok {
		return nil, fmt.Errorf("get register %s: %w", name, ErrCorrupt)
	}
	return value, nil
}

// List returns the names that begin with prefix, sorted. A listed register may
// still turn out to be damaged.
func (r *Registers) List(prefix string) ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	entries, err := r.fs.ReadDir(r.dir)
	if err != nil {
		return nil, fmt.Errorf("list registers: %w", err)
	}
	var names []string
	for _, e := range entries {
		name, ok := registerName(e.Name)
		if ok && strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Delete removes a register; removing an absent one is no error. A nil error
// means that it does not come back after a cut.
func (r *Registers) Delete(name string) error {
	file, err := registerFile(name)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	size, held, err := r.stat(file)
	if err != nil {
		return fmt.Errorf("delete register %s: %w", name, err)
	}
	if held {
		if err := r.fs.Remove(filepath.Join(r.dir, file)); err != nil {
			return fmt.Errorf("delete register %s: %w", name, err)
		}
		r.count--
		r.total -= size
	}
	// Also when it was gone: an earlier Delete may have failed in this step.
	if err := r.fs.SyncDir(r.dir); err != nil {
		return fmt.Errorf("delete register %s: %w", name, err)
	}
	return nil
}

func (r *Registers) stat(file string) (size int64, held bool, err error) {
	e, err := r.fs.Stat(filepath.Join(r.dir, file))
	if errors.Is(err, os.ErrNotExist) {
		return 0, false, nil
	}
	return e.Size, err == nil, err
}

// registerFile maps a name to a file name; ',' stands for '/', which no name has.
func registerFile(name string) (string, error) {
	if !validName(name) {
		return "", fmt.Errorf("register %.130q: %w", name, ErrName)
	}
	return strings.ReplaceAll(name, "/", ",") + registerSuffix, nil
}

func validName(name string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyz0123456789-_."
	if len(name) > maxName {
		return false
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] == '.' || strings.ContainsFunc(part, func(r rune) bool { return !strings.ContainsRune(allowed, r) }) {
			return false
		}
	}
	return true
}

func registerName(file string) (string, bool) {
	stem, ok := strings.CutSuffix(file, registerSuffix)
	return strings.ReplaceAll(stem, ",", "/"), ok
}

// encodeRegister puts the name into the file as well, so that a file the card
// or a person has put under another name is not believed.
func encodeRegister(name string, value []byte) []byte {
	data := make([]byte, 0, registerHeader+len(name)+len(value))
	data = append(data, registerMagic...)
	data = binary.LittleEndian.AppendUint32(data, uint32(len(name)))
	data = binary.LittleEndian.AppendUint32(data, uint32(len(value)))
	data = binary.LittleEndian.AppendUint32(data, registerSum(name, value))
	data = append(data, name...)
	return append(data, value...)
}

func decodeRegister(name string, data []byte) ([]byte, bool) {
	if len(data) < registerHeader || string(data[:4]) != registerMagic ||
		binary.LittleEndian.Uint32(data[4:]) != uint32(len(name)) {
		return nil, false
	}
	rest := data[registerHeader:]
	if !strings.HasPrefix(string(rest), name) {
		return nil, false
	}
	value := rest[len(name):]
	return value, binary.LittleEndian.Uint32(data[8:]) == uint32(len(value)) &&
		binary.LittleEndian.Uint32(data[12:]) == registerSum(name, value)
}

func registerSum(name string, value []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	return crc32.Update(crc32.Checksum([]byte(name), table), table, value)
}
