package spoken

import (
	"regexp"
	"strings"
)

// unit is what may stand behind a number.
type unit struct {
	spoken string
	kind   Kind
	check  bool
	// per is said between it and what it is counted by.
	per string
}

const (
	perUnit = " trên "
	perHead = " một "
)

// measures are the units, spelled as they are written.
var measures = map[string]unit{
	"đ": {"đồng", Money, false, perHead}, "Đ": {"đồng", Money, true, perHead}, "đồng": {"đồng", Money, false, perHead}, "VNĐ": {"đồng", Money, false, perHead},
	"VND": {"đồng", Money, false, perHead}, "vnđ": {"đồng", Money, false, perHead}, "vnd": {"đồng", Money, false, perHead},
	"USD": {"đô la Mỹ", Money, false, perHead}, "EUR": {"ơ rô", Money, false, perHead}, "€": {"ơ rô", Money, false, perHead}, "$": {"đô la", Money, false, perHead},
	"k": {"nghìn", Money, true, perHead}, "K": {"nghìn", Money, true, perHead}, "tr": {"triệu", Money, true, perHead}, "trđ": {"triệu đồng", Money, true, perHead},
	"%": {"phần trăm", Percent, false, perUnit}, "‰": {"phần nghìn", Percent, false, perUnit},
	"km": {"ki lô mét", Measure, false, perUnit}, "Km": {"ki lô mét", Measure, false, perUnit}, "KM": {"ki lô mét", Measure, false, perUnit},
	"m": {"mét", Measure, false, perUnit}, "dm": {"đề xi mét", Measure, false, perUnit}, "cm": {"xăng ti mét", Measure, false, perUnit}, "mm": {"mi li mét", Measure, false, perUnit},
	"km2": {"ki lô mét vuông", Measure, false, perUnit}, "km²": {"ki lô mét vuông", Measure, false, perUnit}, "m2": {"mét vuông", Measure, false, perUnit}, "m²": {"mét vuông", Measure, false, perUnit},
	"m3": {"mét khối", Measure, false, perUnit}, "m³": {"mét khối", Measure, false, perUnit}, "cm2": {"xăng ti mét vuông", Measure, false, perUnit}, "cm²": {"xăng ti mét vuông", Measure, false, perUnit},
	"cm3": {"xăng ti mét khối", Measure, false, perUnit}, "cm³": {"xăng ti mét khối", Measure, false, perUnit}, "ha": {"héc ta", Measure, false, perUnit}, "Ha": {"héc ta", Measure, false, perUnit}, "HA": {"héc ta", Measure, true, perUnit},
	"kg": {"ki lô gam", Measure, false, perUnit}, "Kg": {"ki lô gam", Measure, false, perUnit}, "KG": {"ki lô gam", Measure, false, perUnit}, "g": {"gam", Measure, true, perUnit}, "gr": {"gam", Measure, false, perUnit}, "mg": {"mi li gam", Measure, false, perUnit}, "µg": {"mi crô gam", Measure, false, perUnit},
	"tấn": {"tấn", Measure, false, perUnit}, "tạ": {"tạ", Measure, false, perUnit}, "yến": {"yến", Measure, false, perUnit},
	"l": {"lít", Measure, false, perUnit}, "L": {"lít", Measure, false, perUnit}, "lít": {"lít", Measure, false, perUnit}, "ml": {"mi li lít", Measure, false, perUnit}, "mL": {"mi li lít", Measure, false, perUnit},
	"kV": {"ki lô vôn", Measure, false, perUnit}, "V": {"vôn", Measure, false, perUnit}, "kW": {"ki lô oát", Measure, false, perUnit}, "KW": {"ki lô oát", Measure, false, perUnit}, "kWh": {"ki lô oát giờ", Measure, false, perUnit}, "KWh": {"ki lô oát giờ", Measure, false, perUnit}, "MW": {"mê ga oát", Measure, false, perUnit}, "kVA": {"ki lô vôn am pe", Measure, false, perUnit}, "KVA": {"ki lô vôn am pe", Measure, false, perUnit}, "W": {"oát", Measure, false, perUnit},
	"Hz": {"héc", Measure, false, perUnit}, "MHz": {"mê ga héc", Measure, false, perUnit}, "dB": {"đề xi ben", Measure, false, perUnit}, "GB": {"gi ga bai", Measure, false, perUnit}, "MB": {"mê ga bai", Measure, false, perUnit},
	"°C": {"độ xê", Measure, false, perUnit}, "°": {"độ", Measure, false, perUnit}, "°F": {"độ ép", Measure, false, perUnit}, "oC": {"độ xê", Measure, true, perUnit}, "độ C": {"độ xê", Measure, false, perUnit},
	"s": {"giây", Measure, false, perUnit}, "h": {"giờ", Measure, false, perUnit}, "p": {"phút", Time, true, perUnit}, "ph": {"phút", Time, true, perUnit}, "'": {"phút", Time, true, perUnit},
	"giờ": {"giờ", Measure, false, perUnit}, "phút": {"phút", Measure, false, perUnit}, "giây": {"giây", Measure, false, perUnit},
}

