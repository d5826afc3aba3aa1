package spoken

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// cold are words before a temperature or level below zero.
var cold = map[string]bool{"nhiệt độ": true, "xuống": true, "dưới": true, "là": true, "xuống đến": true, "xuống tới": true, "từ": true, "đến": true, "khoảng": true}

// markShapes are tried at a mark.
var markShapes = sync.OnceValue(func() []shape {
	return []shape{
		{"-", 0, form(`-(\d+(?:[.,]\d+)*)`), (*reader).minus},
		{"+", 0, form(`\+84[ .-]?(\d{2,3})[ .-]?(\d{3})[ .-]?(\d{3,4})`), func(_ *reader, f found) (said, bool) {
			return sure(Phone, "cộng tám tư, "+spelled(f.part[1])+", "+spelled(f.part[2])+", "+spelled(f.part[3])), true
		}},
		{"(", 0, form(`\((0\d{1,3})\)[ .]?(\d{3,4})[ .-]?(\d{3,4})`), func(_ *reader, f found) (said, bool) {
			return sure(Phone, spelled(f.part[1])+", "+spelled(f.part[2])+", "+spelled(f.part[3])), true
		}},
		{"$", 0, form(`\$ ?<N>`), func(_ *reader, f found) (said, bool) {
			spoken, why := amount(f.part[1])
			return when(why == "", Money, why, spoken+" đô la"), spoken != ""
		}},
		{"/", 0, form(`/ ?([\p{L}]+[²³23]?)`), (*reader).per},
		{".", 0, form(`\.{2,}`), func(*reader, found) (said, bool) { return said{kind: Mark, risk: None, pause: Comma}, true }},
		{"_*-=", 0, form(`_{2,}|\*{2,}|-{2,}|={2,}`), func(*reader, found) (said, bool) { return said{kind: Mark, risk: Check, why: Dropped}, true }},
	}
})

// minus reads a number below zero, if it is one.
func (r *reader) minus(f found) (said, bool) {
	from := r.atoms[r.i].from
	if from > 0 && r.text[from-1] != ' ' && r.text[from-1] != '\n' && r.text[from-1] != '(' {
		return said{}, false
	}
	spoken, why := amount(f.part[1])
	if spoken == "" {
		return said{}, false
	}
	s, n := tail(r.ahead()[len(f.part[0]):])
	degrees := strings.HasPrefix(s.spoken, " độ")
	s.spoken, s.more = "âm "+spoken+s.spoken, n
	switch {
	case why != "":
		s.risk, s.why = Check, why
	case !degrees && (r.paragraph || !r.follows(cold)):
		s.risk, s.why = Check, SignOrDash
	default:
		s.risk = None
	}
	return s, true
}

// per reads what something is counted by behind a slash.
func (r *reader) per(f found) (said, bool) {
	head, ok := measures[f.part[1]]
	if more, found := counted[f.part[1]]; found {
		head, ok = more, true
	}
	countable := r.follows(counters)
	switch {
	case ok && countable, each[f.part[1]] && countable:
		spoken := head.spoken
		if spoken == "" {
			spoken = f.part[1]
		}
		return when(!head.check, Measure, Ambiguous, "một "+spoken), true
	case countable && isSyllable(f.part[1]):
		return sure(Measure, "một "+f.part[1]), true
	}
	return said{}, false
}

// counters are words that may be counted by something behind a slash.
var counters = map[string]bool{"đồng": true, "nghìn": true, "triệu": true, "tỷ": true, "ki lô gam": true, "kg": true, "tấn": true, "tạ": true, "lít": true, "người": true,
	"lần": true, "suất": true, "buổi": true, "mét khối": true, "con": true, "cây": true, "hộ": true, "học sinh": true, "lượt": true, "giờ": true, "viên": true}

// mark describes how one mark is read.
type mark struct {
	spoken string
	risk   Risk
	why    Why
	pause  Pause
}

// marks are those that shapes leave over.
var marks = map[rune]mark{
	',': {pause: Comma}, ';': {pause: Comma}, ':': {pause: Comma}, '(': {pause: Comma}, ')': {pause: Comma}, '[': {pause: Comma}, ']': {pause: Comma},
	'{': {pause: Comma}, '}': {pause: Comma}, '"': {}, '\'': {}, '“': {}, '”': {}, '«': {}, '»': {}, '„': {}, '.': {}, '!': {}, '?': {}, '…': {pause: Comma}, '-': {},
	'%': {spoken: "phần trăm"}, '‰': {spoken: "phần nghìn"}, '°': {spoken: "độ"}, '&': {spoken: "và"},
	'+': {spoken: "cộng", risk: Check, why: Ambiguous}, '=': {spoken: "bằng", risk: Check, why: Ambiguous}, '×': {spoken: "nhân", risk: Check, why: Ambiguous},
	'±': {spoken: "cộng trừ", risk: Check, why: Ambiguous}, '<': {spoken: "nhỏ hơn", risk: Check, why: Ambiguous}, '>': {spoken: "lớn hơn", risk: Check, why: Ambiguous},
	'≤': {spoken: "nhỏ hơn hoặc bằng", risk: Check, why: Ambiguous}, '≥': {spoken: "lớn hơn hoặc bằng", risk: Check, why: Ambiguous},
	'/': {risk: Check, why: Slash, pause: Comma}, '*': {risk: Check, why: Dropped}, '#': {risk: Check, why: Dropped}, '_': {risk: Check, why: Dropped},
	'|': {risk: Check, why: Dropped, pause: Comma}, '~': {risk: Check, why: Dropped}, '^': {risk: Check, why: Dropped}, '`': {risk: Check, why: Dropped},
	'\\': {risk: Check, why: Dropped}, '→': {risk: Check, why: Dropped, pause: Comma},
}

// bullets stand before the items of a list.
var bullets = map[rune]bool{'-': true, '•': true, '●': true, '▪': true, '◦': true, '‣': true, '*': true, '+': true, '·': true, '■': true, '○': true, '–': true, '✓': true}

// mark reads one mark.
func (r *reader) mark() bool {
	a := r.atoms[r.i]
	c, _ := utf8.DecodeRuneInString(r.text[a.from:a.to])
	after := ' '
	if a.to < len(r.text) {
		after, _ = utf8.DecodeRuneInString(r.text[a.to:])
	}
	if r.paragraph && bullets[c] && (after == ' ' || kindOf(after) == letterAtom && c != '+') {
		r.say(a.to, said{kind: Enumeration, risk: None})
		r.paragraph = true
		return true
	}
	m, ok := marks[c]
	switch {
	case !ok && (unicode.Is(unicode.So, c) || unicode.Is(unicode.Sk, c) || bullets[c]):
		return r.say(a.to, said{kind: Symbol, risk: Check, why: Dropped})
	case !ok:
		return r.say(a.to, strange(Symbol, Unreadable, ""))
	case m.risk == "":
		m.risk = None
	}
	kind := Mark
	if m.spoken != "" {
		kind = Symbol
	}
	switch {
	case (c == '.' || c == '!' || c == '?') && endsSentence(after):
		m.pause = Sentence
	case c == '-' && after == ' ' && a.from > 0 && r.text[a.from-1] == ' ':
		m.pause = Comma
	}
	ok = r.say(a.to, said{spoken: m.spoken, kind: kind, risk: m.risk, why: m.why, pause: m.pause})
	return ok
}

// endsSentence reports whether a full stop before this rune ends a sentence.
func endsSentence(after rune) bool {
	return kindOf(after) > digitAtom
}
