package node_test

import (
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/wire"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

// placed has the commune place an announcement of the district into its programme.
func placed(t *testing.T, r *nodetest.Rig, offer broadcast.Announcement, in time.Duration) {
	t.Helper()
	own := *offer.Versions[0].Content
	own.SHA256 = r.Centre.PutContent([]byte("tin xã"))
	own.Bytes = 7
	order := broadcast.RunningOrder{Segments: []broadcast.Segment{{Title: "Tin xã", Content: &own},
		{Title: offer.Title, Offer: &broadcast.OfferRef{Announcement: offer.ID, Revision: offer.Revision, Content: *offer.Versions[0].Content}}}}
	raw, err := broadcast.Encode(order)
	if err != nil {
		t.Fatal(err)
	}
	a := r.Announcement("morning", broadcast.Normal, in, time.Second)
	a.Areas = []broadcast.ID{nodetest.Area}
	a.Versions = []broadcast.Version{{Language: "vi", Programme: &broadcast.Programme{SHA256: r.Centre.PutContent(raw), Millis: 2 * own.Millis, Bytes: own.Bytes + offer.Versions[0].Content.Bytes}}}
	signers := signedBy(r)
	r.Send(wire.Area(nodetest.Top, "authority"), r.Centre.Authority())
	r.Send(wire.Area(nodetest.Area, "announcement"), r.Centre.Sealed(broadcast.KindAnnouncement, a, nodetest.Area, signers...))
	r.List()
}

func TestAnOfferThatSoundedInsideAProgrammeIsSaidToHaveEnded(t *testing.T) {
	for name, c := range map[string]struct{ offer, programme time.Duration }{
		"its own time is later":    {3 * time.Minute, 20 * time.Second},
		"its own time is earlier":  {20 * time.Second, 3 * time.Minute},
		"its own time is inside":   {22 * time.Second, 20 * time.Second},
		"its own time is tomorrow": {24 * time.Hour, 20 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			world(t, func(t *testing.T, r *nodetest.Rig) {
				offer := r.Announcement("offer", broadcast.Normal, c.offer, 4*time.Second)
				r.Announce(offer)
				placed(t, r, offer, c.programme)
				pass(48 * time.Hour)
				sounded(t, r, 1)
				rungs(t, r, "morning", "received", "verified", "cached", "powered", "playing", "sounded", "ended")
				rungs(t, r, "offer", "received", "verified", "cached", "ended")
			})
		})
	}
}
