package plan

import (
	"testing"

	"github.com/loaxa/loaxa/broadcast"
)

// corrected is a day on which "a" was withdrawn at nine, and one officer says a
// minute later what is right, in words that the policy lists.
func corrected(change func(in *Input, c *Item, w *Withdrawal)) Input {
	wrong := emergency("a", "08:58", 600)
	nine := broadcast.Revision(at("09:00"))
	c := emergency("dinh-chinh", "09:01:05", 20).versions(version("vi", 20))
	c.Announcement.Corrects = &broadcast.AnnouncementRef{ID: "a", Revision: issued}
	c.Announcement.Revision, c.Signers = nine+60_000, c.Signers[:1]
	w := withdrawal("a", issued, broadcast.Emergency, broadcast.Commune)
	w.Revision = nine
	pol := policy()
	pol.Corrections = []broadcast.Digest{c.Announcement.Versions[0].Content.SHA256}
	in := monday(wrong)
	in.Law = broadcast.LawOf(pol)
	change(&in, &c, &w)
	in.Items, in.Withdrawals = append(in.Items, c), append(in.Withdrawals, w)
	return in
}

func TestOneSignatureCorrectsWhatWasJustWithdrawn(t *testing.T) {
	for name, change := range map[string]func(in *Input, c *Item, w *Withdrawal){
		"the emergency itself":            func(*Input, *Item, *Withdrawal) {},
		"what the node never heard of":    func(in *Input, _ *Item, _ *Withdrawal) { in.Items = nil },
		"in a lower class":                func(_ *Input, c *Item, _ *Withdrawal) { c.Announcement.Class = broadcast.Priority },
		"in the moment of the withdrawal": func(_ *Input, c *Item, w *Withdrawal) { c.Announcement.Revision = w.Revision },
	} {
		t.Run(name, func(t *testing.T) {
			in := corrected(change)
			if c := in.Items[len(in.Items)-1]; c.Enough(in.Law) && c.Announcement.Class == broadcast.Emergency {
				t.Fatal("one signature is enough for an emergency by itself")
			}
			if got := entryOf(compute(t, in), "dinh-chinh"); got.Rung != broadcast.Ended || len(got.Soundings) != 1 {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestACorrectionIsNoWayRoundTheSecondSignature(t *testing.T) {
	for name, change := range map[string]func(in *Input, c *Item, w *Withdrawal){
		"nothing was withdrawn":              func(_ *Input, _ *Item, w *Withdrawal) { w.Announcement = "b" },
		"an older revision was":              func(_ *Input, c *Item, _ *Withdrawal) { c.Announcement.Corrects.Revision++ },
		"long ago":                           func(_ *Input, _ *Item, w *Withdrawal) { w.Revision = broadcast.Revision(at("08:50")) },
		"elsewhere":                          func(_ *Input, _ *Item, w *Withdrawal) { w.Areas = []broadcast.ID{"xa-khac"} },
		"in a lower class":                   func(_ *Input, _ *Item, w *Withdrawal) { w.Class = broadcast.Priority },
		"by a level that could not":          func(_ *Input, _ *Item, w *Withdrawal) { w.Level = broadcast.Village },
		"the policy does not list the words": func(in *Input, _ *Item, _ *Withdrawal) { in.Law = broadcast.LawOf(policy()) },
		"nor all of them": func(_ *Input, c *Item, _ *Withdrawal) {
			c.Announcement.Versions = append(c.Announcement.Versions, version("tyz", 5))
		},
		"nor for live speech": func(_ *Input, c *Item, _ *Withdrawal) {
			c.Announcement.Versions = []broadcast.Version{{Language: "vi", Live: &broadcast.Live{Source: broadcast.Microphone, Millis: 1000}}}
		},
		"nobody signed it":      func(_ *Input, c *Item, _ *Withdrawal) { c.Signers = nil },
		"it says not what of":   func(_ *Input, c *Item, _ *Withdrawal) { c.Announcement.Corrects = nil },
		"the key is not enough": func(in *Input, _ *Item, _ *Withdrawal) { in.Law = strict(in.Law) },
	} {
		t.Run(name, func(t *testing.T) {
			if got := entryOf(compute(t, corrected(change)), "dinh-chinh"); got.Reason != broadcast.WhyThreshold {
				t.Errorf("%+v", got)
			}
		})
	}
}

// strict is the law of the corrections under a policy that asks for tokens.
func strict(broadcast.Law) broadcast.Law {
	pol := policy()
	pol.Corrections = []broadcast.Digest{version("vi", 20).Content.SHA256}
	pol.Custodies = []broadcast.LeastCustody{{Class: broadcast.Emergency, Custody: broadcast.CustodyToken}}
	return broadcast.LawOf(pol)
}

func TestACorrectionObeysTheHoursOfItsClass(t *testing.T) {
	in := corrected(func(_ *Input, c *Item, w *Withdrawal) {
		c.Announcement.Class, c.Announcement.Timing.Start = broadcast.Normal, at("22:00:05")
		w.Revision = broadcast.Revision(at("22:00"))
		c.Announcement.Revision = w.Revision
	})
	if got := entryOf(compute(t, in), "dinh-chinh"); got.Reason != broadcast.WhyQuiet {
		t.Errorf("%+v", got)
	}
}

func entryOf(p Plan, id broadcast.ID) Entry {
	for _, e := range p.Entries {
		if e.Announcement == id {
			return e
		}
	}
	return Entry{Reason: "not planned"}
}
