package spoken

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tried is one line of the tables in testdata: what is written, what is said,
// and the greatest risk.
type tried struct {
	file, written, spoken string
	risk                  Risk
}

// table reads every case.
func table(t testing.TB) []tried {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no tables: %v", err)
	}
	var cases []tried
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for n, line := range strings.Split(string(b), "\n") {
			if line == "" || strings.HasPrefix(line, "#") {
				continue
			}
			cells := strings.Split(line, " | ")
			if len(cells) != 3 {
				t.Fatalf("%s:%d has %d cells, want written | spoken | risk", file, n+1, len(cells))
			}
			cases = append(cases, tried{file: filepath.Base(file), risk: Risk(strings.TrimSpace(cells[2])),
				written: strings.ReplaceAll(cells[0], `\n`, "\n"), spoken: strings.NewReplacer(`\n`, "\n", "∅", "").Replace(cells[1])})
		}
	}
	return cases
}

// places are the areas that the tables are read in.
var places = []string{"Thị trấn Việt Quang", "Thị trấn Vĩnh Tuy", "Xã Tân Lập", "Xã Hùng An", "Xã Bằng Hành", "Xã Vô Điếm", "Huyện Bắc Quang",
	"Tỉnh Tuyên Quang", "Tỉnh Hà Giang", "Xã Liên Hiệp", "Xã Hữu Sản", "Xã Đồng Yên"}

func TestWhatOfficesWriteIsSaidAsTheTablesSay(t *testing.T) {
	lexicon := NewLexicon(Places(places))
	for _, c := range table(t) {
		r := Read(c.written, lexicon)
		if got := r.Spoken(); got != c.spoken || r.Risk() != c.risk {
			t.Errorf("%s: %q\n  said %q (%s)\n  want %q (%s)\n  %s", c.file, c.written, got, r.Risk(), c.spoken, c.risk, marked(r))
		}
	}
}

func marked(r Reading) string {
	var out []string
	for _, t := range r.Tokens {
		if t.Risk != None {
			out = append(out, string(t.Kind)+"/"+string(t.Why)+":"+t.Spoken)
		}
	}
	return strings.Join(out, "; ")
}
