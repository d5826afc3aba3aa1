package broadcast_test

import (
	"strings"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
)

func firstReceipt() broadcast.Receipt {
	return sample[broadcast.ReceiptBatch]("receipts")().Receipts[0]
}

func TestReceiptKeepsItsLimits(t *testing.T) {
	type r = broadcast.Receipt
	holdEdges(t, firstReceipt, []edge[r]{
		{"seq", func(r *r) { r.Seq = 1 }, func(r *r) { r.Seq = 0 }},
		{"seq", func(r *r) { r.Seq = 1 << 53 }, func(r *r) { r.Seq = 1<<53 + 1 }},
		{"prev", nil, func(r *r) { r.Prev = "" }},
		{"at", func(r *r) { r.At = 0 }, func(r *r) { r.At = -1 }},
		{"at", func(r *r) { r.At = last }, func(r *r) { r.At = last + 1 }},
		{"clock", func(r *r) { r.Clock = broadcast.ClockUnset }, func(r *r) { r.Clock = "" }},
		{"boot", nil, func(r *r) { r.Boot = "" }},
		{"announcement", nil, func(r *r) { r.Announcement = "" }},
		{"of", nil, func(r *r) { r.Of = 0 }},
		{"payload", nil, func(r *r) { r.Payload = "" }},
		{"start", func(r *r) { r.Start = 0 }, func(r *r) { r.Start = -1 }},
		{"start", func(r *r) { r.Start = last }, func(r *r) { r.Start = last + 1 }},
		{"attempt", func(r *r) { r.Attempt = 1000 }, func(r *r) { r.Attempt = 1001 }},
		{"attempt", func(r *r) { r.Attempt = 0 }, func(r *r) { r.Attempt = -1 }},
		{"attempt", func(r *r) { r.Attempt, r.Reason = 1, "" }, func(r *r) { r.Attempt, r.Reason = 2, "" }},
		{"rung", func(r *r) { r.Rung = broadcast.Received }, func(r *r) { r.Rung = "heard" }},
		{"reason", func(r *r) { r.Reason = broadcast.WhyCrash }, func(r *r) { r.Reason = "because" }},
		{"reason", takesBack, func(r *r) { takesBack(r); r.Start = 0 }},
		{"reason", takesBack, func(r *r) { takesBack(r); r.Attempt = 1 }},
		{"reason", takesBack, func(r *r) { takesBack(r); r.Rung = broadcast.Cached }},
		{"reason", takesBack, func(r *r) { takesBack(r); r.Clock = broadcast.ClockPlausible }},
		{"reason", nil, func(r *r) { takesBack(r); r.Clock = broadcast.ClockUnset }},
		{"evidence", func(r *r) { r.Evidence = nil }, func(r *r) { r.Evidence.Samples = -1 }},
		{"evidence", func(r *r) { r.Evidence.Samples = 1 << 40 }, func(r *r) { r.Evidence.Samples = 1<<40 + 1 }},
		{"evidence", func(r *r) { r.Evidence.Of = 1 << 40 }, func(r *r) { r.Evidence.Of = 1<<40 + 1 }},
		{"evidence", func(r *r) { r.Evidence.Level = -20000 }, func(r *r) { r.Evidence.Level = -20001 }},
		{"evidence", func(r *r) { r.Evidence.Level = 100 }, func(r *r) { r.Evidence.Level = 101 }},
		{"evidence", func(r *r) { r.Evidence.Current = 1 << 20 }, func(r *r) { r.Evidence.Current = 1<<20 + 1 }},
		{"evidence", func(r *r) { r.Evidence.Current = 0 }, func(r *r) { r.Evidence.Current = -1 }},
		{"evidence", func(r *r) { r.Evidence.Microphone = 20000 }, func(r *r) { r.Evidence.Microphone = 20001 }},
		{"evidence", func(r *r) { r.Evidence.Languages = nil }, func(r *r) { r.Evidence.Languages = []broadcast.Language{"vi", "vi"} }},
		{"firing", func(r *r) { *r = fired() }, func(r *r) { *r = fired(); r.Firing.Key = "" }},
	})
}

// takesBack makes a receipt one that takes back a verdict.
func takesBack(r *broadcast.Receipt) {
	r.Start, r.Attempt, r.Rung, r.Reason, r.Clock = 5, 0, broadcast.Verified, broadcast.WhyAhead, broadcast.ClockUnverified
}

// TestEveryEndButEndedHasAReason goes through all rungs with and without one.
func TestEveryEndButEndedHasAReason(t *testing.T) {
	for _, rung := range broadcast.Rungs() {
		r := firstReceipt()
		r.Rung, r.Attempt, r.Reason = rung, 1, ""
		excused := !rung.Terminal() || rung == broadcast.Ended
		if err := r.Validate(); (err == nil) != excused {
			t.Errorf("%s without a reason: %v", rung, err)
		}
		r.Reason = broadcast.WhyStopped
		if err := r.Validate(); err != nil {
			t.Errorf("%s with a reason: %v", rung, err)
		}
	}
}

func TestRungsClimbToOneOfEightEnds(t *testing.T) {
	climbing := []broadcast.Rung{"received", "verified", "cached", "powered", "playing", "sounded", "ended"}
	ends := []broadcast.Rung{"skipped", "refused", "interrupted", "failed", "superseded", "withdrawn", "expired"}
	for i, r := range climbing {
		if r.Height() != i+1 || r.Terminal() != (r == broadcast.Ended) {
			t.Errorf("%s: height %d, terminal %v", r, r.Height(), r.Terminal())
		}
	}
	for _, r := range ends {
		if r.Height() != 0 || !r.Terminal() {
			t.Errorf("%s: height %d, terminal %v", r, r.Height(), r.Terminal())
		}
	}
	all := append(climbing, ends...)
	for i, r := range broadcast.Rungs() {
		if i >= len(all) || r != all[i] || r.Validate() != nil {
			t.Errorf("rung %d is %q", i, r)
		}
	}
	accepts(t, func(s string) broadcast.Rung { return broadcast.Rung(s) }, []string{"", "Ended", "heard"}, nil)
}

