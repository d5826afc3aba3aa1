package spoken

import "strings"

// units are the digits as they are said alone.
var units = [10]string{"không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"}

// mostDigits is how long a whole number may be and still be said as one.
const mostDigits = 27

// whole says a whole number of digits: 1204 is "một nghìn hai trăm linh tư".
// What is longer than mostDigits is said digit by digit.
func whole(digits string) string {
	digits = strings.TrimLeft(digits, "0")
	switch {
	case digits == "":
		return units[0]
	case len(digits) > mostDigits:
		return spelled(digits)
	}
	var said []string
	groups := (len(digits) + 2) / 3
	inBillions := false // something of the present block of nine digits was said
	for g := groups - 1; g >= 0; g-- {
		end := len(digits) - 3*g
		group := digits[max(0, end-3):end]
		if n := valueOf(group); n > 0 {
			said = append(said, hundreds(n, g < groups-1))
			if thousand := [3]string{"", "nghìn", "triệu"}[g%3]; thousand != "" {
				said = append(said, thousand)
			}
			inBillions = true
		}
		if g > 0 && g%3 == 0 && inBillions {
			said = append(said, strings.TrimSuffix(strings.Repeat("tỷ ", g/3), " "))
			inBillions = false
		}
	}
	return strings.Join(said, " ")
}

// valueOf is the number that a few digits write.
func valueOf(digits string) int {
	n := 0
	for i := 0; i < len(digits); i++ {
		n = 10*n + int(digits[i]-'0')
	}
	return n
}

// hundreds says 1 to 999; inside of a greater number with its empty hundreds.
func hundreds(n int, inside bool) string {
	h, t, u := n/100, n/10%10, n%10
	said := ""
	if h > 0 || inside {
		said = units[h] + " trăm "
	}
	switch {
	case t == 0 && u == 0:
	case t == 0 && said != "" && u == 4:
		said += "linh tư"
	case t == 0 && said != "":
		said += "linh " + units[u]
	case t == 0:
		said += units[u]
	default:
		said += tens(t, u)
	}
	return strings.TrimSuffix(said, " ")
}

// tens says 10 to 99.
func tens(t, u int) string {
	said := units[t] + " mươi"
	if t == 1 {
		said = "mười"
	}
	switch {
	case u == 0:
		return said
	case u == 5:
		return said + " lăm"
	case u == 1 && t > 1:
		return said + " mốt"
	case u == 4 && t > 1:
		return said + " tư"
	}
	return said + " " + units[u]
}

// spelled says digits one by one.
func spelled(digits string) string {
	var said strings.Builder
	for i := 0; i < len(digits); i++ {
		if i > 0 {
			said.WriteByte(' ')
		}
		said.WriteString(units[digits[i]-'0'])
	}
	return said.String()
}

// part says what stands behind a decimal comma.
func part(digits string) string {
	if len(digits) > 2 || digits[0] == '0' {
		return spelled(digits)
	}
	return whole(digits)
}

// number says a number as Vietnamese writes it: dots between thousands, a comma
// before the decimals.
func number(written string) string {
	whole3, decimals, comma := strings.Cut(written, ",")
	said := whole(strings.ReplaceAll(whole3, ".", ""))
	if comma {
		said += " phẩy " + part(decimals)
	}
	return said
}

// romans are the values of the Roman letters.
var romans = map[byte]int{'I': 1, 'V': 5, 'X': 10, 'L': 50, 'C': 100}

// romanValue reads a Roman numeral up to 399, or returns 0 for what is none.
func romanValue(s string) int {
	if len(s) == 0 || len(s) > 15 {
		return 0
	}
	n := 0
	for i := 0; i < len(s); i++ {
		v, ok := romans[s[i]]
		if !ok {
			return 0
		}
		if i+1 < len(s) && romans[s[i+1]] > v {
			v = -v
		}
		n += v
	}
	if n <= 0 || romanOf(n) != s {
		return 0
	}
	return n
}

// romanOf writes a number in Roman letters.
func romanOf(n int) string {
	var s strings.Builder
	for _, r := range [...]struct {
		value  int
		letter string
	}{{100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"}, {10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}} {
		for ; n >= r.value; n -= r.value {
			s.WriteString(r.letter)
		}
	}
	return s.String()
}

// letters are the names of the letters, as school and law say them.
var letters = map[string]string{
	"a": "a", "ă": "á", "â": "ớ", "b": "bê", "c": "xê", "d": "dê", "đ": "đê", "e": "e", "ê": "ê", "f": "ép", "g": "giê",
	"h": "hát", "i": "i", "j": "gi", "k": "ca", "l": "e lờ", "m": "em mờ", "n": "en nờ", "o": "o", "ô": "ô", "ơ": "ơ",
	"p": "pê", "q": "quy", "r": "e rờ", "s": "ét", "t": "tê", "u": "u", "ư": "ư", "v": "vê", "w": "vê kép", "x": "ích",
	"y": "i dài", "z": "dét",
}
