package spoken

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// composed is an author's text as it is read: in NFC, one kind of space and
// of line end, without what cannot be seen. It knows where each byte came from.
type composed struct {
	text string
	at   []int32 // nil: every byte stands where the author wrote it
}

// origin returns where a byte of the text stands in the author's.
func (c composed) origin(offset int) int {
	if c.at == nil {
		return offset
	}
	return int(c.at[offset])
}

// compose makes the text that is read.
func compose(author string) composed {
	if norm.NFC.IsNormalString(author) && !strings.ContainsFunc(author, altered) {
		return composed{text: author}
	}
	var text strings.Builder
	text.Grow(len(author))
	at := make([]int32, 0, len(author)+1)
	var segments norm.Iter
	segments.InitString(norm.NFC, author)
	for !segments.Done() {
		from := segments.Pos()
		segment := segments.Next()
		for len(segment) > 0 {
			r, n := utf8.DecodeRune(segment)
			segment = segment[n:]
			if r = plainRune(r); r < 0 {
				continue
			}
			before := text.Len()
			text.WriteRune(r)
			for range text.Len() - before {
				at = append(at, int32(from))
			}
		}
	}
	return composed{text: text.String(), at: append(at, int32(len(author)))}
}

// plainRunes are look-alikes and spaces that are typed for others.
var plainRunes = map[rune]rune{
	'\u00a0': ' ', '\u202f': ' ', '\u2009': ' ', '\u3000': ' ', '\t': ' ', '\v': '\n', '\f': '\n', '\u2028': '\n', '\u2029': '\n',
	'Ð': 'Đ', 'ð': 'đ', '\u2212': '-', '\u2010': '-', '\u2011': '-', '–': '-', '—': '-', '’': '\'', '‘': '\'', '′': '\'', '″': '"',
	'º': '°', '˚': '°', 'μ': 'µ',
}

// plainRune returns what a rune is read as; -1 for what cannot be seen.
func plainRune(r rune) rune {
	switch other, ok := plainRunes[r]; {
	case ok:
		return other
	case r == '\n', r == utf8.RuneError:
		return r
	case r == '\ufe0f', unicode.Is(unicode.Cf, r), unicode.IsControl(r):
		return -1
	}
	return r
}

func altered(r rune) bool { return (r < ' ' || r >= 0x7f) && plainRune(r) != r || r == utf8.RuneError }

// atomKind is what an atom is made of.
type atomKind uint8

const (
	letterAtom atomKind = iota
	digitAtom
	spaceAtom
	lineAtom
	markAtom
)

// atom is a run of letters, of digits or of spaces, or one mark.
type atom struct {
	from, to int
	kind     atomKind
}

func kindOf(r rune) atomKind {
	switch {
	case r >= '0' && r <= '9':
		return digitAtom
	case r == ' ':
		return spaceAtom
	case r == '\n':
		return lineAtom
	case r < utf8.RuneSelf:
		if r|0x20 >= 'a' && r|0x20 <= 'z' {
			return letterAtom
		}
		return markAtom
	case unicode.IsLetter(r), unicode.IsMark(r):
		return letterAtom
	}
	return markAtom
}

// atomsOf cuts a text.
func atomsOf(text string) []atom {
	atoms := make([]atom, 0, len(text)/3+8)
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		kind := kindOf(r)
		end := i + n
		for kind != markAtom && end < len(text) {
			r, n := utf8.DecodeRuneInString(text[end:])
			if kindOf(r) != kind {
				break
			}
			end += n
		}
		atoms = append(atoms, atom{i, end, kind})
		i = end
	}
	return atoms
}
