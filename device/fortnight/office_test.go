package fortnight

import (
	"fmt"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

// recording makes a recording of a length, which lies at the centre.
func (w *world) recording(length time.Duration) broadcast.Content {
	raw := []byte(fmt.Sprintf("recording %d of %v", len(w.recordings.long), length))
	sum := w.centre.PutContent(raw)
	w.recordings.put(sum, length)
	return broadcast.Content{SHA256: sum, Millis: length.Milliseconds(), Bytes: int64(len(raw))}
}

// draft is an announcement of an area that starts at a moment.
func (w *world) draft(id broadcast.ID, area broadcast.ID, class broadcast.Class, start broadcast.Instant, length time.Duration) broadcast.Announcement {
	content := w.recording(length)
	return broadcast.Announcement{ID: id, Revision: w.centre.Revision("announcement " + string(id)), Class: class, Title: "Bản tin " + string(id),
		Areas: []broadcast.ID{area}, Meta: broadcast.Sum([]byte("{}")), Versions: []broadcast.Version{{Language: "vi", Content: &content}},
		Timing: broadcast.Timing{Mode: broadcast.ModeStart, Start: start}}
}

// tuned stands for a relay among the lengths of a programme's recordings.
const tuned time.Duration = 0

// programme makes the body of an announcement a running order of some segments.
func (w *world) programme(a *broadcast.Announcement, segments ...time.Duration) {
	order := broadcast.RunningOrder{Station: "Đài truyền thanh"}
	var millis, bytes int64
	for i, length := range segments {
		s := broadcast.Segment{Title: fmt.Sprintf("Mục %d", i+1)}
		if length == tuned {
			s.Relay = station()
		} else {
			c := w.recording(length)
			s.Content, bytes = &c, bytes+c.Bytes
		}
		order.Segments, millis = append(order.Segments, s), millis+s.Duration().Milliseconds()
	}
	raw, err := broadcast.Encode(order)
	w.must(err)
	sum := w.centre.PutContent(raw)
	w.mu.Lock()
	w.orders[sum] = order
	w.mu.Unlock()
	a.Versions = []broadcast.Version{{Language: "vi", Programme: &broadcast.Programme{SHA256: sum, Millis: millis, Bytes: bytes}}}
}

// daily lets an announcement recur for a fortnight.
func daily(a *broadcast.Announcement) {
	a.Timing.Recurrence = &broadcast.Recurrence{Rule: "FREQ=DAILY"}
	a.Timing.Until = a.Timing.Start.Add(20 * 24 * time.Hour)
}

// relayed makes it a relay of another station: a live body.
func relayed(a *broadcast.Announcement) {
	a.Versions = []broadcast.Version{{Language: "vi", Live: station()}}
}

func station() *broadcast.Live {
	return &broadcast.Live{SessionKey: string(sealtest.Public("session")), Source: broadcast.Relay, Station: "national", Millis: (20 * time.Second).Milliseconds()}
}

// announce publishes an announcement of its area, signed by some of its officers.
func (w *world) announce(a broadcast.Announcement, officers int) *published {
	area := a.Areas[0]
	p := &published{Announcement: a, area: area}
	w.mu.Lock()
	w.items = append(w.items, p)
	w.mu.Unlock()
	p.raw = w.seal(broadcast.KindAnnouncement, a, area, "announcement", w.officers[area][:officers]...)
	return p
}

// withdraw takes an announcement back by a sealed document.
func (w *world) withdraw(p *published) {
	p.gone = true
	doc := broadcast.Withdrawal{ID: "w-" + p.ID, Revision: w.centre.Revision("withdrawal " + string(p.ID)), Announcement: p.ID,
		Upto: p.Revision, Class: p.Class, Areas: p.Areas}
	w.seal(broadcast.KindWithdrawal, doc, p.area, "withdrawal", w.officers[p.area][0])
}

// delist takes an announcement off the list of its area.
func (w *world) delist(p *published) {
	p.gone = true
	w.centre.Delist(p.area, broadcast.KindAnnouncement, p.ID)
	w.list(p.area)
}

// silence bars classes of sound in an area for a while.
func (w *world) silence(area broadcast.ID, length time.Duration, classes ...broadcast.Class) broadcast.Silence {
	w.silences++
	id := broadcast.ID(fmt.Sprintf("silence-%d", w.silences))
	now := w.centre.Instant()
	doc := broadcast.Silence{ID: id, Revision: w.centre.Revision(string(id)), Areas: []broadcast.ID{area}, Classes: classes, Until: now.Add(length)}
	w.seal(broadcast.KindSilence, doc, area, "silence", w.officers[area]...)
	return doc
}

// lift ends a silence.
func (w *world) lift(s broadcast.Silence) {
	s.Revision, s.Classes = w.centre.Revision(string(s.ID)), nil
	if s.Until < s.Revision.IssuedAt() {
		return
	}
	w.seal(broadcast.KindSilence, s, s.Areas[0], "silence", w.officers[s.Areas[0]]...)
}

// move gives a site another commune. Until the list of that commune came, the
// node holds none of it.
func (w *world) move(s *site, area broadcast.ID) {
	w.place(s, area)
	w.list(area)
	w.list(nodetest.Top)
}

// blackout cuts the way to the centre for everybody.
func (w *world) blackout(on bool) {
	for _, s := range w.sites {
		s.weather(!on)
	}
}
