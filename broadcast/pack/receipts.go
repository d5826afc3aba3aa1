package pack

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/loaxa/loaxa/broadcast"
)

// ReceiptsSuffix ends the name of every file of receipts.
const ReceiptsSuffix = ".loaxa.receipts"

// MaxBatches is how many batches one file of receipts may hold.
const MaxBatches = 4096

// ReceiptsName is the file in which a node gives the receipts of one chain.
func ReceiptsName(node, chain broadcast.ID) string {
	return string(node) + "." + string(chain) + ReceiptsSuffix
}

// ReceiptsOf takes such a name apart. It is a hint: the seals say whose receipts
// they are.
func ReceiptsOf(name string) (node broadcast.ID, ok bool) {
	stem, ok := strings.CutSuffix(name, ReceiptsSuffix)
	first, chain, dot := strings.Cut(stem, ".")
	node = broadcast.ID(first)
	return node, ok && dot && node.Validate() == nil && broadcast.ID(chain).Validate() == nil
}

// RecordingSuffix ends the name of every recording of what was spoken at a box.
const RecordingSuffix = ".loaxa.wav"

// RecordingName is the file in which a node gives what was spoken at its box.
func RecordingName(node broadcast.ID, sum broadcast.Digest) string {
	return string(node) + "." + string(sum) + RecordingSuffix
}

// RecordingOf takes such a name apart. It is a hint: a receipt of the node says
// which digest it may have.
func RecordingOf(name string) (node broadcast.ID, sum broadcast.Digest, ok bool) {
	stem, ok := strings.CutSuffix(name, RecordingSuffix)
	first, digest, dot := strings.Cut(stem, ".")
	node, sum = broadcast.ID(first), broadcast.Digest(digest)
	return node, sum, ok && dot && node.Validate() == nil && sum.Validate() == nil
}

// WriteReceipts writes sealed batches, one in a line.
func WriteReceipts(w io.Writer, batches [][]byte) error {
	if len(batches) > MaxBatches {
		return fmt.Errorf("receipts: %d batches, at most %d", len(batches), MaxBatches)
	}
	out := bufio.NewWriter(w)
	for _, b := range batches {
		if len(b) == 0 || len(b) > broadcast.KindReceipts.Limit() || bytes.ContainsAny(b, "\r\n") {
			return errors.New("receipts: a batch that does not fit a line")
		}
		_, _ = out.Write(b) // the error comes back from Flush
		_ = out.WriteByte('\n')
	}
	return out.Flush()
}

// ReadReceipts gives every line of a file to take and returns how many there
// were. Lines are not believed, only bounded; a last one that is cut off is
// given too. The error says that the file goes on beyond what is allowed, could
// not be read, or is that of take.
func ReadReceipts(r io.Reader, take func(raw []byte) error) (int, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), broadcast.KindReceipts.Limit()+2)
	n := 0
	for lines.Scan() {
		if n == MaxBatches {
			return n, fmt.Errorf("receipts: more than %d batches: %w", MaxBatches, ErrForm)
		}
		n++
		if err := take(bytes.Clone(lines.Bytes())); err != nil {
			return n, err
		}
	}
	if err := lines.Err(); err != nil {
		return n, fmt.Errorf("receipts: line %d: %w: %w", n+1, ErrForm, err)
	}
	return n, nil
}
