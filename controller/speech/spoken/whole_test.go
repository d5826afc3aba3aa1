package spoken

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

func TestTheTablesAreLarge(t *testing.T) {
	written := map[string]string{}
	for _, c := range table(t) {
		if other, twice := written[c.written]; twice {
			t.Errorf("%q stands in %s and in %s", c.written, c.file, other)
		}
		written[c.written] = c.file
	}
	if len(written) < 450 {
		t.Errorf("%d cases, want at least 450", len(written))
	}
}

// uncovered returns what of a text no token names, but for spaces and what cannot
// be seen; and what is wrong with the order of the tokens.
func uncovered(author string, tokens []Token) (string, string) {
	left, at := "", 0
	for i, token := range append(slices.Clone(tokens), Token{From: len(author), To: len(author)}) {
		if token.From < at || token.To < token.From || token.To > len(author) {
			return "", "token " + author[min(at, len(author)):] + " lies out of order"
		}
		if i < len(tokens) && token.Risk != None && token.Why == "" {
			return "", "token " + author[token.From:token.To] + " has a risk without a reason"
		}
		left += author[at:token.From]
		at = token.To
	}
	return strings.Map(func(r rune) rune {
		if plain := plainRune(r); plain == ' ' || plain == '\n' || plain < 0 {
			return -1
		}
		return r
	}, left), ""
}

func TestNothingIsDroppedWithoutAToken(t *testing.T) {
	lexicon := NewLexicon(Places(places))
	for _, c := range table(t) {
		if left, wrong := uncovered(c.written, Read(c.written, lexicon).Tokens); left != "" || wrong != "" {
			t.Errorf("%q: %q in no token; %s", c.written, left, wrong)
		}
	}
}

func TestDecomposedTextIsReadAsComposedText(t *testing.T) {
	lexicon := NewLexicon(Places(places))
	for _, c := range table(t) {
		apart := norm.NFD.String(c.written)
		r := Read(apart, lexicon)
		if got := r.Spoken(); got != norm.NFC.String(c.spoken) || r.Risk() != c.risk {
			t.Errorf("%q in NFD: %q (%s), want %q (%s)", c.written, got, r.Risk(), c.spoken, c.risk)
		}
		if left, wrong := uncovered(apart, r.Tokens); left != "" || wrong != "" {
			t.Errorf("%q in NFD: %q in no token; %s", c.written, left, wrong)
		}
	}
}

func TestTokensNameTheAuthorsBytes(t *testing.T) {
	author := norm.NFD.String("Họp thôn Hạ lúc 7h30, ") + "ngày 5/6."
	var got []string
	for _, token := range Read(author, nil).Tokens {
		got = append(got, norm.NFC.String(author[token.From:token.To]))
	}
	want := []string{"Họp", "thôn", "Hạ", "lúc", "7h30", ",", "ngày", "5/6", "."}
	if !slices.Equal(got, want) {
		t.Errorf("tokens of %q, want %q", got, want)
	}
}

func TestUnknownIsNeverSaidAsLetters(t *testing.T) {
	for _, written := range []string{"XYZT", "GRDP", "qwrt", "UBNDX", "A1B2C3", "x-ray", "Q7"} {
		r := Read(written, nil)
		if r.Risk() != Unknown {
			t.Errorf("%q is %s", written, r.Risk())
		}
		for _, token := range r.Tokens {
			if token.Risk == Unknown && strings.Contains(token.Spoken, " ") {
				t.Errorf("%q is spelled %q", written, token.Spoken)
			}
		}
	}
}

func TestEveryReasonIsSaidInBothLanguages(t *testing.T) {
	seen := map[Why]bool{}
	for _, c := range table(t) {
		for _, token := range Read(c.written, nil).Tokens {
			seen[token.Why] = true
		}
	}
	for why := range seen {
		vi, en := why.Sentences()
		if why != "" && (vi == "" || en == "") {
			t.Errorf("%s has no sentence", why)
		}
	}
	if vi, en := Why("").Sentences(); vi+en != "" {
		t.Error("no reason has a sentence")
	}
	if len(seen) < 15 {
		t.Errorf("the tables show only %d reasons", len(seen))
	}
}

