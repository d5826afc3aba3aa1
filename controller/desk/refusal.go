package desk

import (
	"fmt"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

// Code names why something was refused, for programs.
type Code string

// The reasons.
const (
	TitleEmpty     Code = "title-empty"
	AreaUnknown    Code = "area-unknown"
	ContentUnknown Code = "content-unknown"
	StartPast      Code = "start-past"
	StartFar       Code = "start-far"
	StartNeeded    Code = "start-needed"
	BadRecurrence  Code = "recurrence"
	Invalid        Code = "invalid"
	TooLarge       Code = "too-large"
	ClassRight     Code = "class-right"
	SignRight      Code = "sign-right"
	RoleLength     Code = "role-length"
	RoleOnce       Code = "role-once"
	RoleWindow     Code = "role-window"
	Custody        Code = "custody"
	NoPolicy       Code = "no-policy"
	SecondPerson   Code = "second-person"
	DigestChanged  Code = "digest-changed"
	WrongState     Code = "wrong-state"
	TooLate        Code = "too-late"
	HigherLevel    Code = "higher-level"
	ReasonNeeded   Code = "reason-needed"
	AreaFull       Code = "area-full"
	Signatures     Code = "signatures"
	SoundsNowhere  Code = "sounds-nowhere"
	NotListened    Code = "not-listened"
	Edited         Code = "edited"
	Revised        Code = "revised"
	NoCorrection   Code = "no-correction"
	NotRevised     Code = "not-revised"
	Underway       Code = "underway"
	NoTemplate     Code = "no-template"
	TemplateEnded  Code = "template-ended"
	TemplateSounds Code = "template-sounds"
	TemplateArea   Code = "template-area"
	TemplateOnBox  Code = "template-on-box"
	Sounding       Code = "sounding"
	NothingToAdd   Code = "nothing-to-add"
	OthersChange   Code = "others-change"
	OfferUnknown   Code = "offer-unknown"
	Loosens        Code = "loosens"
	OtherDraft     Code = "other-draft"
	BadPolicy      Code = "policy"
)

// reasons holds what a person is told. Verbs stand for the details that the
// place of refusal knows.
var reasons = map[Code]struct{ english, vietnamese string }{
	TitleEmpty: {
		"the title is empty: say in a few words what the announcement is about",
		"Tiêu đề để trống: hãy ghi ngắn gọn bản tin nói về việc gì."},
	AreaUnknown: {
		"area %q is not in today's organisation tree: choose one from the list of areas",
		"Địa bàn %q không có trong danh mục hiện nay: hãy chọn trong danh sách địa bàn."},
	ContentUnknown: {
		"content %s is not known here: upload the sound first and name it by the sha256 of the answer",
		"Chưa có nội dung %s: hãy tải tệp âm thanh lên trước rồi dùng mã sha256 được trả về."},
	StartPast: {
		"the start %s has passed: choose a later one, or leave the start out and use mode now",
		"Giờ phát %s đã qua: hãy chọn giờ khác, hoặc bỏ giờ phát để phát ngay."},
	StartFar: {
		"the start %s is more than a year away: choose an earlier one",
		"Giờ phát %s còn hơn một năm nữa: hãy chọn giờ sớm hơn."},
	StartNeeded: {
		"%s announcements need %d signatures here, so they cannot start now: choose a start time that leaves people time to sign",
		"Bản tin loại %s cần %d chữ ký nên không thể phát ngay: hãy chọn giờ phát đủ muộn để mọi người kịp ký."},
	BadRecurrence: {
		"the recurrence cannot be used: %s",
		"Không dùng được lịch lặp lại: %s"},
	Invalid: {
		"the announcement is not complete: %s",
		"Bản tin chưa hợp lệ: %s"},
	TooLarge: {
		"the announcement would be %d bytes with its signatures, %d are allowed: shorten the title or the reason, or name an upper area instead of many",
		"Bản tin kèm chữ ký dài %d byte, tối đa %d: hãy rút gọn tiêu đề hoặc lý do, hoặc chọn địa bàn cấp trên thay cho nhiều địa bàn."},
	ClassRight: {
		"%s may not speak in class %s: choose another class or ask an officer who may",
		"%s không có quyền phát bản tin loại %s: hãy chọn loại khác hoặc nhờ cán bộ có quyền."},
	SignRight: {
		"the certificate of %s does not allow this signature: %s",
		"Chứng thư của %s không cho phép ký: %s"},
	RoleLength: {
		"a village head's announcement sounds for at most %d minutes, this one for %s: shorten it, or ask the commune",
		"Trưởng thôn chỉ được phát tối đa %d phút, bản tin này dài %s: hãy rút ngắn hoặc nhờ xã phát."},
	RoleOnce: {
		"a village head's announcement sounds once: leave the recurrence out, or ask the commune",
		"Trưởng thôn chỉ được phát từng lần một: hãy bỏ lịch lặp lại hoặc nhờ xã phát."},
	RoleWindow: {
		"from %s to %s is outside the hours in which a village head may speak: choose a time inside the windows of the policy, or ask the commune",
		"Từ %s đến %s nằm ngoài khung giờ trưởng thôn được phát: hãy chọn giờ trong khung giờ của quy chế hoặc nhờ xã phát."},
	Custody: {
		"the policy asks for a key held in %s for class %s, and this key is held in %s",
		"Quy chế yêu cầu khoá giữ tại %s cho loại %s, còn khoá này giữ tại %s."},
	NoPolicy: {
		"no verified policy allows class %s in %s: two officers sign a policy for the area first",
		"Chưa có quy chế được xác thực cho loại %s tại %s: cần hai cán bộ ký quy chế cho địa bàn trước."},
	OtherDraft: {
		"another draft of %s waits for signatures, by %s: have it signed or replaced first, then sign what stands anew",
		"Đang có bản dự thảo khác của %s chờ ký, do %s lập: hãy ký hoặc thay bản đó trước, rồi ký lại bản đang có hiệu lực."},
	SecondPerson: {
		"%s wrote this announcement and may not approve it alone: ask another officer, or give a reason if the policy lets one officer speak",
		"%s đã soạn bản tin này nên không được tự duyệt: hãy nhờ cán bộ khác, hoặc ghi lý do nếu quy chế cho phép một cán bộ phát."},
	DigestChanged: {
		"you approved %s, but the announcement is %s: read it again and approve what is shown now",
		"Bạn duyệt %s nhưng bản tin là %s: hãy đọc lại và duyệt nội dung đang hiển thị."},
	WrongState: {
		"the announcement is %s, which does not allow this: %s",
		"Bản tin đang ở trạng thái %s nên không thực hiện được: %s"},
	TooLate: {
		"its last moment to begin, %s, has passed: make a new announcement",
		"Đã quá thời điểm cuối cùng được phát là %s: hãy tạo bản tin mới."},
	HigherLevel: {
		"this was published at the level %s, and %s can neither withdraw nor replace it: ask an officer of that level or above",
		"Bản tin này do cấp %s phát nên %s không thu hồi hoặc thay thế được: hãy nhờ cán bộ cấp đó hoặc cấp trên."},
	Signatures: {
		"nodes would not believe these signatures together: %s; have an approver sign, or make the announcement anew if an earlier signer's right has ended",
		"Cụm loa sẽ không tin các chữ ký này: %s; hãy nhờ người duyệt ký, hoặc tạo lại bản tin nếu quyền của người đã ký không còn."},
	AreaFull: {
		"%s holds %d documents already: withdraw what is no longer needed, or wait until something ends",
		"Địa bàn %s đã có %d văn bản: hãy thu hồi bản tin không còn cần, hoặc chờ bản tin cũ hết hạn."},
	SoundsNowhere: {
		"nothing of it would sound: %s; change that, or submit it with accept_silence naming the reasons (%s) if it is meant to stay silent",
		"Bản tin sẽ không phát ở bất kỳ cụm loa nào: %s; hãy sửa lại, hoặc trình duyệt kèm accept_silence nêu rõ lý do (%s) nếu chủ ý như vậy."},
	NotListened: {
		"%s wrote this emergency and has not listened to its spoken recording %s: listen to all of it and confirm that first",
		"%s soạn bản tin khẩn cấp này nhưng chưa nghe bản đọc %s: hãy nghe hết và xác nhận đã nghe trước."},
	Edited: {
		"it was edited meanwhile: you began from version %d, and now it is version %d by %s; look at both and send yours again with that version if it shall replace the other",
		"Nội dung vừa được người khác sửa: bạn bắt đầu từ bản %d, nay là bản %d của %s; hãy xem cả hai bản rồi gửi lại kèm số bản mới nếu muốn thay thế."},
	NoCorrection: {
		"the policy does not list recording %s as a correction in every area: withdraw the announcement alone, and have the correction approved like any other",
		"Quy chế không liệt kê bản ghi %s là lời đính chính ở mọi địa bàn: hãy chỉ thu hồi bản tin, rồi trình duyệt lời đính chính như bản tin khác."},
	Revised: {
		"somebody was quicker: %s by %s stands or waits in its place; look at both and begin from that one if yours shall replace it",
		"Đã có người sửa trước: bản %s của %s đã thay hoặc đang chờ thay bản này; hãy xem cả hai rồi sửa tiếp từ bản đó nếu muốn thay thế."},
	NotRevised: {
		"%s is not edited once it is published: withdraw it, with a correction if people heard it",
		"%s đã công bố thì không sửa: hãy thu hồi, kèm lời đính chính nếu bà con đã nghe."},
	Underway: {
		"it may be sounding until %s, and would stop in the middle of a word: sign after that",
		"Bản tin có thể đang phát đến %s và sẽ bị cắt giữa chừng: hãy ký sau thời điểm đó."},
	NoTemplate: {
		"template %s does not stand: two officers sign it first",
		"Mẫu %s chưa có hiệu lực: cần hai cán bộ ký trước."},
	TemplateEnded: {
		"template %s ended on %s: renew it, and have two officers sign",
		"Mẫu %s đã hết hạn lúc %s: hãy gia hạn và để hai cán bộ ký."},
	TemplateSounds: {
		"announcement %s sounds by this template until %s, and nodes would fall silent: withdraw it first, or wait",
		"Bản tin %s đang phát theo mẫu này đến %s, thay mẫu sẽ làm loa im: hãy thu hồi bản tin trước hoặc chờ phát xong."},
	TemplateArea: {
		"template %s was not approved for %s: choose areas inside %s",
		"Mẫu %s không được duyệt cho địa bàn %s: hãy chọn địa bàn trong %s."},
	TemplateOnBox: {
		"template %s is spoken at the box of a node: it is not activated from here",
		"Mẫu %s dành cho người nói tại cụm loa: không kích hoạt từ đây."},
	Sounding: {
		"this template is sounding: %s; send choice add for the areas that do not have it yet, or repeat to sound it everywhere again",
		"Mẫu này đang phát %s; hãy chọn add để thêm địa bàn chưa phát, hoặc repeat để phát lại."},
	NothingToAdd: {
		"every area asked for has it already: %s; send choice repeat to sound it again",
		"Mọi địa bàn được chọn đều đã phát %s; hãy chọn repeat để phát lại."},
	OfferUnknown: {
		"%s is no published recording that a programme can take: choose one from the list of offers",
		"%s không phải bản ghi đã phát hành để đưa vào chương trình: hãy chọn trong danh sách bản tin chờ xếp."},
	OthersChange: {
		"it would change %d other soundings: %s; look at the difference and send its digest as difference, or accept_difference to go on whatever it changes",
		"Bản tin này làm thay đổi %d lượt phát khác: %s; hãy xem bảng khác biệt rồi gửi lại kèm mã difference, hoặc accept_difference nếu vẫn duyệt."},
	Loosens: {
		"%s allows what the policy of %s forbids, and a lower area can only tighten: nodes would go on by the stricter rule; change it, or leave it out to take it from above",
		"Mục %s cho phép điều mà quy chế của %s không cho; cấp dưới chỉ được quy định chặt hơn: hãy sửa lại, hoặc bỏ mục này để áp dụng theo cấp trên."},
	BadPolicy: {
		"the policy cannot be kept: %s",
		"Chưa lưu được quy chế: %s"},
	ReasonNeeded: {
		"the reason is empty: say why it is withdrawn",
		"Chưa ghi lý do: hãy ghi vì sao thu hồi."},
}

// Refusal says why something was not done and what to do instead.
type Refusal struct {
	Code                Code
	English, Vietnamese string
	// Field names what to change in the request; empty if no field is at fault.
	Field string
	// Errors are the details one by one, in English, if there are several.
	Errors []string
	// About names the announcements that stand in the way, and Choices what may be
	// sent to go on all the same.
	About   []broadcast.ID
	Choices []string
	// Current is what somebody else made of it meanwhile: a Template or an
	// Announcement; or the preview.Difference that was not seen; else nil.
	Current any
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

// invalid refuses a field for what its validation says.
func invalid(field, what string) *Refusal {
	return refuse(Invalid, field, word{what, "hãy sửa trường " + field + " (" + what + ")"})
}

// wrongState refuses a step that the state of a row does not allow.
func wrongState(row store.Announcement, english, vietnamese string) *Refusal {
	return refuse(WrongState, "", word{string(row.State), states[row.State]}, word{english, vietnamese})
}

// states are the states as the console shows them.
var states = map[store.AnnouncementState]string{
	store.Draft: "bản nháp", store.Submitted: "chờ duyệt", store.Published: "đã công bố", store.Withdrawn: "đã thu hồi", store.Closed: "đã xong",
}

// classWord is a class as Circular 39/2020/TT-BTTTT calls it.
func classWord(c broadcast.Class) word {
	return word{string(c), map[broadcast.Class]string{
		broadcast.Normal: "thông thường", broadcast.Priority: "ưu tiên", broadcast.Emergency: "khẩn cấp"}[c]}
}

// levelWord is a level as people say it.
func levelWord(l broadcast.Level) word {
	return word{string(l), map[broadcast.Level]string{
		broadcast.Province: "tỉnh", broadcast.District: "huyện", broadcast.Commune: "xã", broadcast.Village: "thôn"}[l]}
}

// custodyWord is where a key is held, as people say it.
func custodyWord(c broadcast.Custody) word {
	return word{string(c), map[broadcast.Custody]string{
		broadcast.CustodyController: "máy chủ", broadcast.CustodyBrowser: "trình duyệt", broadcast.CustodyToken: "thiết bị khoá"}[c]}
}
