package broadcast

import "fmt"

// The reasons that plan, node and controller give.
const (
	WhyQuiet        Reason = "quiet"
	WhyWindow       Reason = "window"
	WhyBudget       Reason = "budget"
	WhyNoPolicy     Reason = "no-policy"
	WhyThreshold    Reason = "threshold"
	WhySilence      Reason = "silence"
	WhyLate         Reason = "late"
	WhyOffer        Reason = "offer"
	WhyDeclined     Reason = "declined"
	WhyLanguage     Reason = "language"
	WhyClock        Reason = "clock"
	WhyStale        Reason = "stale"
	WhyPower        Reason = "power"
	WhyTooLong      Reason = "too-long"
	WhyPreempted    Reason = "pre-empted"
	WhyOverlap      Reason = "overlap"
	WhyWithdrawn    Reason = "withdrawn"
	WhySuperseded   Reason = "superseded"
	WhyDelisted     Reason = "delisted"
	WhyExpired      Reason = "expired"
	WhyContent      Reason = "content"
	WhyDecoder      Reason = "decoder"
	WhyCard         Reason = "card"
	WhySound        Reason = "sound"
	WhyRelay        Reason = "relay"
	WhyJournal      Reason = "journal"
	WhyCrash        Reason = "crash"
	WhyPressed      Reason = "button"
	WhyStopped      Reason = "stopped"
	WhyUnauthentic  Reason = "unauthenticated"
	WhyUnknown      Reason = "unknown-version"
	WhyBody         Reason = "body"
	WhyUnjournalled Reason = "unjournalled"
	WhyRepeat       Reason = "repeat"
	WhyRule         Reason = "rule"
	WhyOtherBody    Reason = "other-body"
	WhyAhead        Reason = "ahead"
	WhyMicrophone   Reason = "microphone"
	WhySession      Reason = "session"
	WhySpeaker      Reason = "speaker"
	WhyStation      Reason = "station"
	WhyLine         Reason = "line"
)

// ReasonText is what a reason means, in the two languages of the console.
type ReasonText struct {
	Code Reason
	VI   string
	EN   string
}

// ReasonTexts returns the one table of reasons.
func ReasonTexts() []ReasonText {
	return []ReasonText{
		{WhyQuiet, "trong giờ yên tĩnh", "inside quiet hours"},
		{WhyWindow, "ngoài khung giờ phát", "outside the broadcast windows"},
		{WhyBudget, "hết số phút phát trong ngày", "the day's minutes are used up"},
		{WhyNoPolicy, "chưa có quy chế được xác thực", "no verified policy is held"},
		{WhyThreshold, "chưa đủ chữ ký theo quy chế", "too few signatures for the policy"},
		{WhySilence, "khu vực đang có lệnh im lặng", "a silence is in force"},
		{WhyLate, "đã quá giờ phát", "past its deadline"},
		{WhyOffer, "bản tin cấp trên, xã chưa xếp lịch", "offered by a higher level, not yet placed by the commune"},
		{WhyDeclined, "xã không nhận phát", "declined by the commune"},
		{WhyLanguage, "thiếu ngôn ngữ của địa bàn", "no version in a language of the area"},
		{WhyClock, "đồng hồ chưa được xác thực", "the clock is not proved"},
		{WhyStale, "bản kê quá cũ", "no fresh manifest for too long"},
		{WhyPower, "dành nguồn điện cho khẩn cấp", "power is kept for emergencies"},
		{WhyTooLong, "dài hơn thời gian cho phép", "longer than the amplifier may stay on"},
		{WhyPreempted, "nhường cho bản tin cấp cao hơn", "gave way to a higher class"},
		{WhyOverlap, "trùng với bản tin khác", "another item sounds at that time"},
		{WhyWithdrawn, "đã bị thu hồi", "withdrawn"},
		{WhySuperseded, "đã có bản mới thay thế", "replaced by a newer revision"},
		{WhyDelisted, "không còn trong bản kê", "no longer in the manifest"},
		{WhyExpired, "đã hết hạn", "expired"},
		{WhyContent, "thiếu tệp âm thanh", "the audio is not on board"},
		{WhyDecoder, "không giải mã được âm thanh", "the audio could not be decoded"},
		{WhyCard, "thẻ nhớ không đọc được khi đang phát", "the memory card did not give the audio while it sounded"},
		{WhySound, "lỗi card âm thanh", "the sound card failed"},
		{WhyRelay, "rơ-le không đóng", "the relay did not close"},
		{WhyJournal, "không ghi được nhật ký", "the journal could not be written"},
		{WhyCrash, "mất điện hoặc khởi động lại khi đang phát", "power or program was lost while it sounded"},
		{WhyPressed, "đã bấm nút dừng tại chỗ", "stopped by the local button"},
		{WhyStopped, "chương trình dừng", "the program was stopped"},
		{WhyUnauthentic, "âm thanh không được xác thực", "the sound was not authenticated"},
		{WhyUnknown, "phiên bản mới hơn thiết bị hiểu được", "a later version than this node knows"},
		{WhyBody, "loại nội dung chưa phát được", "a body that this node cannot play"},
		{WhyUnjournalled, "phát khi không ghi được nhật ký", "sounded although the journal could not be written"},
		{WhyRepeat, "phát lại sau gián đoạn", "sounded again after an interruption"},
		{WhyRule, "không hiểu được lịch lặp lại", "the recurrence cannot be read"},
		{WhyOtherBody, "cụm loa giữ một văn bản khác mang đúng tên này", "the node holds another document under exactly this name"},
		{WhyAhead, "đồng hồ đã chạy trước, lượt này còn phía trước", "the clock had been ahead; this is still to come"},
		{WhyMicrophone, "không có ai nói vào micrô tại chỗ, hoặc micrô hỏng", "nobody speaks into the microphone of the box, or it failed"},
		{WhySession, "dài hơn mức quy chế cho phép mỗi lượt phát", "longer than the policy allows for one sounding"},
		{WhySpeaker, "quy chế không cho cấp này phát loại bản tin này", "the policy does not let this level speak in this class"},
		{WhyStation, "đài được tiếp âm không có tiếng", "the relayed station gave no sound"},
		{WhyLine, "mất đường truyền khi tiếp âm", "no line to the controller during the relay"},
	}
}

// Words returns the row of a reason; one that the table lacks speaks for itself.
func (r Reason) Words() ReasonText {
	for _, t := range ReasonTexts() {
		if t.Code == r {
			return t
		}
	}
	return ReasonText{r, string(r), string(r)}
}

// Validate refuses reasons that are not in the table.
func (r Reason) Validate() error {
	for _, t := range ReasonTexts() {
		if t.Code == r {
			return nil
		}
	}
	return fmt.Errorf("reason %q is not in the table", string(r))
}
