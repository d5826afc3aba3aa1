package relay

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/pion/opus/pkg/oggreader"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/box"
)

// decoders are the only ones that the bytes of a station may meet.
const decoders = "mp3float,mp3,aac,opus,libopus,vorbis,libvorbis,flac"

// shape makes any station as loud as recordings are (EBU R 128) and lets no peak
// through: one channel, 48 kHz.
const shape = "aformat=channel_layouts=mono,loudnorm=I=-16:TP=-1.5:LRA=11,aresample=48000"

// encoder turns what stations send into packets, in boxed children.
type encoder struct {
	ffmpeg string
	box    *box.Box
}

func newEncoder(homes string, log *slog.Logger) (*encoder, error) {
	found, err := exec.LookPath("ffmpeg")
	if err != nil {
		return nil, fmt.Errorf("ffmpeg is needed to relay stations (on Debian: apt install ffmpeg): %w", err)
	}
	if found, err = filepath.Abs(found); err != nil {
		return nil, fmt.Errorf("find ffmpeg: %w", err)
	}
	e := &encoder{ffmpeg: found}
	bounds := box.Config{Homes: homes, Step: time.Minute, Processor: broadcast.MaxSession, Memory: 768, Log: log}
	if e.box, err = box.New(bounds, e.try); err != nil {
		return nil, err
	}
	e.box.Step = broadcast.MaxSession
	return e, nil
}

func (e *encoder) try(b *box.Box) error {
	_, err := b.Run(context.Background(), e.ffmpeg, []string{"-hide_banner", "-h", "encoder=libopus"}, nil, func(r io.Reader) error {
		_, err := io.Copy(io.Discard, r)
		return err
	})
	return err
}

// run encodes what comes from in until it ends, and hands each packet to heard,
// which may keep none of it.
func (e *encoder) run(ctx context.Context, container string, in io.Reader, heard func(packet []byte) error) error {
	args := []string{"-hide_banner", "-v", "repeat+error", "-nostdin", "-threads", "1", "-filter_threads", "1", "-max_alloc", "67108864",
		"-probesize", "65536", "-analyzeduration", "1000000", "-f", container, "-format_whitelist", container, "-codec_whitelist", decoders,
		"-protocol_whitelist", "pipe", "-i", "pipe:0", "-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "-1", "-af", shape,
		"-ar", "48000", "-ac", "1", "-c:a", "libopus", "-application", "lowdelay", "-frame_duration", "20", "-b:a", "32000",
		"-f", "ogg", "-page_duration", "100000", "-flush_packets", "1", "pipe:1"}
	_, err := e.box.Run(ctx, e.ffmpeg, args, in, func(r io.Reader) error { return packets(r, heard) })
	return err
}

// packets reads Ogg Opus as it comes.
func packets(r io.Reader, heard func([]byte) error) error {
	pages, _, err := oggreader.NewWith(r)
	if err != nil {
		return fmt.Errorf("nothing could be made of it: %w", err)
	}
	for {
		packet, _, err := pages.ParseNextPacket()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if bytes.HasPrefix(packet, []byte("OpusTags")) {
			continue
		}
		if err := heard(packet); err != nil {
			return err
		}
	}
}
