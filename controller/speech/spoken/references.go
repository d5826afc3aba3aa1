package spoken

import (
	"regexp"
	"strings"
)

// documents are the kinds of documents in the numbers of the state.
var documents = map[string]string{
	"TT": "thông tư", "NĐ": "nghị định", "QĐ": "quyết định", "NQ": "nghị quyết", "CT": "chỉ thị", "KH": "kế hoạch", "TB": "thông báo",
	"BC": "báo cáo", "TTr": "tờ trình", "CV": "công văn", "HD": "hướng dẫn", "CTr": "chương trình", "CTR": "chương trình", "PA": "phương án",
	"ĐA": "đề án", "CĐ": "công điện", "QC": "quy chế", "GM": "giấy mời", "BB": "biên bản", "TTLT": "thông tư liên tịch", "KL": "kết luận",
	"L": "luật", "PL": "pháp lệnh", "QyĐ": "quy định", "TC": "thông cáo", "TTR": "tờ trình", "GP": "giấy phép",
}

// bodies are those that issue documents.
var bodies = map[string]string{
	"CP": "Chính phủ", "TTg": "Thủ tướng Chính phủ", "CTN": "Chủ tịch nước", "UBND": "ủy ban nhân dân", "HĐND": "hội đồng nhân dân",
	"TW": "Trung ương", "TU": "tỉnh ủy", "HU": "huyện ủy", "ĐU": "đảng ủy", "VPCP": "văn phòng Chính phủ", "UBTVQH": "ủy ban thường vụ Quốc hội",
	"BTTTT": "Bộ Thông tin và Truyền thông", "BNV": "Bộ Nội vụ", "BTC": "Bộ Tài chính", "BYT": "Bộ Y tế", "BGDĐT": "Bộ Giáo dục và Đào tạo",
	"BNNPTNT": "Bộ Nông nghiệp và Phát triển nông thôn", "BNNMT": "Bộ Nông nghiệp và Môi trường", "BTNMT": "Bộ Tài nguyên và Môi trường",
	"BCA": "Bộ Công an", "BQP": "Bộ Quốc phòng", "BCT": "Bộ Công Thương", "BXD": "Bộ Xây dựng", "BGTVT": "Bộ Giao thông vận tải",
	"BLĐTBXH": "Bộ Lao động, Thương binh và Xã hội", "BTP": "Bộ Tư pháp", "BVHTTDL": "Bộ Văn hóa, Thể thao và Du lịch", "BKHCN": "Bộ Khoa học và Công nghệ",
	"BKHĐT": "Bộ Kế hoạch và Đầu tư", "NHNN": "ngân hàng Nhà nước", "TANDTC": "tòa án nhân dân tối cao", "VKSNDTC": "viện kiểm sát nhân dân tối cao",
	"MTTQ": "mặt trận Tổ quốc", "BCH": "ban chỉ huy", "BCĐ": "ban chỉ đạo", "VP": "văn phòng", "PCTT": "phòng chống thiên tai", "BDT": "ban dân tộc",
	"PCTT&TKCN": "phòng chống thiên tai và tìm kiếm cứu nạn", "SNN": "sở nông nghiệp", "STTTT": "sở thông tin và truyền thông", "SNV": "sở nội vụ",
	"SYT": "sở y tế", "SGDĐT": "sở giáo dục và đào tạo", "STC": "sở tài chính", "VHXH": "văn hóa xã hội", "KT": "kinh tế", "CAT": "công an tỉnh",
	"CAX": "công an xã", "BHXH": "bảo hiểm xã hội", "NNMT": "nông nghiệp và môi trường", "SVHTTDL": "sở văn hóa, thể thao và du lịch",
}

// referenceShapes read the numbers of documents.
func referenceShapes() []shape {
	return []shape{
		{"/a", 0, form(`(\d{1,6})(\p{Lu}?)/(?:<Y>/)?(\p{Lu}[\p{L}\d]*(?:[-/][\p{Lu}\d][\p{L}&\d]*)*)`), func(r *reader, f found) (said, bool) {
			return r.reference(f, f.part[1], f.part[2], f.part[3], strings.FieldsFunc(f.part[4], func(c rune) bool { return c == '-' || c == '/' }))
		}},
		{"-", 0, form(`(\d{1,6})-(\p{Lu}\p{L}*(?:/\p{Lu}[\p{L}&]*)+)`), func(r *reader, f found) (said, bool) {
			return r.reference(f, f.part[1], "", "", strings.Split(f.part[2], "/"))
		}},
	}
}

// assembly is a term of the National Assembly.
var assembly = regexp.MustCompile(`^(QH|UBTVQH)(\d{1,2})$`)

// reference says the number, the year, the kind of the document unless the words
// before have named it, and who issued it.
func (r *reader) reference(f found, n, suffix, year string, parts []string) (said, bool) {
	spoken := refNumber(n)
	if suffix != "" {
		spoken += " " + letters[strings.ToLower(suffix)]
	}
	if year != "" {
		spoken += " năm " + whole(year)
	}
	known, risk := false, None
	for i, p := range parts {
		kind, isKind := documents[p]
		body, isBody := issuer(p)
		switch {
		case isKind && i == 0:
			known = true
			if !r.named(kind) {
				spoken += ", " + kind
			}
		case isBody && i > 0 && parts[i-1] != "" && isIssuer(parts[i-1]):
			spoken += ", " + body
			risk = Check
		case isBody:
			known = true
			spoken += " của " + body
		default:
			spoken, risk = spoken+" "+p, Unknown
		}
	}
	if !known && year == "" {
		return said{}, false
	}
	switch risk {
	case Unknown:
		return strange(Reference, Unexplained, spoken), true
	case Check:
		return doubt(Reference, Ambiguous, spoken), true
	}
	return sure(Reference, spoken), true
}

// refNumber keeps a leading zero, as offices say it.
func refNumber(n string) string {
	if n[0] == '0' && len(n) > 1 {
		return "không " + whole(n[1:])
	}
	return whole(n)
}

func isIssuer(p string) bool { _, ok := issuer(p); return ok }

func issuer(p string) (string, bool) {
	if m := assembly.FindStringSubmatch(p); m != nil {
		if m[1] == "QH" {
			return "Quốc hội khóa " + whole(m[2]), true
		}
		return "ủy ban thường vụ Quốc hội khóa " + whole(m[2]), true
	}
	body, ok := bodies[p]
	return body, ok
}

// named reports whether the last words, but for "số", name that kind of document.
func (r *reader) named(kind string) bool {
	words := r.words[:]
	for len(words) > 0 && (words[len(words)-1] == "số" || words[len(words)-1] == "là") {
		words = words[:len(words)-1]
	}
	return strings.HasSuffix(" "+strings.Join(words, " "), " "+kind)
}