// chain returns n receipts that follow each other.
func chain(t *testing.T, n int) []broadcast.Receipt {
	t.Helper()
	out := make([]broadcast.Receipt, n)
	prev := broadcast.Sum(nil)
	for i := range out {
		out[i] = firstReceipt()
		out[i].Seq, out[i].Prev = int64(i+1), prev
		var err error
		if prev, err = out[i].Digest(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestReceiptBatchIsBoundedAndUnbroken(t *testing.T) {
	type b = broadcast.ReceiptBatch
	run := chain(t, 66)
	holdEdges(t, sample[b]("receipts"), []edge[b]{
		{"node", nil, func(b *b) { b.Node = "" }},
		{"chain", nil, func(b *b) { b.Chain = "" }},
		{"receipts", func(b *b) { b.Receipts = run[:64] }, func(b *b) { b.Receipts = run[:65] }},
		{"receipts", func(b *b) { b.Receipts = run[1:65] }, func(b *b) { b.Receipts = nil }},
		{"receipts/receipt 3", nil, func(b *b) { b.Receipts = []broadcast.Receipt{run[0], run[2]} }},
		{"receipts/receipt 1", nil, func(b *b) { b.Receipts = []broadcast.Receipt{run[0], run[0]} }},
		{"receipts/receipt 1", nil, func(b *b) { b.Receipts = []broadcast.Receipt{run[1], run[0]} }},
	})
}

// TestFullBatchFitsItsMessage seals as many of the longest receipts as a batch may have.
func TestFullBatchFitsItsMessage(t *testing.T) {
	b := sample[broadcast.ReceiptBatch]("receipts")()
	b.Node, b.Chain, b.Receipts = broadcast.ID(strings.Repeat("n", 40)), broadcast.ID(strings.Repeat("c", 40)), nil
	prev := broadcast.Sum(nil)
	for i := range broadcast.MaxReceiptBatch {
		r := firstReceipt()
		r.Seq, r.Prev, r.Boot, r.Announcement = int64(i+1_000_000), prev, broadcast.ID(strings.Repeat("b", 40)), broadcast.ID(strings.Repeat("a", 40))
		var err error
		if prev, err = r.Digest(); err != nil {
			t.Fatal(err)
		}
		b.Receipts = append(b.Receipts, r)
	}
	size := len(sealtest.Sealed(broadcast.KindReceipts, b, sealtest.Bare("n")))
	if limit := broadcast.KindReceipts.Limit(); size > limit {
		t.Errorf("%d bytes, the limit is %d", size, limit)
	}
	t.Logf("%d receipts with all evidence and the longest names are %d bytes sealed", len(b.Receipts), size)
}

// TestReceiptsCannotBeRewritten changes one field of the first of two receipts
// at a time: the second no longer follows.
func TestReceiptsCannotBeRewritten(t *testing.T) {
	for name, change := range map[string]func(*broadcast.Receipt){
		"at":           func(r *broadcast.Receipt) { r.At++ },
		"clock":        func(r *broadcast.Receipt) { r.Clock = broadcast.ClockUnset },
		"boot":         func(r *broadcast.Receipt) { r.Boot = "b2" },
		"announcement": func(r *broadcast.Receipt) { r.Announcement = "tin-9" },
		"revision":     func(r *broadcast.Receipt) { r.Of++ },
		"payload":      func(r *broadcast.Receipt) { r.Payload = broadcast.Sum([]byte("x")) },
		"start":        func(r *broadcast.Receipt) { r.Start++ },
		"attempt":      func(r *broadcast.Receipt) { r.Attempt++ },
		"rung":         func(r *broadcast.Receipt) { r.Rung = broadcast.Ended },
		"reason":       func(r *broadcast.Receipt) { r.Reason = broadcast.WhyCrash },
		"samples":      func(r *broadcast.Receipt) { r.Evidence.Samples-- },
		"evidence":     func(r *broadcast.Receipt) { r.Evidence = nil },
		"prev":         func(r *broadcast.Receipt) { r.Prev = broadcast.Sum([]byte("x")) },
	} {
		b := sample[broadcast.ReceiptBatch]("receipts")()
		b.Receipts = chain(t, 2)
		if err := b.Validate(); err != nil {
			t.Fatal(err)
		}
		change(&b.Receipts[0])
		if b.Validate() == nil {
			t.Errorf("another %s was not noticed", name)
		}
	}
}

func TestAcknowledgementNamesOneReceipt(t *testing.T) {
	type a = broadcast.ReceiptAck
	holdEdges(t, sample[a]("ack"), []edge[a]{
		{"node", nil, func(a *a) { a.Node = "" }},
		{"chain", nil, func(a *a) { a.Chain = "" }},
		{"seq", func(a *a) { a.Seq = 1 }, func(a *a) { a.Seq = 0 }},
		{"seq", func(a *a) { a.Seq = 1 << 53 }, func(a *a) { a.Seq = 1<<53 + 1 }},
		{"hash", nil, func(a *a) { a.Hash = "" }},
		{"at", func(a *a) { a.At = last }, func(a *a) { a.At = last + 1 }},
		{"at", func(a *a) { a.At = 1 }, func(a *a) { a.At = 0 }},
	})
}
