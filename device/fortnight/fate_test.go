package fortnight

import (
	"fmt"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/node/nodetest"
	"github.com/loaxa/loaxa/device/power"
)

// fate is something that happens at a moment.
type fate struct {
	at   time.Time
	name string
	do   func()
}

// then plans something after a while.
func (w *world) then(in time.Duration, name string, do func()) {
	f := fate{time.Now().Add(in), name, do}
	i, _ := slices.BinarySearchFunc(w.fates, f, func(a, b fate) int {
		if a.at.After(b.at) {
			return 1
		}
		return -1
	})
	w.fates = slices.Insert(w.fates, i, f)
}

// chances are what may happen, and how often in a fortnight to every few sites.
var chances = []struct {
	name  string
	times int
	do    func(w *world)
}{
	{"an emergency of the district", 4, func(w *world) { w.emergency(nodetest.Top) }},
	{"an emergency of a commune", 10, func(w *world) { w.emergency(w.anywhere()) }},
	{"a priority item", 8, (*world).priority},
	{"a single item", 8, (*world).single},
	{"an item into quiet hours", 3, (*world).mistyped},
	{"too few signatures", 3, (*world).unsigned},
	{"an offer of the district", 2, (*world).offer},
	{"a withdrawal", 6, (*world).withdrawal},
	{"an item leaves the list", 3, (*world).leaves},
	{"a silence", 4, (*world).quieten},
	{"a silence of emergencies", 2, (*world).gag},
	{"a new policy", 6, (*world).regulate},
	{"a link is lost", 10, (*world).unlink},
	{"all links are lost", 2, (*world).blackouts},
	{"the centre forgets to answer", 3, (*world).deafness},
	{"a power cut", 8, (*world).powerCut},
	{"a power cut while it sounds", 10, (*world).powerCutInMidWord},
	{"the power flaps", 1, (*world).flaps},
	{"a restart", 4, (*world).restart},
	{"a clock jumps", 6, (*world).clockJump},
	{"a wrong clock at a boot alone", 5, (*world).wrongBoot},
	{"a node moves", 3, (*world).moves},
}

func (w *world) between(least, most time.Duration) time.Duration {
	return least + time.Duration(w.dice.Int64N(int64(most-least)))
}

func (w *world) anywhere() broadcast.ID { return pick(w, w.used()) }
func (w *world) anyone() *site          { return pick(w, w.sites) }
func (w *world) next(what string) broadcast.ID {
	return broadcast.ID(fmt.Sprintf("%s-%d", what, len(w.items)+1))
}

func pick[T any](w *world, from []T) T { return from[w.dice.IntN(len(from))] }

// routine are the daily programmes of every commune: in the morning and in the
// evening a programme of segments, that of the evening with a relay in it, at noon
// a single item, and a relay by itself.
func (w *world) routine() {
	today := w.centre.Instant().Time().In(broadcast.Local())
	midnight := broadcast.InstantOf(time.Date(today.Year(), today.Month(), today.Day()+1, 0, 0, 0, 0, broadcast.Local()))
	for i, area := range w.used() {
		shift := time.Duration(i) * time.Minute
		morning := w.draft(w.next("morning"), area, broadcast.Normal, midnight.Add(5*time.Hour+30*time.Minute+shift), time.Second)
		w.programme(&morning, 8*time.Second, 4*time.Second, 6*time.Second)
		noon := w.draft(w.next("noon"), area, broadcast.Priority, midnight.Add(11*time.Hour+shift), 10*time.Second)
		evening := w.draft(w.next("evening"), area, broadcast.Normal, midnight.Add(17*time.Hour+shift), time.Second)
		w.programme(&evening, 10*time.Second, tuned, 6*time.Second)
		relay := w.draft(w.next("relay"), area, broadcast.Normal, midnight.Add(6*time.Hour), time.Second)
		relayed(&relay)
		for _, a := range []broadcast.Announcement{morning, noon, evening, relay} {
			daily(&a)
			w.announce(a, 2)
		}
	}
}

