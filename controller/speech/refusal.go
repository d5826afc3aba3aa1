package speech

import "fmt"

// Code names why something was refused, for programs.
type Code string

// The reasons.
const (
	TextEmpty     Code = "text-empty"
	TextLong      Code = "text-long"
	EngineUnknown Code = "engine-unknown"
	VoiceUnknown  Code = "voice-unknown"
	RateOff       Code = "rate"
	UnknownTokens Code = "unknown-tokens"
	NotNow        Code = "speech-state"
	NoSentence    Code = "sentence-unknown"
	LexiconEntry  Code = "lexicon-entry"
	LexiconFull   Code = "lexicon-full"
	QueueFull     Code = "speech-queue-full"
	NotSpoken     Code = "not-spoken"
)

// reasons holds what a person is told; verbs stand for details.
var reasons = map[Code]struct{ english, vietnamese string }{
	TextEmpty:     {"there is nothing to say in this text: write what shall be heard", "Văn bản không có gì để đọc: hãy viết nội dung cần phát."},
	TextLong:      {"the text has %d bytes, at most %d are spoken at once: divide it", "Văn bản dài %d byte, mỗi lần đọc tối đa %d: hãy chia nhỏ."},
	EngineUnknown: {"there is no engine %q here: choose one of the list of voices", "Không có bộ đọc %q: hãy chọn trong danh sách giọng đọc."},
	VoiceUnknown:  {"the engine has no voice %q: choose one of the list of voices", "Bộ đọc không có giọng %q: hãy chọn trong danh sách giọng đọc."},
	RateOff:       {"the rate %d is not between %d and %d percent", "Tốc độ %d không nằm trong khoảng %d đến %d phần trăm."},
	UnknownTokens: {"nobody knows how to say these: %s; write them in words, add them to the lexicon, or name every one of them in accept",
		"Chưa biết cách đọc: %s; hãy viết bằng chữ, thêm vào từ điển, hoặc nêu tên từng từ trong accept để chấp nhận."},
	NotNow:       {"the text is %s: this can be done when it failed or waits", "Văn bản đang ở trạng thái %s: chỉ làm được khi lỗi hoặc đang chờ."},
	NoSentence:   {"the text has no sentence %d: it has %d, counted from 1", "Không có câu %d: văn bản có %d câu, đếm từ 1."},
	LexiconEntry: {"this cannot stand in the lexicon: %s", "Mục này không đưa vào từ điển được: %s"},
	LexiconFull:  {"the lexicon of this area has %d entries already: remove some", "Từ điển của địa bàn đã có %d mục: hãy bỏ bớt."},
	QueueFull:    {"%d of your texts wait already: let them be spoken first", "Bạn đã có %d văn bản đang chờ: hãy đợi đọc xong."},
	NotSpoken:    {"no text was spoken into this recording: it came from an upload", "Bản ghi này không được tạo từ văn bản mà do tải lên."},
}

// Refusal says why something was not done and what to do instead.
type Refusal struct {
	Code                Code
	English, Vietnamese string
	// Field names what to change in the request; empty if no field is at fault.
	Field string
	// Errors are the details one by one, if there are several.
	Errors []string
}

// Error returns the code and the English reason.
func (r *Refusal) Error() string { return string(r.Code) + ": " + r.English }

func refuse(code Code, field string, details ...any) *Refusal {
	r := reasons[code]
	return &Refusal{Code: code, Field: field, English: fmt.Sprintf(r.english, details...), Vietnamese: fmt.Sprintf(r.vietnamese, details...)}
}
