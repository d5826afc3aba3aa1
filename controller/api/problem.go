package api

import (
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"syscall"

	"github.com/danielgtaylor/huma/v2"

	"github.com/loaxa/loaxa/controller/accounts"
	"github.com/loaxa/loaxa/controller/desk"
	"github.com/loaxa/loaxa/controller/dispatch"
	"github.com/loaxa/loaxa/controller/feedback"
	"github.com/loaxa/loaxa/controller/fleet"
	"github.com/loaxa/loaxa/controller/handover"
	"github.com/loaxa/loaxa/controller/intake"
	"github.com/loaxa/loaxa/controller/notify"
	"github.com/loaxa/loaxa/controller/organisation"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/preview"
	"github.com/loaxa/loaxa/controller/programme"
	"github.com/loaxa/loaxa/controller/recording"
	"github.com/loaxa/loaxa/controller/records"
	"github.com/loaxa/loaxa/controller/speech"
	"github.com/loaxa/loaxa/controller/store"
)

const problemMedia = "application/problem+json"

// Problem is why a request was not done (RFC 9457). Code and type are stable;
// the sentences say what to do next and may change.
type Problem struct {
	Type     string   `json:"type" doc:"urn:loaxa:problem: and the code"`
	Title    string   `json:"title" doc:"The meaning of the status"`
	Status   int      `json:"status"`
	Code     string   `json:"code" doc:"A stable name for programs"`
	Detail   string   `json:"detail" doc:"What is wrong and what to do next"`
	DetailVI string   `json:"detail_vi" doc:"The same in Vietnamese"`
	Field    string   `json:"field,omitempty" doc:"What to change in the request"`
	Errors   []string `json:"errors,omitempty" nullable:"false" doc:"Every field or reason, if there are several"`
	About    []string `json:"about,omitempty" nullable:"false" doc:"The announcements that stand in the way"`
	Choices  []string `json:"choices,omitempty" nullable:"false" doc:"What may be sent as choice to go on all the same"`
	Current  any      `json:"current,omitempty" doc:"What somebody else made of it meanwhile: a template, an announcement, a programme or a report; or the difference that was not named"`

	// retry is when to come back, in seconds; 0 says nothing.
	retry int64
}

// GetHeaders says when to come back, if that is known.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retry > 0 {
		h.Set("Retry-After", strconv.FormatInt(p.retry, 10))
	}
	return h
}

// Error returns the code and the detail.
func (p *Problem) Error() string { return p.Code + ": " + p.Detail }

// GetStatus returns the status of the answer.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType is that of RFC 9457.
func (*Problem) ContentType(string) string { return problemMedia }

func problemType() reflect.Type { return reflect.TypeFor[Problem]() }

func problem(status int, code, detail, vietnamese string) *Problem {
	return &Problem{Type: "urn:loaxa:problem:" + code, Title: http.StatusText(status), Status: status, Code: code, Detail: detail, DetailVI: vietnamese}
}

// statuses of the desk's refusals; the others are 422.
var statuses = map[desk.Code]int{
	desk.ClassRight: http.StatusForbidden, desk.SignRight: http.StatusForbidden, desk.Custody: http.StatusForbidden,
	desk.RoleLength: http.StatusForbidden, desk.RoleOnce: http.StatusForbidden, desk.RoleWindow: http.StatusForbidden,
	desk.SecondPerson: http.StatusForbidden, desk.HigherLevel: http.StatusForbidden,
	desk.DigestChanged: http.StatusConflict, desk.WrongState: http.StatusConflict, desk.TooLate: http.StatusConflict,
	desk.NoPolicy: http.StatusConflict, desk.AreaFull: http.StatusConflict, desk.Signatures: http.StatusConflict,
	desk.NotListened: http.StatusConflict, desk.Edited: http.StatusConflict, desk.NoTemplate: http.StatusConflict,
	desk.TemplateEnded: http.StatusConflict, desk.TemplateSounds: http.StatusConflict, desk.Sounding: http.StatusConflict,
	desk.NothingToAdd: http.StatusConflict, desk.OtherDraft: http.StatusConflict, desk.OthersChange: http.StatusConflict, desk.Loosens: http.StatusUnprocessableEntity,
	desk.Revised: http.StatusConflict, desk.NoCorrection: http.StatusConflict, desk.NotRevised: http.StatusConflict, desk.Underway: http.StatusConflict,
}

