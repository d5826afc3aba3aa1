package node

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/guard/lease"
	"github.com/loaxa/loaxa/device/player"
	"github.com/loaxa/loaxa/device/power"
	"github.com/loaxa/loaxa/device/speech"
)

// What the node watches by itself, and how soon it warns.
const (
	month       = 30 * 24 * time.Hour
	week        = 7 * 24 * time.Hour
	tryEvery    = 20 * time.Second // a card that failed is tried
	poorSpan    = 10 * time.Minute // in which so many connections are too many
	poorTimes   = 4
	slowAnswer  = 4 * time.Second // an answer of the controller
	slowAnswers = 2               // in a row
	noAnswer    = 15 * time.Second
	// silentBelow is what nobody hears, below full scale; what is silent for
	// silentFor, or all along, is a fault.
	silentBelow = -6000
	silentFor   = 20 * time.Second
)

// watch is what supervision knows from one look to the next.
type watch struct {
	dirty bool          // something changed that it hangs on
	due   time.Duration // when to look again in any case; 0 for not
	tried time.Duration // when a card that failed was tried last
	ups   []time.Duration
	slow  int
	// service is whose certificate the manifests hang on, and until when.
	service broadcast.ID
	until   broadcast.Instant
}

// supervise looks after everything that no event tells of, and returns when it
// wants to be called again.
func (n *Node) supervise() time.Duration {
	w := &n.watch
	if !w.dirty && (w.due == 0 || n.mono() < w.due) {
		return w.due
	}
	w.dirty, w.due = false, 0
	n.set(!n.clock.answered, broadcast.FaultClock, "", "no proved time since the boot")
	for _, look := range []func() time.Duration{n.watchManifests, n.watchRoom, n.watchCertificate,
		n.watchLink, n.watchReceipts, n.watchData, n.tryCard} {
		w.due = sooner(w.due, look())
	}
	return w.due
}

// when is when an instant of trusted time comes, on the clock of waits.
func (n *Node) when(at broadcast.Instant) time.Duration {
	return n.mono() + max(time.Millisecond, at.Sub(n.now()))
}

func (n *Node) watchManifests() time.Duration {
	n.set(n.stale(), broadcast.FaultStale, "", "no fresh manifest within the limit of the policy")
	if fresh := n.holdings.fresh(); fresh != 0 && !n.stale() {
		return n.when(fresh.Add(n.law().OfflineLimit() + time.Second))
	}
	return 0
}

// watchData says when the day's data is used up.
func (n *Node) watchData() time.Duration {
	now := n.now()
	n.allowance.on(now)
	used := !n.allowance.open(false)
	n.set(used, broadcast.FaultData, "", fmt.Sprintf("%d MB today", n.allowance.now().Bytes>>20))
	if used {
		return n.when(midnight(now).Add(day))
	}
	return 0
}

// watchRoom takes back that there are too many documents of a kind.
func (n *Node) watchRoom() time.Duration {
	for _, part := range n.chart.Parts(broadcast.FaultTooMany) {
		if n.roomy(broadcast.Kind(part)) {
			n.clear(broadcast.FaultTooMany, part)
		}
	}
	return 0
}

// learnCertificate finds the certificate that manifests hang on.
func (n *Node) learnCertificate() {
	n.watch.service, n.watch.until, n.watch.dirty = "", 0, true
	for _, c := range n.keyring.InForce() {
		if slices.Contains(c.Acts, broadcast.ActManifest) && c.Until > n.watch.until {
			n.watch.service, n.watch.until = c.Person, c.Until
		}
	}
}

// watchCertificate warns before the node can take no manifest any more.
func (n *Node) watchCertificate() time.Duration {
	until, now := n.watch.until, n.now()
	if until == 0 {
		return 0
	}
	cause := "until " + until.String()
	last, near := now >= until.Add(-week), now >= until.Add(-month)
	n.set(last, broadcast.FaultCertificateWeek, string(n.watch.service), cause)
	n.set(near && !last, broadcast.FaultCertificateMonth, string(n.watch.service), cause)
	switch {
	case last:
		return 0
	case near:
		return n.when(until.Add(-week))
	}
	return n.when(until.Add(-month))
}

// connected notes a new connection.
func (n *Node) connected() {
	w := &n.watch
	w.ups, w.dirty = append(w.ups, n.mono()), true
	if len(w.ups) > poorTimes {
		w.ups = w.ups[1:]
	}
}

// answeredIn notes how long the controller's answer took.
func (n *Node) answeredIn(took time.Duration) {
	n.watch.dirty = true
	if took < slowAnswer {
		n.watch.slow = 0
		return
	}
	n.watch.slow++
}

