package counter

import (
	"errors"

	"github.com/loaxa/loaxa/broadcast/seal"
)

// Advice says what to do about something that was not taken, to whoever stands at
// the box.
type Advice struct {
	VI string `json:"vi"`
	EN string `json:"en"`
}

// advised is what to do about what a node refuses. The first that fits counts.
var advised = []struct {
	err error
	do  Advice
}{
	{seal.ErrElsewhere, Advice{"văn bản của nơi khác: hãy xuất gói dành cho cụm loa này", "it is for another place: export a pack for this node"}},
	{seal.ErrStale, Advice{"cụm loa đã có bản mới hơn: không cần làm gì", "the node has a newer one: nothing is to be done"}},
	{seal.ErrRevoked, Advice{"người ký không còn quyền: đề nghị văn phòng ký lại", "who signed it may no longer do so: ask the office for one that is signed anew"}},
	{seal.ErrThreshold, Advice{"chưa đủ người ký: hãy hỏi văn phòng", "too few people signed it: ask the office"}},
	{seal.ErrRight, Advice{"người ký không có quyền ở địa bàn này: hãy hỏi văn phòng", "who signed it may not do so here: ask the office"}},
	{seal.ErrSignature, Advice{"tệp bị sửa hoặc hỏng khi chép: hãy chép lại từ nơi tạo ra nó", "it was altered or damaged on its way: copy it again from where it was made"}},
	{seal.ErrForm, Advice{"tệp bị sửa hoặc hỏng khi chép: hãy chép lại từ nơi tạo ra nó", "it was altered or damaged on its way: copy it again from where it was made"}},
	{seal.ErrTooLarge, Advice{"tệp lớn hơn mức cho phép của loại này: hãy xuất lại gói", "it is larger than any of its kind: export the pack again"}},
	{seal.ErrAhead, Advice{"tệp mang giờ ở tương lai: kiểm tra đồng hồ của văn phòng và của cụm loa", "it is from the future: see that the clocks of the office and of this node are right"}},
	{seal.ErrEquivocation, Advice{"văn phòng đã ký hai bản khác nhau cùng một số: báo văn phòng ngay", "the office signed two different ones under one number: tell the office at once"}},
}

// advice says what to do about an error.
func advice(err error) Advice {
	for _, a := range advised {
		if errors.Is(err, a.err) {
			return a.do
		}
	}
	return Advice{"hãy xuất gói mới rồi nạp lại; nếu vẫn bị từ chối, đọc cho văn phòng dòng báo lỗi này",
		"export a new pack and take that; if it is refused too, tell the office these words"}
}
