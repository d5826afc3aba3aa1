package spoken

import "strings"

// Unit is what a voice says in one breath: a sentence, or a phrase of one.
type Unit struct {
	// From and To are byte offsets in the author's text.
	From, To int
	Spoken   string
	// Pause is the silence behind it.
	Pause Pause
	Risk  Risk
}

// longestUnit is how much a voice is given at once, in bytes; longer sentences
// are parted at a comma, or where they pass it.
const longestUnit = 600

// Units parts the reading at pauses of that length or longer; those that say
// nothing are left out and their pauses kept.
func (r Reading) Units(at Pause) []Unit {
	var units []Unit
	var said strings.Builder
	u, open, comma := Unit{Risk: None}, false, false
	for i, t := range r.Tokens {
		if !open {
			u.From, open = t.From, true
		}
		if t.Spoken != "" {
			if said.Len() > 0 {
				if comma {
					said.WriteByte(',')
				}
				said.WriteByte(' ')
			}
			said.WriteString(t.Spoken)
			comma = false
		}
		if t.Risk.Worse(u.Risk) {
			u.Risk = t.Risk
		}
		comma = comma || t.Pause == Comma
		full := said.Len() > longestUnit && t.Pause >= Comma || said.Len() > 2*longestUnit
		if t.Pause < at && !full && i < len(r.Tokens)-1 {
			continue
		}
		u.To, u.Spoken, u.Pause = t.To, said.String(), t.Pause
		switch {
		case u.Spoken != "" || u.Risk != None:
			units = append(units, u)
		case len(units) > 0:
			units[len(units)-1].Pause = max(units[len(units)-1].Pause, u.Pause)
		}
		u, open, comma = Unit{Risk: None}, false, false
		said.Reset()
	}
	return units
}

// Spoken returns the whole reading as one text, with commas, full stops and lines
// for its pauses.
func (r Reading) Spoken() string {
	var said strings.Builder
	for _, u := range r.Units(Sentence) {
		if u.Spoken == "" {
			continue
		}
		said.WriteString(u.Spoken)
		switch {
		case u.Pause == Paragraph:
			said.WriteString(".\n")
		default:
			said.WriteString(". ")
		}
	}
	return strings.TrimRight(said.String(), ". \n")
}

// Risk returns the greatest risk of the reading.
func (r Reading) Risk() Risk {
	worst := None
	for _, t := range r.Tokens {
		if t.Risk.Worse(worst) {
			worst = t.Risk
		}
	}
	return worst
}
