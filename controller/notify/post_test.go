package notify

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/people"
	"github.com/loaxa/loaxa/controller/store"
)

func TestFifteenNodesBehindOneDeadLineAreOneSentence(t *testing.T) {
	r := newRig(t)
	r.wish("quan-tri", nil)
	r.pile.list = many(15, "tan-lap")
	r.turn(time.Minute)
	if len(r.box.took) != 1 {
		t.Fatalf("%d messages: %q", len(r.box.took), r.box.subjects())
	}
	m := r.box.took[0]
	if m.Subject != "Loaxa: Xã Tân Lập: mất liên lạc ×15" {
		t.Errorf("subject %q", m.Subject)
	}
	if strings.Count(m.Body, "mất liên lạc") != 1 || !strings.Contains(m.Body, "tan-lap-14") || !strings.Contains(m.Body, "→ Xem nguồn và mạng.") {
		t.Errorf("body:\n%s", m.Body)
	}
}

func TestTheEndIsToldOnceToWhoeverKnewOfTheBeginning(t *testing.T) {
	r := newRig(t)
	r.wish("quan-tri", nil)
	r.pile.list = []Notice{dead("n1", "tan-lap")}
	r.turn(time.Minute)
	r.wish("kiem-tra", nil) // comes later, and learns of what lasts
	r.pile.list = append(r.pile.list, dead("n2", "tan-lap"))
	r.turn(time.Minute)
	r.pile.list = nil
	r.turn(2 * time.Minute)
	got := map[broadcast.ID][]string{}
	for _, m := range r.box.took {
		got[m.Person] = append(got[m.Person], m.Subject)
	}
	first, both, over := "Loaxa: Xã Tân Lập: mất liên lạc", "Loaxa: Xã Tân Lập: mất liên lạc ×2", "Loaxa: Xã Tân Lập: Đã hết: mất liên lạc ×2"
	for who, want := range map[broadcast.ID][]string{"quan-tri": {first, first, over}, "kiem-tra": {both, over}} {
		if len(got[who]) != len(want) {
			t.Fatalf("%s: %q", who, got[who])
		}
		for i := range want {
			if got[who][i] != want[i] {
				t.Errorf("%s, message %d: %q", who, i, got[who][i])
			}
		}
	}
}

func TestWhatComesAndGoesAtOnceTellsNobody(t *testing.T) {
	r := newRig(t)
	r.wish("quan-tri", nil)
	for range 10 {
		r.pile.list = []Notice{dead("n1", "tan-lap")}
		r.turn(10 * time.Second)
		r.pile.list = nil
		r.turn(10 * time.Second)
	}
	if len(r.box.took) != 0 {
		t.Errorf("%q", r.box.subjects())
	}
}

func TestNobodyIsFlooded(t *testing.T) {
	r := newRig(t)
	r.wish("quan-tri", nil)
	for i := range 60 { // something new every minute
		r.pile.list = append(r.pile.list, many(i+1, "tan-lap")[i])
		r.turn(time.Minute)
	}
	if n := len(r.box.took); n != hourly {
		t.Errorf("%d messages in an hour", n)
	}
	r.turn(time.Hour)
	all := ""
	for _, m := range r.box.took {
		all += m.Body
	}
	if !strings.Contains(all, "tan-lap-00") || !strings.Contains(all, "×") && !strings.Contains(all, "nơi khác") {
		t.Errorf("what waited was not told:\n%s", all)
	}
}

func TestQuietHoursHoldBackAllButTheUrgent(t *testing.T) {
	r := newRig(t) // eight in the morning
	r.wish("quan-tri", func(w *Wish) { w.Quiet = "07:00-09:00" })
	r.pile.list = []Notice{dead("n1", "tan-lap")}
	r.turn(30 * time.Minute)
	if len(r.box.took) != 0 {
		t.Fatalf("told in quiet hours: %q", r.box.subjects())
	}
	urgent := dead("n2", "tan-lap")
	urgent.Urgent, urgent.Cause, urgent.Words.VI = true, "relay-stuck", "rơ-le kẹt"
	r.pile.list = append(r.pile.list, urgent)
	r.turn(10 * time.Second)
	if len(r.box.took) != 1 || !r.box.took[0].Urgent || !strings.Contains(r.box.took[0].Body, "rơ-le kẹt") {
		t.Fatalf("%+v", r.box.took)
	}
	r.pile.list = append(r.pile.list, dead("n3", "tan-lap"))
	r.turn(20 * time.Minute)
	if len(r.box.took) != 1 {
		t.Fatalf("told in quiet hours: %q", r.box.subjects())
	}
	r.turn(15 * time.Minute)
	if len(r.box.took) != 2 || !strings.Contains(r.box.took[1].Body, "n3") {
		t.Errorf("not told after them: %q", r.box.subjects())
	}
}

