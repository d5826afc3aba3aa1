package spoken

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// form compiles a shape: D stands for one or two digits, Y for a year, and a
// hyphen between spaces for one with or without them.
func form(pattern string) *regexp.Regexp {
	return regexp.MustCompile("^(?:" + strings.NewReplacer("<D>", `(\d{1,2})`, "<Y>", `((?:19|20)\d{2})`, " - ", ` ?- ?`, "<N>", `(`+numeral+`)`).Replace(pattern) + ")")
}

// numeral is a number as Vietnamese writes it.
const numeral = `\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d+(?:,\d+)?`

// Words before a date.
var (
	dayWords = map[string]bool{"ngày": true, "mùng": true, "mồng": true, "sáng": true, "trưa": true, "chiều": true, "tối": true, "đêm": true,
		"hôm": true, "nay": true, "mai": true, "qua": true, "kia": true, "dịp": true, "lễ": true, "rằm": true}
	dayNamed = map[string]bool{"ngày": true, "mùng": true, "mồng": true, "rằm": true}
	daily    = map[string]bool{"mỗi ngày": true, "một ngày": true, "hàng ngày": true, "hằng ngày": true, "mỗi tháng": true, "một tháng": true,
		"hàng tháng": true, "hằng tháng": true}
	quarter = map[string]bool{"quý": true}
	month   = map[string]bool{"tháng": true}
	issue   = map[string]bool{"số": true}
)

// dateShapes read what stands for days, months and years.
func dateShapes() []shape {
	return []shape{
		{"-", 4, form(`<Y>-<D>-<D>`), func(r *reader, f found) (said, bool) { return r.date(f, f.part[3], f.part[2], f.part[1]) }},
		{"/", 0, form(`<D>/<D>(?:/<Y>)? - <D>/<D>(?:/<Y>)?`), (*reader).dates},
		{"-", 0, form(`<D> - <D>/<D>(?:/<Y>)?`), (*reader).days},
		{"/", 0, form(`<D>/<D>/<Y>`), func(r *reader, f found) (said, bool) { return r.date(f, f.part[1], f.part[2], f.part[3]) }},
		{".", 0, form(`<D>\.<D>\.<Y>`), func(r *reader, f found) (said, bool) { return r.date(f, f.part[1], f.part[2], f.part[3]) }},
		{"-", 0, form(`<D>-<D>-<Y>`), func(r *reader, f found) (said, bool) { return r.date(f, f.part[1], f.part[2], f.part[3]) }},
		{"/", 0, form(`<D>/<D>/(\d{2})`), (*reader).shortDate},
		{"/", 0, form(`<D>/<Y>`), (*reader).monthOfYear},
	}
}

// isDay reports whether a calendar has that day; without a year, whether some
// year has it.
func isDay(day, month, year string) bool {
	y := 2024
	if year != "" {
		y, _ = strconv.Atoi(year)
	}
	d, m := valueOf(day), valueOf(month)
	t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
	return d > 0 && m > 0 && t.Day() == d && int(t.Month()) == m
}

// saidDay says the day of a month: the first ten are mùng.
func (r *reader) saidDay(day string) string {
	last := r.words[len(r.words)-1]
	said := whole(day)
	if valueOf(day) <= 10 && last != "mùng" && last != "mồng" {
		said = "mùng " + said
	}
	if r.follows(dayNamed) {
		return said
	}
	return "ngày " + said
}

// saidMonth says a month: the fourth is tư.
func saidMonth(month string) string {
	if valueOf(month) == 4 {
		return "tháng tư"
	}
	return "tháng " + whole(month)
}

// saidYear says a year behind a date; none is nothing.
func saidYear(year string) string {
	if year == "" {
		return ""
	}
	return " năm " + whole(year)
}

func (r *reader) date(f found, day, month, year string) (said, bool) {
	if !isDay(day, month, year) {
		return strange(Date, NoDate, f.part[0]), true
	}
	return sure(Date, r.saidDay(day)+" "+saidMonth(month)+saidYear(year)), true
}

func (r *reader) shortDate(f found) (said, bool) {
	s, ok := r.date(f, f.part[1], f.part[2], "20"+f.part[3])
	if s.risk == None {
		s.risk, s.why = Check, DayOrPart
	}
	return s, ok
}

