package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
)

func segment(title string, seconds, hard int64) broadcast.Segment {
	return broadcast.Segment{Title: title, Hard: hard * 1000,
		Content: &broadcast.Content{SHA256: broadcast.Sum([]byte(title)), Millis: seconds * 1000, Bytes: 1}}
}

func relaySegment(seconds, hard int64) broadcast.Segment {
	return broadcast.Segment{Title: "tiếp âm", Hard: hard * 1000, Relay: &broadcast.Live{Source: broadcast.Relay, Station: "vov1", SessionKey: "session", Millis: seconds * 1000}}
}

func offerSegment(id string, seconds int64) broadcast.Segment {
	return broadcast.Segment{Title: id, Offer: &broadcast.OfferRef{Announcement: broadcast.ID(id), Revision: issued,
		Content: broadcast.Content{SHA256: broadcast.Sum([]byte(id)), Millis: seconds * 1000, Bytes: 1}}}
}

// programme is a normal item with a running order of a length in seconds.
func programme(in *Input, id, start string, length int64, segments ...broadcast.Segment) Item {
	name := broadcast.Sum([]byte(id))
	if in.Orders == nil {
		in.Orders = map[broadcast.Digest]broadcast.RunningOrder{}
	}
	in.Orders[name] = broadcast.RunningOrder{Segments: segments}
	i := normal(id, start, 0).versions(broadcast.Version{Language: "vi", Programme: &broadcast.Programme{SHA256: name, Millis: length * 1000, Bytes: 1}})
	in.Items = append(in.Items, i)
	return i
}

// segments renders the parts of a sounding as segment@seconds+length.
func segments(s Sounding) string {
	var out []string
	for _, p := range s.Parts {
		out = append(out, fmt.Sprintf("%d@%d+%d", p.Segment, p.At/1000, p.Millis/1000))
	}
	return strings.Join(out, " ")
}

func TestSegmentsFollowOneAnotherUnlessTheirStartIsFixed(t *testing.T) {
	for _, c := range []struct {
		length   int64
		segments []broadcast.Segment
		want     string
	}{
		{100, []broadcast.Segment{segment("a", 10, 0), segment("b", 20, 0)}, "1@0+10 2@10+20"},
		{100, []broadcast.Segment{segment("a", 10, 0), segment("b", 20, 30), segment("c", 5, 0)}, "1@0+10 2@30+20 3@50+5"},
		{100, []broadcast.Segment{segment("a", 40, 0), segment("b", 20, 30)}, "1@0+30 2@30+20"},
		{100, []broadcast.Segment{segment("a", 20, 0), segment("b", 20, 0), segment("c", 20, 0), segment("d", 5, 30)}, "1@0+20 2@20+10 4@30+5"},
		{45, []broadcast.Segment{segment("a", 20, 0), segment("b", 40, 0), segment("c", 20, 0)}, "1@0+20 2@20+25"},
		{100, []broadcast.Segment{segment("a", 10, 0), relaySegment(30, 0), segment("b", 20, 0)}, "1@0+10 3@10+20"},
	} {
		in := monday()
		programme(&in, "buoi", "06:00", c.length, c.segments...)
		if got := segments(compute(t, in).Entries[0].Soundings[0]); got != c.want {
			t.Errorf("parts %s, not %s", got, c.want)
		}
	}
}

func TestARelayThatThisNodeCannotTakeIsNoted(t *testing.T) {
	in := monday()
	programme(&in, "buoi", "06:00", 100, segment("a", 10, 0), relaySegment(30, 0))
	e := compute(t, in).Entries[0]
	if len(e.Notes) != 1 || e.Notes[0] != (Note{Reason: broadcast.WhyBody, Language: "vi", Segment: 2}) {
		t.Errorf("notes %+v", e.Notes)
	}
	in.Live = true
	if e := compute(t, in).Entries[0]; len(e.Notes) != 0 || segments(e.Soundings[0]) != "1@0+10 2@10+30" {
		t.Errorf("a node that can take relays plays %s", segments(e.Soundings[0]))
	}
	in = monday()
	programme(&in, "buoi", "06:00", 100, relaySegment(30, 0))
	expect(t, in, "buoi of 06:00 refused body")
}

func TestAProgrammeWhoseOrderIsNotOnBoardFails(t *testing.T) {
	in := monday()
	programme(&in, "buoi", "06:00", 100, segment("a", 10, 0))
	in.Orders = nil
	expect(t, in, "buoi of 06:00 failed content")
}

func TestAProgrammeGoesOnAtItsNextSegment(t *testing.T) {
	for _, c := range []struct {
		cut, seconds int64
		hard         int64
		want, rest   string
	}{
		{15, 10, 0, "buoi 06:00-06:00:15 06:00:25-06:00:55 (2 pre-empted) ended", "3@0+10 4@10+20"},
		{5, 10, 0, "buoi 06:00-06:00:05 06:00:15-06:00:55 (2 pre-empted) ended", "2@0+10 3@10+10 4@20+20"},
		{5, 30, 30, "buoi 06:00-06:00:05 06:00:35-06:00:55 (2 pre-empted) ended", "4@0+20"},
		{5, 10, 30, "buoi 06:00-06:00:05 06:00:15-06:00:50 (2 pre-empted) ended", "2@0+10 3@10+5 4@15+20"},
		{5, 57, 0, "buoi 06:00-06:00:05 06:01:02-06:01:20 (2 pre-empted) ended", "2@0+10 3@10+8"},
		{5, 75, 0, "buoi 06:00-06:00:05 interrupted pre-empted", ""},
		{55, 5, 0, "buoi 06:00-06:00:50 ended", ""},
	} {
		in := monday(emergency("lu", "06:00", c.seconds).with(func(i *Item) { i.Announcement.Timing.Start += broadcast.Instant(c.cut * 1000) }))
		programme(&in, "buoi", "06:00", 80, segment("a", 10, 0), segment("b", 10, 0), segment("c", 10, 0), segment("d", 20, c.hard))
		p := compute(t, in)
		e := p.Entries[0]
		if got := lines(p)[0]; got != c.want {
			t.Errorf("cut after %d s for %d s: %s, not %s", c.cut, c.seconds, got, c.want)
		} else if len(e.Soundings) > 1 && segments(e.Soundings[1]) != c.rest {
			t.Errorf("cut after %d s for %d s: goes on with %s, not %s", c.cut, c.seconds, segments(e.Soundings[1]), c.rest)
		}
	}
}

