package broadcast

import (
	_ "embed" // the table of communes is part of the program
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"
)

//go:embed data/bacquang-communes.csv
var bacQuangCSV string

// The upper areas of Bắc Quang.
const (
	HaGiang    ID = "ha-giang"
	TuyenQuang ID = "tuyen-quang"
	BacQuang   ID = "bac-quang"
)

// ReorganisedAt is local midnight of 01/07/2025, when the district was
// dissolved, the provinces merged and 23 communes became 8.
func ReorganisedAt() Instant { return InstantOf(time.Date(2025, 7, 1, 0, 0, 0, 0, Local())) }

// BacQuangTree returns the organisation tree of Bắc Quang: two provinces, the
// district (which still groups), the 8 communes of today, and the 23 communes
// of before as named parts of them. A part's id is its name without accents; a
// commune of today has "xa-" before it. Neither is a code: codes were reused.
func BacQuangTree() (Tree, error) {
	rows, err := csv.NewReader(strings.NewReader(bacQuangCSV)).ReadAll()
	if err != nil {
		return Tree{}, fmt.Errorf("embedded table of communes: %w", err)
	}
	if len(rows) < 2 || len(rows[0]) != 11 {
		return Tree{}, errors.New("embedded table of communes: unexpected columns")
	}
	cut := ReorganisedAt()
	first := rows[1]
	areas := []Area{
		{ID: HaGiang, Facts: []Fact{{Name: first[6], Code: first[5], Level: Province}}},
		{ID: TuyenQuang, Facts: []Fact{{Name: first[10], Code: first[9], Level: Province}}},
		{ID: BacQuang, Facts: []Fact{{Name: first[4], Code: first[3], Level: District, Parent: HaGiang},
			{From: cut, Name: first[4], Level: District, Parent: TuyenQuang}}},
	}
	areas = append(areas, communesOfToday(rows[1:], cut)...)
	return TreeOf(append(areas, formerCommunes(rows[1:], cut)...))
}

func communesOfToday(rows [][]string, cut Instant) []Area {
	var out []Area
	for _, r := range rows {
		id := ID("xa-" + slug(r[8]))
		if slices.ContainsFunc(out, func(a Area) bool { return a.ID == id }) {
			continue
		}
		out = append(out, Area{ID: id, Facts: []Fact{{From: cut, Name: r[8], Code: r[7], Level: Commune, Parent: BacQuang}}})
	}
	return out
}

// formerCommunes are communes until the cut and named parts of today's after it.
func formerCommunes(rows [][]string, cut Instant) []Area {
	var out []Area
	for _, r := range rows {
		out = append(out, Area{ID: ID(slug(r[1])), Facts: []Fact{
			{Name: r[1], Code: r[0], Level: Commune, Parent: BacQuang},
			{From: cut, Name: r[1], Level: Village, Parent: ID("xa-" + slug(r[8]))},
		}})
	}
	return out
}

// FormerCommunes returns the ids of the 23 communes of before, in the order of
// their codes.
func FormerCommunes(t Tree) []ID {
	var out []ID
	for _, a := range t.areas {
		if f := a.Facts[0]; f.From == 0 && f.Level == Commune {
			out = append(out, a.ID)
		}
	}
	return out
}

// slug returns a name without its type and accents, in the alphabet of ids:
// "Thị trấn Việt Quang" gives viet-quang.
func slug(name string) string {
	for _, kind := range []string{"Thị trấn ", "Xã "} {
		name = strings.TrimPrefix(name, kind)
	}
	var b strings.Builder
	for _, r := range norm.NFD.String(strings.ToLower(name)) {
		switch {
		case r == 'đ':
			b.WriteByte('d')
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case r == ' ':
			b.WriteByte('-')
		}
	}
	return b.String()
}