// dates reads from one day to another.
func (r *reader) dates(f found) (said, bool) {
	p := f.part
	if !isDay(p[1], p[2], p[3]) || !isDay(p[4], p[5], p[6]) {
		return strange(Date, NoDate, p[0]), true
	}
	first := r.saidDay(p[1]) + " " + saidMonth(p[2]) + saidYear(p[3])
	second := "ngày " + mung(p[4]) + " " + saidMonth(p[5]) + saidYear(p[6])
	certain := r.follows(dayWords) || r.follows(since) || p[3] != "" || p[6] != ""
	return when(certain, Date, DayOrPart, first+" đến "+second), true
}

// since are words before the first of two days.
var since = map[string]bool{"từ": true, "trong": true}

func mung(day string) string {
	if valueOf(day) <= 10 {
		return "mùng " + whole(day)
	}
	return whole(day)
}

// days reads some days of one month.
func (r *reader) days(f found) (said, bool) {
	p := f.part
	if !isDay(p[1], p[3], p[4]) || !isDay(p[2], p[3], p[4]) {
		return strange(Date, NoDate, p[0]), true
	}
	certain := (r.follows(dayWords) || p[4] != "") && valueOf(p[1]) < valueOf(p[2])
	return when(certain, Date, DayOrPart, r.saidDay(p[1])+" đến "+mung(p[2])+" "+saidMonth(p[3])+saidYear(p[4])), true
}

// monthOfYear reads 6/2025 behind "tháng" or "quý", and alone.
func (r *reader) monthOfYear(f found) (said, bool) {
	m := valueOf(f.part[1])
	year := saidYear(f.part[2])
	switch {
	case r.follows(quarter) && m >= 1 && m <= 4:
		return sure(Date, whole(f.part[1])+year), true
	case r.follows(issue) || m < 1 || m > 12:
		return doubt(Date, Ambiguous, whole(f.part[1])+year), true
	case r.follows(month):
		return sure(Date, strings.TrimPrefix(saidMonth(f.part[1]), "tháng ")+year), true
	}
	return when(r.follows(dayWords) || r.follows(since), Date, Ambiguous, saidMonth(f.part[1])+year), true
}

// Words that make a fraction of two numbers.
var (
	shares = map[string]bool{"số": true, "tổng": true, "diện": true, "dân": true, "thời": true, "chiều": true, "quãng": true, "khối": true, "lượng": true,
		"sản": true, "nhu": true, "đại": true, "thành": true, "hộ": true, "thôn": true, "xã": true, "người": true, "cụm": true, "nhà": true, "công": true,
		"trường": true, "điểm": true, "đơn": true, "chỉ": true, "phiếu": true, "trạm": true, "tiêu": true, "ha": true, "bản": true}
	about = map[string]bool{"hơn": true, "gần": true, "khoảng": true, "chiếm": true, "đạt": true, "có": true, "trên": true, "quá": true, "được": true}
)

// dayOrPart reads two numbers around a slash: a day, a share, or a doubt.
func (r *reader) dayOrPart(f found) (said, bool) {
	a, b := f.part[1], f.part[2]
	share := whole(a) + " trên " + whole(b)
	if valueOf(b) <= 10 && len(b) < 3 && valueOf(a) < valueOf(b) {
		share = whole(a) + " phần " + whole(b)
	}
	noun := shares[r.next(f.end)]
	switch day := len(a) < 3 && len(b) < 3 && isDay(a, b, ""); {
	case day && r.follows(dayWords) && !r.follows(daily):
		return sure(Date, r.saidDay(a)+" "+saidMonth(b)), true
	case valueOf(b) == 0 || len(a) > 6 || len(b) > 6:
		return strange(Fraction, Unreadable, f.part[0]), true
	case !day:
		return when(noun, Fraction, DayOrPart, share), true
	case noun && (r.follows(about) || valueOf(b) > 10):
		return sure(Fraction, share), true
	case noun || r.follows(about):
		return doubt(Fraction, DayOrPart, share), true
	}
	return doubt(Date, DayOrPart, r.saidDay(a)+" "+saidMonth(b)), true
}