// placings are the statuses of what a commune cannot decide so; the others are
// 422.
var placings = map[programme.Code]int{
	programme.SignRight: http.StatusForbidden, programme.OthersChange: http.StatusConflict, programme.Edited: http.StatusConflict,
	programme.SlotTaken: http.StatusConflict, programme.DraftedBefore: http.StatusConflict, programme.NothingToUndo: http.StatusConflict,
}

// unplaced is the problem of what a commune cannot decide so, or nil.
func (s *server) unplaced(err error) *Problem {
	var r *programme.Refusal
	if !errors.As(err, &r) {
		return nil
	}
	p := problem(or(placings[r.Code], http.StatusUnprocessableEntity), string(r.Code), r.English, r.Vietnamese)
	p.Field, p.Errors = r.Field, r.Errors
	if len(r.About) > 0 {
		p.About = texts(r.About)
	}
	if r.Current != nil {
		p.Current = programmeDayOf(*r.Current)
	}
	if r.Difference != nil {
		p.Current = s.differenceOf(*r.Difference)
	}
	return p
}

// unkept is the problem of feedback that cannot be kept so, or nil.
func (s *server) unkept(err error) *Problem {
	var r *feedback.Refusal
	if !errors.As(err, &r) {
		return nil
	}
	status := map[feedback.Code]int{feedback.Edited: http.StatusConflict, feedback.Answered: http.StatusConflict, feedback.TooMany: http.StatusTooManyRequests}
	p := problem(or(status[r.Code], http.StatusUnprocessableEntity), string(r.Code), r.English, r.Vietnamese)
	p.Field = r.Field
	if r.Current != nil {
		p.Current = s.feedbackOf(*r.Current, true) // whoever may work on it may read all of it
	}
	return p
}

// currentOf is what a refusal shows of somebody else's work, nil for nothing.
func (s *server) currentOf(current any) any {
	switch c := current.(type) {
	case desk.Template:
		return templateOf(c)
	case desk.Regulation:
		return regulationOf(c)
	case desk.Announcement:
		return announcementOf(c)
	case preview.Difference:
		return s.differenceOf(c)
	}
	return nil
}

// uploads are the statuses of refused uploads; the others are 422.
var uploads = map[intake.Code]int{
	intake.NotAudio: http.StatusUnsupportedMediaType, intake.TooLarge: http.StatusRequestEntityTooLarge,
	intake.Busy: http.StatusServiceUnavailable, intake.DiskFull: http.StatusInsufficientStorage,
}

// speeches are the statuses of texts that were not taken; the others are 422.
var speeches = map[speech.Code]int{
	speech.NotNow: http.StatusConflict, speech.LexiconFull: http.StatusConflict, speech.QueueFull: http.StatusTooManyRequests,
	speech.NotSpoken: http.StatusNotFound,
}

