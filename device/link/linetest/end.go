package linetest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// variable tells a process that it is to be one end of a line.
const variable = "LOAXA_LINE_END"

// Main is called first by the TestMain of every package that uses lines. In a
// process that was started as an end of a line it never returns.
func Main() {
	end := os.Getenv(variable)
	if end == "" {
		return
	}
	address, socket, _ := strings.Cut(end, ",")
	if err := live(address, socket); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			os.Exit(max(exit.ExitCode(), 1))
		}
		fmt.Fprintln(os.Stderr, "end of the line:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// live makes the network of an end and runs the program in it.
func live(address, socket string) error {
	if err := network(address); err != nil {
		return err
	}
	door, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	go open(door)
	if err := os.Unsetenv(variable); err != nil {
		return err
	}
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGTERM)
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() {
		for s := range told {
			_ = cmd.Process.Signal(s)
		}
	}()
	return cmd.Wait()
}

// network makes the loopback and the device, and hands the device over.
func network(address string) error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(s) }()
	if err := up(s, "lo"); err != nil {
		return fmt.Errorf("loopback: %w", err)
	}
	tun, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("/dev/net/tun: %w", err)
	}
	defer func() { _ = unix.Close(tun) }()
	device, err := unix.NewIfreq("line")
	if err != nil {
		return err
	}
	device.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(tun, unix.TUNSETIFF, device); err != nil {
		return fmt.Errorf("device: %w", err)
	}
	if err := name(s, address); err != nil {
		return err
	}
	if err := up(s, "line"); err != nil {
		return err
	}
	const inherited = 3
	defer func() { _ = unix.Close(inherited) }()
	return unix.Sendmsg(inherited, []byte{0}, unix.UnixRights(tun), nil, 0)
}

// name gives the device its address; the other end is a neighbour.
func name(s int, address string) error {
	if err := set(s, unix.SIOCSIFADDR, address); err != nil {
		return err
	}
	return set(s, unix.SIOCSIFNETMASK, "255.255.255.0")
}

func set(s int, request uint, value string) error {
	r, err := unix.NewIfreq("line")
	if err != nil {
		return err
	}
	if err := r.SetInet4Addr(net.ParseIP(value).To4()); err != nil {
		return err
	}
	return unix.IoctlIfreq(s, request, r)
}

func up(s int, device string) error {
	r, err := unix.NewIfreq(device)
	if err != nil {
		return err
	}
	r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, r)
}

// open lets programs outside reach servers in here. The first line of a
// connection says which.
func open(door net.Listener) {
	for {
		c, err := door.Accept()
		if err != nil {
			return
		}
		go pass(c)
	}
}

func pass(c net.Conn) {
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	to, err := in.ReadString('\n')
	if err != nil {
		return
	}
	server, err := net.Dial("tcp", strings.TrimSpace(to))
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	go func() {
		_, _ = io.Copy(server, in)
		_ = server.(*net.TCPConn).CloseWrite()
	}()
	_, _ = io.Copy(c, server)
}
