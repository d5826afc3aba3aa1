package wire

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/loaxa/loaxa/broadcast"
)

// The limits of live sound.
const (
	// BlockLength is how much sound one signature covers at most.
	BlockLength = 100 * time.Millisecond
	// PacketLength is that of every Opus packet (RFC 6716).
	PacketLength = 20 * time.Millisecond
	// MaxPacket bounds one packet in bytes: what 128 kbit/s take.
	MaxPacket = 320

	maxPackets = int(BlockLength / PacketLength)
	blockHead  = 8 + 8 + 1
	maxBlock   = blockHead + maxPackets*(2+MaxPacket) + ed25519.SignatureSize
)

// LivePath is where a node gets the sound of one session from.
func LivePath(station broadcast.ID, session broadcast.Key) string {
	return "live/" + string(station) + "/" + string(session)
}

// Frame is what stands at the head of each piece of a live answer.
type Frame byte

// The frames. An answer begins with a sealed session and goes on with blocks; a
// later session replaces the one before.
const (
	SessionFrame Frame = 'S'
	BlockFrame   Frame = 'B'
)

func (f Frame) limit() int {
	if f == SessionFrame {
		return broadcast.KindSession.Limit()
	}
	return maxBlock
}

// AppendFrame adds a frame to out: its letter, its length in two bytes, its body.
func AppendFrame(out []byte, f Frame, body []byte) []byte {
	out = append(out, byte(f))
	out = binary.BigEndian.AppendUint16(out, uint16(len(body)))
	return append(out, body...)
}

// ReadFrame reads the next frame. An unknown letter, a length above the limit of
// its kind and an end inside a frame are errors; io.EOF is the end between two.
func ReadFrame(r io.Reader) (Frame, []byte, error) {
	var head [3]byte
	if _, err := io.ReadFull(r, head[:1]); err != nil {
		return 0, nil, err
	}
	if _, err := io.ReadFull(r, head[1:]); err != nil {
		return 0, nil, fmt.Errorf("live: inside the head of a frame: %w", noEOF(err))
	}
	f, n := Frame(head[0]), int(binary.BigEndian.Uint16(head[1:]))
	if f != SessionFrame && f != BlockFrame {
		return 0, nil, fmt.Errorf("live: a frame of kind %q does not exist", head[0])
	}
	if n > f.limit() {
		return 0, nil, fmt.Errorf("live: a frame of %d bytes, at most %d", n, f.limit())
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(r, body); err != nil {
		return 0, nil, fmt.Errorf("live: inside a frame: %w", noEOF(err))
	}
	return f, body, nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Block is up to 100 ms of live sound under one signature: the numbers of its
// packets, when they were on the air, and the packets themselves. Nothing of it
// is sound before OpenBlock has believed it.
type Block struct {
	// First is the number of its first packet; numbers of one signer only rise.
	First int64
	// At is the instant of its first sample at the controller.
	At broadcast.Instant
	// Packets are of PacketLength each.
	Packets [][]byte
}

// Errors of OpenBlock that callers tell apart.
var (
	// ErrBlockForm: the bytes are no block in its one encoding.
	ErrBlockForm = errors.New("not a block of live sound")
	// ErrBlockSignature: the key did not sign these packets under these numbers.
	ErrBlockSignature = errors.New("live sound that nobody vouches for")
)

// purpose keeps signatures of blocks apart from all others of the house, which
// are over base64url and never hold a zero.
const purpose = "loaxa/live.v1\x00"

// Length is how long the block sounds.
func (b Block) Length() time.Duration { return time.Duration(len(b.Packets)) * PacketLength }

// Validate refuses blocks without packets, with too many, or with impossible ones.
func (b Block) Validate() error {
	switch {
	case len(b.Packets) == 0 || len(b.Packets) > maxPackets:
		return fmt.Errorf("%w: %d packets, allowed are 1 to %d", ErrBlockForm, len(b.Packets), maxPackets)
	case b.First < 0 || b.At <= 0:
		return fmt.Errorf("%w: number %d at %d", ErrBlockForm, b.First, int64(b.At))
	}
	for _, p := range b.Packets {
		if len(p) == 0 || len(p) > MaxPacket {
			return fmt.Errorf("%w: a packet of %d bytes, allowed are 1 to %d", ErrBlockForm, len(p), MaxPacket)
		}
	}
	return nil
}

// Sign returns the block as it travels. It must be valid.
func (b Block) Sign(key ed25519.PrivateKey) []byte {
	out := binary.BigEndian.AppendUint64(nil, uint64(b.First))
	out = binary.BigEndian.AppendUint64(out, uint64(b.At))
	out = append(out, byte(len(b.Packets)))
	for _, p := range b.Packets {
		out = binary.BigEndian.AppendUint16(out, uint16(len(p)))
		out = append(out, p...)
	}
	return append(out, ed25519.Sign(key, message(out))...)
}

// message is what is signed of an encoded block: its numbers, its moment, and the
// SHA-256 of all its packets.
func message(encoded []byte) []byte {
	sum := sha256.Sum256(encoded[blockHead:])
	return append(append([]byte(purpose), encoded[:blockHead]...), sum[:]...)
}

// OpenBlock believes a block that the key signed, or wraps ErrBlockForm or
// ErrBlockSignature. The packets share the memory of raw.
func OpenBlock(raw []byte, signer broadcast.Key) (Block, error) {
	key, err := broadcast.ParseKey(string(signer))
	if err != nil {
		return Block{}, err
	}
	body := len(raw) - ed25519.SignatureSize
	if body < blockHead || len(raw) > maxBlock {
		return Block{}, fmt.Errorf("%w: %d bytes", ErrBlockForm, len(raw))
	}
	if !ed25519.Verify(key, message(raw[:body]), raw[body:]) {
		return Block{}, ErrBlockSignature
	}
	b := Block{First: int64(binary.BigEndian.Uint64(raw)), At: broadcast.Instant(binary.BigEndian.Uint64(raw[8:]))}
	rest := raw[blockHead:body]
	for range raw[16] {
		if len(rest) < 2 || len(rest)-2 < int(binary.BigEndian.Uint16(rest)) {
			return Block{}, fmt.Errorf("%w: it ends inside a packet", ErrBlockForm)
		}
		n := 2 + int(binary.BigEndian.Uint16(rest))
		b.Packets, rest = append(b.Packets, rest[2:n]), rest[n:]
	}
	if len(rest) != 0 {
		return Block{}, fmt.Errorf("%w: %d bytes too many", ErrBlockForm, len(rest))
	}
	return b, b.Validate()
}
