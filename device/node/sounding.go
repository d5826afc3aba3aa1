package node

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/media"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/device/live"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/store"
)

// errContent means that a recording is not on board, or not as its name says.
var errContent = errors.New("a recording is not on board")

// maxHead is the longest silence or chime before a single recording; what waits
// longer is put together part by part.
const maxHead = 30_000

// sumOf is a digest as the store and the fetcher name contents.
func sumOf(d broadcast.Digest) (store.Sum, error) {
	var sum store.Sum
	b, err := hex.DecodeString(string(d))
	if err != nil || len(b) != len(sum) {
		return sum, fmt.Errorf("digest %q is not a SHA-256", string(d))
	}
	copy(sum[:], b)
	return sum, nil
}

// sounding is what the player needs for a planned sounding.
func (n *Node) sounding(t target) (player.Sounding, error) {
	s := t.sounding
	gain := media.Volume(s.Volume).Decibel() + media.Decibel(n.holdings.place().Trim)
	out := player.Sounding{
		Name:  fmt.Sprintf("%s-%d-%d", t.entry.Announcement, int64(t.entry.Start), s.Attempt),
		Start: n.aim(t).Time(), Offset: time.Duration(s.Offset) * time.Millisecond,
		Gain: gain, Late: lateLimit, Tail: n.cfg.Board.Tail,
	}
	if t.entry.Reason == broadcast.WhyTooLong {
		out.MaxDuration = s.To.Sub(s.From)
	}
	if i := n.holdings.item(nameOf(t.entry).document); i != nil && i.doc.Spoken() {
		out.Chime = n.cfg.Chimes[s.Chime]
		return n.speech(i, out), nil
	}
	parts, err := n.pieces(out.Start.Add(-out.Offset), s.Parts)
	if err != nil {
		return player.Sounding{}, err
	}
	if len(parts) == 1 && parts[0].At <= maxHead && parts[0].whole && !parts[0].Live {
		out.Chime = n.head(s.Chime, parts[0].At)
		out.Content = player.Content{Path: parts[0].Path, Duration: time.Duration(parts[0].Millis) * time.Millisecond}
		return out, nil
	}
	out.Content = player.Content{Path: Splice(n.cfg.Chimes[s.Chime], parts)}
	return out, nil
}

// head is the chime, with silence up to where the recording begins.
func (n *Node) head(name string, millis int64) []int16 {
	length := int(millis * sampleRate / 1000)
	chime := n.cfg.Chimes[name]
	if len(chime) == length || length == 0 {
		return chime
	}
	pcm := make([]int16, length)
	copy(pcm, chime)
	return pcm
}

// Piece is one recording in its place of a sounding.
type Piece struct {
	// Path is its file.
	Path string
	// At is where it begins and Millis how long it may last.
	At, Millis int64
	// Live says that it is a relay: it is no file, and takes a while to begin.
	Live  bool
	whole bool // it is not cut before its end
}

// pieces are the parts of an item whose beginning belongs to an instant.
func (n *Node) pieces(begins time.Time, parts []plan.Part) ([]Piece, error) {
	var out []Piece
	for _, p := range parts {
		if p.Station != "" && n.cfg.Relays {
			start := broadcast.InstantOf(begins) + broadcast.Instant(p.At)
			path := live.Path(p.Station, p.Session, start, time.Duration(p.Millis)*time.Millisecond)
			out = append(out, Piece{Path: path, At: p.At, Millis: p.Millis, Live: true})
			continue
		}
		if p.SHA256 == "" {
			return nil, fmt.Errorf("live sound at %d ms: this node cannot play it", p.At)
		}
		sum, err := sumOf(p.SHA256)
		if err != nil {
			return nil, err
		}
		out = append(out, Piece{Path: n.recordings.path(sum), At: p.At, Millis: p.Millis, whole: p.Segment == 0})
	}
	return out, nil
}

// naturalLength is how long a sounding lasts if nothing cuts it.
func naturalLength(s plan.Sounding) time.Duration {
	last := s.Parts[len(s.Parts)-1]
	return time.Duration(last.At+last.Millis-s.Offset) * time.Millisecond
}

// verifyContent reads every recording of a sounding again: what the card spoiled
// since it was fetched must not be heard.
func (n *Node) verifyContent(ctx context.Context, s plan.Sounding) error {
	for _, p := range s.Parts {
		if p.SHA256 == "" { // it is still to be said
			continue
		}
		sum, err := sumOf(p.SHA256)
		if err != nil {
			return err
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := n.recordings.verify(sum, nil); err != nil {
			return fmt.Errorf("%w: %w", errContent, err)
		}
	}
	return nil
}
