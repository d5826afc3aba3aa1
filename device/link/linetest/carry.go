package linetest

import (
	"errors"
	"math/rand/v2"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// maxWaiting is how long a packet may wait for its turn at a slow line.
const maxWaiting = 2 * time.Second

// receive takes the device of one end from the process that made it.
func (l *Line) receive(at int, mine, theirs *os.File) {
	defer func() { _ = mine.Close() }()
	room := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(int(mine.Fd()), make([]byte, 1), room, 0)
	_ = theirs.Close()
	if err == nil {
		err = l.adopt(at, room[:n])
	}
	if err != nil {
		l.Errorf("no device from the end %d: %v", at, err)
	}
}

func (l *Line) adopt(at int, control []byte) error {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return err
	}
	if len(messages) != 1 {
		return errors.New("no file was handed over")
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return err
	}
	if err := unix.SetNonblock(fds[0], true); err != nil {
		return err
	}
	l.devices[at] <- os.NewFile(uintptr(fds[0]), "tun")
	return nil
}

// carry carries packets both ways until the line is no more.
func (l *Line) carry(seed uint64) {
	var ends [2]*os.File
	for i := range ends {
		select {
		case ends[i] = <-l.devices[i]:
			defer func() { _ = ends[i].Close() }()
		case <-l.over:
			return
		}
	}
	for i := range ends {
		go l.carryOne(ends[i], ends[1-i], rand.New(rand.NewPCG(seed, uint64(i))))
	}
	<-l.over
}

// packet is on its way.
type packet struct {
	bytes []byte
	due   time.Time
}

func (l *Line) carryOne(from, to *os.File, dice *rand.Rand) {
	queue := make(chan packet, 4096)
	go func() {
		for p := range queue {
			<-time.After(time.Until(p.due))
			_, _ = to.Write(p.bytes) // a device that is gone takes nothing
		}
	}()
	defer close(queue)
	var free time.Time // when the line has sent what waits
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		w, now := *l.weather.Load(), time.Now()
		if dice.Float64() < w.Loss {
			continue
		}
		due := now
		if w.Rate > 0 {
			if free.Before(now) {
				free = now
			}
			if free.Sub(now) > maxWaiting {
				continue
			}
			free = free.Add(time.Duration(int64(n) * 8 * int64(time.Second) / w.Rate))
			due = free
		}
		select {
		case queue <- packet{append([]byte(nil), buffer[:n]...), due.Add(w.Delay)}:
		default: // as full as a queue can be
		}
	}
}