// known are errors that have one answer each.
var known = []struct {
	err        error
	status     int
	code       string
	vietnamese string
}{
	{store.ErrNotFound, http.StatusNotFound, "not-found", "Không tìm thấy; hãy kiểm tra lại mã."},
	{people.ErrForbidden, http.StatusForbidden, "forbidden", "Bạn không có quyền làm việc này; hãy nhờ người có quyền."},
	{organisation.ErrShown, http.StatusConflict, "difference", "Kết quả đã khác với lúc xem: hãy xem lại phương án rồi áp dụng."},
	{organisation.ErrChoice, http.StatusConflict, "policy-choice", "Các xã nhập lại có quy chế khác nhau: hãy chọn quy chế của xã nào, hoặc own để mỗi nơi giữ quy chế cũ."},
	{organisation.ErrPlan, http.StatusUnprocessableEntity, "area-plan", "Phương án sắp xếp địa bàn không thực hiện được: hãy xem lý do và sửa phương án."},
	{people.ErrPerson, http.StatusUnprocessableEntity, "person", "Thông tin cán bộ chưa hợp lệ: hãy kiểm tra mã, tên, vai trò, địa bàn và mật khẩu (ít nhất 10 ký tự)."},
	{people.ErrOneself, http.StatusConflict, "oneself", "Không thể tự cho mình thôi nhiệm vụ; hãy nhờ một quản trị viên khác."},
	{people.ErrPassphrase, http.StatusForbidden, "passphrase", "Việc này cần chữ ký: hãy nhập đúng mật khẩu ký của bạn."},
	{accounts.ErrSignIn, http.StatusForbidden, "sign-in", "Tên, mật khẩu hoặc mã đăng nhập không đúng; hãy kiểm tra lại, hoặc xin quản trị viên mã mới."},
	{accounts.ErrPassword, http.StatusUnprocessableEntity, "password", "Hãy chọn mật khẩu khác: ít nhất 10 ký tự, khác mật khẩu ký, và nhập đúng mật khẩu cũ."},
	{accounts.ErrPasskey, http.StatusForbidden, "passkey", "Khoá truy cập (passkey) không được chấp nhận; hãy thử lại, hoặc đăng nhập bằng mật khẩu."},
	{accounts.ErrNoSite, http.StatusConflict, "no-site", "Chưa dùng được khoá truy cập (passkey): người quản trị máy chủ cần đặt địa chỉ https của hệ thống."},
	{people.ErrPhone, http.StatusForbidden, "phone", "Điện thoại này chưa được đăng ký hoặc đã bị thu hồi; hãy xin quản trị viên mã mới."},
	{people.ErrPINSpent, http.StatusForbidden, "pin-spent", "Đã nhập sai PIN 5 lần: hãy đăng nhập bằng mật khẩu, rồi dùng mật khẩu ký để đặt PIN mới."},
	{people.ErrPINWeak, http.StatusUnprocessableEntity, "pin-weak", "Hãy chọn PIN khác: 6 đến 12 chữ số, không giống nhau hết và không liên tiếp."},
	{people.ErrPIN, http.StatusForbidden, "pin", "Tên hoặc PIN không đúng trên điện thoại này; hãy nhập lại."},
	{accounts.ErrBusy, http.StatusServiceUnavailable, "busy", "Đang có nhiều người đăng nhập: hãy thử lại sau giây lát."},
	{people.ErrCredential, http.StatusUnauthorized, "credential", "Mã truy cập không được chấp nhận; hãy lấy mã mới."},
	{people.ErrCannotSign, http.StatusForbidden, "cannot-sign", "Mã truy cập này không ký được; hãy dùng mã của cán bộ có khoá ký."},
	{people.ErrNoCertificate, http.StatusForbidden, "no-certificate", "Khoá ký chưa có chứng thư còn hiệu lực; quản trị viên cần cấp lại."},
	{fleet.ErrToken, http.StatusForbidden, "enrolment-token", "Mã ghi danh không hợp lệ; hãy xin mã mới."},
	{fleet.ErrCode, http.StatusConflict, "short-code", "Mã ngắn không khớp với khoá của cụm loa; hãy đọc lại trên thiết bị."},
	{fleet.ErrBelief, http.StatusForbidden, "place-right", "Cụm loa sẽ không tin chữ ký này; hãy để cán bộ kỹ thuật phụ trách địa bàn đó xác nhận."},
	{fleet.ErrStatus, http.StatusConflict, "node-status", "Cụm loa không ở trạng thái cần thiết cho việc này."},
	{fleet.ErrFull, http.StatusConflict, "nodes-full", "Hệ thống đã đủ số cụm loa; hãy dùng lại tên của cụm loa đã thu hồi."},
	{fleet.ErrTrim, http.StatusUnprocessableEntity, "trim", "Mức chỉnh âm lượng từ -20 dB đến 0 dB: nhỏ hơn nữa thì không nghe được báo động."},
	{fleet.ErrArea, http.StatusUnprocessableEntity, "area-unknown", "Địa bàn không có trong danh mục hiện nay."},
	{dispatch.ErrRestored, http.StatusConflict, "restored", "Hệ thống vừa được khôi phục từ bản sao lưu và chưa phát lệnh nào: quản trị viên cần xem và xác nhận phần khác biệt trước."},
	{dispatch.ErrHearing, http.StatusConflict, "hearing", "Chưa nhận đủ báo cáo của các cụm loa; hãy chờ vài phút rồi thử lại."},
	{dispatch.ErrDifference, http.StatusConflict, "difference", "Phần khác biệt đã thay đổi; hãy xem lại rồi xác nhận."},
	{notify.ErrWish, http.StatusUnprocessableEntity, "subscription", "Không đăng ký nhận tin như vậy được; hãy kiểm tra cách nhận, địa chỉ, địa bàn, chủ đề và giờ yên tĩnh."},
	{recording.ErrSize, http.StatusRequestEntityTooLarge, "too-large", "Bản ghi âm dài hơn biên nhận đã nêu; hãy gửi đúng tệp mà cụm loa đã ghi."},
	{recording.ErrBytes, http.StatusUnprocessableEntity, "recording-bytes", "Bản ghi âm không khớp với biên nhận; hãy chép lại từ cụm loa và gửi lại toàn bộ."},
	{recording.ErrOffset, http.StatusConflict, "recording-offset", "Phần gửi tiếp không nối với phần đã có; hãy hỏi lại đã có bao nhiêu."},
	{recording.ErrRoom, http.StatusInsufficientStorage, "recording-room", "Cụm loa này đã hết chỗ lưu bản ghi âm tại trung tâm cho đến khi bản cũ hết hạn."},
	{recording.ErrBusy, http.StatusServiceUnavailable, "recording-busy", "Cụm loa này đang gửi một bản ghi âm: hãy thử lại sau một phút."},
	{records.ErrRecord, http.StatusUnprocessableEntity, "record", "Không có nhật ký hoặc báo cáo như vậy: hãy kiểm tra địa bàn (nhật ký theo xã), ngày, tháng và độ dài nội dung."},
	{handover.ErrByHand, http.StatusConflict, "by-hand", "Không ký lại nguyên văn được: hãy lập bản mới trước khi bỏ bản này."},
	{handover.ErrLevel, http.StatusForbidden, "level", "Việc này cần cán bộ cùng cấp với người đã ký."},
	{store.ErrConflict, http.StatusConflict, "conflict", "Dữ liệu vừa thay đổi; hãy tải lại rồi thử lại."},
}