func (w *world) emergency(area broadcast.ID) {
	a := w.draft(w.next("emergency"), area, broadcast.Emergency, w.centre.Instant().Add(3*time.Second), w.between(5*time.Second, 30*time.Second))
	a.Timing.Mode = broadcast.ModeNow
	kind := w.dice.IntN(4)
	if kind == 0 {
		a.Timing.Repeat, a.Timing.Window = 120, 600
	}
	p := w.announce(a, 2)
	w.note("%s by %s, kind %d", p.ID, area, kind)
	switch kind {
	case 1:
		w.then(w.between(time.Second, 40*time.Second), "it is withdrawn", func() { w.withdraw(p) })
	case 2:
		w.then(w.between(time.Second, time.Minute), "it is replaced", func() { w.replace(p) })
	}
}

// replace publishes a newer revision of an emergency.
func (w *world) replace(p *published) {
	a := w.draft(p.ID, p.area, p.Class, w.centre.Instant().Add(3*time.Second), w.between(5*time.Second, 20*time.Second))
	a.Timing.Mode = broadcast.ModeNow
	p.gone = true
	w.announce(a, 2)
}

func (w *world) priority() {
	area := w.anywhere()
	if w.dice.IntN(3) == 0 {
		area = nodetest.Top
	}
	a := w.draft(w.next("priority"), area, broadcast.Priority, w.centre.Instant().Add(w.between(5*time.Second, time.Hour)), w.between(20*time.Second, 90*time.Second))
	p := w.announce(a, 2)
	w.note("%s of %s at %s", p.ID, area, a.Timing.Start)
	if w.dice.IntN(2) == 0 { // an emergency cuts it
		w.then(a.Timing.Start.Sub(w.centre.Instant())+w.between(0, time.Minute), "an emergency upon it", func() { w.emergency(p.area) })
	}
}

func (w *world) single() {
	area := w.anywhere()
	a := w.draft(w.next("single"), area, broadcast.Normal, w.centre.Instant().Add(w.between(time.Minute, 48*time.Hour)), w.between(10*time.Second, time.Minute))
	w.announce(a, 2)
	w.note("%s of %s at %s", a.ID, area, a.Timing.Start)
}

// mistyped is 03:15 instead of 15:15, in the night of tomorrow.
func (w *world) mistyped() {
	night := w.centre.Instant().Time().In(broadcast.Local()).AddDate(0, 0, 1)
	at := time.Date(night.Year(), night.Month(), night.Day(), 3, 15, 0, 0, broadcast.Local())
	w.announce(w.draft(w.next("mistyped"), w.anywhere(), broadcast.Priority, broadcast.InstantOf(at), time.Minute), 2)
}

func (w *world) unsigned() {
	classes := broadcast.Classes()
	w.announce(w.draft(w.next("unsigned"), w.anywhere(), pick(w, classes), w.centre.Instant().Add(time.Minute), 20*time.Second), 1)
}

func (w *world) offer() {
	w.announce(w.draft(w.next("offer"), nodetest.Top, broadcast.Normal, w.centre.Instant().Add(w.between(time.Minute, 24*time.Hour)), 20*time.Second), 2)
}

// standing are the items that were not taken back.
func (w *world) standing() []*published {
	return slices.DeleteFunc(slices.Clone(w.items), func(p *published) bool { return p.gone })
}

func (w *world) withdrawal() {
	if list := w.standing(); len(list) > 0 {
		p := pick(w, list)
		w.note("%s is withdrawn", p.ID)
		w.withdraw(p)
	}
}

func (w *world) leaves() {
	if list := w.standing(); len(list) > 0 {
		p := pick(w, list)
		w.note("%s leaves the list", p.ID)
		w.delist(p)
	}
}

