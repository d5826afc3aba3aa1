package spoken

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxText is the longest text that is read, in bytes.
const MaxText = 1 << 20

// window is how far a shape sees, in bytes; chunk is how long something without a
// space may be, and longestLink an address.
const (
	window = 160
	chunk  = 120

	longestLink = 1000
)

// Reading is a text as it is said.
type Reading struct{ Tokens []Token }

// Read reads a text with a lexicon; nil stands for the base alone. What lies
// behind MaxText is one token that says so.
func Read(author string, lexicon *Lexicon) Reading {
	if lexicon == nil {
		lexicon = NewLexicon()
	}
	rest := len(author)
	if rest > MaxText {
		for rest = MaxText; rest > MaxText-utf8.UTFMax && !utf8.RuneStart(author[rest]); rest-- {
		}
	}
	c := compose(author[:rest])
	r := &reader{composed: c, atoms: atomsOf(c.text), lexicon: lexicon, paragraph: true}
	r.tokens = make([]Token, 0, len(r.atoms)*5/8+4)
	for r.i < len(r.atoms) {
		r.step()
	}
	if rest < len(author) {
		r.tokens = append(r.tokens, Token{From: rest, To: len(author), Kind: Symbol, Risk: Unknown, Why: TooLong, Pause: Paragraph})
	}
	markBare(author, r.tokens)
	return Reading{Tokens: r.tokens}
}

// reader stands at an atom of a text.
type reader struct {
	composed
	atoms   []atom
	i       int
	lexicon *Lexicon
	tokens  []Token
	// words are the last words of the sentence, in lower case, the newest last.
	words [6]string
	// list is the kind of number that a comma or "và" may go on with.
	list Kind
	// paragraph: nothing of this line was read yet.
	paragraph bool
	// checked is where the present run without spaces ends.
	checked int
}

// said is how a shape is read.
type said struct {
	spoken string
	kind   Kind
	risk   Risk
	why    Why
	pause  Pause
	more   int // bytes behind what the shape found
}

// sure is said in one way.
func sure(kind Kind, spoken string) said { return said{spoken: spoken, kind: kind, risk: None} }

// doubt is said, and shown to be checked.
func doubt(kind Kind, why Why, spoken string) said {
	return said{spoken: spoken, kind: kind, risk: Check, why: why}
}

// strange is not understood.
func strange(kind Kind, why Why, written string) said {
	return said{spoken: written, kind: kind, risk: Unknown, why: why}
}

// when is sure if a condition holds, and a doubt otherwise.
func when(certain bool, kind Kind, why Why, spoken string) said {
	if certain {
		return sure(kind, spoken)
	}
	return doubt(kind, why, spoken)
}

// step reads one thing and moves on at least one atom.
func (r *reader) step() {
	switch a := r.atoms[r.i]; a.kind {
	case spaceAtom:
		r.i++
	case lineAtom:
		r.breakLine()
	case letterAtom:
		_ = r.chunked() || r.road() || r.known() || r.shaped(letterShapes(), r.letterSign()) || r.word()
	case digitAtom:
		_ = r.chunked() || r.known() || r.shaped(digitShapes(), r.digitSign()) || r.say(a.to, strange(Number, Unreadable, r.text[a.from:a.to]))
	default:
		_ = r.chunked() || r.known() || r.shaped(markShapes(), r.text[a.from]) || r.mark()
	}
}

// breakLine ends a line.
func (r *reader) breakLine() {
	r.i++
	r.paragraph = true
	r.ends(Paragraph)
}

// ends lets a pause follow what was said last.
func (r *reader) ends(p Pause) {
	if n := len(r.tokens); n > 0 {
		r.tokens[n-1].Pause = max(r.tokens[n-1].Pause, p)
	}
	if p >= Sentence {
		r.words, r.list = [6]string{}, ""
	}
}

// say adds the token that ends at a byte of the text, and moves behind it. It
// reports whether an atom ends there.
func (r *reader) say(end int, s said) bool {
	from := r.atoms[r.i].from
	n := r.i
	for n < len(r.atoms) && r.atoms[n].to < end {
		n++
	}
	if n == len(r.atoms) || r.atoms[n].to != end {
		return false
	}
	if s.kind != Word && s.kind != Mark {
		r.list = s.kind
	}
	r.tokens = append(r.tokens, Token{From: r.origin(from), To: r.origin(end), Spoken: s.spoken, Kind: s.kind, Risk: s.risk, Why: s.why})
	r.i, r.paragraph = n+1, false
	if s.pause > NoPause {
		r.ends(s.pause)
	}
	return true
}

// heard notes a word for what follows it.
func (r *reader) heard(lower string) {
	copy(r.words[:], r.words[1:])
	r.words[len(r.words)-1] = lower
}

// follows reports whether the last word, or the last two or three, stand in a
// table.
func (r *reader) follows(table map[string]bool) bool {
	last := ""
	for n := len(r.words) - 1; n >= 0 && r.words[n] != ""; n-- {
		if last = r.words[n] + last; table[last] {
			return true
		}
		last = " " + last
	}
	return false
}

// next returns the word behind a byte of the text and at most one space, in
// lower case.
func (r *reader) next(end int) string {
	rest := strings.TrimPrefix(r.text[end:min(len(r.text), end+64)], " ")
	stop := strings.IndexFunc(rest, func(c rune) bool { return !unicode.IsLetter(c) })
	if stop < 0 {
		stop = len(rest)
	}
	return strings.ToLower(rest[:stop])
}

