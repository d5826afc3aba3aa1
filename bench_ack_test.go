package loaxa

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/device/store"
)

const (
	crowd     = 300
	ackRounds = 12
)

// BenchmarkAcknowledgements300 has 300 nodes state something at one moment and
// takes the time until the last of them holds the sealed acknowledgement of it.
//
// One exchange is always the same: the node makes a receipt, appends it to its
// own journal on the card (fsync), seals a batch with its own key; the office
// verifies it, checks that it continues the chain, keeps it in SQLite
// (synchronous=FULL), seals an acknowledgement by chain hash; the node verifies
// that with the certificates it holds and compares the hash with its own.
//
// Four runners take turns, so that each meets the same machine:
//
//   - product: the real controller in its own process, its broker and database,
//     and 300 connections of package link with journals of package store;
//   - straight: the exchange as a straight loop in one goroutine, without any
//     network: all nodes state one after the other, and the office may keep up
//     to 200 batches in one transaction, as the controller may;
//   - at-once: the same without a network, but with all nodes at once in 300
//     goroutines that share their waiting for the disk, and an office that
//     takes whatever has come: the least time that I know how to reach;
//   - raw broker: 300 messages of the same size to a consumer and 300 answers
//     back through the embedded broker, with nothing signed or kept.
func BenchmarkAcknowledgements300(b *testing.B) {
	conditions(b)
	product, straight, atOnce, raw := newConnected(b), newLoop(b, "straight"), newLoop(b, "at-once"), newRaw(b)
	runners := []struct {
		name  string
		round func() error
		took  *spread
	}{
		{"product", product.round, &spread{}}, {"straight", straight.straight, &spread{}},
		{"at-once", atOnce.atOnce, &spread{}}, {"raw", raw.round, &spread{}},
	}
	for round := range ackRounds + 1 {
		for _, r := range runners {
			began := time.Now()
			if err := r.round(); err != nil {
				b.Fatalf("%s, round %d: %v", r.name, round, err)
			}
			if round > 0 { // the first one makes files and warms everything up
				*r.took = append(*r.took, time.Since(began))
			}
		}
	}
	once(b)
	for _, r := range runners {
		b.ReportMetric(millis(r.took.at(0.5)), r.name+"-p50-ms")
		b.ReportMetric(millis(r.took.most()), r.name+"-max-ms")
	}
	b.ReportMetric(ratio(*runners[0].took, *runners[1].took), "ratio-to-straight")
	b.ReportMetric(ratio(*runners[0].took, *runners[2].took), "ratio-to-at-once")
	b.Logf("time until the last of %d nodes has its acknowledgement, over %d rounds; a ratio is the median of the rounds' own", crowd, ackRounds)
}

// ratio is the median of what one took against the other in the same round, so
// that a machine that grows busy meanwhile weighs on both.
func ratio(mine, other spread) float64 {
	all := make([]float64, len(mine))
	for i := range mine {
		all[i] = float64(mine[i]) / float64(other[i])
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// anywhere is a geography in which every area is known and covers every other.
type anywhere struct{}

func (anywhere) Knows(broadcast.ID) bool                { return true }
func (anywhere) Covers(broadcast.ID, broadcast.ID) bool { return true }

// chained is a node's chain of receipts on its own card.
type chained struct {
	id      broadcast.ID
	key     ed25519.PrivateKey
	signer  seal.Signer
	journal *store.Journal
	chain   broadcast.ID
	seq     int64
	head    broadcast.Digest
}

// newChained makes a card in a folder.
func newChained(dir string, id broadcast.ID, key ed25519.PrivateKey) (*chained, error) {
	j, err := store.OpenJournal(store.OS(), filepath.Join(dir, string(id), "journal"),
		store.JournalLimits{Record: 4 << 10, Segment: 128 << 10, Total: 16 << 20})
	if err != nil {
		return nil, err
	}
	kid, err := broadcast.KeyOf(key.Public().(ed25519.PublicKey)).ID()
	return &chained{id: id, key: key, signer: seal.Signer{KID: kid, Key: key}, journal: j,
		chain: "chain-" + id, head: broadcast.Sum(nil)}, err
}

// state makes the next receipt, has it on the card, and returns it sealed.
func (c *chained) state() ([]byte, error) {
	now := broadcast.InstantOf(time.Now())
	r := broadcast.Receipt{Seq: c.seq + 1, Prev: c.head, At: now, Clock: broadcast.ClockProved, Boot: "boot-1",
		Announcement: "tin-1", Of: broadcast.Revision(now), Payload: broadcast.Sum(nil), Rung: broadcast.Received}
	digest, err := r.Digest()
	if err != nil {
		return nil, err
	}
	line, err := broadcast.Encode(r)
	if err != nil {
		return nil, err
	}
	if _, err := c.journal.AppendBatch([][]byte{line}); err != nil {
		return nil, err
	}
	c.seq, c.head = r.Seq, digest
	env, err := seal.Seal(broadcast.KindReceipts, broadcast.ReceiptBatch{Node: c.id, Chain: c.chain, Receipts: []broadcast.Receipt{r}}, c.signer)
	if err != nil {
		return nil, err
	}
	return seal.Bytes(broadcast.KindReceipts, env)
}

// settle believes an acknowledgement of everything stated so far, or says why not.
func (c *chained) settle(raw []byte, ring *seal.Keyring) error {
	ack, _, err := seal.Open[broadcast.ReceiptAck](ring, broadcast.KindAck, raw, seal.Context{Places: anywhere{}})
	if err != nil {
		return err
	}
	if ack.Node != c.id || ack.Chain != c.chain || ack.Seq != c.seq || ack.Hash != c.head {
		return fmt.Errorf("%s: acknowledged is %d %s, stated %d %s", c.id, ack.Seq, ack.Hash.Short(), c.seq, c.head.Short())
	}
	return nil
}

// allOf runs something for every node at once and joins what went wrong.
func allOf[T any](nodes []T, f func(T) error) error {
	var all sync.WaitGroup
	errs := make([]error, len(nodes))
	for i, n := range nodes {
		all.Go(func() { errs[i] = f(n) })
	}
	all.Wait()
	return errors.Join(errs...)
}
