package api_test

import (
	"database/sql"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver named "sqlite"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/people"
)

// deeds is a page of the log.
type deeds struct {
	Deeds []api.Deed
	Next  int64
}

// only is the token of somebody who has a role in one area alone.
func (r *rig) only(role people.Role, area broadcast.ID) string {
	r.t.Helper()
	who := people.TokenRequest{Role: string(role), Area: area, Person: broadcast.ID(role) + "-" + area, New: true}
	token, err := people.AdminToken(r.t.Context(), r.Dir, who, r.Config)
	if err != nil {
		r.t.Fatal(err)
	}
	return token
}

func TestTheAuditLogIsReadByWhoeverAnswersForThePeopleInIt(t *testing.T) {
	r := newRig(t)
	admin := r.Named("quan-tri").Token
	for _, p := range []api.NewPerson{
		{ID: "an", Name: "<b>An</b>", Role: "editor", Areas: []string{"tan-lap"}},
		{ID: "binh", Name: "Bình", Role: "editor", Areas: []string{"dong-tam"}},
	} {
		r.ok(r.post(admin, "/api/v1/persons", p), 201, nil)
		r.signedIn(p.ID)
	}
	for name, c := range map[string]struct {
		who, query string
		// people whose deeds are shown, and whose are not
		shown, hidden []string
	}{
		"over the whole house":        {r.Named("kiem-tra").Token, "", []string{"quan-tri", "an", "binh"}, nil},
		"of one commune":              {r.only(people.Auditor, "xa-tan-quang"), "", []string{"an"}, []string{"binh", "quan-tri"}},
		"of one commune, by name":     {r.only(people.Auditor, "xa-tan-quang"), "?person=binh", nil, []string{"binh"}},
		"one person":                  {admin, "?person=an", []string{"an"}, []string{"quan-tri", "binh"}},
		"a person who does not exist": {admin, "?person=ai-do", nil, []string{"an"}},
		"one group of acts":           {admin, "?act=person.", []string{"quan-tri"}, []string{"binh"}},
		"about one thing":             {admin, "?subject=an&act=person.add", []string{"quan-tri"}, []string{"an"}},
		"before anything":             {admin, "?to=2020-01-01T00:00:00Z", nil, []string{"an"}},
		"after everything":            {admin, "?from=2099-01-01T00:00:00Z", nil, []string{"an"}},
	} {
		var got deeds
		r.ok(r.by(c.who, "/api/v1/audit"+c.query), 200, &got)
		did := map[string]bool{}
		for _, d := range got.Deeds {
			did[d.Person] = true
		}
		for _, who := range c.shown {
			if !did[who] {
				t.Errorf("%s: nothing of %s in %v", name, who, did)
			}
		}
		for _, who := range c.hidden {
			if did[who] {
				t.Errorf("%s: shows what %s did", name, who)
			}
		}
	}
	for query, status := range map[string]int{"?limit=0": 422, "?act=a%20b": 422, "?from=gestern": 422, "?cursor=0": 422, "?unknown=1": 422} {
		if got := r.by(admin, "/api/v1/audit"+query); got.Status != status {
			t.Errorf("%s: %d, want %d", query, got.Status, status)
		}
	}
	if got := r.by(r.Named("bien-tap").Token, "/api/v1/audit"); got.Status != 403 {
		t.Errorf("an editor reads the log: %d", got.Status)
	}
}

func TestTheAuditLogComesInPagesThatFollowOneAnother(t *testing.T) {
	r := newRig(t)
	admin := r.Named("quan-tri").Token
	var all, page deeds
	r.ok(r.by(admin, "/api/v1/audit?limit=500"), 200, &all)
	if len(all.Deeds) < 4 || all.Next != 0 {
		t.Fatalf("%+v", all)
	}
	var seen []api.Deed
	for query := "?limit=3"; ; query = "?limit=3&cursor=" + strconv.FormatInt(page.Next, 10) {
		page = deeds{}
		r.ok(r.by(admin, "/api/v1/audit"+query), 200, &page)
		seen = append(seen, page.Deeds...)
		if page.Next == 0 {
			break
		}
	}
	if len(seen) != len(all.Deeds) {
		t.Fatalf("%d in pages, %d at once", len(seen), len(all.Deeds))
	}
	for i := range seen {
		if seen[i].Seq != all.Deeds[i].Seq {
			t.Errorf("row %d is %d, want %d", i, seen[i].Seq, all.Deeds[i].Seq)
		}
	}
}

func TestRowsCutOffTheLogAreNamedOverTheNetwork(t *testing.T) {
	r := newRig(t)
	admin := r.Named("quan-tri").Token
	var v api.AuditVerdict
	r.ok(r.by(admin, "/api/v1/audit/verification"), 200, &v)
	if !v.Whole || v.Rows == 0 || v.Head == "" || v.VI == "" {
		t.Errorf("%+v", v)
	}
	if got := r.by(r.Named("bien-tap").Token, "/api/v1/audit/verification"); got.Status != 403 {
		t.Errorf("an editor walks the log: %d", got.Status)
	}
	raw, err := sql.Open("sqlite", filepath.Join(r.Dir, "loaxa.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	if _, err := raw.Exec("DELETE FROM audit WHERE seq IN (3, 4)"); err != nil {
		t.Fatal(err)
	}
	r.Clock.Add(time.Minute)
	r.ok(r.by(admin, "/api/v1/audit/verification"), 200, &v)
	if v.Whole || v.From != 3 || v.To != 4 || !strings.Contains(v.VI, "3–4") || !strings.Contains(v.EN, "3–4") {
		t.Errorf("%+v", v)
	}
}
