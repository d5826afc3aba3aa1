package spoken

// Kind says what a token was read as.
type Kind string

// The kinds.
const (
	Word         Kind = "word"
	Phrase       Kind = "phrase" // from the lexicon
	Number       Kind = "number"
	Ordinal      Kind = "ordinal"
	Range        Kind = "range"
	Fraction     Kind = "fraction"
	Date         Kind = "date"
	Time         Kind = "time"
	Money        Kind = "money"
	Measure      Kind = "measure"
	Percent      Kind = "percent"
	Phone        Kind = "phone"
	Digits       Kind = "digits" // said one by one
	Roman        Kind = "roman"
	Reference    Kind = "reference" // the number of a legal document
	Letter       Kind = "letter"
	Code         Kind = "code"
	Link         Kind = "link"
	Mark         Kind = "mark"
	Symbol       Kind = "symbol"
	Enumeration  Kind = "enumeration"
	Abbreviation Kind = "abbreviation" // that nobody explained
)

// Risk says how sure a reading is.
type Risk string

// The risks, in rising order.
const (
	None    Risk = "none"
	Check   Risk = "check"   // it can be read in another way
	Unknown Risk = "unknown" // it must be accepted by name or put into the lexicon
)

// Worse reports whether a risk is greater than another.
func (r Risk) Worse(than Risk) bool { return r.rank() > than.rank() }

func (r Risk) rank() int {
	switch r {
	case Check:
		return 1
	case Unknown:
		return 2
	}
	return 0
}

// Pause is the silence that follows a token.
type Pause uint8

// The pauses, in rising order.
const (
	NoPause Pause = iota
	Comma
	Sentence
	Paragraph
)

// Token is one piece of a text and how it is said.
type Token struct {
	// From and To are byte offsets in the author's text.
	From, To int
	// Spoken is what is said; it may be empty.
	Spoken string
	Kind   Kind
	Risk   Risk
	// Why names the reason of a risk; empty with None.
	Why   Why
	Pause Pause
}

// Why is the reason of a risk, for programs.
type Why string

// The reasons.
const (
	Foreign      Why = "foreign"
	Unexplained  Why = "unexplained"
	Ambiguous    Why = "ambiguous"
	DayOrPart    Why = "day-or-part"
	NoDate       Why = "no-date"
	NoTime       Why = "no-time"
	DotOrComma   Why = "dot-or-comma"
	Digitwise    Why = "digitwise"
	Falling      Why = "falling"
	Numeral      Why = "numeral"
	Capitals     Why = "capitals"
	Lettered     Why = "lettered"
	Unreadable   Why = "unreadable"
	Address      Why = "address"
	Dropped      Why = "dropped"
	Slash        Why = "slash"
	SignOrDash   Why = "sign-or-dash"
	TooLong      Why = "too-long"
	Script       Why = "script"
	Bare         Why = "bare"
	OfficeChecks Why = "office-checks"
)

// reasons are the sentences of the reasons.
var reasons = map[Why]struct{ vietnamese, english string }{
	Foreign:      {"Không phải âm tiết tiếng Việt: hãy thêm cách đọc vào từ điển hoặc viết lại.", "Not a Vietnamese syllable: add how it is said to the lexicon, or write it out."},
	Unexplained:  {"Chữ viết tắt chưa có trong từ điển: hãy viết đầy đủ hoặc thêm vào từ điển.", "An abbreviation that the lexicon does not explain: write it out, or add it."},
	Ambiguous:    {"Có thể đọc theo cách khác: hãy nghe và kiểm tra.", "It can be read in another way: listen and check."},
	DayOrPart:    {"Có thể là ngày tháng hoặc phân số: hãy kiểm tra.", "It may be a date or a fraction: check."},
	NoDate:       {"Giống ngày tháng nhưng không có ngày này trong lịch.", "Looks like a date that no calendar has."},
	NoTime:       {"Giống giờ nhưng không phải giờ hợp lệ.", "Looks like a time of day that no clock shows."},
	DotOrComma:   {"Dấu chấm và dấu phẩy trong số có thể hiểu khác nhau: tiếng Việt viết 1.250,5.", "Dot and comma in this number can be taken for each other; Vietnamese writes 1.250,5."},
	Digitwise:    {"Sẽ đọc từng chữ số: hãy kiểm tra.", "It will be read digit by digit: check."},
	Falling:      {"Số sau nhỏ hơn số trước: có thể không phải là khoảng.", "The second number is smaller: it may be no range."},
	Numeral:      {"Đọc là số La Mã: hãy kiểm tra.", "Read as a Roman numeral: check."},
	Capitals:     {"Viết hoa như chữ viết tắt nhưng đọc được như một từ: hãy kiểm tra.", "Written like an abbreviation, and yet a word: check."},
	Lettered:     {"Sẽ đọc tên chữ cái: hãy kiểm tra.", "The letter's name will be said: check."},
	Unreadable:   {"Không biết đọc thế nào: hãy viết lại bằng chữ.", "No way to read it is known: write it in words."},
	Address:      {"Địa chỉ mạng hoặc thư điện tử: người nghe khó ghi lại; hãy viết lại cách đọc.", "A web or mail address: listeners can hardly note it; write how to say it."},
	Dropped:      {"Ký hiệu này sẽ không được đọc.", "This sign will not be said."},
	Slash:        {"Dấu gạch chéo: hãy viết rõ và, hoặc, trên, mỗi.", "A slash: write and, or, of, per in words."},
	SignOrDash:   {"Có thể là dấu âm hoặc gạch đầu dòng.", "It may be a minus sign or a dash."},
	TooLong:      {"Chuỗi quá dài không có khoảng trắng.", "Too long without a space."},
	Script:       {"Chữ viết không phải chữ Quốc ngữ.", "Not in the Vietnamese alphabet."},
	Bare:         {"Có vẻ gõ không dấu: hãy gõ có dấu.", "Seems to be typed without accents: type them."},
	OfficeChecks: {"Từ điển của cơ quan yêu cầu kiểm tra chữ này.", "The office's lexicon asks to check this."},
}

// Sentences returns the reason in Vietnamese and English; both are empty for
// none.
func (w Why) Sentences() (vietnamese, english string) {
	r := reasons[w]
	return r.vietnamese, r.english
}