func (w *world) quieten() {
	area := w.anywhere()
	if w.dice.IntN(4) == 0 {
		area = nodetest.Top
	}
	s := w.silence(area, w.between(time.Hour, 24*time.Hour), broadcast.Normal, broadcast.Priority)
	w.note("%s in %s until %s", s.ID, area, s.Until)
	if w.dice.IntN(2) == 0 {
		w.then(w.between(time.Minute, 12*time.Hour), "it is lifted", func() { w.lift(s) })
	}
}

// gag silences emergencies, with one that sounds and one that comes after.
func (w *world) gag() {
	area := w.anywhere()
	w.emergency(area)
	w.then(w.between(4*time.Second, 20*time.Second), "a silence names it", func() { w.silence(area, 30*time.Minute, broadcast.Classes()...) })
	w.then(w.between(time.Minute, 20*time.Minute), "and another comes", func() { w.emergency(area) })
}

func (w *world) regulate() {
	area := w.anywhere()
	if w.dice.IntN(4) == 0 {
		area = nodetest.Top
	}
	from, to := broadcast.LocalTime(w.dice.IntN(6)*60+18*60), broadcast.LocalTime(w.dice.IntN(3)*60+4*60)
	kind := w.dice.IntN(5)
	w.note("policy of %s, kind %d, quiet %s to %s", area, kind, from, to)
	w.policy(area, func(p *broadcast.Policy) {
		p.Quiet = []broadcast.Span{{From: from, To: to}}
		switch kind {
		case 0:
			p.Windows = []broadcast.Span{{From: 5 * 60, To: 7 * 60}, {From: 16 * 60, To: 19 * 60}}
		case 1:
			p.Minutes = []broadcast.Budget{{Class: broadcast.Normal, Minutes: 1}, {Class: broadcast.Priority, Minutes: 3}}
		case 2:
			p.OfflineDays = 1
		case 3: // quiet at this very moment
			now := w.centre.Instant().Time().In(broadcast.Local())
			begin := broadcast.LocalTime(now.Hour()*60 + now.Minute())
			p.Quiet = append(p.Quiet, broadcast.Span{From: begin, To: (begin + 60) % (24 * 60)})
		}
	})
}

func (w *world) unlink() {
	s := w.anyone()
	length := w.between(30*time.Second, 12*time.Hour)
	if w.dice.IntN(4) == 0 {
		length = w.between(24*time.Hour, 6*24*time.Hour)
	}
	w.note("%s has no link for %v", s.id, length)
	s.weather(false)
	w.then(length, "the link of "+string(s.id)+" is back", func() { s.weather(true) })
}

func (w *world) blackouts() {
	length := w.between(time.Minute, 8*time.Hour)
	w.note("no links for %v", length)
	w.blackout(true)
	w.then(length, "all links are back", func() { w.blackout(false) })
}

func (w *world) deafness() {
	w.centre.Silence(true, w.dice.IntN(2) == 0)
	w.then(w.between(time.Minute, 6*time.Hour), "the centre answers again", func() { w.centre.Silence(false, false) })
}

// levels are how a battery goes down in three days, by the hour.
var levels = []struct {
	after time.Duration
	level power.Level
}{{0, power.Plenty}, {20 * time.Hour, power.First}, {44 * time.Hour, power.Second}, {60 * time.Hour, power.Reserved}}

// threeDays takes the mains of a commune away for 72 hours: sites with a battery
// live on it, the others are dark.
func (w *world) threeDays() {
	area := w.anywhere()
	for _, s := range w.sites {
		switch {
		case s.area != area:
		case !s.fed.Battery:
			w.dark(s, 72*time.Hour)
		default:
			w.onBattery(s)
		}
	}
}

func (w *world) onBattery(s *site) {
	w.note("%s lives on its battery for 72 hours", s.id)
	for _, l := range levels {
		w.then(l.after, "the battery of "+string(s.id)+" goes down", func() {
			s.feed(power.State{Battery: true, Level: l.level, Charge: 100 - int64(l.level)*30})
		})
	}
	w.then(50*time.Hour, "an emergency on the battery", func() { w.emergency(s.area) })
	w.then(72*time.Hour, "the mains of "+string(s.id)+" are back", func() { s.feed(power.State{Battery: true, Mains: true, Charge: 100}) })
}

