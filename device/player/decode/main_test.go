package decode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// TestMain is also the decoding program: the tests start their own binary as
// the child, with decent work or with work that a hostile file might cause.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 {
		if os.Args[1] == "decode" {
			os.Exit(Child(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
		}
		if do, known := hostile[os.Args[1]]; known {
			os.Exit(child(os.Args[2:], os.Stdin, os.Stdout, os.Stderr, do))
		}
	}
	os.Exit(m.Run())
}

// hostile work, by the argument that asks for it.
var hostile = map[string]work{
	"panic": func(int64, io.ReadSeeker, io.Writer) error { panic("corrupt table") },
	"bomb":  bomb,
	"burst": func(from int64, in io.ReadSeeker, out io.Writer) error {
		promise(out, 5*rate, 2*rate)
		return bomb(from, in, out)
	},
	"hang": func(int64, io.ReadSeeker, io.Writer) error { return unix.Pause() },
	"mute": func(_ int64, _ io.ReadSeeker, out io.Writer) error {
		promise(out, 5*rate, 2*rate)
		return unix.Pause()
	},
	"spin": func(_ int64, _ io.ReadSeeker, out io.Writer) error {
		if err := unix.Setrlimit(unix.RLIMIT_CPU, &unix.Rlimit{Cur: 1, Max: 1}); err != nil {
			return err
		}
		for n := 0; ; n++ {
			if n < 0 {
				return nil
			}
		}
	},
	"short": func(_ int64, _ io.ReadSeeker, out io.Writer) error {
		promise(out, 5*rate, 3*rate)
		return nil
	},
	"babble": func(_ int64, _ io.ReadSeeker, out io.Writer) error {
		_, err := out.Write(make([]byte, 4096))
		return err
	},
	"endless": func(_ int64, _ io.ReadSeeker, out io.Writer) error {
		promise(out, 1<<40, rate)
		return nil
	},
	"escape": escape,
	"unread": func(from int64, in io.ReadSeeker, out io.Writer) error {
		return decodeAll(from, &failing{ReadSeeker: in, rewound: true, most: 1 << 10}, out)
	},
	"unread later": func(from int64, in io.ReadSeeker, out io.Writer) error {
		return decodeAll(from, &failing{ReadSeeker: in, most: 20 << 10}, out)
	},
}

// failing is a medium that stops answering once it was rewound.
type failing struct {
	io.ReadSeeker
	rewound bool
	given   int
	most    int // bytes until then
}

func (f *failing) Seek(at int64, whence int) (int64, error) {
	f.rewound = true
	return f.ReadSeeker.Seek(at, whence)
}

func (f *failing) Read(b []byte) (int, error) {
	if f.rewound && f.given > f.most {
		return 0, &os.PathError{Op: "read", Path: "a recording", Err: unix.EIO}
	}
	if f.rewound {
		b = b[:min(len(b), 512)]
	}
	n, err := f.ReadSeeker.Read(b)
	if f.rewound {
		f.given += n
	}
	return n, err
}

// bomb takes what memory it gets.
func bomb(int64, io.ReadSeeker, io.Writer) error {
	var kept [][]byte
	for range 4096 {
		kept = append(kept, bytes.Repeat([]byte{1}, 1<<20))
	}
	return fmt.Errorf("took %d MiB", len(kept))
}

func promise(out io.Writer, samples int64, given int) {
	out.Write(binary.LittleEndian.AppendUint64([]byte(preamble), uint64(samples)))
	out.Write(make([]byte, 2*given))
}

// escape tries what a taken-over decoder would try.
func escape(int64, io.ReadSeeker, io.Writer) error {
	var did []string
	if _, err := os.Open("/etc/passwd"); err == nil {
		did = append(did, "read a file")
	}
	if _, err := net.Dial("udp", "127.0.0.1:9"); err == nil {
		did = append(did, "opened a socket")
	}
	if _, err := os.Create(os.TempDir() + "/escaped"); err == nil {
		did = append(did, "made a file")
	}
	if p, err := os.StartProcess("/bin/true", []string{"true"}, &os.ProcAttr{}); err == nil {
		did = append(did, fmt.Sprintf("started process %d", p.Pid))
	}
	if n, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil || n != 1 {
		did = append(did, "could gain privileges")
	}
	if did != nil {
		return fmt.Errorf("ESCAPED: %q", did)
	}
	return errors.Join(ErrRefused, errors.New("held"))
}