// unkind are texts that a careless reader would take long over.
func unkind(n int) map[string]string {
	return map[string]string{
		"digits": strings.Repeat("1", n), "commas": strings.Repeat("1,", n/2), "dots": strings.Repeat("1.", n/2), "dashes": strings.Repeat("1-", n/2),
		"slashes": strings.Repeat("1/", n/2), "letters": strings.Repeat("Ấ", n/3), "syllables": strings.Repeat("nghiêng ", n/10),
		"opened": strings.Repeat("(", n), "quotes": strings.Repeat("\"a", n/2), "capitals": strings.Repeat("A ,,,,,,,,", n/10),
		"numbers": strings.Repeat("12/3 ", n/5), "roman": strings.Repeat("XIV ", n/4), "lines": strings.Repeat("\n", n), "marks": strings.Repeat("e\u0301\u0301\u0301", n/7),
		"at": strings.Repeat("@", n), "mixed": strings.Repeat("1a", n/2), "broken": strings.Repeat("\xff", n), "addresses": strings.Repeat("a@b.c ", n/6),
		"times": strings.Repeat("7h-", n/3), "joined": strings.Repeat("TT.", n/3), "phrases": strings.Repeat("phòng cháy ", n/13),
	}
}

func TestTimeGrowsWithTheLengthAlone(t *testing.T) {
	lexicon := NewLexicon()
	for name := range unkind(1) {
		short, long := spent(t, unkind(2_000)[name], lexicon), spent(t, unkind(32_000)[name], lexicon)
		if long > 64*short+10*time.Millisecond { // 16 times the text
			t.Errorf("%s: %v for 2 kB, %v for 32 kB", name, short, long)
		}
	}
}

// spent is the processor time that a reading takes: the least of some, for the
// collection of garbage counts as well, whenever it comes.
func spent(t *testing.T, text string, lexicon *Lexicon) time.Duration {
	least := time.Hour
	for range 5 {
		began := processorTime(t)
		Read(text, lexicon)
		least = min(least, processorTime(t)-began)
	}
	return least
}

func TestATextThatIsTooLongEndsWithATokenThatSaysSo(t *testing.T) {
	text := strings.Repeat("thôn ế ", MaxText/8+100)
	r := Read(text, nil)
	last := r.Tokens[len(r.Tokens)-1]
	if last.Risk != Unknown || last.Why != TooLong || last.To != len(text) || !utf8.ValidString(text[last.From:]) {
		t.Errorf("the last token is %+v", last)
	}
}

func TestUnitsAreSentencesOrPhrases(t *testing.T) {
	r := Read("Kính mời bà con, đúng 7h30. Mang theo CCCD!\n\nThôn Hạ: 5 hộ.", nil)
	var sentences, phrases []string
	for _, u := range r.Units(Sentence) {
		sentences = append(sentences, u.Spoken)
	}
	for _, u := range r.Units(Comma) {
		phrases = append(phrases, u.Spoken)
	}
	if want := []string{"Kính mời bà con, đúng bảy giờ ba mươi phút", "Mang theo căn cước công dân", "Thôn Hạ, năm hộ"}; !slices.Equal(sentences, want) {
		t.Errorf("sentences %q, want %q", sentences, want)
	}
	if want := []string{"Kính mời bà con", "đúng bảy giờ ba mươi phút", "Mang theo căn cước công dân", "Thôn Hạ", "năm hộ"}; !slices.Equal(phrases, want) {
		t.Errorf("phrases %q, want %q", phrases, want)
	}
	if p := r.Units(Sentence)[1].Pause; p != Paragraph {
		t.Errorf("an empty line is the pause %d", p)
	}
}

func TestNoUnitIsLongerThanAVoiceTakes(t *testing.T) {
	for _, text := range []string{strings.Repeat("thôn Hạ, ", 2000), strings.Repeat("thôn Hạ ", 2000)} {
		all := 0
		for _, u := range Read(text, nil).Units(Sentence) {
			all += strings.Count(u.Spoken, "Hạ")
			if len(u.Spoken) > 2*longestUnit+100 {
				t.Errorf("a unit of %d bytes", len(u.Spoken))
			}
		}
		if all != 2000 {
			t.Errorf("%d of 2000 words are said", all)
		}
	}
}

func TestTheOfficesLexiconWins(t *testing.T) {
	area := []Entry{{Written: "TT", Spoken: "trung tâm", Exact: true}, {Written: "grdp", Spoken: "tổng sản phẩm trên địa bàn"},
		{Written: "Nà Cọ", Spoken: "Nà Cọ", Check: true}, {Written: "Trung tâm Hoà Bình", Spoken: "trung tâm Hòa Bình"}}
	for _, c := range []struct{ written, spoken string }{
		{"TT", "trung tâm"}, {"GRDP tăng", "tổng sản phẩm trên địa bàn tăng"}, {"trung tâm hòa bình", "trung tâm Hòa Bình"}, {"TRUNG TÂM HÒA BÌNH", "trung tâm Hòa Bình"},
	} {
		r := Read(c.written, NewLexicon(area))
		if r.Spoken() != c.spoken || r.Risk() != None {
			t.Errorf("%q is said %q (%s)", c.written, r.Spoken(), r.Risk())
		}
	}
	if r := Read("thôn Nà Cọ", NewLexicon(area)); r.Risk() != Check {
		t.Errorf("an entry to be checked is %s", r.Risk())
	}
	if r := Read("tt", NewLexicon(area)); r.Risk() != Unknown {
		t.Errorf("an exact entry takes other capitals: %s", r.Risk())
	}
}

