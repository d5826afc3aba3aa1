package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/controller/store"
)

func receipts() map[string]func(*testing.T, *store.DB) {
	return map[string]func(*testing.T, *store.DB){
		"a chain goes as far as it was stored":             chainGoesOn,
		"many chains go on together":                       chainsTogether,
		"receipts are never replaced":                      receiptsStay,
		"receipts and the end of their chain are one":      receiptsWithTheirChain,
		"receipts of one revision come in order":           receiptsInOrder,
		"a node's receipts come oldest first, and bounded": receiptsByNode,
		"who is expected is noted once":                    expectedOnce,
		"a doubt marks what came after it, and stays":      doubtStays,
		"stored receipts are found by their place":         receiptsByPlace,
		"what key switches fired comes newest first":       firingsNewestFirst,
	}
}

// rows are receipts of one chain from one sequence number to another.
func rows(node, chain broadcast.ID, from, to int64, of broadcast.Revision, at broadcast.Instant) []store.ReceiptRow {
	var out []store.ReceiptRow
	for seq := from; seq <= to; seq++ {
		out = append(out, store.ReceiptRow{Node: node, Chain: chain, Seq: seq, Announcement: "a1", Of: of, Stored: at, Raw: fmt.Append(nil, node, chain, seq)})
	}
	return out
}

// end is how far a chain goes, with a hash that belongs to it.
func end(node, chain broadcast.ID, seq int64) store.Chain {
	return store.Chain{Node: node, Chain: chain, Seq: seq, Head: broadcast.Sum(fmt.Append(nil, node, chain, seq))}
}

// nodesOf adds the nodes whose receipts are kept.
func nodesOf(t *testing.T, db *store.DB, ids ...broadcast.ID) {
	t.Helper()
	update(t, db, func(tx store.Tx) error {
		for _, id := range ids {
			if err := tx.AddNode(context.Background(), tanLap(id)); err != nil {
				return err
			}
		}
		return nil
	})
}

func chainGoesOn(t *testing.T, db *store.DB) {
	ctx := context.Background()
	nodesOf(t, db, "n1", "n2")
	at := func(node, chain broadcast.ID) (got store.Chain) {
		update(t, db, func(tx store.Tx) (err error) {
			name := store.ChainName{Node: node, Chain: chain}
			all, err := tx.Chains(ctx, []store.ChainName{name, {Node: "n2", Chain: "c9"}})
			if len(all) != 2 {
				t.Errorf("asked for two chains, got %v", all)
			}
			got = all[name]
			return err
		})
		return got
	}
	same(t, at("n1", "c1"), store.Chain{Node: "n1", Chain: "c1", Head: broadcast.Sum(nil)})
	for _, to := range []int64{3, 5} {
		update(t, db, func(tx store.Tx) error {
			return tx.AddReceipts(ctx, []store.Chain{end("n1", "c1", to)}, rows("n1", "c1", to-2, to-1, 1, 10))
		})
		same(t, at("n1", "c1"), end("n1", "c1", to))
	}
	same(t, at("n1", "c2"), store.Chain{Node: "n1", Chain: "c2", Head: broadcast.Sum(nil)})
	same(t, at("n2", "c1"), store.Chain{Node: "n2", Chain: "c1", Head: broadcast.Sum(nil)})
	update(t, db, func(tx store.Tx) error { return tx.AddReceipts(ctx, []store.Chain{end("n1", "c1", 9)}, nil) })
	same(t, at("n1", "c1"), end("n1", "c1", 5)) // nothing new: nothing changes
}

// chainsTogether adds more receipts than fit one statement, of chains that
// share names with others.
func chainsTogether(t *testing.T, db *store.DB) {
	ctx := context.Background()
	nodesOf(t, db, "n1", "n2")
	ends := []store.Chain{end("n1", "c1", 700), end("n1", "c2", 1), end("n2", "c1", 2)}
	all := slices.Concat(rows("n1", "c1", 1, 700, 1, 10), rows("n1", "c2", 1, 1, 1, 10), rows("n2", "c1", 1, 2, 1, 10))
	update(t, db, func(tx store.Tx) error { return tx.AddReceipts(ctx, ends, all) })
	update(t, db, func(tx store.Tx) error {
		got, err := tx.Chains(ctx, []store.ChainName{ends[0].Name(), ends[2].Name(), {Node: "n2", Chain: "c2"}})
		if err == nil && len(got) != 3 {
			t.Errorf("asked for three chains, got %v", got)
		}
		same(t, got[ends[0].Name()], ends[0])
		same(t, got[ends[2].Name()], ends[2])
		same(t, got[store.ChainName{Node: "n2", Chain: "c2"}].Seq, 0)
		return err
	})
	if kept := need[[]store.ReceiptRow](t)(db.ReceiptsOf(ctx, "a1", 1)); len(kept) != len(all) {
		t.Errorf("%d receipts of %d", len(kept), len(all))
	}
}