// problem turns any error into a problem. What is not known is a defect of the
// controller: its text is for the log, not for the person.
func (s *server) problem(where string, err error) *Problem {
	if p := s.problemOf(err); p != nil {
		return p
	}
	s.cfg.Log.Error("request failed", "route", where, "error", err)
	return plain(http.StatusInternalServerError, "")
}

// problemOf is the problem of an error that somebody asking can do something
// about, or nil.
func (s *server) problemOf(err error) *Problem {
	var done *Problem
	if errors.As(err, &done) {
		return done
	}
	var refused *desk.Refusal
	if errors.As(err, &refused) {
		p := problem(or(statuses[refused.Code], http.StatusUnprocessableEntity), string(refused.Code), refused.English, refused.Vietnamese)
		p.Field, p.Errors, p.Choices, p.Current = refused.Field, refused.Errors, refused.Choices, s.currentOf(refused.Current)
		if len(refused.About) > 0 {
			p.About = texts(refused.About)
		}
		return p
	}
	if p := s.unplaced(err); p != nil {
		return p
	}
	if p := s.unkept(err); p != nil {
		return p
	}
	var unsaid *speech.Refusal
	if errors.As(err, &unsaid) {
		p := problem(or(speeches[unsaid.Code], http.StatusUnprocessableEntity), string(unsaid.Code), unsaid.English, unsaid.Vietnamese)
		p.Field, p.Errors = unsaid.Field, unsaid.Errors
		return p
	}
	var upload *intake.Refusal
	if errors.As(err, &upload) {
		return problem(or(uploads[upload.Code], http.StatusUnprocessableEntity), string(upload.Code), upload.English, upload.Vietnamese)
	}
	var patience *people.Patience
	if errors.As(err, &patience) {
		p := problem(http.StatusTooManyRequests, "patience", err.Error(), "Nhập sai quá nhiều lần: hãy chờ một lát rồi thử lại.")
		p.retry = int64(max(math.Ceil(patience.Wait.Seconds()), 1))
		return p
	}
	for _, k := range known {
		if errors.Is(err, k.err) {
			return problem(k.status, k.code, err.Error(), k.vietnamese)
		}
	}
	var coded interface{ Code() int }
	if errors.As(err, &coded) && coded.Code() == sqliteFull || errors.Is(err, syscall.ENOSPC) {
		return problem(http.StatusInsufficientStorage, string(intake.DiskFull),
			"the controller's disk is full and nothing was done: free some space and try again",
			"Ổ đĩa của máy chủ đã đầy, yêu cầu chưa được thực hiện: hãy giải phóng dung lượng rồi thử lại.")
	}
	return nil
}