func TestTheJournalTellsWhereAProgrammeGoesOn(t *testing.T) {
	in := monday()
	b := programme(&in, "buoi", "06:00", 200, segment("a", 10, 0), segment("b", 10, 0), segment("c", 10, 0), segment("d", 20, 0), segment("e", 20, 0))
	in.Now = at("06:00:50")
	in.Past = []Past{b.past(1, "06:00", 15, broadcast.Interrupted, broadcast.WhyPreempted), b.past(2, "06:00:30", 12, broadcast.Interrupted, broadcast.WhyPreempted)}
	in.Past[1].Why = broadcast.WhyPreempted
	// The second attempt played c and began d.
	p := expect(t, in, "buoi 06:00-06:00:15 06:00:30-06:00:42 (2 pre-empted) 06:00:51.500-06:01:11.500 (3 pre-empted) ended")
	if got := segments(p.Entries[0].Soundings[2]); got != "5@0+20" {
		t.Errorf("goes on with %s", got)
	}
}

func TestAnOfferInsideAProgrammeSoundsThere(t *testing.T) {
	in := monday(normal("tinh", "05:30", 20).level(broadcast.Province), normal("gan", "05:31", 20).level(broadcast.District))
	programme(&in, "buoi", "06:00", 100, segment("a", 10, 0), offerSegment("tinh", 20), segment("b", 10, 0))
	p := expect(t, in, "tinh of 05:30 ended inside buoi", "gan of 05:31 skipped offer", "buoi 06:00-06:00:40 ended")
	if p.Entries[2].Soundings[0].Parts[1].Offer != "tinh" {
		t.Error("the segment does not name its offer")
	}
	in.Withdrawals = []Withdrawal{withdrawal("tinh", issued, broadcast.Normal, broadcast.Province)}
	p = expect(t, in, "tinh of 05:30 withdrawn withdrawn", "gan of 05:31 skipped offer", "buoi 06:00-06:00:20 ended")
	if n := p.Entries[2].Notes; len(n) != 1 || n[0].Reason != broadcast.WhyWithdrawn || n[0].Segment != 2 {
		t.Errorf("notes %+v", n)
	}
}

// TestTheJournalSaysHowFarAnOfferWasHeard asks after the programme is over: an
// offer inside it was heard as far as its attempt came.
func TestTheJournalSaysHowFarAnOfferWasHeard(t *testing.T) {
	for name, c := range map[string]struct {
		rung   broadcast.Rung
		reason broadcast.Reason
		millis int64
		want   string
	}{
		"to its end":            {broadcast.Ended, "", 40_000, "ended inside buoi"},
		"the rest was cut":      {broadcast.Interrupted, broadcast.WhySilence, 35_000, "ended inside buoi"},
		"it was cut":            {broadcast.Interrupted, broadcast.WhySilence, 20_000, "interrupted silence inside buoi"},
		"cut before it came":    {broadcast.Interrupted, broadcast.WhySilence, 9_000, "skipped offer"},
		"nobody knows how much": {broadcast.Playing, "", 0, "skipped offer"},
	} {
		t.Run(name, func(t *testing.T) {
			in := monday(normal("tinh", "05:30", 20).level(broadcast.Province))
			programme(&in, "buoi", "06:00", 100, segment("a", 10, 0), offerSegment("tinh", 20), segment("b", 10, 0))
			first := compute(t, in)
			i := slices.IndexFunc(first.Entries, func(e Entry) bool { return e.Announcement == "buoi" })
			e := first.Entries[i]
			in.Past = []Past{{Announcement: "buoi", Revision: e.Revision, Payload: e.Payload, Class: e.Class, Start: e.Start,
				Attempt: 1, Rung: c.rung, Reason: c.reason, At: e.Start, Millis: c.millis}}
			in.Now = at("06:30")
			got := lines(compute(t, in))
			if want := "tinh of 05:30 " + c.want; !slices.Contains(got, want) {
				t.Errorf("%q lacks %q", got, want)
			}
		})
	}
}

func TestAnOfferThatWasCutOutOfItsProgrammeDidNotSound(t *testing.T) {
	in := monday(normal("tinh", "05:30", 20).level(broadcast.Province), emergency("lu", "06:00:05", 120))
	programme(&in, "buoi", "06:00", 100, segment("a", 10, 0), offerSegment("tinh", 20))
	expect(t, in, "tinh of 05:30 skipped offer", "buoi 06:00-06:00:05 interrupted pre-empted", "lu 06:00:05-06:02:05 ended")
}
