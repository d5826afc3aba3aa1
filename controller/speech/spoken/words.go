package spoken

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Words before a Roman numeral, and before a letter that is named.
var (
	romanWords = map[string]bool{"chương": true, "phần": true, "mục": true, "quý": true, "khóa": true, "khoá": true, "kỳ": true, "thế kỷ": true, "thế kỉ": true,
		"thứ": true, "giai đoạn": true, "loại": true, "cấp": true, "hạng": true, "tập": true, "nhóm": true, "khu vực": true, "vùng": true, "bậc": true,
		"đợt": true, "lần": true, "điều": true, "phụ lục": true, "hệ": true, "tổ": true, "quyển": true, "bảng": true, "cấp độ": true, "kì": true, "học kỳ": true}
	letterWords = map[string]bool{"điểm": true, "lớp": true, "khối": true, "nhóm": true, "tổ": true, "khu": true, "lô": true, "vi ta min": true, "vitamin": true,
		"loại": true, "hạng": true, "mục": true, "viêm gan": true, "phụ lục": true, "mẫu": true, "bảng": true, "nhà": true, "dãy": true, "cửa": true,
		"giấy phép lái xe hạng": true, "bằng": true, "cúm": true, "phương án": true, "thôn": true, "tiết": true}
)

// roadShapes are tried at a letter before the lexicon, which knows their beginnings as other words.
var roadShapes = sync.OnceValue(func() []shape {
	return []shape{
		{"", 0, form(`(QL|TL|ĐT|ĐH|HL)[. ]?(\d{1,4})([A-Z]?)`), (*reader).roadNumber},
		{"", 0, form(`[Kk][Mm] ?(\d{1,4})(?: ?\+ ?(\d{1,3}))?`), func(_ *reader, f found) (said, bool) {
			spoken := "ki lô mét " + whole(f.part[1])
			if f.part[2] != "" {
				spoken += " cộng " + whole(f.part[2])
			}
			return sure(Measure, spoken), true
		}},
	}
})

// roadBegins are what those shapes begin with.
var roadBegins = map[string]bool{"QL": true, "TL": true, "ĐT": true, "ĐH": true, "HL": true, "KM": true, "Km": true, "km": true, "kM": true}

func (r *reader) road() bool {
	a := r.atoms[r.i]
	return a.to-a.from <= len("ĐT") && roadBegins[r.text[a.from:a.to]] && r.shaped(roadShapes(), 0)
}

// letterShapes are tried at a letter.
var letterShapes = sync.OnceValue(func() []shape {
	return []shape{
		{"r1", 0, form(`([a-zđ])([.)]) `), func(r *reader, f found) (said, bool) {
			s := sure(Enumeration, letters[f.part[1]])
			s.pause = Comma
			return s, r.paragraph
		}},
		{"r", 0, form(`([IVXLC]{1,8})[.)] `), func(r *reader, f found) (said, bool) {
			s := sure(Enumeration, whole(decimalOf(romanValue(f.part[1]))))
			s.pause = Comma
			return s, r.paragraph && romanValue(f.part[1]) > 0
		}},
		{"r", 0, form(`([IVXLC]{1,8})(?: - |-)([IVXLC]{1,8})`), func(r *reader, f found) (said, bool) {
			a, b := romanValue(f.part[1]), romanValue(f.part[2])
			return when(r.follows(romanWords), Roman, Numeral, whole(decimalOf(a))+" đến "+whole(decimalOf(b))), a > 0 && b > a
		}},
		{"r", 0, form(`([IVX]{1,6})/<Y>`), func(r *reader, f found) (said, bool) {
			n := romanValue(f.part[1])
			return sure(Roman, whole(decimalOf(n))+saidYear(f.part[2])), n > 0 && r.follows(romanWords)
		}},
		{"r", 0, form(`([IVXLC]{1,15})`), (*reader).roman},
		{"d", 0, form(`(\p{Lu})(\d{1,3})`), func(r *reader, f found) (said, bool) {
			name, ok := letters[strings.ToLower(f.part[1])]
			return sure(Code, name+" "+whole(f.part[2])), ok && r.follows(letterWords)
		}},
		{"d", 0, form(`([\p{L}\p{M}]+\d[\p{L}\p{M}\d]*)`), func(_ *reader, f found) (said, bool) { return strange(Code, Unexplained, f.part[1]), true }},
	}
})

// decimalOf writes a small number in digits.
func decimalOf(n int) string {
	return strings.TrimLeft(string([]byte{byte('0' + n/100%10), byte('0' + n/10%10), byte('0' + n%10)}), "0")
}

