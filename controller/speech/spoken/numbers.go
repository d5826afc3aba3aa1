package spoken

import (
	"slices"
	"strings"
	"sync"
)

// digitShapes are tried at a digit.
var digitShapes = sync.OnceValue(func() []shape {
	return slices.Concat(enumerations(), numberedShapes(), phoneShapes()[:4], referenceShapes(), dateShapes(), timeShapes(), quantities(), phoneShapes()[4:], []shape{
		{"/", 0, form(`(\d+)/(\d+)`), (*reader).dayOrPart},
		{"-", 0, form(`(\d+(?: ?- ?\d+){2,})`), func(_ *reader, f found) (said, bool) { return strange(Digits, Unreadable, f.part[0]), true }},
		{"-.,", 0, form(`<N> - <N>`), (*reader).span},
		{",", 0, form(`(\d{1,3}(?:,\d{3}){2,})`), func(_ *reader, f found) (said, bool) {
			return doubt(Number, DotOrComma, whole(strings.ReplaceAll(f.part[1], ",", ""))), true
		}},
		{",", 0, form(`(\d+(?:,\d+){2,})`), func(_ *reader, f found) (said, bool) {
			var each []string
			for _, n := range strings.Split(f.part[1], ",") {
				each = append(each, whole(n))
			}
			return doubt(Number, DotOrComma, strings.Join(each, ", ")), true
		}},
		{".", 0, form(`(\d{1,2}(?:\.\d{1,2})+)`), (*reader).dotted},
		{"a", 0, form(`(\d+)([A-ZĐa-zđ])(\d{0,2})`), (*reader).lettered},
		{"a", 0, form(`(\d+\p{L}[\p{L}\d.-]*)`), func(_ *reader, f found) (said, bool) {
			written := strings.TrimRight(f.part[1], ".-")
			return strange(Code, Unexplained, written), len(written) == len(f.part[1])
		}},
		{"a", 0, form(`(\d+\p{L}[\p{L}\d]*)`), func(_ *reader, f found) (said, bool) { return strange(Code, Unexplained, f.part[1]), true }},
		{"", 0, form(`<N>`), (*reader).plain},
		{".", 0, form(`(\d+(?:\.\d+)+)`), func(_ *reader, f found) (said, bool) { return strange(Number, DotOrComma, f.part[1]), true }},
		{"", 0, form(`(\d+)`), (*reader).plain},
	})
})

// enumerations are the numbers and letters before the items of a list.
func enumerations() []shape {
	return []shape{{".)", 0, form(`(\d{1,2})[.)] `), func(r *reader, f found) (said, bool) {
		s := sure(Enumeration, whole(f.part[1]))
		s.pause = Comma
		return s, r.paragraph
	}}}
}

// numberedShapes read what is numbered with a letter behind.
func numberedShapes() []shape {
	return []shape{{"a", 0, form(`(\d+)([A-ZĐ])(\d{0,2})`), func(r *reader, f found) (said, bool) {
		s, ok := r.lettered(f)
		return s, ok && s.risk == None
	}}}
}

// quantities read a number, or two, with a unit.
func quantities() []shape {
	return []shape{
		{"-.,", 0, form(`([\d.,]+) ?- ?([\d.,]+)`), func(r *reader, f found) (said, bool) { return r.quantity(f, f.part[1], f.part[2]) }},
		{"a.,%$'\xc2\xe2", 0, form(`(\d+(?:[.,]\d+)*)`), func(r *reader, f found) (said, bool) { return r.quantity(f, f.part[1], "") }},
		{"a", 0, form(`(\d)m(\d{1,2})`), func(_ *reader, f found) (said, bool) {
			return doubt(Measure, Ambiguous, whole(f.part[1])+" mét "+whole(f.part[2])), true
		}},
	}
}

