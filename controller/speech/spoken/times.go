package spoken

// timeShapes read times of day.
func timeShapes() []shape {
	return []shape{
		{"/", 0, form(`24/24(?:h|H)?`), func(_ *reader, f found) (said, bool) {
			return sure(Time, "hai mươi bốn trên hai mươi bốn giờ"), f.part[0] != "24/24"
		}},
		{"/", 0, form(`24/24 (?:giờ|h)`), func(*reader, found) (said, bool) {
			return sure(Time, "hai mươi bốn trên hai mươi bốn giờ"), true
		}},
		{"/", 0, form(`24/24`), func(*reader, found) (said, bool) { return sure(Time, "hai mươi bốn trên hai mươi bốn"), true }},
		{"a", 0, form(`(\d{1,2})h(\d{2})?(?:'|p|ph)? - (\d{1,2})h(\d{2})?(?:'|p|ph)?`), (*reader).hours},
		{"a", 0, form(`(\d{1,2})g(\d{2})(?:'|p|ph)? - (\d{1,2})g(\d{2})(?:'|p|ph)?`), (*reader).hours},
		{":", 0, form(`(\d{1,2}):(\d{2}) - (\d{1,2}):(\d{2})`), (*reader).hours},
		{"-", 0, form(`<D> - (\d{1,2})(?:h|H| giờ)`), func(_ *reader, f found) (said, bool) {
			if !isTime(f.part[1], "") || !isTime(f.part[2], "") {
				return strange(Time, NoTime, f.part[0]), true
			}
			return when(valueOf(f.part[1]) < valueOf(f.part[2]), Time, Falling, whole(f.part[1])+" đến "+whole(f.part[2])+" giờ"), true
		}},
		{":", 0, form(`(\d{1,2}):(\d{2}):(\d{2})`), (*reader).seconds},
		{"a", 0, form(`(\d{1,2}) ?[hH] ?(\d{2})(?:'|p|ph| phút)?`), (*reader).hour},
		{"a", 0, form(`(\d{1,2})g(\d{2})(?:'|p|ph| phút)?`), (*reader).hour},
		{"a", 0, form(`(\d{1,2}) ?[hH]`), (*reader).hour},
		{"a", 0, form(`(\d{1,2})giờ(\d{2})?`), (*reader).hour},
		{":", 0, form(`(\d{1,2}):(\d{2})`), (*reader).colon},
		{":", 0, form(`(\d+):(\d+)`), func(r *reader, f found) (said, bool) {
			return when(r.follows(scales), Fraction, Ambiguous, whole(f.part[1])+" trên "+whole(f.part[2])), len(f.part[0]) < 16
		}},
	}
}

// scales are words before a proportion.
var scales = map[string]bool{"tỷ lệ": true, "tỉ lệ": true}

// isTime reports whether a clock shows it; 24:00 ends a day.
func isTime(hour, minute string) bool {
	h, m := valueOf(hour), 0
	if minute != "" {
		m = valueOf(minute)
	}
	return h < 24 && m < 60 || h == 24 && m == 0
}

func saidTime(hour, minute string) string {
	said := whole(hour) + " giờ"
	if minute == "" || minute == "00" {
		return said
	}
	return said + " " + whole(minute) + " phút"
}

func (r *reader) hour(f found) (said, bool) {
	minute := ""
	if len(f.part) > 2 {
		minute = f.part[2]
	}
	if !isTime(f.part[1], minute) {
		if minute == "" { // so many hours, not a time of day
			return sure(Time, whole(f.part[1])+" giờ"), true
		}
		return strange(Time, NoTime, f.part[0]), true
	}
	return sure(Time, saidTime(f.part[1], minute)), true
}

func (r *reader) colon(f found) (said, bool) {
	switch {
	case r.follows(scales):
		return doubt(Fraction, Ambiguous, whole(f.part[1])+" trên "+whole(f.part[2])), true
	case !isTime(f.part[1], f.part[2]):
		return strange(Time, NoTime, f.part[0]), true
	}
	return sure(Time, saidTime(f.part[1], f.part[2])), true
}

func (r *reader) seconds(f found) (said, bool) {
	if !isTime(f.part[1], f.part[2]) || valueOf(f.part[3]) > 59 {
		return strange(Time, NoTime, f.part[0]), true
	}
	return sure(Time, saidTime(f.part[1], f.part[2])+" "+whole(f.part[3])+" giây"), true
}

// hours reads from one time to another.
func (r *reader) hours(f found) (said, bool) {
	p := f.part
	if !isTime(p[1], p[2]) || !isTime(p[3], p[4]) {
		return strange(Time, NoTime, p[0]), true
	}
	return sure(Time, saidTime(p[1], p[2])+" đến "+saidTime(p[3], p[4])), true
}
