package loaxa

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the database of the controller, without the controller

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
)

// together is how many batches one transaction may keep, as in the controller.
const together = 200

// loop is 300 nodes and an office in one process with nothing in between.
type loop struct {
	nodes []*chained
	byID  map[broadcast.ID]*known
	db    *sql.DB
	house *sealtest.House
	ring  *seal.Keyring
}

// known is what the office knows of one node.
type known struct {
	key  broadcast.Key
	seq  int64
	head broadcast.Digest
	acks chan []byte
}

func newLoop(b *testing.B, name string) *loop {
	b.Helper()
	dir := b.TempDir()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "office.db")+
		"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	_, err = db.Exec(`CREATE TABLE chains (node TEXT, chain TEXT, seq BIGINT, head TEXT, PRIMARY KEY (node, chain));
		CREATE TABLE receipts (node TEXT, chain TEXT, seq BIGINT, announcement TEXT, of_revision BIGINT, stored_ms BIGINT, raw BLOB,
			PRIMARY KEY (node, chain, seq));
		CREATE INDEX receipts_by_announcement ON receipts (announcement, of_revision, node)`)
	if err != nil {
		b.Fatal(err)
	}
	h := sealtest.NewHouse("bac-quang", broadcast.InstantOf(time.Now()), true)
	l := &loop{byID: map[broadcast.ID]*known{}, db: db, house: h, ring: h.Keyring(anywhere{})}
	for i := range crowd {
		id := fmt.Sprintf("%s-%d", name, i)
		n, err := newChained(dir, broadcast.ID(id), sealtest.Key(id))
		if err != nil {
			b.Fatal(err)
		}
		l.nodes = append(l.nodes, n)
		l.byID[n.id] = &known{key: sealtest.Public(id), head: broadcast.Sum(nil), acks: make(chan []byte, 1)}
	}
	return l
}

// sealed is a batch of one node.
type sealedBatch struct {
	node broadcast.ID
	raw  []byte
}

// straight is one round in one goroutine.
func (l *loop) straight() error {
	var batches []sealedBatch
	for _, n := range l.nodes {
		raw, err := n.state()
		if err != nil {
			return err
		}
		batches = append(batches, sealedBatch{n.id, raw})
	}
	for len(batches) > 0 {
		k := min(together, len(batches))
		if err := l.keep(batches[:k]); err != nil {
			return err
		}
		batches = batches[k:]
	}
	for _, n := range l.nodes {
		if err := n.settle(<-l.byID[n.id].acks, l.ring); err != nil {
			return err
		}
	}
	return nil
}

// atOnce is one round with all nodes at once.
func (l *loop) atOnce() error {
	in := make(chan sealedBatch, crowd)
	office := make(chan error, 1)
	go func() { office <- l.keepAll(in) }()
	nodes := allOf(l.nodes, func(n *chained) error {
		raw, err := n.state()
		if err != nil {
			return err
		}
		in <- sealedBatch{n.id, raw}
		return n.settle(<-l.byID[n.id].acks, l.ring)
	})
	return errors.Join(nodes, <-office)
}

// keepAll keeps a batch of every node, as many together as have come.
func (l *loop) keepAll(in <-chan sealedBatch) error {
	for done := 0; done < crowd; {
		batches := []sealedBatch{<-in}
		for len(batches) < together && len(in) > 0 {
			batches = append(batches, <-in)
		}
		if err := l.keep(batches); err != nil {
			return err
		}
		done += len(batches)
	}
	return nil
}

// keep verifies batches, keeps them in one transaction and acknowledges them.
func (l *loop) keep(batches []sealedBatch) error {
	tx, err := l.db.Begin()
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after the commit it does nothing
	add, err := tx.Prepare("INSERT INTO receipts VALUES (?, ?, ?, ?, ?, ?, ?)")
	if err != nil {
		return err
	}
	move, err := tx.Prepare("INSERT INTO chains VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq, head = excluded.head")
	if err != nil {
		return err
	}
	var acks []broadcast.ReceiptAck
	for _, one := range batches {
		ack, err := l.store(one, add, move)
		if err != nil {
			return err
		}
		acks = append(acks, ack)
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	for _, ack := range acks {
		env, err := seal.Seal(broadcast.KindAck, ack, l.house.Service)
		if err != nil {
			return err
		}
		raw, err := seal.Bytes(broadcast.KindAck, env)
		if err != nil {
			return err
		}
		l.byID[ack.Node].acks <- raw
	}
	return nil
}

// store believes one batch and keeps what it continues.
func (l *loop) store(in sealedBatch, add, move *sql.Stmt) (broadcast.ReceiptAck, error) {
	ctx, of := context.Background(), l.byID[in.node]
	b, err := seal.OpenWithKey[broadcast.ReceiptBatch](broadcast.KindReceipts, in.raw, of.key)
	if err != nil {
		return broadcast.ReceiptAck{}, err
	}
	now := broadcast.InstantOf(time.Now())
	for _, r := range b.Receipts {
		if r.Seq != of.seq+1 || r.Prev != of.head {
			return broadcast.ReceiptAck{}, fmt.Errorf("%s: %d does not continue %d", in.node, r.Seq, of.seq)
		}
		raw, err := broadcast.Encode(r)
		if err != nil {
			return broadcast.ReceiptAck{}, err
		}
		if _, err := add.ExecContext(ctx, string(b.Node), string(b.Chain), r.Seq, string(r.Announcement), int64(r.Of), int64(now), raw); err != nil {
			return broadcast.ReceiptAck{}, err
		}
		of.seq, of.head = r.Seq, broadcast.Sum(raw)
	}
	_, err = move.ExecContext(ctx, string(b.Node), string(b.Chain), of.seq, string(of.head))
	return broadcast.ReceiptAck{Node: b.Node, Chain: b.Chain, Seq: of.seq, Hash: of.head, At: now}, err
}
