package spoken

import (
	"strings"
)

// Words before something that is said digit by digit.
var (
	callWords = map[string]bool{"gọi": true, "số": true, "hót lai": true, "đường dây nóng": true, "tổng đài": true, "điện thoại": true, "báo": true,
		"công an": true, "cứu hỏa": true, "cứu hoả": true, "chữa cháy": true, "cấp cứu": true, "số máy": true, "đường dây": true, "liên hệ": true,
		"cứu nạn": true, "quay số": true, "zalo": true, "da lô": true, "nhắn tin": true}
	codeWords = map[string]bool{"căn cước công dân": true, "căn cước": true, "chứng minh nhân dân": true, "tài khoản": true, "mã số": true, "mã số thuế": true,
		"mã": true, "bảo hiểm": true, "mã vạch": true, "số định danh": true, "định danh": true, "mã hộ": true, "bảo hiểm y tế": true, "biển số": true, "bảo hiểm xã hội": true}
)

// phoneShapes read numbers to call, and numbers that name somebody.
func phoneShapes() []shape {
	return []shape{
		{"0.-", 2, form(`(0\d{1,3}(?:[ .-]\d{2,4}){2,4})`), (*reader).grouped},
		{"0.-", 3, form(`(0\d{2,3}[ .-]\d{6,8})`), (*reader).grouped},
		{"", 4, form(`(1[89]00(?:[ .-]?\d{2,4}){1,3})`), (*reader).service},
		{"", 10, form(`(0\d{9,10})`), func(r *reader, f found) (said, bool) { return sure(Phone, inGroups(f.part[1])), !r.follows(codeWords) }},
		{"", 3, form(`(11[1-5]|1022)`), (*reader).hotline},
		{"", 6, form(`(\d{6,})`), func(r *reader, f found) (said, bool) {
			digits := f.part[1]
			switch {
			case r.follows(codeWords) && len(digits) <= 40:
				return sure(Digits, inGroups(digits)), true
			case r.follows(callWords) && len(digits) <= 12:
				return doubt(Digits, Digitwise, inGroups(digits)), true
			case len(digits) >= 9 && len(digits) <= 40 || digits[0] == '0' && len(digits) <= 40:
				return doubt(Digits, Digitwise, inGroups(digits)), true
			case len(digits) > 40:
				return strange(Digits, TooLong, digits), true
			}
			return said{}, false
		}},
	}
}

// grouped reads a phone number in the groups in which it is written.
func (r *reader) grouped(f found) (said, bool) {
	groups := strings.FieldsFunc(f.part[1], func(c rune) bool { return c < '0' || c > '9' })
	digits := strings.Join(groups, "")
	if len(digits) < 9 || len(digits) > 12 {
		return said{}, false
	}
	for i, g := range groups {
		groups[i] = spelled(g)
	}
	return sure(Phone, strings.Join(groups, ", ")), true
}

// service reads numbers such as 1900 6888.
func (r *reader) service(f found) (said, bool) {
	digits := strings.Join(strings.FieldsFunc(f.part[1], func(c rune) bool { return c < '0' || c > '9' }), "")
	if len(digits) < 8 || len(digits) > 10 {
		return said{}, false
	}
	return when(r.follows(callWords) || len(f.part[1]) > len(digits), Phone, Digitwise, spelled(digits[:4])+", "+inGroups(digits[4:])), true
}

// hotline reads the numbers of help where somebody is told to call.
func (r *reader) hotline(f found) (said, bool) {
	switch next := r.next(f.end); {
	case r.follows(callWords) || r.list == Phone:
		return sure(Phone, spelled(f.part[1])), true
	case f.part[1] == "1022" || next != "" && next != "và" && next != "hoặc":
		return said{}, false
	}
	return doubt(Number, Digitwise, whole(f.part[1])), true
}

// inGroups says digits one by one, with a breath after every three or four.
func inGroups(digits string) string {
	var groups []string
	first := len(digits)
	for len(digits) > 0 {
		n := 3
		if len(digits) == 4 || first == 10 && len(digits) == 10 {
			n = 4
		}
		n = min(n, len(digits))
		groups = append(groups, spelled(digits[:n]))
		digits = digits[n:]
	}
	return strings.Join(groups, ", ")
}
