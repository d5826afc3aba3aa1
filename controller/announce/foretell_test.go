package announce

import (
	"strings"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/api"
	"github.com/loaxa/loaxa/controller/store"
)

// nightRig is somebody who means 15:15 and types 3h15.
func nightRig(t *testing.T) *rig {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.Node("tan-quang-1", "tan-quang")
	r.opt.Class, r.opt.Start = "priority", "3h15"
	return r
}

func TestNothingIsPublishedThatSoundsNowhere(t *testing.T) {
	r := nightRig(t)
	err := r.run(Nowhere)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"inside quiet hours (02:00–04:00)", "choose a start outside these hours", "--accept-silence", "--start", "hãy chọn giờ phát ngoài khung giờ này"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
	want := "forecast: silent: inside quiet hours (02:00–04:00); at 03:15 23/11/2026 on 2 nodes in 2 areas (Xã Tân Lập, Xã Tân Quang): choose a start outside these hours\n"
	if said := r.err.String(); !strings.Contains(said, want) || !strings.Contains(said, "to start at 03:15:00 23/11/2026 +07:00") {
		t.Errorf("%s", said)
	}
	if page, err := r.Desk.Announcements(t.Context(), "", store.Published, 10); err != nil || len(page) != 0 {
		t.Errorf("%v %+v", err, page)
	}
}

func TestASilenceThatIsMeantIsPublished(t *testing.T) {
	r := nightRig(t)
	r.opt.AcceptSilence = []string{"quiet"}
	if err := r.run(AllEnded); err != nil {
		t.Error(err)
	}
	id := broadcast.ID(strings.TrimSpace(r.out.String()))
	if a, err := r.Desk.Announcement(t.Context(), id); err != nil || a.State != store.Published {
		t.Errorf("%v %+v", err, a)
	}
}

func TestWhatWillSoundIsSaidToo(t *testing.T) {
	r := nightRig(t)
	r.opt.Start = "15h15"
	if err := r.run(AllEnded); err != nil {
		t.Error(err)
	}
	if said := r.err.String(); !strings.Contains(said, "forecast: sounds; at 15:15 22/11/2026 on 2 nodes in 2 areas\n") {
		t.Errorf("%s", said)
	}
}

func TestAForecastIsToldInPlainWords(t *testing.T) {
	quiet := api.Outcome{Reason: &api.Reason{Code: "quiet"}, Text: api.Words{EN: "silent"}, Advice: &api.Words{EN: "change it"},
		Areas: []api.Share{{Name: "A"}, {Name: "B"}, {Name: "C"}, {Name: "D"}, {Name: "E"}}}
	well := api.Outcome{Sounds: true, Text: api.Words{EN: "sounds"}, Areas: quiet.Areas}
	for name, c := range map[string]struct {
		f    api.Forecast
		want string
	}{
		"silence and sound": {api.Forecast{Nodes: 5, Occurrences: 1, Outcomes: []api.Outcome{quiet, well}}, "silent (A, B, C, 2 more): change it|sounds"},
		"no node":           {api.Forecast{}, "no confirmed node stands in these areas, so nothing sounds unless one is confirmed in time"},
		"no time":           {api.Forecast{Nodes: 5, Unseen: 3, Trouble: "too slow", Occurrences: 1, Outcomes: []api.Outcome{well}}, "sounds|3 of 8 nodes were not looked at: too slow"},
		"no forecast":       {api.Forecast{Trouble: "torn"}, "it could not be made: torn"},
		"nothing soon":      {api.Forecast{Nodes: 5, Later: true, To: "2026-11-22T01:00:00Z"}, "nothing is due before 08:00:00 22/11/2026 +07:00|it recurs after 08:00:00 22/11/2026 +07:00, where nobody looked"},
	} {
		if got := strings.Join(foretold(c.f), "|"); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestWhatCutsOthersIsNotPublishedUnseen(t *testing.T) {
	r := newRig(t)
	r.Node("tan-lap-1", "tan-lap")
	r.opt.Class, r.opt.Start = "priority", "15h15"
	if err := r.run(AllEnded); err != nil {
		t.Fatal(err)
	}
	r.opt.Title = "Một bản khác"
	r.opt.Class = "normal" // which waits for the other, and changes nothing of it
	if err := r.run(AllEnded); err != nil {
		t.Fatal(err)
	}
	r.opt.Class, r.opt.Title, r.opt.Start = "priority", "Chen ngang", "15:14:55"
	err := r.run(Failed)
	if err == nil || !strings.Contains(err.Error(), "--accept-difference") || !strings.Contains(err.Error(), "15:15 22/11/2026 “") {
		t.Errorf("%v", err)
	}
	r.opt.AcceptDifference = true
	if err := r.run(AllEnded); err != nil {
		t.Error(err)
	}
}
