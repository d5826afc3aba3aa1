package intake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/controller/box"
)

// probed is what is known of an upload before it is decoded.
type probed struct {
	container media.Container
	start     int64 // offset of the sound behind leading tags
	codec     string
	rate      int
	channels  int
	declared  time.Duration // 0: the file does not say
	expected  time.Duration // a guess for the progress; 0: none
}

// identify sniffs and probes an upload, and refuses what can be refused by its headers.
func (j *job) identify(ctx context.Context) (probed, error) {
	p, head, err := sniff(j.upload)
	if err != nil {
		return probed{}, err
	}
	if err := j.probe(ctx, &p); err != nil {
		return probed{}, err
	}
	if own := declaredBy(p.container, head); own > 0 {
		p.declared = own
	}
	if p.declared > 0 {
		p.expected = p.declared
	}
	if p.declared > j.limits.duration {
		return probed{}, refuse(TooLong, nil, spoken(j.limits.duration))
	}
	return p, nil
}

// sniff names the container by the bytes behind leading ID3 tags. A tag that claims more than the
// file has is not believed: the search begins behind its header.
func sniff(upload staged) (probed, []byte, error) {
	const maxTags, header = 4, 10
	opened, err := upload.open(0)
	if err != nil {
		return probed{}, nil, err
	}
	defer opened.Close()
	var p probed
	head := make([]byte, media.SniffLength)
	for range maxTags {
		n, err := opened.ReadAt(head[:header], p.start)
		if err != nil && !errors.Is(err, io.EOF) {
			return probed{}, nil, fmt.Errorf("read the staged upload: %w", err)
		}
		length := media.TagLength(head[:n])
		if length == 0 {
			break
		}
		if p.start+length >= upload.size {
			length = header
		}
		p.start += length
	}
	n, err := opened.ReadAt(head, p.start)
	if err != nil && !errors.Is(err, io.EOF) {
		return probed{}, nil, fmt.Errorf("read the staged upload: %w", err)
	}
	head = head[:n]
	if p.container, err = media.Sniff(head); err != nil {
		return probed{}, nil, notAudio(err)
	}
	return p, head, nil
}

// probeAnswer is what ffprobe prints.
type probeAnswer struct {
	Streams []struct {
		Type     string `json:"codec_type"`
		Codec    string `json:"codec_name"`
		Rate     string `json:"sample_rate"`
		Channels int    `json:"channels"`
	} `json:"streams"`
	Format struct {
		Duration string `json:"duration"`
		BitRate  string `json:"bit_rate"`
	} `json:"format"`
}

// probe asks ffprobe for streams and duration.
func (j *job) probe(ctx context.Context, p *probed) error {
	in, err := j.upload.open(p.start)
	if err != nil {
		return err
	}
	defer in.Close()
	var told bytes.Buffer
	_, err = j.engine.run(ctx, j.engine.ffprobe, probeArguments(p.container), in, bounded(&told))
	if err != nil {
		return undecodable(err)
	}
	var answer probeAnswer
	if err := json.Unmarshal(told.Bytes(), &answer); err != nil {
		return refuse(Undecodable, fmt.Errorf("ffprobe's answer: %w", err), "unreadable structure")
	}
	sounds := 0
	for _, s := range answer.Streams {
		if s.Type == "audio" {
			sounds++
			p.codec, p.channels = s.Codec, s.Channels
			p.rate, _ = strconv.Atoi(s.Rate)
		}
	}
	if bits, _ := strconv.ParseFloat(answer.Format.BitRate, 64); bits > 0 {
		p.expected = seconds(float64(j.upload.size-p.start) * 8 / bits)
	}
	length, _ := strconv.ParseFloat(answer.Format.Duration, 64)
	p.declared = seconds(length)
	return usable(sounds, *p)
}

// usable refuses streams that no recording has.
func usable(sounds int, p probed) error {
	const slowest, fastest, most = 4000, 384_000, 8
	switch {
	case sounds == 0:
		return refuse(NoSound, nil)
	case sounds > 1:
		return refuse(SeveralStreams, nil, strconv.Itoa(sounds))
	case p.rate == 0:
		return refuse(Undecodable, nil, "its frames are of a kind that is not read, such as free-format MP3")
	case p.rate < slowest || p.rate > fastest:
		return refuse(Undecodable, nil, fmt.Sprintf("%d Hz", p.rate))
	case p.channels < 1 || p.channels > most:
		return refuse(Undecodable, nil, fmt.Sprintf("%d channels", p.channels))
	}
	return nil
}

// undecodable turns a child's failure into the refusal of its upload; other errors pass.
func undecodable(err error) error {
	var child *box.Failure
	switch {
	case !errors.As(err, &child):
		return err
	case errors.Is(err, box.ErrExhausted):
		return refuse(TooCostly, err)
	}
	last := child.Said[strings.LastIndexByte(child.Said, '\n')+1:]
	if _, reason, ok := strings.Cut(last, ": "); ok && !strings.Contains(reason, "/") {
		last = reason
	} else {
		last = "unreadable structure"
	}
	return refuse(Undecodable, err, last)
}

// seconds converts what a program printed; nonsense and what no recording lasts is 0.
func seconds(s float64) time.Duration {
	const longest = 1e6
	if !(s > 0 && s < longest) {
		return 0
	}
	return time.Duration(s * float64(time.Second))
}

// spoken writes a bound as people say it.
func spoken(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%g s", d.Seconds())
	}
	return fmt.Sprintf("%g min", d.Minutes())
}

// source opens the upload behind its tags.
func (j *job) source() (*os.File, error) { return j.upload.open(j.probed.start) }