// alone takes the link of one site away for twelve days.
func (w *world) alone() {
	s := w.anyone()
	w.note("%s has no link for twelve days", s.id)
	s.weather(false)
	w.then(12*24*time.Hour, "the link of "+string(s.id)+" is back", func() { s.weather(true) })
}

func (w *world) powerCut() {
	length := w.between(2*time.Second, 4*time.Hour)
	w.dark(w.anyone(), length)
}

// dark cuts the power of a site for a while.
func (w *world) dark(s *site, length time.Duration) {
	if s.boot == nil {
		return
	}
	w.note("%s has no power for %v", s.id, length)
	s.cut()
	w.then(length, "the power of "+string(s.id)+" is back", func() {
		if s.boot == nil {
			s.power()
		}
	})
}

// powerCutInMidWord takes the power away around the first sample of an item, or
// later in it, and gives it back so soon that the item could begin again.
func (w *world) powerCutInMidWord() {
	s := w.anyone()
	const soon = 8 * time.Second
	w.announce(w.draft(w.next("cut"), s.area, pick(w, broadcast.Classes()), w.centre.Instant().Add(soon), 20*time.Second), 2)
	at := w.between(-time.Second, 2*time.Second)
	if w.dice.IntN(3) == 0 {
		at = w.between(0, 20*time.Second)
	}
	w.then(soon+at, "the power fails", func() { w.dark(s, w.between(2*time.Second, 30*time.Second)) })
}

// flaps cuts the power ten times within minutes while an emergency lives.
func (w *world) flaps() {
	s := w.anyone()
	w.emergency(s.area)
	at := time.Duration(0)
	for range 10 {
		at += w.between(15*time.Second, time.Minute)
		w.then(at, "the power flaps", func() { w.dark(s, 3*time.Second) })
	}
}

// restart ends the program of a site in order and starts it again.
func (w *world) restart() {
	s := w.anyone()
	if s.boot == nil {
		return
	}
	w.note("%s restarts", s.id)
	s.halt()
	s.power()
}

// jumps are by how much a wall clock is suddenly wrong.
func (w *world) jumps() time.Duration {
	return pick(w, []time.Duration{time.Hour, -time.Hour, 24 * time.Hour, -24 * time.Hour, -30 * 365 * 24 * time.Hour, 38 * 365 * 24 * time.Hour, 5 * time.Minute})
}

// clockJump sets the wall clock of a node that knows the time: nothing follows
// from it. After a while it is right again.
func (w *world) clockJump() {
	s := w.anyone()
	if !s.knowsTime() {
		return
	}
	by := w.jumps()
	w.note("the clock of %s is wrong by %v", s.id, by)
	s.setClock(by, w.dice.IntN(2) == 0)
	w.then(w.between(time.Minute, 12*time.Hour), "the clock of "+string(s.id)+" is right", func() { s.setClock(0, false) })
}

// wrongBoot has a node boot without a link and with a wrong clock: it goes by
// that clock as far as it is plausible, until an answer comes.
func (w *world) wrongBoot() {
	s := w.anyone()
	if s.boot == nil || s.wrong() != 0 {
		return
	}
	length, by := w.between(time.Minute, 8*time.Hour), w.jumps()
	w.note("%s boots without a link for %v, its clock wrong by %v", s.id, length, by)
	s.weather(false)
	s.cut()
	s.setClock(by, false)
	s.power()
	w.then(length, "the link of "+string(s.id)+" is back", func() { s.weather(true) })
	w.then(length+time.Hour, "the clock of "+string(s.id)+" is right", func() { s.setClock(0, false) })
}

func (w *world) moves() {
	s := w.anyone()
	to := w.anywhere()
	w.note("%s moves from %s to %s", s.id, s.area, to)
	w.move(s, to)
}
