package node_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/loaxa/loaxa/broadcast"
	"github.com/loaxa/loaxa/broadcast/seal"
	"github.com/loaxa/loaxa/broadcast/seal/sealtest"
	"github.com/loaxa/loaxa/device/node"
	"github.com/loaxa/loaxa/device/node/nodetest"
)

// handOver offers everything that a pack for the rig's node would hold.
func handOver(t *testing.T, r *nodetest.Rig) {
	t.Helper()
	for _, raw := range [][]byte{r.Centre.Authority(), r.Centre.Assignment(nodetest.NodeID, r.Public(), nodetest.Area), r.Centre.Policy(nil)} {
		if err := r.Node.Offer(t.Context(), raw); err != nil {
			t.Fatal(err)
		}
	}
}

func TestANodeThatNeverHadALineLivesFromWhatIsHandedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := nodetest.NewRig(t)
		r.BootAlone()
		defer func() { r.Stop() }()
		handOver(t, r)
		a := r.Announcement("flood", broadcast.Emergency, time.Hour, 3*time.Second)
		raw := r.Sealed(a)
		sound := []byte("recording of flood")
		sum := a.Versions[0].Content.SHA256
		if err := r.Node.Take(t.Context(), sum, int64(len(sound)), bytes.NewReader(sound)); !errors.Is(err, node.ErrUnwanted) {
			t.Errorf("a recording that nothing names: %v", err)
		}
		for range 2 { // again is as good as once
			if err := r.Node.Offer(t.Context(), raw); err != nil {
				t.Fatal(err)
			}
		}
		for _, area := range []broadcast.ID{nodetest.Top, nodetest.Area} {
			if err := r.Node.Offer(t.Context(), r.Centre.Manifest(area)); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Node.Take(t.Context(), sum, int64(len(sound)), strings.NewReader("recording of fever")); err == nil {
			t.Error("other bytes were taken under the name")
		}
		if err := r.Node.Take(t.Context(), sum, int64(len(sound)), bytes.NewReader(sound)); err != nil {
			t.Fatal(err)
		}
		if err := r.Node.Take(t.Context(), sum, int64(len(sound)), bytes.NewReader(sound)); !errors.Is(err, node.ErrUnwanted) {
			t.Errorf("again: %v", err)
		}
		told, err := r.Node.Receipts(t.Context())
		if err != nil || len(told.Batches) == 0 || told.Chain == "" {
			t.Fatalf("%+v %v", told, err)
		}
		b, err := seal.OpenWithKey[broadcast.ReceiptBatch](broadcast.KindReceipts, told.Batches[0], r.Public())
		if err != nil || b.Node != nodetest.NodeID || b.Chain != told.Chain {
			t.Fatalf("%+v %v", b, err)
		}
		rungs := []broadcast.Rung{broadcast.Received, broadcast.Verified, broadcast.Cached}
		for i, want := range rungs {
			if i >= len(b.Receipts) || b.Receipts[i].Rung != want || b.Receipts[i].Announcement != "flood" {
				t.Errorf("receipts %+v, want %v", b.Receipts, rungs)
				break
			}
		}
		// An acknowledgement that comes back on the stick is as good as any.
		last := b.Receipts[len(b.Receipts)-1]
		hash, err := last.Digest()
		if err != nil {
			t.Fatal(err)
		}
		ack := broadcast.ReceiptAck{Node: nodetest.NodeID, Chain: b.Chain, Seq: last.Seq, Hash: hash, At: r.Centre.Instant()}
		if err := r.Node.Offer(t.Context(), sealtest.Sealed(broadcast.KindAck, ack, r.Centre.House.Service)); err != nil {
			t.Fatal(err)
		}
		if told, err = r.Node.Receipts(t.Context()); err != nil || len(told.Batches) != 0 {
			t.Errorf("%d batches are told again, %v", len(told.Batches), err)
		}
	})
}

func TestWhatIsHandedOverIsJudgedLikeTheBrokers(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		a := r.Announcement("flood", broadcast.Emergency, time.Minute, time.Second)
		good := r.Sealed(a)
		altered := bytes.Replace(good, []byte(`"signature":"`), []byte(`"signature":"A`), 1)
		stranger := sealtest.Sealed(broadcast.KindAnnouncement, a, sealtest.Bare("stranger"))
		elsewhere := a
		elsewhere.ID, elsewhere.Areas = "elsewhere", []broadcast.ID{"vi-xuyen"}
		for name, c := range map[string]struct {
			raw  []byte
			want error
		}{
			"nothing":            {nil, seal.ErrForm},
			"words":              {[]byte("flood!"), seal.ErrForm},
			"endless":            {bytes.Repeat([]byte("["), 1<<20), seal.ErrTooLarge},
			"altered":            {altered, nil},
			"by a stranger":      {stranger, node.ErrWaits},
			"for another area":   {sealtest.Sealed(broadcast.KindAnnouncement, elsewhere, r.Centre.Editor, r.Centre.Approver), nil},
			"a place of another": {r.Centre.Assignment("other", r.Public(), nodetest.Area), nil},
			"by one alone":       {sealtest.Sealed(broadcast.KindAnnouncement, a, r.Centre.Editor), nil},
			"by the service key": {sealtest.Sealed(broadcast.KindAnnouncement, a, r.Centre.House.Service), nil},
		} {
			if err := r.Node.Offer(t.Context(), c.raw); err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("%s: %v, want %v", name, err, c.want)
			}
		}
		pass(10 * time.Minute)
		sounded(t, r, 0)
		rungs(t, r, "flood")
	})
}

