package speech

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/speech/spoken"
)

// Manner is how a text shall be said.
type Manner struct {
	Engine string `json:"engine"`
	Voice  string `json:"voice"`
	// Rate is the speed in percent, 50 to 150; 0 is 100.
	Rate int `json:"rate"`
	// Outdoors stretches the pauses between phrases and slows the voice, for horns
	// whose echoes meet.
	Outdoors bool `json:"outdoors"`
}

// MaxText is the longest text that is spoken at once, in bytes.
const MaxText = 30 << 10

// Preview is a text as it would be said.
type Preview struct {
	Reading spoken.Reading
	// Sentences are what can be edited one by one.
	Sentences []spoken.Unit
	// Unknown are the pieces of the text that must be accepted by name, each once.
	Unknown []string
	// Length is an estimate.
	Length time.Duration
}

// Preview reads a text as it would be said in an area.
func (s *Studio) Preview(ctx context.Context, by people.Person, area broadcast.ID, text string, m Manner) (Preview, error) {
	if err := s.cfg.Rights.Authorise(by, people.AnnouncementWrite, area); err != nil {
		return Preview{}, err
	}
	return s.preview(ctx, area, text, m)
}

func (s *Studio) preview(ctx context.Context, area broadcast.ID, text string, m Manner) (Preview, error) {
	if len(text) > MaxText {
		return Preview{}, refuse(TextLong, "text", len(text), MaxText)
	}
	lexicon, err := s.lexicon(ctx, area)
	if err != nil {
		return Preview{}, err
	}
	p := Preview{Reading: spoken.Read(text, lexicon)}
	p.Sentences = p.Reading.Units(spoken.Sentence)
	for _, t := range p.Reading.Tokens {
		if written := text[t.From:t.To]; t.Risk == spoken.Unknown && !slices.Contains(p.Unknown, written) {
			p.Unknown = append(p.Unknown, written)
		}
	}
	for _, u := range p.Reading.Units(m.parts()) {
		p.Length += s.estimate(u, m)
	}
	return p, nil
}

// estimate is how long a unit will sound with the pause behind it.
func (s *Studio) estimate(u spoken.Unit, m Manner) time.Duration {
	syllables := float64(len(strings.Fields(u.Spoken)))
	return time.Duration(syllables/s.pace.rate()*100/float64(m.rate())*float64(time.Second)) + m.pause(u.Pause)
}

// parts are the pauses at which a text is divided into what is said at once.
func (m Manner) parts() spoken.Pause {
	if m.Outdoors {
		return spoken.Comma
	}
	return spoken.Sentence
}

// rate is the speed that an engine is asked for.
func (m Manner) rate() int {
	rate := m.Rate
	if rate == 0 {
		rate = 100
	}
	if m.Outdoors {
		rate = rate * 85 / 100
	}
	return max(slowest, rate)
}

// pauses are the silences between what is said at once: in a room, and outdoors,
// where a phrase must have died away between the hills before the next begins.
var pauses = map[bool]map[spoken.Pause]time.Duration{
	false: {spoken.NoPause: 100 * time.Millisecond, spoken.Comma: 250 * time.Millisecond, spoken.Sentence: 500 * time.Millisecond, spoken.Paragraph: 1000 * time.Millisecond},
	true:  {spoken.NoPause: 200 * time.Millisecond, spoken.Comma: 800 * time.Millisecond, spoken.Sentence: 1500 * time.Millisecond, spoken.Paragraph: 2500 * time.Millisecond},
}

func (m Manner) pause(p spoken.Pause) time.Duration { return pauses[m.Outdoors][p] }

// sayable refuses what no engine could say, and what its author has not accepted.
func (s *Studio) sayable(ctx context.Context, p Preview, m Manner, accept []string) error {
	engine, ok := s.cfg.Engines[m.Engine]
	if !ok {
		return refuse(EngineUnknown, "engine", m.Engine)
	}
	voices, _ := engine.Voices(ctx) // whether it is there now does not matter
	if !slices.ContainsFunc(voices, func(v Voice) bool { return v.ID == m.Voice }) {
		return refuse(VoiceUnknown, "voice", m.Voice)
	}
	if m.Rate != 0 && (m.Rate < slowest || m.Rate > fastest) {
		return refuse(RateOff, "rate", m.Rate, slowest, fastest)
	}
	var open []string
	for _, u := range p.Unknown {
		if !slices.Contains(accept, u) {
			open = append(open, u)
		}
	}
	if len(open) > 0 {
		r := refuse(UnknownTokens, "accept", named(open))
		r.Errors = open[:min(len(open), 100)]
		return r
	}
	if !slices.ContainsFunc(p.Sentences, func(u spoken.Unit) bool { return plainText(u.Spoken) != "" }) {
		return refuse(TextEmpty, "text")
	}
	return nil
}

// named lists some pieces of text, shortened.
func named(pieces []string) string {
	const most, longest = 10, 40
	var out []string
	for i, p := range pieces {
		if i == most {
			out = append(out, "…")
			break
		}
		if r := []rune(p); len(r) > longest {
			p = string(r[:longest]) + "…"
		}
		out = append(out, `"`+p+`"`)
	}
	return strings.Join(out, ", ")
}