// quantity reads a number that a unit follows.
func (r *reader) quantity(f found, first, second string) (said, bool) {
	from := r.atoms[r.i].from
	rest := r.ahead()[f.end-from:]
	s, n := tail(rest)
	if n == 0 {
		return said{}, false
	}
	a, why := amount(first)
	b, whyToo := amount(second)
	if a == "" || second != "" && b == "" {
		return said{}, false
	}
	if second != "" {
		a += " đến " + b
	}
	s.spoken = a + s.spoken
	if why == "" {
		why = whyToo
	}
	if why != "" && s.risk == None {
		s.risk, s.why = Check, why
	}
	s.more = n
	return s, true
}

// amount says a number and why it may be wrong; nothing for what is none.
func amount(written string) (string, Why) {
	if written == "" {
		return "", ""
	}
	bare := strings.ReplaceAll(strings.ReplaceAll(written, ".", ""), ",", "")
	dots, commas := strings.Count(written, "."), strings.Count(written, ",")
	grouped := func(sep string) bool {
		parts := strings.Split(written, sep)
		for _, p := range parts[1:] {
			if len(p) != 3 {
				return false
			}
		}
		return len(parts[0]) >= 1 && len(parts[0]) <= 3
	}
	switch {
	case bare == "" || strings.HasSuffix(written, ".") || strings.HasSuffix(written, ",") || written[0] == '.' || written[0] == ',':
		return "", ""
	case dots == 0 && commas == 0:
		return whole(written), ""
	case dots == 0 && commas == 1:
		if grouped(",") && written[0] != '0' {
			return number(written), DotOrComma
		}
		return number(written), ""
	case commas == 0 && grouped("."):
		return whole(bare), ""
	case commas == 1 && dots > 0 && strings.LastIndexByte(written, '.') < strings.IndexByte(written, ','):
		if head, _, _ := strings.Cut(written, ","); validGroups(head) {
			return number(written), ""
		}
		return "", ""
	case commas > 1 && dots == 0 && grouped(","):
		return whole(bare), DotOrComma
	case dots == 1 && commas == 0:
		head, decimals, _ := strings.Cut(written, ".")
		return whole(head) + " phẩy " + part(decimals), DotOrComma
	}
	return "", ""
}

func validGroups(s string) bool {
	for i, p := range strings.Split(s, ".") {
		if i > 0 && len(p) != 3 || i == 0 && (len(p) < 1 || len(p) > 3) {
			return false
		}
	}
	return true
}

// Words around numbers.
var (
	sections  = map[string]bool{"mục": true, "điểm": true, "khoản": true, "phần": true, "điều": true, "bài": true, "phụ lục": true, "bảng": true, "chương": true, "tiểu mục": true}
	ordinal   = map[string]bool{"thứ": true}
	spans     = map[string]bool{"tỷ số": true, "tỉ số": true, "kết quả": true, "thắng": true, "thua": true, "hòa": true, "hoà": true}
	numbered  = map[string]bool{"lớp": true, "quốc lộ": true, "tỉnh lộ": true, "phòng": true, "khu": true, "tổ": true, "nhà": true, "lô": true, "đường": true, "khối": true, "đội": true, "thôn": true, "tầng": true, "mẫu": true, "mẫu số": true, "điều": true, "khoản": true, "số nhà": true}
	dayEnding = map[string]bool{"": true, "và": true, "đến": true, "tháng": true, "hoặc": true}
)

// span reads from one number to another.
func (r *reader) span(f found) (said, bool) {
	a, why := amount(f.part[1])
	b, whyToo := amount(f.part[2])
	if a == "" || b == "" {
		return said{}, false
	}
	high := f.part[2]
	rising := less(f.part[1], high)
	between := " đến "
	switch {
	case r.follows(spans):
		return doubt(Range, Ambiguous, a+" "+b), true
	case r.follows(ordinal) && len(f.part[1]) == 1 && len(f.part[2]) == 1:
		return when(rising, Ordinal, Falling, nth(f.part[1])+between+nth(f.part[2])), true
	case r.follows(month) && rising && len(high) <= 2 && valueOf(high) <= 12 && !r.follows(daily):
		return sure(Range, monthName(f.part[1])+between+monthName(f.part[2])), true
	case r.follows(dayNamed) && rising && len(high) <= 2 && !r.follows(daily):
		return sure(Range, mung(f.part[1])+between+mung(f.part[2])), true
	case !rising:
		return doubt(Range, Falling, a+between+b), true
	case why != "" || whyToo != "":
		return doubt(Range, DotOrComma, a+between+b), true
	}
	return sure(Range, a+between+b), true
}

