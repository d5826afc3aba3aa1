package programme_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/plan"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/preview"
	"github.com/loaxa/loaxa/controller/programme"
)

// ahead is what the node of the village will meet in the coming days.
func (r *rig) ahead() []preview.Prospect {
	r.t.Helper()
	ring, err := r.Office.Ring(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	nodes, err := r.DB.Nodes(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	src := preview.Source{DB: r.DB, Ring: ring, Now: r.Now(), Places: todays{r}}
	look := preview.Look(r.t.Context(), src, nodes, plan.Window{From: r.Now(), To: r.Now().Add(3 * 24 * time.Hour)})
	if look.Trouble != "" {
		r.t.Fatal(look.Trouble)
	}
	return look.Prospects
}

// todays is the organisation tree as it is now.
type todays struct{ r *rig }

// Knows says whether there is such an area.
func (p todays) Knows(area broadcast.ID) bool { return p.Covers(area, area) }

// Covers says whether area is upper or lies below it.
func (p todays) Covers(upper, area broadcast.ID) bool {
	return p.r.Tree().Covers(upper, area, p.r.Now())
}

// TestAnOfferSoundsOnceTheCommunePlacesIt follows the answer of one commune from
// none to a place, and back.
func TestAnOfferSoundsOnceTheCommunePlacesIt(t *testing.T) {
	r := newRig(t)
	offer := r.publish("Tin huyện", broadcast.Normal, r.at(17, 0, 0), time.Minute)
	own := r.publish("Ưu tiên huyện", broadcast.Priority, r.at(18, 0, 0), time.Minute)
	if a := r.answer("Tin huyện"); a.Answer != programme.Unanswered || a.Area != commune {
		t.Fatalf("%+v", a)
	}
	if a := r.answer("Ưu tiên huyện"); a.Answer != "" {
		t.Errorf("what needs no place is offered: %+v", a)
	}
	if got := r.heard(); got["Tin huyện"] != "" || got["Ưu tiên huyện"] == "" {
		t.Fatalf("%v", got)
	}
	if err := r.decide(programme.Seen{}, programme.Choice{Announcement: offer.ID, Start: r.at(11, 30, 0)}); err != nil {
		t.Fatal(err)
	}
	if got := r.heard(); got["Tin huyện"] != "22/11:30:00" {
		t.Errorf("placed at 11:30, sounds %q", got["Tin huyện"])
	}
	if a := r.answer("Tin huyện"); a.Answer != programme.Placed || a.Start != r.at(11, 30, 0) {
		t.Errorf("%+v", a)
	}
	if err := r.decide(programme.Seen{}, programme.Choice{Announcement: own.ID}); err != nil { // says nothing of the offer
		t.Fatal(err)
	}
	if a := r.answer("Tin huyện"); a.Answer != programme.Placed || r.heard()["Tin huyện"] != "22/11:30:00" {
		t.Errorf("the earlier decision is gone: %+v", a)
	}
	if err := r.decide(programme.Seen{}, programme.Choice{Announcement: offer.ID, Decline: true, Reason: "trùng lễ hội"}); err != nil {
		t.Fatal(err)
	}
	if a := r.answer("Tin huyện"); a.Answer != programme.Declined || a.Reason != "trùng lễ hội" || r.heard()["Tin huyện"] != "" {
		t.Errorf("%+v", a)
	}
	told, err := r.Answers(t.Context(), offer.ID, offer.Areas)
	if err != nil || len(told.Answers) != len(r.Tree().Children(broadcast.BacQuang, r.Now())) || told.Level != broadcast.District || !slices.Equal(told.Signers, []broadcast.ID{"duyet-1"}) {
		t.Fatalf("%v %+v", err, told)
	}
	declined := slices.DeleteFunc(told.Answers, func(a programme.OfferAnswer) bool { return a.Answer != programme.Declined })
	if len(declined) != 1 || declined[0].Area != commune {
		t.Errorf("%+v", declined)
	}
	_, err = r.Answers(t.Context(), own.ID, own.Areas)
	refused(t, err, programme.NoOffer)
}

func TestADecisionThatNodesWouldNotObeyIsRefused(t *testing.T) {
	r := newRig(t)
	offer := r.publish("Tin huyện", broadcast.Normal, r.at(17, 0, 0), time.Minute)
	priority := r.publish("Ưu tiên", broadcast.Priority, r.at(18, 0, 0), time.Minute)
	for name, c := range map[string]struct {
		choice programme.Choice
		want   programme.Code
	}{
		"no such announcement": {programme.Choice{Announcement: "x"}, programme.NotListed},
		"in the past":          {programme.Choice{Announcement: offer.ID, Start: r.at(7, 0, 0)}, programme.StartPast},
		"after its end":        {programme.Choice{Announcement: offer.ID, Start: r.at(17, 2, 0)}, programme.OfferEnds},
		"declined for nothing": {programme.Choice{Announcement: offer.ID, Decline: true, Reason: " "}, programme.ReasonNeeded},
		"priority declined":    {programme.Choice{Announcement: priority.ID, Decline: true, Reason: "không muốn"}, programme.NoOffer},
		"priority moved":       {programme.Choice{Announcement: priority.ID, Start: r.at(12, 0, 0)}, programme.NoOffer},
	} {
		t.Run(name, func(t *testing.T) { refused(t, r.decide(programme.Seen{}, c.choice), c.want) })
	}
	refused(t, r.decide(programme.Seen{}), programme.Invalid)
	refused(t, r.decide(programme.Seen{}, programme.Choice{Announcement: offer.ID}, programme.Choice{Announcement: offer.ID}), programme.Invalid)
	decide := func(who int, area broadcast.ID) error {
		by := []people.Person{r.district.Person, r.editor.Person, r.official.Person}[who]
		cred := []people.Credential{r.district.Credential, r.editor.Credential, r.official.Credential}[who]
		return r.Decide(t.Context(), by, cred, area, programme.Decision{Items: []programme.Choice{{Announcement: offer.ID}}}, programme.Seen{})
	}
	refused(t, decide(0, commune), programme.SignRight) // a district does not decide for a commune
	if err := decide(1, commune); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("an editor: %v", err)
	}
	head := r.Somebody("village-head", village)
	r.unslotted()
	if err := r.Decide(t.Context(), head.Person, head.Credential, village, programme.Decision{Items: []programme.Choice{{Announcement: offer.ID}}}, programme.Seen{}); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("a village head: %v", err)
	}
	refused(t, decide(2, broadcast.BacQuang), programme.AreaLevel)
	refused(t, decide(2, "nowhere"), programme.AreaUnknown)
	if r.answer("Tin huyện").Answer != programme.Unanswered {
		t.Errorf("one of them counted: %+v", r.answer("Tin huyện"))
	}
}