func receiptsStay(t *testing.T, db *store.DB) {
	ctx := context.Background()
	nodesOf(t, db, "n1")
	update(t, db, func(tx store.Tx) error {
		return tx.AddReceipts(ctx, []store.Chain{end("n1", "c1", 2)}, rows("n1", "c1", 1, 2, 1, 10))
	})
	forged := rows("n1", "c1", 2, 2, 1, 20)
	forged[0].Raw = []byte("another story")
	if err := db.Update(ctx, func(tx store.Tx) error { return tx.AddReceipts(ctx, []store.Chain{end("n1", "c1", 2)}, forged) }); err == nil {
		t.Error("a receipt was written over")
	}
	got := need[[]store.ReceiptRow](t)(db.ReceiptsOf(ctx, "a1", 1))
	if len(got) != 2 || string(got[1].Raw) == "another story" || got[1].Stored != 10 {
		t.Errorf("%+v", got)
	}
}

func receiptsWithTheirChain(t *testing.T, db *store.DB) {
	ctx, broken := context.Background(), errors.New("broken off")
	nodesOf(t, db, "n1")
	refused(t, db, broken, func(tx store.Tx) error {
		return errors.Join(tx.AddReceipts(ctx, []store.Chain{end("n1", "c1", 2)}, rows("n1", "c1", 1, 2, 1, 10)), broken)
	})
	if got := need[[]store.ReceiptRow](t)(db.ReceiptsOf(ctx, "a1", 1)); len(got) != 0 {
		t.Errorf("receipts without an end: %v", got)
	}
	update(t, db, func(tx store.Tx) error {
		if all, err := tx.Chains(ctx, []store.ChainName{{Node: "n1", Chain: "c1"}}); err != nil || all[store.ChainName{Node: "n1", Chain: "c1"}].Seq != 0 {
			t.Errorf("an end without receipts: %+v %v", all, err)
		}
		return nil
	})
	if err := db.Update(ctx, func(tx store.Tx) error {
		return tx.AddReceipts(ctx, []store.Chain{end("nobody", "c1", 1)}, rows("nobody", "c1", 1, 1, 1, 10))
	}); err == nil {
		t.Error("a chain of nobody was kept")
	}
}

func receiptsInOrder(t *testing.T, db *store.DB) {
	ctx := context.Background()
	nodesOf(t, db, "n1", "n2")
	update(t, db, func(tx store.Tx) error {
		return errors.Join(
			tx.AddReceipts(ctx, []store.Chain{end("n2", "c1", 2)}, rows("n2", "c1", 1, 2, 1, 10)),
			tx.AddReceipts(ctx, []store.Chain{end("n1", "c2", 1)}, rows("n1", "c2", 1, 1, 1, 20)),
			tx.AddReceipts(ctx, []store.Chain{end("n1", "c1", 11)}, rows("n1", "c1", 9, 11, 1, 30)),
			tx.AddReceipts(ctx, []store.Chain{end("n1", "c3", 1)}, rows("n1", "c3", 1, 1, 2, 40)))
	})
	var got []string
	for _, r := range need[[]store.ReceiptRow](t)(db.ReceiptsOf(ctx, "a1", 1)) {
		got = append(got, fmt.Sprint(r.Node, "/", r.Chain, "/", r.Seq))
	}
	if want := []string{"n1/c1/9", "n1/c1/10", "n1/c1/11", "n1/c2/1", "n2/c1/1", "n2/c1/2"}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if none := need[[]store.ReceiptRow](t)(db.ReceiptsOf(ctx, "a2", 1)); len(none) != 0 {
		t.Errorf("of another announcement: %v", none)
	}
}

func receiptsByNode(t *testing.T, db *store.DB) {
	ctx := context.Background()
	nodesOf(t, db, "n1", "n2")
	update(t, db, func(tx store.Tx) error {
		return errors.Join(
			tx.AddReceipts(ctx, []store.Chain{end("n1", "c2", 2)}, rows("n1", "c2", 1, 2, 1, 30)),
			tx.AddReceipts(ctx, []store.Chain{end("n1", "c1", 2)}, rows("n1", "c1", 1, 2, 1, 20)),
			tx.AddReceipts(ctx, []store.Chain{end("n2", "c1", 1)}, rows("n2", "c1", 1, 1, 1, 25)))
	})
	for _, c := range []struct {
		since broadcast.Instant
		limit int64
		want  string
	}{{0, 10, "c1 c1 c2 c2 "}, {20, 3, "c1 c1 c2 "}, {21, 10, "c2 c2 "}, {31, 10, ""}} {
		got := ""
		for _, r := range need[[]store.ReceiptRow](t)(db.ReceiptsBy(ctx, "n1", c.since, c.limit)) {
			got += string(r.Chain) + " "
		}
		if got != c.want {
			t.Errorf("since %d, at most %d: %q, want %q", c.since, c.limit, got, c.want)
		}
	}
}

