package handover

import "github.com/loaxa/loaxa/broadcast"

// Words say what something is and what to do about it, to people.
type Words struct {
	English, Vietnamese     string
	DoEnglish, DoVietnamese string
}

// words is the one table: a row for every kind that is ever listed.
var words = map[Kind]Words{
	Kind(broadcast.KindTemplate): {"template", "mẫu trực sẵn",
		"Two officers sign it anew before the person leaves.", "Hai cán bộ ký lại trước khi người này thôi nhiệm vụ."},
	Kind(broadcast.KindAnnouncement): {"announcement", "bản tin",
		"Its officers sign it anew, or it is announced anew.", "Các cán bộ có quyền ký lại, hoặc lập bản tin mới."},
	Kind(broadcast.KindDrill): {"drill", "diễn tập",
		"Its officers sign it anew, or it is announced anew.", "Các cán bộ có quyền ký lại, hoặc lập bản tin mới."},
	Kind(broadcast.KindWithdrawal): {"withdrawal", "lệnh thu hồi",
		"Somebody of the same level withdraws it anew: a loudspeaker that was away could sound it otherwise.",
		"Cán bộ cùng cấp ký lại lệnh thu hồi, nếu không cụm loa vừa nối mạng lại có thể phát."},
	Kind(broadcast.KindSilence): {"silence", "lệnh im lặng",
		"Somebody of the same level signs it anew, or loudspeakers sound again.", "Cán bộ cùng cấp ký lại, nếu không loa sẽ phát trở lại."},
	Kind(broadcast.KindPolicy): {"policy", "quy chế",
		"Two officers sign it anew: without a policy little may be announced.", "Hai cán bộ ký lại: thiếu quy chế thì hầu như không được phát."},
	Kind(broadcast.KindSlot): {"standing slot", "khung giờ cố định",
		"An officer of the commune gives it anew.", "Cán bộ xã ký lại khung giờ."},
	Kind(broadcast.KindPlacement): {"placing of offers", "xếp lịch tiếp sóng",
		"An officer of the commune places them anew.", "Cán bộ xã ký lại việc xếp lịch."},
	Kind(broadcast.KindAssignment): {"place of a loudspeaker", "vị trí cụm loa",
		"A technician or an administrator signs its place anew; it goes on sounding meanwhile.",
		"Cán bộ kỹ thuật hoặc quản trị viên ký lại vị trí; trong lúc đó loa vẫn phát."},
	Rights: {"rights given by this person", "quyền do người này cấp",
		"Another administrator renews them.", "Quản trị viên khác gia hạn quyền cho họ."},
	Waiting: {"signature on what waits for others", "chữ ký trên văn bản còn chờ duyệt",
		"It is handed in again, and signed by somebody else.", "Trình lại và để cán bộ khác ký."},
	BoxPIN: {"PIN at boxes", "mã PIN tại tủ loa",
		"Two officers sign the template without this number: a dismissal does not end the PIN.",
		"Hai cán bộ ký lại mẫu, bỏ số này: cho thôi nhiệm vụ không làm mất PIN tại tủ."},
	Phone: {"PIN on a shared phone", "mã PIN trên điện thoại trực",
		"Nothing: it ends with the person.", "Không cần làm gì: PIN hết hiệu lực cùng lúc."},
}

// Words say what it is and what to do about it.
func (i Item) Words() Words { return words[i.Kind] }