func TestQuietHoursMayGoOverMidnight(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		quiet  string
		asleep bool
	}{{"", false}, {"22:00-09:00", true}, {"22:00-08:00", false}, {"08:00-08:01", true}, {"09:00-22:00", false}} {
		if got := r.post.asleep(reader{Subscription: store.Subscription{Quiet: c.quiet}}); got != c.asleep {
			t.Errorf("%q at 08:00: %v", c.quiet, got)
		}
	}
}

func TestPeopleAreToldOnlyWhatTheyMaySee(t *testing.T) {
	r := newRig(t)
	own := r.Named("can-bo-xa").Person.Areas[0]
	r.wish("can-bo-xa", func(w *Wish) { w.Areas = []broadcast.ID{own} })
	foreign := r.foreign("can-bo-xa")
	r.pile.list = []Notice{dead("foreign", foreign), dead("own", own)}
	r.turn(time.Minute)
	if len(r.box.took) != 1 || strings.Contains(r.box.took[0].Body, "foreign") || !strings.Contains(r.box.took[0].Body, "own") {
		t.Fatalf("%+v", r.box.took)
	}
	if _, err := r.post.Subscribe(t.Context(), r.Named("can-bo-xa").Person, Wish{Way: Mail, Address: "a@example.vn", Areas: []broadcast.ID{foreign},
		Topics: []Topic{Faults}, Language: "vi"}); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("a foreign commune: %v", err)
	}
	if _, err := r.post.Subscribe(t.Context(), r.Named("ky-thuat").Person, Wish{Way: Mail, Address: "a@example.vn", Areas: []broadcast.ID{"bac-quang"},
		Topics: []Topic{Approvals}, Language: "vi"}); !errors.Is(err, people.ErrForbidden) {
		t.Errorf("approvals for a technician: %v", err)
	}
}

func TestWhoLeftIsToldNothing(t *testing.T) {
	r := newRig(t)
	r.wish("ky-thuat", nil)
	if err := r.Office.Dismiss(t.Context(), r.Named("quan-tri").Credential, "ky-thuat", broadcast.Retired, 0); err != nil {
		t.Fatal(err)
	}
	r.pile.list = []Notice{dead("n1", "tan-lap")}
	r.turn(time.Minute)
	if len(r.box.took) != 0 {
		t.Errorf("%q", r.box.subjects())
	}
}

func TestWishesThatCannotBeAreRefused(t *testing.T) {
	r := newRig(t)
	good := Wish{Way: Mail, Address: "an@example.vn", Areas: []broadcast.ID{"bac-quang"}, Topics: []Topic{Faults}, Language: "vi"}
	for name, change := range map[string]func(*Wish){
		"a way that is not set up": func(w *Wish) { w.Way = Webhook },
		"no address":               func(w *Wish) { w.Address = "" },
		"a name with the address":  func(w *Wish) { w.Address = "An <an@example.vn>" },
		"two headers":              func(w *Wish) { w.Address = "an@example.vn\r\nBcc: all@example.vn" },
		"no area":                  func(w *Wish) { w.Areas = nil },
		"an unknown area":          func(w *Wish) { w.Areas = []broadcast.ID{"nowhere"} },
		"no topic":                 func(w *Wish) { w.Topics = nil },
		"an unknown topic":         func(w *Wish) { w.Topics = []Topic{"gossip"} },
		"an unknown language":      func(w *Wish) { w.Language = "fr" },
		"quiet hours without end":  func(w *Wish) { w.Quiet = "22:00" },
	} {
		w := good
		change(&w)
		if _, err := r.post.Subscribe(t.Context(), r.Named("quan-tri").Person, w); !errors.Is(err, ErrWish) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range maxSubscriptions + 1 {
		if _, err := r.post.Subscribe(t.Context(), r.Named("quan-tri").Person, good); (err != nil) != (i == maxSubscriptions) {
			t.Errorf("number %d: %v", i, err)
		}
	}
}

func TestSubscriptionsAreEndedByTheirPersonOrWhoeverManagesThem(t *testing.T) {
	r := newRig(t)
	own := r.wish("ky-thuat", nil)
	if _, err := r.post.Unsubscribe(t.Context(), r.Named("bien-tap").Person, own.ID); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("somebody else: %v", err)
	}
	if _, err := r.post.Unsubscribe(t.Context(), r.Named("ky-thuat").Person, own.ID); err != nil {
		t.Error(err)
	}
	other := r.wish("ky-thuat", nil)
	if _, err := r.post.Unsubscribe(t.Context(), r.Named("quan-tri").Person, other.ID); err != nil {
		t.Error(err)
	}
}

