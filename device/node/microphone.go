package node

import (
	"errors"
	"os"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/speech"
)

// Microphone is the one in the box.
type Microphone interface {
	// End ends what is spoken under that name, as whoever spoke wants it.
	End(name string)
	// Kept returns what was recorded under that name; os.ErrNotExist for nothing.
	Kept(name string) (broadcast.Content, error)
	// Tidy deletes the recordings that nobody wants kept. What the centre lacks
	// stays as long as there is room for more; tight says that there is none.
	Tidy(keep func(name string) bool, tight bool) error
}

// OnTalk is told by the panel that a key of the microphone was turned, or is back.
// A turned key alone opens nothing: whoever speaks types his PIN as well.
func (n *Node) OnTalk(key string, turned bool) {
	n.post(func() { n.talked(broadcast.Switch(key), turned) })
}

func (n *Node) talked(key broadcast.Switch, turned bool) {
	n.talk[key], n.planDirty = turned, true
	r := n.stage.run
	if turned || r == nil || n.cfg.Microphone == nil {
		return
	}
	if t, ok := n.turnOf(r.name.document); ok && t.talk == key && r.began {
		n.cfg.Microphone.End(string(r.name.id))
	}
}

// talkKey is the key of a template that is turned now; empty for none.
func (n *Node) talkKey(t held[broadcast.Template]) broadcast.Switch {
	for _, key := range t.doc.Local.Keys {
		if n.talk[key] {
			return key
		}
	}
	return ""
}

// speaks says that a template is for speaking at the box.
func speaks(t held[broadcast.Template]) bool { return t.doc.Local != nil && t.doc.Local.Speech != nil }

// mute says that a template is for speaking and nobody can.
func (n *Node) mute(t held[broadcast.Template]) bool {
	return speaks(t) && (n.cfg.Microphone == nil || n.talkKey(t) == "")
}

// unhourly says that it is not the hour to speak. Who set hours wants them
// kept: without any clock they are over.
func (n *Node) unhourly(t held[broadcast.Template]) bool {
	return speaks(t) && len(t.doc.Local.Speech.Hours) > 0 &&
		(n.clock.quality == broadcast.ClockUnset || !t.doc.Local.Speech.At(n.now()))
}

// speaking says that somebody stands at the microphone for this very firing: his
// key is turned, or he speaks already. After another boot nobody does.
func (n *Node) speaking(i *item) bool {
	t, ok := n.turnOf(i.document())
	if !ok || t.talk == "" || n.cfg.Microphone == nil {
		return false
	}
	r := n.stage.run
	return n.talk[t.talk] || r != nil && r.began && r.name.document == i.document()
}

func (n *Node) turnOf(d document) (turn, bool) {
	for _, t := range n.turns {
		if t.document == d {
			return t, true
		}
	}
	return turn{}, false
}

// speech is what the player needs for words that are spoken now. They are not
// begun in the middle, however late.
func (n *Node) speech(i *item, out player.Sounding) player.Sounding {
	most := i.doc.Versions[0].Duration()
	out.Whole = true
	out.Content = player.Content{Path: speech.Path(string(i.doc.ID), most, i.emergency()), Duration: most}
	return out
}

// recorded is what was kept of a speech, nil for nothing. It reads the file.
func (n *Node) recorded(d document) *broadcast.Content {
	if n.cfg.Microphone == nil {
		return nil
	}
	kept, err := n.cfg.Microphone.Kept(string(d.id))
	if err == nil {
		return &kept
	}
	if !errors.Is(err, os.ErrNotExist) {
		n.log.Error("a recording cannot be read", "announcement", d.id, "err", err)
	}
	return nil
}

// tidySpeech lets recordings go that were kept for as long as their template
// says. Where the template is gone they stay as long as the firing is remembered.
// It reads what goes before the centre has it, so it runs beside the loop.
func (n *Node) tidySpeech(now broadcast.Instant, tight bool) {
	if n.cfg.Microphone == nil || !n.clock.answered {
		return
	}
	keep := map[string]bool{}
	for d, f := range n.ledger.history.fired {
		t, ok := n.holdings.templates[f.Template.ID]
		keep[string(d.id)] = !ok || !speaks(t) || now.Sub(f.Start) < time.Duration(t.doc.Local.Speech.KeepDays)*24*time.Hour
	}
	n.work.Go(func() {
		if err := n.cfg.Microphone.Tidy(func(name string) bool { return keep[name] }, tight); err != nil {
			n.log.Warn("recordings stay on the card", "err", err)
		}
		n.post(n.sending.again)
	})
}
