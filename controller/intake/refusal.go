package intake

import (
	"errors"
	"fmt"

	"github.com/loaxa/loaxa/broadcast/media"
)

// Code names why an upload was not taken, for programs.
type Code string

// The reasons. Retry tells those that are no fault of the file.
const (
	Empty          Code = "empty"
	NotAudio       Code = "not-audio"
	Undecodable    Code = "undecodable"
	Truncated      Code = "truncated"
	Silent         Code = "silent"
	TooLong        Code = "too-long"
	TooLarge       Code = "too-large"
	SeveralStreams Code = "several-streams"
	NoSound        Code = "no-sound"
	TooCostly      Code = "too-costly"
	Busy           Code = "busy"
	DiskFull       Code = "disk-full"
)

// Retry reports whether the same file may be taken later.
func (c Code) Retry() bool { return c == Busy || c == DiskFull }

// reasons holds what a person is told. A verb stands for the detail that the place of refusal knows.
var reasons = map[Code]struct{ english, vietnamese string }{
	Empty: {
		"the file holds no sound at all: record or export it again",
		"Tệp không có chút âm thanh nào: hãy ghi âm hoặc xuất lại."},
	Undecodable: {
		"the sound in this file cannot be decoded (%s): export it again as MP3, M4A or WAV",
		"Không giải mã được âm thanh trong tệp (%s): hãy xuất lại dưới dạng MP3, M4A hoặc WAV."},
	Truncated: {
		"the file is cut off (%s): upload the complete file",
		"Tệp bị cắt cụt (%s): hãy tải lên tệp đầy đủ."},
	Silent: {
		"the recording is silent: nothing in it is louder than -64 LUFS; check the microphone and record again",
		"Bản ghi không có tiếng: không chỗ nào to hơn -64 LUFS; hãy kiểm tra micrô và ghi lại."},
	TooLong: {
		"the recording is longer than %s: divide it into parts",
		"Bản ghi dài hơn %s: hãy chia thành nhiều phần."},
	TooLarge: {
		"the file is larger than %s: export it as MP3 or M4A, which is much smaller",
		"Tệp lớn hơn %s: hãy xuất ra MP3 hoặc M4A để nhỏ hơn nhiều."},
	SeveralStreams: {
		"the file holds %s sound tracks: export the one that is to be heard",
		"Tệp có %s đường tiếng: hãy xuất riêng đường tiếng cần phát."},
	NoSound: {
		"the file holds no sound track: choose a file with sound",
		"Tệp không có đường tiếng: hãy chọn tệp có âm thanh."},
	TooCostly: {
		"converting this file took more time or memory than is allowed: export it again as MP3 or WAV",
		"Chuyển đổi tệp này tốn quá nhiều thời gian hoặc bộ nhớ: hãy xuất lại dưới dạng MP3 hoặc WAV."},
	Busy: {
		"too many uploads at once: try again in a minute",
		"Đang có quá nhiều tệp tải lên cùng lúc: hãy thử lại sau một phút."},
	DiskFull: {
		"the controller's disk is full, the file was not stored and nothing else was lost: free some space and upload it again",
		"Ổ đĩa của máy chủ đã đầy, tệp chưa được lưu và không mất dữ liệu nào khác: hãy giải phóng dung lượng rồi tải lại."},
}

// Refusal says why an upload was not taken and what to do instead.
type Refusal struct {
	Code                Code
	English, Vietnamese string
	cause               error
}

// Error returns the code and the English reason.
func (r *Refusal) Error() string { return string(r.Code) + ": " + r.English }

// Unwrap returns what was seen underneath, or nil. It is for logs, not for the person.
func (r *Refusal) Unwrap() error { return r.cause }

// refuse makes the refusal of a code; detail fills the verb of its reason.
func refuse(code Code, cause error, detail ...any) *Refusal {
	r := reasons[code]
	return &Refusal{
		Code:       code,
		English:    fmt.Sprintf(r.english, detail...),
		Vietnamese: fmt.Sprintf(r.vietnamese, detail...),
		cause:      cause,
	}
}

// notAudio carries over what the sniffer said, which knows best what the bytes are instead.
func notAudio(err error) error {
	var said *media.Refusal
	if !errors.As(err, &said) {
		return fmt.Errorf("sniff the upload: %w", err)
	}
	return &Refusal{Code: NotAudio, English: said.English, Vietnamese: said.Vietnamese, cause: err}
}