// watchLink says when the link breaks often, or when answers take long.
func (n *Node) watchLink() time.Duration {
	w := &n.watch
	often := len(w.ups) == poorTimes && n.mono() < w.ups[0]+poorSpan
	n.set(often, broadcast.FaultLink, "connections", fmt.Sprintf("%d connections in %v", poorTimes, poorSpan))
	n.set(w.slow >= slowAnswers, broadcast.FaultLink, "answers", fmt.Sprintf("answers take longer than %v", slowAnswer))
	if often {
		return w.ups[0] + poorSpan
	}
	return 0
}

// watchReceipts says when what was proved is not acknowledged although there is
// a connection: the receipts, or the answers to them, do not get through. A node
// that nobody confirmed waits without a fault.
func (n *Node) watchReceipts() time.Duration {
	d := &n.delivery
	waits := n.presence.up && n.holdings.assignment != nil && d.unheard != 0 && n.ledger.seq > n.ledger.acked
	late := waits && n.mono() >= d.unheard+noAnswer
	n.set(late, broadcast.FaultUnanswered, "", fmt.Sprintf("not acknowledged: %d receipts", n.ledger.seq-n.ledger.acked))
	if waits && !late {
		return d.unheard + noAnswer
	}
	return 0
}

// tryCard writes a little on a card that failed, so that it is known when it
// works again. A card in good health is not worn.
func (n *Node) tryCard() time.Duration {
	w := &n.watch
	var all []string
	for _, code := range cardCodes() {
		all = append(all, n.chart.Parts(code)...)
	}
	failed := slices.DeleteFunc([]string{partJournal, partDocuments, partContents}, func(part string) bool {
		return !slices.Contains(all, part)
	})
	if len(failed) == 0 {
		w.tried = 0
		return 0
	}
	if w.tried == 0 {
		w.tried = n.mono() // it failed just now
	}
	if n.mono() < w.tried+tryEvery {
		return w.tried + tryEvery
	}
	w.tried = n.mono()
	for _, part := range failed {
		if part == partJournal {
			n.card(part, n.ledger.try())
			continue
		}
		err := n.shelf.put(shelfTrial, n.now())
		_, back := n.shelf.fact(shelfTrial)
		if part == partDocuments {
			err = errors.Join(err, n.recallAll())
		}
		n.card(part, errors.Join(err, back))
	}
	return w.tried + tryEvery
}

// hearing takes what the player says while samples leave.
func (n *Node) hearing(r *run, p player.Progress) {
	if relays(r.sounding, p.Played) {
		r.silent = 0
		return
	}
	if p.Level > silentBelow {
		r.silent = 0
		n.clear(broadcast.FaultSilent, string(r.name.id))
		return
	}
	if r.silent == 0 {
		r.silent = n.mono()
	}
	if n.mono() >= r.silent+silentFor {
		n.raise(broadcast.FaultSilent, string(r.name.id), fmt.Sprintf("silent for %v while playing", silentFor))
	}
}

// learnt declares what a sounding taught about the board.
func (n *Node) learnt(r *run, e player.Evidence, err error) {
	var refusal *lease.Refusal
	text, part := "", string(r.name.id)
	if err != nil {
		text = err.Error()
	}
	unpowered := errors.Is(err, player.ErrPower) && !errors.Is(err, power.ErrVoltage) // which is a fault of its own
	refused := unpowered && errors.As(err, &refusal)
	if unpowered || !e.Powered.IsZero() {
		n.set(refused, broadcast.FaultRelayOpen, "", text)
		n.set(unpowered && !refused, broadcast.FaultGuard, "", text)
	}
	if failed := errors.Is(err, player.ErrSink); failed || e.Samples > 0 {
		n.set(failed, broadcast.FaultSoundCard, "", text)
	}
	switch {
	case errors.Is(err, speech.ErrMicrophone), relayed(err) != "": // the receipt says it
	case errors.Is(err, player.ErrContent) && unanswers(err):
		n.card(partContents, err)
	case errors.Is(err, player.ErrContent):
		n.note(broadcast.FaultDecoder, part, text)
	}
	if e.Samples == 0 {
		return
	}
	if e.RMS <= silentBelow && slices.ContainsFunc(r.sounding.Parts, relaying) {
		return
	}
	if e.RMS <= silentBelow {
		n.raise(broadcast.FaultSilent, part, "nothing but silence was played")
		return
	}
	for _, other := range n.chart.Parts(broadcast.FaultSilent) { // sound does leave
		n.clear(broadcast.FaultSilent, other)
	}
}
