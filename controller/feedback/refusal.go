package feedback

import (
	"fmt"

	"github.com/loaxa/loaxa/controller/store"
)

// Code names why something was refused, for programs.
type Code string

// The reasons.
const (
	AreaUnknown Code = "area-unknown"
	AreaLevel   Code = "area-level"
	Invalid     Code = "invalid"
	NodeStatus  Code = "node-status"
	Edited      Code = "edited"
	Answered    Code = "answered"
	TooMany     Code = "too-many"
)

// reasons holds what a person is told; verbs stand for details.
var reasons = map[Code]struct{ english, vietnamese string }{
	AreaUnknown: {"area %q is not in today's organisation tree: choose one from the list of areas", "Địa bàn %q không có trong danh mục hiện nay: hãy chọn trong danh sách địa bàn."},
	AreaLevel:   {"%s lies above the communes: name the commune or the village that the loudspeaker stands in", "%s là cấp trên của xã: hãy chọn xã hoặc thôn nơi có loa."},
	NodeStatus:  {"node %s is not in use: choose a node that was confirmed", "Cụm loa %s chưa được sử dụng: hãy chọn cụm loa đã xác nhận."},
	Edited:      {"it was edited meanwhile: you began from version %d, and now it is version %d; look at it and send yours again with that version", "Phản ánh vừa được người khác cập nhật: bạn bắt đầu từ bản %d, nay là bản %d; hãy xem lại rồi gửi kèm số bản mới."},
	Answered:    {"%s has answered it already, and an answer is not changed: write a new entry", "Phản ánh đã được %s trả lời và không sửa được nữa: hãy ghi một phản ánh mới."},
	TooMany:     {"so many reports came from the public today that no more are taken: tell the commune's office, which can still write it down", "Hôm nay đã nhận quá nhiều phản ánh: hãy báo trực tiếp cho UBND xã để được ghi nhận."},
}

// Refusal says why something was not done and what to do instead.
type Refusal struct {
	Code                Code
	English, Vietnamese string
	// Field names what to change in the request; empty if no field is at fault.
	Field string
	// Current is what somebody else made of the entry meanwhile; nil if that is not
	// why.
	Current *store.Feedback
}

// Error returns the code and the English reason.
func (r *Refusal) Error() string { return string(r.Code) + ": " + r.English }

func refuse(code Code, field string, details ...any) *Refusal {
	row := reasons[code]
	return &Refusal{Code: code, Field: field, English: fmt.Sprintf(row.english, details...), Vietnamese: fmt.Sprintf(row.vietnamese, details...)}
}

// flaw refuses a field with a sentence in each language.
func flaw(field, english, vietnamese string) *Refusal {
	return &Refusal{Code: Invalid, Field: field, English: english, Vietnamese: vietnamese}
}