// counted are units that are only counted by: đồng/cp.
var counted = map[string]unit{
	"cp": {"cổ phiếu", Money, true, perHead}, "CP": {"cổ phiếu", Money, true, perHead}, "người": {spoken: "người", per: perHead}, "hộ": {spoken: "hộ", per: perHead},
	"ng": {"người", Money, true, perHead}, "đv": {"đơn vị", Money, true, perHead}, "sp": {"sản phẩm", Money, true, perHead}, "th": {"tháng", Money, true, perHead},
	"HS": {"học sinh", Money, true, perHead}, "hs": {"học sinh", Money, true, perHead},
}

// each are the heads by which anything is counted with một.
var each = map[string]bool{"người": true, "hộ": true, "ngày": true, "tháng": true, "năm": true, "lần": true, "lượt": true, "tuần": true, "buổi": true, "đêm": true, "vụ": true, "lứa": true}

// Parts of what stands behind a number.
var (
	scaleForm = regexp.MustCompile(`^(?: ?(?:nghìn|ngàn|triệu|tỷ|tỉ|Tỷ|TỶ|TRIỆU))+`)
	unitForm  = regexp.MustCompile(`^( ?)(độ C|°[CF]?|%|‰|€|\$|'|[\p{L}µ]+[²³]?)`)
	headForm  = regexp.MustCompile(`^ ?/ ?([\p{L}]+[²³]?)`)
)

// tail reads the scale, the unit and what it is counted by behind a number. It
// returns how it is said and how long it is; kind is Number when there is none.
func tail(rest string) (s said, length int) {
	s = said{kind: Number}
	if m := scaleForm.FindString(rest); m != "" && endsWord(rest, len(m)) {
		s.spoken, length = " "+strings.Join(strings.Fields(strings.ToLower(m)), " "), len(m)
		s.kind = Money
	}
	u, n := unitAt(rest[length:])
	if n == 0 {
		if s.kind = Number; length > 0 {
			s, length = said{kind: Number}, 0
		}
		return s, length
	}
	s.kind, s.spoken, length = u.kind, s.spoken+" "+u.spoken, length+n
	s.risk = None
	if u.check {
		s.risk, s.why = Check, Ambiguous
	}
	for range 3 {
		m := headForm.FindStringSubmatch(rest[length:])
		if m == nil {
			break
		}
		head, n, ok := headAt(m, rest[length:])
		if !ok {
			break
		}
		per := u.per
		if each[m[1]] || per == "" {
			per = perHead
		}
		s.spoken, length = s.spoken+per+head.spoken, length+n
		if head.check && s.risk == None {
			s.risk, s.why = Check, Ambiguous
		}
	}
	return s, length
}

// unitAt finds the unit at the beginning of a text, with digits of its own as in
// m2.
func unitAt(rest string) (unit, int) {
	m := unitForm.FindStringSubmatch(rest)
	if m == nil {
		return unit{}, 0
	}
	end := len(m[0])
	if end < len(rest) && (rest[end] == '2' || rest[end] == '3') {
		if u, ok := measures[m[2]+rest[end:end+1]]; ok && endsWord(rest, end+1) {
			return u, end + 1
		}
	}
	u, ok := measures[m[2]]
	if !ok || !endsWord(rest, end) || m[1] != "" && (u.check || m[2] == "'") {
		return unit{}, 0
	}
	return u, end
}

// headAt reads what something is counted by: a unit, or any syllable.
func headAt(m []string, rest string) (unit, int, bool) {
	end := len(m[0])
	if end < len(rest) && (rest[end] == '2' || rest[end] == '3') && endsWord(rest, end+1) {
		u, ok := measures[m[1]+rest[end:end+1]]
		return u, end + 1, ok
	}
	if !endsWord(rest, end) {
		return unit{}, 0, false
	}
	if u, ok := counted[m[1]]; ok {
		return u, end, true
	}
	if u, ok := measures[m[1]]; ok && len(m[1]) < 4 {
		return u, end, true
	}
	lower := strings.ToLower(m[1])
	if len(lower) > 1 && isSyllable(lower) {
		return unit{spoken: lower}, end, true
	}
	return unit{}, 0, false
}

// endsWord reports whether no letter or digit goes on at a byte.
func endsWord(s string, at int) bool {
	if at >= len(s) {
		return true
	}
	for _, r := range s[at:] {
		return kindOf(r) > digitAtom
	}
	return true
}
