package node

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/store"
	"github.com/loaxa/loaxa/device/store/storetest"
)

var limits = store.JournalLimits{Record: 256 << 10, Segment: 4 << 10, Total: 64 << 10}

func openedLedger(t *testing.T, d *storetest.Disk, acked acknowledged) *ledger {
	t.Helper()
	j, err := store.OpenJournal(d.FS(), "journal", limits)
	if err != nil {
		t.Fatal(err)
	}
	l, _, err := openLedger(j, cmp.Or(acked.Chain, "chain-1"), acked)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func at(ms int64) moment {
	return moment{at: broadcast.Instant(1_700_000_000_000 + ms), clock: broadcast.ClockProved, boot: "boot-1"}
}

func says(id broadcast.ID, rung broadcast.Rung) statement {
	return statement{document: document{name{id: id, revision: 5}, broadcast.Sum(nil)}, class: broadcast.Priority, rung: rung}
}

// whole fails unless the receipts form one chain from 1 to n.
func whole(t *testing.T, l *ledger, n int) []broadcast.Receipt {
	t.Helper()
	l2 := *l
	l2.acked, l2.upto = 0, 0
	list, err := lacking(&l2, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	prev := broadcast.Sum(nil)
	for i, r := range list {
		if r.Seq != int64(i+1) || r.Prev != prev {
			t.Fatalf("receipt %d stands at place %d", r.Seq, i+1)
		}
		if prev, err = r.Digest(); err != nil {
			t.Fatal(err)
		}
	}
	if len(list) != n || l.seq != int64(n) || l.head != prev {
		t.Fatalf("%d receipts, head %d, want %d", len(list), l.seq, n)
	}
	return list
}

func ackOf(t *testing.T, r broadcast.Receipt) broadcast.ReceiptAck {
	t.Helper()
	digest, err := r.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return broadcast.ReceiptAck{Node: "n", Chain: "chain-1", Seq: r.Seq, Hash: digest, At: 1}
}

func TestChainGoesOnOverBootsAndFailures(t *testing.T) {
	d := storetest.New()
	l := openedLedger(t, d, acknowledged{})
	for i := range 10 {
		l.hold(at(int64(i)), says("a", broadcast.Received))
		if err := l.must(at(int64(i)), says("b", broadcast.Verified)); err != nil {
			t.Fatal(err)
		}
	}
	full := errors.New("no space left")
	d.Fail(func(op storetest.Op) error {
		if op.Kind == storetest.Sync {
			return full
		}
		return nil
	})
	if err := l.must(at(20), says("lost", broadcast.Verified)); !errors.Is(err, full) {
		t.Errorf("a writing that failed says %v", err)
	}
	l.hold(at(21), says("kept", broadcast.Verified))
	if err := l.flush(); !errors.Is(err, full) {
		t.Errorf("a flush that failed says %v", err)
	}
	d.Fail(nil)
	if err := l.flush(); err != nil {
		t.Fatal(err)
	}
	l = openedLedger(t, d, acknowledged{})
	if l.broken {
		t.Error("the chain counts as broken")
	}
	list := whole(t, l, 21)
	if list[20].Announcement != "kept" || slices.ContainsFunc(list, func(r broadcast.Receipt) bool { return r.Announcement == "lost" }) {
		t.Errorf("the last receipt is of %s", list[20].Announcement)
	}
}

func TestChainHoldsAtEveryCut(t *testing.T) {
	scenario := func(d *storetest.Disk) error {
		j, err := store.OpenJournal(d.FS(), "journal", limits)
		if err != nil {
			return err
		}
		l, _, err := openLedger(j, "chain-1", acknowledged{})
		if err != nil {
			return err
		}
		for i := range 12 {
			k := kept{label{Kind: broadcast.KindAnnouncement, ID: "a", Revision: broadcast.Revision(i + 1), Digest: broadcast.Sum([]byte{byte(i)})}, []byte{byte(i)}}
			if err := l.shelve(at(int64(i)), k, says("a", broadcast.Received), says("a", broadcast.Verified)); err != nil {
				return err
			}
			d.Note("%d", l.seq)
		}
		return nil
	}
	check := func(after *storetest.Disk, notes []string) error {
		j, err := store.OpenJournal(after.FS(), "journal", limits)
		if err != nil {
			return err
		}
		l, documents, err := openLedger(j, "chain-1", acknowledged{})
		if err != nil {
			return err
		}
		promised := int64(0)
		if len(notes) > 0 {
			_, _ = fmt.Sscan(notes[len(notes)-1], &promised) // our own note
		}
		switch {
		case l.broken:
			return fmt.Errorf("the chain is broken: %v", j.Damage())
		case l.seq < promised:
			return fmt.Errorf("%d receipts, %d were promised", l.seq, promised)
		case int64(len(documents)) < promised/2:
			return fmt.Errorf("%d documents for %d receipts", len(documents), promised)
		}
		return nil
	}
	cards, err := storetest.EveryCut(scenario, check, 2)
	if err != nil {
		t.Fatal(err)
	}
	if cards < 50 {
		t.Errorf("only %d cards were looked at", cards)
	}
}

func TestAcknowledgementCountsByItsHash(t *testing.T) {
	d := storetest.New()
	l := openedLedger(t, d, acknowledged{})
	for range 30 {
		if err := l.must(at(1), says("a", broadcast.Verified)); err != nil {
			t.Fatal(err)
		}
	}
	list := whole(t, l, 30)
	wrong := ackOf(t, list[9])
	wrong.Hash = broadcast.Sum([]byte("another chain"))
	other := ackOf(t, list[9])
	other.Chain = "chain-2"
	ahead := ackOf(t, list[29])
	ahead.Seq = 31
	for name, a := range map[string]broadcast.ReceiptAck{"another hash": wrong, "another chain": other, "more than there is": ahead} {
		if err := l.acknowledge(a); err == nil || l.acked != 0 {
			t.Errorf("%s: %v, acknowledged up to %d", name, err, l.acked)
		}
	}
	if err := l.acknowledge(ahead); !errors.Is(err, errRolledBack) {
		t.Errorf("more than there is: %v", err)
	}
	for _, seq := range []int{10, 30, 5} { // a controller that was restored goes back
		if err := l.acknowledge(ackOf(t, list[seq-1])); err != nil || l.acked != int64(seq) {
			t.Fatalf("up to %d: %v, acknowledged %d", seq, err, l.acked)
		}
		next, err := lacking(l, 64)
		if err != nil || len(next) != 30-seq || len(next) > 0 && next[0].Seq != int64(seq+1) {
			t.Errorf("after %d the next are %d (%v)", seq, len(next), err)
		}
	}
}

func TestFullJournalGivesUpWhatTheControllerHasAndNothingElse(t *testing.T) {
	d := storetest.New()
	l := openedLedger(t, d, acknowledged{})
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		err = l.must(at(1), says("a", broadcast.Verified))
	}
	if !errors.Is(err, store.ErrFull) {
		t.Fatalf("after %d: %v", n, err)
	}
	n--
	list := whole(t, l, n)
	if err := l.acknowledge(ackOf(t, list[n/2])); err != nil {
		t.Fatal(err)
	}
	if err := l.must(at(2), says("b", broadcast.Verified)); err != nil {
		t.Fatalf("with half of it acknowledged: %v", err)
	}
	next, err := lacking(l, 1000)
	if err != nil || len(next) != n-(n/2+1)+1 || next[len(next)-1].Announcement != "b" {
		t.Errorf("%d receipts wait (%v)", len(next), err)
	}
	l = openedLedger(t, d, acknowledged{Chain: "chain-1", Seq: l.acked, Upto: l.upto})
	if l.broken || l.seq != int64(n+1) {
		t.Errorf("broken %v, %d receipts", l.broken, l.seq)
	}
}

func TestLooseDocumentOutlivesAFullJournal(t *testing.T) {
	l := openedLedger(t, storetest.New(), acknowledged{})
	k := kept{label{Kind: broadcast.KindAnnouncement, ID: "a", Revision: 1, Digest: broadcast.Sum([]byte("x"))}, []byte("x")}
	if err := l.shelve(at(0), k, says("a", broadcast.Received)); err != nil {
		t.Fatal(err)
	}
	for range 40 {
		if err := l.must(at(1), says("a", broadcast.Verified)); err != nil {
			t.Fatal(err)
		}
	}
	list := whole(t, l, 41)
	if err := l.acknowledge(ackOf(t, list[40])); err != nil {
		t.Fatal(err)
	}
	if got := l.droppable(l.upto); got >= l.loose[k.Digest] {
		t.Errorf("records may go up to %d, the document stands at %d", got, l.loose[k.Digest])
	}
	delete(l.loose, k.Digest)
	if got := l.droppable(l.upto); got != l.upto {
		t.Errorf("with the document on its shelf records may go up to %d of %d", got, l.upto)
	}
}

func TestBrokenChainBeginsAnewWithWhatIsLeft(t *testing.T) {
	d := storetest.New()
	l := openedLedger(t, d, acknowledged{})
	for i := range 20 {
		if err := l.must(at(int64(i)), says("a", broadcast.Verified)); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Rot(d.Files()[0], 3000); err != nil {
		t.Fatal(err)
	}
	l = openedLedger(t, d, acknowledged{})
	if !l.broken {
		t.Fatal("a hole in the chain is not noticed")
	}
	if err := l.renew("chain-2"); err != nil {
		t.Fatal(err)
	}
	if list := whole(t, l, 19); list[0].At != at(0).at || l.broken {
		t.Errorf("the new chain begins with %+v", list[0])
	}
}

func TestUnwrittenStatementsAreBoundedAndCounted(t *testing.T) {
	l := openedLedger(t, storetest.New(), acknowledged{})
	for range maxUnwritten + 7 {
		l.hold(at(1), says("a", broadcast.Verified))
	}
	if len(l.unwritten) != maxUnwritten || l.dropped != 7 {
		t.Errorf("%d wait, %d dropped", len(l.unwritten), l.dropped)
	}
}

func TestShelfFindsEverythingAgainAndNothingSpoiled(t *testing.T) {
	d := storetest.New()
	registers, err := store.OpenRegisters(d.FS(), "registers", store.RegisterLimits{Value: 4096, Count: 50, Total: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	s := newShelf(registers)
	document := func(kind broadcast.Kind, id broadcast.ID, revision broadcast.Revision, body string) kept {
		return kept{label{Kind: kind, ID: id, Revision: revision, Digest: broadcast.Sum([]byte(body)), Held: 7}, []byte(body)}
	}
	first, second := document(broadcast.KindAnnouncement, "a", 1, "one"), document(broadcast.KindAnnouncement, "a", 2, "two")
	policy, newer := document(broadcast.KindPolicy, "p", 1, "old"), document(broadcast.KindPolicy, "p", 2, "new")
	bad := document(broadcast.KindSilence, "s", 1, "spoiled")
	for _, k := range []kept{first, second, policy, newer, bad} {
		if err := s.keep(k); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Rot("registers/doc,silence,s.reg", 60); err != nil {
		t.Fatal(err)
	}
	all, spoiled, err := s.all()
	if err != nil || len(all) != 3 || spoiled != 1 {
		t.Fatalf("%d documents, %d spoiled, %v", len(all), spoiled, err)
	}
	if err := s.drop(first.label); err != nil {
		t.Fatal(err)
	}
	next := newShelf(registers)
	raw, err := next.fact(shelfFloors)
	if err = errors.Join(err, into(func(gone []label) { next.gone = gone })(raw)); err != nil || !next.gave(first.label) || next.gave(second.label) {
		t.Errorf("what it gave away is not known after a boot (%v)", err)
	}
}

// TestALogLineNamesNoOccurrenceWhereThereIsNone: a start of 1970 in a log sends
// people looking for a clock that is wrong.
func TestALogLineNamesNoOccurrenceWhereThereIsNone(t *testing.T) {
	for want, s := range map[string]statement{
		"[announcement a rung received]":                                                      told(0, 0, broadcast.Received, "", nil),
		"[announcement a rung refused reason threshold]":                                      told(0, 0, broadcast.Refused, broadcast.WhyThreshold, nil),
		"[announcement a rung playing start 2023-11-14T22:13:20.000Z attempt 1]":              told(1_700_000_000_000, 1, broadcast.Playing, "", nil),
		"[announcement a rung refused start 2023-11-14T22:13:20.000Z attempt 0 reason quiet]": told(1_700_000_000_000, 0, broadcast.Refused, broadcast.WhyQuiet, nil),
	} {
		if got := fmt.Sprint(s.words()); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// lacking are the receipts that the controller lacks, at most n.
func lacking(l *ledger, n int) ([]broadcast.Receipt, error) {
	list, _, err := l.after(mark{l.acked, l.upto}, n)
	return list, err
}