// less compares two numbers as Vietnamese writes them.
func less(a, b string) bool {
	wholeA, partA, _ := strings.Cut(strings.ReplaceAll(a, ".", ""), ",")
	wholeB, partB, _ := strings.Cut(strings.ReplaceAll(b, ".", ""), ",")
	wholeA, wholeB = strings.TrimLeft(wholeA, "0"), strings.TrimLeft(wholeB, "0")
	switch {
	case len(wholeA) != len(wholeB):
		return len(wholeA) < len(wholeB)
	case wholeA != wholeB:
		return wholeA < wholeB
	}
	return partA < partB
}

func monthName(m string) string { return strings.TrimPrefix(saidMonth(m), "tháng ") }

// nth says the number of an ordinal: thứ nhất, thứ tư.
func nth(n string) string {
	switch valueOf(n) {
	case 1:
		return "nhất"
	case 4:
		return "tư"
	}
	return whole(n)
}

// dotted reads numbers of sections such as 1.2.3.
func (r *reader) dotted(f found) (said, bool) {
	spoken := strings.Split(f.part[1], ".")
	for i, n := range spoken {
		spoken[i] = whole(n)
	}
	s := when(r.follows(sections), Number, DotOrComma, strings.Join(spoken, " chấm "))
	return s, true
}

// lettered reads a number with a letter: lớp 6A, quốc lộ 4C.
func (r *reader) lettered(f found) (said, bool) {
	letter, ok := letters[strings.ToLower(f.part[2])]
	if !ok {
		return said{}, false
	}
	spoken := whole(f.part[1]) + " " + letter
	if f.part[3] != "" {
		spoken += " " + whole(f.part[3])
	}
	if r.follows(numbered) {
		return sure(Code, spoken), true
	}
	return strange(Code, Unexplained, f.part[0]), true
}

// plain reads a number alone, as the words before it want it.
func (r *reader) plain(f found) (said, bool) {
	n := f.part[1]
	bare := n == strings.TrimFunc(n, func(c rune) bool { return c < '0' || c > '9' }) && !strings.ContainsAny(n, ".,")
	next := r.next(f.end)
	small := bare && len(n) <= 2
	switch {
	case strings.HasPrefix(r.text[f.end:], ".") && len(r.text) > f.end+1 && r.text[f.end+1] >= '0' && r.text[f.end+1] <= '9':
		return said{}, false
	case small && (r.follows(ordinal) || r.list == Ordinal && r.inList()):
		return sure(Ordinal, nth(n)), true
	case small && r.follows(month) && !r.follows(daily) && valueOf(n) >= 1 && valueOf(n) <= 12:
		return sure(Date, monthName(n)), true
	case small && r.follows(dayNamed) && !r.follows(daily) && dayEnding[next] && valueOf(n) >= 1 && valueOf(n) <= 31:
		return sure(Date, strings.TrimPrefix(r.saidDay(n), "ngày ")), true
	case bare && len(n) > 2 && n[0] == '0':
		return when(r.follows(codeWords), Digits, Digitwise, spelled(n)), true
	case bare && len(n) > mostDigits:
		return doubt(Digits, Digitwise, spelled(n)), true
	case bare:
		return sure(Number, whole(n)), true
	}
	spoken, why := amount(n)
	if spoken == "" {
		return strange(Number, DotOrComma, n), true
	}
	return when(why == "", Number, why, spoken), true
}

// inList reports whether only a comma or "và" stands since the number before.
func (r *reader) inList() bool {
	before := strings.TrimRight(r.text[max(0, r.atoms[r.i].from-12):r.atoms[r.i].from], " ")
	for _, joint := range []string{",", "và", "hoặc", "hay", "đến"} {
		if strings.HasSuffix(before, joint) {
			return true
		}
	}
	return false
}
