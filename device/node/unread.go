package node

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/loaxa/loaxa/broadcast"
)

// span is a run of the journal's numbers that the card did not give at a boot.
// The chain of that boot could not go on over it; what was in it and did not
// reach the controller is stated anew once the card gives it again.
type span struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
	// Chain is the chain that was given up for it, Acked how far the controller
	// had that one.
	Chain broadcast.ID `json:"chain"`
	Acked int64        `json:"acked"`
}

func (s span) touches(o span) bool { return s.From <= o.To && o.From <= s.To }

func (s span) covers(o span) bool { return s.From <= o.From && o.To <= s.To }

// maxSpans bounds the spans that are remembered; the oldest go first.
const maxSpans = 64

// compareSpans parts what was not read at earlier boots into what still is not
// and what is here again. A chain does not go on over what is unread since now.
func (l *ledger) compareSpans() {
	var now []span
	for _, d := range l.journal.Damage() {
		if d.Unread {
			now = append(now, span{d.From, d.To, l.chain, l.acked})
		}
	}
	known := l.unread
	l.unread = nil
	for _, s := range known {
		if slices.ContainsFunc(now, s.touches) {
			l.unread = append(l.unread, s)
		} else {
			l.found = append(l.found, s)
		}
	}
	for _, s := range now {
		if !slices.ContainsFunc(known, func(k span) bool { return k.covers(s) }) {
			l.unread = append(l.unread, s)
			l.broken = true
		}
	}
	l.unread = l.unread[max(0, len(l.unread)-maxSpans):]
}

// restate states in this chain what the card gives again, once. A cut in between
// has it stated twice, which changes nothing.
func (l *ledger) restate() error {
	if len(l.found) == 0 {
		return nil
	}
	var list []unwritten
	for _, s := range l.found {
		err := l.journal.Read(s.From, maxRecords, func(number uint64, raw []byte) error {
			var p page
			if number > s.To || json.Unmarshal(raw, &p) != nil {
				return nil
			}
			for _, r := range p.Lines {
				told := r.Chain == l.chain || r.Chain == s.Chain && r.Receipt.Seq <= s.Acked
				if r.Document == nil && !told {
					list = append(list, again(r))
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("read what the card gives again: %w", err)
		}
	}
	if err := l.append(list); err != nil {
		return err
	}
	l.found = nil
	return l.keepSpans()
}

// keepSpans writes what is unread into the journal. The last such page counts.
func (l *ledger) keepSpans() error {
	list := append([]span{}, l.unread...) // none is a list as well
	_, err := l.write(page{Unread: &list})
	return err
}

// again is a receipt as a statement that is made anew, of its own moment.
func again(r record) unwritten {
	return unwritten{statement: r.statement(), moment: moment{at: r.Receipt.At, clock: r.Receipt.Clock, boot: r.Receipt.Boot}}
}