// broken gives its first reading whole and breaks off in the second, as a stick
// does that is pulled out.
type broken struct {
	io.ReadSeeker
	left int
}

func (b *broken) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("no such device")
	}
	n, err := b.ReadSeeker.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

func TestACarrierThatGoesAwayHalfWayHarmsNothing(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		r.Wire.Down()
		r.Fetcher.Refuse(func(broadcast.Digest) error { return errors.New("no line") })
		a := large(r, "lu-lut", broadcast.Priority, time.Hour)
		raw := r.Sealed(a)
		if err := errors.Join(r.Node.Offer(t.Context(), raw), r.Node.Offer(t.Context(), r.Centre.Manifest(nodetest.Top))); err != nil {
			t.Fatal(err)
		}
		c := a.Versions[0].Content
		sound := r.Centre.Document(c.SHA256)
		for _, left := range []int{0, 1000, len(sound), len(sound) + 1, len(sound) + 300_000} {
			if err := r.Node.Take(t.Context(), c.SHA256, c.Bytes, &broken{bytes.NewReader(sound), left}); err == nil {
				t.Fatalf("pulled after %d bytes: taken", left)
			}
		}
		if err := r.Node.Take(t.Context(), c.SHA256, c.Bytes, bytes.NewReader(sound)); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Hour)
		sounded(t, r, 1)
	})
}

// TestARecordingByHandIsTakenWhileItsDownloadHangs has the network hold the file
// open on a line that gives nothing any more.
func TestARecordingByHandIsTakenWhileItsDownloadHangs(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		a := r.Announcement("flood", broadcast.Emergency, time.Minute, time.Second)
		c := a.Versions[0].Content
		raw := r.Sealed(a)
		r.Fetcher.Pace(1)
		if err := r.Node.Offer(t.Context(), raw); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		if !slices.Contains(r.Fetcher.Asked(), c.SHA256) {
			t.Fatal("nothing is downloaded")
		}
		sound := r.Centre.Document(c.SHA256)
		if err := r.Node.Take(t.Context(), c.SHA256, c.Bytes, bytes.NewReader(sound)); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Minute)
		sounded(t, r, 1)
	})
}

// TestAHandThatLetsGoGivesTheRecordingBackToTheNetwork brings something torn.
func TestAHandThatLetsGoGivesTheRecordingBackToTheNetwork(t *testing.T) {
	world(t, func(t *testing.T, r *nodetest.Rig) {
		a := r.Announcement("flood", broadcast.Emergency, time.Minute, time.Second)
		c := a.Versions[0].Content
		raw := r.Sealed(a)
		sound := r.Centre.Document(c.SHA256)
		r.Fetcher.Pace(1)
		if err := r.Node.Offer(t.Context(), raw); err != nil {
			t.Fatal(err)
		}
		pass(5 * time.Second)
		if err := r.Node.Take(t.Context(), c.SHA256, c.Bytes, &broken{bytes.NewReader(sound), len(sound) + 1}); err == nil {
			t.Fatal("a torn recording was taken")
		}
		r.Fetcher.Pace(1 << 20)
		pass(2 * time.Minute)
		sounded(t, r, 1)
	})
}

// held gives its second reading only when it may.
type held struct {
	io.ReadSeeker
	free <-chan struct{}
	left int
}

func (h *held) Read(p []byte) (int, error) {
	if h.left <= 0 {
		<-h.free
	}
	n, err := h.ReadSeeker.Read(p)
	h.left -= n
	return n, err
}

func TestTwoCarriersWithTheSameRecordingAreServedOneAfterAnother(t *testing.T) {
	for what, tear := range map[string]bool{"the first succeeds": false, "the first is pulled out": true} {
		t.Run(what, func(t *testing.T) {
			world(t, func(t *testing.T, r *nodetest.Rig) {
				r.Fetcher.Refuse(func(broadcast.Digest) error { return errors.New("no line") })
				a := r.Announcement("flood", broadcast.Emergency, time.Minute, time.Second)
				if err := r.Node.Offer(t.Context(), r.Sealed(a)); err != nil {
					t.Fatal(err)
				}
				c := a.Versions[0].Content
				sound := r.Centre.Document(c.SHA256)
				free, first, second := make(chan struct{}), make(chan error, 1), make(chan error, 1)
				var torn io.ReadSeeker = bytes.NewReader(sound)
				if tear {
					torn = &broken{torn, len(sound) + 1}
				}
				go func() { first <- r.Node.Take(t.Context(), c.SHA256, c.Bytes, &held{torn, free, len(sound)}) }()
				synctest.Wait()
				go func() { second <- r.Node.Take(t.Context(), c.SHA256, c.Bytes, bytes.NewReader(sound)) }()
				synctest.Wait()
				if len(second) > 0 {
					t.Fatalf("the second did not wait: %v", <-second)
				}
				close(free)
				if err := <-first; (err != nil) != tear {
					t.Errorf("the first: %v", err)
				}
				if err := <-second; err != nil {
					t.Errorf("the second: %v", err)
				}
				pass(2 * time.Minute)
				sounded(t, r, 1)
			})
		})
	}
}
