package preview

import (
	"fmt"

	"github.com/loaxa/loaxa/broadcast"
)

// Words are one text in the two languages of the console.
type Words struct{ English, Vietnamese string }

// advice is what people can change about a reason.
var advice = map[broadcast.Reason]Words{
	broadcast.WhyQuiet:     {"choose a start outside these hours", "hãy chọn giờ phát ngoài khung giờ này"},
	broadcast.WhyWindow:    {"choose a start inside these hours", "hãy chọn giờ phát trong khung giờ này"},
	broadcast.WhyBudget:    {"make it shorter, choose another day, or withdraw something else", "hãy rút ngắn, chọn ngày khác, hoặc thu hồi bản tin khác"},
	broadcast.WhyNoPolicy:  {"two officers sign a policy for the area first", "cần hai cán bộ ký quy chế cho địa bàn trước"},
	broadcast.WhyThreshold: {"another officer has to sign", "cần thêm cán bộ ký"},
	broadcast.WhySilence:   {"choose a start after its end, or have it lifted", "hãy chọn giờ sau khi lệnh hết hạn, hoặc đề nghị dỡ lệnh"},
	broadcast.WhyLate:      {"choose a start when nothing else sounds", "hãy chọn giờ không trùng bản tin khác"},
	broadcast.WhyOverlap:   {"choose a start when nothing else sounds", "hãy chọn giờ không trùng bản tin khác"},
	broadcast.WhyPreempted: {"choose a start when nothing of a higher class sounds", "hãy chọn giờ không trùng bản tin ưu tiên cao hơn"},
	broadcast.WhyOffer:     {"ask the commune to place it, or for a standing slot", "hãy đề nghị xã xếp lịch hoặc dành khung giờ cố định"},
	broadcast.WhyDeclined:  {"ask the commune", "hãy trao đổi với xã"},
	broadcast.WhyLanguage:  {"add a version in the language of the area", "hãy thêm bản bằng ngôn ngữ của địa bàn"},
	broadcast.WhyTooLong:   {"split it into shorter parts", "hãy chia thành nhiều phần ngắn hơn"},
	broadcast.WhySession:   {"split it into shorter parts", "hãy chia thành nhiều phần ngắn hơn"},
	broadcast.WhySpeaker:   {"choose another class, or ask an officer of a level that may speak in it", "hãy chọn loại khác hoặc nhờ cán bộ cấp được phép phát loại này"},
	broadcast.WhyBody:      {"use a recording", "hãy dùng bản ghi âm"},
	broadcast.WhyRule:      {"write the recurrence anew", "hãy lập lại lịch lặp"},
}

// Advice says what people can change; it is empty if nothing is wrong or
// nothing can be done here.
func (o Outcome) Advice() Words { return advice[o.Reason] }

// Words say in one line what happens, why, where and when.
func (o Outcome) Words() Words {
	reason := o.Reason.Words()
	named := ""
	if o.Limit != "" {
		named = " (" + o.Limit + ")"
	}
	if o.OtherTitle != "" {
		named += " (“" + o.OtherTitle + "”)"
	}
	en, vi := "sounds", "phát"
	switch {
	case !o.Sounds:
		en, vi = "silent: "+reason.EN+named, "không phát: "+reason.VI+named
	case o.Reason != "":
		en, vi = "sounds, but: "+reason.EN+named, "phát, nhưng: "+reason.VI+named
	}
	return Words{
		English: fmt.Sprintf("%s; %s on %s in %s", en, o.when("%d times, %s to %s", "at %s"),
			counted(o.Nodes, "node"), counted(len(o.Areas), "area")),
		Vietnamese: fmt.Sprintf("%s; %s tại %d cụm loa thuộc %d địa bàn", vi, o.when("%d lượt, từ %s đến %s", "lúc %s"), o.Nodes, len(o.Areas)),
	}
}

// when fills in the starts: several, or the one.
func (o Outcome) when(several, one string) string {
	if o.First == o.Last {
		return fmt.Sprintf(one, moment(o.First))
	}
	return fmt.Sprintf(several, o.Occurrences, moment(o.First), moment(o.Last))
}

func counted(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
