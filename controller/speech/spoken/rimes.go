package spoken

// rimes are the common ones, without tones.
var rimes = map[string]bool{
	"a": true, "ac": true, "ach": true, "ai": true, "am": true, "an": true, "ang": true, "anh": true, "ao": true, "ap": true, "at": true, "au": true, "ay": true,
	"ăc": true, "ăm": true, "ăn": true, "ăng": true, "ăp": true, "ăt": true,
	"âc": true, "âm": true, "ân": true, "âng": true, "âp": true, "ât": true, "âu": true, "ây": true,
	"e": true, "ec": true, "em": true, "en": true, "eng": true, "eo": true, "ep": true, "et": true,
	"ê": true, "êch": true, "êm": true, "ên": true, "ênh": true, "êp": true, "êt": true, "êu": true,
	"i": true, "ia": true, "ich": true, "im": true, "in": true, "inh": true, "ip": true, "it": true, "iu": true,
	"iêc": true, "iêm": true, "iên": true, "iêng": true, "iêp": true, "iêt": true, "iêu": true,
	"o": true, "oc": true, "oi": true, "om": true, "on": true, "ong": true, "op": true, "ot": true, "oong": true, "ooc": true,
	"oa": true, "oac": true, "oach": true, "oai": true, "oam": true, "oan": true, "oang": true, "oanh": true, "oao": true, "oap": true, "oat": true, "oay": true,
	"oăc": true, "oăm": true, "oăn": true, "oăng": true, "oăt": true, "oe": true, "oen": true, "oeo": true, "oet": true,
	"ô": true, "ôc": true, "ôi": true, "ôm": true, "ôn": true, "ông": true, "ôp": true, "ôt": true,
	"ơ": true, "ơi": true, "ơm": true, "ơn": true, "ơp": true, "ơt": true,
	"u": true, "ua": true, "uc": true, "ui": true, "um": true, "un": true, "ung": true, "up": true, "ut": true,
	"uân": true, "uâng": true, "uât": true, "uây": true, "uê": true, "uêch": true, "uênh": true, "uơ": true,
	"uôc": true, "uôi": true, "uôm": true, "uôn": true, "uông": true, "uôt": true,
	"uy": true, "uya": true, "uych": true, "uyên": true, "uyêt": true, "uyn": true, "uynh": true, "uyp": true, "uyt": true, "uyu": true,
	"ư": true, "ưa": true, "ưc": true, "ưi": true, "ưm": true, "ưng": true, "ưt": true, "ưu": true,
	"ươc": true, "ươi": true, "ươm": true, "ươn": true, "ương": true, "ươp": true, "ươt": true, "ươu": true,
	"y": true,
}

// notAlone are those that are written with y when nothing stands before them.
var notAlone = map[string]bool{"iêc": true, "iêm": true, "iên": true, "iêng": true, "iêp": true, "iêt": true, "iêu": true}

// alone are those that only stand without an onset.
var alone = map[string]bool{"yêm": true, "yên": true, "yêng": true, "yêt": true, "yêu": true}

// withY are the onsets after which y is written for i.
var withY = map[string]bool{"h": true, "k": true, "l": true, "m": true, "n": true, "s": true, "t": true, "th": true, "v": true}

// afterG are those with i that lend it to gi: gì, gìn, giếng, gia.
var afterG = map[string]bool{"i": true, "ia": true, "im": true, "in": true, "inh": true, "iêc": true, "iêm": true, "iên": true, "iêng": true, "iêt": true, "iêu": true}

// afterGi never begin with i.
var afterGi = map[string]bool{
	"a": true, "ac": true, "ai": true, "am": true, "an": true, "ang": true, "anh": true, "ao": true, "ap": true, "at": true, "au": true, "ay": true,
	"ăc": true, "ăm": true, "ăng": true, "ăt": true, "âm": true, "ân": true, "âp": true, "ât": true, "âu": true, "ây": true,
	"e": true, "em": true, "eo": true, "ep": true, "o": true, "oi": true, "on": true, "ong": true, "op": true, "ot": true,
	"ôc": true, "ôi": true, "ông": true, "ô": true, "ơ": true, "ơi": true, "u": true, "ua": true, "uc": true, "ui": true, "um": true, "un": true,
	"ư": true, "ưa": true, "ưng": true, "ương": true, "ươm": true,
}

// afterQu are those that q lends its u to.
var afterQu = map[string]bool{
	"a": true, "ac": true, "ach": true, "ai": true, "an": true, "ang": true, "anh": true, "ao": true, "at": true, "au": true, "ay": true,
	"ăc": true, "ăm": true, "ăn": true, "ăng": true, "ăp": true, "ăt": true, "ân": true, "âng": true, "ât": true, "ây": true,
	"e": true, "en": true, "eo": true, "et": true, "ê": true, "ên": true, "ênh": true, "êt": true, "êch": true,
	"i": true, "it": true, "ich": true, "in": true, "ơ": true, "ôc": true, "y": true, "ych": true, "yên": true, "yêt": true, "yn": true, "ynh": true, "yt": true,
}
