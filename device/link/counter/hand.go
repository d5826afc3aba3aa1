package counter

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/node"
)

// ErrNobody means that no daemon answers at the socket.
var ErrNobody = errors.New("no daemon answers")

// Hand passes an open file to the daemon that listens at a socket, and returns
// its answer and the receipts that it gave, nil for none. The error wraps
// ErrNobody if no daemon is there.
func Hand(socket string, f *os.File) (a Answer, receipts []byte, err error) {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ECONNREFUSED) {
		return a, nil, fmt.Errorf("%w: %w", ErrNobody, err)
	}
	if err != nil {
		return a, nil, err
	}
	defer func() { _ = conn.Close() }()
	if _, _, err := conn.WriteMsgUnix([]byte{0}, syscall.UnixRights(int(f.Fd())), nil); err != nil {
		return a, nil, err
	}
	most := int64(node.MaxTold) * int64(broadcast.KindReceipts.Limit()+1)
	in := bufio.NewReader(io.LimitReader(conn, 1<<20+most))
	line, err := in.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &a)
	}
	if err != nil {
		return a, nil, fmt.Errorf("the daemon went away without an answer: %w", err)
	}
	if a.Receipts != "" {
		if receipts, err = io.ReadAll(in); err != nil {
			return a, nil, err
		}
	}
	return a, receipts, nil
}
