package spoken

import (
	"strings"
	"unicode/utf8"
)

// tone is one of the six tones; level has no mark.
type tone uint8

const (
	level   tone = iota
	grave        // huyền
	hook         // hỏi
	tilde        // ngã
	acute        // sắc
	dotted       // nặng
	twoTone      // no syllable has two
)

// toned says of each vowel with a tone mark which vowel and which tone it is.
var toned = map[rune]struct {
	plain rune
	tone  tone
}{
	'à': {'a', grave}, 'ả': {'a', hook}, 'ã': {'a', tilde}, 'á': {'a', acute}, 'ạ': {'a', dotted},
	'ằ': {'ă', grave}, 'ẳ': {'ă', hook}, 'ẵ': {'ă', tilde}, 'ắ': {'ă', acute}, 'ặ': {'ă', dotted},
	'ầ': {'â', grave}, 'ẩ': {'â', hook}, 'ẫ': {'â', tilde}, 'ấ': {'â', acute}, 'ậ': {'â', dotted},
	'è': {'e', grave}, 'ẻ': {'e', hook}, 'ẽ': {'e', tilde}, 'é': {'e', acute}, 'ẹ': {'e', dotted},
	'ề': {'ê', grave}, 'ể': {'ê', hook}, 'ễ': {'ê', tilde}, 'ế': {'ê', acute}, 'ệ': {'ê', dotted},
	'ì': {'i', grave}, 'ỉ': {'i', hook}, 'ĩ': {'i', tilde}, 'í': {'i', acute}, 'ị': {'i', dotted},
	'ò': {'o', grave}, 'ỏ': {'o', hook}, 'õ': {'o', tilde}, 'ó': {'o', acute}, 'ọ': {'o', dotted},
	'ồ': {'ô', grave}, 'ổ': {'ô', hook}, 'ỗ': {'ô', tilde}, 'ố': {'ô', acute}, 'ộ': {'ô', dotted},
	'ờ': {'ơ', grave}, 'ở': {'ơ', hook}, 'ỡ': {'ơ', tilde}, 'ớ': {'ơ', acute}, 'ợ': {'ơ', dotted},
	'ù': {'u', grave}, 'ủ': {'u', hook}, 'ũ': {'u', tilde}, 'ú': {'u', acute}, 'ụ': {'u', dotted},
	'ừ': {'ư', grave}, 'ử': {'ư', hook}, 'ữ': {'ư', tilde}, 'ứ': {'ư', acute}, 'ự': {'ư', dotted},
	'ỳ': {'y', grave}, 'ỷ': {'y', hook}, 'ỹ': {'y', tilde}, 'ý': {'y', acute}, 'ỵ': {'y', dotted},
}

// longestSyllable in bytes: nghiêng has 8 letters.
const longestSyllable = 16

// untoned takes the tone off a lower-case word, wherever it is written: hoá and
// hóa are the same syllable.
func untoned(word string) (string, tone) {
	ascii := true
	for i := 0; i < len(word); i++ {
		ascii = ascii && word[i] < utf8.RuneSelf
	}
	if ascii {
		return word, level
	}
	var plain strings.Builder
	found := level
	for _, r := range word {
		t, ok := toned[r]
		if !ok {
			plain.WriteRune(r)
			continue
		}
		plain.WriteRune(t.plain)
		if found != level {
			found = twoTone
		} else {
			found = t.tone
		}
	}
	return plain.String(), found
}

// isSyllable reports whether a lower-case word can be a Vietnamese syllable: an
// onset, a rime that goes with it, and a tone that the rime can carry.
func isSyllable(word string) bool {
	if word == "" || len(word) > longestSyllable {
		return false
	}
	plain, t := untoned(word)
	if t == twoTone {
		return false
	}
	for _, o := range onsets {
		rime, ok := strings.CutPrefix(plain, o.written)
		if ok && o.takes(rime) && carries(rime, t) {
			return true
		}
	}
	return false
}

// carries reports whether a rime can have a tone: one that ends in a stop has
// sắc or nặng.
func carries(rime string, t tone) bool {
	switch rime[len(rime)-1] {
	case 'p', 't', 'c':
		return t == acute || t == dotted
	case 'h':
		return !strings.HasSuffix(rime, "ch") || t == acute || t == dotted
	}
	return true
}

// onset is how a syllable begins, and before which vowels it is written so.
type onset struct {
	written string
	rimes   map[string]bool // nil: the common ones
	front   int             // 1: only before e, ê, i, y; -1: never before them
}

// onsets, the longer before the shorter. None is the empty one.
var onsets = []onset{
	{written: "ngh", front: 1}, {written: "ng", front: -1}, {written: "nh"}, {written: "n"},
	{written: "gh", front: 1}, {written: "gi", rimes: afterGi}, {written: "g", rimes: afterG}, {written: "g", front: -1},
	{written: "ch"}, {written: "c", front: -1}, {written: "kh"}, {written: "k", front: 1},
	{written: "ph"}, {written: "p"}, {written: "qu", rimes: afterQu},
	{written: "th"}, {written: "tr"}, {written: "t"}, {written: "b"}, {written: "d"}, {written: "đ"}, {written: "h"},
	{written: "l"}, {written: "m"}, {written: "r"}, {written: "s"}, {written: "v"}, {written: "x"},
	{written: "", rimes: alone},
}

func (o onset) takes(rime string) bool {
	if rime == "" {
		return false
	}
	if o.rimes != nil {
		return o.rimes[rime] || o.written == "" && rimes[rime] && !notAlone[rime]
	}
	first, _ := utf8.DecodeRuneInString(rime)
	front := first == 'e' || first == 'ê' || first == 'i' || first == 'y'
	if o.front == 1 && !front || o.front == -1 && front {
		return false
	}
	if first == 'y' && !withY[o.written] {
		return false
	}
	return rimes[rime]
}
