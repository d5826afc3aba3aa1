package node

import (
	"encoding/json"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/device/store"
	"github.com/loaxa/loaxa/device/store/storetest"
)

// FuzzCard: whatever a card that somebody else wrote holds under the names of
// the node, the ledger and the shelf open, what they believe has the digest it
// is named by, and the numbers of receipts go on.
func FuzzCard(f *testing.F) {
	order := broadcast.RunningOrder{Station: "Đài truyền thanh", Segments: []broadcast.Segment{{Title: "Tin",
		Content: &broadcast.Content{SHA256: broadcast.Sum(nil), Millis: 1000, Bytes: 10}}}}
	for _, v := range []any{
		page{Lines: []record{{Chain: "chain-1", Receipt: broadcast.Receipt{Seq: 1, Prev: broadcast.Sum(nil), At: 1, Boot: "b1",
			Announcement: "a", Of: 5, Attempt: 1, Rung: broadcast.Playing}, Class: broadcast.Emergency}}},
		page{Lines: []record{{Document: &paper{label{Kind: broadcast.KindPolicy, ID: "a", Revision: 1, Digest: broadcast.Sum([]byte("x"))}, "x"}}}},
		label{Kind: broadcast.KindAnnouncement, ID: "a", Revision: 1, Digest: broadcast.Sum([]byte("x"))},
		acknowledged{Chain: "chain-1", Seq: 4, Upto: 1}, []label{{Kind: broadcast.KindPolicy, ID: "a"}}, order,
	} {
		b, err := json.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, []byte("x"))
		f.Add(append(b, "\nx"...), []byte(nil))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		d := storetest.New()
		journal, err := store.OpenJournal(d.FS(), "journal", limits)
		if err != nil {
			t.Fatal(err)
		}
		registers, err := store.OpenRegisters(d.FS(), "registers", store.RegisterLimits{Value: 64 << 10, Count: 20, Total: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := journal.AppendBatch([][]byte{first, second}); err != nil {
			return // larger than a record may be
		}
		if registers.Put(shelfDocuments+"policy/a", first) != nil || registers.Put(shelfFloors, second) != nil ||
			registers.Put(shelfOrders+string(broadcast.Sum(first)), first) != nil {
			return
		}
		ledgerOf(t, journal, first)
		shelfOf(t, registers)
	})
}

// ledgerOf opens the journal as the node does and makes one statement more.
func ledgerOf(t *testing.T, journal *store.Journal, raw []byte) {
	t.Helper()
	var mark acknowledged
	if json.Unmarshal(raw, &mark) != nil {
		mark = acknowledged{}
	}
	l, documents, err := openLedger(journal, "chain-1", mark)
	if err != nil {
		return
	}
	for _, k := range documents {
		if broadcast.Sum(k.raw) != k.Digest {
			t.Errorf("a document of %d bytes is believed under another digest", len(k.raw))
		}
	}
	seq := l.seq
	if l.broken {
		return // the node begins another chain
	}
	if err := l.must(at(1), says("next", broadcast.Received)); err == nil && l.seq != seq+1 {
		t.Errorf("after receipt %d comes %d", seq, l.seq)
	}
	if _, err := l.rewind(); err != nil {
		t.Logf("nothing to send: %v", err)
	}
}

// shelfOf opens the registers as the node does.
func shelfOf(t *testing.T, registers *store.Registers) {
	t.Helper()
	s := newShelf(registers)
	if raw, err := s.fact(shelfFloors); err != nil || raw != nil && into(func(gone []label) { s.gone = gone })(raw) != nil {
		return
	}
	documents, _, err := s.all()
	if err != nil {
		t.Errorf("the shelf cannot be read: %v", err)
	}
	for _, k := range documents {
		if broadcast.Sum(k.raw) != k.Digest {
			t.Errorf("a document of %d bytes is believed under another digest", len(k.raw))
		}
	}
	if _, err := s.orders(); err != nil {
		t.Errorf("the running orders cannot be read: %v", err)
	}
}
