package decode

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/pion/opus"
)

// PacketSamples is what every packet of live sound gives: 20 ms.
const PacketSamples = rate / 50

const (
	// liveArgument has Child decode packets instead of a file.
	liveArgument = "live"
	// maxLivePacket is what two bytes of length can say of one Opus frame (RFC
	// 6716, section 3.2.1), and no more.
	maxLivePacket = 1275
)

// codec decodes one packet after the other.
type codec struct {
	opus  opus.Decoder
	block [maxPacketSamples]int16
}

func newCodec() (*codec, error) {
	c := &codec{}
	var err error
	if c.opus, err = opus.NewDecoderWithOutput(rate, 1); err != nil {
		return nil, fmt.Errorf("%w: make the codec: %w", ErrUnreadable, err)
	}
	return c, nil
}

// decode returns the samples of a packet, valid until the next call.
func (c *codec) decode(packet []byte) ([]int16, error) {
	n, err := c.opus.DecodeToInt16(packet, c.block[:])
	if err != nil || n != PacketSamples {
		return nil, refuse("a live packet of %d bytes gives %d samples (%v)", len(packet), n, err)
	}
	return c.block[:n], nil
}

// decodePackets is the work of a child that decodes live sound until in ends.
func decodePackets(in io.Reader, out io.Writer) error {
	c, err := newCodec()
	if err != nil {
		return err
	}
	var head [2]byte
	packet, pcm := make([]byte, maxLivePacket), make([]byte, 0, 2*PacketSamples)
	for {
		if _, err := io.ReadFull(in, head[:]); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
		n := int(binary.BigEndian.Uint16(head[:]))
		if n == 0 || n > maxLivePacket {
			return refuse("a live packet of %d bytes; 1 to %d are possible", n, maxLivePacket)
		}
		if _, err := io.ReadFull(in, packet[:n]); err != nil {
			return fmt.Errorf("%w: %w", ErrUnreadable, err)
		}
		block, err := c.decode(packet[:n])
		if err != nil {
			return err
		}
		pcm = pcm[:0]
		for _, v := range block {
			pcm = binary.LittleEndian.AppendUint16(pcm, uint16(v))
		}
		if _, err := out.Write(pcm); err != nil {
			return fmt.Errorf("write samples: %w", err)
		}
	}
}

// Packets decodes live sound packet by packet. After an error it is of no more use.
type Packets interface {
	// Decode fills pcm, which has room for PacketSamples, from one packet.
	Decode(packet []byte, pcm []int16) error
	io.Closer
}

// Packets starts a child for live sound, bounded as Open bounds it. It waits at
// most the stall limit for each packet.
func (c Contained) Packets() (Packets, error) {
	p := &childPackets{stall: c.StallLimit, ended: make(chan struct{})}
	if p.stall <= 0 {
		p.stall = 2 * time.Second
	}
	command, err := orSelf(c.Command)
	if err != nil {
		return nil, fmt.Errorf("decode: %w: start the decoder: %w", ErrUnreadable, err)
	}
	if err := p.start(command); err != nil {
		return nil, fmt.Errorf("decode: %w: start the decoder: %w", ErrUnreadable, err)
	}
	return p, nil
}

// childPackets is this end of a child that decodes live sound.
type childPackets struct {
	cmd   *exec.Cmd
	give  *os.File // packets
	take  *os.File // samples
	words reason
	stall time.Duration
	ended chan struct{}
	raw   [2 * PacketSamples]byte
}

func (p *childPackets) start(command []string) error {
	in, give, err := os.Pipe()
	if err != nil {
		return err
	}
	take, out, err := os.Pipe()
	if err != nil {
		return errors.Join(err, in.Close(), give.Close())
	}
	p.give, p.take = give, take
	p.cmd = program(command[0], append(append([]string(nil), command[1:]...), liveArgument), in, out, &p.words)
	err = p.cmd.Start()
	if err = errors.Join(err, in.Close(), out.Close()); err != nil {
		return errors.Join(err, give.Close(), take.Close())
	}
	go func() {
		_ = p.cmd.Wait() // Decode says why it ended
		close(p.ended)
	}()
	return nil
}

// Decode has the child decode a packet.
func (p *childPackets) Decode(packet []byte, pcm []int16) error {
	until := time.Now().Add(p.stall)
	if err := errors.Join(p.give.SetWriteDeadline(until), p.take.SetReadDeadline(until)); err != nil {
		return fmt.Errorf("%w: %w", ErrUnreadable, err)
	}
	framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(packet))), packet...)
	if _, err := p.give.Write(framed); err != nil {
		return p.verdict(err)
	}
	if _, err := io.ReadFull(p.take, p.raw[:]); err != nil {
		return p.verdict(err)
	}
	for i := range PacketSamples {
		pcm[i] = int16(binary.LittleEndian.Uint16(p.raw[2*i:]))
	}
	return nil
}

// verdict says why a child gives no samples.
func (p *childPackets) verdict(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return fmt.Errorf("decode: %w: no sample came in time", ErrStalled)
	}
	select {
	case <-p.ended:
	case <-time.After(p.stall):
		return fmt.Errorf("decode: %w: it closed its output and stays", ErrStalled)
	}
	if p.cmd.ProcessState.ExitCode() == exitRefused {
		return fmt.Errorf("decode: %w: %s", ErrRefused, p.words.String())
	}
	return fmt.Errorf("decode: %w: %s", ErrCrashed, p.words.String())
}

// Close ends the child, whatever it is doing, and returns when it is gone.
func (p *childPackets) Close() error {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.ended
	return errors.Join(p.give.Close(), p.take.Close())
}

// Packets decodes live sound in the caller's own process; see InProcess.
func (InProcess) Packets() (Packets, error) {
	c, err := newCodec()
	if err != nil {
		return nil, err
	}
	return ownPackets{c}, nil
}

type ownPackets struct{ *codec }

func (p ownPackets) Decode(packet []byte, pcm []int16) (err error) {
	defer caught(&err)
	block, err := p.decode(packet)
	copy(pcm, block)
	return err
}

func (ownPackets) Close() error { return nil }