func TestATestMessageArrivesAndIsBounded(t *testing.T) {
	r := newRig(t)
	s := r.wish("quan-tri", nil)
	for i := range 2*hourly + 1 {
		if _, err := r.post.Try(t.Context(), r.Named("quan-tri").Person, s.ID); (err != nil) != (i == 2*hourly) {
			t.Errorf("number %d: %v", i, err)
		}
	}
	r.look()
	if len(r.box.took) != 2*hourly || r.box.took[0].Subject != "Loaxa: tin thử" {
		t.Errorf("%q", r.box.subjects())
	}
}

func TestASourceThatFailsEndsNothing(t *testing.T) {
	r := newRig(t)
	r.wish("quan-tri", nil)
	r.pile.list = []Notice{dead("n1", "tan-lap")}
	r.turn(time.Minute)
	r.pile.broken = errors.New("the database is busy")
	for range 20 {
		if err := r.post.Look(t.Context()); err == nil {
			t.Error("nobody is told that a source failed")
		}
		r.Clock.Add(lookEvery)
	}
	r.pile.broken = nil
	r.turn(time.Minute)
	if len(r.box.took) != 1 {
		t.Errorf("a failing source was taken for the end of a fault: %q", r.box.subjects())
	}
}

func TestNothingIsToldTwiceAfterARestart(t *testing.T) {
	r := newRig(t)
	r.wish("quan-tri", nil)
	r.pile.list = []Notice{dead("n1", "tan-lap")}
	r.box.err = errors.New("the server is down")
	r.turn(time.Minute)
	r.box.err = nil
	r.start(r.pile)
	r.turn(10 * time.Minute)
	if len(r.box.took) != 1 {
		t.Errorf("%q", r.box.subjects())
	}
}

func TestADeadServerLosesNothingForADay(t *testing.T) {
	r := newRig(t)
	r.wish("quan-tri", nil)
	r.pile.list = []Notice{dead("n1", "tan-lap")}
	r.box.err = errors.New("connection refused")
	r.turn(40 * time.Second)
	for range 23 {
		r.Clock.Add(time.Hour)
		r.look()
	}
	list, err := r.DB.Messages(t.Context(), []broadcast.ID{"quan-tri"}, "", 9)
	if err != nil || len(list) != 1 || list[0].State != store.MessageQueued || list[0].Reason != "connection refused" || list[0].Tries < 10 {
		t.Fatalf("%+v %v", list, err)
	}
	r.box.err = nil
	r.Clock.Add(2 * time.Hour)
	r.look()
	if len(r.box.took) != 1 {
		t.Error("it was lost")
	}
}

func TestWhatNobodyTakesIsGivenUpWithItsReason(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		days int
	}{"refused": {errRefused, 0}, "too old": {errors.New("down"), 2}} {
		r := newRig(t)
		r.wish("quan-tri", nil)
		r.pile.list = []Notice{dead("n1", "tan-lap")}
		r.box.err = c.err
		r.turn(40 * time.Second)
		r.Clock.Add(time.Duration(c.days) * 24 * time.Hour)
		r.look()
		list, err := r.DB.Messages(t.Context(), []broadcast.ID{"quan-tri"}, "", 9)
		if err != nil || len(list) != 1 || list[0].State != store.MessageFailed || list[0].Reason != c.err.Error() {
			t.Errorf("%s: %+v %v", name, list, err)
		}
	}
}

func TestPausesGrowAndEnd(t *testing.T) {
	for tries := range int64(200) {
		d := pause(tries + 1)
		if d < firstPause || d > longestPause+longestPause/4 {
			t.Errorf("after %d attempts: %v", tries+1, d)
		}
	}
}
