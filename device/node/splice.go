package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/loaxa/loaxa/device/live"
	"github.com/loaxa/loaxa/device/player"
)

// splicePrefix begins the path of a sounding that is made of several pieces. No
// file is named so: contents are named by their hash.
const splicePrefix = "splice:"

// Splice names a sounding of several pieces, to be opened by a Splicer.
func Splice(chime []int16, pieces []Piece) string {
	b, err := json.Marshal(splice{Chime: chime, Pieces: pieces})
	if err != nil {
		return splicePrefix // unreachable: numbers and text always encode
	}
	return splicePrefix + string(b)
}

type splice struct {
	Chime  []int16 `json:"chime,omitempty"`
	Pieces []Piece `json:"pieces"`
}

// Splicer puts several recordings into one stream, with silence between them
// where the plan leaves some. Each piece is opened when its turn comes, a relay
// live.Lead before, since it takes a while to be heard; a piece that cannot be
// opened ends the stream. Paths of one recording go through unchanged.
type Splicer struct {
	// Each opens one recording.
	Each player.Decoder
}

// Open stands at a sample of the whole, chime included.
func (s Splicer) Open(ctx context.Context, path string, from int64) (player.Stream, error) {
	text, found := strings.CutPrefix(path, splicePrefix)
	if !found {
		return s.Each.Open(ctx, path, from)
	}
	var order splice
	if err := json.Unmarshal([]byte(text), &order); err != nil || len(order.Pieces) == 0 {
		return nil, fmt.Errorf("splice: %w", errors.Join(err, errContent))
	}
	last := order.Pieces[len(order.Pieces)-1]
	t := &spliced{each: s.Each, order: order, at: from, end: samples(last.At + last.Millis), from: from, early: map[int]player.Stream{}}
	if from >= t.end {
		return nil, fmt.Errorf("splice: asked to begin at sample %d of %d", from, t.end)
	}
	if err := t.advance(ctx); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

func samples(millis int64) int64 { return millis * sampleRate / 1000 }

// spliced is a stream of pieces.
type spliced struct {
	each      player.Decoder
	order     splice
	from, end int64
	at        int64
	next      int           // the piece that plays or comes next
	open      player.Stream // nil between pieces
	// early are relays that were opened before their turn.
	early map[int]player.Stream
}

// Samples is the exact number from the wanted beginning to the end.
func (s *spliced) Samples() int64 { return s.end - s.from }

// advance finds the piece at or after the present sample, and opens it when the
// sample lies in it.
func (s *spliced) advance(ctx context.Context) error {
	for s.next < len(s.order.Pieces) && s.at >= s.ends(s.next) {
		if err := s.shut(); err != nil {
			return err
		}
		s.next++
	}
	if err := s.foresee(ctx); err != nil {
		return err
	}
	if s.next == len(s.order.Pieces) || s.open != nil || s.at < s.begins(s.next) {
		return nil
	}
	if s.open = s.early[s.next]; s.open != nil {
		delete(s.early, s.next)
		return nil
	}
	stream, err := s.each.Open(ctx, s.order.Pieces[s.next].Path, s.at-s.begins(s.next))
	if err != nil {
		return fmt.Errorf("piece %d: %w", s.next+1, err)
	}
	s.open = stream
	return nil
}

// foresee opens the relays whose turn is near.
func (s *spliced) foresee(ctx context.Context) error {
	for i := s.next; i < len(s.order.Pieces) && s.begins(i) <= s.at+samples(live.Lead.Milliseconds()); i++ {
		p := s.order.Pieces[i]
		if !p.Live || s.early[i] != nil || i == s.next && s.open != nil {
			continue
		}
		stream, err := s.each.Open(ctx, p.Path, max(0, s.at-s.begins(i)))
		if err != nil {
			return fmt.Errorf("piece %d: %w", i+1, err)
		}
		s.early[i] = stream
	}
	return nil
}

func (s *spliced) begins(i int) int64 { return samples(s.order.Pieces[i].At) }

// ends is where a piece must have ended: at its length or the next beginning.
func (s *spliced) ends(i int) int64 {
	p := s.order.Pieces[i]
	end := samples(p.At + p.Millis)
	if i+1 < len(s.order.Pieces) {
		end = min(end, s.begins(i+1))
	}
	return end
}

// Read gives the next samples: of the open piece, of the chime, or silence.
func (s *spliced) Read(ctx context.Context, pcm []int16) (int, error) {
	if s.at >= s.end {
		return 0, io.EOF
	}
	if err := s.advance(ctx); err != nil {
		return 0, err
	}
	if s.open != nil {
		return s.piece(ctx, pcm)
	}
	until := s.end
	if s.next < len(s.order.Pieces) {
		until = s.begins(s.next)
	}
	n := int(min(int64(len(pcm)), until-s.at))
	clear(pcm[:n])
	if s.at < int64(len(s.order.Chime)) {
		copy(pcm[:n], s.order.Chime[s.at:])
	}
	s.at += int64(n)
	return n, nil
}

// piece reads from the open recording; one that is shorter than announced is
// followed by silence.
func (s *spliced) piece(ctx context.Context, pcm []int16) (int, error) {
	most := s.ends(s.next) - s.at
	pcm = pcm[:min(int64(len(pcm)), most)]
	n, err := s.open.Read(ctx, pcm)
	if errors.Is(err, io.EOF) {
		clear(pcm[n:])
		n, err = len(pcm), nil
	}
	s.at += int64(n)
	return n, err
}

func (s *spliced) shut() error {
	if s.open == nil {
		return nil
	}
	err := s.open.Close()
	s.open = nil
	return err
}

// Close gives back what is open.
func (s *spliced) Close() error {
	err := s.shut()
	for _, early := range s.early {
		err = errors.Join(err, early.Close())
	}
	s.early = nil
	return err
}