// ahead is what shapes see.
func (r *reader) ahead() string {
	from := r.atoms[r.i].from
	if len(r.text)-from <= window {
		return r.text[from:]
	}
	end := from + window
	if space := strings.LastIndexAny(r.text[from:end], " \n"); space > 0 {
		return r.text[from : from+space]
	}
	for !utf8.RuneStart(r.text[end]) {
		end--
	}
	return r.text[from:end]
}

// shape is something that is recognised by how it is written.
type shape struct {
	// on are the signs of which one must stand at the place; empty for any.
	on string
	// least is how many digits it begins with at least.
	least int
	form  *regexp.Regexp
	// read says what was found; false lets the next shape try.
	read func(*reader, found) (said, bool)
}

// found is what a shape found.
type found struct {
	part []string // the whole and its parts
	end  int      // the byte behind it
}

// shaped tries the shapes of a table in their order. The sign says beforehand
// which of them can fit, since most never do.
func (r *reader) shaped(table []shape, sign byte) bool {
	ahead := r.ahead()
	from, run := r.atoms[r.i].from, r.atoms[r.i].to-r.atoms[r.i].from
	for _, s := range table {
		if run < s.least || s.on != "" && strings.IndexByte(s.on, sign) < 0 {
			continue
		}
		parts := s.form.FindStringSubmatch(ahead)
		if parts == nil {
			continue
		}
		f := found{part: parts, end: from + len(parts[0])}
		said, ok := s.read(r, f)
		if ok && !r.cuts(f.end+said.more) && r.say(f.end+said.more, said) {
			return true
		}
	}
	return false
}

// digitSign is what follows the digits here, before or behind a space: a letter
// is 'a', a digit '0', anything else stands for itself.
func (r *reader) digitSign() byte {
	at := r.atoms[r.i].to
	if at < len(r.text) && r.text[at] == ' ' {
		at++
	}
	if at >= len(r.text) {
		return '\n'
	}
	c, _ := utf8.DecodeRuneInString(r.text[at:])
	switch kindOf(c) {
	case letterAtom:
		return 'a'
	case digitAtom:
		return '0'
	}
	return r.text[at]
}

// letterSign is 'd' where a digit follows the letters here, 'r' for the letters
// of Roman numerals, '1' for a single letter, and 'a' for all others.
func (r *reader) letterSign() byte {
	a := r.atoms[r.i]
	switch {
	case r.i+1 < len(r.atoms) && r.atoms[r.i+1].kind == digitAtom:
		return 'd'
	case strings.Trim(r.text[a.from:a.to], "IVXLC") == "":
		return 'r'
	case a.to-a.from <= len("đ"):
		return '1'
	}
	return 'a'
}

// cuts reports whether a byte stands between letters or digits that belong
// together.
func (r *reader) cuts(end int) bool {
	if end >= len(r.text) {
		return false
	}
	before, _ := utf8.DecodeLastRuneInString(r.text[:end])
	after, _ := utf8.DecodeRuneInString(r.text[end:])
	return kindOf(before) <= digitAtom && kindOf(after) <= digitAtom
}

// known reads the longest entry of the lexicon.
func (r *reader) known() bool {
	a := r.atoms[r.i]
	if r.i > 0 && a.from > 0 && r.cuts(a.from) {
		return false
	}
	e, n := r.lexicon.find(r.text, r.atoms, r.i)
	if e == nil {
		return false
	}
	s := sure(Phrase, e.Spoken)
	if e.Check {
		s = doubt(Phrase, OfficeChecks, e.Spoken)
	}
	r.say(r.atoms[n-1].to, s)
	for w := range strings.FieldsSeq(strings.ToLower(e.Spoken)) {
		r.heard(w)
	}
	return true
}

// linked are the signs of an address in the net; domain that of a bare one.
var (
	linked = []string{"://", "www."}
	domain = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9.-]*\.(?:vn|com|net|org|gov|edu|info|io|me|asia|ly|gl)(?:/[^ ]*)?$`)
)

// chunked reads what must be seen as a whole up to the next space: addresses, and
// runs without an end. Every run is looked at once.
func (r *reader) chunked() bool {
	from := r.atoms[r.i].from
	if from < r.checked || strings.IndexByte("([{\"'", r.text[from]) >= 0 {
		return false
	}
	length := strings.IndexAny(r.text[from:], " \n")
	if length < 0 {
		length = len(r.text) - from
	}
	r.checked = from + length
	whole := r.text[from:r.checked]
	whole = strings.TrimRight(whole, ".,;:!?)]}\"'»”")
	switch link := len(whole) <= longestLink && isLink(whole); {
	case !link && length > chunk:
		return r.say(r.checked, strange(Symbol, TooLong, ""))
	case !link:
		return false
	}
	return r.say(from+len(whole), strange(Link, Address, saidLink(whole)))
}

func isLink(s string) bool {
	if at := strings.IndexByte(s, '@'); at > 0 && strings.Contains(s[at:], ".") {
		return true
	}
	for _, sign := range linked {
		if strings.Contains(s, sign) {
			return true
		}
	}
	return len(s) > 0 && s[0] < utf8.RuneSelf && strings.IndexByte(s, '.') > 0 && domain.MatchString(s)
}

// linkMarks are how the marks of an address are said.
var linkMarks = map[rune]string{'@': " a còng ", '.': " chấm ", '/': " gạch chéo ", ':': " hai chấm ", '-': " gạch ngang ", '_': " gạch dưới "}

// saidLink proposes how an address is said.
func saidLink(s string) string {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "https://"), "http://")
	var out strings.Builder
	for _, c := range s {
		if mark, ok := linkMarks[c]; ok {
			out.WriteString(mark)
		} else {
			out.WriteRune(c)
		}
	}
	return strings.Join(strings.Fields(out.String()), " ")
}