func expectedOnce(t *testing.T, db *store.DB) {
	ctx := context.Background()
	update(t, db, func(tx store.Tx) error {
		return errors.Join(tx.Expect(ctx, "a1", 1, nil), tx.Expect(ctx, "a1", 1, []broadcast.ID{"n2", "n1"}),
			tx.Expect(ctx, "a1", 1, []broadcast.ID{"n1", "n3"}), tx.Expect(ctx, "a1", 2, []broadcast.ID{"n9"}))
	})
	if got := need[[]broadcast.ID](t)(db.Expected(ctx, "a1", 1)); !slices.Equal(got, []broadcast.ID{"n1", "n2", "n3"}) {
		t.Errorf("%v", got)
	}
	if got := need[[]broadcast.ID](t)(db.Expected(ctx, "a2", 1)); len(got) != 0 {
		t.Errorf("of another: %v", got)
	}
}

func doubtStays(t *testing.T, db *store.DB) {
	ctx := context.Background()
	nodesOf(t, db, "n1", "n2")
	update(t, db, func(tx store.Tx) error {
		return errors.Join(tx.AddReceipts(ctx, []store.Chain{end("n1", "c1", 5)}, rows("n1", "c1", 1, 5, 1, 10)),
			tx.AddReceipts(ctx, []store.Chain{end("n2", "c1", 2)}, rows("n2", "c1", 1, 2, 1, 10)))
	})
	d := store.Doubt{Node: "n1", Code: broadcast.FaultRolledBack, Since: 20, Chain: "c1", Seq: 4, Ended: 5, Forks: 1}
	update(t, db, func(tx store.Tx) error { return tx.Doubt(ctx, d) })
	d.Code, d.Ended = broadcast.FaultDuplicate, 9
	later := d
	later.Since = 30
	update(t, db, func(tx store.Tx) error { return tx.Doubt(ctx, later) })
	same(t, need[map[broadcast.ID]store.Doubt](t)(db.Doubts(ctx)), map[broadcast.ID]store.Doubt{"n1": d}) // since the first
	marked := func() {
		t.Helper()
		for _, row := range need[[]store.ReceiptRow](t)(db.ReceiptsOf(ctx, "a1", 1)) {
			if row.Doubtful != (row.Node == "n1" && row.Seq >= 4) {
				t.Errorf("receipt %d of %s: doubtful %v", row.Seq, row.Node, row.Doubtful)
			}
		}
	}
	marked()
	update(t, db, func(tx store.Tx) error {
		if got, err := tx.Doubts(ctx, []broadcast.ID{"n2"}); err != nil || len(got) != 0 {
			t.Errorf("%v %v", got, err)
		}
		return tx.EndDoubt(ctx, "n1")
	})
	same(t, need[map[broadcast.ID]store.Doubt](t)(db.Doubts(ctx)), nil)
	marked()
}

func receiptsByPlace(t *testing.T, db *store.DB) {
	ctx := context.Background()
	nodesOf(t, db, "n1")
	name := store.ChainName{Node: "n1", Chain: "c1"}
	list := rows("n1", "c1", 1, 5, 1, 10)
	update(t, db, func(tx store.Tx) error {
		if err := tx.AddReceipts(ctx, []store.Chain{end("n1", "c1", 5)}, list); err != nil {
			return err
		}
		got, err := tx.ReceiptDigests(ctx, name, 4, 9)
		same(t, got, map[int64]broadcast.Digest{4: broadcast.Sum(list[3].Raw), 5: broadcast.Sum(list[4].Raw)})
		return err
	})
	for seq, want := range map[int64][]store.ReceiptRow{2: {list[4], list[3]}, 5: nil, 7: nil} {
		at, got, err := db.ReceiptsAfter(ctx, name, seq, 2)
		if err != nil {
			t.Fatal(err)
		}
		same(t, at, end("n1", "c1", 5))
		same(t, got, want)
	}
	if _, got, err := db.ReceiptsAfter(ctx, store.ChainName{Node: "n1", Chain: "c2"}, 0, 2); err != nil || len(got) != 0 {
		t.Errorf("%v %v", got, err)
	}
}

func firingsNewestFirst(t *testing.T, db *store.DB) {
	ctx := context.Background()
	nodesOf(t, db, "n1", "n2")
	fired := func(node broadcast.ID, at broadcast.Instant) []store.ReceiptRow {
		list := rows(node, "c1", 1, 3, 1, at)
		list[1].Firing = true
		return list
	}
	update(t, db, func(tx store.Tx) error {
		return errors.Join(tx.AddReceipts(ctx, []store.Chain{end("n1", "c1", 3)}, fired("n1", 10)),
			tx.AddReceipts(ctx, []store.Chain{end("n2", "c1", 3)}, fired("n2", 20)))
	})
	for _, c := range []struct {
		node  broadcast.ID
		limit int64
		want  string
	}{{"", 10, "n2 n1 "}, {"", 1, "n2 "}, {"n1", 10, "n1 "}, {"n3", 10, ""}} {
		got := ""
		for _, r := range need[[]store.ReceiptRow](t)(db.Firings(ctx, c.node, c.limit)) {
			if got += string(r.Node) + " "; r.Seq != 2 {
				t.Errorf("receipt %d tells of no key", r.Seq)
			}
		}
		if got != c.want {
			t.Errorf("of %q, at most %d: %q, want %q", c.node, c.limit, got, c.want)
		}
	}
}