// roman reads a Roman numeral where one is due, and those that no word looks
// like.
func (r *reader) roman(f found) (said, bool) {
	n := romanValue(f.part[1])
	if n == 0 || r.cuts(f.end) || len(f.part[1]) == 1 && n > 10 {
		return said{}, false
	}
	spoken := whole(decimalOf(n))
	switch {
	case r.follows(ordinal):
		return sure(Roman, nth(decimalOf(n))), true
	case r.follows(romanWords):
		return sure(Roman, spoken), true
	case len(f.part[1]) == 1 || r.inCapitals():
		return said{}, false
	}
	return doubt(Roman, Numeral, spoken), true
}

// roads are the classes of roads; some shorten other words too.
var roads = map[string]struct {
	spoken string
	check  bool
}{"QL": {"quốc lộ", false}, "TL": {"tỉnh lộ", false}, "ĐT": {"đường tỉnh", true}, "ĐH": {"đường huyện", true}, "HL": {"huyện lộ", true}}

func (r *reader) roadNumber(f found) (said, bool) {
	road := roads[f.part[1]]
	spoken := road.spoken + " " + whole(f.part[2])
	if f.part[3] != "" {
		spoken += " " + letters[strings.ToLower(f.part[3])]
	}
	return when(!road.check, Code, Ambiguous, spoken), len(f.part[2]) < 4
}

// word reads a run of letters that no shape fits.
func (r *reader) word() bool {
	a := r.atoms[r.i]
	written := r.text[a.from:a.to]
	lower := strings.ToLower(written)
	s := r.judge(written, lower)
	if s.risk != Unknown && s.kind == Word {
		r.heard(lower)
		if r.list != "" && lower != "và" && lower != "hoặc" && lower != "hay" && lower != "đến" {
			r.list = ""
		}
	} else {
		r.heard(lower)
	}
	return r.say(a.to, s)
}

// judge says how sure a word is.
func (r *reader) judge(written, lower string) said {
	capitals := written != lower && written == strings.ToUpper(written)
	single := utf8.RuneCountInString(written) == 1
	switch {
	case single && r.follows(letterWords):
		if name, ok := letters[lower]; ok {
			return sure(Letter, name)
		}
	case strings.ContainsFunc(written, notLatin):
		return strange(Word, Script, written)
	}
	switch {
	case len(written) == 1 && isSyllable(lower) && !(r.inCapitals() || (lower == "y" || !capitals) && isSyllable(r.next(r.atoms[r.i].to))):
		return doubt(Word, Lettered, lower)
	case isSyllable(lower) && capitals && !single:
		if r.inCapitals() {
			return sure(Word, lower)
		}
		return when(len(lower) > utf8.RuneCountInString(lower), Word, Capitals, lower)
	case isSyllable(lower) && capitals:
		return sure(Word, lower)
	case isSyllable(lower) && !oddCase(written):
		return sure(Word, written)
	case written != lower && (capitals || oddCase(written)) && !single:
		return strange(Abbreviation, Unexplained, written)
	case single:
		return strange(Letter, Unexplained, written)
	}
	return strange(Word, Foreign, written)
}

func notLatin(c rune) bool { return c >= utf8.RuneSelf && !unicode.Is(unicode.Latin, c) }

// oddCase reports a capital behind the first letter.
func oddCase(written string) bool {
	_, n := utf8.DecodeRuneInString(written)
	return strings.ContainsFunc(written[n:], unicode.IsUpper)
}

// inCapitals reports whether the word stands among words in capitals of which
// one has an accent, as headings do.
func (r *reader) inCapitals() bool {
	const reach = 6
	accented, beside := false, 0
	for _, way := range []int{-1, 1} {
		for n, words := r.i+way, 0; n >= 0 && n < len(r.atoms) && words < reach; n += way {
			a := r.atoms[n]
			if a.kind == lineAtom {
				break
			}
			if a.kind != letterAtom {
				continue
			}
			w := r.text[a.from:a.to]
			if a.to-a.from > longestSyllable*2 || w != strings.ToUpper(w) {
				break
			}
			words++
			if !isSyllable(strings.ToLower(w)) {
				continue
			}
			beside++
			accented = accented || utf8.RuneCountInString(w) != len(w)
		}
	}
	return beside > 0 && accented
}

// markBare marks the first word of sentences that seem to be typed without
// accents.
func markBare(author string, tokens []Token) {
	const few = 5
	first, words, accents := 0, 0, 0
	for i, t := range tokens {
		if t.Kind == Word && t.Risk != Unknown {
			if words == 0 {
				first = i
			}
			words++
			if written := author[t.From:t.To]; utf8.RuneCountInString(written) != len(written) {
				accents++
			}
		} else if t.Kind == Phrase {
			accents++
		}
		if t.Pause >= Sentence || i == len(tokens)-1 {
			if words >= few && accents == 0 && tokens[first].Risk == None {
				tokens[first].Risk, tokens[first].Why = Check, Bare
			}
			words, accents = 0, 0
		}
	}
}
