package speech

import (
	"context"
	"io"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/speech/paper"
	"github.com/loaxa/loaxa/controller/speech/spoken"
)

// Paper reads an office file and parts it into episodes that are at most so long,
// by how fast the voices here turned out to speak.
func (s *Studio) Paper(ctx context.Context, by people.Person, area broadcast.ID, from io.Reader, most time.Duration) (paper.Paper, []paper.Episode, error) {
	if err := s.cfg.Rights.Authorise(by, people.AnnouncementWrite, area); err != nil {
		return paper.Paper{}, nil, err
	}
	p, err := s.papers.Read(ctx, from)
	if err != nil {
		return p, nil, err
	}
	lexicon, err := s.lexicon(ctx, area)
	if err != nil {
		return p, nil, err
	}
	return p, paper.Episodes(p.Text, most, func(text string) time.Duration {
		var length time.Duration
		for _, u := range spoken.Read(text, lexicon).Units(spoken.Sentence) {
			length += s.estimate(u, Manner{})
		}
		return length
	}), nil
}
