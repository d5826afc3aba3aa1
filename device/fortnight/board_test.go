package fortnight

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/historytest"
	"github.com/loaxa/loaxa/broadcast/media"
	onair "github.com/loaxa/loaxa/device/live"
	"github.com/loaxa/loaxa/device/player"
)

// relay is the line that a guard switches, seen from outside.
type relay struct{ b *boot }

// Set moves the contact.
func (r relay) Set(closed bool) error {
	r.b.tell(historytest.Relay{Closed: closed})
	return nil
}

// Close does nothing: there is no line to give back.
func (r relay) Close() error { return nil }

// recordings are the sounds that exist, by the name of their file.
type recordings struct {
	mu   sync.Mutex
	long map[string]time.Duration
}

func (r *recordings) put(sum broadcast.Digest, length time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.long[string(sum)] = length
}

func (r *recordings) length(path string) (time.Duration, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	d, ok := r.long[filepath.Base(path)]
	return d, ok
}

// decoder gives the recordings as tones, and tells the card which it gave to
// their end.
type decoder struct{ b *boot }

// Open stands at a sample of a recording.
func (d decoder) Open(_ context.Context, path string, from int64) (player.Stream, error) {
	if order, is := strings.CutPrefix(path, "live:"); is {
		return d.b.listen(order, from)
	}
	length, known := d.b.w.recordings.length(path)
	if !known {
		return nil, fmt.Errorf("%s: no such recording", path)
	}
	return &tone{b: d.b, path: path, left: int64(length.Seconds()*media.SampleRate) - from}, nil
}

// listen hears what a station sends, as long as there is a line.
func (b *boot) listen(order string, from int64) (player.Stream, error) {
	var o struct {
		Session string `json:"session"`
		Millis  int64  `json:"ms"`
	}
	if err := json.Unmarshal([]byte(order), &o); err != nil {
		return nil, err
	}
	return &air{tone{b: b, path: o.Session, left: o.Millis*media.SampleRate/1000 - from}}, nil
}

type air struct{ tone }

// Read ends with the line.
func (a *air) Read(ctx context.Context, pcm []int16) (int, error) {
	a.b.mu.Lock()
	up := a.b.linked
	a.b.mu.Unlock()
	if !up {
		return 0, onair.ErrLine
	}
	return a.tone.Read(ctx, pcm)
}

type tone struct {
	b    *boot
	path string
	left int64
}

// Samples is what is still to be read.
func (t *tone) Samples() int64 { return t.left }

// Read gives a loud constant, which costs nothing to make.
func (t *tone) Read(_ context.Context, pcm []int16) (int, error) {
	n := int(min(int64(len(pcm)), t.left))
	for i := range pcm[:n] {
		pcm[i] = 8000
	}
	t.left -= int64(n)
	if t.left == 0 {
		t.b.finished(t.path)
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// Close gives nothing back.
func (t *tone) Close() error { return nil }

// buffer is what the sound card queues.
const buffer = media.SampleRate / 10

// cards opens the sound card of a boot.
type cards struct {
	b   *boot
	now func() time.Time
}

// Open names a sounding.
func (c cards) Open(_ context.Context, name string) (player.Sink, error) {
	s, err := parseSounding(name)
	if err != nil {
		return nil, err
	}
	return &card{b: c.b, now: c.now, sounding: s}, nil
}

// parseSounding reads the name that the node gives to the sound card: the
// announcement, the start and the attempt.
func parseSounding(name string) (historytest.Sounding, error) {
	rest, attempt, ok := cutLast(name)
	id, start, also := cutLast(rest)
	at, err := strconv.ParseInt(start, 10, 64)
	n, errAttempt := strconv.ParseInt(attempt, 10, 64)
	if !ok || !also || err != nil || errAttempt != nil {
		return historytest.Sounding{}, fmt.Errorf("a sounding named %q", name)
	}
	return historytest.Sounding{Announcement: broadcast.ID(id), Start: broadcast.Instant(at), Attempt: n}, nil
}

func cutLast(s string) (before, after string, found bool) {
	i := strings.LastIndexByte(s, '-')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

// card is an ideal sound card for one sounding.
type card struct {
	b        *boot
	now      func() time.Time
	sounding historytest.Sounding
	began    time.Time
	taken    int64
}

// Start waits until the first sample leaves.
func (c *card) Start(ctx context.Context, at time.Time) (time.Time, error) {
	if err := wait(ctx, at.Sub(c.now())); err != nil {
		return time.Time{}, err
	}
	c.began = time.Now()
	c.b.begins(c)
	return c.now(), nil
}

// Write queues samples at the pace of the card.
func (c *card) Write(ctx context.Context, samples []int16) (player.Position, error) {
	if c.began.IsZero() {
		return player.Position{}, errors.New("written to before it was started")
	}
	if err := c.until(ctx, c.taken+int64(len(samples))-buffer); err != nil {
		return c.position(), err
	}
	c.taken += int64(len(samples))
	return c.position(), nil
}

// Drain waits until all has left.
func (c *card) Drain(ctx context.Context) (player.Position, error) {
	err := c.until(ctx, c.taken)
	return c.position(), err
}

// Close stops the card.
func (c *card) Close() error {
	if !c.began.IsZero() {
		c.b.ends(c)
	}
	return nil
}

func (c *card) until(ctx context.Context, n int64) error {
	return wait(ctx, time.Until(c.began.Add(span(n)+1)))
}

// left is how many samples have left.
func (c *card) left() int64 {
	since := int64(time.Since(c.began) * media.SampleRate / time.Second)
	return max(0, min(since, c.taken))
}

func (c *card) position() player.Position { return player.Position{Frames: uint64(c.left())} }

func span(n int64) time.Duration { return time.Duration(n) * time.Second / media.SampleRate }

// wait lets virtual time pass.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