// TestTheCommuneOrdersWhatMeets: two priority items at one moment, the longer one
// first as things stand.
func TestTheCommuneOrdersWhatMeets(t *testing.T) {
	r := newRig(t)
	long := r.publish("Dài", broadcast.Priority, r.at(17, 0, 0), 10*time.Minute)
	short := r.publish("Ngắn", broadcast.Priority, r.at(17, 0, 0), time.Minute)
	r.publish("Một mình", broadcast.Priority, r.at(19, 0, 0), time.Minute)
	clash := func() programme.Collision {
		t.Helper()
		got, err := r.Collisions(t.Context(), commune, 3)
		if err != nil || len(got.Collisions) != 1 || got.Nodes != 1 || len(got.Collisions[0].Items) != 2 {
			t.Fatalf("%v %+v", err, got)
		}
		return got.Collisions[0]
	}
	c := clash()
	if c.Decided || c.Items[0].Title != "Dài" || c.Items[1].Fate.Sounds || c.Items[1].Fate.Reason != broadcast.WhyLate || c.Start != r.at(17, 0, 0) {
		t.Fatalf("%+v", c)
	}
	want := programme.Decision{Items: []programme.Choice{{Announcement: short.ID}, {Announcement: long.ID}}}
	diff, err := r.Weigh(t.Context(), r.official.Person, commune, want)
	if err != nil || len(diff.Shifts) != 2 {
		t.Fatalf("%v %+v", err, diff)
	}
	why := refused(t, r.decide(programme.Seen{}, want.Items...), programme.OthersChange)
	if why.Difference == nil || why.Difference.Digest != diff.Digest || !slices.Equal(why.About, []broadcast.ID{long.ID}) || !strings.Contains(why.English, "“Dài”: sounds 17:01") {
		t.Errorf("%+v", why)
	}
	if err := r.decide(programme.Seen{Difference: diff.Digest}, want.Items...); err != nil {
		t.Fatal(err)
	}
	if c := clash(); !c.Decided || c.Items[0].Title != "Ngắn" || !c.Items[1].Fate.Sounds || c.Items[1].Fate.Reason != broadcast.WhyOverlap {
		t.Errorf("%+v", c)
	}
	if got := r.heard(); got["Ngắn"] != "22/17:00:00" || !strings.HasPrefix(got["Dài"], "22/17:01:") {
		t.Errorf("%v", got)
	}
	_, err = r.Collisions(t.Context(), commune, 36)
	refused(t, err, programme.TooMany)
}

