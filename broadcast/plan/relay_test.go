package plan

import (
	"testing"

	"github.com/loaxa/loaxa/broadcast"
)

// relayed is a programme of ten seconds, a relay of thirty and ten more.
func relayed(in *Input, hard int64) Item {
	in.Live = true
	return programme(in, "buoi", "06:00", 100, segment("a", 10, 0), relaySegment(30, 0), segment("c", 10, hard))
}

func TestARelayGoesOnAtItsLiveEdgeAfterItGaveWay(t *testing.T) {
	for _, c := range []struct {
		cut, seconds int64
		want, rest   string
	}{
		{20, 10, "buoi 06:00-06:00:20 06:00:30-06:00:50 (2 pre-empted) ended", "2@0+10 3@10+10"},
		{20, 20, "buoi 06:00-06:00:20 06:00:40-06:00:50 (2 pre-empted) ended", "3@0+10"},
		{5, 10, "buoi 06:00-06:00:05 06:00:15-06:00:55 (2 pre-empted) ended", "2@0+30 3@30+10"},
		{45, 10, "buoi 06:00-06:00:45 interrupted pre-empted", ""},
	} {
		in := monday(emergency("lu", "06:00", c.seconds).with(func(i *Item) { i.Announcement.Timing.Start += broadcast.Instant(c.cut * 1000) }))
		relayed(&in, 0)
		p := compute(t, in)
		if got := lines(p)[0]; got != c.want {
			t.Errorf("cut after %d s for %d s: %s, not %s", c.cut, c.seconds, got, c.want)
		} else if e := p.Entries[0]; len(e.Soundings) > 1 && segments(e.Soundings[1]) != c.rest {
			t.Errorf("cut after %d s for %d s: goes on with %s, not %s", c.cut, c.seconds, segments(e.Soundings[1]), c.rest)
		}
	}
}

func TestTheJournalTellsWhereARelayGoesOn(t *testing.T) {
	in := monday()
	b := relayed(&in, 0)
	in.Now = at("06:00:28.500")
	in.Past = []Past{b.past(1, "06:00", 15, broadcast.Interrupted, broadcast.WhyPreempted), b.past(2, "06:00:20", 5, broadcast.Interrupted, broadcast.WhyPreempted)}
	in.Past[1].Why = broadcast.WhyPreempted
	p := expect(t, in, "buoi 06:00-06:00:15 06:00:20-06:00:25 (2 pre-empted) 06:00:32-06:00:50 (3 pre-empted) ended")
	if got := segments(p.Entries[0].Soundings[2]); got != "2@0+8 3@8+10" {
		t.Errorf("goes on with %s", got)
	}
}

func TestAProgrammeGoesOnBehindARelayThatFailed(t *testing.T) {
	for _, why := range []broadcast.Reason{broadcast.WhyStation, broadcast.WhyLine, broadcast.WhyUnauthentic} {
		in := monday()
		b := relayed(&in, 0)
		in.Now = at("06:00:22.500")
		in.Past = []Past{b.past(1, "06:00", 22, broadcast.Interrupted, why)}
		p := expect(t, in, "buoi 06:00-06:00:22 06:00:29-06:00:39 (2 "+string(why)+") ended")
		if got := segments(p.Entries[0].Soundings[1]); got != "3@0+10" {
			t.Errorf("%s: goes on with %s", why, got)
		}
	}
	in := monday()
	b := relayed(&in, 0)
	in.Now = at("06:00:10.500")
	in.Past = []Past{b.past(1, "06:00", 10, broadcast.Interrupted, broadcast.WhyStation)}
	if got := segments(compute(t, in).Entries[0].Soundings[1]); got != "3@0+10" {
		t.Errorf("a relay that failed at its first sample: goes on with %s", got)
	}
	in = monday()
	b = relayed(&in, 60)
	in.Now, in.Past = at("06:00:22.500"), []Past{b.past(1, "06:00", 22, broadcast.Interrupted, broadcast.WhyStation)}
	p := compute(t, in)
	if got := segments(p.Entries[0].Soundings[1]); got != "3@31+10" {
		t.Errorf("a fixed start behind it: %s", got)
	}
}

func TestARelayThatIsTheWholeOfAnItemIsOverWhenItFails(t *testing.T) {
	in := monday(normal("tiep-am", "06:00", 0).versions(broadcast.Version{Language: "vi", Live: relaySegment(60, 0).Relay}))
	expect(t, in, "tiep-am of 06:00 refused body")
	in.Live = true
	p := expect(t, in, "tiep-am 06:00-06:01 ended")
	if part := p.Entries[0].Soundings[0].Parts[0]; part.Station != "vov1" || part.Session != "session" || part.SHA256 != "" {
		t.Errorf("%+v", part)
	}
	in.Now, in.Past = at("06:00:22.500"), []Past{in.Items[0].past(1, "06:00", 22, broadcast.Interrupted, broadcast.WhyStation)}
	expect(t, in, "tiep-am 06:00-06:00:22 interrupted station")
}

// TestRelaysAreNeverEmergencies: whatever was signed, nobody else's voice is an
// emergency, on its own or inside a programme.
func TestRelaysAreNeverEmergencies(t *testing.T) {
	in := monday(emergency("lu", "06:00", 0).versions(broadcast.Version{Language: "vi", Live: relaySegment(60, 0).Relay}))
	in.Live = true
	expect(t, in, "lu of 06:00 refused body")

	in = monday()
	relayed(&in, 0)
	in.Items[0].Announcement.Class = broadcast.Emergency
	p := compute(t, in)
	if e := p.Entries[0]; len(e.Soundings) != 1 || segments(e.Soundings[0]) != "1@0+10 3@10+10" || len(e.Notes) != 1 || e.Notes[0].Reason != broadcast.WhyBody {
		t.Errorf("%+v", e)
	}
	a := emergency("lu", "06:00", 0).versions(broadcast.Version{Language: "vi", Live: relaySegment(60, 0).Relay}).Announcement
	if err := a.Validate(); err == nil {
		t.Error("a relay was let into an emergency")
	}
	template := broadcast.Template{ID: "t1", Revision: issued, Class: broadcast.Emergency, Title: "Lũ", Areas: here, Versions: a.Versions, Expires: at("06:00")}
	if err := template.Validate(); err == nil {
		t.Error("a relay was let into a template")
	}
}

func TestOtherLiveBodiesAreRefused(t *testing.T) {
	live := &broadcast.Live{Source: broadcast.Microphone, SessionKey: "session", Millis: 60000}
	in := monday(normal("noi", "06:00", 0).versions(broadcast.Version{Language: "vi", Live: live}))
	in.Live = true
	expect(t, in, "noi of 06:00 refused body")
}

func TestARelayIsNotTakenUpAgainAfterARestart(t *testing.T) {
	in := monday()
	b := relayed(&in, 0)
	in.Now, in.Past = at("06:00:30"), []Past{b.past(1, "06:00", 15, broadcast.Interrupted, broadcast.WhyCrash)}
	expect(t, in, "buoi 06:00-06:00:15 interrupted crash")
}
