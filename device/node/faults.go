package node

import (
	"errors"
	"syscall"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/health"
	"github.com/loaxa/loaxa/device/store"
)

// What of the card a fault concerns.
const (
	partJournal   = "journal"
	partDocuments = "documents"
	partContents  = "contents"
)

// Raise declares a failure that somebody else found: a sensor, the guard. Its
// code stands in the table of faults, part says which one of several. It may be
// called from any goroutine, before Serve as well.
func (n *Node) Raise(code broadcast.FaultCode, part, cause string) {
	n.post(func() { n.raise(code, part, cause) })
}

// Clear takes back what Raise declared.
func (n *Node) Clear(code broadcast.FaultCode, part string) {
	n.post(func() { n.clear(code, part) })
}

func (n *Node) raise(code broadcast.FaultCode, part, cause string) {
	n.chart.Raise(code, part, cause, n.instant())
}

func (n *Node) clear(code broadcast.FaultCode, part string) { n.chart.Clear(code, part, n.instant()) }

// note declares what is over as soon as it is seen.
func (n *Node) note(code broadcast.FaultCode, part, cause string) {
	n.chart.Note(code, part, cause, n.instant())
}

// set raises or clears.
func (n *Node) set(present bool, code broadcast.FaultCode, part, cause string) {
	n.chart.Set(present, code, part, cause, n.instant())
}

func (n *Node) instant() health.Moment { return health.Moment{Mono: n.mono(), At: n.now()} }

// cardCodes are the ways in which a card refuses to be written.
func cardCodes() []broadcast.FaultCode {
	return []broadcast.FaultCode{broadcast.FaultStoreReadOnly, broadcast.FaultStoreFull, broadcast.FaultStoreFailing}
}

// cardFault is what the card's error means. The quota of recordings is no
// matter of the card.
func cardFault(part string, err error) broadcast.FaultCode {
	switch {
	case part == partContents && (errors.Is(err, store.ErrFull) || errors.Is(err, store.ErrTooLarge)):
		return broadcast.FaultContentsFull
	case errors.Is(err, syscall.EROFS):
		return broadcast.FaultStoreReadOnly
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, store.ErrFull):
		return broadcast.FaultStoreFull
	}
	return broadcast.FaultStoreFailing
}

// card declares or takes back what an attempt to use the card taught; the error
// may be nil.
func (n *Node) card(part string, err error) {
	var code broadcast.FaultCode
	if err == nil && part == partDocuments && n.shelf.waits() {
		return // it works, and keeps something back
	}
	if err != nil {
		code = cardFault(part, err)
		n.raise(code, part, err.Error())
	}
	for _, other := range cardCodes() {
		if other != code {
			n.clear(other, part)
		}
	}
}