func TestEveryDecisionLeavesATrace(t *testing.T) {
	r := newRig(t)
	offer := r.publish("Tin huyện", broadcast.Normal, r.at(17, 0, 0), time.Minute)
	woken := r.Woken.Times()
	if err := r.decide(programme.Seen{}, programme.Choice{Announcement: offer.ID}); err != nil {
		t.Fatal(err)
	}
	rows, err := r.DB.AuditRows(t.Context(), 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	if last := rows[len(rows)-1]; last.Act != "placement.sign" || last.Person != "can-bo-xa" || !strings.Contains(last.Detail, string(commune)) {
		t.Errorf("%+v", last)
	}
	if r.Woken.Times() != woken+1 {
		t.Error("nobody was woken to tell the nodes")
	}
}

// TestAStandingSlotHoldsOffersAndSaysWhenItIsEmpty gives, fills and ends one.
func TestAStandingSlotHoldsOffersAndSaysWhenItIsEmpty(t *testing.T) {
	r := newRig(t)
	slot := broadcast.Slot{ID: "buoi-chieu", Areas: []broadcast.ID{commune}, Level: broadcast.District, Spans: []broadcast.Span{{From: 17 * 60, To: 18 * 60}},
		From: r.Now(), Until: r.Now().Add(90 * 24 * time.Hour)}
	give := func(s broadcast.Slot) error {
		r.Clock.Add(time.Second)
		return r.GiveSlot(t.Context(), r.official.Person, r.official.Credential, s, programme.Seen{})
	}
	if err := give(slot); err != nil {
		t.Fatal(err)
	}
	list, err := r.Slots(t.Context(), commune)
	if err != nil || len(list) != 1 || list[0].SignedBy != "can-bo-xa" || len(list[0].Empty) != 2 || list[0].Empty[1] != (plan.Window{From: r.at(17, 0, 1), To: r.at(18, 0, 1)}) {
		t.Fatalf("%v %+v", err, list)
	}
	offer := r.publish("Tin huyện", broadcast.Normal, r.at(17, 10, 1), time.Minute)
	if a := r.answer("Tin huyện"); a.Answer != programme.Slotted || a.In != "buoi-chieu" || r.heard()["Tin huyện"] != "23/17:10:00" {
		t.Errorf("%+v %v", a, r.heard())
	}
	if list, err = r.Slots(t.Context(), commune); err != nil || len(list[0].Empty) != 1 || list[0].Empty[0].From != r.at(17, 0, 0) {
		t.Errorf("%v %+v", err, list)
	}
	end := func(seen programme.Seen) error {
		r.Clock.Add(time.Second)
		return r.EndSlot(t.Context(), r.official.Person, r.official.Credential, commune, "buoi-chieu", seen)
	}
	why := refused(t, end(programme.Seen{}), programme.OthersChange)
	if !slices.Equal(why.About, []broadcast.ID{offer.ID}) || !strings.Contains(why.English, "not yet placed by the commune") {
		t.Errorf("%+v", why)
	}
	if err := end(programme.Seen{Difference: why.Difference.Digest}); err != nil {
		t.Fatal(err)
	}
	if list, err := r.Slots(t.Context(), commune); err != nil || len(list) != 0 || r.heard()["Tin huyện"] != "" {
		t.Errorf("%v %+v %v", err, list, r.heard())
	}
	if err := end(programme.Seen{}); err != nil {
		t.Errorf("ending again: %v", err)
	}
}

func TestASlotOfOneNameHasOnePlace(t *testing.T) {
	r := newRig(t)
	slot := broadcast.Slot{ID: "buoi-chieu", Areas: []broadcast.ID{commune}, Level: broadcast.Commune, Spans: []broadcast.Span{{From: 17 * 60, To: 18 * 60}},
		From: r.Now(), Until: r.Now().Add(time.Hour)}
	give := func(change func(*broadcast.Slot)) error {
		s := slot
		change(&s)
		r.Clock.Add(time.Second)
		return r.GiveSlot(t.Context(), r.official.Person, r.official.Credential, s, programme.Seen{})
	}
	if err := give(func(*broadcast.Slot) {}); err != nil {
		t.Fatal(err)
	}
	refused(t, give(func(s *broadcast.Slot) { s.Areas = []broadcast.ID{"xa-vinh-tuy"} }), programme.SlotTaken)
	refused(t, give(func(s *broadcast.Slot) { s.Spans = nil }), programme.Invalid)
	refused(t, give(func(s *broadcast.Slot) { s.Areas = []broadcast.ID{broadcast.BacQuang} }), programme.AreaLevel)
	if err := r.GiveSlot(t.Context(), r.editor.Person, r.editor.Credential, slot, programme.Seen{}); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("an editor gives a slot: %v", err)
	}
	r.Clock.Add(2 * time.Hour)
	if list, err := r.Slots(t.Context(), commune); err != nil || len(list) != 0 {
		t.Errorf("after its end: %v %+v", err, list)
	}
}