func TestTheLongestEntryIsFound(t *testing.T) {
	l := NewLexicon([]Entry{{Written: "Sông Lô", Spoken: "một"}, {Written: "Sông Lô Hạ", Spoken: "hai"}, {Written: "Lô Hạ", Spoken: "ba"}})
	for written, want := range map[string]string{"sông lô hạ": "hai", "sông lô thượng": "một thượng", "bờ lô hạ": "bờ ba", "Sông  Lô": "một", "sông lôhạ": "sông lôhạ"} {
		if got := Read(written, l).Spoken(); got != want {
			t.Errorf("%q is said %q, want %q", written, got, want)
		}
	}
}

func TestWhatALexiconDoesNotTake(t *testing.T) {
	for name, e := range map[string]Entry{
		"nothing written": {Spoken: "a"}, "nothing said": {Written: "a"}, "too long": {Written: strings.Repeat("a", MaxWritten+1), Spoken: "a"},
		"phonemes": {Written: "a", Spoken: "[[a]]"}, "digits said": {Written: "a", Spoken: "5"}, "no letter": {Written: "12", Spoken: "a"},
		"another script": {Written: "a", Spoken: "北"}, "markup": {Written: "a", Spoken: "<a>"}, "said too long": {Written: "a", Spoken: strings.Repeat("a", MaxSpoken+1)},
	} {
		if _, err := e.Verify(); !errors.Is(err, ErrEntry) {
			t.Errorf("%s is taken: %v", name, err)
		}
		if r := Read("xyz", NewLexicon([]Entry{e})); r.Risk() != Unknown {
			t.Errorf("%s changes a reading", name)
		}
	}
	kept, err := Entry{Written: "  nà \n cọ ", Spoken: norm.NFD.String("nà  cọ")}.Verify()
	if err != nil || kept != (Entry{Written: "nà cọ", Spoken: "nà cọ"}) {
		t.Errorf("tidied to %+v, %v", kept, err)
	}
}

func TestTheBaseIsSound(t *testing.T) {
	if len(base()) < 200 {
		t.Fatalf("the base has %d entries", len(base()))
	}
	seen := map[string]bool{}
	for _, e := range base() {
		kept, err := e.Verify()
		if err != nil || kept != e {
			t.Errorf("%q: %v", e.Written, err)
		}
		if seen[e.Written] {
			t.Errorf("%q stands twice", e.Written)
		}
		seen[e.Written] = true
	}
}

func FuzzRead(f *testing.F) {
	for _, c := range table(f) {
		f.Add(c.written)
	}
	for _, text := range unkind(300) {
		f.Add(text)
	}
	lexicon := NewLexicon(Places(places))
	f.Fuzz(func(t *testing.T, author string) {
		r := Read(author, lexicon)
		if left, wrong := uncovered(author, r.Tokens); left != "" || wrong != "" {
			t.Fatalf("%q in no token; %s", left, wrong)
		}
		if !utf8.ValidString(r.Spoken()) {
			t.Fatal("what is said is no text")
		}
		for _, token := range r.Tokens {
			if token.Risk == None && strings.ContainsFunc(token.Spoken, func(c rune) bool { return !sayable(c) }) {
				t.Fatalf("%q is sure to be said %q", author[token.From:token.To], token.Spoken)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	var all strings.Builder
	for _, c := range table(b) {
		all.WriteString(c.written + ".\n")
	}
	text := strings.Repeat(all.String(), 1+200_000/all.Len())
	lexicon := NewLexicon(Places(places))
	b.SetBytes(int64(len(text)))
	rounds, before := 0, processorTime(b)
	for b.Loop() {
		Read(text, lexicon)
		rounds++
	}
	b.ReportMetric(float64(rounds*len(text))/1e6/(processorTime(b)-before).Seconds(), "MB/cpu-s")
}

// processorTime is what this process has used, whatever else the machine does.
func processorTime(t testing.TB) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