// sqliteFull is SQLITE_FULL: the disk, or the database, has no more room.
const sqliteFull = 13

func or(status, otherwise int) int {
	if status == 0 {
		return otherwise
	}
	return status
}

// generic are problems that the HTTP layer finds before any handler does.
var generic = map[int]struct{ code, vietnamese string }{
	http.StatusBadRequest:            {"bad-request", "Yêu cầu không đọc được; hãy kiểm tra định dạng JSON."},
	http.StatusNotFound:              {"not-found", "Không có địa chỉ này."},
	http.StatusMethodNotAllowed:      {"method", "Địa chỉ này không nhận phương thức đó."},
	http.StatusRequestTimeout:        {"timeout", "Gửi quá chậm; hãy thử lại."},
	http.StatusRequestEntityTooLarge: {"too-large", "Yêu cầu quá lớn."},
	http.StatusUnsupportedMediaType:  {"media-type", "Kiểu nội dung không được hỗ trợ; hãy gửi application/json."},
	http.StatusUnprocessableEntity:   {"invalid", "Yêu cầu thiếu hoặc sai một số trường."},
	http.StatusInternalServerError:   {"internal", "Máy chủ gặp lỗi; yêu cầu chưa được thực hiện. Hãy thử lại và báo quản trị viên."},
}

// plain makes the problem of a status; internal errors keep their words to the
// log.
func plain(status int, detail string) *Problem {
	g, ok := generic[status]
	if !ok {
		g = struct{ code, vietnamese string }{"error", "Yêu cầu không thực hiện được."}
	}
	if status >= http.StatusInternalServerError {
		detail = "the controller failed and nothing was done: try again, and tell the administrator"
	}
	return problem(status, g.code, detail, g.vietnamese)
}

// plainProblem turns the errors of huma itself into problems.
func plainProblem(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	if m.Status == http.StatusBadRequest && strings.Contains(m.Detail, "content type") {
		m.Status = http.StatusUnsupportedMediaType
	}
	p := plain(m.Status, m.Detail)
	if m.Status >= http.StatusInternalServerError {
		return p, nil
	}
	for _, d := range m.Errors {
		field := strings.TrimPrefix(strings.TrimPrefix(d.Location, "body"), ".")
		p.Errors = append(p.Errors, strings.TrimPrefix(field+": "+d.Message, ": "))
		if p.Field == "" {
			p.Field = field
		}
	}
	if len(p.Errors) > 0 {
		p.Detail = strings.Join(p.Errors, "; ")
	}
	return p, nil
}

// refuse answers with a problem outside of huma.
func refuse(w http.ResponseWriter, p *Problem) {
	b, err := json.Marshal(p)
	if err != nil {
		b = nil
	}
	h := w.Header()
	h.Set("Content-Type", problemMedia)
	h.Set("Cache-Control", "no-store")
	if p.Status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", `Bearer realm="loaxa"`)
	}
	maps.Copy(h, p.GetHeaders())
	w.WriteHeader(p.Status)
	_, _ = w.Write(append(b, '\n'))
}
