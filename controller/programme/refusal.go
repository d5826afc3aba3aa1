package programme

import (
	"fmt"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/preview"
)

// Code names why something was refused, for programs.
type Code string

// The reasons.
const (
	AreaUnknown   Code = "area-unknown"
	AreaLevel     Code = "area-level"
	Invalid       Code = "invalid"
	TooLarge      Code = "too-large"
	SignRight     Code = "sign-right"
	OthersChange  Code = "others-change"
	NoOffer       Code = "no-offer"
	OfferEnds     Code = "offer-ends"
	StartPast     Code = "start-past"
	ReasonNeeded  Code = "reason-needed"
	NotListed     Code = "not-listed"
	SlotTaken     Code = "slot-taken"
	Edited        Code = "edited"
	DoesNotFit    Code = "does-not-fit"
	DraftedBefore Code = "drafted-before"
	Empty         Code = "programme-empty"
	TooMany       Code = "too-many"
	NothingToUndo Code = "nothing-to-undo"
)

// reasons holds what a person is told; verbs stand for details.
var reasons = map[Code]struct{ english, vietnamese string }{
	AreaUnknown:   {"area %q is not in today's organisation tree: choose one from the list of areas", "Địa bàn %q không có trong danh mục hiện nay: hãy chọn trong danh sách địa bàn."},
	AreaLevel:     {"%s lies above the communes: what belongs to a commune is decided there, so name the commune", "%s là cấp trên của xã: việc này do xã quyết định, hãy chọn xã."},
	Invalid:       {"this cannot be used: %s", "Chưa dùng được: %s"},
	TooLarge:      {"too much for one signed document: %s", "Quá lớn so với một văn bản có chữ ký: %s"},
	SignRight:     {"nodes would not believe a signature of %s on this: %s; ask an officer of the commune who may approve", "Cụm loa sẽ không tin chữ ký của %s: %s; hãy nhờ cán bộ xã có quyền duyệt."},
	OthersChange:  {"%d soundings would be silent, late or cut by it: %s; look at the difference and send its digest as difference, or accept_difference to go on whatever it changes", "Việc này làm %d lượt phát bị im, muộn hoặc bị cắt: %s; hãy xem bảng khác biệt rồi gửi lại kèm mã difference, hoặc accept_difference nếu vẫn ký."},
	NoOffer:       {"%s is no offer of a higher level to %s: choose one from the list of offers", "%s không phải bản tin cấp trên gửi cho %s: hãy chọn trong danh sách bản tin chờ xếp."},
	OfferEnds:     {"the offer may begin until %s: choose an earlier time", "Bản tin này chỉ được phát đến %s: hãy chọn giờ sớm hơn."},
	StartPast:     {"%s has passed: choose a later time", "%s đã qua: hãy chọn giờ muộn hơn."},
	ReasonNeeded:  {"the reason is empty: say why the offer is declined", "Chưa ghi lý do: hãy ghi vì sao không nhận phát."},
	NotListed:     {"announcement %s is not published for %s, or is over", "Bản tin %s chưa phát hành cho %s hoặc đã hết hạn."},
	SlotTaken:     {"slot %q belongs to %s: choose another name", "Khung giờ %q là của %s: hãy chọn tên khác."},
	Edited:        {"it was edited meanwhile: you began from version %d, and now it is version %d by %s; look at both and send yours again with that version if it shall replace the other", "Nội dung vừa được người khác sửa: bạn bắt đầu từ bản %d, nay là bản %d của %s; hãy xem cả hai bản rồi gửi lại kèm số bản mới nếu muốn thay thế."},
	DoesNotFit:    {"the programme lasts %s and there is room for %s: take something out, or choose a longer slot", "Chương trình dài %s nhưng khung giờ chỉ có %s: hãy bớt nội dung hoặc chọn khung giờ dài hơn."},
	DraftedBefore: {"it was made into announcement %s, which is %s: withdraw that first", "Chương trình đã thành bản tin %s (%s): hãy thu hồi bản tin đó trước."},
	Empty:         {"the programme has no segment: add what shall sound", "Chương trình chưa có nội dung: hãy thêm nội dung phát."},
	TooMany:       {"%d is too many: at most %d", "%d là quá nhiều: tối đa %d."},
	NothingToUndo: {"there is no edit of the last hour to undo", "Không có lần sửa nào trong một giờ qua để hoàn tác."},
}

// Refusal says why something was not done and what to do instead.
type Refusal struct {
	Code                Code
	English, Vietnamese string
	// Field names what to change in the request; empty if no field is at fault.
	Field string
	// Errors are the details one by one, if there are several.
	Errors []string
	// About names the announcements that stand in the way.
	About []broadcast.ID
	// Current is what somebody else made of the Programme meanwhile, and Difference
	// what was not seen; nil if that is not why.
	Current    *Programme
	Difference *preview.Difference
}

// Error returns the code and the English reason.
func (r *Refusal) Error() string { return string(r.Code) + ": " + r.English }

// word is a detail that has a name of its own in each language.
type word struct{ english, vietnamese string }

// refuse makes the refusal of a code; details fill the verbs of both sentences.
func refuse(code Code, field string, details ...any) *Refusal {
	r := reasons[code]
	english, vietnamese := make([]any, len(details)), make([]any, len(details))
	for i, d := range details {
		english[i], vietnamese[i] = d, d
		if w, ok := d.(word); ok {
			english[i], vietnamese[i] = w.english, w.vietnamese
		}
	}
	return &Refusal{Code: code, Field: field, English: fmt.Sprintf(r.english, english...), Vietnamese: fmt.Sprintf(r.vietnamese, vietnamese...)}
}

// local is a moment as people here read it.
func local(i broadcast.Instant) string {
	return i.Time().In(broadcast.Local()).Format("15:04 02/01/2006")
}
